"""What security group rules let in: which sources are the world, and which protocols and ports they reach.

Rules are entries of `SecurityGroupIngress` or `SecurityGroupEgress` of `AWS::EC2::SecurityGroup`. They only ever
allow, and their order means nothing (Amazon VPC User Guide, "Security group rules"), so they are judged together,
port by port.

Sources are *the world* when they hold at least half of the addresses of their family: 0.0.0.0/0 and ::/0, one half of
the internet alone (0.0.0.0/1), or many ranges that add up to it. For IPv6 the whole is 2000::/3, all that IANA
allocates for global unicast; ::/0 hides behind no smaller range than that.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from demarc.core.snapshot import Unread

Rule = Mapping[str, Any]
Ports = tuple[int, int]

EVERY_PORT: Ports = (0, 65535)
EVERY_PROTOCOL = "-1"

# The numbers are IANA's; EC2 takes either spelling for these four and a number for every other protocol.
_NAMES = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": EVERY_PROTOCOL}
_WITHOUT_PORTS = ("icmp", "icmpv6")
_ADDRESSES = ("CidrIp", "CidrIpv6")
_PREFIX_LISTS = ("SourcePrefixListId", "DestinationPrefixListId")


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbouring addresses of one family (4 or 6), first to last, as numbers."""

    family: int
    first: int
    last: int

    @property
    def size(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Opening:
    """A rule that lets the world in. `reaches` is what of the traffic asked about, as in `tcp 22`.

    `together` says that the rule's source is the world only with the sources of other rules.
    """

    rule: Rule
    reaches: tuple[str, ...]
    together: bool = False


@lru_cache(maxsize=4096)
def span(cidr: str) -> Span:
    """The addresses of a CIDR block; bits below the mask are ignored, as EC2 does.

    Raises:
        ValueError: if it is none.
    """
    network = ipaddress.ip_network(cidr, strict=False)
    return Span(network.version, int(network.network_address), int(network.broadcast_address))


# What is counted as the whole of a family: IPv6 beyond 2000::/3 is not routed on the internet (RFC 4291, IANA).
_INTERNET = {4: span("0.0.0.0/0"), 6: span("2000::/3")}

# Addresses that nobody on the internet has: RFC 1918, 6598, 1122, 3927; RFC 4193, 4291.
_PRIVATE = tuple(
    span(cidr)
    for cidr in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("fc00::/7", "fe80::/10", "::1/128"),
    )
)


@lru_cache(maxsize=4096)
def _routed(cidr: str) -> Span | None:
    """The part of a block that the internet can reach, None where there is none."""
    block = span(cidr)
    whole = _INTERNET[block.family]
    first, last = max(block.first, whole.first), min(block.last, whole.last)
    return Span(block.family, first, last) if first <= last else None


def is_world(cidrs: Iterable[str]) -> bool:
    """Whether sources, alone or together, are the world (see the module's first lines).

    Raises:
        ValueError: if one is not a CIDR block.
    """
    spans = [routed for cidr in cidrs if (routed := _routed(cidr))]
    return any(_hold_half(_of(family, spans)) for family in _INTERNET)


def _hold_half(spans: Sequence[Span]) -> bool:
    """Whether spans of one family cover half of it, each address counted once."""
    if not spans:
        return False
    half = _INTERNET[spans[0].family].size // 2
    if sum(each.size for each in spans) < half:
        return False
    covered, seen = 0, -1
    for each in sorted(spans, key=lambda each: each.first):
        covered += max(0, each.last - max(each.first, seen + 1) + 1)
        seen = max(seen, each.last)
    return covered >= half


@lru_cache(maxsize=4096)
def is_wide(cidr: str, *, ipv4: int, ipv6: int) -> bool:
    """Whether a source is a public range with a mask shorter than the given prefix length of its family.

    Raises:
        ValueError: if it is not a CIDR block.
    """
    block = span(cidr)
    if any(_inside(block, private) for private in _PRIVATE):
        return False
    return block.size > (1 << (32 - ipv4) if block.family == 4 else 1 << (128 - ipv6))


def _inside(block: Span, whole: Span) -> bool:
    return block.family == whole.family and whole.first <= block.first and block.last <= whole.last


def protocol_of(rule: Rule) -> str:
    """`tcp`, `udp`, `icmp`, `icmpv6`, `-1` for every protocol, or the number of another one."""
    name = str(rule.get("IpProtocol", EVERY_PROTOCOL)).lower()
    return _NAMES.get(name, name)


