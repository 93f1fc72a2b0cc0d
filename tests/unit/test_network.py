"""What security group rules let in, whatever way they are written."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.core.network import admits, all_but, is_wide, is_world, openings, ports_of, protocol_of
from demarc.core.snapshot import Unread

Rule = dict[str, Any]

SSH = {"tcp": [(22, 22)]}
OFFICE = "198.51.100.0/24"

ports = st.integers(0, 65535)
cidrs = st.builds(
    lambda address, length: str(ipaddress.ip_network((address, length), strict=False)),
    st.integers(0, 2**32 - 1),
    st.integers(0, 32),
) | st.builds(
    lambda address, length: str(ipaddress.ip_network((ipaddress.IPv6Address(address), length), strict=False)),
    st.integers(0, 2**128 - 1),
    st.integers(0, 128),
)


def rule(source: str = "0.0.0.0/0", first: int = 22, last: int | None = None, protocol: str = "tcp") -> Rule:
    name = "CidrIpv6" if ":" in source else "CidrIp"
    return {"IpProtocol": protocol, "FromPort": first, "ToPort": first if last is None else last, name: source}


rules = st.builds(
    lambda source, one, other, protocol: rule(source, min(one, other), max(one, other), protocol),
    st.sampled_from(["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "0.0.0.0/2", "64.0.0.0/2", OFFICE, "::/0", "2000::/4"]),
    st.sampled_from([0, 21, 22, 23, 443]),
    st.sampled_from([22, 23, 443, 65535]),
    st.sampled_from(["tcp", "udp", "-1", "6", "icmp"]),
)


@pytest.mark.parametrize(
    "sources",
    [
        ["0.0.0.0/0"],
        ["::/0"],
        ["0.0.0.0/1"],
        ["128.0.0.0/1"],
        ["2000::/3"],
        ["2000::/4"],
        ["0.0.0.0/2", "128.0.0.0/2"],
        [f"{first}.0.0.0/8" for first in range(0, 256, 2)],
        ["0.0.0.0/2", "0.0.0.0/3", "64.0.0.0/2"],
    ],
)
def test_half_of_the_internet_is_the_world_alone_or_together(sources: list[str]) -> None:
    assert is_world(sources)


@pytest.mark.parametrize(
    "sources",
    [
        [],
        ["0.0.0.0/2"],
        ["0.0.0.0/2", "0.0.0.0/2", "0.0.0.0/3"],
        ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
        ["fc00::/7"],
        ["8000::/1"],
        ["2600::/12"],
        ["0.0.0.0/2", "2000::/5"],
    ],
)
def test_less_than_half_of_a_family_is_not_the_world(sources: list[str]) -> None:
    assert not is_world(sources)


@given(cidr=cidrs, narrower=st.integers(0, 128), data=st.data())
def test_narrowing_a_source_never_makes_it_the_world(cidr: str, narrower: int, data: st.DataObject) -> None:
    network = ipaddress.ip_network(cidr)
    length = max(network.prefixlen, min(narrower, network.max_prefixlen))
    address = data.draw(st.integers(int(network.network_address), int(network.broadcast_address)))
    inside = ipaddress.ip_network((type(network.network_address)(address), length), strict=False)

    assert is_world([cidr]) or not is_world([str(inside)])


@given(sources=st.lists(cidrs, max_size=6), more=cidrs)
def test_one_more_source_never_makes_the_world_smaller(sources: list[str], more: str) -> None:
    assert is_world([*sources, more]) or not is_world(sources)


@given(one=ports, other=ports, port=ports, protocol=st.sampled_from(["tcp", "udp"]))
def test_a_rule_that_admits_a_range_admits_each_port_in_it_and_no_other(
    one: int, other: int, port: int, protocol: str
) -> None:
    first, last = sorted((one, other))

    assert admits(rule(first=first, last=last, protocol=protocol), protocol, port) == (first <= port <= last)


@given(given_rules=st.lists(rules, max_size=6), data=st.data())
def test_the_order_of_rules_does_not_matter(given_rules: list[Rule], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(given_rules))

    assert openings(given_rules, SSH, prefix_lists={}) == openings(shuffled, SSH, prefix_lists={})


@given(given_rules=st.lists(rules, max_size=6), more=rules)
def test_one_more_rule_never_closes_a_port(given_rules: list[Rule], more: Rule) -> None:
    before = openings(given_rules, SSH, prefix_lists={})

    assert not before or openings([*given_rules, more], SSH, prefix_lists={})


@given(st.sets(ports, max_size=8))
def test_all_but_some_ports_are_exactly_the_others(some: set[int]) -> None:
    ranges = all_but(some)

    assert sum(last - first + 1 for first, last in ranges) == 65536 - len(some)
    assert not any(first <= port <= last for first, last in ranges for port in some)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("6", "tcp"),
        ("TCP", "tcp"),
        ("17", "udp"),
        ("1", "icmp"),
        ("58", "icmpv6"),
        (-1, "-1"),
        (6, "tcp"),
        ("50", "50"),
    ],
)
def test_a_protocol_is_known_by_name_and_number(written: Any, meant: str) -> None:
    assert protocol_of({"IpProtocol": written}) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"IpProtocol": "-1"}, (0, 65535)),
        ({"IpProtocol": "-1", "FromPort": 22, "ToPort": 22}, (0, 65535)),
        ({"IpProtocol": "tcp"}, (0, 65535)),
        ({"IpProtocol": "tcp", "FromPort": -1, "ToPort": -1}, (0, 65535)),
        ({"IpProtocol": "50", "FromPort": 22, "ToPort": 22}, (0, 65535)),
        ({"IpProtocol": "tcp", "FromPort": "22", "ToPort": "23"}, (22, 23)),
        ({"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1}, None),
    ],
)
def test_ports_are_read_as_ec2_reads_them(written: Rule, meant: tuple[int, int] | None) -> None:
    assert ports_of(written) == meant


def test_an_opening_names_what_of_the_traffic_it_reaches() -> None:
    (opening,) = openings([rule(first=20, last=30)], {"tcp": [(22, 22), (25, 40)], "udp": [(22, 22)]}, prefix_lists={})

    assert opening.reaches == ("tcp 22", "tcp 25-30")
    assert not opening.together


def test_sources_add_up_only_on_a_port_that_they_share() -> None:
    halves = [rule("0.0.0.0/2", 22), rule("64.0.0.0/2", 443)]

    assert openings(halves, {"tcp": [(0, 65535)]}, prefix_lists={}) == ()


def test_a_small_source_beside_those_that_add_up_is_not_to_blame() -> None:
    quarters = [rule("0.0.0.0/2"), rule("64.0.0.0/2")]

    found = openings([*quarters, rule(OFFICE)], SSH, prefix_lists={})

    assert [each.rule for each in found] == quarters
    assert all(each.together for each in found)


def test_a_question_about_one_family_is_answered_for_that_family() -> None:
    both = [rule("0.0.0.0/0"), rule("::/0")]

    assert [each.rule for each in openings(both, SSH, prefix_lists={}, family=6)] == both[1:]


def test_the_entries_of_a_prefix_list_count_as_sources() -> None:
    listed = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "SourcePrefixListId": "pl-1"}

    assert openings([listed], SSH, prefix_lists={"pl-1": [OFFICE]}) == ()
    assert openings([listed], SSH, prefix_lists={"pl-1": ["0.0.0.0/1", "128.0.0.0/1"]})


def test_a_prefix_list_that_was_not_read_is_no_answer_unless_another_rule_gives_it() -> None:
    listed = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "SourcePrefixListId": "pl-1"}

    with pytest.raises(Unread, match="pl-1"):
        openings([listed, rule(OFFICE)], SSH, prefix_lists={})
    assert openings([listed, rule("0.0.0.0/0")], SSH, prefix_lists={})
    assert openings([{**listed, "IpProtocol": "udp"}], SSH, prefix_lists={}) == ()


@pytest.mark.parametrize(
    "unknown", [{"CidrIp": {"Ref": "Network"}}, {"CidrIp": "everybody"}, {"FromPort": {"Ref": "Port"}}]
)
def test_what_a_template_does_not_spell_out_is_no_answer(unknown: Rule) -> None:
    with pytest.raises(Unread, match="SecurityGroupIngress"):
        openings([{**rule(OFFICE), **unknown}], SSH, prefix_lists={})


@pytest.mark.parametrize(
    ("cidr", "wide"),
    [
        ("52.0.0.0/8", True),
        ("52.0.0.0/15", True),
        ("52.0.0.0/16", False),
        ("10.0.0.0/8", False),
        ("100.64.0.0/10", False),
        ("0.0.0.0/0", True),
        ("2600::/12", True),
        ("2001:db8::/32", False),
        ("fc00::/7", False),
    ],
)
def test_a_public_range_is_wide_beyond_a_mask_and_a_private_one_never(cidr: str, wide: bool) -> None:
    assert is_wide(cidr, ipv4=16, ipv6=32) is wide
