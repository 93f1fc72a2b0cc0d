"""What is written is what is read back, and nothing else is taken for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.core.model import Cause, Drift, Finding, Resource
from demarc.core.wire import WireError, from_wire, to_wire
from tests.factories import NOON, a_cause, a_finding

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def there_and_back(finding: Finding) -> Finding:
    return from_wire(Finding, json.loads(json.dumps(to_wire(finding))))


@given(st.lists(st.builds(Drift, path=st.text(), required=JSON, actual=JSON, because=st.text())))
def test_a_finding_survives_the_journey(drift: list[Drift]) -> None:
    assert there_and_back(a_finding(drift=tuple(drift))) == a_finding(drift=tuple(drift))


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_survives_the_journey(moment: datetime) -> None:
    assert there_and_back(a_finding(observed_at=moment)).observed_at == moment


def test_what_is_missing_is_none_again() -> None:
    assert there_and_back(a_finding(cause=None)).cause is None


def test_times_are_written_so_that_they_sort() -> None:
    assert to_wire(NOON) == "2026-01-01T12:00:00.000000Z"


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"surprise": 1}, "Finding: unknown or missing surprise"),
    ({"revision": "1"}, "Finding.revision: expected int"),
    ({"severity": "urgent"}, "Finding.severity: 'urgent' is not a valid Severity"),
    ({"observed_at": "yesterday"}, "Finding.observed_at: Invalid isoformat"),
    ({"drift": {}}, "Finding.drift: expected a list"),
    ({"resource": None}, "Finding.resource: expected an object"),
    ({"references": []}, "Finding.references: expected an object"),
]


@pytest.mark.parametrize(("change", "said"), BROKEN)
def test_anything_else_is_refused_with_its_path(change: dict[str, Any], said: str) -> None:
    with pytest.raises(WireError) as refused:
        from_wire(Finding, to_wire(a_finding()) | change)

    assert str(refused.value).startswith(said)


def test_what_is_required_must_be_there() -> None:
    with pytest.raises(WireError, match="Resource: unknown or missing account, arn"):
        from_wire(Resource, {"type": "t", "identifier": "i", "region": "r"})


@given(JSON)
def test_no_data_raises_anything_but_the_domains_error(data: Any) -> None:
    if data == to_wire(a_cause()):
        return
    with pytest.raises(WireError):
        from_wire(Cause, data)
