"""Lists that AWS gives page by page are read to their end, also where only one page has ever been seen of them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

from demarc import readers
from demarc.readers import Part, Reader, ResourceGone
from tests.integration.shapes import Turning, Written, has_pages
from tests.integration.test_readers_sparse import resource_of

Answer = Mapping[str, Any]

# Calls that a reader asks for one thing by its name, which comes on the first page if it comes at all.
ONE_BY_NAME: Mapping[str, tuple[str, ...]] = {
    "autoscaling": ("DescribeAutoScalingGroups", "DescribeLaunchConfigurations"),
    "cloudformation": ("DescribeStacks",),
    "cloudwatch": ("DescribeAlarms",),
    "dax": ("DescribeClusters",),
    "dms": ("DescribeEndpoints", "DescribeReplicationInstances", "DescribeReplicationTasks"),
    "ec2": (
        *("DescribeClientVpnEndpoints", "DescribeImages", "DescribeInstances", "DescribeLaunchTemplateVersions"),
        *("DescribeLaunchTemplates", "DescribeNetworkAcls", "DescribeNetworkInterfaces", "DescribeRouteTables"),
        *("DescribeSecurityGroups", "DescribeSnapshots", "DescribeSubnets", "DescribeTransitGateways"),
        *("DescribeVolumes", "DescribeVpcEndpoints", "DescribeVpcs"),
    ),
    "ecr": ("DescribeRepositories",),
    "ecs": ("DescribeCapacityProviders",),
    "efs": ("DescribeAccessPoints", "DescribeFileSystems"),
    "elasticache": ("DescribeCacheClusters", "DescribeReplicationGroups"),
    "elasticbeanstalk": ("DescribeEnvironments",),
    "elb": ("DescribeLoadBalancers",),
    "elbv2": ("DescribeLoadBalancers", "DescribeTargetGroups"),
    "fsx": ("DescribeFileSystems",),
    # Who is in a group is not asked.
    "iam": ("GetGroup",),
    # Names are listed in their order, and one comes before all that begin with it (Amazon CloudWatch Logs API
    # Reference, "DescribeLogGroups").
    "logs": ("DescribeLogGroups",),
    "rds": (
        *("DescribeDBClusterParameterGroups", "DescribeDBClusterSnapshots", "DescribeDBClusters"),
        *("DescribeDBInstances", "DescribeDBParameterGroups", "DescribeDBProxies", "DescribeDBSnapshots"),
        *("DescribeEventSubscriptions", "DescribeOptionGroups"),
    ),
    "redshift": ("DescribeClusterSubnetGroups", "DescribeClusters"),
}
# Of these there is one: a detector in a Region (Amazon GuardDuty User Guide, "Concepts and terminology"), a log of
# queries for a zone (Amazon Route 53 API Reference, "CreateQueryLoggingConfig"). Rules of ours have one target.
ONE_AT_MOST: Mapping[str, tuple[str, ...]] = {
    "events": ("ListTargetsByRule",),
    "guardduty": ("ListDetectors",),
    "route53": ("ListQueryLoggingConfigs",),
}
ONE = {
    f"{service}.{operation}"
    for calls in (ONE_BY_NAME, ONE_AT_MOST)
    for service, operations in calls.items()
    for operation in operations
}
# Where such a call lists all there is of something else.
MANY = {("AWS::EC2::VPC", "ec2.DescribeVpcEndpoints")}
# Asked only of what no answer by chance is, a permission set that makes administrators; `test_readers_sso` has their
# second pages.
NEVER_BY_CHANCE = {"sso-admin.ListAccountsForProvisionedPermissionSet", "sso-admin.ListAccountAssignments"}
# A list that is empty, or of one entry, comes by chance; the rarest takes some fifty tries.
SEEDS = range(400)

LISTS = [
    pytest.param(reader, part, call, id=f"{reader.type}-{call}")
    for reader in readers.load()
    for part in reader.parts
    for call in part.calls
    if has_pages(call) and call not in NEVER_BY_CHANCE and (call not in ONE or (reader.type, call) in MANY)
]


def is_read_on(reader: Reader, part: Part, call: str, seed: int) -> bool:
    """Whether a part asks for the second page of a list, where an answer says that there is one."""
    clients = Turning(seed, call)
    with suppress(ResourceGone):
        part.read(clients, resource_of(reader))
    return clients.turned


@pytest.mark.parametrize(("reader", "part", "call"), LISTS)
def test_a_list_that_has_another_page_is_read_on(reader: Reader, part: Part, call: str) -> None:
    assert any(is_read_on(reader, part, call, seed) for seed in SEEDS)


# --- what is on the second page --------------------------------------------------------------------------------------

ONE_TAG, OTHER_TAG = {"Key": "owner", "Value": "payments"}, {"Key": "stage", "Value": "live"}


@pytest.mark.parametrize(
    ("type_", "call", "first", "second"),
    [
        (
            "AWS::Backup::BackupVault",
            "backup.ListTags",
            {"Tags": {"owner": "payments"}, "NextToken": "next"},
            {"Tags": {"stage": "live"}},
        ),
        (
            "AWS::DynamoDB::Table",
            "dynamodb.ListTagsOfResource",
            {"Tags": [ONE_TAG], "NextToken": "next"},
            {"Tags": [OTHER_TAG]},
        ),
        (
            "AWS::Kinesis::Stream",
            "kinesis.ListTagsForStream",
            {"Tags": [ONE_TAG], "HasMoreTags": True},
            {"Tags": [OTHER_TAG], "HasMoreTags": False},
        ),
        (
            "AWS::KMS::Key",
            "kms.ListResourceTags",
            {"Tags": [{"TagKey": "owner", "TagValue": "payments"}], "Truncated": True, "NextMarker": "next"},
            {"Tags": [{"TagKey": "stage", "TagValue": "live"}], "Truncated": False},
        ),
        (
            "AWS::WAFv2::WebACL",
            "wafv2.ListTagsForResource",
            {"TagInfoForResource": {"TagList": [ONE_TAG]}, "NextMarker": "next"},
            {"TagInfoForResource": {"TagList": [OTHER_TAG]}},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_tags_of_both_pages_are_read(type_: str, call: str, first: Answer, second: Answer) -> None:
    (reader,) = readers.load((type_,))
    (part,) = (each for each in reader.parts if each.gives == ("Tags",))

    assert part.read(Written({call: (first, second)}), resource_of(reader)) == {"Tags": [ONE_TAG, OTHER_TAG]}


def test_a_route_on_a_later_page_is_judged() -> None:
    (reader,) = readers.load(("AWS::ApiGatewayV2::Api",))
    (part,) = (each for each in reader.parts if each.gives == ("Observed.Routes",))
    guarded = {"RouteKey": "GET /orders", "AuthorizationType": "JWT"}
    open_to_all = {"RouteKey": "POST /orders", "AuthorizationType": "NONE"}
    answers = {"apigatewayv2.GetRoutes": ({"Items": [guarded], "NextToken": "next"}, {"Items": [open_to_all]})}

    assert part.read(Written(answers), resource_of(reader)) == {"Observed": {"Routes": [guarded, open_to_all]}}


def test_an_empty_page_of_tags_that_has_a_mark_is_the_last() -> None:
    (reader,) = readers.load(("AWS::WAFv2::WebACL",))
    (part,) = (each for each in reader.parts if each.gives == ("Tags",))
    empty = {"TagInfoForResource": {}, "NextMarker": "next"}

    assert part.read(Written({"wafv2.ListTagsForResource": empty}), resource_of(reader)) == {"Tags": []}
