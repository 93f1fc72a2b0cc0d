"""Network ACLs: what they let into a subnet, and whether they guard any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, paged
from demarc.readers.answers import asked, same, the_one
from demarc.readers.ec2.asked import EC2, PAGE, TAGGED

_GONE = ("InvalidNetworkAclID.NotFound", "InvalidNetworkAclId.Malformed", "InvalidNetworkAclID.Malformed")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    ec2 = clients("ec2", resource.region)
    acl = the_one(asked(ec2, "describe_network_acls", _GONE, NetworkAclIds=[resource.identifier]).get("NetworkAcls"))
    return {
        "Id": acl["NetworkAclId"],
        **same(acl, "VpcId"),
        "Tags": acl.get("Tags", []),
        "Observed": {
            "IsDefault": acl.get("IsDefault", False),
            "Subnets": len(acl.get("Associations", ())),
            "Ingress": [_entry(each) for each in acl.get("Entries", ()) if not each.get("Egress")],
        },
    }


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A rule with the words of CloudFormation's type of it; protocol -1 is all of them."""
    return {
        **same(entry, "RuleNumber", "RuleAction", "CidrBlock", "Ipv6CidrBlock", "PortRange"),
        "Protocol": str(entry.get("Protocol", "-1")),
    }


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    return paged(clients("ec2", region), "describe_network_acls", "NetworkAcls", "NetworkAclId", size=PAGE)


_NAMED = ("requestParameters.networkAclId",)
_INGRESS = ("Observed.Ingress",)

NETWORK_ACL = Reader(
    type="AWS::EC2::NetworkAcl",
    responder="network",
    arn="arn:{partition}:ec2:{region}:{account}:network-acl/{identifier}",
    parts=(
        Part(
            gives=("Id", "VpcId", "Tags", "Observed.IsDefault", "Observed.Subnets", "Observed.Ingress"),
            calls={"ec2.DescribeNetworkAcls": "ec2:DescribeNetworkAcls"},
            read=_read,
        ),
    ),
    touches=(
        Touch(EC2, ("CreateNetworkAcl",), ("responseElements.networkAcl.networkAclId",), EVERYTHING),
        Touch(EC2, ("DeleteNetworkAcl",), _NAMED, EVERYTHING),
        Touch(EC2, ("CreateNetworkAclEntry", "DeleteNetworkAclEntry", "ReplaceNetworkAclEntry"), _NAMED, _INGRESS),
        Touch(EC2, ("ReplaceNetworkAclAssociation",), _NAMED, ("Observed.Subnets",)),
        Touch(EC2, ("CreateTags", "DeleteTags"), TAGGED, ("Tags",), "acl-"),
    ),
    inventory=Inventory(calls={"ec2.DescribeNetworkAcls": "ec2:DescribeNetworkAcls"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (NETWORK_ACL,)
