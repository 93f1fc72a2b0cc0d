"""The handler, as Lambda calls it: batches in, findings out, and only what failed comes again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from demarc.authoring.compile import CompiledMatrix
from demarc.aws import AwsClients
from demarc.core.model import Status
from demarc.handlers import respond
from demarc.settings import Settings
from demarc.stores.dynamodb import DynamoFindingStore
from demarc.stores.heartbeats import Heartbeats
from tests.integration.tables import create_table

REGION = "eu-west-1"
SSH = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
Answer = dict[str, list[dict[str, str]]]


@dataclass(frozen=True)
class Context:
    """As much of Lambda's context as Powertools reads."""

    function_name: str = "network"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:network"
    aws_request_id: str = "r"


@dataclass(frozen=True)
class World:
    """An account with a table, a topic and a mailbox, and the network responder deployed over them."""

    clients: AwsClients
    store: DynamoFindingStore
    mailbox: str
    groups: tuple[str, ...]

    def deliver(self, *events: Any) -> Answer:
        records = [
            {"messageId": f"m{number}", "body": event if isinstance(event, str) else json.dumps(event)}
            | {"eventSource": "aws:sqs", "attributes": {}, "messageAttributes": {}}
            for number, event in enumerate(events)
        ]
        answer: Answer = respond.handler({"Records": records}, Context())
        return answer

    def told(self) -> list[dict[str, Any]]:
        """Every finding that the topic's subscriber received a word of."""
        sqs, told = self.clients("sqs", REGION), []
        while messages := sqs.receive_message(QueueUrl=self.mailbox, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                told += json.loads(message["Body"])["findings"]
                sqs.delete_message(QueueUrl=self.mailbox, ReceiptHandle=message["ReceiptHandle"])
        return told


def authorize(group: str, **changes: Any) -> dict[str, Any]:
    detail = {
        "eventID": f"e-{group}",
        "eventTime": "2026-01-01T12:00:00Z",
        "eventSource": "ec2.amazonaws.com",
        "eventName": "AuthorizeSecurityGroupIngress",
        "awsRegion": REGION,
        "recipientAccountId": "123456789012",
        "userIdentity": {"type": "IAMUser", "userName": "lea.moreau@fjordline.example"},
        "requestParameters": {"groupId": group},
    }
    return {
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ec2",
        "account": "123456789012",
        "region": REGION,
        "detail": detail | changes,
    }


@pytest.fixture
def world(
    clients: AwsClients, matrix: CompiledMatrix, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[World]:
    create_table(clients("dynamodb", REGION), "findings")
    topic = clients("sns", REGION).create_topic(Name="findings")["TopicArn"]
    queue = clients("sqs", REGION).create_queue(QueueName="mailbox")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:123456789012:mailbox"
    clients("sns", REGION).subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )
    path = tmp_path / "network.json"
    path.write_text(matrix.for_responder("network"))
    settings = {"DEMARC_NAME": "network", "DEMARC_TABLE": "findings", "DEMARC_TOPIC_ARN": topic}
    settings |= {
        "DEMARC_MATRIX": str(path),
        "POWERTOOLS_SERVICE_NAME": "demarc",
        "AWS_REGION": REGION,
        "POWERTOOLS_METRICS_NAMESPACE": "Demarc",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(respond.metrics, "namespace", "Demarc")
    respond._responder.cache_clear()
    ec2 = clients("ec2", REGION)
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    groups = [ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"] for name in ("a", "b")]
    ec2.create_tags(Resources=groups, Tags=[{"Key": "owner", "Value": "storefront"}])
    yield World(clients, DynamoFindingStore(clients("dynamodb", REGION), "findings"), queue, tuple(groups))
    respond._responder.cache_clear()


@pytest.fixture
def open_group(world: World) -> str:
    group = world.groups[0]
    world.clients("ec2", REGION).authorize_security_group_ingress(GroupId=group, IpPermissions=[SSH])
    return group


@pytest.fixture
def metrics(capsys: pytest.CaptureFixture[str]) -> Callable[[], dict[str, Any]]:
    """The metrics of the last invocation, as CloudWatch reads them from the log."""

    def read() -> dict[str, Any]:
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
        found: dict[str, Any] = lines[-1]
        return found

    return read


def open_controls(world: World) -> set[str]:
    return {finding.control for finding in world.store.find(status=Status.OPEN)}


def test_a_change_becomes_attributed_findings_that_their_team_is_told(world: World, open_group: str) -> None:
    assert world.deliver(authorize(open_group)) == {"batchItemFailures": []}

    findings = list(world.store.find(team="storefront", status=Status.OPEN))
    assert "security-group-ssh-closed-to-the-world" in {finding.control for finding in findings}
    assert {finding.attribution.owner.person for finding in findings} == {"Lea Moreau"}
    assert {told["id"] for told in world.told()} == {finding.id for finding in findings}
    assert list(world.store.unannounced()) == []


def test_the_same_event_again_tells_nothing_again(world: World, open_group: str) -> None:
    world.deliver(authorize(open_group))
    world.told()

    world.deliver(authorize(open_group))

    assert world.told() == []


def test_a_fix_resolves_and_is_told(world: World, open_group: str) -> None:
    world.deliver(authorize(open_group))
    opened = {told["id"] for told in world.told()}
    world.clients("ec2", REGION).revoke_security_group_ingress(GroupId=open_group, IpPermissions=[SSH])

    world.deliver(authorize(open_group, eventName="RevokeSecurityGroupIngress"))

    assert {(told["id"], told["status"]) for told in world.told()} == {(each, "RESOLVED") for each in opened}


def test_events_of_one_batch_that_touch_the_same_resource_cost_one_reading(
    world: World, open_group: str, metrics: Callable[[], dict[str, Any]]
) -> None:
    world.deliver(authorize(open_group), authorize(open_group, eventID="e2"), authorize(world.groups[1]))

    assert metrics()["ReadCalls"] == [2.0]


def test_a_poison_message_fails_alone_and_says_why_in_the_log(
    world: World, open_group: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = world.deliver("{not json", authorize(open_group))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert any("the message is not JSON" in str(vars(record).get("detail")) for record in caplog.records)
    assert open_controls(world)


def test_a_batch_of_poison_alone_fails_message_by_message(world: World) -> None:
    answer = world.deliver("[]", "{}")

    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == ["m0", "m1"]


def test_an_event_without_a_row_is_counted_and_logged(
    world: World, metrics: Callable[[], dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    assert world.deliver(authorize("sg-1", eventName="CreateKeyPair")) == {"batchItemFailures": []}

    assert "event without a row" in caplog.messages
    assert metrics()["UnmappedEvents"] == [1.0]


def test_a_refused_call_is_passed_over(world: World, open_group: str) -> None:
    assert world.deliver(authorize(open_group, errorCode="Client.UnauthorizedOperation")) == {"batchItemFailures": []}

    assert open_controls(world) == set()


def test_the_lag_from_change_to_record_is_measured(
    world: World, open_group: str, metrics: Callable[[], dict[str, Any]]
) -> None:
    world.deliver(authorize(open_group))

    emitted = metrics()
    assert emitted["VerificationLag"][0] > 0
    assert emitted["EvaluationsNonCompliant"][0] >= 1
    assert emitted["responder"] == "network"


def refuse(world: World, operation: str, code: str) -> Callable[[], None]:
    """Have AWS answer one operation of the readers' EC2 client with an error, until told otherwise."""
    events = respond._responder(Settings.of()).clients("ec2", REGION).meta.events

    def answer(**_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, operation)

    name = f"before-call.ec2.{operation}"
    events.register_first(name, answer)
    return lambda: events.unregister(name, answer)


def test_a_denied_read_is_a_finding_about_the_blind_spot_and_resolves_nothing(
    world: World, open_group: str, metrics: Callable[[], dict[str, Any]]
) -> None:
    world.deliver(authorize(open_group))
    before = open_controls(world)
    allow = refuse(world, "DescribeSecurityGroups", "UnauthorizedOperation")

    try:
        world.deliver(authorize(open_group))
    finally:
        allow()

    assert open_controls(world) >= before | {"demarc-reads-what-it-judges"}
    assert metrics()["DeniedReads"][0] >= 1


def test_a_throttled_read_comes_again_and_says_why_in_the_log(
    world: World, open_group: str, caplog: pytest.LogCaptureFixture
) -> None:
    allow = refuse(world, "DescribeSecurityGroups", "RequestLimitExceeded")
    try:
        answer = world.deliver(authorize(open_group), authorize(world.groups[1]))
    finally:
        allow()

    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == ["m0", "m1"]
    assert "RequestLimitExceeded" in caplog.text
    assert open_controls(world) == set()
    assert world.deliver(authorize(open_group)) == {"batchItemFailures": []}
    assert open_controls(world)


def test_a_deleted_resource_ends_its_findings(world: World, open_group: str) -> None:
    world.deliver(authorize(open_group))
    world.clients("ec2", REGION).delete_security_group(GroupId=open_group)

    world.deliver(authorize(open_group, eventName="DeleteSecurityGroup"))

    assert open_controls(world) == set()
    assert {finding.status for finding in world.store.find()} == {Status.GONE}


def test_what_one_change_led_to_is_one_message(world: World, open_group: str) -> None:
    world.deliver(authorize(open_group))

    received = world.clients("sqs", REGION).receive_message(QueueUrl=world.mailbox, MaxNumberOfMessages=10)

    (message,) = received["Messages"]
    assert len(json.loads(message["Body"])["findings"]) == len(list(world.store.find())) > 1


def test_that_a_change_was_seen_is_noted_for_whoever_listens_for_silence(world: World, open_group: str) -> None:
    heartbeats = Heartbeats(world.clients("dynamodb", REGION), "findings")

    world.deliver(authorize(open_group))

    heartbeat = heartbeats.last("123456789012", REGION)
    assert heartbeat is not None
    assert heartbeat.change == "ec2.amazonaws.com:AuthorizeSecurityGroupIngress"


@pytest.mark.parametrize(
    ("account", "region"), [("999988887777", REGION), ("123456789012", "eu-central-1"), ("999988887777", "us-east-1")]
)
def test_a_change_of_elsewhere_that_is_forwarded_here_ends_no_silence(
    world: World, open_group: str, account: str, region: str
) -> None:
    forwarded = authorize(open_group, recipientAccountId=account, awsRegion=region)

    assert world.deliver(forwarded | {"account": account, "region": region}) == {"batchItemFailures": []}

    kept = world.clients("dynamodb", REGION).scan(TableName="findings")["Items"]
    assert [item["pk"]["S"] for item in kept if item["pk"]["S"].startswith("heartbeat#")] == []
