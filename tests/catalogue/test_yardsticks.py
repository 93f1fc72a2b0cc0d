"""The catalogue is broad enough, counted against lists that others made."""

from __future__ import annotations

from pathlib import Path

import pytest

from demarc import readers
from demarc.authoring.compile import CompiledMatrix
from demarc.authoring.obligations import frameworks_of
from demarc.authoring.written import read_matrix
from demarc.authoring.yardsticks import FOUNDATIONS, Measured, measured, security_hub
from demarc.core.model import Severity

MATRICES = Path(__file__).parent.parent.parent / "matrices"


@pytest.fixture(scope="module")
def found(matrix: CompiledMatrix) -> Measured:
    return measured(matrix, frameworks_of(read_matrix(MATRICES))[FOUNDATIONS])


@pytest.mark.parametrize("severity", [Severity.CRITICAL, Severity.HIGH])
def test_what_security_hub_calls_critical_or_high_is_judged_or_there_is_a_reason(
    severity: Severity, found: Measured
) -> None:
    assert found.open[severity] == ()


def test_no_reason_is_given_for_what_is_judged_or_does_not_exist(found: Measured) -> None:
    assert found.vain == ()


def test_every_recommendation_that_the_benchmark_marks_as_automated_is_judged(found: Measured) -> None:
    assert [number for number, controls in found.automated.items() if not controls] == []


def test_there_are_enough_types_controls_and_events_to_be_useful(matrix: CompiledMatrix, found: Measured) -> None:
    """Without copies of one control per type: each control counts once."""
    controls = {control.id for rows in matrix.controls.values() for control in rows}
    calls = {
        (touch.event_source, name) for each in readers.load() for touch in each.touches for name in touch.event_names
    }

    assert len(matrix.controls) >= 65
    assert len(controls) >= 280
    assert len(calls) >= 350
    assert len(found.judged.keys() - set(security_hub().tagging)) >= 260
