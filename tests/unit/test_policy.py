"""What a policy says, and whom it lets in: nobody too few, and no more than its conditions leave."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from itertools import combinations, product
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from demarc.core.model import Resource
from demarc.core.policy import (
    Audience,
    Policy,
    PolicyUnreadable,
    Principal,
    covers,
    covers_resource,
    denied,
    exposures,
    matches,
    of,
    parse,
)
from demarc.core.snapshot import Snapshot, Unread

OURS, SISTER, THEIRS = "111122223333", "444455556666", "999999999999"
OUR_ORG, THEIR_ORG = "o-7k2m9xqp4h", "o-theirs1234"
EVERYBODY = {"AWS": "*"}
Statement = dict[str, Any]


def allow(principal: Any = "*", action: Any = "s3:GetObject", **more: Any) -> Statement:
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", **more}


def deny(principal: Any = "*", action: Any = "s3:*", **more: Any) -> Statement:
    return {"Effect": "Deny", "Principal": principal, "Action": action, "Resource": "*", **more}


def when(operator: str, key: str, *values: Any) -> dict[str, Any]:
    return {"Condition": {operator: {key: values[0] if len(values) == 1 else list(values)}}}


def document(*statements: Statement) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def let_in(*statements: Statement, actions: tuple[str, ...] = ("s3:GetObject",)) -> set[str]:
    """The audiences of a policy of a resource of ours."""
    found = exposures(
        parse(document(*statements)), account=OURS, trusted=(OURS, SISTER), organization=OUR_ORG, actions=actions
    )
    return {exposure.audience.value for exposure in found}


# --- the document ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encode", [str, quote, "\n {}".format])
def test_a_policy_is_read_as_text_and_as_an_object(encode: Any) -> None:
    said = document(allow(), deny(**when("Bool", "aws:SecureTransport", "false")))

    assert parse(encode(json.dumps(said))) == parse(said)


def test_a_policy_that_begins_with_a_blank_is_read_url_encoded_too() -> None:
    assert parse(quote(f"\n{json.dumps(document(allow()))}")) == parse(document(allow()))


def test_one_statement_needs_no_list() -> None:
    assert parse({"Statement": allow()}) == parse(document(allow()))


@pytest.mark.parametrize("element", ["Action", "Resource"])
def test_one_text_and_a_list_of_one_are_the_same(element: str) -> None:
    assert parse(document({**allow(), element: ["s3:GetObject"]})) == parse(
        document({**allow(), element: "s3:GetObject"})
    )


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not list"),
        ({}, "no Statement"),
        ({"Statement": ["Allow"]}, r"Statement\[0\] is not an object but str"),
        (document(allow(), {**allow(), "Effect": "allow"}), r"Statement\[1\] has no Effect"),
        (document({**allow(), "Action": []}), r"Statement\[0\] has not exactly one of Action"),
        (document({**allow(), "NotAction": "s3:*"}), r"Statement\[0\] has not exactly one of Action"),
        (document({**allow(), "Action": ["s3:*", 1]}), r"Statement\[0\]\.Action is neither"),
        (document({**allow(), "Resource": None}), r"Statement\[0\]\.Resource is neither"),
        (document(allow({"Company": "acme"})), r"Statement\[0\]\.Principal names no principals of a known kind"),
        (document(allow({"AWS": [1]})), r"Statement\[0\]\.Principal\.AWS is neither"),
        (document(allow([])), r"Statement\[0\]\.Principal names"),
        (document(allow(Condition="none")), r"Statement\[0\]\.Condition is not an object"),
        (document(allow(Condition={"Bool": 1})), r"Statement\[0\]\.Condition\.Bool is not an object"),
        (document(allow(**when("Bool", "aws:Viaservice", {}))), r"Condition\.Bool\.aws:Viaservice has a value"),
    ],
)
def test_what_is_no_policy_is_said_with_its_place(said: Any, place: str) -> None:
    with pytest.raises(PolicyUnreadable, match=place):
        parse(said)


@pytest.mark.parametrize(
    ("said", "principal"),
    [
        ("*", Principal("public", "*")),
        ({"AWS": "*"}, Principal("public", "*")),
        ({"AWS": "arn:aws:iam::*:root"}, Principal("public", "arn:aws:iam::*:root")),
        ({"AWS": THEIRS}, Principal("aws", THEIRS)),
        ({"Service": "sns.amazonaws.com"}, Principal("service", "sns.amazonaws.com")),
        ({"Federated": "www.amazon.com"}, Principal("federated", "www.amazon.com")),
        ({"CanonicalUser": "79a5"}, Principal("canonical", "79a5")),
    ],
)
def test_principals_are_of_a_kind(said: Any, principal: Principal) -> None:
    assert parse(document(allow(said))).statements[0].principals == (principal,)


@pytest.mark.parametrize(
    ("name", "account"),
    [
        (OURS, OURS),
        (f"arn:aws:iam::{OURS}:root", OURS),
        (f"arn:aws-cn:iam::{OURS}:role/reader", OURS),
        (f"arn:aws-us-gov:sts::{OURS}:assumed-role/reader/ada", OURS),
        ("arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1", None),
        ("AROA2EXAMPLE", None),
        ("1111222233334", None),
    ],
)
def test_a_principal_says_its_account_where_it_has_one(name: str, account: str | None) -> None:
    assert Principal("aws", name).account == account


def test_a_condition_has_its_values_as_texts() -> None:
    said = allow(Condition={"Bool": {"aws:MultiFactorAuthPresent": True}, "NumericLessThan": {"s3:TlsVersion": 1.2}})

    conditions = parse(document(said)).statements[0].conditions

    assert [each.values for each in conditions] == [("true",), ("1.2",)]


@pytest.mark.parametrize(
    ("operator", "values"),
    [
        ("StringEquals", ("a", "b")),
        ("stringlike", ("a", "b")),
        ("ForAnyValue:StringEquals", ("a", "b")),
        ("StringEqualsIfExists", ()),
        ("ForAllValues:StringEquals", ()),
        ("StringNotEquals", ()),
    ],
)
def test_a_key_must_be_what_an_operator_demands_of_it(operator: str, values: tuple[str, ...]) -> None:
    said = allow(**when(operator, "STS:ExternalId", "a", "b"))

    assert parse(document(said)).statements[0].values_of("sts:ExternalID") == values


def test_a_policy_that_makes_no_sense_is_no_verdict() -> None:
    bucket = Resource("AWS::S3::Bucket", "example", OURS, "eu-west-1", "arn:aws:s3:::example")
    read = frozenset({"Observed.Policy", "Observed.Other"})
    snapshot = Snapshot(bucket, datetime(2026, 1, 1, tzinfo=UTC), {"Observed": {"Policy": "{"}}, read)

    with pytest.raises(Unread, match="not JSON"):
        of(snapshot, "Observed.Policy")
    assert of(snapshot, "Observed.Other") is None


# --- patterns --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "action", "covered"),
    [
        ("s3:GetObject", "S3:getobject", True),
        ("*", "s3:GetObject", True),
        ("s3:*", "s3:GetObject", True),
        ("s3:Get*", "s3:GetObject", True),
        ("s3:Get*Acl", "s3:GetObject", False),
        ("s3:Get*Acl", "s3:GetObjectAcl", True),
        ("s3:GetObjec?", "s3:GetObject", True),
        ("s3:GetObject?", "s3:GetObject", False),
        ("s3:*", "s3:Get*", True),
        ("s3:Get*", "s3:*", False),
        ("s3:???", "s3:G*t", False),
        ("s3:GetObject", "s3:GetObjectAcl", False),
        ("ec2:*", "s3:GetObject", False),
        ("*" * 40 + "x", "s3:" + "y" * 2000, False),
    ],
)
def test_a_pattern_covers_an_action_or_all_that_another_pattern_covers(
    pattern: str, action: str, covered: bool
) -> None:
    assert matches(pattern, action) is covered


texts = st.text("ab*?", max_size=6)


@given(pattern=texts, text=st.text("ab", max_size=6))
def test_a_pattern_covers_what_a_shell_would_match(pattern: str, text: str) -> None:
    assert matches(pattern, text) is fnmatchcase(text, pattern)


@given(wider=texts, narrower=texts, text=st.text("ab", max_size=6))
def test_a_pattern_that_covers_another_covers_all_that_it_covers(wider: str, narrower: str, text: str) -> None:
    assert not (matches(wider, narrower) and matches(narrower, text)) or matches(wider, text)


@given(pattern=texts, other=texts, text=st.text("ab", max_size=6))
@example(pattern="a*", other="*b", text="ab")
@example(pattern="a?b", other="*", text="aab")
def test_all_but_a_pattern_never_covers_what_the_pattern_may_cover(pattern: str, other: str, text: str) -> None:
    (statement,) = parse({"Statement": {"Effect": "Allow", "NotAction": pattern or "x", "Resource": "*"}}).statements

    assert not (fnmatchcase(text, pattern or "x") and fnmatchcase(text, other)) or not covers(statement, other)


@pytest.mark.parametrize(
    ("element", "patterns", "resource", "covered"),
    [
        ("Resource", ["arn:aws:s3:::b/*"], "arn:aws:s3:::b/k", True),
        ("Resource", ["arn:aws:s3:::b/*"], "arn:aws:s3:::B/k", False),
        ("Resource", ["arn:aws:s3:::b/*"], "arn:aws:s3:::b/*", True),
        ("Resource", ["arn:aws:s3:::b/private/*"], "arn:aws:s3:::b/*", False),
        ("NotResource", ["arn:aws:s3:::b/private/*"], "arn:aws:s3:::b/*", False),
        ("NotResource", ["arn:aws:s3:::b/private/*"], "arn:aws:s3:::b/public/*", True),
    ],
)
def test_a_statement_covers_resources_to_the_letter(
    element: str, patterns: list[str], resource: str, covered: bool
) -> None:
    said = {"Effect": "Allow", "Action": "s3:*", element: patterns}

    assert covers_resource(parse({"Statement": said}).statements[0], resource) is covered


@pytest.mark.parametrize(
    ("statement", "is_denied"),
    [
        (deny(action="iam:*"), True),
        (deny(action="iam:PassRole"), False),
        (deny(action="iam:*", Resource="arn:aws:iam::*:role/x"), False),
        (deny(action="iam:*", **when("Bool", "aws:MultiFactorAuthPresent", "false")), False),
        ({"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}, True),
        (allow(action="iam:*"), False),
    ],
)
def test_denied_is_what_is_denied_whatever_the_circumstances(statement: Statement, is_denied: bool) -> None:
    assert denied(parse(document(allow(action="*"), statement)), "iam:CreateUser") is is_denied


# --- whom a resource's policy lets in --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("principal", "audiences"),
    [
        ("*", {"public"}),
        ({"AWS": "*"}, {"public"}),
        ({"AWS": ["arn:aws:iam::*:role/reader"]}, {"public"}),
        ({"AWS": OURS}, {"own-account"}),
        ({"AWS": f"arn:aws:iam::{OURS}:role/reader"}, {"own-account"}),
        ({"AWS": f"arn:aws:iam::{SISTER}:root"}, {"organization"}),
        ({"AWS": f"arn:aws:sts::{THEIRS}:assumed-role/r/s"}, {"outside-account"}),
        ({"AWS": [OURS, THEIRS]}, {"own-account", "outside-account"}),
        ({"AWS": "AROA2EXAMPLE"}, set()),
        ({"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}, {"service"}),
        ({"Service": "sns.amazonaws.com"}, {"service"}),
        ({"Federated": f"arn:aws:iam::{OURS}:saml-provider/idp"}, {"federated"}),
        ({"CanonicalUser": "79a5"}, {"outside-account"}),
        ({"AWS": OURS, "Service": "sns.amazonaws.com"}, {"own-account", "service"}),
    ],
)
def test_an_audience_is_who_is_named(principal: Any, audiences: set[str]) -> None:
    assert let_in(allow(principal)) == audiences


def test_everybody_but_one_is_everybody() -> None:
    said = {"Effect": "Allow", "NotPrincipal": {"AWS": THEIRS}, "Action": "s3:*", "Resource": "*"}

    assert let_in(said) == {"public"}


def test_an_identitys_policy_exposes_nothing() -> None:
    assert exposures(parse({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}), account=OURS) == ()


@pytest.mark.parametrize(
    ("element", "actions", "seen"),
    [
        ("Action", "s3:Put*", False),
        ("Action", "S3:GETOBJECT", True),
        ("NotAction", "s3:Put*", True),
        ("NotAction", ["s3:Put*", "s3:Get*"], False),
    ],
)
def test_only_what_is_asked_about_is_seen(element: str, actions: Any, seen: bool) -> None:
    said = {"Effect": "Allow", "Principal": "*", element: actions, "Resource": "*"}

    assert bool(let_in(said)) is seen


def test_an_exposure_says_who_may_do_what_and_what_ties_it() -> None:
    said = allow(
        {"AWS": [THEIRS, f"arn:aws:iam::{THEIRS}:role/r"]},
        ["s3:Get*", "s3:PutObject"],
        **when("StringEquals", "aws:SourceVpce", "vpce-1"),
    )

    (exposure,) = exposures(parse(document(said)), account=OURS)

    assert exposure.who == (THEIRS, f"arn:aws:iam::{THEIRS}:role/r")
    assert exposure.actions == exposure.statement.actions == ("s3:Get*", "s3:PutObject")
    assert exposure.narrowed_by == ("aws:SourceVpce",)


def test_while_our_organization_is_not_known_any_that_is_named_is_taken_to_be_ours() -> None:
    said = allow(**when("StringEquals", "aws:PrincipalOrgID", THEIR_ORG))

    (exposure,) = exposures(parse(document(said)), account=OURS)

    assert exposure.audience is Audience.ORGANIZATION


OUR_ROLE = f"arn:aws:iam::{OURS}:role/reader"


@pytest.mark.parametrize(
    ("condition", "audience"),
    [
        (("StringEquals", "aws:PrincipalOrgID", OUR_ORG), "organization"),
        (("stringequals", "AWS:principalorgid", OUR_ORG), "organization"),
        (("StringEquals", "aws:PrincipalOrgID", THEIR_ORG), "outside-account"),
        (("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", f"{OUR_ORG}/r-1/ou-1/*"), "organization"),
        (("StringEquals", "aws:SourceOrgID", OUR_ORG), "organization"),
        (("StringEquals", "aws:PrincipalAccount", OURS), "own-account"),
        (("StringEquals", "aws:PrincipalAccount", THEIRS), "outside-account"),
        (("StringEquals", "aws:SourceAccount", int(OURS)), "own-account"),
        (("StringEqualsIgnoreCase", "kms:CallerAccount", OURS), "own-account"),
        (("ArnEquals", "aws:SourceArn", f"arn:aws:sns:eu-west-1:{OURS}:orders"), "own-account"),
        (("ArnLike", "aws:SourceArn", f"arn:aws-cn:sns:*:{OURS}:*"), "own-account"),
        (("ArnLike", "aws:SourceArn", "arn:aws:s3:::uploads"), "confined"),
        (("StringLike", "aws:SourceArn", f"arn:aws:sns:*:{SISTER}:*"), "organization"),
        (("StringEquals", "aws:PrincipalArn", OUR_ROLE), "own-account"),
        (("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{OURS}:role/*"), "own-account"),
        (("StringLike", "aws:PrincipalArn", f"arn:aws:iam::{OURS}:role/*"), "own-account"),
        (("ArnLike", "aws:PrincipalArn", f"arn:aws:*::{OURS}:role/*"), "own-account"),
        (("StringEquals", "aws:SourceVpce", "vpce-1"), "confined"),
        (("StringEquals", "aws:SourceVpc", "vpc-1"), "confined"),
        (("StringLike", "aws:userid", "AROA2EXAMPLE:*"), "confined"),
        (("IpAddress", "aws:SourceIp", "203.0.113.0/24"), "confined"),
        (("IpAddress", "aws:SourceIp", "203.0.113.7"), "confined"),
        (("IpAddress", "aws:SourceIp", "10.0.0.0/8"), "confined"),
        (("IpAddress", "aws:SourceIp", "2001:db8::/32"), "confined"),
        (("Bool", "aws:PrincipalIsAWSService", True), "service"),
        (("StringEquals", "aws:PrincipalServiceName", "sns.amazonaws.com"), "service"),
    ],
)
def test_a_fixed_value_narrows_a_public_grant(condition: tuple[str, str, Any], audience: str) -> None:
    assert let_in(allow(**when(*condition))) == {audience}


@pytest.mark.parametrize(
    "condition",
    [
        ("Bool", "aws:SecureTransport", "true"),
        ("StringEquals", "aws:Referer", "https://shop.example/"),
        ("StringLike", "aws:UserAgent", "backup/*"),
        ("StringEquals", "aws:PrincipalTag/team", "payments"),
        ("StringEquals", "aws:username", "ada"),
        ("StringEquals", "aws:RequestedRegion", "eu-west-1"),
        ("StringEquals", "aws:ResourceAccount", OURS),
        ("StringEquals", "sts:ExternalId", "secret"),
        ("StringEquals", "kms:ViaService", "s3.eu-west-1.amazonaws.com"),
        ("StringLike", "aws:PrincipalOrgID", "*"),
        ("StringLike", "aws:PrincipalOrgID", "o-*"),
        ("StringLike", "aws:PrincipalAccount", "1111*"),
        ("StringEquals", "aws:PrincipalAccount", "${aws:PrincipalAccount}"),
        ("StringLike", "aws:userid", "*:ada"),
        ("StringLike", "aws:SourceVpce", "vpce-*"),
        ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:*:orders"),
        ("ArnLike", "aws:SourceArn", "arn:aws:s3:::*"),
        ("StringLike", "aws:SourceArn", "*"),
        ("StringLike", "aws:PrincipalArn", f"arn:aws:*::{OURS}:role/*"),
        ("IpAddress", "aws:SourceIp", "0.0.0.0/0"),
        ("IpAddress", "aws:SourceIp", "8.0.0.0/7"),
        ("IpAddress", "aws:SourceIp", "::/0"),
        ("IpAddress", "aws:SourceIp", "2001::/31"),
        ("IpAddress", "aws:SourceIp", "203.0.113.0/24", "0.0.0.0/0"),
        ("IpAddress", "aws:SourceIp", *(f"{first}.0.0.0/8" for first in range(0, 256, 2))),
        ("IpAddress", "aws:SourceIp", "office"),
        ("IpAddress", "aws:VpcSourceIp", "10.0.0.0/8"),
        ("StringEquals", "aws:SourceIp", "203.0.113.7"),
        ("StringEquals", "aws:PrincipalOrgID", OUR_ORG, "o-*"),
        ("StringEqualsIfExists", "aws:PrincipalOrgID", OUR_ORG),
        ("ForAllValues:StringEquals", "aws:PrincipalOrgID", OUR_ORG),
        ("StringNotEquals", "aws:PrincipalOrgID", THEIR_ORG),
        ("NotIpAddress", "aws:SourceIp", "203.0.113.0/24"),
        ("Null", "aws:PrincipalOrgID", "false"),
        ("Bool", "aws:PrincipalIsAWSService", "false"),
        ("NumericLessThan", "s3:TlsVersion", "1.2"),
    ],
)
def test_what_anybody_can_meet_narrows_nothing(condition: tuple[str, str, Any]) -> None:
    assert let_in(allow(**when(*condition))) == {"public"}


def test_a_condition_without_values_narrows_nothing() -> None:
    assert let_in(allow(Condition={"StringEquals": {"aws:SourceAccount": []}})) == {"public"}


@pytest.mark.parametrize("operator", ["StringEqualsIfExists", "ForAllValues:StringEquals"])
def test_a_key_that_must_be_there_closes_the_gap_of_an_operator(operator: str) -> None:
    both = {operator: {"aws:PrincipalOrgID": OUR_ORG}, "Null": {"aws:principalorgid": "false"}}

    assert let_in(allow(Condition=both)) == {"organization"}


def test_the_tightest_of_several_conditions_counts() -> None:
    both = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}, "StringEquals": {"aws:PrincipalAccount": OURS}}

    assert let_in(allow(Condition=both)) == {"own-account"}


def test_each_of_several_values_counts() -> None:
    assert let_in(allow(**when("StringEquals", "aws:PrincipalAccount", OURS, SISTER, THEIRS))) == {
        "own-account",
        "organization",
        "outside-account",
    }


def test_an_account_outside_is_not_ours_by_a_network() -> None:
    assert let_in(allow({"AWS": THEIRS}, **when("IpAddress", "aws:SourceIp", "203.0.113.0/24"))) == {"outside-account"}


def test_a_service_stays_a_service_whomever_it_acts_for() -> None:
    said = allow({"Service": "sns.amazonaws.com"}, **when("StringEquals", "aws:SourceAccount", OURS))

    (exposure,) = exposures(parse(document(said)), account=OURS)

    assert (exposure.audience, exposure.narrowed_by) == (Audience.SERVICE, ("aws:SourceAccount",))


# --- Deny ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("denying", "audiences"),
    [
        (deny(), set()),
        (deny(EVERYBODY), set()),
        (deny(action="s3:Get*"), set()),
        (deny(action="s3:Put*"), {"public"}),
        (deny({"AWS": THEIRS}), {"public"}),
        (deny(Resource="arn:aws:s3:::b/private/*"), {"public"}),
        (deny(**when("StringNotEquals", "aws:PrincipalOrgID", OUR_ORG)), {"organization"}),
        (deny(**when("StringNotEqualsIfExists", "aws:PrincipalOrgID", OUR_ORG)), {"organization"}),
        (deny(**when("StringNotEquals", "aws:PrincipalAccount", OURS, THEIRS)), {"own-account", "outside-account"}),
        (deny(**when("ArnNotLike", "aws:PrincipalArn", f"arn:aws:iam::{OURS}:role/*")), {"own-account"}),
        (deny(**when("StringNotLike", "aws:PrincipalArn", f"arn:aws:*::{OURS}:role/*")), {"public"}),
        (deny(**when("NotIpAddress", "aws:SourceIp", "203.0.113.0/24")), {"confined"}),
        (deny(**when("NotIpAddress", "aws:SourceIp", "0.0.0.0/0")), {"public"}),
        (deny(**when("StringNotEquals", "aws:SourceVpce", "vpce-1")), {"confined"}),
        (deny(**when("Bool", "aws:SecureTransport", "false")), {"public"}),
        (deny(**when("BoolIfExists", "aws:PrincipalIsAWSService", "false")), {"service"}),
        (deny(**when("Bool", "aws:PrincipalIsAWSService", "false")), {"public"}),
        (deny(**when("ForAnyValue:StringNotLike", "aws:PrincipalOrgPaths", f"{OUR_ORG}/*")), {"public"}),
        (deny(**when("StringEquals", "aws:PrincipalOrgID", THEIR_ORG)), {"public"}),
        (deny(**when("Null", "aws:PrincipalOrgID", "true")), {"public"}),
        (
            deny(
                Condition={
                    "StringNotEquals": {"aws:PrincipalOrgID": OUR_ORG},
                    "NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"},
                }
            ),
            {"organization", "confined"},
        ),
        (
            deny(
                Condition={
                    "StringNotEquals": {"aws:PrincipalOrgID": OUR_ORG},
                    "Bool": {"aws:SecureTransport": "false"},
                }
            ),
            {"public"},
        ),
        ({**deny(), "NotPrincipal": {"AWS": [OURS, OUR_ROLE]}, "Principal": {}}, {"own-account"}),
        ({**deny(), "NotPrincipal": {"AWS": THEIRS}, "Principal": {}}, {"outside-account"}),
    ],
)
def test_a_deny_leaves_of_the_public_whom_it_spares(denying: Statement, audiences: set[str]) -> None:
    assert let_in(allow(), denying) == audiences


@pytest.mark.parametrize(
    ("principal", "denying", "audiences"),
    [
        ({"AWS": THEIRS}, deny({"AWS": THEIRS}), set()),
        ({"AWS": f"arn:aws:iam::{THEIRS}:role/r"}, deny({"AWS": f"arn:aws:iam::{THEIRS}:root"}), set()),
        ({"AWS": f"arn:aws:iam::{THEIRS}:role/r"}, deny({"AWS": f"arn:aws:iam::{THEIRS}:role/s"}), {"outside-account"}),
        ({"AWS": THEIRS}, deny({"AWS": f"arn:aws:iam::{THEIRS}:role/r"}), {"outside-account"}),
        ({"AWS": THEIRS}, deny(**when("StringNotEquals", "aws:PrincipalOrgID", OUR_ORG)), {"organization"}),
        ({"Service": "sns.amazonaws.com"}, deny(), set()),
        ({"Service": "sns.amazonaws.com"}, deny(**when("StringNotEquals", "aws:SourceAccount", OURS)), {"service"}),
        ({"AWS": THEIRS}, {**deny(), "NotPrincipal": {"AWS": OURS}, "Principal": {}}, set()),
        ({"AWS": OURS}, {**deny(), "NotPrincipal": {"AWS": OUR_ROLE}, "Principal": {}}, {"own-account"}),
    ],
)
def test_a_deny_takes_away_whom_it_names(principal: Any, denying: Statement, audiences: set[str]) -> None:
    assert let_in(allow(principal), denying) == audiences


def test_a_deny_that_picks_an_action_out_of_a_wildcard_is_seen_when_that_is_asked_about() -> None:
    policy = (allow(action="s3:*"), deny(action="s3:GetObject"))

    assert let_in(*policy) == set()
    assert let_in(*policy, actions=("s3:PutObject",)) == {"public"}
    assert let_in(*policy, actions=()) == {"public"}


# --- whatever the policy ---------------------------------------------------------------------------------------------

PRINCIPALS: list[Any] = [
    "*",
    EVERYBODY,
    {"AWS": OURS},
    {"AWS": THEIRS},
    {"AWS": f"arn:aws:iam::{THEIRS}:role/eve"},
    {"AWS": [OURS, f"arn:aws:iam::{THEIRS}:root"]},
    {"Service": "sns.amazonaws.com"},
]
VALUES = {
    "aws:PrincipalAccount": [OURS, SISTER, THEIRS, "*"],
    "aws:PrincipalOrgID": [OUR_ORG, THEIR_ORG, "o-*"],
    "aws:PrincipalArn": [
        OUR_ROLE,
        f"arn:aws:iam::{THEIRS}:role/*",
        f"arn:aws:*::{OURS}:role/*",
        "arn:aws:iam::*:role/eve",
    ],
    "aws:SourceAccount": [OURS, THEIRS],
    "aws:SourceVpce": ["vpce-1", "vpce-*"],
    "aws:UserAgent": ["curl", "*"],
    "aws:PrincipalIsAWSService": ["true", "false"],
    "aws:SecureTransport": ["true", "false"],
    "aws:SourceIp": ["203.0.113.0/24", "198.0.0.0/7", "0.0.0.0/0", "128.0.0.0/1", "::/0"],
}
TEXTUAL = ["StringEquals", "StringLike", "StringNotEquals", "StringNotLike", "StringEqualsIgnoreCase"]
OPERATORS = {
    "aws:PrincipalArn": [*TEXTUAL, "ArnLike", "ArnNotLike", "ArnEquals"],
    "aws:PrincipalIsAWSService": ["Bool"],
    "aws:SecureTransport": ["Bool"],
    "aws:SourceIp": ["IpAddress", "NotIpAddress"],
}


Condition = tuple[str, str, tuple[str, ...]]


def every_condition() -> Iterator[Condition]:
    """Each operator in each of its forms on each key, with one value and with two."""
    for key, known in VALUES.items():
        yield from (("Null", key, (value,)) for value in ("true", "false"))
        chosen = [*((value,) for value in known), *combinations(known, 2)]
        for quantifier, operator, suffix, values in product(
            ("", "ForAllValues:", "ForAnyValue:"), OPERATORS.get(key, TEXTUAL), ("", "IfExists"), chosen
        ):
            yield f"{quantifier}{operator}{suffix}", key, values


CONDITIONS = list(every_condition())


def under(said: Statement, *conditions: Condition) -> Statement:
    """A statement with conditions; one of the same operator and key takes the other's place."""
    block: dict[str, dict[str, Any]] = {operator: {**keys} for operator, keys in said.get("Condition", {}).items()}
    for operator, key, values in conditions:
        block.setdefault(operator, {})[key] = list(values)
    return {**said, "Condition": block}


