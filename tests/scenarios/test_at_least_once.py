"""At least once: whatever comes between, what was found is recorded once, told at least once, and nothing is lost.

A judgement reads, asks what is known, records, publishes, and marks what it published. Around each call to AWS that
this takes, the function is killed and the queue delivers again; or another worker does the same work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest

from demarc.core.model import Finding, Resource, Status
from demarc.handlers import deliver, respond
from tests.scenarios.calls import around_calls
from tests.scenarios.world import ACCOUNT, REGION, World
from tests.simulation import deeds

# Oracle's: two controls have a word to say about it.
PORT = 1521
BROKEN = {"security-group-database-ports-closed-to-the-world", "security-group-only-web-ports-open-to-the-world"}

# A process that is killed publishes no metrics; one that an exception ends still tries to, and finds none.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


class Killed(BaseException):
    """The process is no more: nothing of the handler may catch it."""


def die() -> None:
    raise Killed


class Slow(datetime):
    """A clock that is a second behind, as another machine's may be."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # a plain time, as the real one gives
        return datetime.now(tz) - timedelta(seconds=1)


# --- what is judged ---------------------------------------------------------------------------------------------------


def opened(world: World, group: str) -> None:
    deeds.open_port(world.cast.sam, group, PORT)


def mended(world: World, group: str) -> None:
    """Mended after it was open and told."""
    deeds.open_port(world.cast.sam, group, PORT)
    world.settle()
    deeds.close_port(world.cast.lea, group, PORT)


def deleted(world: World, group: str) -> None:
    """Deleted after it was open and told."""
    deeds.open_port(world.cast.sam, group, PORT)
    world.settle()
    deeds.delete_group(world.cast.lea, group)


Act = Callable[[World, str], None]
ACTS = pytest.mark.parametrize(
    ("act", "status"), [(opened, Status.OPEN), (mended, Status.RESOLVED), (deleted, Status.GONE)]
)


def acted(world: World, act: Act) -> tuple[str, list[dict[str, Any]]]:
    """The id of a group of its own on which somebody acted, and the last event, which waits in the queue."""
    group = deeds.make_group(world.cast.sam, f"group-{uuid4()}", workload="booking")
    world.trail.take()
    act(world, group)
    events = world.trail.take()
    put(world, events)
    world.letters("storefront")
    return group, events


def put(world: World, events: list[dict[str, Any]]) -> None:
    for envelope in events:
        world.cloud.put(envelope)


# --- what comes between -----------------------------------------------------------------------------------------------

# The number of a call, and whether it was made already.
Point = tuple[int, bool]


def run(world: World, at: Point | None = None, disturb: Callable[[], object] = die) -> list[str]:
    """Let the functions work, begun anew, and do something at one point of it. The calls that were made."""
    calls: list[str] = []
    respond._responder.cache_clear()
    deliver._deliverer.cache_clear()

    def around(call: str, make: Callable[[], Any]) -> Any:
        number = len(calls)
        if at == (number, False):
            disturb()
        calls.append(call)
        try:
            return make()
        finally:
            if at == (number, True):
                disturb()

    with around_calls(around):
        world.cloud.run()
    return calls


def points(calls: list[str]) -> list[Point]:
    """Before the first call and after each: before the next, AWS is as after the last."""
    return [(0, False), *((number, True) for number in range(len(calls)))]


def killed_at(world: World, at: Point) -> None:
    with pytest.raises(Killed):
        run(world, at, die)


# --- what there must be in the end ------------------------------------------------------------------------------------


def findings_of(world: World, group: str) -> dict[str, Finding]:
    known = world.cloud.store.known(Resource("AWS::EC2::SecurityGroup", group, ACCOUNT, REGION, ""))
    return {finding.control: finding for finding in known.findings.values()}


def said_by(findings: dict[str, Finding]) -> set[tuple[Any, ...]]:
    """What findings say, whatever group they are about and whenever it was seen."""
    return {(each.control, each.status, each.revision, each.announced, each.reopened) for each in findings.values()}


def assert_nothing_lost(world: World, findings: dict[str, Finding]) -> None:
    """Each finding recorded once with its history, and told at least once; each duplicate is one."""
    for finding in findings.values():
        history = world.cloud.store.history(finding.id)
        assert [each.revision for each in history] == list(range(1, finding.revision + 1))
        assert replace(history[-1], announced=finding.announced) == finding
    told = {(facts["id"], facts["revision"]) for facts in world.told("storefront")}
    assert told == {(finding.id, finding.revision) for finding in findings.values()}
    assert list(world.cloud.store.unannounced()) == []


# --- a function dies --------------------------------------------------------------------------------------------------


