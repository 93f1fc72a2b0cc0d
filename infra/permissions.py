"""What functions declare to call -> the least that IAM must allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from aws_cdk import Acknowledgment, Stack
from aws_cdk import aws_iam as iam
from constructs import IConstruct

# What a module declares to call: each botocore operation and the IAM action that allows it.
Calls: TypeAlias = Mapping[str, str]

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
        "iam:ListPolicies",
        "iam:ListRoles",
        "iam:ListUsers",
        "kms:ListKeys",
        "s3:GetAccountPublicAccessBlock",
        "s3:ListAllMyBuckets",
    }
)

EVERYTHING = "*"

# Actions on what is kept in a table: Demarc reads its own and nobody else's, by the grant of its box.
_ON_ITEMS = frozenset({"dynamodb:GetItem"})

# Everything of a service that may be read (of CloudFormation and EventBridge what is this stack's), and nothing of
# another account, except where a resource that is judged here
# may live elsewhere: a trail of the organization in the management account, a prefix list with AWS or with whoever
# shares it. S3's ARNs name no account: whether a foreign bucket can
# be read is up to whoever owns it.
_OWN = {
    "account": "arn:{partition}:account::{account}:account",
    "cloudformation": "arn:{partition}:cloudformation:{region}:{account}:stack/{stack}/*",
    "cloudtrail": "arn:{partition}:cloudtrail:*:*:trail/*",
    "ec2": "arn:{partition}:ec2:{region}:*:prefix-list/*",
    "events": "arn:{partition}:events:{region}:{account}:rule/{stack}-*",
    "iam": "arn:{partition}:iam::{account}:*",
    "kms": "arn:{partition}:kms:{region}:{account}:key/*",
    "rds": "arn:{partition}:rds:{region}:{account}:db:*",
    "s3": "arn:{partition}:s3:::*",
}


def actions_on(service: str, calls: Iterable[Calls]) -> list[str]:
    """The declared actions of one service."""
    return sorted({action for each in calls for action in each.values() if action.startswith(f"{service}:")})


def reading(calls: Iterable[Calls], stack: Stack) -> list[iam.PolicyStatement]:
    """Statements that allow exactly the declared actions, on the account's own resources wherever IAM can say so."""
    here = {
        "partition": stack.partition,
        "region": stack.region,
        "account": stack.account,
        "stack": stack.stack_name,
    }
    return [
        iam.PolicyStatement(actions=actions, resources=[template.format(**here)])
        for template, actions in _by_resource(calls).items()
    ]


def secrets(names: Iterable[str], calls: Iterable[Calls], scope: IConstruct) -> list[iam.PolicyStatement]:
    """Statements that allow reading some secrets of this account and Region, by name.

    Secrets Manager puts six characters of its own behind the name, which nobody knows before the secret is made.
    """
    here = Stack.of(scope)
    arns = [
        f"arn:{here.partition}:secretsmanager:{here.region}:{here.account}:secret:{name}-??????"
        for name in sorted(names)
    ]
    actions = actions_on("secretsmanager", calls)
    return [iam.PolicyStatement(actions=actions, resources=arns)] if arns else []


def acknowledgments(calls: Iterable[Calls], stack: Stack) -> list[Acknowledgment]:
    """cdk-nag asks for a reason for each wildcard."""
    shown = {
        "partition": "<AWS::Partition>",
        "region": "<AWS::Region>",
        "account": "<AWS::AccountId>",
        "stack": stack.stack_name,
    }
    return [
        Acknowledgment(
            id=f"AwsSolutions::AwsSolutions-IAM5[Resource::{template.format(**shown)}]",
            reason=_reason(template),
        )
        for template in _by_resource(calls)
    ]


def _reason(template: str) -> str:
    if template == EVERYTHING:
        return "AWS knows no narrower resource for these actions, which only read settings"
    if "{stack}" in template:
        return "The names that CloudFormation gives to what is in this stack end with what nobody knows before"
    return "Demarc judges every resource of the type, also those made tomorrow; the actions only read settings"


def _by_resource(calls: Iterable[Calls]) -> dict[str, list[str]]:
    """The declared actions by the resource they are allowed on."""
    grouped: dict[str, list[str]] = {}
    for action in sorted({action for each in calls for action in each.values()} - _ON_ITEMS):
        template = EVERYTHING if action in WITHOUT_RESOURCE else _OWN[action.partition(":")[0]]
        grouped.setdefault(template, []).append(action)
    return grouped