statements = st.builds(
    lambda effect, principal, action, resource, conditions: under(
        {"Effect": effect, principal[0]: principal[1], **action, "Resource": resource}, *conditions
    ),
    st.sampled_from(["Allow", "Deny"]),
    st.sampled_from([*(("Principal", who) for who in (*PRINCIPALS, "*", "*")), ("NotPrincipal", {"AWS": OURS})]),
    st.sampled_from([{"Action": "s3:*"}, {"Action": "s3:GetObject"}, {"Action": "s3:Put*"}, {"NotAction": "s3:Put*"}]),
    st.sampled_from(["*", "*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/k"]),
    st.lists(st.sampled_from(CONDITIONS), max_size=2),
)
policies = st.lists(statements, min_size=1, max_size=4)


def reach(said: list[Statement], index: int) -> int:
    """How wide the statement at a place lets somebody in; -1 for nobody."""
    found = exposures(
        parse(document(*said)), account=OURS, trusted=(OURS, SISTER), organization=OUR_ORG, actions=("s3:GetObject",)
    )
    return max((list(Audience).index(each.audience) for each in found if each.statement.index == index), default=-1)


@given(said=policies)
def test_text_and_object_say_the_same(said: list[Statement]) -> None:
    assert parse(json.dumps(document(*said))) == parse(document(*said))


