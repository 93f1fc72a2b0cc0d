"""Who is behind a change and what it was made with, each no surer than the record allows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demarc.core.actor import identify
from demarc.core.model import Actor, Confidence, Via

ACCOUNT = "111122223333"
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"


def session(role: str, name: str, path: str = "/", **context: Any) -> dict[str, Any]:
    """The identity of a role session."""
    issuer = {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role{path}{role}", "userName": role}
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE:{name}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}",
        "accountId": ACCOUNT,
        "sessionContext": {"sessionIssuer": issuer, **context},
    }


def user(name: str, **more: Any) -> dict[str, Any]:
    arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    return {"type": "IAMUser", "arn": arn, "accountId": ACCOUNT, "userName": name, **more}


def federated(host: str, subject: str) -> dict[str, Any]:
    """What a session of a role has when an OpenID Connect provider vouched for it."""
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}"
    return {"webIdFederationData": {"federatedProvider": provider, "attributes": {f"{host}:sub": subject}}}


def actor_of(identity: Any, **record: Any) -> Actor:
    return identify({"userIdentity": identity, **record})[0]


def via_of(**record: Any) -> tuple[Via, Confidence]:
    return identify(record)[1:]


SSO = "/aws-reserved/sso.amazonaws.com/eu-west-1/"
REPOSITORY = "repo:harbour/infrastructure:ref:refs/heads/main"
PROJECT = "project_path:harbour/infrastructure:ref_type:branch:ref:main"
GITHUB, GITLAB = "token.actions.githubusercontent.com", "gitlab.harbour.example"
CLUSTER = "oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D"
LINKED = "/aws-service-role/autoscaling.amazonaws.com/"
CENTER = {"type": "IdentityCenterUser", "accountId": ACCOUNT, "onBehalfOf": {"userId": "9067-2f"}}
WEB = {"type": "WebIdentityUser", "userName": REPOSITORY, "identityProvider": GITHUB}
FEDERATED = {"type": "FederatedUser", "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/mara"}


@pytest.mark.parametrize(
    ("identity", "kind", "name", "confidence"),
    [
        ({"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root"}, "root", "root", "high"),
        ({"type": "Root", "sessionContext": {"sourceIdentity": "mara"}}, "root", "mara", "high"),
        (user("mara"), "human", "mara", "medium"),
        (user("mara", sessionContext={"attributes": {"mfaAuthenticated": "true"}}), "human", "mara", "high"),
        (user("mara", invokedBy="signin.amazonaws.com"), "human", "mara", "high"),
        (user("jenkins-prod"), "pipeline", "jenkins-prod", "low"),
        (session("AWSReservedSSO_Admin_0f1e", "mara@example.org", SSO), "human", "mara@example.org", "high"),
        (session("AWSReservedSSO_Admin_0f1e", "mara"), "human", "mara", "high"),
        (session("Admin", "x", sourceIdentity="mara"), "human", "mara", "high"),
        (session("Admin", "x", sourceIdentity="gitlab-runner"), "pipeline", "gitlab-runner", "medium"),
        (session("Admin", "x") | {"onBehalfOf": {"userId": "9067-2f"}}, "human", "9067-2f", "high"),
        (session("Admin", "mara@example.org"), "human", "mara@example.org", "medium"),
        (session("Admin", "some-session"), "role-session", "some-session", "medium"),
        (session("releases", "run", **federated(GITHUB, REPOSITORY)), "pipeline", REPOSITORY, "high"),
        (session("releases", "run", **federated(GITLAB, PROJECT)), "pipeline", PROJECT, "high"),
        (session("pod", "x", **federated(CLUSTER, "system:serviceaccount:web:api")), "role-session", ..., "medium"),
        (session("app", "x", **federated("accounts.google.com", "mara@example.org")), "human", ..., "medium"),
        (session("builds", "AWSCodeBuild-0f1e2d3c"), "pipeline", "builds", "medium"),
        (session("releases", "GitHubActions"), "pipeline", "releases", "medium"),
        (session("deploy-production", "run-17"), "pipeline", "deploy-production", "low"),
        (session("web", "i-0a1b2c3d4e5f60718", ec2RoleDelivery="2.0"), "role-session", "web", "medium"),
        (session("cdk-hnb659fds-deploy-role", "aws-cdk-mara"), "role-session", "mara", "low"),
        (session("AWSServiceRoleForAutoScaling", "x", LINKED), "aws-service", "autoscaling.amazonaws.com", "high"),
        ({"type": "AWSService", "invokedBy": "backup.amazonaws.com"}, "aws-service", "backup.amazonaws.com", "high"),
        ({"accountId": ACCOUNT, "invokedBy": "s3.amazonaws.com"}, "aws-service", "s3.amazonaws.com", "high"),
        ({"type": "SAMLUser", "userName": "mara@example.org"}, "human", "mara@example.org", "high"),
        (WEB, "pipeline", REPOSITORY, "high"),
        (FEDERATED, "human", "mara", "medium"),
        ({"type": "Directory", "userName": "mara"}, "human", "mara", "medium"),
        (CENTER, "human", "9067-2f", "high"),
        ({"type": "AWSAccount", "accountId": "444455556666"}, "unknown", "444455556666", "low"),
        ({"type": "Unknown"}, "unknown", "unknown", "low"),
        ({"arn": f"arn:aws:iam::{ACCOUNT}:user/team/mara"}, "human", "mara", "medium"),
        (user(HIDDEN), "human", "unknown", "medium"),
        (None, "unknown", "unknown", "low"),
        ("mara", "unknown", "unknown", "low"),
    ],
)
def test_the_person_or_thing_behind_an_identity(identity: Any, kind: str, name: Any, confidence: str) -> None:
    actor = actor_of(identity)

    assert (actor.kind, actor.confidence) == (kind, confidence)
    assert name in (actor.name, ...)
    assert actor.because


def test_a_session_keeps_its_role_for_the_matrix_to_match() -> None:
    assert actor_of(session("deployer", "run", "/ci/")).role == f"arn:aws:iam::{ACCOUNT}:role/ci/deployer"


def test_the_role_is_told_by_the_session_where_the_issuer_is_missing() -> None:
    identity = session("deployer", "run") | {"sessionContext": None}

    assert actor_of(identity).role == f"arn:aws:iam::{ACCOUNT}:role/deployer"


def test_a_role_in_the_console_is_used_by_somebody() -> None:
    actor = actor_of(session("Admin", "mara"), sessionCredentialFromConsole="true")

    assert (actor.kind, actor.name, actor.confidence) == ("human", "mara", "medium")


def test_a_user_at_the_console_is_a_person() -> None:
    assert actor_of(user("mara"), sessionCredentialFromConsole="true").confidence is Confidence.HIGH


def test_a_function_is_its_role() -> None:
    agent = "Boto3/1.40.1 exec-env/AWS_Lambda_python3.13 Botocore/1.40.1"

    assert actor_of(session("thumbnails", "resize"), userAgent=agent).name == "thumbnails"


def test_a_person_behind_cloudformation_stays_that_person() -> None:
    identity = session("AWSReservedSSO_Admin_0f1e", "mara@example.org", SSO)
    actor, via, confidence = identify({"userIdentity": identity | {"invokedBy": "cloudformation.amazonaws.com"}})

    assert (actor.kind, actor.name) == ("human", "mara@example.org")
    assert (via, confidence) == (Via.CLOUDFORMATION, Confidence.HIGH)


def test_a_service_with_roots_authority_is_less_surely_root() -> None:
    actor = actor_of({"type": "Root", "invokedBy": "autoscaling.amazonaws.com"})

    assert (actor.kind, actor.confidence) == ("root", "medium")


def test_the_user_of_identity_center_is_named_where_the_sign_in_names_them() -> None:
    assert actor_of(CENTER, additionalEventData={"UserName": "mara@example.org"}).name == "mara@example.org"


def test_a_service_event_without_an_identity_is_the_services() -> None:
    actor = identify({"eventType": "AwsServiceEvent", "eventSource": "kms.amazonaws.com"})[0]

    assert (actor.kind, actor.name) == ("aws-service", "kms.amazonaws.com")


@pytest.mark.parametrize(
    ("agent", "via"),
    [
        ("aws-cli/2.22.4 md/awscrt#0.23.4 ua/2.0", "cli"),
        ("[aws-cli/2.22.4 md/awscrt#0.23.4]", "cli"),
        ("AWSPowerShell/4.1.700 .NET_Core/8", "cli"),
        ("Boto3/1.40.1 Python/3.13 Botocore/1.40.1", "sdk"),
        ("aws-sdk-go-v2/1.36.3 ua/2.1 os/linux lang/go#1.24", "sdk"),
        (
            "APN/1.0 HashiCorp/1.0 Terraform/1.13.0 terraform-provider-aws/6.0 aws-sdk-go-v2/1.36",
            "terraform",
        ),
        ("APN/1.0 OpenTofu/1.9 aws-sdk-go-v2/1.36", "terraform"),
        ("APN/1.0 Pulumi/1.0 aws-sdk-go-v2/1.36", "other-iac"),
        ("crossplane-provider-aws/v1.2 aws-sdk-go-v2/1.36", "other-iac"),
        ("APN/1.0 Ansible/2.18 Boto3/1.40", "other-iac"),
        ("aws-cdk-cli/2.1000 aws-sdk-js/3.7", "cloudformation"),
        ("console.ec2.amazonaws.com", "console"),
        ("signin.amazonaws.com", "console"),
        ("[S3Console/0.4, aws-internal/3 aws-sdk-java/1.11]", "console"),
        ("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0", "console"),
        ("AWS Internal", "aws-service"),
        ("aws-internal/3 aws-sdk-java/1.12", "aws-service"),
        ("autoscaling.amazonaws.com", "aws-service"),
    ],
)
def test_a_user_agent_is_a_hint_and_no_more(agent: str, via: str) -> None:
    assert via_of(userAgent=agent, sourceIPAddress="203.0.113.40") == (via, Confidence.MEDIUM)


@pytest.mark.parametrize(
    ("record", "via", "confidence"),
    [
        ({"sourceIPAddress": "cloudformation.amazonaws.com"}, "cloudformation", "high"),
        ({"userIdentity": {"invokedBy": "cloudformation.amazonaws.com"}}, "cloudformation", "high"),
        ({"userIdentity": session("any", "AWSCloudFormation")}, "cloudformation", "low"),
        ({"userIdentity": session("any", "aws-cdk-mara")}, "cloudformation", "low"),
        ({"sourceIPAddress": "backup.amazonaws.com"}, "aws-service", "high"),
        ({"sourceIPAddress": "config.amazonaws.com.cn"}, "aws-service", "high"),
        ({"userIdentity": {"type": "AWSService"}}, "aws-service", "high"),
        ({"userIdentity": user("mara", invokedBy="signin.amazonaws.com")}, "console", "high"),
        ({"eventSource": "signin.amazonaws.com", "userAgent": "Mozilla/5.0"}, "console", "high"),
        ({"eventType": "AwsConsoleAction"}, "console", "high"),
        ({"sessionCredentialFromConsole": "true", "userAgent": "AWS Internal"}, "console", "high"),
        (
            {"sessionCredentialFromConsole": "true", "tlsDetails": {"x": 1}, "userAgent": "Mozilla/5.0"},
            "console",
            "high",
        ),
        (
            {"sessionCredentialFromConsole": "true", "tlsDetails": {"x": 1}, "userAgent": "aws-cli/2.22"},
            "cli",
            "medium",
        ),
        ({"sessionCredentialFromConsole": "true", "tlsDetails": {"x": 1}, "userAgent": "own tool"}, "console", "low"),
        ({"userAgent": "own tool"}, "unknown", "low"),
        ({"userAgent": "[]"}, "unknown", "low"),
        ({"userAgent": None}, "unknown", "low"),
        ({}, "unknown", "low"),
    ],
)
def test_what_aws_writes_itself_decides_how(record: dict[str, Any], via: str, confidence: str) -> None:
    assert via_of(**record) == (via, confidence)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("type", "arn", "principalId", "userName", "invokedBy", "sessionContext", "onBehalfOf", "sessionIssuer")
IDENTITY = st.dictionaries(st.sampled_from(FIELDS), ANY_JSON | st.dictionaries(st.sampled_from(FIELDS), ANY_JSON))


@settings(deadline=None)
@given(IDENTITY | ANY_JSON, ANY_JSON)
def test_every_identity_has_a_kind_a_name_and_a_reason(identity: Any, agent: Any) -> None:
    actor = actor_of(identity, userAgent=agent, sourceIPAddress=agent)

    assert actor.kind
    assert actor.name
    assert actor.because


@settings(deadline=None)
@given(st.sampled_from(["AssumedRole", "IAMUser", "Root", "WebIdentityUser", "FederatedUser"]), st.text(), st.text())
def test_strangers_text_never_breaks_it(kind: str, arn: str, name: str) -> None:
    identity = {"type": kind, "arn": f"arn:aws:sts::{arn}:assumed-role/{name}", "userName": name, "principalId": name}

    assert actor_of(identity).name
