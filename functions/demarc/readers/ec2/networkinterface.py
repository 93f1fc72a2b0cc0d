"""Network interfaces: whether they pass on what is not theirs, and who manages them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, paged
from demarc.readers.answers import asked, present, same, the_one
from demarc.readers.ec2.asked import EC2, PAGE, TAGGED

_GONE = (
    "InvalidNetworkInterfaceID.NotFound",
    "InvalidNetworkInterfaceId.Malformed",
    "InvalidNetworkInterfaceID.Malformed",
)


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    ec2 = clients("ec2", resource.region)
    found = asked(ec2, "describe_network_interfaces", _GONE, NetworkInterfaceIds=[resource.identifier])
    interface = the_one(found.get("NetworkInterfaces"))
    return {
        **same(interface, "Description", "SourceDestCheck", "SubnetId", "VpcId"),
        "Tags": interface.get("TagSet", []),
        "Observed": present(
            PublicIp=interface.get("Association", {}).get("PublicIp"),
            RequesterManaged=interface.get("RequesterManaged", False),
        ),
    }


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    client = clients("ec2", region)
    return paged(client, "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId", size=PAGE)


_NAMED = ("requestParameters.networkInterfaceId",)

NETWORK_INTERFACE = Reader(
    type="AWS::EC2::NetworkInterface",
    responder="network",
    arn="arn:{partition}:ec2:{region}:{account}:network-interface/{identifier}",
    parts=(
        Part(
            gives=(
                *("Description", "SourceDestCheck", "SubnetId", "VpcId", "Tags"),
                *("Observed.PublicIp", "Observed.RequesterManaged"),
            ),
            calls={"ec2.DescribeNetworkInterfaces": "ec2:DescribeNetworkInterfaces"},
            read=_read,
        ),
    ),
    touches=(
        Touch(EC2, ("CreateNetworkInterface",), ("responseElements.networkInterface.networkInterfaceId",), EVERYTHING),
        Touch(EC2, ("DeleteNetworkInterface",), _NAMED, EVERYTHING),
        Touch(EC2, ("ModifyNetworkInterfaceAttribute", "ResetNetworkInterfaceAttribute"), _NAMED, ("SourceDestCheck",)),
        Touch(EC2, ("AssociateAddress",), _NAMED, ("Observed.PublicIp",)),
        # Another account may attach it, or gets a copy of all that passes: no control asks yet, but it is looked at.
        Touch(
            EC2, ("AttachNetworkInterface", "CreateNetworkInterfacePermission", "CreateTrafficMirrorSession"), _NAMED
        ),
        Touch(EC2, ("CreateTags", "DeleteTags"), TAGGED, ("Tags",), "eni-"),
    ),
    inventory=Inventory(calls={"ec2.DescribeNetworkInterfaces": "ec2:DescribeNetworkInterfaces"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (NETWORK_INTERFACE,)