@given(said=policies, more=statements)
def test_one_more_deny_never_lets_anybody_in(said: list[Statement], more: Statement) -> None:
    for index in range(len(said)):
        assert reach([*said, {**more, "Effect": "Deny"}], index) <= reach(said, index)


@given(said=policies, condition=st.sampled_from(CONDITIONS))
def test_one_more_condition_never_widens_a_grant(said: list[Statement], condition: Condition) -> None:
    first = {**said[0], "Effect": "Allow"}
    operator, key, _ = condition
    if key not in first["Condition"].get(operator, {}):
        assert reach([under(first, condition), *said[1:]], 0) <= reach([first, *said[1:]], 0)


@given(said=policies, data=st.data())
def test_the_order_of_statements_does_not_matter(said: list[Statement], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(said))))
    shuffled = [said[index] for index in order]

    assert [reach(said, index) for index in order] == [reach(shuffled, place) for place in range(len(said))]


# What a request carries, by the condition key in lower case, and who makes it.
Request = Mapping[str, str]
NAMELESS: Request = {"aws:sourceip": "198.18.0.1", "aws:useragent": "curl", "aws:securetransport": "true"}
STRANGER: Request = {
    **NAMELESS,
    "aws:principalaccount": THEIRS,
    "aws:principalarn": f"arn:aws:iam::{THEIRS}:role/eve",
    "aws:principalorgid": THEIR_ORG,
    "aws:principalisawsservice": "false",
}
# A role whose path looks like the end of another ARN.
IMPOSTOR: Request = {**STRANGER, "aws:principalarn": f"arn:aws:iam::{THEIRS}:role/::{OURS}:role/eve"}
COLLEAGUE: Request = {
    **STRANGER,
    "aws:principalaccount": OURS,
    "aws:principalarn": OUR_ROLE,
    "aws:principalorgid": OUR_ORG,
}


