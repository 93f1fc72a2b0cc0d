"""What becomes a metric: the same numbers as are measured, with as few dimensions as AWS bills."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.authoring.compile import CompiledMatrix
from demarc.core.measures import measure
from demarc.core.metering import (
    ACCEPTED,
    OPEN,
    OVERDUE,
    REOPENED,
    TIME_TO_ACKNOWLEDGE,
    TIME_TO_DETECT,
    TIME_TO_RESOLVE,
    Metric,
    durations_of,
    gauges_of,
    layers_of_ours,
    metrics_of,
)
from demarc.core.model import Finding, Layer, Party, Severity, Status
from demarc.handlers.metering import emit
from tests.factories import NOON, a_cause, a_finding
from tests.lives import a_life, lives
from tests.organizations import matrix_of

MATRIX = matrix_of()
TEAMS = ("grc", "payments", "platform")
LATER = NOON + timedelta(days=365)
HOUR = 3_600_000


def gauges(*findings: Finding) -> dict[tuple[str, str], float]:
    """Every gauge that is not zero, by its name and the value of its dimension."""
    metrics = gauges_of(findings, matrix=MATRIX, now=NOON + timedelta(days=4))
    return {(metric.name, metric.dimension[1]): metric.value for metric in metrics if metric.value}


def test_what_is_open_is_counted_by_team_by_severity_and_by_layer() -> None:
    assert gauges(a_finding(), a_finding(status=Status.ACKNOWLEDGED, due_at=LATER, team="platform")) == {
        (OPEN, "payments"): 1,
        (OPEN, "platform"): 1,
        (OPEN, "high"): 2,
        (OPEN, "data"): 2,
        (OVERDUE, "payments"): 1,
        (OVERDUE, "high"): 1,
        (OVERDUE, "data"): 1,
    }


def test_an_accepted_risk_is_counted_apart_and_by_team_only() -> None:
    assert gauges(a_finding(status=Status.ACCEPTED)) == {(ACCEPTED, "payments"): 1}


def test_what_does_not_stand_is_not_counted() -> None:
    assert gauges(a_finding(status=Status.RESOLVED), a_finding(status=Status.GONE)) == {}


def test_where_nothing_is_open_every_line_is_at_zero() -> None:
    metrics = gauges_of([], matrix=MATRIX, now=NOON)

    assert {metric.value for metric in metrics} == {0.0}
    assert {metric.dimension for metric in metrics} == {
        *(("team", team) for team in TEAMS),
        *(("severity", severity.value) for severity in Severity),
        *(("layer", layer.value) for layer in Layer),
    }


def test_a_team_that_left_the_matrix_is_counted_while_it_owns_anything() -> None:
    assert gauges(a_finding(team="dissolved"))[OPEN, "dissolved"] == 1


def test_how_many_gauges_are_billed_follows_from_the_matrix(matrix: CompiledMatrix) -> None:
    whole = matrix.matrix()
    metrics = gauges_of([], matrix=whole, now=NOON)
    groups = len(whole.organization.teams) + len(Severity) + len(layers_of_ours(whole))

    assert len(metrics) == len(set(metrics)) == 2 * groups + len(whole.organization.teams)


def test_layers_that_are_all_of_aws_have_no_gauges(matrix: CompiledMatrix) -> None:
    whole = matrix.matrix()
    theirs = set(Layer) - set(layers_of_ours(whole))

    assert theirs
    for layer in theirs:
        assert {lines[layer].party for lines in whole.responsibility.lines.values()} == {Party.PROVIDER}


@pytest.mark.parametrize(
    ("happened", "durations"),
    [
        ([], {TIME_TO_DETECT: 20_000}),
        ([("acknowledge", 2)], {TIME_TO_ACKNOWLEDGE: 2 * HOUR}),
        ([("acknowledge", 2), ("remind", 1)], {}),
        ([("acknowledge", 2), ("mend", 1)], {TIME_TO_RESOLVE: 3 * HOUR}),
        ([("delete", 1)], {TIME_TO_RESOLVE: HOUR}),
        ([("accept", 1)], {}),
        ([("accept", 1), ("mend", 9)], {}),
        ([("accept", 1), ("uncover", 9)], {}),
        ([("accept", 1), ("uncover", 9), ("mend", 1)], {TIME_TO_RESOLVE: HOUR}),
        ([("mend", 1), ("break", 1)], {TIME_TO_DETECT: 40_000}),
        ([("change", 1)], {}),
    ],
)
def test_a_revision_says_how_long_it_took_to_what_it_tells(
    happened: list[tuple[str, int]], durations: dict[str, float]
) -> None:
    assert durations_of(a_life(happened)[-1]) == durations


def test_a_drift_that_was_merely_noticed_has_no_time_to_detect() -> None:
    assert durations_of(a_life([], cause=a_cause(set_it=False))[-1]) == {}


def test_a_revision_from_before_transitions_were_kept_says_nothing() -> None:
    assert durations_of(a_finding()) == {}


def test_a_change_that_is_timed_after_the_reading_was_detected_at_once() -> None:
    assert durations_of(a_life([], cause=a_cause(time=NOON + timedelta(seconds=1)))[0]) == {TIME_TO_DETECT: 0}


@pytest.mark.parametrize(
    ("happened", "times"),
    [([], 0), ([("mend", 1)], 0), ([("mend", 1), ("break", 1)], 3), ([("accept", 1), ("uncover", 1)], 0)],
)
def test_a_finding_that_came_back_is_counted_once_per_dimension(happened: list[tuple[str, int]], times: int) -> None:
    names = Counter(metric.name for metric in metrics_of(a_life(happened)[-1]))

    assert names[REOPENED] == times


@given(st.lists(lives, max_size=5))
def test_what_is_emitted_one_by_one_is_what_is_measured(histories: list[tuple[Finding, ...]]) -> None:
    emitted: dict[str, list[float]] = {TIME_TO_DETECT: [], TIME_TO_RESOLVE: []}
    for history in histories:
        for revision in history:
            for name, value in durations_of(revision).items():
                emitted.setdefault(name, []).append(value)

    overall = measure(histories, since=NOON - timedelta(days=1), now=LATER).overall
    for name, times in ((TIME_TO_DETECT, overall.detect), (TIME_TO_RESOLVE, overall.resolve)):
        assert len(emitted[name]) == times.count
        assert sum(emitted[name]) / 1000 == pytest.approx((times.mean or 0) * times.count)


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def _deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Demarc")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "demarc")


@pytest.mark.usefixtures("_deployed")
def test_a_line_of_the_log_has_one_dimension_beside_the_service(capsys: pytest.CaptureFixture[str]) -> None:
    emit(metrics_of(a_life([])[-1]))

    lines = written(capsys)
    assert [line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] for line in lines] == [  # type: ignore[index]
        [["team", "service"]],
        [["severity", "service"]],
        [["layer", "service"]],
    ]
    assert [line[TIME_TO_DETECT] for line in lines] == [[20_000.0]] * 3


@pytest.mark.usefixtures("_deployed")
def test_the_same_metric_twice_is_two_values_of_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    emit([Metric(OPEN, "Count", 1.0, ("team", "payments")), Metric(OPEN, "Count", 2.0, ("team", "payments"))])

    (line,) = written(capsys)
    assert line[OPEN] == [1.0, 2.0]


def test_nothing_to_emit_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    emit([])

    assert written(capsys) == []
