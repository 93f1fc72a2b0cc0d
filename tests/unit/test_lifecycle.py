"""Whatever is seen, said and waited for, in any order: a finding is right about the world, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from demarc.core import acts
from demarc.core.acts import Refused
from demarc.core.attribution import attribute
from demarc.core.finding import TRANSITIONS, Impossible, decide, gone, step
from demarc.core.matrix import Acceptance, Person
from demarc.core.model import (
    STANDING,
    TO_DO,
    Act,
    Change,
    Compliance,
    Drift,
    Evaluation,
    Finding,
    Occasion,
    Origin,
    Severity,
    Status,
    Transition,
)
from demarc.core.snapshot import Snapshot
from tests.organizations import matrix_of, organization
from tests.unit.test_finding import BROKEN, BUCKET, CONTROL, NOON, OFF, RISK, decided, opened

ORGANIZATION = organization(acceptance=Acceptance(second_person=(Severity.HIGH,), approvers=("helena", "mara")))
PEOPLE = ORGANIZATION.people
MARA, JONAS, HELENA = PEOPLE["mara"], PEOPLE["jonas"], PEOPLE["helena"]
EVIDENCE = (Act.BROKEN, Act.RIGHT, Act.GONE, Act.MOVE)

people = st.sampled_from(sorted(PEOPLE.values(), key=lambda person: person.id))


class Lifecycle(RuleBasedStateMachine):
    """One finding on one bucket, and everything that can happen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.finding: Finding | None = None
        self.before: Snapshot | None = None
        self.history: list[Finding] = []
        self.wrong: tuple[Drift, ...] = ()
        self.exists = True

    def moved(self, finding: Finding | None) -> None:
        if finding is not None:
            self.finding = finding
            self.history.append(finding)

    @rule(hours=st.integers(1, 200))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(drift=st.lists(st.sampled_from(["Status", "Mfa"]), unique=True, max_size=2), owner=people)
    def the_resource_is_looked_at(self, drift: list[str], owner: Person) -> None:
        """It exists, with this much wrong, and tagged with somebody's team."""
        self.exists = True
        self.wrong = tuple(Drift(f"VersioningConfiguration.{name}", "Enabled", None) for name in drift)
        seen = Snapshot(
            BUCKET,
            self.now,
            {"Tags": [{"Key": "owner", "Value": owner.team}], "VersioningConfiguration": {}},
            read=frozenset({"Tags", "VersioningConfiguration"}),
        )
        compliance = Compliance.NON_COMPLIANT if self.wrong else Compliance.COMPLIANT
        self.moved(
            decide(
                self.finding,
                Evaluation(CONTROL, compliance, self.wrong),
                snapshot=seen,
                before=self.before,
                attribution=attribute(CONTROL, seen, matrix_of(CONTROL)),
                exception=None,
                changes=(),
                organization=ORGANIZATION,
                matrix_version="test",
                occasion=Occasion(Origin.SWEEP),
            )
        )
        self.before = seen

    @precondition(lambda self: self.finding is not None)
    @rule()
    def the_resource_is_gone(self) -> None:
        assert self.finding is not None
        self.exists = False
        no_changes: list[Change] = []
        self.moved(gone(self.finding, changes=no_changes, organization=ORGANIZATION, observed_at=self.now))

    @precondition(lambda self: self.finding is not None)
    @rule(
        act=st.sampled_from(["acknowledge", "assign", "accept", "approve", "decline", "expire"]),
        by=people,
        to=people,
        days=st.integers(-1, 400),
        doubted=st.booleans(),
    )
    def somebody_says_something(self, act: str, by: Person, to: Person, days: int, doubted: bool) -> None:
        assert self.finding is not None
        finding, at = self.finding, self.now
        said: dict[str, Any] = {"by": by, "origin": Origin.CLI, "at": at}
        try:
            if act == "acknowledge":
                self.moved(acts.acknowledge(finding, **said))
            elif act == "assign":
                self.moved(acts.assign(finding, to=to, **said))
            elif act == "accept":
                until = at + timedelta(days=days)
                words: dict[str, Any] = {"reason": "known", "until": until, "false_positive": doubted}
                self.moved(acts.accept(finding, organization=ORGANIZATION, **words, **said))
            elif act == "approve":
                self.moved(acts.approve(finding, organization=ORGANIZATION, **said))
            elif act == "decline":
                self.moved(acts.decline(finding, organization=ORGANIZATION, reason="no", **said))
            else:
                self.moved(acts.expire(finding, organization=ORGANIZATION, at=at))
        except Refused:
            assert self.finding is finding

    @precondition(lambda self: self.finding is not None)
    @rule(to=people)
    def the_clock_asks(self, to: Person) -> None:
        assert self.finding is not None
        try:
            self.moved(acts.remind(self.finding, at=self.now, reason="soon"))
            self.moved(acts.escalate(self.finding, to=to, at=self.now, reason="late"))
        except Refused:
            assert self.finding.status not in TO_DO

    @invariant()
    def it_stands_exactly_while_something_is_wrong(self) -> None:
        standing = self.finding is not None and self.finding.status in STANDING
        assert standing is (self.exists and bool(self.wrong))

    @invariant()
    def every_step_is_in_the_table_and_counts_one(self) -> None:
        was: Status | None = None
        for number, revision in enumerate(self.history, start=1):
            made = revision.transition
            assert made is not None
            assert TRANSITIONS[was][made.act] is revision.status
            assert (revision.revision, made.was) == (number, was)
            assert made.by
            was = revision.status

    @invariant()
    def only_evidence_resolves(self) -> None:
        for revision in self.history:
            if revision.status in (Status.RESOLVED, Status.GONE):
                assert revision.transition is not None
                assert revision.transition.act in EVIDENCE

    @invariant()
    def nobody_accepts_alone_what_their_own_team_answers_for(self) -> None:
        for revision in self.history:
            risk = revision.exception
            if revision.transition and revision.transition.act is Act.ACCEPT and risk:
                owners = revision.attribution.owner.team
                accepted_by = next(person for person in PEOPLE.values() if person.name == risk.approver)
                assert risk.approver != risk.requested_by or accepted_by.team != owners
                assert accepted_by in (HELENA, MARA)

    @invariant()
    def reopenings_are_counted(self) -> None:
        counted = 0
        for before, after in zip(self.history, self.history[1:], strict=False):
            ended = before.status in (Status.RESOLVED, Status.GONE, Status.ACCEPTED)
            counted += ended and after.status is Status.OPEN
            assert after.reopened == counted

    @invariant()
    def the_owner_always_hears(self) -> None:
        for revision in self.history:
            assert revision.attribution.owner.team == revision.audience[0]


