"""EventBridge brings the responder every call that must not happen, and Demarc's own parts are called as it expects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from demarc import readers
from demarc.authoring.compile import CompiledMatrix
from demarc.cli.deployment import STACK
from demarc.core.model import OCCURRENCE, Control, Layer, Occurrence, Severity
from infra.patterns import LONGEST, SIGN_IN, Rule, rules_for
from tests.controls.test_occurrences import CASES, recorded
from tests.infrastructure.conftest import ANOTHER_STACK
from tests.infrastructure.synthesis import Assembly
from tests.simulation.bus import matches

HAPPENED = [pytest.param(each.values[1], id=each.id) for each in CASES if each.values[1]["happened"]]
# What a rule leaves outside by itself; the rest is told apart by the function.
FAILED_OR_READ = [
    pytest.param(each.values[1], id=each.id)
    for each in CASES
    if "errorCode" in each.values[1] or each.values[1].get("readOnly")
]


@pytest.fixture(scope="session")
def rules(matrix: CompiledMatrix) -> list[Rule]:
    (happened,) = readers.load((OCCURRENCE,))
    few = [reader for reader in readers.load() if reader.responder == happened.responder]
    return rules_for(few, matrix.controls[OCCURRENCE])


def delivered(case: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The envelope that a case comes in."""
    record = recorded(case)
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": SIGN_IN if record["eventType"] == "AwsConsoleSignIn" else "AWS API Call via CloudTrail",
        "source": f"aws.{case['call'].partition(' ')[0]}",
        "account": "111122223333",
        "time": record["eventTime"],
        "region": record["awsRegion"],
        "resources": [],
        "detail": record,
        **changes,
    }


def minding(**asked: Any) -> Control:
    return Control("x-is-not-y", "X", Severity.LOW, Layer.DATA, OCCURRENCE, "", {}, (), occurrence=Occurrence(**asked))


@pytest.mark.parametrize("case", HAPPENED)
def test_what_must_not_happen_arrives(case: dict[str, Any], rules: list[Rule]) -> None:
    assert any(matches(rule.pattern, delivered(case)) for rule in rules)


@pytest.mark.parametrize("case", FAILED_OR_READ)
def test_what_failed_or_only_read_stays_outside(case: dict[str, Any], rules: list[Rule]) -> None:
    assert not any(matches(rule.pattern, delivered(case)) for rule in rules)


@pytest.mark.parametrize("case", HAPPENED[:1])
def test_what_aws_did_not_send_stays_outside(case: dict[str, Any], rules: list[Rule]) -> None:
    assert not any(matches(rule.pattern, delivered(case, source="my.application")) for rule in rules)


def test_signing_in_with_a_second_factor_wakes_nobody(rules: list[Rule]) -> None:
    case = {"call": "signin ConsoleLogin", "answered": {"ConsoleLogin": "Success"}, "beside": {"MFAUsed": "Yes"}}

    assert not any(matches(rule.pattern, delivered(case)) for rule in rules)


def test_a_deployment_of_demarcs_parts_wakes_nobody_for_them(rules: list[Rule]) -> None:
    case = {
        "call": "sqs SetQueueAttributes",
        "who": "cloudformation",
        "asked": {"queueUrl": "https://x/1/Demarc-Queue"},
    }

    assert not any(matches(rule.pattern, delivered(case)) for rule in rules)


def test_a_pattern_is_within_what_eventbridge_takes_and_names_are_distinct(rules: list[Rule]) -> None:
    assert max(len(rule.text) for rule in rules) <= LONGEST
    assert len({rule.name for rule in rules}) == len(rules)


def test_a_call_that_is_listened_to_already_gets_no_second_rule() -> None:
    (rule,) = rules_for(
        [], [minding(source="x.amazonaws.com", calls=("A",)), minding(source="x.amazonaws.com", calls=("B",))]
    )

    assert rule.pattern["detail"]["$or"] == [{"eventSource": ["x.amazonaws.com"], "eventName": ["A", "B"]}]


