"""Site-to-site VPN connections: whether both tunnels stand, and whether they are logged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, same, the_one
from demarc.readers.ec2.asked import EC2, TAGGED

_GONE = ("InvalidVpnConnectionID.NotFound", "InvalidVpnConnectionID.Malformed")
_ENDED = ("deleting", "deleted")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    ec2 = clients("ec2", resource.region)
    found = asked(ec2, "describe_vpn_connections", _GONE, VpnConnectionIds=[resource.identifier])
    vpn = the_one([each for each in found.get("VpnConnections", ()) if each.get("State") not in _ENDED])
    # The options have the tunnels' shared keys too; nothing but whether they are logged is kept of them.
    tunnels = vpn.get("Options", {}).get("TunnelOptions", ())
    return {
        **same(vpn, "CustomerGatewayId", "TransitGatewayId", "Type", "VpnConnectionId", "VpnGatewayId"),
        "Tags": vpn.get("Tags", []),
        "Observed": {
            "Tunnels": [each.get("Status") for each in vpn.get("VgwTelemetry", ())],
            "TunnelsLogged": [
                each.get("LogOptions", {}).get("CloudWatchLogOptions", {}).get("LogEnabled", False) for each in tunnels
            ],
        },
    }


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    # AWS answers with all of them at once: an account may have fifty.
    found = clients("ec2", region).describe_vpn_connections()
    yield [each["VpnConnectionId"] for each in found.get("VpnConnections", ())]


_NAMED = ("requestParameters.vpnConnectionId",)
_TUNNELS = ("Observed.Tunnels", "Observed.TunnelsLogged")

VPN_CONNECTION = Reader(
    type="AWS::EC2::VPNConnection",
    responder="network",
    arn="arn:{partition}:ec2:{region}:{account}:vpn-connection/{identifier}",
    parts=(
        Part(
            gives=(
                *("CustomerGatewayId", "TransitGatewayId", "Type", "VpnConnectionId", "VpnGatewayId", "Tags"),
                *_TUNNELS,
            ),
            calls={"ec2.DescribeVpnConnections": "ec2:DescribeVpnConnections"},
            read=_read,
        ),
    ),
    touches=(
        Touch(EC2, ("CreateVpnConnection",), ("responseElements.vpnConnection.vpnConnectionId",), EVERYTHING),
        Touch(EC2, ("DeleteVpnConnection",), _NAMED, EVERYTHING),
        Touch(
            EC2,
            ("ModifyVpnConnection", "ModifyVpnConnectionOptions", "ModifyVpnTunnelOptions", "ReplaceVpnTunnel"),
            _NAMED,
            _TUNNELS,
        ),
        Touch(EC2, ("ModifyVpnTunnelCertificate", "CreateVpnConnectionRoute", "DeleteVpnConnectionRoute"), _NAMED),
        Touch(EC2, ("CreateTags", "DeleteTags"), TAGGED, ("Tags",), "vpn-"),
    ),
    inventory=Inventory(calls={"ec2.DescribeVpnConnections": "ec2:DescribeVpnConnections"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (VPN_CONNECTION,)
