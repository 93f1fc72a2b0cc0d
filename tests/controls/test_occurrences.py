"""Every control on what must not happen tells a call that is one from a call that is none: its cases, as data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from demarc.authoring.compile import CompiledMatrix, compile_matrix
from demarc.cli.deployment import STACK
from demarc.core.change import NoChange, Reason, interpret
from demarc.core.model import OCCURRENCE, Change, Control
from demarc.core.occurrence import OccurrenceIndex, control_of
from demarc.core.touch import TouchIndex
from tests.conftest import MATRICES

HERE = Path(__file__).parent / "occurrences"
ACCOUNT = "111122223333"
ROOT_USER = {"type": "Root", "principalId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT}


def session(role: str, name: str, path: str = "") -> dict[str, Any]:
    issuer = {
        "type": "Role",
        "arn": f"arn:aws:iam::{ACCOUNT}:role/{path}{role}",
        "accountId": ACCOUNT,
        "userName": role,
    }
    return {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}",
        "accountId": ACCOUNT,
        "sessionContext": {"sessionIssuer": issuer},
    }


WHO: dict[str, dict[str, Any]] = {
    "user": {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/jo", "accountId": ACCOUNT, "userName": "jo"},
    "root": ROOT_USER,
    "federated": session(
        "AWSReservedSSO_Engineer_0123456789abcdef", "jo@example.com", "aws-reserved/sso.amazonaws.com/"
    ),
    "pipeline": session("deploy", "GitHubActions"),
    "cloudformation": session("deploy", "AWSCloudFormation") | {"invokedBy": "cloudformation.amazonaws.com"},
    "service": {"type": "AWSService", "invokedBy": "backup.amazonaws.com"},
    "service-for-root": ROOT_USER | {"invokedBy": "autoscaling.amazonaws.com"},
    "service-linked": session("AWSServiceRoleForConfig", "s", "aws-service-role/config.amazonaws.com/"),
}
_SECTIONS = {"asked": "requestParameters", "answered": "responseElements", "beside": "additionalEventData"}


def cases() -> Iterator[Any]:
    for path in sorted(HERE.glob("*.yaml")):
        for control, given in yaml.safe_load(path.read_text()).items():
            for name, case in given.items():
                yield pytest.param(control, case, id=f"{control}: {name}")


CASES = list(cases())
# Those of Demarc's own parts whose names begin with the stack's.
OWN = [
    pytest.param(*each.values, id=each.id)
    for each in CASES
    if str(each.values[0]).startswith("own-") and each.values[0] != "own-roles-are-left-alone"
]


def recorded(case: dict[str, Any]) -> dict[str, Any]:
    """The record that a case describes; what it does not name is as in any other."""
    service, name = case["call"].split()
    kind = "AwsConsoleSignIn" if service == "signin" else "AwsApiCall"
    others = {key: value for key, value in case.items() if key not in ("call", "happened", "who", *_SECTIONS)}
    return {
        "eventVersion": "1.11",
        "userIdentity": WHO[case.get("who", "user")],
        "eventTime": "2026-11-24T09:00:00Z",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": WHO[case.get("who", "user")].get("invokedBy", "198.51.100.7"),
        "userAgent": "aws-cli/2.31.4",
        "eventID": "e1",
        "readOnly": False,
        "eventType": kind,
        "recipientAccountId": ACCOUNT,
        **{section: case.get(key) for key, section in _SECTIONS.items()},
        **others,
    }


@pytest.fixture(scope="session")
def minding(matrix: CompiledMatrix) -> dict[str, Control]:
    return {control.id: control for control in matrix.controls[OCCURRENCE]}


@pytest.fixture(scope="session")
def minding_another() -> dict[str, Control]:
    """The controls of a matrix that is deployed under another name."""
    return {control.id: control for control in compile_matrix(MATRICES, stack="Watchtower").controls[OCCURRENCE]}


@pytest.mark.parametrize(("control_id", "case"), CASES)
def test_a_control_says_whether_it_happened(control_id: str, case: dict[str, Any], minding: dict[str, Control]) -> None:
    outcome = interpret(recorded(case), TouchIndex.of(()), OccurrenceIndex([minding[control_id]]))

    found = [] if isinstance(outcome, NoChange) else [control_of(each.resource) for each in outcome.touched]
    assert found == ([control_id] if case["happened"] else []), outcome


@pytest.mark.parametrize(("control_id", "case"), OWN)
def test_demarcs_parts_are_guarded_under_the_name_that_they_are_deployed_under(
    control_id: str, case: dict[str, Any], minding_another: dict[str, Control]
) -> None:
    index = OccurrenceIndex([minding_another[control_id]])
    renamed = json.loads(json.dumps(recorded(case)).replace(STACK, "Watchtower"))

    assert isinstance(interpret(recorded(case), TouchIndex.of(()), index), NoChange)
    assert isinstance(interpret(renamed, TouchIndex.of(()), index), Change) is case["happened"]


def test_every_control_has_a_case_that_is_one_and_one_that_is_none(minding: dict[str, Control]) -> None:
    seen: dict[str, set[bool]] = {}
    for case in CASES:
        control, given = case.values
        seen.setdefault(str(control), set()).add(given["happened"])

    assert seen == {control: {True, False} for control in minding}


def test_what_a_service_did_in_roots_name_is_passed_over_with_the_reason(minding: dict[str, Control]) -> None:
    case = {"call": "ec2 RunInstances", "who": "service-for-root"}

    outcome = interpret(recorded(case), TouchIndex.of(()), OccurrenceIndex(minding.values()))

    assert isinstance(outcome, NoChange)
    assert outcome.reason is Reason.NO_OCCURRENCE
    assert "AWS did it" in outcome.detail


def test_one_call_may_be_several(minding: dict[str, Control]) -> None:
    case = {"call": "signin ConsoleLogin", "who": "root", "answered": {"ConsoleLogin": "Success"}}

    outcome = interpret(
        recorded(case | {"beside": {"MFAUsed": "No"}}), TouchIndex.of(()), OccurrenceIndex(minding.values())
    )

    assert not isinstance(outcome, NoChange)
    assert {control_of(each.resource) for each in outcome.touched} == {
        "root-user-is-not-used",
        "sign-in-takes-a-second-factor",
    }
