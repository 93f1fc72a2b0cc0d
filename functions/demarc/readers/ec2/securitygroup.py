"""Security groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from demarc.core.model import Resource
from demarc.core.network import prefix_list_of
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import DENIED, UNREAD, Clients, Inventory, Part, Reader, ResourceGone, paged
from demarc.readers.answers import present, the_one
from demarc.readers.ec2.asked import EC2, PAGE, TAGGED

_INGRESS = "SecurityGroupIngress"
_EGRESS = "SecurityGroupEgress"

# An id that EC2 calls malformed names nothing either: it comes from an event, and events may be made up.
_NO_GROUP = ("InvalidGroup.NotFound", "InvalidGroupId.Malformed", "InvalidSecurityGroupID.NotFound")
# A list that was deleted, or shared with us no longer, is as unknown as one that we may not read.
_NO_ENTRIES = DENIED | {"InvalidPrefixListID.NotFound", "InvalidPrefixListId.NotFound"}


def _read_group(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    ec2 = clients("ec2", resource.region)
    try:
        group = the_one(ec2.describe_security_groups(GroupIds=[resource.identifier]).get("SecurityGroups"))
    except ClientError as error:
        if error.response["Error"]["Code"] in _NO_GROUP:
            raise ResourceGone from error
        raise
    ingress = [rule for permission in group.get("IpPermissions", ()) for rule in _rules(permission, "Source")]
    egress = [rule for permission in group.get("IpPermissionsEgress", ()) for rule in _rules(permission, "Destination")]
    prefix_lists, unread = _prefix_lists(ec2, ingress)
    return {
        "GroupName": group["GroupName"],
        **present(GroupDescription=group.get("Description"), VpcId=group.get("VpcId")),
        _INGRESS: ingress,
        _EGRESS: egress,
        "Tags": group.get("Tags", []),
        # Only a VPC's default group may bear that name, and it cannot be renamed.
        "Observed": {"IsDefault": group["GroupName"] == "default", "PrefixLists": prefix_lists},
        UNREAD: unread,
    }


def _rules(permission: Mapping[str, Any], side: str) -> Iterator[dict[str, Any]]:
    """One CloudFormation rule per source of a permission; `side` is Source or Destination."""
    common = {name: permission[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in permission}
    for each in permission.get("IpRanges", ()):
        yield {**common, "CidrIp": each["CidrIp"], **_description(each)}
    for each in permission.get("Ipv6Ranges", ()):
        yield {**common, "CidrIpv6": each["CidrIpv6"], **_description(each)}
    for each in permission.get("PrefixListIds", ()):
        yield {**common, f"{side}PrefixListId": each["PrefixListId"], **_description(each)}
    for each in permission.get("UserIdGroupPairs", ()):
        yield {**common, **_group_of(each, side), **_description(each)}


def _group_of(pair: Mapping[str, Any], side: str) -> dict[str, str]:
    if side == "Destination":
        return {"DestinationSecurityGroupId": pair["GroupId"]}
    owner = {"SourceSecurityGroupOwnerId": pair["UserId"]} if "UserId" in pair else {}
    return {"SourceSecurityGroupId": pair["GroupId"], **owner}


def _description(each: Mapping[str, Any]) -> dict[str, str]:
    return {"Description": each["Description"]} if "Description" in each else {}


def _prefix_lists(ec2: Any, rules: Sequence[Mapping[str, Any]]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """The address ranges of the prefix lists that rules use, by id; and why they are unread, if one could not be read.

    AWS's own lists (S3, CloudFront ...) are read like any other, so none needs to be trusted by name.
    """
    lists = {}
    for listed in sorted({found for rule in rules if (found := prefix_list_of(rule))}):
        try:
            pages = ec2.get_paginator("get_managed_prefix_list_entries").paginate(PrefixListId=listed)
            lists[listed] = [entry["Cidr"] for page in pages for entry in page.get("Entries", ())]
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in _NO_ENTRIES:
                raise
            return {}, {"Observed.PrefixLists": f"{code}: the entries of {listed} (ec2:GetManagedPrefixListEntries)"}
    return lists, {}


def _groups(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    return paged(clients("ec2", region), "describe_security_groups", "SecurityGroups", "GroupId", size=PAGE)


SECURITY_GROUP = Reader(
    type="AWS::EC2::SecurityGroup",
    responder="network",
    arn="arn:{partition}:ec2:{region}:{account}:security-group/{identifier}",
    parts=(
        Part(
            gives=(
                *("GroupName", "GroupDescription", "VpcId", _INGRESS, _EGRESS, "Tags"),
                *("Observed.IsDefault", "Observed.PrefixLists"),
            ),
            calls={
                "ec2.DescribeSecurityGroups": "ec2:DescribeSecurityGroups",
                # Only for groups whose rules use a prefix list.
                "ec2.GetManagedPrefixListEntries": "ec2:GetManagedPrefixListEntries",
            },
            read=_read_group,
        ),
    ),
    # Not here, because the record names no group: CreateVpc (makes the default group) and ModifyManagedPrefixList
    # (changes what a rule lets in). The sweep sees both.
    touches=(
        Touch(EC2, ("CreateSecurityGroup",), ("responseElements.groupId",), EVERYTHING),
        Touch(EC2, ("DeleteSecurityGroup",), ("requestParameters.groupId", "responseElements.groupId"), EVERYTHING),
        Touch(
            EC2,
            (
                "AuthorizeSecurityGroupIngress",
                "RevokeSecurityGroupIngress",
                "UpdateSecurityGroupRuleDescriptionsIngress",
            ),
            # By name instead of id in a default VPC; then the answer has the id.
            (
                "requestParameters.groupId",
                "responseElements.securityGroupRuleSet[].groupId",
                "responseElements.revokedSecurityGroupRuleSet[].groupId",
            ),
            (_INGRESS, "Observed.PrefixLists"),
        ),
        Touch(
            EC2,
            ("AuthorizeSecurityGroupEgress", "RevokeSecurityGroupEgress", "UpdateSecurityGroupRuleDescriptionsEgress"),
            ("requestParameters.groupId",),
            (_EGRESS,),
        ),
        Touch(
            EC2,
            ("ModifySecurityGroupRules",),
            ("requestParameters.groupId",),
            (_INGRESS, _EGRESS, "Observed.PrefixLists"),
        ),
        Touch(EC2, ("AssociateSecurityGroupVpc", "DisassociateSecurityGroupVpc"), ("requestParameters.groupId",)),
        Touch(EC2, ("CreateTags", "DeleteTags"), TAGGED, ("Tags",), "sg-"),
    ),
    inventory=Inventory(calls={"ec2.DescribeSecurityGroups": "ec2:DescribeSecurityGroups"}, pages=_groups),
)

READERS: tuple[Reader, ...] = (SECURITY_GROUP,)
