"""What must not happen is no state: whoever is told of it answers for it, and the next time it is told again."""

from __future__ import annotations

import json

import pytest

from demarc.core.model import OCCURRENCE, Finding, Origin, Relation, Status
from tests.scenarios.world import ACCOUNT, World
from tests.simulation import deeds

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
USED, ALONE = "root-user-is-not-used", "sign-in-takes-a-second-factor"
RULE = "Demarc-DataChangesS3Rule0A1B2C3D"
OWN = "own-rules-are-left-alone"
RAJ = "raj.patel"
WHY = {"value": "it was Ines, to close the old support plan"}


def streams(world: World) -> dict[str, Finding]:
    """What happened, by control."""
    return {each.control: each for each in world.cloud.store.find() if each.resource.type == OCCURRENCE}


@pytest.fixture
def signed_in(world: World) -> World:
    """Somebody signs in as root, with nothing but the password."""
    world.cast.root.sign_in(second_factor=False)
    world.settle()
    return world


def test_the_security_team_hears_of_it_and_from_where_it_was(signed_in: World) -> None:
    found = streams(signed_in)
    assert set(found) == {USED, ALONE}
    finding = found[USED]
    assert (finding.status, finding.resource.identifier) == (Status.OPEN, f"{USED}/{ROOT}")
    assert finding.cause is not None
    assert (finding.cause.event_name, finding.cause.relation) == ("ConsoleLogin", Relation.BREAK_GLASS)
    assert finding.attribution.owner.person == "Raj Patel"

    letter = signed_in.letter("security", USED)

    assert "signin:ConsoleLogin" in letter.text
    assert "203.0.113.66" in letter.text
    assert signed_in.all_letters() == []


def test_a_second_factor_leaves_only_that_it_was_root(world: World) -> None:
    world.cast.root.sign_in(second_factor=True)
    world.settle()

    assert set(streams(world)) == {USED}


def test_a_person_who_comes_through_identity_center_is_not_asked_for_one(world: World) -> None:
    world.cast.lea.sign_in(second_factor=False)
    world.settle()

    assert streams(world) == {}


def test_it_is_closed_in_slack_by_whoever_says_what_came_of_it(signed_in: World) -> None:
    workspace = signed_in.workspace
    posted = json.dumps([message.blocks for message in workspace.in_channel("security")])
    assert "acknowledge" in posted
    assert "recheck" not in posted

    workspace.press(RAJ, "acknowledge", streams(signed_in)[USED])
    signed_in.settle()
    assert streams(signed_in)[USED].status is Status.OPEN
    assert workspace.slack.views[-1]["callback_id"] == "demarc:acknowledge"

    workspace.submit(RAJ, "acknowledge", streams(signed_in)[USED], why=WHY)
    signed_in.settle()

    finding = streams(signed_in)[USED]
    assert (finding.status, finding.acknowledged_by) == (Status.RESOLVED, "Raj Patel")
    assert finding.transition is not None
    assert (finding.transition.origin, finding.transition.reason) == (Origin.SLACK, WHY["value"])
    assert streams(signed_in)[ALONE].status is Status.OPEN


def test_who_has_not_seen_what_else_happened_cannot_close_it(signed_in: World) -> None:
    seen = streams(signed_in)[USED]
    deeds.make_bucket(signed_in.cast.root, "fjordline-ransom-note")
    signed_in.settle()

    signed_in.workspace.submit(RAJ, "acknowledge", seen, why=WHY)

    assert streams(signed_in)[USED].status is Status.OPEN


def test_the_next_time_it_is_open_again_and_tells_of_that_alone(signed_in: World) -> None:
    signed_in.workspace.submit(RAJ, "acknowledge", streams(signed_in)[USED], why=WHY)
    signed_in.settle()
    signed_in.all_letters()
    signed_in.wait(hours=30)

    deeds.make_bucket(signed_in.cast.root, "fjordline-root-was-here")
    signed_in.settle()

    finding = streams(signed_in)[USED]
    assert (finding.status, finding.reopened, finding.reason) == (Status.OPEN, 1, "")
    assert [drift.actual for drift in finding.drift] == ["s3:CreateBucket"]
    assert signed_in.letter("security", USED).subject.startswith("[REOPENED] ")


def test_what_was_told_twice_opens_nothing(signed_in: World) -> None:
    signed_in.cast.root.sign_in(second_factor=True)
    (again,) = signed_in.trail.events
    signed_in.settle()
    signed_in.workspace.submit(RAJ, "acknowledge", streams(signed_in)[USED], why=WHY)
    signed_in.settle()

    signed_in.cloud.put(again)
    assert signed_in.cloud.run() == 0

    assert streams(signed_in)[USED].status is Status.RESOLVED


def test_there_is_nothing_to_look_at_again_and_slack_says_so(signed_in: World) -> None:
    signed_in.workspace.press(RAJ, "recheck", streams(signed_in)[USED])

    (told,) = signed_in.workspace.whispered()
    assert "nothing to look at again" in told


def test_whoever_switches_off_a_rule_of_demarcs_own_is_told_of(world: World) -> None:
    events = world.cloud.client("events")
    events.put_rule(Name=RULE, EventPattern=json.dumps({"source": ["aws.s3"]}))
    world.cast.lea.client("events").disable_rule(Name=RULE)
    world.settle()

    finding = streams(world)[OWN]

    assert (finding.severity.value, finding.status) == ("critical", Status.OPEN)
    assert finding.cause is not None
    assert finding.cause.actor.name == "lea.moreau@fjordline.example"
    assert "events:DisableRule" in world.letter("security", OWN).text


def test_a_rule_of_somebody_elses_is_theirs_to_switch_off(world: World) -> None:
    world.cloud.client("events").put_rule(Name="nightly-report", ScheduleExpression="rate(1 day)")
    world.cast.lea.client("events").disable_rule(Name="nightly-report")
    world.settle()

    assert streams(world) == {}
