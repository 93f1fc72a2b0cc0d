"""Route tables: what leads out of a VPC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, paged
from demarc.readers.answers import asked, same, the_one
from demarc.readers.ec2.asked import EC2, TAGGED

_GONE = ("InvalidRouteTableID.NotFound", "InvalidRouteTableId.Malformed", "InvalidRouteTableID.Malformed")
_ROUTE = (
    *("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId", "GatewayId", "InstanceId"),
    *("NatGatewayId", "NetworkInterfaceId", "State", "TransitGatewayId", "VpcPeeringConnectionId"),
)


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    ec2 = clients("ec2", resource.region)
    table = the_one(asked(ec2, "describe_route_tables", _GONE, RouteTableIds=[resource.identifier]).get("RouteTables"))
    return {
        **same(table, "RouteTableId", "VpcId"),
        "Tags": table.get("Tags", []),
        "Observed": {"Routes": [same(route, *_ROUTE) for route in table.get("Routes", ())]},
    }


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    # A table may have a thousand routes, and only its id is wanted.
    return paged(clients("ec2", region), "describe_route_tables", "RouteTables", "RouteTableId", size=100)


_NAMED = ("requestParameters.routeTableId",)
_ROUTES = ("Observed.Routes",)

ROUTE_TABLE = Reader(
    type="AWS::EC2::RouteTable",
    responder="network",
    arn="arn:{partition}:ec2:{region}:{account}:route-table/{identifier}",
    parts=(
        Part(
            gives=("RouteTableId", "VpcId", "Tags", *_ROUTES),
            calls={"ec2.DescribeRouteTables": "ec2:DescribeRouteTables"},
            read=_read,
        ),
    ),
    touches=(
        Touch(EC2, ("CreateRouteTable",), ("responseElements.routeTable.routeTableId",), EVERYTHING),
        Touch(EC2, ("DeleteRouteTable",), _NAMED, EVERYTHING),
        Touch(EC2, ("CreateRoute", "DeleteRoute", "ReplaceRoute"), _NAMED, _ROUTES),
        Touch(EC2, ("AssociateRouteTable", "ReplaceRouteTableAssociation"), _NAMED),
        Touch(
            EC2,
            (
                *("DisableRouteServerPropagation", "EnableRouteServerPropagation"),
                *("DisableVgwRoutePropagation", "EnableVgwRoutePropagation"),
            ),
            _NAMED,
            _ROUTES,
        ),
        Touch(EC2, ("CreateTags", "DeleteTags"), TAGGED, ("Tags",), "rtb-"),
    ),
    inventory=Inventory(calls={"ec2.DescribeRouteTables": "ec2:DescribeRouteTables"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (ROUTE_TABLE,)
