"""A team reads in its own channel: once, in one message and its thread, whatever Slack answers meanwhile."""

from __future__ import annotations

import json
from typing import Any

import pytest

from demarc.core.model import Status
from tests.scenarios.world import World
from tests.simulation import deeds
from tests.simulation.slack import Fault, Message

SSH = "security-group-ssh-closed-to-the-world"


@pytest.fixture
def group(world: World) -> str:
    group = deeds.make_group(world.cast.sam, "web", workload="booking")
    world.settle()
    return group


def opened(world: World, group: str) -> None:
    deeds.open_port(world.cast.sam, group)
    world.settle()


def said(messages: list[Message]) -> str:
    return json.dumps([[message.text, message.blocks] for message in messages])


def test_a_burst_of_findings_of_one_change_is_one_message(world: World, group: str) -> None:
    opened(world, group)

    (message,) = world.workspace.in_channel("storefront")

    assert len(world.open_on(group)) > 1
    for finding in world.findings(group).values():
        assert finding.title in said([message, *world.workspace.slack.replies(message)])


def test_what_becomes_of_it_is_said_in_its_thread_and_in_the_message_itself(world: World, group: str) -> None:
    opened(world, group)
    deeds.close_port(world.cast.lea, group)
    world.settle()

    (message,) = world.workspace.in_channel("storefront")

    assert world.findings(group)[SSH].status is Status.RESOLVED
    assert message.edits >= 1
    assert world.workspace.slack.replies(message)


def test_what_comes_back_is_told_under_its_first_message(world: World, group: str) -> None:
    opened(world, group)
    deeds.close_port(world.cast.lea, group)
    world.settle()
    before = len(world.workspace.in_channel("storefront"))

    opened(world, group)

    assert len(world.workspace.in_channel("storefront")) == before
    assert world.findings(group)[SSH].reopened == 1


FAULTS: list[Any] = [
    pytest.param((Fault.throttled(30),), id="asks to wait"),
    pytest.param((Fault(status=503), Fault(status=500)), id="is ill twice"),
    pytest.param((Fault(lost=True),), id="answers nothing"),
    pytest.param((Fault.says("ratelimited"), Fault.says("internal_error")), id="says no twice"),
]


@pytest.mark.parametrize("faults", FAULTS)
def test_whatever_slack_answers_nothing_is_lost(world: World, group: str, faults: tuple[Fault, ...]) -> None:
    world.workspace.slack.fails("chat.postMessage", *faults)
    deeds.open_port(world.cast.sam, group)
    for envelope in world.trail.take():
        world.cloud.put(envelope)
    world.cloud.run()

    messages = world.workspace.in_channel("storefront")

    # A post whose answer was lost may stand there twice, and never not at all.
    assert len(messages) == (2 if faults[0].lost else 1)
    assert "SSH" in said(messages)
    assert world.cloud.dead_letters() == []


def test_a_channel_that_the_app_is_not_in_is_governances_to_hear_of(world: World, group: str) -> None:
    del world.workspace.slack.channels["#storefront"]
    opened(world, group)

    told = said(world.workspace.in_channel("governance"))

    assert "was not told in #storefront" in told