def iam_allows(said: list[Statement], request: Request) -> bool:
    """IAM's evaluation of a request for s3:GetObject on one object, without shortcuts."""
    applying = [each["Effect"] for each in said if applies(each, request)]
    return "Allow" in applying and "Deny" not in applying


def applies(said: Statement, request: Request) -> bool:
    named = said.get("Principal", said.get("NotPrincipal"))
    action, resource = "s3:GetObject", "arn:aws:s3:::b/k"
    pattern = said["Action"] if "Action" in said else said["NotAction"]
    return (
        is_named(named, request) is ("Principal" in said)
        and fnmatchcase(action, pattern) is ("Action" in said)
        and fnmatchcase(resource, said["Resource"])
        and all(
            is_met(operator, values, request.get(key.lower()))
            for operator, keys in said.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def is_named(named: Any, request: Request) -> bool:
    listed = {"AWS": named} if isinstance(named, str) else named
    names = listed.get("AWS", ())
    account = request.get("aws:principalaccount")
    known = {"*", account, f"arn:aws:iam::{account}:root", request.get("aws:principalarn")}
    return not known.isdisjoint([names] if isinstance(names, str) else names)


def is_met(operator: str, values: list[str], actual: str | None) -> bool:
    if operator == "Null":
        return (values == ["true"]) is (actual is None)
    quantifier, _, bare = operator.rpartition(":")
    plain = bare.removesuffix("IfExists")
    negated = "Not" in plain
    if actual is None:
        return quantifier == "ForAllValues" or bare != plain or (negated and quantifier != "ForAnyValue")
    return any(is_value(plain, value, actual) for value in values) is not negated


def is_value(operator: str, value: str, actual: str) -> bool:
    if "IpAddress" in operator:
        network, address = ip_network(value), ip_address(actual)
        return network.version == address.version and address in network
    if operator.startswith("Arn"):
        parts, others = actual.split(":", 5), value.split(":", 5)
        return all(fnmatchcase(part, other) for part, other in zip(parts, others, strict=True))
    return fnmatchcase(actual, value) if operator.endswith("Like") else actual == value


def overlooked(said: list[Statement]) -> list[str]:
    """Whom IAM would let in although the analysis has no audience that they are among."""
    audiences = let_in(*said)
    outside = {"public", "confined", "outside-account"}
    among = {
        "the nameless": (NAMELESS, {"public"}),
        "strangers": (STRANGER, outside),
        "impostors": (IMPOSTOR, outside),
        "colleagues": (COLLEAGUE, {"own-account", "organization", *outside}),
    }
    return [name for name, (request, wide) in among.items() if iam_allows(said, request) and not audiences & wide]


def test_whom_any_single_condition_lets_in_is_not_overlooked() -> None:
    there = ("Null", "aws:PrincipalOrgID", ("false",))
    wrong = {
        condition: names
        for condition in CONDITIONS
        for said in (
            [under(allow(), condition)],
            [allow(), under(deny(), condition)],
            [under(allow(), there, condition)],
        )
        if (names := overlooked(said))
    }

    assert wrong == {}


@settings(max_examples=300)
@given(said=policies)
def test_whom_any_policy_lets_in_is_not_overlooked(said: list[Statement]) -> None:
    assert overlooked(said) == []


@given(said=policies)
def test_a_policy_has_only_statements_that_stand_in_it(said: list[Statement]) -> None:
    policy: Policy = parse(document(*said))

    for exposure in exposures(policy, account=OURS):
        assert said[exposure.statement.index]["Effect"] == "Allow"
        assert exposure.actions
        assert exposure.who
