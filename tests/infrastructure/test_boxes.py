"""The boxes are joined as the diagram says, encrypted, and closed to everybody else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from demarc.authoring.compile import CompiledMatrix
from demarc.core.look import look_of
from demarc.core.matrix import Destination, DestinationKind, Team
from demarc.core.model import Origin
from demarc.stores.dynamodb import TABLE
from infra.announcements import Announcements, addressees
from infra.deliverer import Deliverer, is_wanted
from infra.finding_store import FindingStore
from infra.function import Ground
from tests.infrastructure.boxes import (
    CONSTRUCTS,
    EACH_FEED,
    EACH_FUNCTION,
    EACH_RESPONDER,
    FEEDS,
    HANDLERS,
    RESPONDERS,
    readers_of,
)
from tests.infrastructure.synthesis import Assembly, Resource

QUEUES = pytest.mark.parametrize("queue", ["Queue", "DeadLetters"])


def statements(assembly: Assembly, kind: str, field: str, resource: str) -> list[Resource]:
    """The statements of the resource policy on a queue or topic."""
    (found,) = [
        policy["Properties"]["PolicyDocument"]["Statement"]
        for policy in assembly.resources(kind).values()
        if policy["Properties"][field][0]["Ref"].startswith(resource)
    ]
    return list(found)


def function_of(assembly: Assembly, name: str) -> Resource:
    return assembly.of(f"{CONSTRUCTS[name]}Function", "AWS::Lambda::Function")


def variables_of(assembly: Assembly, name: str) -> dict[str, Any]:
    return dict(function_of(assembly, name)["Environment"]["Variables"])


def spelled(value: Any) -> str:
    """A value of the template as a text, with the logical names of what only CloudFormation knows."""
    parts = value["Fn::Join"][1] if "Fn::Join" in value else [value]
    return "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in parts)


# --- functions --------------------------------------------------------------------------------------------------------


@EACH_FUNCTION
def test_a_function_is_what_was_measured(name: str, assembly: Assembly) -> None:
    function = function_of(assembly, name)
    wanted = {"Runtime": "python3.13", "Architectures": ["arm64"], "MemorySize": 512}
    assert {each: function[each] for each in wanted} == wanted
    assert function["Handler"] == f"demarc.handlers.{HANDLERS[name]}.handler"
    assert "TracingConfig" not in function


def test_a_template_has_these_functions_and_no_other(assembly: Assembly) -> None:
    named = [
        each["Properties"]["Environment"]["Variables"]["DEMARC_NAME"]
        for each in assembly.resources("AWS::Lambda::Function").values()
    ]
    assert sorted(named) == sorted(CONSTRUCTS)


@EACH_FUNCTION
def test_a_function_is_told_what_its_settings_ask_for(name: str, assembly: Assembly) -> None:
    variables = variables_of(assembly, name)
    matrix = name if name in RESPONDERS else "organization"
    assert variables["DEMARC_NAME"] == name
    assert variables["DEMARC_MATRIX"] == f"demarc/matrices/{matrix}.json"
    assert variables["DEMARC_TABLE"]["Ref"].startswith("FindingsTable")
    assert variables["DEMARC_TOPIC_ARN"]["Ref"].startswith("AnnouncementsTopic")


@EACH_RESPONDER
def test_a_responder_knows_its_own_queue(responder: str, assembly: Assembly) -> None:
    queues = json.loads(spelled(variables_of(assembly, responder)["DEMARC_QUEUES"]))
    assert list(queues) == [responder]
    assert queues[responder].startswith(f"<{responder.title()}ChangesQueue")


def test_what_has_to_wait_for_a_channel_is_held_back_in_the_deliverers_own_queue(assembly: Assembly) -> None:
    queues = json.loads(spelled(variables_of(assembly, "deliver")["DEMARC_QUEUES"]))
    assert list(queues) == ["deliver"]
    assert queues["deliver"].startswith("<DelivererAnnouncementsQueue")


@pytest.mark.parametrize("name", ["sweep", "answer"])
def test_whoever_asks_for_looks_knows_every_responders_queue(name: str, assembly: Assembly) -> None:
    queues = json.loads(spelled(variables_of(assembly, name)["DEMARC_QUEUES"]))
    assert sorted(queues) == RESPONDERS
    for responder, url in queues.items():
        assert url.startswith(f"<{responder.title()}ChangesQueue")


def test_the_sweeper_knows_the_queue_that_it_goes_on_through(assembly: Assembly) -> None:
    assert variables_of(assembly, "sweep")["DEMARC_SWEEP_QUEUE"]["Ref"].startswith("SweeperRequestsQueue")


@EACH_FUNCTION
def test_a_function_logs_to_the_group_of_its_own(name: str, assembly: Assembly) -> None:
    group = function_of(assembly, name)["LoggingConfig"]["LogGroup"]
    assert group["Ref"].startswith(f"{CONSTRUCTS[name]}Logs")


def test_logs_are_kept_for_a_stated_time(assembly: Assembly) -> None:
    kept = [each["Properties"]["RetentionInDays"] for each in assembly.resources("AWS::Logs::LogGroup").values()]
    assert kept == [90] * len(CONSTRUCTS)


# --- queues -----------------------------------------------------------------------------------------------------------


@EACH_FEED
def test_a_batch_comes_from_the_functions_own_queue_and_fails_by_message(name: str, assembly: Assembly) -> None:
    source = assembly.of(f"{CONSTRUCTS[name]}Function", "AWS::Lambda::EventSourceMapping")
    assert source["EventSourceArn"]["Fn::GetAtt"][0].startswith(f"{FEEDS[name]}Queue")
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["ScalingConfig"]["MaximumConcurrency"] >= 2


@EACH_RESPONDER
def test_changes_are_judged_in_batches_that_are_soon_full(responder: str, assembly: Assembly) -> None:
    source = assembly.of(f"{responder.title()}Function", "AWS::Lambda::EventSourceMapping")
    assert source["BatchSize"] == 10
    assert source["MaximumBatchingWindowInSeconds"] <= 1


@EACH_FEED
def test_a_message_is_hidden_six_times_as_long_as_the_function_may_take(name: str, assembly: Assembly) -> None:
    """Lambda Developer Guide, "Using Lambda with Amazon SQS": at least six times the function's timeout."""
    queue = assembly.of(f"{FEEDS[name]}Queue", "AWS::SQS::Queue")
    assert queue["VisibilityTimeout"] >= 6 * function_of(assembly, name)["Timeout"]