def test_services_of_which_nothing_is_read_share_a_rule_and_each_brings_its_own_calls_alone() -> None:
    (rule,) = rules_for(
        [], [minding(source="fsx.amazonaws.com", calls=("A",)), minding(source="ram.amazonaws.com", calls=("B",))]
    )

    arrives = {
        call: matches(rule.pattern, delivered({"call": call})) for call in ("fsx A", "fsx B", "ram A", "ram B", "sqs A")
    }
    assert arrives == {"fsx A": True, "fsx B": False, "ram A": False, "ram B": True, "sqs A": False}


def test_what_one_rule_cannot_hold_goes_into_the_next() -> None:
    services = [f"service{number}" for number in range(40)]
    calls = tuple(f"PutSomethingWithAFairlyLongName{number}" for number in range(5))
    rules = rules_for([], [minding(source=f"{each}.amazonaws.com", calls=calls) for each in services])

    held = [way["eventSource"] for rule in rules for way in rule.pattern["detail"]["$or"]]
    assert sorted(held) == sorted([f"{each}.amazonaws.com"] for each in services)
    assert max(len(rule.text) for rule in rules) <= LONGEST
    assert len({rule.name for rule in rules}) == len(rules) > 3


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("Root", ["Root"]),
        (False, [False]),
        ({"one_of": ("A", "B")}, ["A", "B"]),
        ({"none_of": ("A",)}, [{"anything-but": ["A"]}, {"exists": False}]),
        ({"like": ("A*",)}, [{"wildcard": "A*"}]),
        ({"absent": True}, [{"exists": False}]),
        ({"present": True}, [{"exists": True}]),
    ],
)
def test_what_a_control_asks_of_the_caller_is_asked_by_the_rule(wanted: Any, said: Any) -> None:
    (rule,) = rules_for([], [minding(where={"userIdentity.sessionContext.x": wanted})])

    assert rule.pattern["detail"]["userIdentity"] == {"sessionContext": {"x": said}}
    assert "eventName" not in rule.pattern["detail"]


@pytest.mark.parametrize(("variant", "stack"), [("assembly", STACK), ("with_own_key", ANOTHER_STACK)])
def test_demarcs_own_parts_are_guarded_under_the_name_of_the_stack_and_its_roles_under_theirs(
    variant: str, stack: str, request: pytest.FixtureRequest
) -> None:
    """CloudFormation begins the names that it makes with the stack's; only roles are named here."""
    assembly: Assembly = request.getfixturevalue(variant)
    guarded = {
        control["id"]: [name for wanted in control["occurrence"]["where"].values() for name in wanted.get("like", ())]
        for control in happened(assembly)
        if control["id"].startswith("own-")
    }
    roles = [json.dumps(each["Properties"]["RoleName"]) for each in assembly.resources("AWS::IAM::Role").values()]

    assert guarded.pop("own-roles-are-left-alone") == ["Demarc-*"]
    assert all('"Demarc-' in role for role in roles)
    assert guarded
    assert [name for names in guarded.values() for name in names if stack not in name] == []


def happened(assembly: Assembly) -> list[dict[str, Any]]:
    """The controls on what must not happen, as the function that is deployed reads them."""
    (responder,) = {reader.responder for reader in readers.load((OCCURRENCE,))}
    matrix = json.loads((assembly.bundle / "demarc" / "matrices" / f"{responder}.json").read_text())
    controls: list[dict[str, Any]] = matrix["controls"][OCCURRENCE]
    return controls


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("AWS::DynamoDB::GlobalTable", "TableName"),
        ("AWS::Events::Rule", "Name"),
        ("AWS::Lambda::Function", "FunctionName"),
        ("AWS::Logs::LogGroup", "LogGroupName"),
        ("AWS::SNS::Topic", "TopicName"),
        ("AWS::SQS::Queue", "QueueName"),
    ],
)
def test_the_other_parts_are_named_by_cloudformation(kind: str, named: str, assembly: Assembly) -> None:
    resources = assembly.resources(kind)

    assert resources
    assert not any(named in each["Properties"] for each in resources.values())
