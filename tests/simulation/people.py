"""Who changes things at the example organization, as CloudTrail would name them."""

from __future__ import annotations

from typing import Any

from tests.simulation.trail import Identity

CONSOLE = "AWS Internal"
CLI = "aws-cli/2.31.4 md/awscrt#0.27.6 ua/2.1 os/macos#24.6.0 md/arch#arm64 lang/python#3.13.7 cfg/retry-mode#standard"
SDK = "Boto3/1.40.43 md/Botocore#1.40.43 ua/2.1 os/linux#6.12.40 md/arch#x86_64 lang/python#3.13.7"
TERRAFORM = (
    "APN/1.0 HashiCorp/1.0 Terraform/1.13.3 (+https://www.terraform.io) terraform-provider-aws/6.14.1"
    " (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.39.2"
)
_TLS = {"tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"}}
# Only the console's own calls go without: they never leave AWS's network.
_BROWSER = {"sessionCredentialFromConsole": "true"}


def employee(email: str, *, account: str, console: bool = False) -> Identity:
    """Somebody who came through IAM Identity Center, in a browser or with the command line."""
    user = _session(account, "AWSReservedSSO_Developer_0123456789abcdef", email, "aws-reserved/sso.amazonaws.com/")
    return Identity(user, agent=CONSOLE if console else CLI, beside=_BROWSER if console else _TLS)


def pipeline(role: str, run: str, *, account: str) -> Identity:
    """A GitHub Actions job that assumed a role through OpenID Connect and runs Terraform; `run` names its session."""
    user = _session(account, role, run)
    issuer = f"arn:aws:iam::{account}:oidc-provider/token.actions.githubusercontent.com"
    user["sessionContext"]["webIdFederationData"] = {"federatedProvider": issuer, "attributes": {}}
    return Identity(user, agent=TERRAFORM, address="192.0.2.17", beside=_TLS)


def emergency(email: str, *, account: str) -> Identity:
    """Somebody who took the break-glass role."""
    return Identity(_session(account, "break-glass-admin", email), agent=CLI, beside=_TLS)


def stranger(name: str, *, account: str) -> Identity:
    """An IAM user that nobody put into the matrix."""
    user = {
        "type": "IAMUser",
        "principalId": "AIDAEXAMPLE",
        "arn": f"arn:aws:iam::{account}:user/{name}",
        "accountId": account,
        "accessKeyId": "AKIAEXAMPLE",
        "userName": name,
    }
    return Identity(user, agent=SDK, beside=_TLS)


def root(*, account: str) -> Identity:
    """Whoever has the account's root credentials, in a browser."""
    user = {
        "type": "Root",
        "principalId": account,
        "arn": f"arn:aws:iam::{account}:root",
        "accountId": account,
        "accessKeyId": "ASIAEXAMPLE",
    }
    return Identity(user, agent=CONSOLE, address="203.0.113.66", beside=_BROWSER)


def _session(account: str, role: str, name: str, path: str = "") -> dict[str, Any]:
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE:{name}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
        "accountId": account,
        "accessKeyId": "ASIAEXAMPLE",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROAEXAMPLE",
                "arn": f"arn:aws:iam::{account}:role/{path}{role}",
                "accountId": account,
                "userName": role,
            },
            "attributes": {"creationDate": "2026-11-02T07:58:11Z", "mfaAuthenticated": "false"},
        },
    }