@EACH_FEED
def test_poison_ends_among_the_functions_own_dead_letters(name: str, assembly: Assembly) -> None:
    queue = assembly.of(f"{FEEDS[name]}Queue", "AWS::SQS::Queue")
    # Where messages wait by being delivered again, for quiet hours or until Slack is there again, it takes more.
    assert queue["RedrivePolicy"]["maxReceiveCount"] == (20 if name == "deliver" else 5)
    assert queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0].startswith(f"{FEEDS[name]}DeadLetters")
    dead_letters = assembly.of(f"{FEEDS[name]}DeadLetters", "AWS::SQS::Queue")
    assert dead_letters["MessageRetentionPeriod"] == 14 * 86400 >= queue["MessageRetentionPeriod"]


@QUEUES
@pytest.mark.parametrize("name", [name for name in FEEDS if name != "deliver"])
def test_only_eventbridge_may_send_and_only_for_the_functions_rules(name: str, queue: str, assembly: Assembly) -> None:
    """Demarc's own functions send by what their roles allow, which within an account is enough."""
    found = statements(assembly, "AWS::SQS::QueuePolicy", "Queues", f"{FEEDS[name]}{queue}")
    (allowed,) = [statement for statement in found if statement["Effect"] == "Allow"]
    sources = [each["Fn::GetAtt"][0] for each in allowed["Condition"]["ArnEquals"]["aws:SourceArn"]]
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert allowed["Action"] == "sqs:SendMessage"
    assert allowed["Condition"]["StringEquals"]["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert sorted(sources) == sorted(
        rule for rule in assembly.resources("AWS::Events::Rule") if rule.startswith(FEEDS[name])
    )


