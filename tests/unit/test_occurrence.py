"""What happened is one finding for each actor, in any order and however often it is told; a person's word closes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from demarc.authoring.compile import CompiledMatrix
from demarc.core import acts
from demarc.core.acts import Refused
from demarc.core.announcement import announcement_of
from demarc.core.change import NoChange, Reason, interpret
from demarc.core.chat.memo import answers_to, headline_of, memo_of
from demarc.core.finding import OF_OCCURRENCES, Impossible, step
from demarc.core.model import (
    OCCURRENCE,
    STANDING,
    Act,
    Change,
    Compliance,
    Control,
    Finding,
    Layer,
    Occurrence,
    Origin,
    Severity,
    Status,
    Transition,
)
from demarc.core.occurrence import OccurrenceIndex, control_of, is_occurrence
from demarc.core.touch import TouchIndex
from demarc.pipeline import Batch, Pipeline
from demarc.readers import load
from demarc.stores.memory import MemoryFindingStore
from demarc.stores.sweeps import Last, MemorySweepStore
from demarc.sweep import Do, Step
from tests.factories import NOON
from tests.organizations import OWNED, matrix_of, organization
from tests.unit.test_sweep import Account, Courier, sweeper_of

JO = f"arn:aws:iam::{OWNED}:user/jo"
SWITCHED_OFF = Control(
    id="guardduty-is-not-deleted",
    title="Nobody deletes a GuardDuty detector",
    severity=Severity.HIGH,
    layer=Layer.VISIBILITY,
    resource_type=OCCURRENCE,
    guidance="aws guardduty create-detector --region {region} --enable",
    references={"nist-800-53-r5": ("AU-9",)},
    needs=(),
    occurrence=Occurrence("guardduty.amazonaws.com", ("DeleteDetector", "UpdateDetector")),
)
ORGANIZATION = organization()
MARA = ORGANIZATION.people["mara"]
INDEX = OccurrenceIndex([SWITCHED_OFF])
NOTHING_IS_READ = TouchIndex.of(())


def record(
    number: int = 0, *, name: str = "DeleteDetector", ip: str = "198.51.100.7", **changes: Any
) -> dict[str, Any]:
    """What CloudTrail wrote `number` seconds after noon."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "arn": JO, "accountId": OWNED, "userName": "jo"},
        "eventTime": f"{NOON + timedelta(seconds=number):%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "guardduty.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": ip,
        "userAgent": "aws-cli/2.31.4",
        "requestParameters": {"detectorId": "d"},
        "eventID": f"event-{number}-{name}-{ip}",
        "readOnly": False,
        "recipientAccountId": OWNED,
    } | changes


def happened(number: int = 0, **changes: Any) -> Change:
    outcome = interpret(record(number, **changes), NOTHING_IS_READ, INDEX)
    assert isinstance(outcome, Change), outcome
    return outcome


class Told:
    """Remembers every finding that was announced."""

    def __init__(self) -> None:
        self.findings: list[dict[str, Any]] = []

    def announce(self, announcement: Any) -> None:
        self.findings += announcement.body["findings"]


def nobody(service: str, region: str) -> Any:
    raise AssertionError(f"{service} was asked in {region}")


class World:
    """The responder's path, over a store in memory; no client can be made."""

    def __init__(self) -> None:
        self.store = MemoryFindingStore()
        self.told = Told()
        self.pipeline = Pipeline(
            matrix=matrix_of(SWITCHED_OFF),
            readers={reader.type: reader for reader in load((OCCURRENCE,))},
            clients=nobody,
            store=self.store,
            announcer=self.told,
            clock=lambda: NOON,
        )

    def deliver(self, *changes: Change) -> None:
        """One batch."""
        batch = Batch(self.pipeline, changes)
        for change in changes:
            batch.settle(change)

    @property
    def finding(self) -> Finding:
        (finding,) = self.store.find()
        return finding

    def observed(self) -> dict[str, Any]:
        last = self.store.known(self.finding.resource).last
        assert last is not None
        observed: dict[str, Any] = last.properties["Observed"]
        return {name: observed[name] for name in ("Count", "First", "Last")}

    def acknowledge(self, reason: str = "it was me, for the move") -> None:
        said = acts.acknowledge(self.finding, by=MARA, origin=Origin.CLI, at=NOON + timedelta(hours=1), reason=reason)
        self.store.amend(said)


# --- one finding ------------------------------------------------------------------------------------------------------


