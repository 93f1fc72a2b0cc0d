"""No number on the page is written by hand."""

from __future__ import annotations

import json
from pathlib import Path

from tests.benchmarks.figures import page, spread

DOCS = Path(__file__).parent.parent.parent / "docs"


def test_the_page_says_what_was_measured() -> None:
    figures = json.loads((DOCS / "performance.json").read_text())
    assert (DOCS / "performance.md").read_text() == page(figures)


def test_a_spread_is_the_median_and_the_range_without_the_outliers() -> None:
    samples = [9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 100.0]
    assert spread(samples, trim=0.1) == {"median": 5.5, "from": 2.0, "to": 9.0}
    assert spread(samples) == {"median": 5.5, "from": 1.0, "to": 100.0}
