"""A record names what its call touched, and nothing else: touched.yaml says what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from demarc import readers
from demarc.core.change import NoChange, Reason, interpret
from demarc.core.model import Change
from demarc.core.touch import TouchIndex
from tests.integration.records import a_call

TOUCHES = TouchIndex.of(readers.load())
ACCOUNT, REGION = "111122223333", "eu-west-1"


def cases() -> Iterator[Any]:
    for sentence, case in yaml.safe_load(Path(__file__).with_name("touched.yaml").read_text()).items():
        for call in case["calls"]:
            yield pytest.param(call, case, id=f"{sentence}: {call}")


def outcome(call: str, case: dict[str, Any]) -> Change | NoChange:
    source, _, name = call.partition(" ")
    record = a_call(source, name, case.get("asked"), case.get("answered"), recipientAccountId=ACCOUNT, awsRegion=REGION)
    return interpret(record, TOUCHES)


@pytest.mark.parametrize(("call", "case"), list(cases()))
def test_a_call_touches_what_its_record_names(call: str, case: dict[str, Any]) -> None:
    found = outcome(call, case)

    if isinstance(found, NoChange):
        assert (found.reason, case["touched"]) == (Reason.UNMAPPED, {})
        return
    touched = [each.resource for each in found.touched]
    assert sorted((each.type, each.identifier) for each in touched) == [
        (type_, identifier) for type_, identifiers in case["touched"].items() for identifier in identifiers
    ]
    assert {(each.account, each.region) for each in touched} == {(ACCOUNT, case.get("region", REGION))}
    if "sets" in case:
        assert [list(each.sets) for each in found.touched] == [case["sets"]]