def ports_of(rule: Rule) -> Ports | None:
    """The ports a rule admits, first to last; None for ICMP, whose FromPort and ToPort are a type and a code.

    Missing ports and -1 are every port; so is whatever a protocol other than TCP and UDP carries
    (Amazon EC2 API Reference, IpPermission). Ports that a template does not spell out might be any.
    """
    protocol = protocol_of(rule)
    if protocol in _WITHOUT_PORTS:
        return None
    first, last = rule.get("FromPort", -1), rule.get("ToPort", -1)
    if protocol not in ("tcp", "udp") or -1 in (first, last) or not (_is_port(first) and _is_port(last)):
        return EVERY_PORT
    return int(first), int(last)


def _is_port(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and value.isdecimal())


def admits(rule: Rule, protocol: str, port: int) -> bool:
    """Whether a rule lets traffic of a protocol (`tcp`, `udp`) to a port through, from whatever source."""
    return bool(_reach(rule, protocol, ((port, port),)))


def _reach(rule: Rule, protocol: str, wanted: Iterable[Ports]) -> list[Ports]:
    """Which of the wanted ports a rule admits."""
    if protocol_of(rule) not in (protocol, EVERY_PROTOCOL):
        return []
    ports = ports_of(rule)
    if ports is None:
        return []
    first, last = ports
    return [(max(first, low), min(last, high)) for low, high in wanted if low <= last and first <= high]


def all_but(ports: Iterable[int]) -> tuple[Ports, ...]:
    """Every port except the given ones, as ranges."""
    ranges, low = [], EVERY_PORT[0]
    for port in sorted(set(ports)):
        if low < port:
            ranges.append((low, port - 1))
        low = port + 1
    if low <= EVERY_PORT[1]:
        ranges.append((low, EVERY_PORT[1]))
    return tuple(ranges)


def prefix_list_of(rule: Rule) -> str | None:
    """The id of the prefix list that a rule takes its addresses from, None where it names them itself."""
    return next((str(rule[name]) for name in _PREFIX_LISTS if rule.get(name)), None)


def openings(
    rules: Sequence[Rule],
    traffic: Mapping[str, Sequence[Ports]],
    *,
    prefix_lists: Mapping[str, Sequence[str]],
    family: int | None = None,
    direction: str = "SecurityGroupIngress",
) -> tuple[Opening, ...]:
    """The rules through which the world, alone or together, reaches any of the traffic; the same in any order of rules.

    Args:
        rules: every rule of a group in one direction.
        traffic: the ports asked about, by protocol (`tcp`, `udp`).
        prefix_lists: the CIDR blocks of the prefix lists that were read, by id.
        family: 4 or 6 to ask about that family only.
        direction: the property that the rules are read from, for the reason when there is no answer.

    Raises:
        Unread: if no known source is the world, but one that could not be read might be.
    """
    sources = _sources(tuple(_key_of(rule, prefix_lists) for rule in rules), family)
    found: dict[int, Opening] = {}
    for protocol, wanted in traffic.items():
        for index in sources.world:
            _note(found, index, rules, protocol, wanted, together=False)
        for index in _together(sources.parts, rules, protocol, wanted):
            _note(found, index, rules, protocol, wanted, together=True)
    if not found:
        _raise_if_undecided(sources.unknown, rules, traffic, direction)
    return tuple(sorted(found.values(), key=_order))


@dataclass(frozen=True, slots=True)
class _Sources:
    """Rules by what their source is: the world, a part that might add up to it with others, or unknown and why."""

    world: tuple[int, ...]
    parts: Mapping[int, tuple[Span, ...]]
    unknown: Mapping[int, str]


@lru_cache(maxsize=256)
def _sources(keys: tuple[tuple[Any, ...], ...], family: int | None) -> _Sources:
    """Sort rules by their source. Every control on a group asks the same of the same rules, so it is answered once."""
    world: list[int] = []
    parts: dict[int, tuple[Span, ...]] = {}
    unknown: dict[int, str] = {}
    for index, (first, last, listed, cidrs) in enumerate(keys):
        if why := _why_unknown(first, last, listed, cidrs):
            unknown[index] = why
            continue
        spans = tuple(each for cidr in cidrs if (each := _routed(cidr)) and family in (None, each.family))
        if any(_hold_half(_of(version, spans)) for version in _INTERNET):
            world.append(index)
        elif spans:
            parts[index] = spans
    return _Sources(tuple(world), parts if _may_add_up(parts.values()) else {}, unknown)