def test_a_call_that_must_not_happen_is_a_finding_on_the_stream_of_such_calls() -> None:
    world = World()

    world.deliver(happened())

    finding = world.finding
    assert (finding.status, finding.revision, finding.compliance) == (Status.OPEN, 1, Compliance.NON_COMPLIANT)
    assert finding.resource.identifier == f"guardduty-is-not-deleted/{JO}"
    assert (finding.resource.account, finding.resource.region) == (OWNED, "eu-west-1")
    assert finding.attribution.owner.team == "platform"
    assert finding.opened_at == finding.observed_at == NOON
    (drift,) = finding.drift
    assert (drift.actual, drift.because) == ("guardduty:DeleteDetector", f"{JO} called it from 198.51.100.7")
    assert finding.cause is not None
    assert (finding.cause.event_name, finding.cause.set_it, finding.cause.actor.name) == ("DeleteDetector", True, "jo")


def test_the_same_thing_again_is_counted_and_wakes_nobody() -> None:
    world = World()
    world.deliver(happened(0))

    world.deliver(happened(5))
    world.deliver(happened(9))

    assert world.finding.revision == 1
    assert [facts["revision"] for facts in world.told.findings] == [1]
    assert world.observed() == {
        "Count": 3,
        "First": NOON.isoformat(),
        "Last": (NOON + timedelta(seconds=9)).isoformat(),
    }


@pytest.mark.parametrize("changes", [{"name": "UpdateDetector"}, {"ip": "203.0.113.9"}])
def test_another_call_or_another_address_is_worth_a_word(changes: dict[str, Any]) -> None:
    world = World()
    world.deliver(happened(0))

    world.deliver(happened(5, **changes))

    assert (world.finding.revision, len(world.finding.drift)) == (2, 2)
    assert world.finding.cause is not None
    assert world.finding.cause.time == NOON + timedelta(seconds=5)


def test_what_comes_after_the_first_twenty_wakes_nobody() -> None:
    world = World()
    for number in range(25):
        world.deliver(happened(number, ip=f"203.0.113.{number}"))

    assert (world.finding.revision, len(world.finding.drift)) == (20, 20)
    assert world.observed()["Count"] == 25


def test_what_another_does_is_another_finding() -> None:
    world = World()
    other = {"type": "IAMUser", "arn": f"arn:aws:iam::{OWNED}:user/kim", "accountId": OWNED, "userName": "kim"}

    world.deliver(happened(0), happened(1, userIdentity=other))

    assert len(list(world.store.find())) == 2


def test_sessions_of_a_program_are_one_actor_whatever_they_are_called() -> None:
    world = World()
    for number in range(2):
        role = {"type": "Role", "arn": f"arn:aws:iam::{OWNED}:role/nightly", "accountId": OWNED, "userName": "nightly"}
        user: dict[str, Any] = {
            "type": "AssumedRole",
            "arn": f"arn:aws:sts::{OWNED}:assumed-role/nightly/botocore-{number}",
        }
        user |= {"accountId": OWNED, "sessionContext": {"sessionIssuer": role}}
        world.deliver(happened(number, userIdentity=user))

    assert world.finding.resource.identifier.endswith(":role/nightly")
    assert world.finding.revision == 1


def test_a_foreign_text_cannot_make_a_name_without_end() -> None:
    user = {"type": "IAMUser", "arn": JO + "x" * 3_000, "accountId": OWNED, "userName": "jo"}

    (touched,) = happened(userIdentity=user).touched

    assert len(touched.resource.identifier) < 400


def test_a_call_that_nobody_minds_as_it_was_made_says_so() -> None:
    narrow = replace(SWITCHED_OFF, occurrence=Occurrence(*_call(), where={"requestParameters.enable": False}))

    outcome = interpret(record(), NOTHING_IS_READ, OccurrenceIndex([narrow]))

    assert isinstance(outcome, NoChange)
    assert outcome.reason is Reason.NO_OCCURRENCE


def _call() -> tuple[str, tuple[str, ...]]:
    assert SWITCHED_OFF.occurrence is not None
    return SWITCHED_OFF.occurrence.source, SWITCHED_OFF.occurrence.calls


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        ({"requestParameters.detectorId": "d"}, True),
        ({"requestParameters.detectorId": {"like": ("x*", "d*")}}, True),
        ({"requestParameters.detectorId": {"like": ("x*",)}}, False),
        ({"requestParameters.detectorId": {"like": ("*",), "none_of": ("d",)}}, False),
        ({"requestParameters.name": {"absent": True}}, True),
        ({"requestParameters.name": {"like": ("*",)}}, False),
        ({"requestParameters.names[]": "b"}, True),
        ({"requestParameters.names[]": "c"}, False),
        ({"userIdentity.type": "Root"}, False),
    ],
)
def test_a_record_is_asked_in_the_words_of_any_control_and_by_pattern(where: dict[str, Any], holds: bool) -> None:
    asked = replace(SWITCHED_OFF, occurrence=Occurrence(where=where))
    request = {"detectorId": "d", "names": ["a", "b"]}

    found = OccurrenceIndex([asked]).found(record(requestParameters=request), "any.amazonaws.com", "Anything")

    assert bool(found) is holds


