"""Whom a role's trust policy lets in that should not be: everybody, strangers, and tenants of others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.core.policy import parse
from demarc.core.trust import loose_saml, loose_web_identities, trusting_everybody, trusting_strangers

OURS, SISTER, VENDOR = "111122223333", "444455556666", "999988887777"
OUR_ORG = "o-7k2m9xqp4h"
GITHUB = "token.actions.githubusercontent.com"
GITLAB = "gitlab.com"
EKS = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF"
CORPORATE = f"arn:aws:iam::{OURS}:saml-provider/corporate"
Statement = dict[str, Any]


def trust(principal: Any, action: Any = "sts:AssumeRole", **more: Any) -> Statement:
    return {"Effect": "Allow", "Principal": principal, "Action": action, **more}


def when(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {"Condition": {operator: {key: list(values)}}}


def everybody(*statements: Statement) -> list[int]:
    policy = parse({"Statement": list(statements)})
    return [each.statement.index for each in trusting_everybody(policy, account=OURS)]


def strangers(*statements: Statement) -> list[str]:
    found = trusting_strangers(
        parse({"Statement": list(statements)}), account=OURS, trusted=(OURS, SISTER), organization=OUR_ORG
    )
    return [who for exposure in found for who in exposure.who]


def web(provider: str, **more: Any) -> Statement:
    """Trust in an OpenID Connect provider: one that we registered, or one that AWS knows by its name."""
    known = provider in (
        "accounts.google.com",
        "cognito-identity.amazonaws.com",
        "graph.facebook.com",
        "www.amazon.com",
    )
    name = provider if known else f"arn:aws:iam::{OURS}:oidc-provider/{provider}"
    return trust({"Federated": name}, "sts:AssumeRoleWithWebIdentity", **more)


def is_loose(*statements: Statement) -> bool:
    return any(loose_web_identities(parse({"Statement": list(statements)})))


# --- everybody -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        trust("*"),
        trust({"AWS": "*"}),
        trust({"AWS": "arn:aws:iam::*:root"}),
        trust({"AWS": [f"arn:aws:iam::{OURS}:root", "*"]}, "sts:*"),
        trust({"Federated": "*"}, "sts:AssumeRoleWithWebIdentity"),
        trust("*", **when("StringEquals", "sts:ExternalId", "4711")),
        trust("*", **when("StringLike", "aws:PrincipalArn", "arn:aws:iam::*:role/deploy")),
        trust("*", **when("Bool", "aws:SecureTransport", "true")),
        {"Effect": "Allow", "NotPrincipal": {"AWS": VENDOR}, "Action": "sts:AssumeRole"},
    ],
)
def test_everybody_is_everybody_however_it_is_written(statement: Statement) -> None:
    assert everybody(statement) == [0]


@pytest.mark.parametrize(
    "statements",
    [
        [trust({"Service": "lambda.amazonaws.com"})],
        [trust({"AWS": f"arn:aws:iam::{VENDOR}:root"})],
        [trust("*", "sts:TagSession")],
        [trust("*", **when("StringEquals", "aws:PrincipalOrgID", OUR_ORG))],
        [trust("*", **when("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{OURS}:role/*"))],
        [trust("*"), {"Effect": "Deny", "Principal": "*", "Action": "sts:*"}],
        [trust("*"), trust("*") | {"Effect": "Deny"} | when("StringNotEquals", "aws:PrincipalOrgID", OUR_ORG)],
    ],
)
def test_whoever_is_named_in_some_way_is_not_everybody(statements: list[Statement]) -> None:
    assert everybody(*statements) == []


# --- strangers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "condition",
    [
        {},
        when("StringLike", "sts:ExternalId", "*"),
        when("StringLike", "sts:ExternalId", "vendor-*"),
        when("StringLike", "sts:ExternalId", "vendor-?-4711"),
        when("StringEquals", "sts:ExternalId", ""),
        when("StringEquals", "sts:ExternalId", "${aws:username}"),
        when("StringEqualsIfExists", "sts:ExternalId", "4711"),
        when("ForAllValues:StringEquals", "sts:ExternalId", "4711"),
        when("StringNotEquals", "sts:ExternalId", "4711"),
        when("Bool", "aws:MultiFactorAuthPresent", "true"),
    ],
)
def test_a_stranger_needs_an_external_id_that_is_fixed(condition: dict[str, Any]) -> None:
    assert strangers(trust({"AWS": VENDOR}, **condition)) == [VENDOR]


@pytest.mark.parametrize(
    "statement",
    [
        trust({"AWS": f"arn:aws:iam::{OURS}:role/deploy"}),
        trust({"AWS": f"arn:aws:iam::{SISTER}:root"}),
        trust({"Service": "ec2.amazonaws.com"}),
        trust({"AWS": VENDOR}, **when("StringEquals", "sts:ExternalId", "4711")),
        trust({"AWS": VENDOR}, **when("StringEquals", "STS:externalid", "4711", "4712")),
        trust({"AWS": VENDOR}, **when("StringEquals", "aws:PrincipalOrgID", OUR_ORG)),
        # What is left of a role that was deleted.
        trust({"AWS": "AROAEXAMPLEID"}),
    ],
)
def test_our_own_need_none(statement: Statement) -> None:
    assert strangers(statement) == []


def test_of_several_principals_the_strangers_are_told() -> None:
    assert strangers(trust({"AWS": [SISTER, VENDOR, f"arn:aws:iam::{OURS}:root"]})) == [VENDOR]


def test_a_member_of_another_organization_is_a_stranger() -> None:
    assert strangers(trust("*", **when("StringEquals", "aws:PrincipalOrgID", "o-theirs12345"))) == ["o-theirs12345"]


# --- tenants of identity providers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "subject",
    [
        "repo:fjordline/booking:ref:refs/heads/main",
        "repo:fjordline/booking:*",
        "repo:fjordline/*",
        "repository_owner_id:4711:environment:production",
        "environment:production:repository_owner:fjordline",
        "job_workflow_ref:fjordline/pipelines/.github/workflows/deploy.yml@refs/heads/main",
    ],
)
def test_a_subject_of_github_that_names_the_organization_is_ours(subject: str) -> None:
    assert not is_loose(web(GITHUB, **when("StringLike", f"{GITHUB}:sub", subject)))


@pytest.mark.parametrize(
    "subject",
    [
        *(
            "*",
            "",
            "repo:*",
            "repo:*/booking:*",
            "repo:fjordline*",
            "repo:fjord?ine/booking:*",
            "repo:${aws:username}/*",
        ),
        *("environment:production", "ref:refs/heads/main", "repository_visibility:public"),
    ],
)
def test_a_subject_of_github_that_others_have_too_is_nobodys(subject: str) -> None:
    assert is_loose(web(GITHUB, **when("StringLike", f"{GITHUB}:sub", subject)))


@pytest.mark.parametrize(
    "condition",
    [
        {},
        when("StringEquals", f"{GITHUB}:aud", "sts.amazonaws.com"),
        when("StringLikeIfExists", f"{GITHUB}:sub", "repo:fjordline/*"),
        when("ForAllValues:StringLike", f"{GITHUB}:sub", "repo:fjordline/*"),
        when("StringNotLike", f"{GITHUB}:sub", "repo:rival/*"),
        when("StringEquals", "sub", "repo:fjordline/booking:ref:refs/heads/main"),
        when("StringEquals", f"{GITHUB}:actor", "octocat"),
        when("StringLike", f"{GITHUB}:sub", "repo:fjordline/*", "repo:*"),
    ],
)
def test_without_a_subject_that_must_be_ours_github_is_everybody_who_has_a_repository(
    condition: dict[str, Any],
) -> None:
    assert is_loose(web(GITHUB, **condition))


@pytest.mark.parametrize(
    ("claim", "value"), [("repository", "fjordline/booking"), ("repository_owner", "fjordline"), ("repository_id", "1")]
)
def test_other_claims_of_github_may_say_whose_it_is(claim: str, value: str) -> None:
    assert not is_loose(web(GITHUB, **when("StringEquals", f"{GITHUB}:{claim}", value)))


def test_the_issuer_of_an_enterprise_on_github_is_judged_as_github() -> None:
    issuer = f"{GITHUB}/fjordline"

    assert is_loose(web(issuer, **when("StringEquals", f"{issuer}:sub", "environment:production")))
    assert not is_loose(web(issuer, **when("StringLike", f"{issuer}:sub", "repo:fjordline/*")))


@pytest.mark.parametrize(
    ("issuer", "claim", "value"),
    [
        (GITLAB, "sub", "project_path:fjordline/booking:ref_type:branch:ref:main"),
        (GITLAB, "sub", "project_path:fjordline/*"),
        ("app.terraform.io", "sub", "organization:fjordline:project:*:workspace:*:run_phase:apply"),
        ("api.bitbucket.org/2.0/workspaces/fjordline/pipelines-config/identity/oidc", "sub", "{0f1e-2d3c}:*"),
        (EKS, "sub", "system:serviceaccount:booking:api"),
        (EKS, "sub", "system:serviceaccount:booking:*"),
        ("cognito-identity.amazonaws.com", "aud", "eu-west-1:0f1e2d3c-0000-4000-8000-5a6978879685"),
        ("accounts.google.com", "aud", "104711"),
        ("graph.facebook.com", "app_id", "4711"),
        ("www.amazon.com", "app_id", "amzn1.application-oa2-client.4711"),
    ],
)
def test_the_claim_that_tells_tenants_apart_is_the_issuers(issuer: str, claim: str, value: str) -> None:
    assert not is_loose(web(issuer, **when("StringLike", f"{issuer}:{claim}", value)))


@pytest.mark.parametrize(
    ("issuer", "claim", "value"),
    [
        (GITLAB, "aud", "https://gitlab.com"),
        (GITLAB, "sub", "project_path:*"),
        ("app.terraform.io", "sub", "organization:*:project:booking:workspace:*"),
        (EKS, "aud", "sts.amazonaws.com"),
        (EKS, "sub", "system:serviceaccount:*:api"),
        ("cognito-identity.amazonaws.com", "aud", "eu-west-1:*"),
        ("cognito-identity.amazonaws.com", "amr", "authenticated"),
        # Whoever has a service account at Google chooses this one.
        ("accounts.google.com", "oaud", "fjordline"),
    ],
)
def test_a_claim_that_anybody_can_have_is_nobodys(issuer: str, claim: str, value: str) -> None:
    assert is_loose(web(issuer, **when("StringLike", f"{issuer}:{claim}", value)))


def test_what_a_loose_statement_says_is_told() -> None:
    audience = when("StringEquals", f"{GITHUB}:aud", "sts.amazonaws.com")
    (loose,) = loose_web_identities(
        parse({"Statement": [trust({"Service": "ec2.amazonaws.com"}), web(GITHUB, **audience)]})
    )

    assert (loose.statement.index, loose.provider, loose.said) == (1, GITHUB, ("sts.amazonaws.com",))


@given(
    st.sampled_from([GITHUB, GITLAB]),
    st.lists(st.sampled_from(["repo:", "fjordline", "booking", "environment:", "/", ":", "*", "?", "{1}"])),
    st.integers(0, 40),
)
def test_a_shorter_beginning_is_never_tighter(issuer: str, parts: list[str], kept: int) -> None:
    subject = "".join(parts)
    whole = web(issuer, **when("StringLike", f"{issuer}:sub", subject))
    beginning = web(issuer, **when("StringLike", f"{issuer}:sub", f"{subject[:kept]}*"))

    assert is_loose(beginning) or not is_loose(whole)


# --- SAML ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "loose"),
    [
        (when("StringEquals", "SAML:aud", "https://signin.aws.amazon.com/saml"), False),
        (when("StringLike", "saml:AUD", "https://*.signin.aws.amazon.com/saml"), False),
        (when("StringLike", "SAML:aud", "*"), True),
        (when("StringEqualsIfExists", "SAML:aud", "https://signin.aws.amazon.com/saml"), True),
        (when("StringEquals", "SAML:iss", "https://idp.fjordline.example"), True),
        ({}, True),
    ],
)
def test_an_assertion_is_taken_for_the_audience_that_is_named(condition: dict[str, Any], loose: bool) -> None:
    statement = trust({"Federated": CORPORATE}, ["sts:AssumeRoleWithSAML", "sts:TagSession"], **condition)

    assert any(loose_saml(parse({"Statement": [statement]}))) is loose


def test_each_provider_is_asked_for_what_it_can_say() -> None:
    """`sts:*` covers both ways in, and each provider knows one."""
    saml = parse({"Statement": [trust({"Federated": CORPORATE}, "sts:*")]})
    github = parse({"Statement": [web(GITHUB) | {"Action": "sts:*"}]})

    assert ([*loose_web_identities(saml)], len([*loose_saml(saml)])) == ([], 1)
    assert (len([*loose_web_identities(github)]), [*loose_saml(github)]) == (1, [])


def test_a_refusal_trusts_nobody() -> None:
    refusals = [{**web(GITHUB), "Effect": "Deny"}, {**trust({"Federated": CORPORATE}, "sts:*"), "Effect": "Deny"}]
    policy = parse({"Statement": refusals})

    assert [*loose_web_identities(policy), *loose_saml(policy)] == []
