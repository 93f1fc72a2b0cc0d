"""How long it takes, from what happened: defined once, and the same whichever way one looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.core.measures import Figures, Measures, Times, episodes_of, is_told_by, measure, times_of
from demarc.core.model import Act, Finding, Layer, Origin, Severity, Status, Transition
from tests.factories import NOON, a_cause, a_finding
from tests.lives import a_life, lives

EVER = NOON - timedelta(days=365)
LATER = NOON + timedelta(days=365)
HOUR = 3_600


def measured(*histories: tuple[Finding, ...], since: datetime = EVER, now: datetime = LATER) -> Measures:
    return measure(histories, since=since, now=now)


def overall(*histories: tuple[Finding, ...], since: datetime = EVER, now: datetime = LATER) -> Figures:
    return measured(*histories, since=since, now=now).overall


def once(seconds: float) -> Times:
    return Times(count=1, mean=seconds, median=seconds, p90=seconds)


def test_a_finding_that_was_acknowledged_and_mended_has_all_three_times() -> None:
    figures = overall(a_life([("acknowledge", 2), ("mend", 3)]))

    assert (figures.detect, figures.acknowledge, figures.resolve) == (once(20), once(2 * HOUR), once(5 * HOUR))


def test_detection_is_measured_only_where_a_change_is_known_to_have_set_it() -> None:
    noticed = a_life([("mend", 1)], cause=a_cause(set_it=False))
    unknown = a_life([("mend", 1)], cause=None)

    assert overall(noticed, unknown).detect == Times()


def test_a_change_that_is_learned_of_later_is_what_led_to_the_opening() -> None:
    first, second = a_life([("change", 1)], cause=None)
    learned = replace(second, cause=a_cause(time=NOON - timedelta(minutes=1)))

    assert overall((first, learned)).detect == once(60)


def test_a_change_after_the_opening_did_not_lead_to_it() -> None:
    assert overall(a_life([("change", 1)])).detect == once(20)


def test_what_comes_after_an_acceptance_was_detected_long_ago() -> None:
    figures = overall(a_life([("accept", 1), ("uncover", 99), ("mend", 4)]))

    assert (figures.detect, figures.resolve) == (once(20), once(4 * HOUR))
    assert figures.opened == 2


def test_what_is_mended_while_it_is_accepted_says_nothing_of_how_fast_others_are() -> None:
    figures = overall(a_life([("accept", 1), ("mend", 99)]))

    assert (figures.ended, figures.late, figures.resolve) == (1, 0, Times())


def test_that_a_resource_is_deleted_ends_the_exposure() -> None:
    figures = overall(a_life([("delete", 3)]))

    assert (figures.ended, figures.gone, figures.resolve) == (1, 1, once(3 * HOUR))


@pytest.mark.parametrize(("hours", "late"), [(72, 0), (73, 1)])
def test_late_is_what_was_mended_after_its_deadline(hours: int, late: int) -> None:
    assert overall(a_life([("mend", hours)])).late == late


def test_of_two_that_were_mended_one_came_back() -> None:
    figures = overall(a_life([("mend", 1)]), a_life([("mend", 1), ("break", 1)]))

    assert (figures.ended, figures.reopened, figures.reopen_rate) == (2, 1, 0.5)


def test_that_an_acceptance_ended_is_no_reopening() -> None:
    figures = overall(a_life([("accept", 1), ("uncover", 1)]))

    assert (figures.reopened, figures.reopen_rate) == (0, None)


def test_what_is_open_counts_however_long_ago_it_was_opened() -> None:
    figures = overall(a_life([]), since=NOON + timedelta(days=1), now=NOON + timedelta(days=4))

    assert (figures.opened, figures.open, figures.overdue) == (0, 1, 1)
    assert figures.detect == Times()


def test_what_was_opened_before_the_period_and_mended_in_it_counts_as_mended() -> None:
    figures = overall(a_life([("mend", 48)]), since=NOON + timedelta(hours=1))

    assert (figures.opened, figures.ended, figures.resolve) == (0, 1, once(48 * HOUR))


def test_what_ended_before_the_period_is_in_no_group() -> None:
    assert measured(a_life([("mend", 1)]), since=NOON + timedelta(days=1)).teams == {}


def test_an_accepted_risk_is_neither_open_nor_overdue() -> None:
    figures = overall(a_life([("accept", 1)]))

    assert (figures.open, figures.overdue, figures.accepted) == (0, 0, 1)


def test_an_acceptance_that_ended_is_not_counted_as_accepted() -> None:
    assert overall(a_life([("accept", 1), ("uncover", 1)])).accepted == 0


def test_a_finding_that_changed_hands_is_the_last_owners_who_has_not_acknowledged_it() -> None:
    moved = a_life([("acknowledge", 1), ("move", 1), ("mend", 1)])

    assert list(measured(moved).teams) == ["platform"]
    assert overall(moved).acknowledge == Times()


def test_clocks_that_disagree_make_no_negative_times() -> None:
    finding = a_finding(status=Status.ACKNOWLEDGED, acknowledged_at=NOON - timedelta(seconds=1))

    assert overall((finding,)).acknowledge == once(0)


def test_a_history_from_before_transitions_were_kept_is_measured() -> None:
    opened = a_finding()
    mended = replace(opened, revision=2, status=Status.RESOLVED, resolved_at=NOON + timedelta(hours=1))

    assert overall((opened, mended)).resolve == once(HOUR)


def test_groups_are_in_the_order_of_their_words() -> None:
    high, critical = a_life([]), a_life([], severity=Severity.CRITICAL, layer=Layer.IDENTITY, team="architects")

    grouped = measured(high, critical)

    assert list(grouped.teams) == ["architects", "payments"]
    assert list(grouped.severities) == [Severity.CRITICAL, Severity.HIGH]
    assert list(grouped.layers) == [Layer.IDENTITY, Layer.DATA]


def test_the_ninetieth_percentile_is_a_time_that_really_was() -> None:
    times = times_of(timedelta(seconds=seconds) for seconds in (1, 2, 3, 4, 5, 6, 7, 8, 9, 100))

    assert times == Times(count=10, mean=14.5, median=5.5, p90=9)


histories = st.lists(lives, max_size=6)
moments = st.integers(-24, 1_000).map(lambda hours: NOON + timedelta(hours=hours))


@given(histories, moments, st.randoms(use_true_random=False))
def test_the_order_of_histories_and_revisions_does_not_matter(
    found: list[tuple[Finding, ...]], since: datetime, random: object
) -> None:
    shuffled = [tuple(random.sample(history, len(history))) for history in found]  # type: ignore[attr-defined]
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert measure(shuffled, since=since, now=LATER) == measure(found, since=since, now=LATER)


@given(histories, moments)
def test_a_finding_that_is_still_open_changes_no_time_to_resolve(
    found: list[tuple[Finding, ...]], since: datetime
) -> None:
    still_open = a_life([("acknowledge", 1)])

    assert (
        measure([*found, still_open], since=since, now=LATER).overall.resolve
        == measure(found, since=since, now=LATER).overall.resolve
    )


@given(histories, moments, moments)
def test_no_part_is_more_than_what_it_is_of(found: list[tuple[Finding, ...]], since: datetime, now: datetime) -> None:
    measures = measure(found, since=since, now=now)

    for figures in (measures.overall, *measures.teams.values(), *measures.severities.values()):
        assert 0 <= figures.overdue <= figures.open
        assert figures.resolve.count <= figures.ended
        assert max(figures.gone, figures.late, figures.reopened) <= figures.ended
        assert figures.reopen_rate is None or 0 <= figures.reopen_rate <= 1


@given(histories, moments)
def test_teams_severities_and_layers_each_add_up_to_all(found: list[tuple[Finding, ...]], since: datetime) -> None:
    measures = measure(found, since=since, now=LATER)

    for groups in (measures.teams, measures.severities, measures.layers):
        for name in ("opened", "ended", "gone", "late", "reopened", "open", "overdue", "accepted"):
            assert sum(getattr(each, name) for each in groups.values()) == getattr(measures.overall, name)


@given(lives)
def test_every_finding_has_one_latest_opening(history: tuple[Finding, ...]) -> None:
    episodes = list(episodes_of(history))

    assert [episode.latest for episode in episodes] == [False] * (len(episodes) - 1) + [True]


@given(lives)
def test_where_the_last_revision_says_it_all_the_history_need_not_be_read(history: tuple[Finding, ...]) -> None:
    last = history[-1]

    if is_told_by(last):
        assert list(episodes_of([last])) == list(episodes_of(history))


def test_most_histories_need_not_be_read() -> None:
    assert is_told_by(a_life([("acknowledge", 1), ("remind", 1), ("mend", 1)])[-1])


def test_a_finding_that_came_back_has_a_history_to_be_read() -> None:
    assert not is_told_by(a_life([("mend", 1), ("break", 1)])[-1])


def test_an_opening_by_a_sweep_is_measured_like_any_other() -> None:
    swept = Transition(Act.BROKEN, Origin.SWEEP, "Demarc", NOON)

    assert overall(a_life([("mend", 1)], cause=None, transition=swept)).resolve == once(HOUR)
