"""The few comparisons a row may make by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.authoring.schema import Operator
from demarc.core.expectation import OPERATORS, meets, unmet
from demarc.core.model import Resource
from demarc.core.snapshot import Snapshot, Unread

THING = Resource("AWS::S3::Bucket", "photos", "111122223333", "eu-west-1", "arn:aws:s3:::photos")


def seen(properties: dict[str, Any]) -> Snapshot:
    return Snapshot(THING, datetime(2026, 1, 1, tzinfo=UTC), properties, read=frozenset({"Rules", "Size"}))


def test_the_schema_offers_exactly_the_operators_there_are() -> None:
    assert set(get_args(Operator)) == set(OPERATORS)


@pytest.mark.parametrize(
    ("required", "actual", "met"),
    [
        (True, True, True),
        (True, 1, False),
        (True, "true", False),
        (True, None, False),
        (False, None, False),
        ("Enabled", "Enabled", True),
        ({"one_of": ["a", "b"]}, "b", True),
        ({"one_of": ["a", "b"]}, None, False),
        ({"none_of": ["a"]}, "b", True),
        ({"none_of": ["a"]}, "a", False),
        ({"at_least": 7}, 7, True),
        ({"at_least": 7}, 6, False),
        ({"at_least": 1}, True, False),
        ({"at_least": 0}, None, False),
        ({"at_most": 90}, 91, False),
        ({"at_least": 1, "at_most": 90}, 30, True),
        ({"present": True}, "x", True),
        ({"present": True}, 0, True),
        ({"present": True}, "", False),
        ({"present": True}, [], False),
        ({"absent": True}, None, True),
        ({"absent": True}, {"a": 1}, False),
    ],
)
def test_a_value_meets_what_is_required(required: Any, actual: Any, met: bool) -> None:
    assert meets(required, actual) is met


def test_drift_names_the_path_the_requirement_and_the_value() -> None:
    (drift,) = unmet({"Size": {"at_least": 7}}, seen({"Size": 3}))

    assert (drift.path, drift.required, drift.actual) == ("Size", {"at_least": 7}, 3)


def test_brackets_ask_it_of_every_element() -> None:
    rules = [{"On": True}, {"On": False}, {}]

    assert [drift.path for drift in unmet({"Rules[].On": True}, seen({"Rules": rules}))] == [
        "Rules[1].On",
        "Rules[2].On",
    ]


def test_brackets_reach_into_lists_of_lists() -> None:
    rules = [{"Ports": [{"N": 1}, {"N": 2}]}]

    assert [drift.path for drift in unmet({"Rules[].Ports[].N": 1}, seen({"Rules": rules}))] == ["Rules[0].Ports[1].N"]


def test_evidence_that_is_missing_is_not_a_drift() -> None:
    with pytest.raises(Unread):
        list(unmet({"Policy": True}, seen({})))


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.integers())))
def test_present_and_absent_are_opposites(actual: Any) -> None:
    assert meets({"present": True}, actual) is not meets({"absent": True}, actual)


@given(st.integers(), st.lists(st.integers()))
def test_one_of_and_none_of_are_opposites(actual: int, listed: list[int]) -> None:
    assert meets({"one_of": listed}, actual) is not meets({"none_of": listed}, actual)
