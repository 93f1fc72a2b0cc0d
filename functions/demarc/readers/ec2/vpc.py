"""VPCs: what records their traffic, and which services they reach without the internet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, paged
from demarc.readers.answers import asked, every, same, the_one
from demarc.readers.ec2.asked import EC2, PAGE, TAGGED

_GONE = ("InvalidVpcID.NotFound", "InvalidVpcID.Malformed", "InvalidVpcId.Malformed")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    ec2 = clients("ec2", resource.region)
    vpc = the_one(asked(ec2, "describe_vpcs", _GONE, VpcIds=[resource.identifier]).get("Vpcs"))
    return {
        **same(vpc, "VpcId", "CidrBlock", "InstanceTenancy"),
        "Tags": vpc.get("Tags", []),
        "Observed": {"IsDefault": vpc.get("IsDefault", False)},
    }


def _flow_logs(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """Logs of the whole VPC; those of its subnets or interfaces alone leave gaps."""
    filters = [{"Name": "resource-id", "Values": [resource.identifier]}]
    logs = every(clients("ec2", resource.region), "describe_flow_logs", "FlowLogs", (), Filters=filters)
    return {"Observed": {"FlowLogs": [same(log, "FlowLogId", "FlowLogStatus", "TrafficType") for log in logs]}}


def _endpoints(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """The services that have an endpoint, by the last words of their names: `ec2`, `ecr.api`."""
    filters = [{"Name": "vpc-id", "Values": [resource.identifier]}]
    pages = clients("ec2", resource.region).get_paginator("describe_vpc_endpoints").paginate(Filters=filters)
    names = {
        each["ServiceName"].partition(f".{resource.region}.")[2] or each["ServiceName"]
        for page in pages
        for each in page.get("VpcEndpoints", ())
        if each.get("State", "available").lower() == "available"
    }
    return {"Observed": {"EndpointServices": sorted(names)}}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    return paged(clients("ec2", region), "describe_vpcs", "Vpcs", "VpcId", size=PAGE)


_NAMED = ("requestParameters.vpcId",)

VPC = Reader(
    type="AWS::EC2::VPC",
    responder="network",
    arn="arn:{partition}:ec2:{region}:{account}:vpc/{identifier}",
    parts=(
        Part(
            gives=("VpcId", "CidrBlock", "InstanceTenancy", "Tags", "Observed.IsDefault"),
            calls={"ec2.DescribeVpcs": "ec2:DescribeVpcs"},
            read=_read,
        ),
        Part(gives=("Observed.FlowLogs",), calls={"ec2.DescribeFlowLogs": "ec2:DescribeFlowLogs"}, read=_flow_logs),
        Part(
            gives=("Observed.EndpointServices",),
            calls={"ec2.DescribeVpcEndpoints": "ec2:DescribeVpcEndpoints"},
            read=_endpoints,
        ),
    ),
    # DeleteFlowLogs and DeleteVpcEndpoints name no VPC: the sweep sees what they leave.
    touches=(
        Touch(EC2, ("CreateVpc", "CreateDefaultVpc"), ("responseElements.vpc.vpcId",), EVERYTHING),
        Touch(EC2, ("DeleteVpc",), _NAMED, EVERYTHING),
        Touch(EC2, ("ModifyVpcTenancy",), _NAMED, ("InstanceTenancy",)),
        Touch(EC2, ("AssociateVpcCidrBlock",), _NAMED, ("CidrBlock",)),
        Touch(EC2, ("DisassociateVpcCidrBlock",), ("responseElements.vpcId",), ("CidrBlock",)),
        Touch(EC2, ("CreateFlowLogs",), ("requestParameters.resourceId[]",), ("Observed.FlowLogs",), "vpc-"),
        Touch(EC2, ("CreateVpcEndpoint",), _NAMED, ("Observed.EndpointServices",)),
        Touch(EC2, ("ModifyVpcAttribute", "AttachInternetGateway", "DetachInternetGateway"), _NAMED),
        Touch(EC2, ("CreateTags", "DeleteTags"), TAGGED, ("Tags",), "vpc-"),
    ),
    inventory=Inventory(calls={"ec2.DescribeVpcs": "ec2:DescribeVpcs"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (VPC,)
