"""VPC endpoints: who may use them for what."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, paged
from demarc.readers.answers import asked, present, same, the_one
from demarc.readers.ec2.asked import EC2, PAGE, TAGGED

_GONE = ("InvalidVpcEndpointId.NotFound", "InvalidVpcEndpoint.NotFound", "InvalidVpcEndpointId.Malformed")
_ENDED = ("deleting", "deleted")
_SAME = ("PrivateDnsEnabled", "ServiceName", "VpcEndpointType", "VpcId")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    ec2 = clients("ec2", resource.region)
    found = asked(ec2, "describe_vpc_endpoints", _GONE, VpcEndpointIds=[resource.identifier])
    # EC2 writes states of endpoints large and small.
    endpoint = the_one([each for each in found.get("VpcEndpoints", ()) if each.get("State", "").lower() not in _ENDED])
    policy = endpoint.get("PolicyDocument")
    return {
        **same(endpoint, *_SAME),
        **present(PolicyDocument=json.loads(policy) if policy else None),
        "Id": endpoint["VpcEndpointId"],
        "Tags": endpoint.get("Tags", []),
        "Observed": {"RequesterManaged": endpoint.get("RequesterManaged", False)},
    }


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    return paged(clients("ec2", region), "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", size=PAGE)


VPC_ENDPOINT = Reader(
    type="AWS::EC2::VPCEndpoint",
    responder="network",
    arn="arn:{partition}:ec2:{region}:{account}:vpc-endpoint/{identifier}",
    parts=(
        Part(
            gives=(*_SAME, "Id", "PolicyDocument", "Tags", "Observed.RequesterManaged"),
            calls={"ec2.DescribeVpcEndpoints": "ec2:DescribeVpcEndpoints"},
            read=_read,
        ),
    ),
    touches=(
        Touch(EC2, ("CreateVpcEndpoint",), ("responseElements.vpcEndpoint.vpcEndpointId",), EVERYTHING),
        Touch(EC2, ("DeleteVpcEndpoints",), ("requestParameters.vpcEndpointId[]",), EVERYTHING),
        Touch(
            EC2, ("ModifyVpcEndpoint",), ("requestParameters.vpcEndpointId",), ("PolicyDocument", "PrivateDnsEnabled")
        ),
        Touch(EC2, ("CreateTags", "DeleteTags"), TAGGED, ("Tags",), "vpce-"),
    ),
    inventory=Inventory(calls={"ec2.DescribeVpcEndpoints": "ec2:DescribeVpcEndpoints"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (VPC_ENDPOINT,)
