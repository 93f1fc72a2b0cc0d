"""What functions declare to call -> the least that IAM must allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aws_cdk import Acknowledgment, Stack
from aws_cdk import aws_iam as iam

# Actions that take no resource, so that IAM knows only `*` for them (Service Authorization Reference, by service).
# A test compares this with the published data.
WITHOUT_RESOURCE = frozenset(
    {
        "cloudtrail:DescribeTrails",
        "ec2:DescribeInstances",
        "ec2:DescribeSecurityGroups",
        "ec2:GetEbsEncryptionByDefault",
        "iam:GetAccountPasswordPolicy",
        "iam:GetAccountSummary",
        "s3:GetAccountPublicAccessBlock",
    }
)

EVERYTHING = "*"

# Everything of a service that may be read, and nothing of another account, except where a resource that is judged here
# may live elsewhere: a trail of the organization in the management account, a prefix list with AWS or with whoever
# shares it. S3's ARNs name no account: whether a foreign bucket can
# be read is up to whoever owns it.
_OWN = {
    "account": "arn:{partition}:account::{account}:account",
    "cloudtrail": "arn:{partition}:cloudtrail:*:*:trail/*",
    "ec2": "arn:{partition}:ec2:{region}:*:prefix-list/*",
    "iam": "arn:{partition}:iam::{account}:*",
    "kms": "arn:{partition}:kms:{region}:{account}:key/*",
    "rds": "arn:{partition}:rds:{region}:{account}:db:*",
    "s3": "arn:{partition}:s3:::*",
}


def reading(calls: Iterable[Mapping[str, str]], stack: Stack) -> list[iam.PolicyStatement]:
    """Statements that allow exactly the declared actions, on the account's own resources wherever IAM can say so."""
    here = {"partition": stack.partition, "region": stack.region, "account": stack.account}
    return [
        iam.PolicyStatement(actions=actions, resources=[template.format(**here)])
        for template, actions in _by_resource(calls).items()
    ]


def acknowledgments(calls: Iterable[Mapping[str, str]]) -> list[Acknowledgment]:
    """cdk-nag asks for a reason for each wildcard."""
    shown = {"partition": "<AWS::Partition>", "region": "<AWS::Region>", "account": "<AWS::AccountId>"}
    return [
        Acknowledgment(
            id=f"AwsSolutions::AwsSolutions-IAM5[Resource::{template.format(**shown)}]",
            reason="AWS knows no narrower resource for these actions, which only read settings"
            if template == EVERYTHING
            else "Demarc judges every resource of the type, also those made tomorrow; the actions only read settings",
        )
        for template in _by_resource(calls)
    ]


def _by_resource(calls: Iterable[Mapping[str, str]]) -> dict[str, list[str]]:
    """The declared actions by the resource they are allowed on."""
    grouped: dict[str, list[str]] = {}
    for action in sorted({action for each in calls for action in each.values()}):
        template = EVERYTHING if action in WITHOUT_RESOURCE else _OWN[action.partition(":")[0]]
        grouped.setdefault(template, []).append(action)
    return grouped
