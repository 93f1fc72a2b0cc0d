"""Elastic IP addresses: whether anything uses them. Known by the id of their allocation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, present, same, the_one
from demarc.readers.ec2.asked import EC2, TAGGED

_GONE = ("InvalidAllocationID.NotFound", "InvalidAllocationID.Malformed", "InvalidAddress.NotFound")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    ec2 = clients("ec2", resource.region)
    address = the_one(asked(ec2, "describe_addresses", _GONE, AllocationIds=[resource.identifier]).get("Addresses"))
    return {
        **same(address, "AllocationId", "Domain", "InstanceId", "PublicIp"),
        "Tags": address.get("Tags", []),
        "Observed": present(AssociationId=address.get("AssociationId")),
    }


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    # AWS answers with all of them at once; addresses of EC2-Classic had no allocation.
    yield [
        each["AllocationId"]
        for each in clients("ec2", region).describe_addresses().get("Addresses", ())
        if "AllocationId" in each
    ]


_NAMED = ("requestParameters.allocationId",)

EIP = Reader(
    type="AWS::EC2::EIP",
    responder="network",
    arn="arn:{partition}:ec2:{region}:{account}:elastic-ip/{identifier}",
    parts=(
        Part(
            gives=("AllocationId", "Domain", "InstanceId", "PublicIp", "Tags", "Observed.AssociationId"),
            calls={"ec2.DescribeAddresses": "ec2:DescribeAddresses"},
            read=_read,
        ),
    ),
    touches=(
        Touch(EC2, ("AllocateAddress",), ("responseElements.allocationId",), EVERYTHING),
        # Another account's address, which is this one's from then on.
        Touch(EC2, ("AcceptAddressTransfer",), ("responseElements.addressTransfer.allocationId",), EVERYTHING),
        Touch(EC2, ("ReleaseAddress",), _NAMED, EVERYTHING),
        # DisassociateAddress names the association only: the sweep sees what it leaves.
        Touch(EC2, ("AssociateAddress",), _NAMED, ("InstanceId", "Observed.AssociationId")),
        # DeleteNatGateway names no address either.
        Touch(
            EC2,
            ("CreateNatGateway",),
            ("responseElements.natGateway.natGatewayAddressSet[].allocationId", *_NAMED),
            ("Observed.AssociationId",),
        ),
        Touch(
            EC2,
            ("AssociateNatGatewayAddress", "DisassociateNatGatewayAddress"),
            ("responseElements.natGatewayAddressSet[].allocationId",),
            ("Observed.AssociationId",),
        ),
        Touch(
            EC2,
            (
                *("DisableAddressTransfer", "EnableAddressTransfer"),
                *("ModifyAddressAttribute", "ResetAddressAttribute"),
            ),
            _NAMED,
        ),
        Touch(EC2, ("CreateTags", "DeleteTags"), TAGGED, ("Tags",), "eipalloc-"),
    ),
    inventory=Inventory(calls={"ec2.DescribeAddresses": "ec2:DescribeAddresses"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (EIP,)
