"""A function may do what its code declares to call, on what is its own, and nothing else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from demarc import readers
from infra import calls
from infra.permissions import WITHOUT_RESOURCE
from tests.infrastructure.boxes import (
    CONSTRUCTS,
    EACH_FUNCTION,
    EACH_RESPONDER,
    FEEDS,
    HANDLERS,
    RESPONDERS,
    actions_of,
    own_calls_of,
    reads_of,
)
from tests.infrastructure.conftest import SLACK_SECRET
from tests.infrastructure.synthesis import ROOT, Assembly
from tests.published import action_of, resources_of

LOGGING = {"logs:CreateLogStream", "logs:PutLogEvents"}
# What an event source mapping asks of the function's role (Lambda Developer Guide, "Using Lambda with Amazon SQS").
CONSUMING = {
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
}
# Actions on what a table holds; everything that is held by Demarc is in its own.
ON_ITEMS = {"dynamodb:GetItem"}

# What gives the value of a secret away.
VALUES = {"secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"}

READS = {action for name in CONSTRUCTS for action in reads_of(name) - ON_ITEMS}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def allowed(assembly: Assembly, name: str) -> Iterator[tuple[str, Any]]:
    """Every (action, resource) that a function's role allows."""
    for statement in assembly.policy_of(f"{CONSTRUCTS[name]}Role"):
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            yield from ((action, resource) for resource in listed(statement["Resource"]))


def spelled(resource: Any) -> str:
    """An ARN of the template as a text, with the names of what only CloudFormation knows."""
    if isinstance(resource, str):
        return resource
    if "Fn::GetAtt" in resource:
        return f"<{resource['Fn::GetAtt'][0]}>"
    if "Ref" in resource:
        return f"<{resource['Ref']}>"
    return "".join(spelled(part) for part in resource["Fn::Join"][1])


def arns_of(action: str) -> Iterator[str]:
    """An ARN of this account and Region for each type of resource that an action can be allowed on."""
    # The name of a kind is not always spelled alike where it is named and where it is described.
    published = resources_of(action.partition(":")[0])
    resources = {kind.casefold(): described for kind, described in published.items()}
    for kind in (action_of(action) or {}).get("Resources", []):
        # Of a few kinds only the name is published.
        for form in resources.get(kind.casefold(), {}).get("ARNFormats", []):
            here = form.replace("${Partition}", "<AWS::Partition>").replace("${Region}", "<AWS::Region>")
            # What is in this stack is named after it.
            here = here.replace("stack/.*", "stack/Demarc/anything").replace("rule/.*", "rule/Demarc-anything")
            # DataSync spells the account in its own way.
            here = here.replace("${Account}", "<AWS::AccountId>").replace("${AccountId}", "<AWS::AccountId>")
            yield here.replace(".*", "anything")


# --- what is declared -------------------------------------------------------------------------------------------------


@EACH_FUNCTION
def test_a_role_allows_exactly_what_is_declared(name: str, assembly: Assembly) -> None:
    wanted = reads_of(name) | actions_of(own_calls_of(name)) | LOGGING
    if name in FEEDS:
        wanted |= CONSUMING
    if name == "deliver" and "ChatTopic" not in assembly.template["Outputs"]:
        wanted.discard("sns:Publish")
    assert {action for action, _ in allowed(assembly, name)} == wanted


@pytest.mark.parametrize("handler", sorted(set(HANDLERS.values())))
def test_what_a_function_runs_on_is_what_its_handler_imports(handler: str) -> None:
    """A module that declares calls, and is imported without being named in infra/calls.py, would be denied them."""
    named: tuple[Any, ...] = getattr(calls, handler.upper())
    imported = [module for module in reached(f"demarc.handlers.{handler}") if module.startswith("demarc.")]
    declared = {module: import_module(module).CALLS for module in imported if declares_calls(module)}
    assert {module for module, each in declared.items() if not any(each is one for one in named)} == set()
    assert [dict(one) for one in named if not any(one is each for each in declared.values())] == []


@cache
def reached(module: str) -> frozenset[str]:
    """A module of ours and every one that it imports, also within functions; readers are declared on their own."""
    found, waiting = set(), [module]
    while waiting:
        name = waiting.pop()
        if name not in found and not name.startswith("demarc.readers."):
            found.add(name)
            waiting += imports_of(name)
    return frozenset(found)


def imports_of(module: str) -> Iterator[str]:
    path = file_of(module)
    for node in ast.walk(ast.parse(path.read_text())) if path else ():
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def file_of(module: str) -> Path | None:
    path = ROOT / "functions" / Path(*module.split("."))
    found = [each for each in (path.with_suffix(".py"), path / "__init__.py") if each.exists()]
    return found[0] if found else None


def declares_calls(module: str) -> bool:
    path = file_of(module)
    return path is not None and "\nCALLS: " in path.read_text()


@EACH_FUNCTION
def test_on_what_is_not_ours_a_role_only_reads(name: str) -> None:
    for action in reads_of(name):
        assert action.partition(":")[2].startswith(("BatchGet", "Get", "GET", "List", "Describe")), action


