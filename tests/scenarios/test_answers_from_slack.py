"""A team reads a message in its channel and answers it there: from the button that was posted to what it says then."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from demarc.core.chat.block_kit import value_of
from demarc.core.model import Finding, Origin, Status
from tests.scenarios.world import World
from tests.simulation import deeds
from tests.simulation.slack import Message

PHOTOS = "fjordline-photos"
PUBLIC = "s3-bucket-is-not-publicly-readable"
WHY = {"value": "the pictures are published on purpose"}
LEA, HELENA = "lea.moreau", "helena.novak"


@dataclass(frozen=True)
class Channel:
    """Storefront's channel, and people who press what they see in it."""

    world: World

    def finding(self) -> Finding:
        return self.world.findings(PHOTOS)[PUBLIC]

    def message(self) -> Message:
        """The message in which the finding can be answered."""
        posted = self.world.workspace.in_channel("storefront")
        return next(each for each in posted if self.finding().id in json.dumps(each.blocks))

    def buttons(self) -> set[str]:
        """What can be pressed for the finding as it is now."""
        seen = value_of(self.finding())
        return {_name_of(each) for each in pressable(self.message().blocks) if each["value"].endswith(seen)}

    def press(self, button: str, by: str = LEA) -> None:
        assert button in self.buttons()
        self.world.workspace.press(by, button, self.finding())
        self.world.settle()

    def submit(self, form: str, by: str = LEA, **fields: Any) -> None:
        assert self.world.workspace.slack.views[-1]["private_metadata"] == value_of(self.finding())
        self.world.workspace.submit(by, form, self.finding(), **fields)
        self.world.settle()


def pressable(value: Any) -> list[dict[str, Any]]:
    """The buttons of blocks, and the options of their menus."""
    if isinstance(value, list):
        return [found for each in value for found in pressable(each)]
    if not isinstance(value, dict):
        return []
    inner = [found for each in value.values() for found in pressable(each)]
    return [value, *inner] if isinstance(value.get("value"), str) else inner


def _name_of(pressed: dict[str, Any]) -> str:
    """An option of a menu says in its value which button it stands for."""
    named: str = pressed.get("action_id", pressed["value"])
    return named.removeprefix("demarc:").partition(":")[0]


@pytest.fixture
def channel(world: World) -> Channel:
    """Storefront's pipeline made a bucket, and Lea opened it to everybody: her team reads so in its channel."""
    deeds.make_bucket(world.cast.shop, PHOTOS, owner="storefront")
    deeds.publish_bucket(world.cast.lea, PHOTOS)
    world.settle()
    return Channel(world)


def test_who_reads_a_message_can_say_that_they_are_at_it(channel: Channel) -> None:
    channel.press("acknowledge")

    finding = channel.finding()
    assert (finding.status, finding.acknowledged_by) == (Status.ACKNOWLEDGED, "Lea Moreau")
    assert finding.transition is not None
    assert finding.transition.origin is Origin.SLACK
    # The message itself says so, and nobody is asked again.
    assert "acknowledge" not in channel.buttons()
    assert "assign" in channel.buttons()


def test_a_risk_that_its_owner_may_not_accept_alone_waits_for_somebody_else(channel: Channel) -> None:
    day = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    channel.press("accept")
    assert "proposal" in json.dumps(channel.world.workspace.slack.views[-1])
    channel.submit("accept", why=WHY, until={"selected_date": day})
    assert channel.finding().status is Status.OPEN
    assert any(WHY["value"] in json.dumps(each.blocks) for each in channel.world.workspace.in_channel("governance"))

    channel.press("approve", by=HELENA)

    finding = channel.finding()
    assert finding.status is Status.ACCEPTED
    assert finding.exception is not None
    assert (finding.exception.requested_by, finding.exception.approver) == ("Lea Moreau", "Helena Novak")


def test_looking_again_finds_what_no_event_told_of(channel: Channel) -> None:
    deeds.withdraw_bucket(channel.world.cast.lea, PHOTOS)
    channel.world.trail.take()

    channel.press("recheck")

    finding = channel.finding()
    assert finding.status is Status.RESOLVED
    assert finding.transition is not None
    assert (finding.transition.origin, finding.transition.by) == (Origin.SLACK, "Lea Moreau")


def test_who_is_not_in_the_matrix_changes_nothing(channel: Channel) -> None:
    before = channel.finding()

    channel.press("acknowledge", by="visitor")

    assert channel.finding() == before
    assert "Demarc does not know you" in channel.world.workspace.whispered()[-1]
