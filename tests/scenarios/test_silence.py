"""Silence is a finding: whatever keeps changes from reaching Demarc is found by the clock, and is over when it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from demarc.core.heartbeat import Heartbeat, item_of
from demarc.core.model import Origin, Status
from demarc.handlers import respond
from tests.infrastructure.synthesis import Assembly
from tests.scenarios.stack import STACK, as_a_stack
from tests.scenarios.world import ACCOUNT, REGION, World
from tests.simulation import deeds

RULES = "demarc-feed-rules-are-on"
TRAIL = "demarc-feed-has-a-trail"
SILENT = "demarc-feed-is-not-silent"
FEED = {RULES, TRAIL, SILENT}


@pytest.fixture
def feed(world: World, assembly: Assembly) -> World:
    """Demarc as its stack in CloudFormation, which the simulation does without; a trail logs, and a change came."""
    respond._responder.cache_clear()  # functions start cold: what was noted in another account is not known
    as_a_stack(world, assembly)
    world.cloud.client("s3").create_bucket(Bucket="trail-files")
    world.cloud.client("cloudtrail").create_trail(Name="all", S3BucketName="trail-files", IsMultiRegionTrail=True)
    world.cloud.client("cloudtrail").start_logging(Name="all")
    deeds.make_bucket(world.cast.aiko, "fjordline-vault-photos")
    world.settle()
    return world


def look(world: World) -> set[str]:
    """Let a quarter of an hour pass; what is wrong with the feed then."""
    world.cloud.fire("VisibilityChangesSilence")
    world.settle()
    return world.open_on(STACK) & FEED


def rule(world: World, logical: str) -> str:
    """What EventBridge calls the one rule whose logical id begins so."""
    made = world.cloud.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    (name,) = [each["PhysicalResourceId"] for each in made if each["LogicalResourceId"].startswith(logical)]
    return str(name)


def nothing_came_for(world: World, hours: int) -> None:
    last = Heartbeat(datetime.now(UTC) - timedelta(hours=hours), "s3.amazonaws.com:CreateBucket")
    table = world.cloud.functions[0].environment["DEMARC_TABLE"]
    world.cloud.client("dynamodb").put_item(TableName=table, Item=item_of(ACCOUNT, REGION, last))


def test_a_feed_that_works_has_nothing_to_say(feed: World) -> None:
    feed.all_letters()

    assert look(feed) == set()
    assert feed.all_letters() == []


def test_a_rule_that_is_off_is_found_and_is_over_when_it_is_on(feed: World) -> None:
    name = rule(feed, "DataChangesS3Rule")
    feed.cloud.client("events").disable_rule(Name=name)

    assert look(feed) == {RULES}

    finding = feed.findings(STACK)[RULES]
    assert name in finding.drift[0].because
    assert (finding.attribution.owner.team, finding.attribution.owner.person) == ("platform", "Tomas Berg")

    feed.cloud.client("events").enable_rule(Name=name)

    assert look(feed) == set()
    assert feed.findings(STACK)[RULES].status is Status.RESOLVED


def test_a_trail_that_stops_is_found_though_nothing_tells_of_it(feed: World) -> None:
    feed.cloud.client("cloudtrail").stop_logging(Name="all")

    assert look(feed) == {TRAIL}

    feed.cloud.client("cloudtrail").start_logging(Name="all")

    assert look(feed) == set()


def test_silence_is_told_once_and_is_over_with_the_next_change(feed: World) -> None:
    nothing_came_for(feed, hours=25)
    feed.all_letters()

    assert look(feed) == look(feed) == {SILENT}
    assert [facts["control"] for facts in feed.told("platform")] == [SILENT]

    respond._responder.cache_clear()  # more than five minutes later
    deeds.make_bucket(feed.cast.aiko, "fjordline-vault-maps")
    feed.settle()

    assert look(feed) == set()
    finding = feed.findings(STACK)[SILENT]
    assert (finding.status, finding.revision) == (Status.RESOLVED, 2)
    assert finding.transition is not None
    assert finding.transition.origin is Origin.SCHEDULE
