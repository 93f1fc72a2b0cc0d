"""The boxes are joined as the diagram says, encrypted, and closed to everybody else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from demarc import readers
from demarc.authoring.compile import CompiledMatrix
from demarc.core.matrix import Team
from demarc.stores.dynamodb import TABLE
from infra.announcements import addressees
from tests.infrastructure.synthesis import Assembly, Resource

RESPONDERS = sorted({reader.responder for reader in readers.load()})
EACH_RESPONDER = pytest.mark.parametrize("responder", [name.title() for name in RESPONDERS])
QUEUES = pytest.mark.parametrize("queue", ["Queue", "DeadLetters"])


def statements(assembly: Assembly, kind: str, field: str, resource: str) -> list[Resource]:
    """The statements of the resource policy on a queue or topic."""
    (found,) = [
        policy["Properties"]["PolicyDocument"]["Statement"]
        for policy in assembly.resources(kind).values()
        if policy["Properties"][field][0]["Ref"].startswith(resource)
    ]
    return list(found)


@pytest.mark.parametrize("responder", RESPONDERS)
def test_a_function_is_what_was_measured(responder: str, assembly: Assembly) -> None:
    function = assembly.of(f"{responder.title()}Function", "AWS::Lambda::Function")
    wanted = {"Runtime": "python3.13", "Architectures": ["arm64"], "MemorySize": 512, "Timeout": 60}
    assert {name: function[name] for name in wanted} == wanted
    variables = function["Environment"]["Variables"]
    assert variables["DEMARC_RESPONDER"] == responder
    assert variables["DEMARC_MATRIX"] == f"demarc/matrices/{responder}.json"
    assert "TracingConfig" not in function


@EACH_RESPONDER
def test_a_batch_comes_from_the_responders_own_queue_and_fails_by_message(responder: str, assembly: Assembly) -> None:
    source = assembly.of(f"{responder}Function", "AWS::Lambda::EventSourceMapping")
    assert source["EventSourceArn"]["Fn::GetAtt"][0].startswith(f"{responder}ChangesQueue")
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["BatchSize"] == 10
    assert source["MaximumBatchingWindowInSeconds"] <= 1
    assert source["ScalingConfig"]["MaximumConcurrency"] >= 2


@EACH_RESPONDER
def test_a_message_is_hidden_six_times_as_long_as_the_function_may_take(responder: str, assembly: Assembly) -> None:
    """Lambda Developer Guide, "Using Lambda with Amazon SQS": at least six times the function's timeout."""
    queue = assembly.of(f"{responder}ChangesQueue", "AWS::SQS::Queue")
    function = assembly.of(f"{responder}Function", "AWS::Lambda::Function")
    assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]


@EACH_RESPONDER
def test_poison_ends_among_the_responders_own_dead_letters(responder: str, assembly: Assembly) -> None:
    queue = assembly.of(f"{responder}ChangesQueue", "AWS::SQS::Queue")
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
    assert queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0].startswith(f"{responder}ChangesDeadLetters")
    dead_letters = assembly.of(f"{responder}ChangesDeadLetters", "AWS::SQS::Queue")
    assert dead_letters["MessageRetentionPeriod"] > queue["MessageRetentionPeriod"]


@QUEUES
@EACH_RESPONDER
def test_only_eventbridge_may_send_and_only_for_the_responders_rules(
    responder: str, queue: str, assembly: Assembly
) -> None:
    found = statements(assembly, "AWS::SQS::QueuePolicy", "Queues", f"{responder}Changes{queue}")
    (allowed,) = [statement for statement in found if statement["Effect"] == "Allow"]
    sources = [each["Fn::GetAtt"][0] for each in allowed["Condition"]["ArnEquals"]["aws:SourceArn"]]
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert allowed["Action"] == "sqs:SendMessage"
    assert allowed["Condition"]["StringEquals"]["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert sorted(sources) == sorted(
        name for name in assembly.resources("AWS::Events::Rule") if name.startswith(responder)
    )


def demands_tls(found: list[Resource]) -> bool:
    return any(
        statement["Effect"] == "Deny"
        and statement["Principal"] in ("*", {"AWS": "*"})
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in found
    )


def test_queues_and_topics_are_reached_by_tls_only(assembly: Assembly) -> None:
    policies = [*assembly.resources("AWS::SQS::QueuePolicy").values()]
    policies += assembly.resources("AWS::SNS::TopicPolicy").values()
    closed = [demands_tls(policy["Properties"]["PolicyDocument"]["Statement"]) for policy in policies]
    boxes = [*assembly.resources("AWS::SQS::Queue"), *assembly.resources("AWS::SNS::Topic")]
    assert closed == [True] * len(boxes)


def test_queues_are_encrypted(assembly: Assembly) -> None:
    for queue in assembly.resources("AWS::SQS::Queue").values():
        assert queue["Properties"]["SqsManagedSseEnabled"] is True


def test_announcements_are_encrypted(assembly: Assembly) -> None:
    assert "KmsMasterKeyId" in assembly.of("AnnouncementsTopic", "AWS::SNS::Topic")


def test_the_table_is_laid_out_as_the_store_declares(assembly: Assembly) -> None:
    table = assembly.of("FindingsTable", "AWS::DynamoDB::GlobalTable")
    indexes = {index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}
    assert [key["AttributeName"] for key in table["KeySchema"]] == [TABLE.partition, TABLE.sort]
    assert set(indexes) == {index.name for index in TABLE.indexes}
    for index in TABLE.indexes:
        keys = [key["AttributeName"] for key in indexes[index.name]["KeySchema"]]
        assert keys == [key for key in (index.partition, index.sort) if key]
        assert indexes[index.name]["Projection"]["ProjectionType"] == ("ALL" if index.whole else "KEYS_ONLY")


def test_findings_survive_mistakes_and_the_stack(assembly: Assembly) -> None:
    (table,) = assembly.resources("AWS::DynamoDB::GlobalTable").values()
    (replica,) = table["Properties"]["Replicas"]
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert replica["DeletionProtectionEnabled"] is True
    assert table["Properties"]["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
    assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"


def test_each_team_hears_of_its_own_findings(assembly: Assembly, matrix: CompiledMatrix) -> None:
    subscribed = {
        each["Properties"]["Endpoint"]: each["Properties"]["FilterPolicy"]
        for each in assembly.resources("AWS::SNS::Subscription").values()
        if each["Properties"]["TopicArn"]["Ref"].startswith("AnnouncementsTopic")
    }
    teams: list[Team] = list(matrix.organization.teams.values())
    assert subscribed == {team.email: {"team": [team.id]} for team in teams}


def test_logs_are_kept_for_a_stated_time(assembly: Assembly) -> None:
    kept = [each["Properties"]["RetentionInDays"] for each in assembly.resources("AWS::Logs::LogGroup").values()]
    assert kept == [90] * len(RESPONDERS)


def test_teams_that_share_an_address_share_a_subscription(matrix: CompiledMatrix) -> None:
    """SNS refuses a second subscription of the same address under another filter."""
    first, second, third, *_ = matrix.organization.teams.values()
    teams = [first, replace(second, email=first.email), third]
    assert addressees(teams) == {first.email: [first.id, second.id], third.email: [third.id]}


@EACH_RESPONDER
def test_a_function_logs_to_the_group_of_its_own(responder: str, assembly: Assembly) -> None:
    function = assembly.of(f"{responder}Function", "AWS::Lambda::Function")
    assert function["LoggingConfig"]["LogGroup"]["Ref"].startswith(f"{responder}Logs")
