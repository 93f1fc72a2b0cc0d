"""What docs/cost.md counts is what is deployed, and its sums are right."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from demarc.handlers import respond
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


def test_custom_metrics_are_counted_in_the_handler(assembly: Assembly) -> None:
    written = set(respond._EVALUATION_METRICS.values()) | set(
        re.findall(r'add_metric\("(\w+)"', (ROOT / "functions/demarc/handlers/respond.py").read_text())
    )
    assert counted("custom metrics") == len(written) * len(assembly.resources("AWS::Lambda::Function"))
