"""Instances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import pages, the_one
from demarc.readers.ec2.asked import EC2, PAGE, TAGGED

_NO_INSTANCE = ("InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed")
_NO_AGENT = ("InvalidInstanceId", "InvalidInstanceInformationFilterValue")

# Nothing brings an instance back from these (Amazon EC2 User Guide, "Instance lifecycle").
_ENDED = ("shutting-down", "terminated")
_ALIVE = ("pending", "running", "stopping", "stopped")

_METADATA_OPTIONS = (
    "HttpEndpoint",
    "HttpProtocolIpv6",
    "HttpPutResponseHopLimit",
    "HttpTokens",
    "InstanceMetadataTags",
)


def _read_instance(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    ec2 = clients("ec2", resource.region)
    try:
        reservations = ec2.describe_instances(InstanceIds=[resource.identifier]).get("Reservations", ())
    except ClientError as error:
        if error.response["Error"]["Code"] in _NO_INSTANCE:
            raise ResourceGone from error
        raise
    found = the_one([each for reservation in reservations for each in reservation.get("Instances", ())])
    if found["State"]["Name"] in _ENDED:
        raise ResourceGone
    return _instance(found)


def _instance(instance: Mapping[str, Any]) -> dict[str, Any]:
    interfaces = instance.get("NetworkInterfaces", [])
    metadata = instance.get("MetadataOptions", {})
    found = {
        "InstanceId": instance["InstanceId"],
        "InstanceType": instance.get("InstanceType"),
        "ImageId": instance.get("ImageId"),
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
        "LaunchedAt": _launched_at(instance),
        "Operator": instance.get("Operator", {}).get("Principal"),
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


def _launched_at(instance: Mapping[str, Any]) -> str | None:
    """When it was launched, or started for the last time."""
    launched: datetime | None = instance.get("LaunchTime")
    return launched.isoformat() if launched else None


def _agent(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """What Systems Manager hears of the instance's agent; nothing where none has ever reported.

    AWS Systems Manager API Reference, "InstanceInformation": Online, ConnectionLost or Inactive.
    """
    its_own = [{"Key": "InstanceIds", "Values": [resource.identifier]}]
    try:
        found = pages(
            clients("ssm", resource.region), "describe_instance_information", "InstanceInformationList", Filters=its_own
        )
        status = next((each.get("PingStatus") for page in found for each in page), None)
    except ClientError as error:
        # What is no name of an instance to Systems Manager is none of an agent's; that it is gone another part tells.
        if error.response["Error"]["Code"] not in _NO_AGENT:
            raise
        status = None
    return {"Observed": _configured({"AgentStatus": status})}


def _instances(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    alive = [{"Name": "instance-state-name", "Values": list(_ALIVE)}]
    for reservations in pages(clients("ec2", region), "describe_instances", "Reservations", PAGE, Filters=alive):
        yield [each["InstanceId"] for reservation in reservations for each in reservation.get("Instances", ())]


_INSTANCES = ("requestParameters.instancesSet[].instanceId",)
_INSTANCE = ("requestParameters.instanceId",)
_ADDRESSES = ("PublicIp", "Ipv6Addresses", "Observed.PublicIpv4Addresses")
_STARTED_OR_STOPPED = ("State", "Observed.LaunchedAt", "Observed.StoppedAt", *_ADDRESSES)

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
                *("Observed.LaunchedAt", "Observed.NetworkInterfaceCount", "Observed.Operator"),
                *("Observed.PublicIpv4Addresses", "Observed.StoppedAt", "Observed.VirtualizationType"),
            ),
            calls={"ec2.DescribeInstances": "ec2:DescribeInstances"},
            read=_read_instance,
        ),
        Part(
            gives=("Observed.AgentStatus",),
            calls={"ssm.DescribeInstanceInformation": "ssm:DescribeInstanceInformation"},
            read=_agent,
        ),
    ),
    # Not here, because the record names no instance: DisassociateAddress and DetachNetworkInterface by association,
    # ModifyNetworkInterfaceAttribute and AssignIpv6Addresses by interface. The sweep sees them. RebootInstances
    # changes nothing. Fleets and Auto Scaling launch with RunInstances of their own. Nor UpdateInstanceInformation, by
    # which every agent reports every five minutes: one that falls silent makes no call at all, and the sweep sees it.
    touches=(
        Touch(EC2, ("RunInstances",), ("responseElements.instancesSet[].instanceId",), EVERYTHING),
        Touch(EC2, ("TerminateInstances",), _INSTANCES, EVERYTHING),
        Touch(EC2, ("StartInstances", "StopInstances"), _INSTANCES, _STARTED_OR_STOPPED),
        Touch(EC2, ("MonitorInstances", "UnmonitorInstances"), _INSTANCES, ("Monitoring",)),
        Touch(EC2, ("ModifyInstanceMetadataOptions",), _INSTANCE, ("MetadataOptions",)),
        Touch(
            EC2,
            ("ModifyInstanceAttribute", "ResetInstanceAttribute"),
            _INSTANCE,
            ("InstanceType", "SecurityGroupIds", "EbsOptimized"),
        ),
        Touch(
            EC2,
            (
                *("ModifyInstanceCapacityReservationAttributes", "ModifyInstanceCpuOptions"),
                *("ModifyInstanceMaintenanceOptions", "ModifyInstanceNetworkPerformanceOptions"),
                *("ModifyInstancePlacement", "ModifyPrivateDnsNameOptions"),
                # A copy of it as a file in a bucket.
                "CreateInstanceExportTask",
            ),
            _INSTANCE,
        ),
        Touch(
            EC2,
            (
                *("AssociateIamInstanceProfile", "DisassociateIamInstanceProfile"),
                "ReplaceIamInstanceProfileAssociation",
            ),
            # Only the first names the instance in its request; all three do in their answer.
            ("requestParameters.instanceId", "responseElements.iamInstanceProfileAssociation.instanceId"),
            ("IamInstanceProfile",),
        ),
        Touch(EC2, ("AssociateAddress",), _INSTANCE, _ADDRESSES),
        Touch(
            EC2,
            ("AttachNetworkInterface",),
            _INSTANCE,
            ("Observed.NetworkInterfaceCount", "SecurityGroupIds", *_ADDRESSES),
        ),
        Touch(EC2, ("CreateTags", "DeleteTags"), TAGGED, ("Tags",), "i-"),
    ),
    inventory=Inventory(calls={"ec2.DescribeInstances": "ec2:DescribeInstances"}, pages=_instances),
)

READERS: tuple[Reader, ...] = (INSTANCE,)
