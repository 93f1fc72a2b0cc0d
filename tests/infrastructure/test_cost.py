"""What docs/cost.md counts is what is deployed, and its sums are right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from demarc.authoring.compile import CompiledMatrix
from demarc.core.metering import gauges_of
from demarc.handlers import respond
from tests.infrastructure.boxes import RESPONDERS
from tests.infrastructure.synthesis import ROOT, Assembly

ROW = re.compile(
    r"^\| (?P<what>[^|]+) \| (?P<count>[\d.]+) \| (?P<price>[\d.]+) \| (?P<dollars>[\d.]+) \|$", re.MULTILINE
)


def rows() -> Iterator[re.Match[str]]:
    yield from ROW.finditer((ROOT / "docs" / "cost.md").read_text())


def counted(start: str) -> int:
    (count,) = [int(row["count"]) for row in rows() if row["what"].startswith(start)]
    return count


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row["what"])
def test_a_line_adds_up(row: re.Match[str]) -> None:
    assert float(row["dollars"]) == pytest.approx(float(row["count"]) * float(row["price"]), abs=0.0051)


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        ("alarms", "AWS::CloudWatch::Alarm"),
        ("queues that are polled", "AWS::Lambda::EventSourceMapping"),
        ("the dashboard", "AWS::CloudWatch::Dashboard"),
    ],
)
def test_what_is_billed_by_the_piece_is_counted_in_the_template(start: str, kind: str, assembly: Assembly) -> None:
    assert counted(start) == len(assembly.resources(kind))


def test_the_key_is_there_only_where_it_is_asked_for(assembly: Assembly, with_own_key: Assembly) -> None:
    assert (len(assembly.resources("AWS::KMS::Key")), len(with_own_key.resources("AWS::KMS::Key"))) == (0, 1)


def test_custom_metrics_of_responders_are_counted_in_the_handler() -> None:
    written = set(respond._EVALUATION_METRICS.values()) | set(
        re.findall(r'add_metric\("(\w+)"', (ROOT / "functions/demarc/handlers/respond.py").read_text())
    )
    assert counted("custom metrics of the responders") == len(written) * len(RESPONDERS)


def test_custom_metrics_of_what_is_open_are_counted_in_what_is_written(matrix: CompiledMatrix) -> None:
    now = datetime(2026, 11, 2, tzinfo=UTC)
    written = {(metric.name, metric.dimension) for metric in gauges_of([], matrix=matrix.matrix(), now=now)}
    assert counted("custom metrics of what is open") == len(written)


def test_a_secret_is_counted_for_slack_and_for_each_destination_that_has_one(matrix: CompiledMatrix) -> None:
    named = {place.secret for team in matrix.organization.teams.values() for place in team.destinations if place.secret}
    assert counted("the Slack app's secret") == 1 + len(named)
