"""The page on the organization's file speaks of everything that may be written in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from demarc.authoring.compile import CompiledMatrix
from demarc.authoring.schema import OrganizationFile
from demarc.authoring.source import read_source
from demarc.authoring.translate import facts_of, resolved
from demarc.authoring.written import read_matrix
from demarc.core.calendar import due_at
from demarc.core.matrix import DestinationKind, Matrix
from demarc.core.model import Severity
from tests.factories import NOON

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs/organization.md").read_text()
SCHEMA: dict[str, Any] = OrganizationFile.model_json_schema()
KEYS = sorted({name for kind in (SCHEMA, *SCHEMA["$defs"].values()) for name in kind.get("properties", {})})


@pytest.mark.parametrize("key", KEYS)
def test_the_page_explains_every_key(key: str) -> None:
    assert re.search(rf"`([a-z_]+\.)?{key}`", PAGE)


@pytest.mark.parametrize("kind", DestinationKind)
def test_the_page_explains_every_kind_of_destination(kind: DestinationKind) -> None:
    assert f"| `{kind}` |" in PAGE


def test_the_matrix_without_controls_is_one_that_a_function_can_read(matrix: CompiledMatrix) -> None:
    read = Matrix.from_json(matrix.without_controls())

    assert read.organization == matrix.organization
    assert read.responsibility == matrix.responsibility
    assert (read.version, read.types) == (matrix.version, ())


def test_what_is_written_of_the_calendar_is_what_a_function_counts_by(matrix: CompiledMatrix) -> None:
    organization = Matrix.from_json(matrix.without_controls()).organization
    written = read_source(ROOT / "matrices/organization.yaml", root=ROOT / "matrices")[0].data
    deadlines, calendar = organization.deadlines, organization.calendar

    low = due_at(Severity.LOW, NOON, deadlines=deadlines, calendar=calendar) - NOON
    high = due_at(Severity.HIGH, NOON, deadlines=deadlines, calendar=calendar) - NOON

    assert calendar.timezone == written["calendar"]["timezone"]
    assert high.total_seconds() == written["deadlines"]["high"] * 3600
    assert low.total_seconds() > written["deadlines"]["low"] * 3600


def test_the_hours_of_silence_are_a_parameter_that_a_row_may_name(matrix: CompiledMatrix) -> None:
    parameters = {"hours": "@organization.silence", "of": ["@organization.id"]}

    facts = facts_of(read_matrix(ROOT / "matrices"), matrix.organization)

    assert resolved(parameters, facts) == {"hours": 24, "of": [matrix.organization.id]}
