"""The deliverer as Lambda calls it: an SQS batch of SNS notifications, and a queue that holds back what waits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from demarc.announcers.slack import Pace
from demarc.aws import AwsClients
from demarc.core.announcement import announcement_of
from demarc.core.calendar import QuietHours
from demarc.core.matrix import Destination, DestinationKind, Organization, Team
from demarc.core.model import Finding
from demarc.handlers import deliver
from tests.factories import a_finding
from tests.integration.conftest import REGION
from tests.integration.tables import create_table
from tests.organizations import compiled, organization
from tests.simulation.function import Context
from tests.simulation.slack import TOKEN, Fault, Slack

SECRET = "demarc/slack"
AT_ALL_HOURS = QuietHours("00:00", "00:00", except_for=())


class Deployed:
    """The function beside its queue, with Slack where its environment says."""

    def __init__(self, clients: AwsClients, slack: Slack, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.slack = slack
        self._folder = folder
        self._clients = clients
        self.sqs = clients("sqs", REGION)
        self.queue = self.sqs.create_queue(QueueName="deliver", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
        clients("secretsmanager", REGION).create_secret(
            Name=SECRET, SecretString=json.dumps({"bot_token": TOKEN, "signing_secret": "s"})
        )
        create_table(clients("dynamodb", REGION), "findings")
        environment = {
            "DEMARC_NAME": "deliver",
            "DEMARC_TABLE": "findings",
            "DEMARC_TOPIC_ARN": f"arn:aws:sns:{REGION}:123456789012:demarc",
            "DEMARC_MATRIX": str(folder / "organization.json"),
            "DEMARC_QUEUES": json.dumps({"deliver": self.queue}),
            "DEMARC_SLACK_SECRET": SECRET,
            "DEMARC_SLACK_URL": slack.url,
            "AWS_REGION": REGION,
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        # Made anew, since each test has another Slack.
        deliver._deliverer.cache_clear()
        monkeypatch.setattr(deliver, "pace", Pace(sleep=lambda _: None))
        monkeypatch.setattr(deliver.metrics, "namespace", "Demarc")
        monkeypatch.setattr(deliver, "AwsClients", lambda **_: clients)
        self.told_of(here())

    def told_of(self, organization: Organization) -> None:
        (self._folder / "organization.json").write_text(compiled(organization).without_controls())
        deliver._deliverer.cache_clear()

    def deliver(self, *bodies: str) -> int:
        """Send, receive and hand over, as Lambda does; how many come again."""
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.queue, MessageBody=body)
        messages = self.sqs.receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        ).get("Messages", [])
        records = [
            {"messageId": each["MessageId"], "receiptHandle": each["ReceiptHandle"], "body": each["Body"]}
            | {"eventSource": "aws:sqs", "attributes": each["Attributes"], "messageAttributes": {}}
            for each in messages
        ]
        answer = deliver.handler({"Records": records}, Context("deliver"))
        again: list[Any] = answer["batchItemFailures"]
        return len(again)


def here(**of_payments: Any) -> Organization:
    slack = (Destination(DestinationKind.SLACK, "#payments"),)
    payments = Team("payments", "Payments", "payments@example.com", "jonas", destinations=slack)
    grc = Team("grc", "Governance", "grc@example.com", "helena")
    return organization(teams={"payments": replace(payments, **of_payments), "grc": grc}, exceptions=())


def notification(*findings: Finding) -> str:
    """The envelope that SNS puts around a message for SQS."""
    message = json.dumps(announcement_of(findings).body)
    return json.dumps({"Type": "Notification", "MessageId": "m", "TopicArn": "t", "Message": message})


@pytest.fixture
def deployed(clients: AwsClients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    with Slack() as slack:
        yield Deployed(clients, slack, tmp_path, monkeypatch)
    deliver._deliverer.cache_clear()


def test_an_announcement_becomes_a_message(deployed: Deployed) -> None:
    assert deployed.deliver(notification(a_finding())) == 0
    assert len(deployed.slack.in_channel("#payments")) == 1


def test_only_what_was_not_told_comes_again(deployed: Deployed) -> None:
    deployed.slack.fails("chat.postMessage", Fault(status=503))

    assert deployed.deliver(notification(a_finding(id="f1")), notification(a_finding(id="f2"))) == 1
    assert len(deployed.slack.messages) == 1


def held_for(capsys: pytest.CaptureFixture[str], deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> int:
    """For how long the next announcement is held back in the queue, in seconds."""
    asked: list[int] = []
    inner = deployed.sqs.change_message_visibility

    def change(**request: Any) -> Any:
        asked.append(request["VisibilityTimeout"])
        return inner(**request)

    monkeypatch.setattr(deployed.sqs, "change_message_visibility", change)
    assert deployed.deliver(notification(a_finding())) == 1
    capsys.readouterr()
    (seconds,) = asked
    return seconds


def test_what_slack_asks_to_wait_for_waits_in_the_queue(
    deployed: Deployed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.slack.fails("chat.postMessage", Fault.throttled(90))

    assert held_for(capsys, deployed, monkeypatch) == 91


def test_what_failed_waits_longer_each_time(
    deployed: Deployed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.slack.fails("chat.postMessage", Fault(status=503))

    assert held_for(capsys, deployed, monkeypatch) == 31


def test_quiet_hours_are_waited_out_in_the_queue_within_what_sqs_holds(
    deployed: Deployed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.told_of(here(quiet_hours=AT_ALL_HOURS))

    assert 0 < held_for(capsys, deployed, monkeypatch) <= 12 * 3600
    assert deployed.slack.messages == []


@pytest.mark.parametrize(
    "body", ["", "no JSON", "[]", "{}", '{"Message": "no JSON"}', '{"Message": "[]"}', '{"Message": "{}"}', "7"]
)
def test_what_is_no_announcement_goes_to_the_dead_letters(deployed: Deployed, body: str) -> None:
    assert deployed.deliver(body or " ") == 1
    assert deployed.slack.messages == []


def test_the_log_has_neither_token_nor_what_was_said(deployed: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    deployed.slack.token = "xoxb-another"
    deployed.deliver(notification(a_finding(guidance="a-command-nobody-logs")))

    log = capsys.readouterr().out
    assert "DeliveryFailures" in log
    assert TOKEN not in log
    assert "a-command-nobody-logs" not in log
