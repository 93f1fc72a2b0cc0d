"""Subnets: whether what is started in them gets a public address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, paged
from demarc.readers.answers import asked, same, the_one
from demarc.readers.ec2.asked import EC2, PAGE, TAGGED

_GONE = ("InvalidSubnetID.NotFound", "InvalidSubnetID.Malformed", "InvalidSubnetId.Malformed")
_SAME = ("AssignIpv6AddressOnCreation", "AvailabilityZone", "CidrBlock", "MapPublicIpOnLaunch", "SubnetId", "VpcId")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    ec2 = clients("ec2", resource.region)
    subnet = the_one(asked(ec2, "describe_subnets", _GONE, SubnetIds=[resource.identifier]).get("Subnets"))
    return {**same(subnet, *_SAME), "Tags": subnet.get("Tags", [])}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    return paged(clients("ec2", region), "describe_subnets", "Subnets", "SubnetId", size=PAGE)


_NAMED = ("requestParameters.subnetId",)

SUBNET = Reader(
    type="AWS::EC2::Subnet",
    responder="network",
    arn="arn:{partition}:ec2:{region}:{account}:subnet/{identifier}",
    parts=(Part(gives=(*_SAME, "Tags"), calls={"ec2.DescribeSubnets": "ec2:DescribeSubnets"}, read=_read),),
    touches=(
        Touch(EC2, ("CreateSubnet", "CreateDefaultSubnet"), ("responseElements.subnet.subnetId",), EVERYTHING),
        Touch(EC2, ("DeleteSubnet",), _NAMED, EVERYTHING),
        Touch(EC2, ("ModifySubnetAttribute",), _NAMED, ("AssignIpv6AddressOnCreation", "MapPublicIpOnLaunch")),
        Touch(EC2, ("AssociateSubnetCidrBlock",), _NAMED),
        Touch(EC2, ("DisassociateSubnetCidrBlock",), ("responseElements.subnetId",)),
        Touch(EC2, ("CreateTags", "DeleteTags"), TAGGED, ("Tags",), "subnet-"),
    ),
    inventory=Inventory(calls={"ec2.DescribeSubnets": "ec2:DescribeSubnets"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (SUBNET,)
