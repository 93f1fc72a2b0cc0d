"""Demarc's own feed of changes, as it is read from AWS. CloudFormation has no schema for it: it is a type of ours."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from demarc import readers
from demarc.authoring.compile import CompiledMatrix
from demarc.aws import AwsClients
from demarc.core.heartbeat import Heartbeat, item_of
from demarc.core.model import Compliance, Resource
from demarc.core.snapshot import Snapshot
from demarc.pipeline import assess
from demarc.readers import Gone, Part, resource_of
from demarc.readers.feed import FEED

REGION = "eu-west-1"
ACCOUNT = "123456789012"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(days=400)
HERE = resource_of(FEED, "Demarc", ACCOUNT, REGION)
PARTS: dict[str, Part] = {prop: part for part in FEED.parts for prop in part.gives}

QUEUE = {"Id": "queue", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:changes"}
KEYS = (("pk", "HASH"), ("sk", "RANGE"))
TEMPLATE = {
    "Resources": {
        "Changes": {
            "Type": "AWS::Events::Rule",
            "Properties": {"EventPattern": {"source": ["aws.s3"]}, "State": "ENABLED", "Targets": [QUEUE]},
        },
        "Clock": {
            "Type": "AWS::Events::Rule",
            "Properties": {"ScheduleExpression": "rate(15 minutes)", "State": "ENABLED", "Targets": [QUEUE]},
        },
        "Findings": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name, _ in KEYS],
                "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in KEYS],
                "BillingMode": "PAY_PER_REQUEST",
            },
        },
    }
}


def look(clients: Any, *needs: str, feed: Resource = HERE) -> Snapshot | Gone:
    return readers.read(FEED, feed, needs=needs or PARTS, clients=clients, now=NOW)


def see(clients: Any, *needs: str) -> Snapshot:
    snapshot = look(clients, *needs)
    assert isinstance(snapshot, Snapshot)
    return snapshot


@pytest.fixture
def deployed(clients: AwsClients, calls: list[str]) -> dict[str, str]:
    """A small Demarc: what its stack made, by logical id."""
    cloudformation = clients("cloudformation", REGION)
    tags = [{"Key": "owner", "Value": "security"}]
    cloudformation.create_stack(StackName="Demarc", TemplateBody=json.dumps(TEMPLATE), Tags=tags)
    made = cloudformation.list_stack_resources(StackName="Demarc")["StackResourceSummaries"]
    calls.clear()
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in made}


@pytest.fixture
def trail(clients: AwsClients) -> Any:
    """A trail of another Region that logs everywhere; its client."""
    clients("s3", "us-east-1").create_bucket(Bucket="trail-files")
    client = clients("cloudtrail", "us-east-1")
    client.create_trail(Name="everything", S3BucketName="trail-files", IsMultiRegionTrail=True)
    client.start_logging(Name="everything")
    return client


@pytest.fixture(scope="module")
def stubbed() -> AwsClients:
    """Clients whose answers are written by the test."""
    return AwsClients()


def a_change_was_seen(clients: AwsClients, table: str, at: datetime) -> None:
    clients("dynamodb", REGION).put_item(TableName=table, Item=item_of(ACCOUNT, REGION, Heartbeat(at, "e1")))


def made(type_: str, name: str, **more: Any) -> dict[str, Any]:
    told = {"LogicalResourceId": name, "PhysicalResourceId": name, "ResourceType": type_}
    return {**told, "ResourceStatus": "CREATE_COMPLETE", "LastUpdatedTimestamp": EARLIER, **more}


def test_a_feed_is_read_as_it_is(clients: AwsClients, deployed: dict[str, str], trail: Any) -> None:
    a_change_was_seen(clients, deployed["Findings"], NOW - timedelta(hours=1))

    snapshot = see(clients)

    names = sorted((deployed["Changes"], deployed["Clock"]))
    assert snapshot["Observed.Rules"] == [{"Name": name, "State": "ENABLED", "Targets": 1} for name in names]
    assert [(each["Name"], each["IsLogging"]) for each in snapshot["Observed.Trails"]] == [("everything", True)]
    assert snapshot["Observed.LastChange"] == "2026-01-01T11:00:00+00:00"
    assert snapshot.tags == {"owner": "security"}
    assert snapshot.unread == {}


def test_a_rule_that_was_switched_off_says_so(clients: AwsClients, deployed: dict[str, str]) -> None:
    clients("events", REGION).disable_rule(Name=deployed["Changes"])

    states = {rule["Name"]: rule["State"] for rule in see(clients)["Observed.Rules"]}

    assert states == {deployed["Changes"]: "DISABLED", deployed["Clock"]: "ENABLED"}


def test_a_rule_that_lost_its_target_sends_to_nobody(clients: AwsClients, deployed: dict[str, str]) -> None:
    clients("events", REGION).remove_targets(Rule=deployed["Changes"], Ids=["queue"])

    targets = {rule["Name"]: rule["Targets"] for rule in see(clients)["Observed.Rules"]}

    assert targets == {deployed["Changes"]: 0, deployed["Clock"]: 1}


def test_a_rule_that_was_deleted_is_missed(clients: AwsClients, deployed: dict[str, str]) -> None:
    clients("events", REGION).remove_targets(Rule=deployed["Changes"], Ids=["queue"])
    clients("events", REGION).delete_rule(Name=deployed["Changes"])

    states = {rule["Name"]: rule["State"] for rule in see(clients)["Observed.Rules"]}

    assert states == {deployed["Changes"]: "DELETED", deployed["Clock"]: "ENABLED"}


def test_where_no_change_came_yet_it_is_known_since_when_one_could(clients: AwsClients, deployed: Any) -> None:
    snapshot = see(clients)

    assert snapshot["Observed.LastChange"] is None
    assert datetime.fromisoformat(snapshot["Observed.FeedSince"]).tzinfo is not None


def test_the_feed_is_as_old_as_its_newest_rule_and_not_as_the_stack(stubbed: AwsClients) -> None:
    listed = [
        made("AWS::Events::Rule", "old"),
        made("AWS::Events::Rule", "new", LastUpdatedTimestamp=NOW - timedelta(days=2)),
        made("AWS::Lambda::Function", "deployed-daily", LastUpdatedTimestamp=NOW),
        made("AWS::DynamoDB::GlobalTable", "findings"),
    ]
    with Stubber(stubbed("cloudformation", REGION)) as stack, Stubber(stubbed("dynamodb", REGION)) as table:
        stack.add_response("list_stack_resources", {"StackResourceSummaries": listed}, {"StackName": "Demarc"})
        table.add_response("get_item", {}, {"TableName": "findings", "Key": ANY})

        read = PARTS["Observed.LastChange"].read(stubbed, HERE)

    assert read == {"Observed": {"FeedSince": "2025-12-30T12:00:00+00:00"}}


def test_a_long_stack_is_read_to_its_end_and_what_it_deleted_is_not_missed(stubbed: AwsClients) -> None:
    unfinished = made("AWS::Events::Rule", "unfinished", ResourceStatus="CREATE_IN_PROGRESS")
    del unfinished["PhysicalResourceId"]
    first = [made("AWS::Events::Rule", "b"), made("AWS::Events::Rule", "former", ResourceStatus="DELETE_COMPLETE")]
    second = [made("AWS::Events::Rule", "a"), unfinished]
    with Stubber(stubbed("cloudformation", REGION)) as stack, Stubber(stubbed("events", REGION)) as events:
        stack.add_response("list_stack_resources", {"StackResourceSummaries": first, "NextToken": "t"})
        stack.add_response("list_stack_resources", {"StackResourceSummaries": second})
        for name in ("a", "b"):
            events.add_response("describe_rule", {"Name": name, "State": "ENABLED"}, {"Name": name})
            events.add_response("list_targets_by_rule", {"Targets": [QUEUE]}, {"Rule": name})

        read = PARTS["Observed.Rules"].read(stubbed, HERE)

    assert [rule["Name"] for rule in read["Observed"]["Rules"]] == ["a", "b"]


def test_without_a_table_the_last_change_is_unread_and_not_none(stubbed: AwsClients) -> None:
    with Stubber(stubbed("cloudformation", REGION)) as stack:
        stack.add_response("describe_stacks", {"Stacks": [{"StackName": "D", "CreationTime": NOW, "StackStatus": "X"}]})
        stack.add_response("list_stack_resources", {"StackResourceSummaries": [made("AWS::Events::Rule", "a")]})

        snapshot = see(stubbed, "Observed.LastChange")

    assert snapshot.unread == {"Observed.LastChange": "the stack has no table"}
    assert snapshot["Observed.FeedSince"] == EARLIER.isoformat()


@pytest.mark.usefixtures("deployed", "trail")
def test_a_feed_is_read_with_the_declared_calls(clients: AwsClients, calls: list[str]) -> None:
    calls.clear()

    see(clients)

    assert set(calls) == {call for part in FEED.parts for call in part.calls}


def test_a_stack_that_is_not_there_is_gone(clients: AwsClients) -> None:
    assert isinstance(look(clients), Gone)


FIRST = {
    "Tags": ("cloudformation", "describe_stacks"),
    "Observed.Rules": ("cloudformation", "list_stack_resources"),
    "Observed.Trails": ("cloudtrail", "describe_trails"),
    "Observed.LastChange": ("cloudformation", "list_stack_resources"),
}


@pytest.mark.parametrize("prop", FIRST)
def test_a_throttled_read_rises(prop: str, stubbed: AwsClients) -> None:
    service, method = FIRST[prop]
    with Stubber(stubbed(service, REGION)) as stubber:
        stubber.add_client_error(method, "Throttling")

        with pytest.raises(ClientError, match="Throttling"):
            PARTS[prop].read(stubbed, HERE)


def test_what_is_denied_is_unread_and_the_rest_is_read(stubbed: AwsClients) -> None:
    stack = {"StackName": "Demarc", "CreationTime": NOW, "StackStatus": "CREATE_COMPLETE", "Tags": []}
    with Stubber(stubbed("cloudformation", REGION)) as stubber, Stubber(stubbed("events", REGION)) as events:
        stubber.add_response("describe_stacks", {"Stacks": [stack]})
        stubber.add_response("list_stack_resources", {"StackResourceSummaries": [made("AWS::Events::Rule", "a")]})
        events.add_client_error("describe_rule", "AccessDeniedException")

        snapshot = see(stubbed, "Observed.Rules")

    assert set(snapshot.unread) == {"Observed.Rules"}
    assert snapshot.tags == {}


# --- what is made of it ----------------------------------------------------------------------------------------------


def broken(clients: AwsClients, matrix: CompiledMatrix, at: datetime) -> set[str]:
    """The controls on the feed that do not hold at a moment."""
    snapshot = readers.read(FEED, HERE, needs=PARTS, clients=clients, now=at)
    assert isinstance(snapshot, Snapshot)
    rules = matrix.matrix()
    judged = [each for each in assess(snapshot, rules) if each.control.id.startswith("demarc-feed-")]
    assert len(judged) == 3
    assert Compliance.INSUFFICIENT_DATA not in {each.compliance for each in judged}
    return {each.control.id for each in judged if each.compliance is Compliance.NON_COMPLIANT}


def test_a_feed_that_works_is_silent_about_itself(
    clients: AwsClients, deployed: dict[str, str], trail: Any, matrix: CompiledMatrix
) -> None:
    a_change_was_seen(clients, deployed["Findings"], NOW)

    assert broken(clients, matrix, NOW + timedelta(hours=1)) == set()


def test_a_feed_is_given_time_to_hear_of_its_first_change(
    clients: AwsClients, deployed: dict[str, str], trail: Any, matrix: CompiledMatrix
) -> None:
    since = datetime.fromisoformat(see(clients)["Observed.FeedSince"])
    hours = matrix.organization.silence

    assert broken(clients, matrix, since + timedelta(hours=hours)) == set()
    assert broken(clients, matrix, since + timedelta(hours=hours, seconds=1)) == {"demarc-feed-is-not-silent"}


def test_each_way_of_silencing_it_is_found(
    clients: AwsClients, deployed: dict[str, str], trail: Any, matrix: CompiledMatrix
) -> None:
    a_change_was_seen(clients, deployed["Findings"], NOW)
    clients("events", REGION).disable_rule(Name=deployed["Changes"])
    trail.stop_logging(Name="everything")

    found = broken(clients, matrix, NOW + timedelta(hours=matrix.organization.silence + 1))

    assert found == {"demarc-feed-rules-are-on", "demarc-feed-has-a-trail", "demarc-feed-is-not-silent"}