def test_what_happened_cannot_be_looked_at_again() -> None:
    world = World()
    world.deliver(happened())

    with pytest.raises(LookupError, match="nothing to look at again"):
        world.pipeline.settle(world.finding.resource)


def test_no_sweep_lists_it_or_takes_it_for_gone(matrix: CompiledMatrix) -> None:
    world, courier = World(), Courier()
    world.deliver(happened())
    stands = (OCCURRENCE, world.finding.resource.identifier)
    sweeps = MemorySweepStore(last=Last("before"))
    sweeper = replace(sweeper_of(Account(0), courier, sweeps, matrix.matrix()), standing=lambda: [stands])
    sweeper.take(Step(Do.START, "s"))

    sweeper.take(Step(Do.STANDING, "s"))

    assert courier.looks == []
    assert next(reader for reader in load((OCCURRENCE,))).inventory is None


# --- any order --------------------------------------------------------------------------------------------------------

calls = st.builds(
    happened,
    st.integers(0, 6),
    name=st.sampled_from(["DeleteDetector", "UpdateDetector"]),
    ip=st.sampled_from(["198.51.100.7", "203.0.113.9"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(calls, min_size=1, max_size=8), st.data())
def test_in_any_order_and_any_number_of_times_it_is_the_same_finding(events: Sequence[Change], data: Any) -> None:
    again = [*events, *data.draw(st.lists(st.sampled_from(events), max_size=6))]
    one, other = World(), World()

    for change in sorted(events, key=lambda each: each.time):
        one.deliver(change)
    shuffled = data.draw(st.permutations(again))
    size = data.draw(st.integers(1, 4))
    for start in range(0, len(shuffled), size):
        other.deliver(*shuffled[start : start + size])

    def facts(world: World) -> tuple[Any, ...]:
        finding = world.finding
        return finding.id, finding.status, finding.drift, finding.reopened, world.observed()

    assert facts(one) == facts(other)


# --- a person's word --------------------------------------------------------------------------------------------------


def test_an_acknowledgement_closes_it_with_who_when_and_why() -> None:
    world = World()
    world.deliver(happened())

    world.acknowledge()

    finding = world.finding
    assert (finding.status, finding.acknowledged_by) == (Status.RESOLVED, "Mara Lindqvist")
    assert finding.resolved_at == finding.acknowledged_at == NOON + timedelta(hours=1)
    assert finding.reason == "it was me, for the move"
    # What happened is not undone by it.
    assert finding.drift


def test_nobody_closes_it_without_a_reason() -> None:
    world = World()
    world.deliver(happened())

    with pytest.raises(Refused, match="say why"):
        world.acknowledge(reason=" ")


@pytest.mark.parametrize("act", [Act.RIGHT, Act.GONE])
def test_nothing_that_is_seen_closes_it(act: Act) -> None:
    world = World()
    world.deliver(happened())

    with pytest.raises(Impossible):
        step(world.finding, Transition(act, Origin.SWEEP, "Demarc", NOON))


def test_a_newer_call_opens_it_again_and_an_older_or_a_known_one_does_not() -> None:
    world = World()
    world.deliver(happened(10))
    world.acknowledge()

    world.deliver(happened(10))
    world.deliver(happened(3, ip="203.0.113.9"))
    assert world.finding.status is Status.RESOLVED

    world.deliver(happened(11, ip="203.0.113.9"))

    finding = world.finding
    assert (finding.status, finding.reopened, finding.acknowledged_by) == (Status.OPEN, 1, None)
    assert finding.due_at == NOON + timedelta(seconds=11) + timedelta(hours=72)
    # It tells of what is new, and not of what was answered for.
    (drift,) = finding.drift
    assert "203.0.113.9" in drift.because


def test_a_call_that_nobody_had_heard_of_when_it_was_closed_opens_it_though_it_was_made_before() -> None:
    world = World()
    world.deliver(happened(10))
    world.acknowledge()

    world.deliver(happened(20))

    assert NOON + timedelta(seconds=20) < NOON + timedelta(hours=1)
    assert world.finding.status is Status.OPEN


def test_an_accepted_one_opens_again_when_its_day_is_past() -> None:
    world = World()
    world.deliver(happened())
    until = NOON + timedelta(days=3)
    told: dict[str, Any] = {
        "reason": "being moved",
        "until": until,
        "organization": ORGANIZATION,
        "origin": Origin.CLI,
        "at": NOON,
    }
    world.store.amend(acts.accept(world.finding, by=MARA, **told))

    world.deliver(happened(5))
    accepted = world.finding.status

    world.store.amend(acts.expire(world.finding, organization=ORGANIZATION, at=until))
    assert (accepted, world.finding.status) == (Status.ACCEPTED, Status.OPEN)


class Streams(RuleBasedStateMachine):
    """One stream of calls, delivered as it comes, and what people say meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.heard: set[str] = set()
        self.last = -1
        self.stands = False

    @property
    def history(self) -> Sequence[Finding]:
        found = list(self.world.store.find())
        return self.world.store.history(found[0].id) if found else ()

    @rule(number=st.integers(0, 30), ip=st.sampled_from(["198.51.100.7", "203.0.113.9"]))
    def a_call_is_told_of(self, number: int, ip: str) -> None:
        change = happened(number, ip=ip)
        before = self.history
        self.world.deliver(change)
        fresh = change.event_id not in self.heard
        self.stands = self.stands or (fresh and number >= self.last)
        if not fresh:
            assert self.history == before
        self.heard.add(change.event_id)
        self.last = max(self.last, number)

    @precondition(lambda self: self.history)
    @rule(reason=st.sampled_from(["", "it was planned"]))
    def somebody_acknowledges(self, reason: str) -> None:
        try:
            self.world.acknowledge(reason)
        except Refused:
            assert not (self.stands and reason)
        else:
            self.stands = False

    @precondition(lambda self: self.stands)
    @rule()
    def the_clock_asks(self) -> None:
        self.world.store.amend(acts.remind(self.world.finding, at=NOON, reason="soon"))

    @invariant()
    def it_stands_exactly_while_something_is_unanswered(self) -> None:
        if self.history:
            assert (self.world.finding.status in STANDING) is self.stands

    @invariant()
    def every_step_is_in_the_table_and_only_a_word_with_a_reason_closes(self) -> None:
        was: Status | None = None
        for number, revision in enumerate(self.history, start=1):
            made = revision.transition
            assert made is not None
            assert OF_OCCURRENCES[was][made.act] is revision.status
            assert (revision.revision, made.was) == (number, was)
            if revision.status is Status.RESOLVED:
                assert (made.act, bool(made.by), bool(made.reason)) == (Act.ACKNOWLEDGE, True, True)
            was = revision.status

    @invariant()
    def reopenings_are_counted(self) -> None:
        history = self.history
        closed = [revision for revision in history if revision.status is Status.RESOLVED]
        if history:
            assert history[-1].reopened == len(closed) - (history[-1].status is Status.RESOLVED)

    @invariant()
    def whatever_was_recorded_was_told(self) -> None:
        told = {(each["id"], each["revision"]) for each in self.world.told.findings}
        seen = {
            (each.id, each.revision) for each in self.history if each.transition and each.transition.act is Act.BROKEN
        }
        assert seen <= told


TestStreams = Streams.TestCase
TestStreams.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


# --- how it is told ---------------------------------------------------------------------------------------------------


def test_a_message_says_what_was_called_by_whom_and_from_where() -> None:
    world = World()
    world.deliver(happened())

    text = " ".join(announcement_of([world.finding]).text.split())

    assert "OPEN (high). Broken: Nobody deletes a GuardDuty detector" in text
    assert f"Happened guardduty:DeleteDetector: {JO} called it from 198.51.100.7" in text
    assert "Must be" not in text


def test_a_message_that_it_is_closed_says_by_whom_and_why_and_claims_nothing() -> None:
    world = World()
    world.deliver(happened())
    world.acknowledge()

    text = announcement_of([world.finding]).text

    assert "Closed: Nobody deletes a GuardDuty detector" in text
    assert "closed by Mara Lindqvist" in text
    assert "it was me, for the move" in text
    assert "right again" not in text


def test_a_chat_offers_no_other_look_and_says_what_happened() -> None:
    world = World()
    world.deliver(happened())

    memo = memo_of(world.finding, organization=ORGANIZATION)

    assert [answer.action for answer in answers_to(world.finding)] == ["acknowledge", "accept", "assign"]
    assert [label for drift in memo.drifts for label, _ in drift] == ["", "how"]
    world.acknowledge()
    assert headline_of(world.finding).endswith("Closed: Nobody deletes a GuardDuty detector")
    assert any("Closed by " in line for line in memo_of(world.finding, organization=ORGANIZATION).standing)


def test_a_stream_says_which_control_it_is_about() -> None:
    world = World()
    world.deliver(happened())

    assert is_occurrence(world.finding)
    assert control_of(world.finding.resource) == "guardduty-is-not-deleted"
