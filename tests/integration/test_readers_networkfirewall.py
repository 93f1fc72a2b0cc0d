"""Network firewalls, as they are read from AWS."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from demarc import readers
from demarc.aws import AwsClients
from demarc.core.change import interpret
from demarc.core.model import Change
from demarc.core.snapshot import Snapshot
from demarc.core.touch import TouchIndex
from demarc.readers.networkfirewall import FIREWALL
from tests.integration.records import a_call
from tests.integration.schema import matches_cloudformation

REGION = "eu-west-1"
EDGE = readers.resource_of(FIREWALL, "edge", "111122223333", REGION)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ALWAYS = {
    "FirewallName": "edge",
    "FirewallPolicyArn": f"{EDGE.arn}-policy",
    "FirewallId": "1f2e3d4c-0000-4000-8000-5a6978879685",
    "VpcId": "vpc-1",
}
SUBNETS: list[dict[str, str]] = [{"SubnetId": "subnet-1"}, {"SubnetId": "subnet-2"}]
ZONES = [{"AvailabilityZone": f"{REGION}{zone}"} for zone in "abc"]


@pytest.fixture(scope="module")
def client() -> Any:
    """A client whose answers are written by the test."""
    return AwsClients()("network-firewall", REGION)


@pytest.mark.parametrize(
    ("stands", "places"),
    [
        ({"SubnetMappings": SUBNETS}, 2),
        ({"SubnetMappings": [], "TransitGatewayId": "tgw-1", "AvailabilityZoneMappings": ZONES}, 3),
        ({"SubnetMappings": []}, 0),
    ],
    ids=["in a network", "at a transit gateway", "nowhere"],
)
def test_a_firewall_is_counted_where_it_stands(client: Any, stands: dict[str, Any], places: int) -> None:
    """By the subnets of its network, or by the zones of the transit gateway that it is attached to."""
    with Stubber(client) as stubber:
        stubber.add_response("describe_firewall", {"Firewall": ALWAYS | stands}, {"FirewallArn": EDGE.arn})

        seen = readers.read(FIREWALL, EDGE, needs=("Observed.Subnets",), clients=lambda *_: client, now=NOW)

    assert isinstance(seen, Snapshot)
    assert seen.properties["Observed"]["Subnets"] == places
    assert matches_cloudformation(seen)


def test_a_firewall_at_a_transit_gateway_says_whether_its_zones_are_protected(client: Any) -> None:
    attached = {
        "SubnetMappings": [],
        "TransitGatewayId": "tgw-0a1b2c3d4e5f60718",
        "AvailabilityZoneMappings": ZONES,
        "AvailabilityZoneChangeProtection": True,
    }
    with Stubber(client) as stubber:
        stubber.add_response("describe_firewall", {"Firewall": ALWAYS | attached}, {"FirewallArn": EDGE.arn})

        needs = ("AvailabilityZoneChangeProtection", "TransitGatewayId")
        seen = readers.read(FIREWALL, EDGE, needs=needs, clients=lambda *_: client, now=NOW)

    assert isinstance(seen, Snapshot)
    assert seen["AvailabilityZoneChangeProtection"] is True
    assert seen["TransitGatewayId"] == "tgw-0a1b2c3d4e5f60718"
    assert matches_cloudformation(seen)


def test_a_firewall_is_looked_at_when_the_protection_of_its_zones_changes() -> None:
    call = a_call(
        "network-firewall",
        "UpdateAvailabilityZoneChangeProtection",
        awsRegion=REGION,
        recipientAccountId=EDGE.account,
        requestParameters={"firewallArn": EDGE.arn, "availabilityZoneChangeProtection": False},
    )

    change = interpret(call, TouchIndex.of((FIREWALL,)))

    assert isinstance(change, Change), change
    assert [(each.resource, each.sets) for each in change.touched] == [(EDGE, ("AvailabilityZoneChangeProtection",))]
