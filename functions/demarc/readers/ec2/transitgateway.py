"""Transit gateways: whom they let in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, paged
from demarc.readers.answers import asked, same, the_one
from demarc.readers.ec2.asked import EC2, PAGE, TAGGED

_GONE = ("InvalidTransitGatewayID.NotFound", "InvalidTransitGatewayID.Malformed")
_OPTIONS = ("AutoAcceptSharedAttachments", "DefaultRouteTableAssociation", "DefaultRouteTablePropagation", "DnsSupport")
_ENDED = ("deleting", "deleted")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    ec2 = clients("ec2", resource.region)
    found = asked(ec2, "describe_transit_gateways", _GONE, TransitGatewayIds=[resource.identifier])
    gateway = the_one([each for each in found.get("TransitGateways", ()) if each.get("State") not in _ENDED])
    return {
        "Id": gateway["TransitGatewayId"],
        **same(gateway.get("Options", {}), *_OPTIONS),
        "Tags": gateway.get("Tags", []),
    }


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    return paged(clients("ec2", region), "describe_transit_gateways", "TransitGateways", "TransitGatewayId", size=PAGE)


TRANSIT_GATEWAY = Reader(
    type="AWS::EC2::TransitGateway",
    responder="network",
    arn="arn:{partition}:ec2:{region}:{account}:transit-gateway/{identifier}",
    parts=(
        Part(
            gives=("Id", *_OPTIONS, "Tags"),
            calls={"ec2.DescribeTransitGateways": "ec2:DescribeTransitGateways"},
            read=_read,
        ),
    ),
    touches=(
        Touch(EC2, ("CreateTransitGateway",), ("responseElements.transitGateway.transitGatewayId",), EVERYTHING),
        Touch(EC2, ("DeleteTransitGateway",), ("requestParameters.transitGatewayId",), EVERYTHING),
        Touch(EC2, ("ModifyTransitGateway",), ("requestParameters.transitGatewayId",), _OPTIONS),
        # Who asks to be let in, and who is: the acceptance names the attachment, and its answer the gateway.
        Touch(
            EC2,
            ("CreateTransitGatewayPeeringAttachment", "CreateTransitGatewayVpcAttachment"),
            ("requestParameters.transitGatewayId",),
        ),
        Touch(
            EC2,
            (
                *("AcceptTransitGatewayClientVpnAttachment", "AcceptTransitGatewayPeeringAttachment"),
                "AcceptTransitGatewayVpcAttachment",
            ),
            (
                "responseElements.transitGatewayClientVpnAttachment.transitGatewayId",
                "responseElements.transitGatewayPeeringAttachment.accepterTgwInfo.transitGatewayId",
                "responseElements.transitGatewayVpcAttachment.transitGatewayId",
            ),
        ),
        Touch(EC2, ("CreateTags", "DeleteTags"), TAGGED, ("Tags",), "tgw-"),
    ),
    inventory=Inventory(calls={"ec2.DescribeTransitGateways": "ec2:DescribeTransitGateways"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (TRANSIT_GATEWAY,)