@QUEUES
def test_only_the_topic_of_announcements_may_send_what_is_to_be_delivered(queue: str, assembly: Assembly) -> None:
    found = statements(assembly, "AWS::SQS::QueuePolicy", "Queues", f"DelivererAnnouncements{queue}")
    (allowed,) = [statement for statement in found if statement["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "sns.amazonaws.com"}
    assert allowed["Action"] == "sqs:SendMessage"
    assert allowed["Condition"]["ArnEquals"]["aws:SourceArn"]["Ref"].startswith("AnnouncementsTopic")


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


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_table_is_laid_out_as_the_store_declares(assembly: Assembly) -> None:
    table = assembly.of("FindingsTable", "AWS::DynamoDB::GlobalTable")
    indexes = {index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}
    assert [key["AttributeName"] for key in table["KeySchema"]] == [TABLE.partition, TABLE.sort]
    assert set(indexes) == {index.name for index in TABLE.indexes}
    for index in TABLE.indexes:
        keys = [key["AttributeName"] for key in indexes[index.name]["KeySchema"]]
        assert keys == [key for key in (index.partition, index.sort) if key]
        assert indexes[index.name]["Projection"]["ProjectionType"] == ("ALL" if index.whole else "KEYS_ONLY")


def test_what_nobody_needs_any_more_goes_by_itself(assembly: Assembly) -> None:
    table = assembly.of("FindingsTable", "AWS::DynamoDB::GlobalTable")
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}


def test_findings_survive_mistakes_and_the_stack(assembly: Assembly) -> None:
    (table,) = assembly.resources("AWS::DynamoDB::GlobalTable").values()
    (replica,) = table["Properties"]["Replicas"]
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert replica["DeletionProtectionEnabled"] is True
    assert table["Properties"]["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
    assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"


# --- announcements ----------------------------------------------------------------------------------------------------


def subscriptions(assembly: Assembly, protocol: str) -> list[Resource]:
    return [
        each["Properties"]
        for each in assembly.resources("AWS::SNS::Subscription").values()
        if each["Properties"]["TopicArn"]["Ref"].startswith("AnnouncementsTopic")
        and each["Properties"]["Protocol"] == protocol
    ]


def test_announcements_are_encrypted(assembly: Assembly) -> None:
    assert "KmsMasterKeyId" in assembly.of("AnnouncementsTopic", "AWS::SNS::Topic")


def test_each_team_hears_by_email_of_what_is_told_to_it(assembly: Assembly, matrix: CompiledMatrix) -> None:
    subscribed = {each["Endpoint"]: each["FilterPolicy"] for each in subscriptions(assembly, "email")}
    teams: list[Team] = list(matrix.organization.teams.values())
    assert subscribed == {team.email: {"audience": [team.id]} for team in teams}


def test_teams_that_share_an_address_share_a_subscription(matrix: CompiledMatrix) -> None:
    """SNS refuses a second subscription of the same address under another filter."""
    first, second, third, *_ = matrix.organization.teams.values()
    teams = [first, replace(second, email=first.email), third]
    assert addressees(teams) == {first.email: [first.id, second.id], third.email: [third.id]}


def test_everything_announced_is_queued_for_delivery_and_what_cannot_be_is_kept(assembly: Assembly) -> None:
    (subscribed,) = subscriptions(assembly, "sqs")
    assert subscribed["Endpoint"]["Fn::GetAtt"][0].startswith("DelivererAnnouncementsQueue")
    assert "FilterPolicy" not in subscribed
    undelivered = subscribed["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
    assert undelivered.startswith("DelivererAnnouncementsDeadLetters")


def test_amazon_q_listens_at_a_topic_of_its_own_that_only_the_deliverer_publishes_to(matrix: CompiledMatrix) -> None:
    first, *_ = matrix.organization.teams.values()
    team = replace(first, destinations=(Destination(DestinationKind.AMAZON_Q),))
    app = App()
    stack = Stack(app, "Small")
    ground = Ground(
        code=lambda_.Code.from_inline("no code"),
        findings=FindingStore(stack, "Findings", key=None),
        announcements=Announcements(stack, "Announcements", teams=[team], key=None),
        log_retention=logs.RetentionDays.ONE_DAY,
        key=None,
    )

    Deliverer(stack, "Deliverer", teams=[team], slack_secret=None, pages_url=None, ground=ground)

    made = app.synth().get_stack_by_name("Small").template["Resources"]
    (topic,) = [name for name in made if name.startswith("DelivererChatTopic") and "Policy" not in name]
    (function,) = [each["Properties"] for each in made.values() if each["Type"] == "AWS::Lambda::Function"]
    (policy,) = [each["Properties"] for each in made.values() if each["Type"] == "AWS::IAM::Policy"]
    published = [each for each in policy["PolicyDocument"]["Statement"] if each["Action"] == "sns:Publish"]
    assert function["Environment"]["Variables"]["DEMARC_CHAT_TOPIC_ARN"] == {"Ref": topic}
    assert [each["Resource"] for each in published] == [{"Ref": topic}]
    assert "secretsmanager" not in json.dumps(policy)


def test_nothing_is_delivered_where_nobody_asked_for_it(matrix: CompiledMatrix) -> None:
    first, *others = (replace(team, destinations=()) for team in matrix.organization.teams.values())
    webhook = Destination(DestinationKind.WEBHOOK, secret="a-secret")
    assert not is_wanted([first, *others], None)
    assert is_wanted([first, *others], "demarc/slack")
    assert is_wanted([replace(first, destinations=(webhook,)), *others], None)


# --- by the clock -----------------------------------------------------------------------------------------------------


def test_the_feed_of_changes_is_looked_at_every_quarter_of_an_hour(assembly: Assembly) -> None:
    (rule,) = [
        each["Properties"]
        for name, each in assembly.resources("AWS::Events::Rule").items()
        if name.startswith("VisibilityChangesSilence")
    ]
    (target,) = rule["Targets"]
    look = look_of(json.loads(spelled(target["Input"])))
    (resource,) = look.resources
    assert rule["ScheduleExpression"] == "rate(15 minutes)"
    assert target["Arn"]["Fn::GetAtt"][0].startswith("VisibilityChangesQueue")
    assert (resource.account, resource.region) == ("<AWS::AccountId>", "<AWS::Region>")
    assert resource.type in {reader.type for reader in readers_of("visibility")}
    assert look.occasion.origin is Origin.SCHEDULE


def test_every_requirement_that_people_attest_is_looked_at_several_times_a_day(
    assembly: Assembly, matrix: CompiledMatrix
) -> None:
    rules = [
        each["Properties"]
        for name, each in assembly.resources("AWS::Events::Rule").items()
        if name.startswith("VisibilityChangesAttestations")
    ]
    messages = [spelled(rule["Targets"][0]["Input"]) for rule in rules]
    resources = [resource for message in messages for resource in look_of(json.loads(message)).resources]
    assert {rule["ScheduleExpression"] for rule in rules} == {"rate(360 minutes)"}
    assert sorted(each.identifier for each in resources) == sorted(f"Demarc/{each.id}" for each in matrix.attested)
    assert all(len(message) < 8192 for message in messages)


def test_a_sweep_begins_every_night_and_after_a_deployment(assembly: Assembly) -> None:
    rules = [
        each["Properties"]
        for name, each in assembly.resources("AWS::Events::Rule").items()
        if name.startswith("SweeperRequests")
    ]
    (nightly,) = [rule for rule in rules if "ScheduleExpression" in rule]
    (deployed,) = [rule for rule in rules if "EventPattern" in rule]
    assert nightly["ScheduleExpression"] == "cron(30 2 * * ? *)"
    assert deployed["EventPattern"]["detail"] == {
        "stack-id": [{"Ref": "AWS::StackId"}],
        "status-details": {"status": ["CREATE_COMPLETE", "UPDATE_COMPLETE"]},
    }


def test_one_piece_of_a_sweep_is_worked_on_at_a_time(assembly: Assembly) -> None:
    source = assembly.of("SweeperFunction", "AWS::Lambda::EventSourceMapping")
    assert (source["BatchSize"], source["ScalingConfig"]["MaximumConcurrency"]) == (1, 2)


def test_findings_are_followed_up_one_run_at_a_time(assembly: Assembly) -> None:
    rule = assembly.of("ChaserRule", "AWS::Events::Rule")
    (target,) = rule["Targets"]
    assert rule["ScheduleExpression"] == "rate(15 minutes)"
    assert target["Arn"]["Fn::GetAtt"][0].startswith("ChaserFunction")
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 15 * 60
    assert function_of(assembly, "chase")["Timeout"] < 15 * 60


# --- Slack's buttons --------------------------------------------------------------------------------------------------


def test_slack_reaches_one_function_and_by_its_url_only(assembly: Assembly) -> None:
    """Everybody may call the URL, and nobody may call the function otherwise."""
    (url,) = assembly.resources("AWS::Lambda::Url").values()
    assert url["Properties"]["TargetFunctionArn"]["Fn::GetAtt"][0].startswith("AnswererFunction")
    assert "Cors" not in url["Properties"]
    for permission in assembly.resources("AWS::Lambda::Permission").values():
        allowed = permission["Properties"]
        if allowed["Principal"] == "*":
            assert allowed["FunctionName"]["Fn::GetAtt"][0].startswith("AnswererFunction")
            assert allowed.get("FunctionUrlAuthType") == "NONE" or allowed.get("InvokedViaFunctionUrl") is True


def test_strangers_cannot_use_up_the_accounts_concurrency(assembly: Assembly) -> None:
    assert function_of(assembly, "answer")["ReservedConcurrentExecutions"] == 5


def test_functions_that_talk_to_slack_know_the_secrets_name_and_not_the_secret(assembly: Assembly) -> None:
    told = {name: variables_of(assembly, name).get("DEMARC_SLACK_SECRET") for name in CONSTRUCTS}
    assert told == dict.fromkeys(CONSTRUCTS) | {"deliver": "demarc/slack", "answer": "demarc/slack"}


def test_without_a_slack_app_nothing_can_be_called_from_outside(with_own_key: Assembly) -> None:
    assert with_own_key.resources("AWS::Lambda::Url") == {}
    everybody = [
        each
        for each in with_own_key.resources("AWS::Lambda::Permission").values()
        if each["Properties"]["Principal"] == "*"
    ]
    assert everybody == []


# --- outputs ----------------------------------------------------------------------------------------------------------


def test_the_stack_says_what_the_command_line_asks_for(assembly: Assembly) -> None:
    said = {name: each["Value"] for name, each in assembly.template["Outputs"].items()}
    assert said["FindingsTable"]["Ref"].startswith("FindingsTable")
    assert said["Topic"]["Ref"].startswith("AnnouncementsTopic")
    assert said["SweepQueue"]["Ref"].startswith("SweeperRequestsQueue")
    assert said["AnswerUrl"]["Fn::GetAtt"][1] == "FunctionUrl"
    for responder in RESPONDERS:
        assert said[f"Queue{responder.title()}"]["Ref"].startswith(f"{responder.title()}ChangesQueue")