TestLifecycle = Lifecycle.TestCase
TestLifecycle.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


# --- what the machine says, by example --------------------------------------------------------------------------------


def proposed() -> Finding:
    return acts.accept(
        opened(),
        by=MARA,
        reason="rebuilt next week",
        until=NOON + timedelta(days=10),
        organization=ORGANIZATION,
        origin=Origin.SLACK,
        at=NOON,
    )


def test_the_owner_alone_can_only_propose_what_needs_a_second_person() -> None:
    finding = proposed()

    assert finding.status is Status.OPEN
    assert finding.proposal is not None
    assert set(finding.audience) == {"platform", "grc"}


def test_nobody_approves_their_own_proposal_though_they_are_an_approver() -> None:
    with pytest.raises(Refused, match="proposes"):
        acts.approve(proposed(), by=MARA, organization=ORGANIZATION, origin=Origin.SLACK, at=NOON)


def test_a_second_person_makes_it_an_acceptance_with_both_names() -> None:
    finding = acts.approve(proposed(), by=HELENA, organization=ORGANIZATION, origin=Origin.SLACK, at=NOON)

    assert (finding.status, finding.proposal) == (Status.ACCEPTED, None)
    assert finding.exception is not None
    assert (finding.exception.requested_by, finding.exception.approver) == ("Mara Lindqvist", "Helena Novak")


def test_whoever_has_no_part_in_it_may_not_accept_it() -> None:
    with pytest.raises(Refused, match="team platform's to accept"):
        acts.accept(
            opened(),
            by=JONAS,
            reason="why not",
            until=NOON + timedelta(days=1),
            organization=ORGANIZATION,
            origin=Origin.CLI,
            at=NOON,
        )


@pytest.mark.parametrize(("reason", "days"), [("", 5), ("known", 0), ("known", -3), ("known", 366)])
def test_an_acceptance_has_a_reason_and_an_end_in_sight(reason: str, days: int) -> None:
    with pytest.raises(Refused):
        acts.accept(
            opened(),
            by=HELENA,
            reason=reason,
            until=NOON + timedelta(days=days),
            organization=ORGANIZATION,
            origin=Origin.CLI,
            at=NOON,
        )


def test_an_acceptance_that_expired_opens_the_finding_with_a_new_deadline_and_tells_the_approver() -> None:
    accepted = acts.approve(proposed(), by=HELENA, organization=ORGANIZATION, origin=Origin.SLACK, at=NOON)
    later = NOON + timedelta(days=10)

    finding = acts.expire(accepted, organization=ORGANIZATION, at=later)

    assert (finding.status, finding.reopened) == (Status.OPEN, 1)
    assert finding.due_at == later + timedelta(hours=72)
    assert "grc" in finding.audience


def test_an_acceptance_does_not_expire_before_its_day() -> None:
    accepted = acts.approve(proposed(), by=HELENA, organization=ORGANIZATION, origin=Origin.SLACK, at=NOON)

    with pytest.raises(Refused):
        acts.expire(accepted, organization=ORGANIZATION, at=NOON + timedelta(days=9))


def test_a_false_positive_holds_for_what_was_seen_and_for_nothing_else() -> None:
    doubted = acts.accept(
        opened(),
        by=HELENA,
        reason="versioned by the replica",
        until=NOON + timedelta(days=10),
        organization=ORGANIZATION,
        origin=Origin.CLI,
        at=NOON,
        false_positive=True,
    )
    worse = replace(BROKEN, drift=(OFF, Drift("VersioningConfiguration.Mfa", True, None)))

    assert decided(doubted, BROKEN, at=NOON + timedelta(days=1)) is None
    again = decided(doubted, worse, at=NOON + timedelta(days=1))

    assert again is not None
    assert again.transition is not None
    assert (again.status, again.reopened) == (Status.OPEN, 1)
    assert "something else" in again.transition.reason


def test_what_the_matrix_accepts_is_taken_back_in_the_matrix() -> None:
    accepted = decided(None, BROKEN, exception=RISK)
    assert accepted is not None

    with pytest.raises(Refused, match="RISK-1 is written in the matrix"):
        acts.decline(accepted, by=HELENA, organization=ORGANIZATION, origin=Origin.CLI, at=NOON, reason="no")


def test_what_cannot_happen_says_so() -> None:
    with pytest.raises(Impossible, match="OPEN cannot be acceptance expired"):
        step(opened(), Transition(Act.EXPIRE, Origin.SCHEDULE, "Demarc", NOON))
