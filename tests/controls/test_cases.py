"""Every control tells good from bad: its cases, as data, one file per AWS service."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from demarc import checks, readers
from demarc.authoring.compile import CompiledMatrix
from demarc.core.evaluation import evaluate
from demarc.core.model import Compliance, Control, Resource
from demarc.core.snapshot import Snapshot

HERE = Path(__file__).parent
NOON = "2026-01-01T12:00:00Z"


def cases() -> Iterator[Any]:
    for path in sorted(HERE.glob("*.yaml")):
        for control, given in yaml.safe_load(path.read_text()).items():
            for name, case in given.items():
                yield pytest.param(control, case, id=f"{control}: {name}")


CASES = list(cases())


@pytest.mark.parametrize(("control_id", "case"), CASES)
def test_a_control_says_what_its_case_says(control_id: str, case: dict[str, Any], controls: dict[str, Control]) -> None:
    control = controls[control_id]
    snapshot = pictured(control, case)
    parameters = {**control.parameters, **case.get("parameters", {})}
    check = checks.find(control.check) if control.check else None
    judged = Control(**{field: getattr(control, field) for field in Control.__slots__} | {"parameters": parameters})

    evaluation = evaluate(judged, snapshot, check)

    assert evaluation.compliance == case["expect"], evaluation.reason or evaluation.drift
    if "drift" in case:
        assert [each.path for each in evaluation.drift] == case["drift"]


def pictured(control: Control, case: dict[str, Any]) -> Snapshot:
    """The snapshot that a case describes: what the control asks for, and nothing more, was read."""
    where = {"identifier": "example", "account": "111122223333", "region": "eu-west-1"} | case.get("resource", {})
    reader = next(each for each in readers.load() if each.type == control.resource_type)
    arn = reader.arn.format(partition="aws", **where)
    unread = dict.fromkeys(case.get("unread", ()), "denied")
    return Snapshot(
        resource=Resource(type=control.resource_type, arn=arn, **where),
        observed_at=datetime.fromisoformat(case.get("at", NOON)).astimezone(UTC),
        properties=case.get("given", {}),
        read=frozenset(control.needs) - unread.keys(),
        unread=unread,
    )


@pytest.fixture(scope="session")
def controls(matrix: CompiledMatrix) -> dict[str, Control]:
    return {control.id: control for rows in matrix.controls.values() for control in rows}


def test_every_control_has_a_case_that_holds_one_that_is_broken_and_one_that_could_not_look(
    controls: dict[str, Control],
) -> None:
    seen: dict[str, set[str]] = {}
    for case in CASES:
        control, given = case.values
        seen.setdefault(str(control), set()).add(given["expect"])
    wanted = {Compliance.COMPLIANT, Compliance.NON_COMPLIANT, Compliance.INSUFFICIENT_DATA}
    judged = [control.id for control in controls.values() if not control.occurrence]
    lacking = {control: sorted(wanted - seen.get(control, set())) for control in judged}

    # Controls on Demarc itself judge blindness and ownership; there is nothing that they could not look at.
    assert {
        control: missing
        for control, missing in lacking.items()
        if missing and not control.startswith(("demarc-", "governance-"))
    } == {}


def test_no_case_speaks_of_a_control_that_is_not_there(controls: dict[str, Control]) -> None:
    assert {str(case.values[0]) for case in CASES} - controls.keys() == set()
