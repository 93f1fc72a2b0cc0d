"""Client VPN endpoints: whether who connects is recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, paged
from demarc.readers.answers import asked, present, same, the_one
from demarc.readers.ec2.asked import EC2, TAGGED

_GONE = ("InvalidClientVpnEndpointId.NotFound", "InvalidClientVpnEndpointId.Malformed")
_ENDED = ("deleting", "deleted")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    ec2 = clients("ec2", resource.region)
    found = asked(ec2, "describe_client_vpn_endpoints", _GONE, ClientVpnEndpointIds=[resource.identifier])
    endpoint = the_one(
        [each for each in found.get("ClientVpnEndpoints", ()) if each.get("Status", {}).get("Code") not in _ENDED]
    )
    logged = endpoint.get("ConnectionLogOptions", {})
    return {
        "Id": endpoint["ClientVpnEndpointId"],
        **same(endpoint, "SplitTunnel", "VpcId"),
        "ConnectionLogOptions": present(
            Enabled=logged.get("Enabled"), CloudwatchLogGroup=logged.get("CloudwatchLogGroup")
        ),
        "Tags": endpoint.get("Tags", []),
    }


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    client = clients("ec2", region)
    return paged(client, "describe_client_vpn_endpoints", "ClientVpnEndpoints", "ClientVpnEndpointId", size=100)


_NAMED = ("requestParameters.clientVpnEndpointId",)

CLIENT_VPN_ENDPOINT = Reader(
    type="AWS::EC2::ClientVpnEndpoint",
    responder="network",
    arn="arn:{partition}:ec2:{region}:{account}:client-vpn-endpoint/{identifier}",
    parts=(
        Part(
            gives=("Id", "SplitTunnel", "VpcId", "ConnectionLogOptions", "Tags"),
            calls={"ec2.DescribeClientVpnEndpoints": "ec2:DescribeClientVpnEndpoints"},
            read=_read,
        ),
    ),
    touches=(
        Touch(EC2, ("CreateClientVpnEndpoint",), ("responseElements.clientVpnEndpointId",), EVERYTHING),
        Touch(EC2, ("DeleteClientVpnEndpoint",), _NAMED, EVERYTHING),
        Touch(EC2, ("ModifyClientVpnEndpoint",), _NAMED, ("ConnectionLogOptions", "SplitTunnel")),
        # These say who comes in and how far, which no control asks yet; the endpoint is looked at all the same.
        Touch(
            EC2,
            (
                *("AuthorizeClientVpnIngress", "RevokeClientVpnIngress"),
                *("ModifyClientVpnEndpointAuthorizationPolicy", "DeleteClientVpnEndpointAuthorizationPolicy"),
                *("AssociateClientVpnTargetNetwork", "DisassociateClientVpnTargetNetwork"),
                *("ApplySecurityGroupsToClientVpnTargetNetwork", "ImportClientVpnClientCertificateRevocationList"),
                *("CreateClientVpnRoute", "DeleteClientVpnRoute"),
            ),
            _NAMED,
        ),
        Touch(EC2, ("CreateTags", "DeleteTags"), TAGGED, ("Tags",), "cvpn-endpoint-"),
    ),
    inventory=Inventory(calls={"ec2.DescribeClientVpnEndpoints": "ec2:DescribeClientVpnEndpoints"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (CLIENT_VPN_ENDPOINT,)
