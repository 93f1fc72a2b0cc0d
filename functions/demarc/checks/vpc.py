"""How networks are closed: network ACLs by the order of their rules, and the services that have a private way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.checks import needs
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot

_WORLD = ("0.0.0.0/0", "::/0")
# All protocols, and TCP, by the numbers that network ACLs have for them.
_OF_TCP = ("-1", "6")
_INGRESS = "Observed.Ingress"


@needs(_INGRESS)
def acl_closes_ports_to_the_world(snapshot: Snapshot, *, ports: Sequence[int]) -> Iterator[Drift]:
    """Each rule that lets the whole internet reach a port (NIST SP 800-53 SC-7; Security Hub EC2.21; CIS AWS 5.2).

    The first rule that matches decides (Amazon VPC User Guide, "Network ACL rules"); of rules for the whole internet
    only these can be the first.

    Args:
        snapshot: a network ACL.
        ports: TCP ports that only some networks may reach.
    """
    rules = sorted(snapshot[_INGRESS] or (), key=lambda rule: rule["RuleNumber"])
    told: list[int] = []
    for port in ports:
        for family in ("CidrBlock", "Ipv6CidrBlock"):
            rule = next((each for each in rules if each.get(family) in _WORLD and _is_about(each, port)), None)
            if rule and rule["RuleAction"] == "allow" and rule["RuleNumber"] not in told:
                told.append(rule["RuleNumber"])
                yield Drift(
                    path=_INGRESS,
                    required=f"no rule that lets the whole internet reach port {port}",
                    actual={name: value for name, value in rule.items() if name != "Egress"},
                    because=f"rule {rule['RuleNumber']} is the first that matches port {port}",
                )


def _is_about(rule: Mapping[str, Any], port: int) -> bool:
    if rule["Protocol"] not in _OF_TCP:
        return False
    ports = rule.get("PortRange")
    return rule["Protocol"] == "-1" or ports is None or ports["From"] <= port <= ports["To"]


@needs("Observed.EndpointServices")
def has_endpoints_for(snapshot: Snapshot, *, services: Sequence[str]) -> Iterator[Drift]:
    """Each service that a VPC has no endpoint for (NIST SP 800-53 SC-7(4), AC-4(21); Security Hub EC2.10).

    Args:
        snapshot: a VPC.
        services: the last words of the services' names: `ec2`, `ssm`.
    """
    for service in services:
        if service not in (snapshot["Observed.EndpointServices"] or ()):
            yield Drift("Observed.EndpointServices", f"an endpoint for {service}", "none")


_ROUTES = "Observed.Routes"


@needs(_ROUTES)
def has_no_route_that_leads_nowhere(snapshot: Snapshot) -> Iterator[Drift]:
    """Each route to something that is not there any more (NIST SP 800-53 CM-2; Amazon VPC User Guide, "Blackhole")."""
    for index, route in enumerate(snapshot[_ROUTES] or ()):
        if route.get("State") == "blackhole":
            to = route.get("DestinationCidrBlock") or route.get("DestinationIpv6CidrBlock")
            yield Drift(f"{_ROUTES}[{index}].State", "active", "blackhole", because=f"the route to {to} leads nowhere")


@needs(_ROUTES)
def peers_are_reached_narrowly(snapshot: Snapshot) -> Iterator[Drift]:
    """Each route that sends everything to a peer (NIST SP 800-53 AC-4, SC-7; CIS AWS 5.6)."""
    for index, route in enumerate(snapshot[_ROUTES] or ()):
        to = route.get("DestinationCidrBlock") or route.get("DestinationIpv6CidrBlock")
        if route.get("VpcPeeringConnectionId") and to in _WORLD:
            yield Drift(
                f"{_ROUTES}[{index}]", "the peer's own addresses", to, because="every address is sent to a peer"
            )
