"""What we do not listen to is a decision: every call that changes something is mapped, or declined with a reason.

`declined/<service>.yaml`, by botocore's name of the service, is a list of `because` and `calls` (names of operations;
`*` matches). It holds for the whole service, whichever readers listen to it. A new call of AWS's is a failure here
until it is decided on, and so is a service that a new reader listens to.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from demarc.core.change import reading_word
from tests.catalogue.test_occurrences import MINDED
from tests.catalogue.test_touches import CALLS, SERVICES, SPELLED, operations_of, service

HERE = Path(__file__).parent / "declined"
COVERED = sorted({name for source in {source for source, _ in CALLS} for name in SERVICES[source]})
WRITTEN = sorted(path.stem for path in HERE.glob("*.yaml"))
EACH_COVERED = pytest.mark.parametrize("name", COVERED)


@cache
def mapped(name: str) -> frozenset[str]:
    """The operations of a service that some reader listens to, or some control on what must not happen."""
    calls = [(source, event) for source, event in {*CALLS, *MINDED} if name in SERVICES.get(source, ())]
    found = [each for source, event in calls for each in operations_of(source, event)]
    return frozenset(operation.name for owner, operation in found if owner == name)


@cache
def declined(name: str) -> tuple[dict[str, Any], ...]:
    path = HERE / f"{name}.yaml"
    return tuple(yaml.safe_load(path.read_text())) if path.exists() else ()


def changing(name: str) -> frozenset[str]:
    """The operations of a service that change something, as their names tell."""
    return frozenset(operation for operation in service(name).operation_names if not reading_word(operation))


def patterns(name: str) -> list[str]:
    return [pattern for decision in declined(name) for pattern in decision["calls"]]


@EACH_COVERED
def test_every_call_that_changes_something_is_mapped_or_declined(name: str) -> None:
    open_ones = changing(name) - mapped(name)

    assert sorted(each for each in open_ones if not any(fnmatchcase(each, one) for one in patterns(name))) == []


@EACH_COVERED
def test_nothing_is_both_mapped_and_declined(name: str) -> None:
    assert sorted(each for each in mapped(name) if any(fnmatchcase(each, one) for one in patterns(name))) == []


@EACH_COVERED
def test_every_decision_has_a_reason_and_declines_something(name: str) -> None:
    assert all(set(decision) == {"because", "calls"} and decision["because"].strip() for decision in declined(name))
    known = changing(name)
    assert [one for one in patterns(name) if not any(fnmatchcase(each, one) for each in known)] == []


def test_nothing_is_declined_of_a_service_that_no_reader_listens_to() -> None:
    assert sorted(set(WRITTEN) - set(COVERED)) == []


def test_every_spelling_names_an_operation() -> None:
    assert all(operation in service(name).operation_names for name, operation in SPELLED.values())
