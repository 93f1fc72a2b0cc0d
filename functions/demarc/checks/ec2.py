"""What security groups let in, and how instances are exposed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from demarc.checks import NotApplicable, needs
from demarc.core import network
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot, Unread

_INGRESS = "SecurityGroupIngress"
_PREFIX_LISTS = "Observed.PrefixLists"

# Tags by which Kubernetes and EKS mark the nodes whose interfaces the cluster attaches by itself.
_CLUSTER_TAGS = ("kubernetes.io/cluster/", "eks:")

# What Systems Manager says of an agent that has reported lately.
_REPORTS = "Online"


@needs(_INGRESS, _PREFIX_LISTS)
def ports_are_closed_to_the_world(
    snapshot: Snapshot, *, tcp: Sequence[int] = (), udp: Sequence[int] = (), family: int | None = None
) -> Iterator[Drift]:
    """Each ingress rule through which the world reaches one of the ports (NIST SP 800-53 SC-7, CIS AWS 5.3 and 5.4).

    Args:
        snapshot: a security group.
        tcp: TCP ports that the world must not reach.
        udp: UDP ports that the world must not reach.
        family: 4 or 6 to ask about that family of addresses only.
    """
    traffic = {"tcp": [(port, port) for port in tcp], "udp": [(port, port) for port in udp]}
    yield from _openings(snapshot, _rules(snapshot), traffic, family)


@needs(_INGRESS, _PREFIX_LISTS)
def only_listed_ports_are_open_to_the_world(
    snapshot: Snapshot, *, tcp: Sequence[int] = (), udp: Sequence[int] = ()
) -> Iterator[Drift]:
    """Each ingress rule through which the world reaches a port that is not listed (NIST SP 800-53 CM-7, SC-7(5))."""
    traffic = {"tcp": network.all_but(tcp), "udp": network.all_but(udp)}
    yield from _openings(snapshot, _rules(snapshot), traffic, None)


@needs(_INGRESS, _PREFIX_LISTS)
def no_rule_opens_every_port_to_the_world(snapshot: Snapshot) -> Iterator[Drift]:
    """Each ingress rule that lets the world reach every port or every protocol (NIST SP 800-53 SC-7(5))."""
    wide = [rule for rule in _rules(snapshot) if network.ports_of(rule) == network.EVERY_PORT]
    traffic = {"tcp": [network.EVERY_PORT], "udp": [network.EVERY_PORT]}
    yield from _openings(snapshot, wide, traffic, None)


@needs(_INGRESS)
def no_wide_public_range_is_let_in(
    snapshot: Snapshot, *, ipv4: int, ipv6: int, tcp: Sequence[int] = ()
) -> Iterator[Drift]:
    """Each ingress rule from a public range with a shorter mask than given, beyond ports meant for everybody (AC-4).

    Prefix lists are left out: somebody curates what is in them. So are sources that are the world by themselves, which
    other controls judge.

    Args:
        snapshot: a security group.
        ipv4: the shortest mask that an IPv4 range may have.
        ipv6: the shortest mask that an IPv6 range may have.
        tcp: TCP ports that may be open to wide ranges.
    """
    addressed = [rule for rule in _rules(snapshot) if ("CidrIp" in rule or "CidrIpv6" in rule) and _beyond(rule, tcp)]
    unknown = [why for rule in addressed if (why := network.why_unknown(rule))]
    known = [rule for rule in addressed if not network.why_unknown(rule)]
    wide = [rule for rule in known if network.is_wide(_cidr(rule), ipv4=ipv4, ipv6=ipv6)]
    if unknown and not wide:
        raise Unread(_INGRESS, unknown[0])
    for rule in sorted(wide, key=_sorting):
        if not network.is_world([_cidr(rule)]):
            required = f"a source no wider than /{ipv4} (IPv4) or /{ipv6} (IPv6)"
            yield Drift(_INGRESS, required, _plain(rule), f"{_cidr(rule)} is too wide to be anybody's own network")


@needs("Observed.NetworkInterfaceCount", "Tags")
def has_one_network_interface(snapshot: Snapshot) -> Iterator[Drift]:
    """More than one interface joins networks that routing keeps apart (NIST SP 800-53 AC-4(21)).

    Raises:
        NotApplicable: if the instance is a cluster's node, whose interfaces the cluster attaches.
    """
    if any(key.startswith(_CLUSTER_TAGS) for key in snapshot.tags):
        raise NotApplicable("the instance is a Kubernetes node; its cluster attaches the interfaces")
    count = snapshot["Observed.NetworkInterfaceCount"] or 0
    if count > 1:
        yield Drift("Observed.NetworkInterfaceCount", {"at_most": 1}, count)


@needs("State", "Observed.StoppedAt")
def has_not_been_stopped_for_long(snapshot: Snapshot, *, days: int) -> Iterator[Drift]:
    """An instance that nobody has needed for days still has a disk, a role and no patches (NIST SP 800-53 CM-2)."""
    stopped_at = snapshot["Observed.StoppedAt"]
    if snapshot["State.Name"] != "stopped" or stopped_at is None:
        return
    if snapshot.observed_at - datetime.fromisoformat(stopped_at) > timedelta(days=days):
        yield Drift("State.Name", f"stopped for at most {days} days", f"stopped since {stopped_at}")


@needs("State", "Observed.AgentStatus", "Observed.LaunchedAt", "Observed.Operator")
def is_managed(snapshot: Snapshot, *, minutes: int) -> Iterator[Drift]:
    """That Systems Manager hears of a running instance's agent (NIST SP 800-53 CM-8, SI-2; Security Hub SSM.1).

    AWS Systems Manager User Guide, "Troubleshooting managed node availability": agents register by themselves, and
    report every five minutes.

    Args:
        snapshot: an instance.
        minutes: how long an agent has to report for the first time after the instance was started.

    Raises:
        NotApplicable: if no agent can report, if it still has time to, or if a service of AWS's runs the instance.
    """
    if operator := snapshot["Observed.Operator"]:
        # Amazon EC2 User Guide, "Amazon EC2 managed instances": nobody but the service may put anything on it.
        raise NotApplicable(f"{operator} runs the instance, and decides what is on it")
    if snapshot["State.Name"] != "running":
        raise NotApplicable(f"no agent reports while the instance is {snapshot['State.Name']}")
    status, launched_at = snapshot["Observed.AgentStatus"], snapshot["Observed.LaunchedAt"]
    if status == _REPORTS:
        return
    if launched_at and snapshot.observed_at - datetime.fromisoformat(launched_at) < timedelta(minutes=minutes):
        raise NotApplicable(f"it was started less than {minutes} minutes ago, and its agent may still be to report")
    because = "its agent has fallen silent" if status else "no agent on it has ever reported to Systems Manager"
    yield Drift("Observed.AgentStatus", _REPORTS, status, because)


def _cidr(rule: Mapping[str, Any]) -> str:
    return str(rule.get("CidrIp") or rule.get("CidrIpv6"))


def _rules(snapshot: Snapshot) -> Sequence[Mapping[str, Any]]:
    rules: Sequence[Mapping[str, Any]] = snapshot[_INGRESS] or ()
    return rules


def _openings(
    snapshot: Snapshot,
    rules: Sequence[Mapping[str, Any]],
    traffic: Mapping[str, Sequence[network.Ports]],
    family: int | None,
) -> Iterator[Drift]:
    # Asked only where it was read: a rule that is plainly open decides without the prefix lists of the others.
    prefix_lists = (snapshot[_PREFIX_LISTS] if _PREFIX_LISTS in snapshot.read else None) or {}
    for opening in network.openings(rules, traffic, prefix_lists=prefix_lists, family=family):
        who = "together with other rules, the whole internet" if opening.together else "the whole internet"
        yield Drift(
            path=_INGRESS,
            required="a source that is not the whole internet",
            actual=_plain(opening.rule),
            because=f"{who} reaches {', '.join(opening.reaches)}",
        )


def _beyond(rule: Mapping[str, Any], tcp: Sequence[int]) -> bool:
    """Whether a rule admits anything but the given TCP ports and ICMP."""
    ports = network.ports_of(rule)
    if ports is None:
        return False
    first, last = ports
    return network.protocol_of(rule) != "tcp" or last - first >= len(tcp) or not set(range(first, last + 1)) <= set(tcp)


def _plain(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule without its description: rewording it is not a drift."""
    return {name: value for name, value in rule.items() if name != "Description"}


def _sorting(rule: Mapping[str, Any]) -> list[tuple[str, str]]:
    """An order that does not depend on the order in which AWS lists the rules."""
    return sorted((name, str(value)) for name, value in _plain(rule).items())
