"""EventBridge brings each responder the changes of its types, all of them and nothing else."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from demarc import readers
from demarc.authoring.compile import CompiledMatrix
from demarc.core.cloudtrail import undated
from demarc.core.model import OCCURRENCE
from demarc.core.touch import Touch
from demarc.readers import Reader
from infra.patterns import LONGEST, Rule, rules_for
from tests.infrastructure.boxes import EACH_FEED, FEEDS
from tests.infrastructure.synthesis import Assembly
from tests.simulation import bus

# Amazon SQS Developer Guide, "Amazon SQS policy quotas", in bytes.
LONGEST_POLICY = 8192

# What CloudFormation puts in for a reference, at its longest: a rule's name has 64 characters.
_REFERENCE = re.compile(r'\{"(?:Fn::GetAtt|Ref)":(?:\[[^\]]*\]|"[^"]*")\}')
LONGEST_ARN = json.dumps(f"arn:aws-us-gov:events:ap-southeast-2:111122223333:rule/{64 * 'x'}")

BY_RESPONDER: dict[str, list[Reader]] = {}
for _reader in readers.load():
    BY_RESPONDER.setdefault(_reader.responder, []).append(_reader)

RULES = [(responder, rule) for responder, few in sorted(BY_RESPONDER.items()) for rule in rules_for(few)]
EACH_RULE = pytest.mark.parametrize("rule", [pytest.param(rule, id=f"{who}-{rule.name}") for who, rule in RULES])


def pairs(few: list[Reader]) -> set[tuple[str, str]]:
    """What readers listen to; a call of a service that dates its calls by its plain name."""
    return {
        (touch.event_source, undated(name)) for reader in few for touch in reader.touches for name in touch.event_names
    }


def said(rule: Rule) -> Iterator[tuple[str, str]]:
    detail = rule.pattern["detail"]
    for source in detail["eventSource"]:
        yield from ((source, name) for name in detail["eventName"] if isinstance(name, str))


def written(few: list[Reader]) -> list[tuple[str, str]]:
    """The calls as touches spell them, dates and all."""
    return sorted({(touch.event_source, name) for each in few for touch in each.touches for name in touch.event_names})


def reader_of(source: str, *names: str) -> Reader:
    return Reader("AWS::X::Y", "data", "arn:{partition}:x", (), (Touch(source, names, ("requestParameters.x",)),))


def envelope(source: str, name: str, **changes: Any) -> dict[str, Any]:
    detail = {"eventVersion": "1.11", "eventSource": source, "eventName": name, "readOnly": False, "eventID": "e"}
    detail |= {"userIdentity": {"type": "Root"}, "requestParameters": None, "responseElements": None}
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{source.partition('.')[0]}",
        "account": "111122223333",
        "time": "2026-01-01T00:00:00Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": {key: value for key, value in (detail | changes).items() if value is not ...},
    }


def matches(event_bridge: Any, rule: Rule, event: dict[str, Any]) -> bool:
    answer = event_bridge.test_event_pattern(EventPattern=rule.text, Event=json.dumps(event))
    return bool(answer["Result"])


@pytest.mark.parametrize("responder", sorted(BY_RESPONDER))
def test_rules_name_each_mapped_call_once(responder: str) -> None:
    few = BY_RESPONDER[responder]
    named = Counter(pair for rule in rules_for(few) for pair in said(rule))
    assert set(named) == pairs(few)
    assert set(named.values()) == {1}


@EACH_RULE
def test_a_pattern_is_within_what_eventbridge_takes(rule: Rule) -> None:
    assert len(rule.text) <= LONGEST


def test_a_service_with_many_calls_gets_several_rules() -> None:
    names = [f"PutSomethingWithAFairlyLongName{number:03d}" for number in range(200)]
    rules = rules_for([reader_of("x.amazonaws.com", *names)])
    assert all(len(rule.text) <= LONGEST for rule in rules)
    assert sorted(name for rule in rules for _, name in said(rule)) == names
    assert len({rule.name for rule in rules}) == len(rules) > 3


def test_two_types_of_one_service_share_a_rule() -> None:
    (rule,) = rules_for([reader_of("x.amazonaws.com", "PutA"), reader_of("x.amazonaws.com", "PutA", "PutB")])
    assert list(said(rule)) == [("x.amazonaws.com", "PutA"), ("x.amazonaws.com", "PutB")]


@EACH_RULE
def test_every_mapped_call_arrives(rule: Rule, event_bridge: Any) -> None:
    lost = [name for source, name in said(rule) if not matches(event_bridge, rule, envelope(source, name))]
    assert lost == []


@pytest.mark.parametrize("responder", sorted(BY_RESPONDER))
def test_every_call_arrives_as_its_touch_spells_it(responder: str) -> None:
    rules = rules_for(BY_RESPONDER[responder])
    lost = [
        call
        for call in written(BY_RESPONDER[responder])
        if not any(bus.matches(rule.pattern, envelope(*call)) for rule in rules)
    ]
    assert lost == []


@pytest.mark.parametrize(
    ("source", "call"),
    [
        ("lambda.amazonaws.com", "CreateFunction"),
        ("lambda.amazonaws.com", "CreateFunction20150331"),
        ("lambda.amazonaws.com", "CreateFunction20290101v3"),
        ("lambda.amazonaws.com", "CreateFunctionUrlConfig20211031"),
        ("cloudfront.amazonaws.com", "UpdateDistribution2019_03_26"),
        ("cloudfront.amazonaws.com", "UpdateDistribution2031_01_01"),
    ],
)
def test_a_dated_call_arrives_in_any_version(source: str, call: str) -> None:
    arrived = [who for who, rule in RULES if bus.matches(rule.pattern, envelope(source, call))]
    assert len(arrived) == 1


@pytest.mark.parametrize(
    ("source", "call"),
    [
        ("lambda.amazonaws.com", "CreateFunctionSomethingElse"),
        ("lambda.amazonaws.com", "Invoke20150331"),
        ("cloudfront.amazonaws.com", "CreateDistributionTenant2020_05_31"),
        ("ec2.amazonaws.com", "CreateVpc20161115"),
    ],
)
def test_a_call_that_only_begins_like_one_stays_outside(source: str, call: str) -> None:
    assert [who for who, rule in RULES if bus.matches(rule.pattern, envelope(source, call))] == []


def test_many_dated_calls_get_several_rules() -> None:
    names = [f"PutSomethingWithAFairlyLongName{number:03d}X" for number in range(100)]
    rules = rules_for([reader_of("lambda.amazonaws.com", *(f"{name}20150331" for name in names))])
    assert all(len(rule.text) <= LONGEST for rule in rules)
    assert sorted(name for rule in rules for _, name in said(rule)) == names
    for name in names:
        assert (
            sum(bus.matches(rule.pattern, envelope("lambda.amazonaws.com", f"{name}20300101")) for rule in rules) == 1
        )


NEITHER_FAILED_NOR_READ_ONLY: dict[str, tuple[dict[str, Any], bool]] = {
    "failed": ({"errorCode": "AccessDenied"}, False),
    "was a dry run": ({"errorCode": "Client.DryRunOperation"}, False),
    "only read": ({"readOnly": True}, False),
    "does not say whether it only read": ({"readOnly": ...}, True),
    "is of another name": ({"eventName": "DescribeEverything"}, False),
    "is of another service": ({"eventSource": "elsewhere.amazonaws.com"}, False),
}


@pytest.mark.parametrize("call", NEITHER_FAILED_NOR_READ_ONLY)
@EACH_RULE
def test_only_calls_that_changed_something_arrive(rule: Rule, call: str, event_bridge: Any) -> None:
    changes, arrives = NEITHER_FAILED_NOR_READ_ONLY[call]
    source, name = next(said(rule))
    assert matches(event_bridge, rule, envelope(source, name, **changes)) is arrives


@EACH_RULE
def test_an_event_that_aws_did_not_send_stays_outside(rule: Rule, event_bridge: Any) -> None:
    source, name = next(said(rule))
    forged = envelope(source, name) | {"source": "my.application"}
    assert not matches(event_bridge, rule, forged)


@EACH_RULE
def test_an_event_that_is_no_cloudtrail_record_stays_outside(rule: Rule, event_bridge: Any) -> None:
    source, name = next(said(rule))
    assert not matches(event_bridge, rule, envelope(source, name) | {"detail-type": "EC2 Instance State Change"})


def test_the_rules_that_are_deployed_are_these(assembly: Assembly, matrix: CompiledMatrix) -> None:
    """Those on what must not happen are where it is judged, and have tests of their own."""
    happened = {responder: matrix.controls[OCCURRENCE] for responder in BY_RESPONDER if _judges(responder)}
    wanted = [rule for who, few in BY_RESPONDER.items() for rule in rules_for(few, happened.get(who, ()))]
    deployed = [
        each["Properties"]["EventPattern"]
        for name, each in assembly.resources("AWS::Events::Rule").items()
        if "Changes" in name and "EventPattern" in each["Properties"]
    ]
    assert sorted(map(json.dumps, deployed)) == sorted(json.dumps(rule.pattern) for rule in wanted)


def _judges(responder: str) -> bool:
    return any(reader.type == OCCURRENCE for reader in BY_RESPONDER[responder])


def test_every_rule_is_on(assembly: Assembly) -> None:
    assert {rule["Properties"]["State"] for rule in assembly.resources("AWS::Events::Rule").values()} == {"ENABLED"}


@EACH_FEED
def test_every_rule_of_a_function_sends_to_its_queue(name: str, assembly: Assembly) -> None:
    rules = [rule for rule in assembly.resources("AWS::Events::Rule").items() if rule[0].startswith(FEEDS[name])]
    assert bool(rules) is (name != "deliver")
    for _, rule in rules:
        (target,) = rule["Properties"]["Targets"]
        assert target["Arn"]["Fn::GetAtt"][0].startswith(f"{FEEDS[name]}Queue")
        assert target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0].startswith(f"{FEEDS[name]}DeadLetters")


@EACH_FEED
def test_the_policy_of_a_queue_is_within_what_sqs_takes(name: str, assembly: Assembly) -> None:
    """It names every rule that leads there, of whatever length CloudFormation makes the names."""
    documents = [
        json.dumps(each["Properties"]["PolicyDocument"], separators=(",", ":"))
        for construct, each in assembly.resources("AWS::SQS::QueuePolicy").items()
        if construct.startswith(FEEDS[name])
    ]

    assert documents
    assert max(len(_REFERENCE.sub(LONGEST_ARN, document)) for document in documents) <= LONGEST_POLICY


def stack_event(stack: str, status: str) -> dict[str, Any]:
    """As in the CloudFormation User Guide, "CloudFormation events detail reference"."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "CloudFormation Stack Status Change",
        "source": "aws.cloudformation",
        "account": "111122223333",
        "time": "2026-01-01T00:00:00Z",
        "region": "eu-west-1",
        "resources": [stack],
        "detail": {"stack-id": stack, "status-details": {"status": status, "status-reason": ""}},
    }


@pytest.mark.parametrize(
    ("stack", "status", "arrives"),
    [
        ("Demarc", "CREATE_COMPLETE", True),
        ("Demarc", "UPDATE_COMPLETE", True),
        ("Demarc", "UPDATE_IN_PROGRESS", False),
        ("Demarc", "UPDATE_ROLLBACK_COMPLETE", False),
        ("Other", "UPDATE_COMPLETE", False),
    ],
)
def test_a_sweep_follows_when_this_stack_was_deployed(
    stack: str, status: str, arrives: bool, assembly: Assembly, event_bridge: Any
) -> None:
    """After a failed update the matrix is the one before, and there is nothing to look at again."""
    (rule,) = [
        each["Properties"]["EventPattern"]
        for name, each in assembly.resources("AWS::Events::Rule").items()
        if name.startswith("SweeperRequestsDeployed")
    ]
    arn = "arn:aws:cloudformation:eu-west-1:111122223333:stack/{}/1"
    pattern = json.dumps(rule).replace('{"Ref": "AWS::StackId"}', f'"{arn.format("Demarc")}"')
    event = json.dumps(stack_event(arn.format(stack), status))
    assert event_bridge.test_event_pattern(EventPattern=pattern, Event=event)["Result"] is arrives
