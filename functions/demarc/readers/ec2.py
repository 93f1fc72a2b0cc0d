"""Security groups and instances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from demarc.core.change import EVERYTHING, Touch
from demarc.core.model import Resource
from demarc.core.network import prefix_list_of
from demarc.readers import DENIED, UNREAD, Clients, Inventory, Part, Reader, ResourceGone, paged

_EC2 = "ec2.amazonaws.com"
_INGRESS = "SecurityGroupIngress"
_EGRESS = "SecurityGroupEgress"

# An id that EC2 calls malformed names nothing either: it comes from an event, and events may be made up.
_NO_GROUP = ("InvalidGroup.NotFound", "InvalidGroupId.Malformed", "InvalidSecurityGroupID.NotFound")
_NO_INSTANCE = ("InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed")
# A list that was deleted, or shared with us no longer, is as unknown as one that we may not read.
_NO_ENTRIES = DENIED | {"InvalidPrefixListID.NotFound", "InvalidPrefixListId.NotFound"}

# Nothing brings an instance back from these (Amazon EC2 User Guide, "Instance lifecycle").
_ENDED = ("shutting-down", "terminated")
_ALIVE = ("pending", "running", "stopping", "stopped")

# EC2 takes 1,000 a page; half of it keeps the answer, of which only the ids are wanted, to a few megabytes.
_PAGE = 500

_METADATA_OPTIONS = (
    "HttpEndpoint",
    "HttpProtocolIpv6",
    "HttpPutResponseHopLimit",
    "HttpTokens",
    "InstanceMetadataTags",
)


def _read_group(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    ec2 = clients("ec2", resource.region)
    try:
        group = ec2.describe_security_groups(GroupIds=[resource.identifier])["SecurityGroups"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] in _NO_GROUP:
            raise ResourceGone from error
        raise
    ingress = [rule for permission in group.get("IpPermissions", ()) for rule in _rules(permission, "Source")]
    egress = [rule for permission in group.get("IpPermissionsEgress", ()) for rule in _rules(permission, "Destination")]
    prefix_lists, unread = _prefix_lists(ec2, ingress)
    return {
        "GroupName": group["GroupName"],
        "GroupDescription": group["Description"],
        "VpcId": group["VpcId"],
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
            lists[listed] = [entry["Cidr"] for page in pages for entry in page["Entries"]]
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in _NO_ENTRIES:
                raise
            return {}, {"Observed.PrefixLists": f"{code}: the entries of {listed} (ec2:GetManagedPrefixListEntries)"}
    return lists, {}


def _read_instance(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    ec2 = clients("ec2", resource.region)
    try:
        reservations = ec2.describe_instances(InstanceIds=[resource.identifier])["Reservations"]
    except ClientError as error:
        if error.response["Error"]["Code"] in _NO_INSTANCE:
            raise ResourceGone from error
        raise
    if not reservations or reservations[0]["Instances"][0]["State"]["Name"] in _ENDED:
        raise ResourceGone
    return _instance(reservations[0]["Instances"][0])


def _instance(instance: Mapping[str, Any]) -> dict[str, Any]:
    interfaces = instance.get("NetworkInterfaces", [])
    metadata = instance.get("MetadataOptions", {})
    found = {
        "InstanceId": instance["InstanceId"],
        "InstanceType": instance["InstanceType"],
        "ImageId": instance["ImageId"],
        "SubnetId": instance.get("SubnetId"),
        "VpcId": instance.get("VpcId"),
        "PublicIp": instance.get("PublicIpAddress"),
        "State": {"Code": str(instance["State"]["Code"]), "Name": instance["State"]["Name"]},
        "IamInstanceProfile": instance.get("IamInstanceProfile", {}).get("Arn", "").rpartition("/")[2] or None,
        "SecurityGroupIds": [group["GroupId"] for group in instance.get("SecurityGroups", ())],
        "MetadataOptions": {name: metadata[name] for name in _METADATA_OPTIONS if name in metadata} or None,
        "Monitoring": instance.get("Monitoring", {}).get("State") in ("enabled", "pending"),
        "EbsOptimized": instance.get("EbsOptimized"),
        "Ipv6Addresses": [
            {"Ipv6Address": address["Ipv6Address"]} for each in interfaces for address in each.get("Ipv6Addresses", ())
        ],
        "Tags": instance.get("Tags", []),
    }
    observed = {
        "NetworkInterfaceCount": len(interfaces),
        "PublicIpv4Addresses": sorted(_public_addresses(instance)),
        "StoppedAt": _stopped_at(instance),
        "VirtualizationType": instance.get("VirtualizationType"),
    }
    return {**_configured(found), "Observed": _configured(observed)}


def _configured(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value is not None}


def _public_addresses(instance: Mapping[str, Any]) -> set[str]:
    """Every public IPv4 address, also those of secondary interfaces and addresses."""
    addresses = {instance["PublicIpAddress"]} if instance.get("PublicIpAddress") else set()
    for interface in instance.get("NetworkInterfaces", ()):
        for holder in (interface, *interface.get("PrivateIpAddresses", ())):
            if public := holder.get("Association", {}).get("PublicIp"):
                addresses.add(public)
    return addresses


def _stopped_at(instance: Mapping[str, Any]) -> str | None:
    """When a stopped instance was stopped; EC2 tells it in words only: `User initiated (2026-01-31 09:00:00 GMT)`."""
    if instance["State"]["Name"] != "stopped":
        return None
    words = instance.get("StateTransitionReason", "").partition("(")[2].removesuffix(")")
    try:
        return datetime.strptime(words, "%Y-%m-%d %H:%M:%S GMT").replace(tzinfo=UTC).isoformat()
    except ValueError:
        return None


def _groups(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    return paged(clients("ec2", region), "describe_security_groups", "SecurityGroups", "GroupId", size=_PAGE)


def _instances(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    pages = clients("ec2", region).get_paginator("describe_instances")
    alive = [{"Name": "instance-state-name", "Values": list(_ALIVE)}]
    for page in pages.paginate(Filters=alive, PaginationConfig={"PageSize": _PAGE}):
        yield [instance["InstanceId"] for reservation in page["Reservations"] for instance in reservation["Instances"]]


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
        Touch(_EC2, ("CreateSecurityGroup",), ("responseElements.groupId",), EVERYTHING),
        Touch(_EC2, ("DeleteSecurityGroup",), ("requestParameters.groupId", "responseElements.groupId"), EVERYTHING),
        Touch(
            _EC2,
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
            _EC2,
            ("AuthorizeSecurityGroupEgress", "RevokeSecurityGroupEgress", "UpdateSecurityGroupRuleDescriptionsEgress"),
            ("requestParameters.groupId",),
            (_EGRESS,),
        ),
        Touch(
            _EC2,
            ("ModifySecurityGroupRules",),
            ("requestParameters.groupId",),
            (_INGRESS, _EGRESS, "Observed.PrefixLists"),
        ),
        Touch(_EC2, ("AssociateSecurityGroupVpc", "DisassociateSecurityGroupVpc"), ("requestParameters.groupId",)),
        Touch(_EC2, ("CreateTags", "DeleteTags"), ("requestParameters.resourcesSet[].resourceId",), ("Tags",), "sg-"),
    ),
    inventory=Inventory(calls={"ec2.DescribeSecurityGroups": "ec2:DescribeSecurityGroups"}, pages=_groups),
)

_INSTANCES = ("requestParameters.instancesSet[].instanceId",)
_INSTANCE = ("requestParameters.instanceId",)
_ADDRESSES = ("PublicIp", "Ipv6Addresses", "Observed.PublicIpv4Addresses")

INSTANCE = Reader(
    type="AWS::EC2::Instance",
    responder="compute",
    arn="arn:{partition}:ec2:{region}:{account}:instance/{identifier}",
    parts=(
        Part(
            gives=(
                *(
                    "InstanceId",
                    "InstanceType",
                    "ImageId",
                    "SubnetId",
                    "VpcId",
                    "PublicIp",
                    "State",
                    "IamInstanceProfile",
                ),
                *("SecurityGroupIds", "MetadataOptions", "Monitoring", "EbsOptimized", "Ipv6Addresses", "Tags"),
                *("Observed.NetworkInterfaceCount", "Observed.PublicIpv4Addresses"),
                *("Observed.StoppedAt", "Observed.VirtualizationType"),
            ),
            calls={"ec2.DescribeInstances": "ec2:DescribeInstances"},
            read=_read_instance,
        ),
    ),
    # Not here, because the record names no instance: DisassociateAddress and DetachNetworkInterface by association,
    # ModifyNetworkInterfaceAttribute and AssignIpv6Addresses by interface. The sweep sees them. RebootInstances
    # changes nothing. Fleets and Auto Scaling launch with RunInstances of their own.
    touches=(
        Touch(_EC2, ("RunInstances",), ("responseElements.instancesSet[].instanceId",), EVERYTHING),
        Touch(_EC2, ("TerminateInstances",), _INSTANCES, EVERYTHING),
        Touch(_EC2, ("StartInstances", "StopInstances"), _INSTANCES, ("State", "Observed.StoppedAt", *_ADDRESSES)),
        Touch(_EC2, ("MonitorInstances", "UnmonitorInstances"), _INSTANCES, ("Monitoring",)),
        Touch(_EC2, ("ModifyInstanceMetadataOptions",), _INSTANCE, ("MetadataOptions",)),
        Touch(
            _EC2,
            ("ModifyInstanceAttribute", "ResetInstanceAttribute"),
            _INSTANCE,
            ("InstanceType", "SecurityGroupIds", "EbsOptimized"),
        ),
        Touch(
            _EC2,
            (
                *("ModifyInstanceCapacityReservationAttributes", "ModifyInstanceCpuOptions"),
                *("ModifyInstanceMaintenanceOptions", "ModifyInstanceNetworkPerformanceOptions"),
                *("ModifyInstancePlacement", "ModifyPrivateDnsNameOptions"),
            ),
            _INSTANCE,
        ),
        Touch(
            _EC2,
            (
                *("AssociateIamInstanceProfile", "DisassociateIamInstanceProfile"),
                "ReplaceIamInstanceProfileAssociation",
            ),
            # Only the first names the instance in its request; all three do in their answer.
            ("requestParameters.instanceId", "responseElements.iamInstanceProfileAssociation.instanceId"),
            ("IamInstanceProfile",),
        ),
        Touch(_EC2, ("AssociateAddress",), _INSTANCE, _ADDRESSES),
        Touch(
            _EC2,
            ("AttachNetworkInterface",),
            _INSTANCE,
            ("Observed.NetworkInterfaceCount", "SecurityGroupIds", *_ADDRESSES),
        ),
        Touch(_EC2, ("CreateTags", "DeleteTags"), ("requestParameters.resourcesSet[].resourceId",), ("Tags",), "i-"),
    ),
    inventory=Inventory(calls={"ec2.DescribeInstances": "ec2:DescribeInstances"}, pages=_instances),
)

READERS: tuple[Reader, ...] = (SECURITY_GROUP, INSTANCE)