def _key_of(rule: Rule, prefix_lists: Mapping[str, Sequence[str]]) -> tuple[Any, ...]:
    """What decides about a rule's source, hashable: its ports, its prefix list and its address ranges (None: unread).

    What is neither a port nor a range is kept as its text, which is neither, too.
    """
    first, last = rule.get("FromPort", -1), rule.get("ToPort", -1)
    listed = prefix_list_of(rule)
    cidrs: tuple[str, ...] | None = tuple(str(rule[name]) for name in _ADDRESSES if name in rule)
    if listed is not None:
        cidrs = tuple(prefix_lists[listed]) if listed in prefix_lists else None
    return (first if _is_port(first) else str(first), last if _is_port(last) else str(last), listed, cidrs)


def why_unknown(rule: Rule, prefix_lists: Mapping[str, Sequence[str]] = MappingProxyType({})) -> str:
    """Why it cannot be said what a rule lets in, empty where it can."""
    return _why_unknown(*_key_of(rule, prefix_lists))


def _why_unknown(first: Any, last: Any, listed: str | None, cidrs: tuple[str, ...] | None) -> str:
    if cidrs is None:
        return f"the entries of prefix list {listed} are not known"
    for name, port in (("FromPort", first), ("ToPort", last)):
        if not _is_port(port):
            return f"{name} is {port}"
    return next((f"{cidr} is not an address range" for cidr in cidrs if not _is_cidr(cidr)), "")


@lru_cache(maxsize=4096)
def _is_cidr(text: str) -> bool:
    try:
        span(text)
    except ValueError:
        return False
    return True


def _may_add_up(parts: Iterable[tuple[Span, ...]]) -> bool:
    """A cheap upper bound, so that the ordinary group of small ranges is not looked at port by port."""
    total = {4: 0, 6: 0}
    for spans in parts:
        for each in spans:
            total[each.family] += each.size
    return any(total[family] >= whole.size // 2 for family, whole in _INTERNET.items())


def _together(
    parts: Mapping[int, tuple[Span, ...]], rules: Sequence[Rule], protocol: str, wanted: Sequence[Ports]
) -> Iterator[int]:
    """The rules whose sources add up to the world on some port. It is enough to look where a range of ports begins."""
    reach = {index: ports for index in parts if (ports := _reach(rules[index], protocol, wanted))}
    found: set[int] = set()
    for port in sorted({first for ports in reach.values() for first, _ in ports}):
        here = [index for index, ports in reach.items() if any(first <= port <= last for first, last in ports)]
        for family in _INTERNET:
            found.update(_widest_that_hold_half({index: _of(family, parts[index]) for index in here}))
    yield from sorted(found)


def _widest_that_hold_half(parts: Mapping[int, Sequence[Span]]) -> Sequence[int]:
    """The widest sources that suffice, none if all do not: a small range beside them is not what is wrong."""
    size = {index: sum(each.size for each in spans) for index, spans in parts.items() if spans}
    widths = sorted(set(size.values()), reverse=True)

    def at_least_as_wide(count: int) -> list[int]:
        return [index for index in size if size[index] >= widths[count]]

    enough = bisect_left(
        range(len(widths)),
        True,
        key=lambda count: _hold_half([each for index in at_least_as_wide(count) for each in parts[index]]),
    )
    return at_least_as_wide(enough) if enough < len(widths) else ()


def _of(family: int, spans: Iterable[Span]) -> list[Span]:
    return [each for each in spans if each.family == family]


def _note(
    found: dict[int, Opening],
    index: int,
    rules: Sequence[Rule],
    protocol: str,
    wanted: Sequence[Ports],
    *,
    together: bool,
) -> None:
    reach = _reach(rules[index], protocol, wanted)
    if not reach:
        return
    before = found[index].reaches if index in found else ()
    found[index] = Opening(rules[index], (*before, *(_spell(protocol, ports) for ports in reach)), together)


def _spell(protocol: str, ports: Ports) -> str:
    first, last = ports
    return f"{protocol} {first}" if first == last else f"{protocol} {first}-{last}"


def _raise_if_undecided(
    unknown: Mapping[int, str], rules: Sequence[Rule], traffic: Mapping[str, Sequence[Ports]], direction: str
) -> None:
    for index, why in unknown.items():
        rule = rules[index]
        if any(_reach(rule, protocol, wanted) for protocol, wanted in traffic.items()):
            raise Unread("Observed.PrefixLists" if prefix_list_of(rule) else direction, why)


def _order(opening: Opening) -> tuple[str, ...]:
    """An order that does not depend on the order in which AWS lists the rules."""
    return (*opening.reaches, *(f"{name}={opening.rule[name]}" for name in sorted(opening.rule)))
