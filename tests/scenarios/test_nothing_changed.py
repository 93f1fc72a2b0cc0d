"""Events behind which there is no change: refused, made up, or of things that do not exist."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.scenarios.world import World
from tests.simulation import deeds
from tests.simulation.story import refused


def group_with_an_open_door(world: World) -> str:
    group = deeds.make_group(world.cast.sam, "web", workload="booking")
    deeds.open_port(world.cast.sam, group)
    world.settle()
    world.all_letters()
    return group


def test_eventbridge_keeps_a_refused_call(world: World) -> None:
    group = group_with_an_open_door(world)
    refused(world.cast.sam, group)

    (envelope,) = world.trail.take()

    assert envelope["detail"]["errorCode"] == "Client.InvalidPermission.Duplicate"
    assert world.cloud.put(envelope) == []
    del envelope["detail"]["errorCode"]
    assert world.cloud.put(envelope) == ["network"]


def test_a_refused_call_that_is_delivered_all_the_same_changes_nothing(world: World) -> None:
    group = group_with_an_open_door(world)
    before = world.findings(group)
    refused(world.cast.sam, group)
    (envelope,) = world.trail.take()

    straight_to_the_queue(world, "network", envelope)

    assert world.findings(group) == before
    assert world.all_letters() == []


def straight_to_the_queue(world: World, responder: str, envelope: dict[str, Any]) -> None:
    """Past EventBridge, as only whoever may send to the queue can."""
    world.cloud.send(responder, json.dumps(envelope))
    world.settle()


@pytest.fixture
def forged(world: World) -> dict[str, Any]:
    """What an application makes up: Lea published a bucket, which in truth is as it should be."""
    deeds.make_log_bucket("fjordline-logs", world.trail.region)
    deeds.make_bucket(world.cast.shop, "photos", owner="storefront")
    deeds.harden_bucket(world.cast.shop, "photos", logs="fjordline-logs")
    deeds.publish_bucket(world.cast.lea, "photos")
    envelope: dict[str, Any] = world.trail.take()[-1]
    deeds.withdraw_bucket(world.cast.lea, "photos")
    world.settle()
    world.all_letters()
    return envelope


def test_no_rule_takes_an_event_that_an_application_sends(world: World, forged: dict[str, Any]) -> None:
    assert world.cloud.asked_by(forged) == ["data"]
    assert world.cloud.asked_by({**forged, "source": "com.example.shop"}) == []


def test_a_forged_event_costs_a_look_and_nothing_else(world: World, forged: dict[str, Any]) -> None:
    before = world.findings("photos")
    world.cloud.logged()

    straight_to_the_queue(world, "data", forged)

    assert world.findings("photos") == before
    assert world.all_letters() == []
    (judged,) = [line for line in world.cloud.logged() if line.get("message") == "judged"]
    assert judged["findings"] == []


def test_an_event_about_what_never_was_leaves_no_trace(world: World, forged: dict[str, Any]) -> None:
    forged["detail"]["requestParameters"]["bucketName"] = "fjordline-nowhere"

    straight_to_the_queue(world, "data", forged)

    assert world.findings("fjordline-nowhere") == {}
    assert world.all_letters() == []


def test_what_is_no_event_at_all_ends_among_the_dead_letters_and_stops_nobody(world: World) -> None:
    world.cloud.send("network", "{not json")
    group = deeds.make_group(world.cast.sam, "web", workload="booking")
    deeds.open_port(world.cast.sam, group)
    for envelope in world.trail.take():
        world.cloud.put(envelope)

    failures = world.cloud.run()

    assert failures == 5
    assert world.cloud.dead_letters() == ["{not json"]
    assert "security-group-ssh-closed-to-the-world" in world.open_on(group)
