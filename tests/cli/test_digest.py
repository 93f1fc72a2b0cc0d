"""`demarc digest`: read by whoever asks, or sent to whom it is for."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from demarc.aws import AwsClients
from demarc.core.digest import digest_in
from demarc.core.model import Severity
from demarc.stores.dynamodb import DynamoFindingStore
from tests.cli.conftest import REGION, Demarc
from tests.factories import NOON, a_finding
from tests.integration.tables import create_table

YESTERDAY = datetime.now(UTC) - timedelta(days=1)
OURS = a_finding(id="ours", team="payments", opened_at=YESTERDAY)
THEIRS = a_finding(id="theirs", team="platform", severity=Severity.LOW)


@pytest.fixture
def table(aws: AwsClients) -> str:
    create_table(aws("dynamodb", REGION), "findings")
    store = DynamoFindingStore(aws("dynamodb", REGION), "findings")
    store.record(OURS.resource, NOON, [OURS, THEIRS])
    return "findings"


def test_a_team_reads_what_it_would_be_told(table: str, demarc: Demarc) -> None:
    ended = demarc("digest", "--table", table, "--team", "payments")

    assert ended.out.startswith("WEEKLY DIGEST. ")
    assert "Since     1 new, 0 reopened, 0 resolved or gone" in ended.out.splitlines()
    assert (ended.exit_code, ended.err) == (0, "")


def test_governance_reads_of_every_team(table: str, demarc: Demarc) -> None:
    (body,) = demarc("digest", "--table", table, "--governance", "--json").rows

    told = digest_in(body)
    assert {entry.finding for entry in told.findings} == {"ours", "theirs"}
    assert {"payments", "platform"} <= {each.team for each in told.teams}


def test_what_is_new_depends_on_since_when(table: str, demarc: Demarc) -> None:
    (body,) = demarc("digest", "--table", table, "--team", "payments", "--since", "12h", "--json").rows

    assert (digest_in(body).counts.new, digest_in(body).counts.to_do) == (0, 1)


@pytest.fixture
def topic(aws: AwsClients) -> str:
    """A topic whose messages are kept in a queue of the name `kept`."""
    arn: str = aws("sns", REGION).create_topic(Name="announcements")["TopicArn"]
    aws("sqs", REGION).create_queue(QueueName="kept")
    queue = arn.replace(":sns:", ":sqs:").replace("announcements", "kept")
    aws("sns", REGION).subscribe(
        TopicArn=arn,
        Protocol="sqs",
        Endpoint=queue,
        Attributes={"FilterPolicy": json.dumps({"kind": ["digest"], "audience": ["payments"]})},
    )
    return arn


def kept(aws: AwsClients) -> list[str]:
    url = aws("sqs", REGION).get_queue_url(QueueName="kept")["QueueUrl"]
    return [message["Body"] for message in aws("sqs", REGION).receive_message(QueueUrl=url).get("Messages", [])]


def test_what_is_sent_reaches_whoever_subscribed_for_the_team(
    table: str, topic: str, demarc: Demarc, aws: AwsClients
) -> None:
    ended = demarc("digest", "--table", table, "--team", "payments", "--send", "--topic", topic)

    (message,) = kept(aws)
    assert digest_in(json.loads(json.loads(message)["Message"])).team == "payments"
    assert (ended.exit_code, ended.out) == (0, "")
    assert ended.err.startswith(f"sent on {topic}: [WEEKLY DIGEST]")


def test_another_teams_digest_does_not_reach_them(table: str, topic: str, demarc: Demarc, aws: AwsClients) -> None:
    demarc("digest", "--table", table, "--team", "platform", "--send", "--topic", topic)

    assert kept(aws) == []


def test_nobody_is_told_unless_it_is_asked_for(table: str, topic: str, demarc: Demarc, aws: AwsClients) -> None:
    demarc("digest", "--table", table, "--team", "payments", "--topic", topic)

    assert kept(aws) == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "Give either --team or --governance."),
        (("--team", "payments", "--governance"), 2, "Give either --team or --governance."),
        (("--team", "payment"), 2, "there is no team 'payment' in the matrix. Did you mean payments?"),
        (("--team", "payments", "--send"), 2, "Name a --topic, or the --stack that has one"),
        (("--team", "payments", "--send", "--topic", "announcements"), 2, "is not the ARN of an SNS topic"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: tuple[str, ...], code: int, said: str, table: str, demarc: Demarc
) -> None:
    ended = demarc("digest", "--table", table, *arguments)

    assert (ended.exit_code, ended.out) == (code, "")
    assert said in ended.err


def test_a_topic_that_is_not_there_is_an_answer_that_aws_gave(table: str, demarc: Demarc) -> None:
    nowhere = f"arn:aws:sns:{REGION}:123456789012:nowhere"
    ended = demarc("digest", "--table", table, "--team", "payments", "--send", "--topic", nowhere)

    assert (ended.exit_code, ended.out) == (3, "")
