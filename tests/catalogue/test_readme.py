"""What README.md shows is what there is."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()


def test_the_row_that_is_shown_is_a_row_of_the_matrix() -> None:
    (shown,) = re.findall(r"```yaml\n(.+?)```", README, re.DOTALL)
    (row,) = yaml.safe_load(shown)

    rows = yaml.safe_load((ROOT / "matrices" / "controls" / "s3.yaml").read_text())

    assert row in rows


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z0-9]+)", README)) <= targets