@ACTS
def test_a_function_may_die_at_any_point(world: World, act: Act, status: Status) -> None:
    undisturbed, _ = acted(world, act)
    calls = run(world)
    expected = findings_of(world, undisturbed)
    assert_nothing_lost(world, expected)
    assert {(finding.control, finding.status) for finding in expected.values()} == {(each, status) for each in BROKEN}
    assert {"dynamodb.TransactWriteItems", "sns.Publish", "dynamodb.UpdateItem"} < set(calls)

    for at in points(calls):
        group, _ = acted(world, act)
        killed_at(world, at)
        world.cloud.run()
        assert said_by(findings_of(world, group)) == said_by(expected), at
        assert_nothing_lost(world, findings_of(world, group))
    assert world.cloud.dead_letters() == []


def test_a_function_may_die_again_and_again(world: World) -> None:
    group, _ = acted(world, opened)

    for number in range(1, 5):
        killed_at(world, (number, True))
    world.cloud.run()

    assert findings_of(world, group).keys() == BROKEN
    assert_nothing_lost(world, findings_of(world, group))


def test_what_always_dies_ends_among_the_dead_letters_and_what_it_left_untold_can_be_found(world: World) -> None:
    acted(world, opened)
    before_it_is_told = (3, False)

    for _ in range(5):
        killed_at(world, before_it_is_told)
    world.cloud.run()

    assert len(world.cloud.dead_letters()) == 1
    assert {finding.control for finding in world.cloud.store.unannounced()} == BROKEN
    assert world.all_letters() == []


def test_what_was_mended_before_it_could_be_told_is_told_as_mended(world: World) -> None:
    group, _ = acted(world, opened)
    killed_at(world, (2, True))
    assert [finding.announced for finding in findings_of(world, group).values()] == [0, 0]
    deeds.close_port(world.cast.lea, group, PORT)

    world.settle()

    told = {(facts["control"], facts["status"]) for facts in world.told("storefront")}
    assert told == {(control, "RESOLVED") for control in BROKEN}
    assert list(world.cloud.store.unannounced()) == []


# --- two workers at once ----------------------------------------------------------------------------------------------


def works_meanwhile(world: World, events: list[dict[str, Any]], clock: type[datetime] = datetime) -> None:
    """Another worker gets these events, and does all its work."""
    put(world, events)
    respond.metrics.clear_metrics()  # another process counts for itself
    with patch.object(respond, "datetime", clock):
        world.cloud.run()


def test_two_workers_record_what_they_both_found_once(world: World) -> None:
    acted(world, opened)
    for at in points(run(world)):
        group, events = acted(world, opened)

        run(world, at, partial(works_meanwhile, world, events))

        assert said_by(findings_of(world, group)) == {(control, Status.OPEN, 1, 1, 0) for control in BROKEN}, at
        assert_nothing_lost(world, findings_of(world, group))


def test_a_worker_that_finds_another_revision_recorded_decides_again(world: World) -> None:
    """Its reading is the newer one, but the other's was recorded after it had asked what is known."""
    group, events = acted(world, opened)

    calls = run(world, (2, False), partial(works_meanwhile, world, events, Slow))

    assert calls.count("dynamodb.Query") == 2
    assert calls.count("sns.Publish") == 0
    assert_nothing_lost(world, findings_of(world, group))


@pytest.mark.parametrize("number", [0, 1])
def test_what_was_read_wrong_opens_nothing_once_it_was_seen_right(world: World, number: int) -> None:
    group, _ = acted(world, opened)

    def mended_meanwhile() -> None:
        deeds.close_port(world.cast.lea, group, PORT)
        works_meanwhile(world, world.trail.take())

    calls = run(world, (number, True), mended_meanwhile)

    assert calls.count("ec2.DescribeSecurityGroups") == 2  # its reading was too old, so it looked again
    assert findings_of(world, group) == {}
    assert world.all_letters() == []


@pytest.mark.parametrize("number", [0, 1])
def test_whose_doing_it_was_is_told_although_somebody_else_saw_it_first(world: World, number: int) -> None:
    group, _ = acted(world, opened)

    def tagged_meanwhile() -> None:
        world.cast.lea.client("ec2").create_tags(Resources=[group], Tags=deeds.tags(seen="yes"))
        works_meanwhile(world, world.trail.take())

    run(world, (number, True), tagged_meanwhile)

    causes = [finding.cause for finding in findings_of(world, group).values()]
    assert {(cause.event_name, cause.set_it) for cause in causes if cause} == {("AuthorizeSecurityGroupIngress", True)}
    assert len(causes) == len(BROKEN)


@pytest.mark.parametrize("number", [0, 1])
def test_what_was_read_right_resolves_nothing_once_it_was_seen_wrong(world: World, number: int) -> None:
    group, _ = acted(world, mended)

    def opened_meanwhile() -> None:
        deeds.open_port(world.cast.sam, group, PORT)
        works_meanwhile(world, world.trail.take())

    run(world, (number, True), opened_meanwhile)

    assert {finding.status for finding in findings_of(world, group).values()} == {Status.OPEN}
