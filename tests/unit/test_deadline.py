"""What the clock does to a finding: each step once, in order, and nothing to what nobody has to mend."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.core.calendar import Calendar
from demarc.core.deadline import chain_of, digest_week, next_step
from demarc.core.matrix import Chasing, Organization, RiskException
from demarc.core.model import AcceptedRisk, Act, Finding, Origin, Status
from tests.factories import NOON, a_finding
from tests.organizations import organization as an_organization

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Opened at noon on the first day, due three days later.
DUE = NOON + 3 * DAY
RISK = AcceptedRisk("RISK-9", "it is a demo", "Helena Novak", NOON + 9 * DAY, "grc", origin=Origin.SLACK)


def organization(*, escalation: tuple[str, ...] = ("aiko", "mara"), **chasing: object) -> Organization:
    base = an_organization()
    payments = replace(base.teams["payments"], escalation=escalation)
    facts: dict[str, object] = {"reminders": (24, 4), "escalate_every": 6}
    return replace(
        base,
        teams={**base.teams, "payments": payments},
        chasing=Chasing(**(facts | chasing)),  # type: ignore[arg-type]
    )


def steps_until(finding: Finding, end: datetime, every: timedelta, matrix: Organization) -> list[Finding]:
    """What the clock led to when somebody looked at regular intervals."""
    steps, now = [], finding.opened_at
    while now <= end:
        step = next_step(finding, matrix, now)
        if step:
            steps.append(step)
            finding = step
        now += every
    return steps


def acts(steps: list[Finding]) -> list[tuple[Act, str | None]]:
    return [(step.transition.act, step.transition.to) for step in steps if step.transition]


CHASED = [
    (Act.REMIND, "Jonas Weber"),
    (Act.REMIND, "Jonas Weber"),
    (Act.ESCALATE, "Jonas Weber"),
    (Act.ESCALATE, "Aiko Tanaka"),
    (Act.ESCALATE, "Mara Lindqvist"),
    (Act.ESCALATE, "Helena Novak"),
]


def test_the_owner_is_reminded_then_the_chain_is_told_and_governance_at_last() -> None:
    steps = steps_until(a_finding(), DUE + 30 * DAY, HOUR / 4, organization())

    assert acts(steps) == CHASED
    moments = [step.transition.at for step in steps if step.transition]
    assert moments == [DUE - 24 * HOUR, DUE - 4 * HOUR, DUE, DUE + 6 * HOUR, DUE + 12 * HOUR, DUE + 18 * HOUR]


@given(st.lists(st.timedeltas(timedelta(), 10 * DAY), max_size=40), st.data())
def test_whenever_and_however_often_somebody_looks_no_step_happens_twice(
    moments: list[timedelta], data: st.DataObject
) -> None:
    matrix, finding, taken = organization(), a_finding(), []
    for moment in sorted(moments):
        step = next_step(finding, matrix, NOON + moment)
        # Whoever looks may die before the step is recorded; then it is taken again.
        if step and data.draw(st.booleans()):
            finding = step
            taken.append(step)

    counts = [(step.reminded, step.escalated) for step in taken]
    assert counts == sorted(set(counts))
    assert [each for each in acts(taken) if each[0] is Act.ESCALATE] == CHASED[2 : 2 + finding.escalated]
    assert sum(step.transition is not None and step.transition.act is Act.REMIND for step in taken) <= 2


@given(st.timedeltas(timedelta(), 30 * DAY))
def test_the_same_moment_again_leads_to_nothing_more_of_the_same(moment: timedelta) -> None:
    matrix, now = organization(), NOON + moment
    step = next_step(a_finding(), matrix, now)
    again = next_step(step, matrix, now) if step else None

    assert again is None or again.escalated > (step.escalated if step else 0)


def test_several_reminders_that_were_missed_are_one() -> None:
    steps = steps_until(a_finding(observed_at=NOON), DUE - HOUR, 3 * DAY - HOUR, organization())

    assert acts(steps) == [(Act.REMIND, "Jonas Weber")]
    assert steps[0].reminded == 2
    assert steps[0].transition is not None
    assert steps[0].transition.reason == "it must be right again in an hour"


def test_a_reminder_from_before_the_opening_is_none() -> None:
    finding = a_finding(due_at=NOON + 12 * HOUR)

    assert acts(steps_until(finding, NOON + 11 * HOUR, HOUR, organization())) == [(Act.REMIND, "Jonas Weber")]


def test_reminders_that_were_missed_are_not_made_up_for_when_it_is_overdue() -> None:
    step = next_step(a_finding(), organization(), DUE + HOUR)

    assert step is not None
    assert step.escalated == 1
    assert step.reminded == 0


def test_nobody_of_the_chain_is_passed_over_after_an_outage() -> None:
    late = DUE + 10 * DAY
    finding, matrix, told = a_finding(), organization(), []
    while step := next_step(finding, matrix, late):
        finding = step
        told.append(step)

    assert acts(told) == CHASED[2:]


def test_an_acknowledged_finding_is_chased_all_the_same() -> None:
    finding = a_finding(status=Status.ACKNOWLEDGED, acknowledged_by="Jonas Weber", acknowledged_at=NOON)

    steps = steps_until(finding, DUE + 30 * DAY, HOUR, organization())

    assert acts(steps) == CHASED
    assert {step.status for step in steps} == {Status.ACKNOWLEDGED}


def test_whoever_it_is_assigned_to_is_told_first() -> None:
    finding = a_finding(assignee="Aiko Tanaka")

    assert acts(steps_until(finding, DUE + 30 * DAY, HOUR, organization()))[2:] == [
        (Act.ESCALATE, "Aiko Tanaka"),
        (Act.ESCALATE, "Mara Lindqvist"),
        (Act.ESCALATE, "Helena Novak"),
    ]


def test_the_team_of_each_person_told_hears_of_it() -> None:
    steps = steps_until(a_finding(), DUE + 30 * DAY, HOUR, organization())

    audiences = [set(step.audience) for step in steps]
    assert audiences == [{"payments"}] * 4 + [{"payments", "platform"}, {"payments", "grc"}]


def test_nobody_stands_twice_in_a_chain() -> None:
    finding, matrix = a_finding(), organization(escalation=("aiko", "helena"))

    assert [person.id for person in chain_of(finding, matrix)] == ["jonas", "aiko", "helena"]


def test_a_finding_of_a_team_that_is_no_more_goes_to_governance() -> None:
    finding = a_finding(team="gone")

    assert [person.id for person in chain_of(finding, organization())] == ["jonas", "helena"]


def test_an_owner_whom_the_matrix_does_not_know_any_more_is_replaced_by_the_accountable_person() -> None:
    finding = a_finding(assignee="Somebody Else")

    assert chain_of(finding, organization())[0] == an_organization().people["jonas"]


@pytest.mark.parametrize("status", [Status.RESOLVED, Status.GONE])
def test_what_is_over_is_left_alone(status: Status) -> None:
    assert next_step(a_finding(status=status), organization(), DUE + 99 * DAY) is None


# --- acceptances ----------------------------------------------------------------------------------------------------


def accepted(risk: AcceptedRisk = RISK) -> Finding:
    return a_finding(status=Status.ACCEPTED, exception=risk)


def test_an_accepted_finding_is_not_chased_while_its_acceptance_lasts() -> None:
    assert steps_until(accepted(), RISK.expires - HOUR, HOUR, organization()) == []


def test_an_expired_acceptance_opens_the_finding_again_and_tells_the_approver() -> None:
    step = next_step(accepted(), organization(), RISK.expires)

    assert step is not None
    assert (step.status, step.exception, step.reopened) == (Status.OPEN, None, 1)
    assert acts([step]) == [(Act.EXPIRE, "Helena Novak")]
    assert set(step.audience) == {"payments", "grc"}


def test_what_opens_again_has_a_new_deadline_and_is_chased_anew() -> None:
    finding = next_step(replace(accepted(), reminded=2, escalated=4), organization(), RISK.expires)

    assert finding is not None
    assert finding.due_at == RISK.expires + 72 * HOUR
    assert acts(steps_until(finding, finding.due_at + 30 * DAY, HOUR, organization())) == CHASED


def test_an_exception_that_the_matrix_prolonged_meanwhile_does_not_expire() -> None:
    risk = replace(RISK, origin=Origin.MATRIX)
    row = RiskException("RISK-9", "s3-bucket-is-private", "*", "it is a demo", "helena", RISK.expires + 30 * DAY)
    prolonged = replace(organization(), exceptions=(row,))

    assert next_step(accepted(risk), prolonged, RISK.expires) is None
    assert next_step(accepted(risk), organization(), RISK.expires) is not None
    assert next_step(accepted(), prolonged, RISK.expires) is not None


# --- digests --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "week"),
    [
        ("2026-11-30T07:59", None),
        ("2026-11-30T08:00", "2026-11-30"),
        ("2026-12-01T07:59", "2026-11-30"),
        ("2026-12-01T08:00", None),
    ],
)
def test_digests_go_out_once_their_hour_has_come_and_for_a_day(now: str, week: str | None) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    matrix = replace(organization(digest_weekday=0, digest_hour=8), calendar=Calendar())

    assert digest_week(moment, matrix) == (week and date.fromisoformat(week))


@given(st.integers(0, 6), st.integers(0, 23), st.integers(0, 60 * 24 * 7))
def test_there_is_one_digest_a_week(weekday: int, hour: int, minutes: int) -> None:
    matrix = organization(digest_weekday=weekday, digest_hour=hour)
    first = NOON + timedelta(minutes=minutes)

    weeks = {digest_week(first + quarter * HOUR / 4, matrix) for quarter in range(7 * 24 * 4)} - {None}

    # A week of looking may end on the day on which it began.
    assert len(weeks) in (1, 2)
    assert all(week and week.weekday() == weekday for week in weeks)
