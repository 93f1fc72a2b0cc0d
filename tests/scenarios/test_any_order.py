"""EventBridge promises no order, no single delivery and no haste; what stands in the end is the same."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from demarc.core.model import Status
from tests.scenarios.world import World
from tests.simulation import deeds

Envelope = dict[str, Any]
Standing = dict[tuple[str, str], tuple[Any, ...]]

# How many events the work below makes.
EVENTS = 16


def work(world: World) -> Iterator[None]:
    """A few deeds and mistakes of several people, two of them mended and one deleted."""
    cast = world.cast
    deeds.make_bucket(cast.shop, "photos", owner="storefront")
    yield
    deeds.publish_bucket(cast.jonas, "photos")
    yield
    deeds.withdraw_bucket(cast.lea, "photos")
    yield
    cast.aiko.client("s3").delete_public_access_block(Bucket="photos")
    yield
    for mend in (None, deeds.close_port, deeds.delete_group):
        group = deeds.make_group(cast.sam, f"group-{mend}", workload="booking")
        yield
        deeds.open_port(cast.lea, group)
        yield
        if mend:
            mend(cast.sam, group)
            yield
    cast.jonas.client("ec2").create_tags(Resources=[group_of(world)], Tags=deeds.tags(seen="yes"))
    yield


def group_of(world: World) -> str:
    """The group that stayed open."""
    found = world.cloud.client("ec2").describe_security_groups(GroupNames=["group-None"])
    return str(found["SecurityGroups"][0]["GroupId"])


@pytest.fixture
def events(world: World) -> list[Envelope]:
    """The events of that work, none of which was delivered when it was done."""
    for _ in work(world):
        pass
    made = world.trail.take()
    assert len(made) == EVENTS
    return made


def standing(world: World) -> Standing:
    """Everything that does not hold: what it is, whose it is, and who set it, if that is known.

    What was there before is what was seen before, and so depends on when anybody looked.
    """
    return {
        (finding.control, finding.resource.identifier): (
            tuple(replace(drift, was=None) for drift in finding.drift),
            finding.attribution,
            finding.cause and (finding.cause.actor, finding.cause.relation, finding.cause.set_it),
        )
        for finding in world.cloud.store.find(status=Status.OPEN)
    }


def forget(world: World) -> None:
    """Leave the account as it is, and Demarc without a memory."""
    dynamodb, table = world.cloud.client("dynamodb"), world.cloud.functions[0].environment["DEMARC_TABLE"]
    items = dynamodb.scan(TableName=table)["Items"]
    deletions = [{"DeleteRequest": {"Key": {"pk": item["pk"], "sk": item["sk"]}}} for item in items]
    for start in range(0, len(deletions), 25):
        dynamodb.batch_write_item(RequestItems={table: deletions[start : start + 25]})


def delivered(world: World, *deliveries: list[Envelope]) -> Standing:
    """What stands after some deliveries; the functions work after each."""
    forget(world)
    for delivery in deliveries:
        for envelope in delivery:
            world.cloud.put(envelope)
        world.settle()
    return standing(world)


@pytest.fixture
def at_once(world: World, events: list[Envelope]) -> Standing:
    return delivered(world, events)


def test_one_by_one_or_backwards_it_is_the_same(world: World, events: list[Envelope], at_once: Standing) -> None:
    assert {"s3-bucket-blocks-public-access", "security-group-ssh-closed-to-the-world"} <= {each for each, _ in at_once}
    assert delivered(world, *([envelope] for envelope in events)) == at_once
    assert delivered(world, *([envelope] for envelope in reversed(events))) == at_once


# Hypothesis would write out all that stands, which is long, for each of its examples.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


# Not shrunk: that would take minutes, and the order itself says enough.
@settings(
    max_examples=5,
    deadline=None,
    phases=(Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    order=st.builds(operator.add, st.permutations(range(EVENTS)), st.lists(st.integers(0, EVENTS - 1), max_size=4)),
    cut=st.integers(1, EVENTS),
)
def test_shuffled_doubled_and_late_it_is_the_same(
    world: World, events: list[Envelope], at_once: Standing, order: list[int], cut: int
) -> None:
    shuffled = [events[number] for number in order]

    assert delivered(world, shuffled[:cut], shuffled[cut:]) == at_once


@settings(
    max_examples=2,
    deadline=None,
    phases=(Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(kept=st.lists(st.integers(0, EVENTS - 1), max_size=EVENTS))
def test_whatever_is_lost_the_sweep_finds_what_stands(
    world: World, events: list[Envelope], at_once: Standing, kept: list[int]
) -> None:
    """Some events come, in any order and perhaps twice, and the others never."""
    delivered(world, [events[number] for number in kept])
    world.cloud.fire("SweeperRequestsSchedule")
    world.settle()

    # What the sweep sees besides, as the network that the groups are in, is not of this story.
    told = {resource for _, resource in at_once}
    found = {each for each in standing(world) if each[1] in told and each[1] != world.cloud.account}
    assert found == set(at_once)


def test_told_at_once_or_late_the_same_stands(world: World) -> None:
    events: list[Envelope] = []
    for _ in work(world):
        made = world.trail.take()
        events += made
        for envelope in made:
            world.cloud.put(envelope)
        world.settle()
    as_it_happened = standing(world)

    assert delivered(world, events) == as_it_happened