@pytest.mark.parametrize("action", sorted(READS | actions_of(calls.ALL)))
def test_every_declared_action_exists(action: str) -> None:
    assert action_of(action) is not None


def test_no_action_is_a_pattern(assembly: Assembly) -> None:
    actions = [action for name in CONSTRUCTS for action, _ in allowed(assembly, name)]
    assert [action for action in actions if "*" in action] == []


# --- on which resources -----------------------------------------------------------------------------------------------


@EACH_FUNCTION
def test_a_role_reaches_every_resource_only_where_aws_knows_no_narrower_one(name: str, assembly: Assembly) -> None:
    for action, resource in allowed(assembly, name):
        if resource == "*":
            assert not (action_of(action) or {}).get("Resources"), f"{action} can be allowed on resources"


@EACH_FUNCTION
def test_an_action_without_resources_is_not_allowed_on_one(name: str, assembly: Assembly) -> None:
    """It would be denied: AWS matches such a call against `*` only."""
    for action, resource in allowed(assembly, name):
        if not (action_of(action) or {}).get("Resources"):
            assert resource == "*", action


@EACH_FUNCTION
def test_what_an_action_is_allowed_on_is_a_resource_of_it(name: str, assembly: Assembly) -> None:
    """An action on an ARN that is not of one of its types would be denied, and nothing else would say so."""
    for action, resource in allowed(assembly, name):
        if action in READS and resource != "*" and not spelled(resource).startswith("<"):
            assert any(fnmatchcase(arn, spelled(resource)) for arn in arns_of(action)), (action, spelled(resource))


def test_the_list_of_actions_without_resources_is_the_published_one() -> None:
    assert {each for each in READS if not (action_of(each) or {}).get("Resources")} == READS & WITHOUT_RESOURCE


@EACH_FUNCTION
def test_what_is_ours_is_named(name: str, assembly: Assembly) -> None:
    """The table and its indexes, the topic, queues and the log group of this function, each by its own ARN."""
    queues = [FEEDS[name]] if name in FEEDS else []
    asked = [*queues, *(FEEDS[each] for each in RESPONDERS if name in ("sweep", "answer"))]
    targets = {
        "dynamodb": ["FindingsTable"],
        "sns": ["DelivererChatTopic" if name == "deliver" else "AnnouncementsTopic"],
        "sqs": [f"{queue}Queue" for queue in asked],
        "logs": [f"{CONSTRUCTS[name]}Logs"],
    }
    for action, resource in allowed(assembly, name):
        if action.partition(":")[0] in targets and action not in READS:
            assert spelled(resource)[1:].startswith(tuple(targets[action.partition(":")[0]])), (action, resource)


@EACH_FUNCTION
def test_messages_are_taken_from_the_functions_own_queue_only(name: str, assembly: Assembly) -> None:
    taken = {spelled(resource) for action, resource in allowed(assembly, name) if action == "sqs:ReceiveMessage"}
    assert len(taken) == (name in FEEDS)
    assert all(queue.startswith(f"<{FEEDS[name]}Queue") for queue in taken)


@EACH_FUNCTION
def test_only_whoever_talks_to_slack_reads_its_secret_and_no_other_but_destinations(
    name: str, assembly: Assembly
) -> None:
    """Secrets Manager ends an ARN with a hyphen and six characters of its own."""
    secrets = {spelled(each) for action, each in allowed(assembly, name) if action in VALUES}
    slack = f"arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:{SLACK_SECRET}-??????"
    if name == "answer":
        assert secrets == {slack}
    elif name == "deliver":
        assert slack in secrets
        assert all(secret.endswith("-??????") and "*" not in secret for secret in secrets)
    else:
        assert secrets == set()


@EACH_RESPONDER
def test_a_responder_knows_findings_by_their_resource_only(responder: str, assembly: Assembly) -> None:
    """Through the indexes it could read every team's findings; it has no use for that."""
    tables = {spelled(each) for action, each in allowed(assembly, responder) if action.startswith("dynamodb:")}
    assert not any("/index/" in table for table in tables)


def test_only_lambda_takes_the_roles(assembly: Assembly) -> None:
    for role in assembly.resources("AWS::IAM::Role").values():
        (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
        assert "ManagedPolicyArns" not in role["Properties"]


def test_no_function_reads_everything() -> None:
    """A sweep names what is there, and reads no settings of it."""
    everything = {action for reader in readers.load() for part in reader.parts for action in part.actions}
    assert all(reads_of(name) < everything for name in RESPONDERS)
    assert not {"s3:GetBucketPolicy", "iam:GetRolePolicy", "kms:GetKeyPolicy"} & reads_of("sweep")


def test_each_role_is_one_that_the_matrix_tells_as_demarcs_own(assembly: Assembly) -> None:
    """What Demarc itself does is told apart by the names of its roles."""
    named = sorted(spelled(each["Properties"]["RoleName"]) for each in assembly.resources("AWS::IAM::Role").values())
    assert named == sorted(f"Demarc-{name}-<AWS::Region>" for name in CONSTRUCTS)
