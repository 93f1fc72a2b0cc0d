"""A responder may read what its readers declare, record, announce, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest

from demarc import readers
from demarc.announcers import sns
from demarc.stores import dynamodb
from infra.permissions import WITHOUT_RESOURCE
from tests.infrastructure.synthesis import Assembly
from tests.published import action_of, resources_of

RESPONDERS = sorted({reader.responder for reader in readers.load()})
EACH_RESPONDER = pytest.mark.parametrize("responder", RESPONDERS)

OWN = {*dynamodb.CALLS.values(), *sns.CALLS.values()}
LOGGING = {"logs:CreateLogStream", "logs:PutLogEvents"}
# What an event source mapping asks of the function's role (Lambda Developer Guide, "Using Lambda with Amazon SQS").
CONSUMING = {
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
}


def declared(responder: str) -> set[str]:
    mine = [reader for reader in readers.load() if reader.responder == responder]
    return {action for reader in mine for part in reader.parts for action in part.calls.values()}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def allowed(assembly: Assembly, responder: str) -> Iterator[tuple[str, Any]]:
    """Every (action, resource) that the responder's role allows."""
    for statement in assembly.policy_of(f"{responder.title()}Role"):
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            yield from ((action, resource) for resource in listed(statement["Resource"]))


def spelled(resource: Any) -> str:
    """An ARN of the template as a text, with the names of what only CloudFormation knows."""
    parts = resource["Fn::Join"][1]
    return "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in parts)


def arns_of(action: str) -> Iterator[str]:
    """An ARN of this account and Region for each type of resource that an action can be allowed on."""
    resources = resources_of(action.partition(":")[0])
    for kind in (action_of(action) or {}).get("Resources", []):
        for form in resources[kind]["ARNFormats"]:
            here = form.replace("${Partition}", "<AWS::Partition>").replace("${Region}", "<AWS::Region>")
            yield here.replace("${Account}", "<AWS::AccountId>").replace(".*", "anything")


@EACH_RESPONDER
def test_a_role_allows_exactly_what_is_declared(responder: str, assembly: Assembly) -> None:
    actions = {action for action, _ in allowed(assembly, responder)}
    assert actions == declared(responder) | OWN | LOGGING | CONSUMING


@EACH_RESPONDER
def test_on_what_is_not_ours_a_role_only_reads(responder: str) -> None:
    for action in declared(responder):
        assert action.partition(":")[2].startswith(("Get", "List", "Describe")), action


@pytest.mark.parametrize("action", sorted({action for each in RESPONDERS for action in declared(each)}))
def test_every_declared_action_exists(action: str) -> None:
    assert action_of(action) is not None


def test_no_action_is_a_pattern(assembly: Assembly) -> None:
    actions = [action for responder in RESPONDERS for action, _ in allowed(assembly, responder)]
    assert [action for action in actions if "*" in action] == []


@EACH_RESPONDER
def test_a_role_reaches_every_resource_only_where_aws_knows_no_narrower_one(responder: str, assembly: Assembly) -> None:
    for action, resource in allowed(assembly, responder):
        if resource == "*":
            assert not (action_of(action) or {}).get("Resources"), f"{action} can be allowed on resources"


@EACH_RESPONDER
def test_an_action_without_resources_is_not_allowed_on_one(responder: str, assembly: Assembly) -> None:
    """It would be denied: AWS matches such a call against `*` only."""
    for action, resource in allowed(assembly, responder):
        if not (action_of(action) or {}).get("Resources"):
            assert resource == "*", action


@EACH_RESPONDER
def test_what_an_action_is_allowed_on_is_a_resource_of_it(responder: str, assembly: Assembly) -> None:
    """An action on an ARN that is not of one of its types would be denied, and nothing else would say so."""
    for action, resource in allowed(assembly, responder):
        if action in declared(responder) and resource != "*":
            assert any(fnmatchcase(arn, spelled(resource)) for arn in arns_of(action)), (action, spelled(resource))


def test_the_list_of_actions_without_resources_is_the_published_one() -> None:
    actions = {action for responder in RESPONDERS for action in declared(responder)}
    assert {each for each in actions if not (action_of(each) or {}).get("Resources")} == actions & WITHOUT_RESOURCE


@EACH_RESPONDER
def test_what_is_ours_is_named(responder: str, assembly: Assembly) -> None:
    """The table, the topic, the queue and the log group of this responder, each by its own ARN."""
    name = responder.title()
    targets = {"dynamodb": "FindingsTable", "sns": "AnnouncementsTopic", "sqs": f"{name}ChangesQueue"}
    targets |= {"logs": f"{name}Logs"}
    for action, resource in allowed(assembly, responder):
        if action in OWN | LOGGING | CONSUMING:
            named = resource["Fn::GetAtt"][0] if "Fn::GetAtt" in resource else resource["Ref"]
            assert named.startswith(targets[action.partition(":")[0]])


def test_only_lambda_takes_the_roles(assembly: Assembly) -> None:
    for role in assembly.resources("AWS::IAM::Role").values():
        (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
        assert "ManagedPolicyArns" not in role["Properties"]


def test_no_responder_reads_everything(assembly: Assembly) -> None:
    everything = {action for responder in RESPONDERS for action in declared(responder)}
    assert all(declared(responder) < everything for responder in RESPONDERS)
