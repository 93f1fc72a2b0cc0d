"""Every call that must not happen can: AWS has it, and what is asked of its record is where the record has it.

The witness is botocore's model of the API, as for touches.
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.model import OperationModel, Shape, StructureShape

from demarc.authoring.written import read_matrix
from demarc.core.change import reading_word
from demarc.core.model import OCCURRENCE
from tests.catalogue.test_touches import SERVICES, _member, operations_of, service
from tests.conftest import MATRICES

ROWS: list[Any] = [each.row for each in read_matrix(MATRICES).controls if each.row.resource == OCCURRENCE]
MINDED = sorted({(row.occurrence.source, name) for row in ROWS for name in row.occurrence.calls})
EACH = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)

# Services that no reader listens to.
OTHERS = {
    "cloudhsm.amazonaws.com": "cloudhsmv2",
    "controltower.amazonaws.com": "controltower",
    "detective.amazonaws.com": "detective",
    "ec2-instance-connect.amazonaws.com": "ec2-instance-connect",
    "fms.amazonaws.com": "fms",
    "ram.amazonaws.com": "ram",
    "rolesanywhere.amazonaws.com": "rolesanywhere",
    "route53domains.amazonaws.com": "route53domains",
    "route53resolver.amazonaws.com": "route53resolver",
    "securitylake.amazonaws.com": "securitylake",
    "shield.amazonaws.com": "shield",
}

# Its records begin the names of calls with a small letter (Amazon Route 53 Developer Guide, "Logging Amazon Route 53
# API calls with AWS CloudTrail").
SMALL = "route53domains.amazonaws.com"

# Signing in is no operation of an API (AWS Sign-In User Guide, "AWS Management Console sign-in events").
SIGN_INS = {("signin.amazonaws.com", "ConsoleLogin")}


def operation(source: str, event: str) -> OperationModel | None:
    if source == SMALL:
        event = event[:1].upper() + event[1:]
    if source in OTHERS:
        known = service(OTHERS[source])
        return known.operation_model(event) if event in known.operation_names else None
    found = operations_of(source, event) if source in SERVICES else []
    return found[0][1] if found else None


@EACH
def test_every_call_exists_and_changes_something(row: Any) -> None:
    calls = [(row.occurrence.source, name) for name in row.occurrence.calls]

    assert [name for source, name in calls if not operation(source, name) and (source, name) not in SIGN_INS] == []
    assert [name for _, name in calls if reading_word(name)] == []


@EACH
def test_what_is_asked_of_the_request_or_the_answer_is_in_one_of_them(row: Any) -> None:
    for path in row.occurrence.where:
        section, _, name = path.partition(".")
        if section not in ("requestParameters", "responseElements"):
            continue
        for call in row.occurrence.calls:
            model = operation(row.occurrence.source, call)
            if model:
                shape = model.input_shape if section == "requestParameters" else model.output_shape
                assert _is_in(shape, name), f"{call} has no {name}"


def _is_in(shape: Shape | None, path: str) -> bool:
    """Whether a dotted path leads to something, through structures alone."""
    for name in path.split("."):
        shape = _member(shape, name) if isinstance(shape, StructureShape) else None
    return shape is not None


@EACH
def test_its_title_is_what_must_not_be(row: Any) -> None:
    assert row.title.startswith(("No account ", "Nobody "))


def test_no_call_is_minded_twice_alike() -> None:
    seen = [(row.occurrence.source, name, str(row.occurrence.where)) for row in ROWS for name in row.occurrence.calls]
    assert len(set(seen)) == len(seen)


def test_calls_of_domains_are_minded_in_both_spellings() -> None:
    names = {name for source, name in MINDED if source == SMALL}

    assert names
    assert names == {name[:1].swapcase() + name[1:] for name in names}


def test_there_are_enough_to_be_useful() -> None:
    assert len(ROWS) >= 15
