"""What people answer in Slack, from the request to the finding: only who may, only what they saw, only once."""

from __future__ import annotations

import base64
import hmac
import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TextIO, cast
from unittest.mock import patch
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError

from demarc import queues, secret
from demarc.announcers import sns
from demarc.announcers.https import Web
from demarc.aws import AwsClients
from demarc.core import acts
from demarc.core.chat.slack_request import LARGEST_BODY
from demarc.core.look import look_of
from demarc.core.matrix import Acceptance
from demarc.core.model import Act, Finding, Occasion, Origin, Severity, Status
from demarc.handlers import answer
from demarc.secret import BadSecret
from demarc.settings import SLACK, NotConfigured, Settings
from demarc.stores import dynamodb, nonces
from demarc.stores.dynamodb import DynamoFindingStore
from tests.factories import BUCKET, NOON, a_finding, next_revision
from tests.integration.tables import create_table
from tests.organizations import compiled, organization
from tests.simulation.slack import Fault, Slack

REGION = "eu-west-1"
SIGNING, TOKEN = "a-signing-secret", "xoxb-a-token"
_TRIGGERS = count()
REASON = "the bucket holds published pictures only"
PEOPLE = organization().people
# Jonas is named by his member id, the others are found by their address.
ORGANIZATION = organization(
    people=dict(PEOPLE) | {"jonas": replace(PEOPLE["jonas"], slack="U0JONAS")},
    acceptance=Acceptance(second_person=(Severity.CRITICAL,), approvers=("helena",), longest_days=90),
)
USERS: dict[str, dict[str, Any]] = {
    "U0AIKO": {"profile": {"email": "Aiko@Example.com"}},
    "U0HELENA": {"profile": {"email": "helena@example.com"}},
    "U0MARA": {"profile": {"email": "mara@example.com"}},
    "U0BOT": {"is_bot": True, "profile": {"email": "jonas@example.com"}},
    "U0VISITOR": {"profile": {"email": "visitor@example.com"}},
}


@pytest.fixture
def slack() -> Iterator[Slack]:
    users = {name: {"id": name, **user} for name, user in USERS.items()}
    with Slack(users=users, token=TOKEN) as slack:
        yield slack


@dataclass(frozen=True)
class World:
    """An account in which a finding stands, and the function that answers for it."""

    clients: AwsClients
    store: DynamoFindingStore
    slack: Slack

    def press(self, button: str, by: str = "U0JONAS", **changes: Any) -> dict[str, Any]:
        """Press a button under the message of a revision, the last one if none is given."""
        finding = self.finding()
        value = f"{finding.id}:{changes.pop('revision', finding.revision)}"
        payload = {
            "type": "block_actions",
            "user": {"id": by, "team_id": "T0OURS"},
            "team": {"id": "T0OURS"},
            "response_url": self.slack.response_url,
            "actions": [{"action_id": f"demarc:{button}", "value": value}],
        }
        return self.send(payload | changes)

    def submit(self, button: str, by: str = "U0JONAS", revision: int | None = None, **fields: str) -> Any:
        """Send a form; what Slack is to do with it."""
        finding = self.finding()
        values = {name: {name: {"value": value}} for name, value in fields.items()}
        view = {
            "callback_id": f"demarc:{button}",
            "private_metadata": f"{finding.id}:{revision or finding.revision}",
            "state": {"values": values},
        }
        user = {"id": by, "team_id": "T0OURS"}
        answered = self.send({"type": "view_submission", "user": user, "team": {"id": "T0OURS"}, "view": view})
        assert answered["statusCode"] == 200
        return json.loads(answered["body"])

    def send(self, payload: dict[str, Any]) -> dict[str, Any]:
        # No two payloads of Slack's are the same: each has a trigger of its own.
        payload = {"trigger_id": f"1.2.{next(_TRIGGERS)}"} | payload
        return self.receive(request_of(urlencode({"payload": json.dumps(payload)})))

    def receive(self, event: dict[str, Any]) -> dict[str, Any]:
        answered: dict[str, Any] = answer.handler(event, None)
        return answered

    def whispers(self) -> list[str]:
        """What Slack was told for one pair of eyes, under messages that stay."""
        assert all(each["response_type"] == "ephemeral" for each in self.slack.responses)
        assert not any(each["replace_original"] for each in self.slack.responses)
        return [each["text"] for each in self.slack.responses]

    def called(self) -> list[str]:
        """The methods of Slack's that were called."""
        return [method for method, _ in self.slack.calls]

    def finding(self) -> Finding:
        finding = self.store.get("f1")
        assert finding is not None
        return finding

    def amend(self, act: Callable[[Finding], Finding]) -> Finding:
        """Let somebody else do something meanwhile."""
        self.store.amend(act(self.finding()))
        self.store.mark_announced(self.finding())
        return self.finding()

    def told(self) -> list[dict[str, Any]]:
        """What the topic's subscriber received since it last looked."""
        return [json.loads(body) for body in self._received("mailbox")]

    def asked(self) -> list[dict[str, Any]]:
        """What is in the responder's queue."""
        return [json.loads(body) for body in self._received("data")]

    def _received(self, queue: str) -> list[str]:
        sqs = self.clients("sqs", REGION)
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        bodies = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                bodies.append(message["Body"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies


def request_of(
    body: str, *, late: timedelta = timedelta(), signing: str = SIGNING, encoded: bool = True, **headers: str
) -> dict[str, Any]:
    """A request as Slack signs it and a function URL hands it over."""
    timestamp = str(int((datetime.now(UTC) - late).timestamp()))
    signature = hmac.new(signing.encode(), f"v0:{timestamp}:{body}".encode(), "sha256").hexdigest()
    return {
        "version": "2.0",
        "headers": {"x-slack-request-timestamp": timestamp, "x-slack-signature": f"v0={signature}"} | headers,
        "requestContext": {"http": {"method": "POST", "path": "/"}},
        "body": base64.b64encode(body.encode()).decode() if encoded else body,
        "isBase64Encoded": encoded,
    }


@pytest.fixture
def world(clients: AwsClients, slack: Slack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    create_table(clients("dynamodb", REGION), "findings")
    topic = clients("sns", REGION).create_topic(Name="findings")["TopicArn"]
    sqs = clients("sqs", REGION)
    sqs.create_queue(QueueName="mailbox")
    queue = sqs.create_queue(QueueName="data")["QueueUrl"]
    clients("sns", REGION).subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=f"arn:aws:sqs:{REGION}:123456789012:mailbox",
        Attributes={"RawMessageDelivery": "true"},
    )
    fields = {"bot_token": TOKEN, "signing_secret": SIGNING, "team_id": "T0OURS"}
    clients("secretsmanager", REGION).create_secret(Name="slack", SecretString=json.dumps(fields))
    path = tmp_path / "organization.json"
    path.write_text(compiled(ORGANIZATION).without_controls())
    environment = {
        "DEMARC_NAME": "answer",
        "DEMARC_TABLE": "findings",
        "DEMARC_TOPIC_ARN": topic,
        "DEMARC_MATRIX": str(path),
        "DEMARC_QUEUES": json.dumps({"data": queue}),
        "DEMARC_SLACK_SECRET": "slack",
        "DEMARC_SLACK_URL": slack.url,
        "AWS_REGION": REGION,
        "POWERTOOLS_SERVICE_NAME": "demarc",
        "POWERTOOLS_METRICS_NAMESPACE": "Demarc",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(answer.metrics, "namespace", "Demarc")
    # Making clients is slow, and these are as good as its own.
    monkeypatch.setattr(answer, "AwsClients", lambda **_: clients)
    answer._desk.cache_clear()
    store = DynamoFindingStore(clients("dynamodb", REGION), "findings")
    store.record(BUCKET, NOON, [a_finding()])
    store.mark_announced(a_finding())
    yield World(clients, store, slack)
    answer._desk.cache_clear()


@pytest.fixture
def critical(world: World) -> World:
    """The same, where the finding is one that the owner cannot accept alone."""
    return changed(world, severity=Severity.CRITICAL)


def changed(world: World, **changes: Any) -> World:
    finding = next_revision(world.finding(), **changes)
    world.store.record(BUCKET, NOON + timedelta(minutes=finding.revision), [finding])
    world.store.mark_announced(finding)
    return world


@pytest.fixture
def refusals(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """Why requests were refused, as CloudWatch counts it."""

    def read() -> list[str]:
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "RefusedRequests" in line]
        return [line["reason"] for line in lines]

    return read


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the function writes to its log."""
    written = cast("logging.StreamHandler[TextIO]", answer.logger.registered_handler)
    stream = io.StringIO()
    before = written.setStream(stream)
    yield stream
    if before:
        written.setStream(before)


def until(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


# --- who is let in


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"signing": "another"}, "forged"),
        ({"late": timedelta(minutes=6)}, "stale"),
        ({"late": timedelta(minutes=-6)}, "stale"),
        ({"x-slack-signature": ""}, "unsigned"),
        ({"x-slack-request-timestamp": "now"}, "unsigned"),
    ],
)
def test_what_slack_did_not_send_now_is_turned_away_without_a_word(
    world: World, refusals: Callable[[], list[str]], changes: dict[str, Any], reason: str
) -> None:
    body = urlencode({"payload": json.dumps({"type": "block_actions"})})

    assert world.receive(request_of(body, **changes)) == {"statusCode": 401, "body": ""}
    assert refusals() == [reason]
    assert world.finding().revision == 1
    assert world.called() == []


def test_a_request_is_answered_once_however_often_it_comes(world: World, refusals: Callable[[], list[str]]) -> None:
    body = urlencode({"payload": json.dumps({"type": "view_closed"})})
    event = request_of(body)

    assert world.receive(event)["statusCode"] == 200
    assert world.receive(event) == {"statusCode": 401, "body": ""}
    assert refusals() == ["replayed"]


def test_a_replay_does_nothing_twice(world: World) -> None:
    with patch.object(answer, "handler", wraps=answer.handler) as handled:
        world.press("recheck")
        event = handled.call_args.args[0]

    assert answer.handler(event, None)["statusCode"] == 401
    assert len(world.asked()) == 1


def test_slacks_own_repetition_is_content_and_changes_nothing(world: World) -> None:
    body = urlencode({"payload": json.dumps({"type": "view_closed"})})
    event = request_of(body)
    world.receive(event)

    again = event | {"headers": event["headers"] | {"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"}}

    assert world.receive(again) == {"statusCode": 200, "body": ""}


def test_a_function_url_may_hand_the_body_over_as_it_is(world: World) -> None:
    body = urlencode({"payload": json.dumps({"type": "view_closed"})})

    assert world.receive(request_of(body, encoded=False))["statusCode"] == 200


@pytest.mark.parametrize(
    "event",
    [
        request_of("a=b") | {"body": "&&&", "isBase64Encoded": True},
        request_of("") | {"body": ["payload"], "isBase64Encoded": False},
        request_of("") | {"body": "\ud800", "isBase64Encoded": False},
        request_of("") | {"body": "a" * (LARGEST_BODY + 1), "isBase64Encoded": False},
        request_of("") | {"body": "a" * (2 * LARGEST_BODY + 4)},
    ],
)
def test_what_is_no_body_is_refused_before_anything_is_made_of_it(
    world: World, refusals: Callable[[], list[str]], event: dict[str, Any]
) -> None:
    assert world.receive(event) == {"statusCode": 400, "body": ""}
    assert refusals() == ["malformed"]


@pytest.mark.parametrize("body", ["payload=%7B", "text=hello", "payload=%7B%22type%22%3A%22block_actions%22%7D"])
def test_what_is_signed_and_makes_no_sense_is_malformed(world: World, body: str) -> None:
    assert world.receive(request_of(body)) == {"statusCode": 400, "body": ""}


@pytest.mark.parametrize("event", [{}, {"headers": None}, {"headers": {}, "body": None}])
def test_whoever_merely_calls_the_url_is_turned_away(world: World, event: dict[str, Any]) -> None:
    assert world.receive(event) == {"statusCode": 401, "body": ""}


@pytest.mark.parametrize("user", ["U0VISITOR", "U0NOBODY"])
def test_who_is_not_in_the_matrix_is_told_what_to_do(
    world: World, refusals: Callable[[], list[str]], user: str
) -> None:
    world.press("acknowledge", by=user)

    assert world.finding().revision == 1
    (said,) = world.whispers()
    assert "Demarc does not know you" in said
    assert f"member id {user}. Ask whoever keeps the matrix to add you" in said
    assert refusals() == ["unknown-user"]


def test_a_bot_is_nobody_whatever_its_address(world: World, refusals: Callable[[], list[str]]) -> None:
    world.press("acknowledge", by="U0BOT")

    assert world.finding().revision == 1
    assert refusals() == ["unknown-user"]


@pytest.mark.parametrize(
    "changes",
    [{"team": {"id": "T0THEIRS"}}, {"user": {"id": "U0JONAS", "team_id": "T0THEIRS"}}, {"team": None}],
)
def test_another_workspace_is_not_answered(
    world: World, refusals: Callable[[], list[str]], changes: dict[str, Any]
) -> None:
    world.press("acknowledge", **changes)

    assert world.finding().revision == 1
    assert refusals() == ["other-workspace"]


def test_who_the_matrix_names_is_not_looked_up(world: World) -> None:
    world.press("acknowledge", by="U0JONAS")

    assert world.called() == ["actions"]


@pytest.mark.parametrize(
    "faults",
    [[Fault.throttled(30)], [Fault.says("missing_scope")] * 2, [Fault(status=503)], [Fault(lost=True)]],
)
def test_where_slack_does_not_say_who_it_is_nothing_is_done(
    world: World, refusals: Callable[[], list[str]], faults: list[Fault]
) -> None:
    world.slack.fails("users.info", *faults)

    world.press("acknowledge", by="U0AIKO")

    assert world.finding().revision == 1
    assert "did not say who you are" in world.whispers()[0]
    assert refusals() == ["slack"]


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com.evil.example/actions/1",
        "https://hooks.slack.com@evil.example/",
        "https://hooks.slack.com\\@evil.example/",
        "https://evil.example/?https://hooks.slack.com/",
        "http://hooks.slack.com/actions/1",
        "https://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
    ],
)
def test_nothing_is_sent_to_an_address_that_is_not_slacks(world: World, url: str) -> None:
    with patch.object(Web, "post") as post:
        assert world.press("acknowledge", response_url=url)["statusCode"] == 200

    assert post.call_count == 0
    assert world.finding().status is Status.ACKNOWLEDGED


def test_slacks_address_is_slacks() -> None:
    assert answer._is_slacks("https://hooks.slack.com/actions/T0OURS/123/a-B_c.9", SLACK)


# --- what they ask for


def test_acknowledging_is_recorded_told_and_confirmed(world: World) -> None:
    assert world.press("acknowledge", by="U0AIKO") == {"statusCode": 200, "body": ""}

    finding = world.finding()
    assert (finding.status, finding.acknowledged_by) == (Status.ACKNOWLEDGED, "Aiko Tanaka")
    assert finding.transition is not None
    assert (finding.transition.origin, finding.transition.by) == (Origin.SLACK, "Aiko Tanaka")
    assert finding.announced == finding.revision == 2
    assert [each["findings"][0]["revision"] for each in world.told()] == [2]
    assert "It is acknowledged by Aiko Tanaka" in world.whispers()[0]


def test_what_is_acknowledged_already_stays_so_and_it_is_said_by_whom(
    world: World, refusals: Callable[[], list[str]]
) -> None:
    world.press("acknowledge", by="U0AIKO")

    world.press("acknowledge", by="U0JONAS", revision=1)

    assert world.finding().revision == 2
    assert world.whispers()[-1] == "Aiko Tanaka has acknowledged it already."
    assert refusals() == ["rule"]


def test_an_old_button_on_what_is_resolved_says_so(world: World) -> None:
    changed(world, status=Status.RESOLVED, drift=())

    for button in ("acknowledge", "accept", "assign", "decline", "approve"):
        world.press(button, revision=1)

    assert world.finding().revision == 2
    assert world.slack.views == []
    assert len(world.whispers()) == 5
    assert all("resolved: seen right" in said for said in world.whispers()[:3])


def test_a_finding_that_is_not_there_is_said_not_to_be(world: World, refusals: Callable[[], list[str]]) -> None:
    world.press("acknowledge", actions=[{"action_id": "demarc:acknowledge", "value": "ffffffff:1"}])

    assert world.whispers() == ["Nothing was done: there is no such finding any more."]
    assert refusals() == ["unknown-finding"]


def test_looking_again_asks_the_responder_of_the_type(world: World) -> None:
    world.press("recheck", by="U0MARA")

    (asked,) = world.asked()
    look = look_of(asked)
    assert look.resources == (BUCKET,)
    assert look.occasion == Occasion(Origin.SLACK, "Mara Lindqvist")
    assert "looks at it again" in world.whispers()[0]
    assert world.finding().revision == 1


def test_a_menus_option_is_a_button_too(world: World) -> None:
    world.press("more", actions=[{"action_id": "demarc:more", "selected_option": {"value": "acknowledge:f1:1"}}])

    assert world.finding().status is Status.ACKNOWLEDGED


def test_a_link_that_was_followed_asks_for_nothing(world: World) -> None:
    assert world.press("", actions=[{"action_id": "open", "url": "https://example.com"}])["statusCode"] == 200
    assert world.called() == []


def test_assigning_is_a_form_and_then_told_to_their_team_too(world: World) -> None:
    world.press("assign")
    (form,) = world.slack.views
    page = world.submit("assign", whom="mara")

    assert form["callback_id"] == "demarc:assign"
    assert world.finding().assignee == "Mara Lindqvist"
    assert world.finding().audience == ("payments", "platform")
    assert page["response_action"] == "update"
    assert "assigned to Mara Lindqvist" in page["view"]["blocks"][0]["text"]["text"]
    assert len(world.told()) >= 1


def test_a_risk_is_accepted_by_its_owner_where_one_word_is_enough(world: World) -> None:
    world.press("accept")
    page = world.submit("accept", why=REASON, until=until(30))

    finding = world.finding()
    assert finding.status is Status.ACCEPTED
    assert finding.exception is not None
    assert (finding.exception.reason, finding.exception.approver) == (REASON, "Jonas Weber")
    assert "accepted until" in page["view"]["blocks"][0]["text"]["text"]


def test_who_owns_it_alone_only_proposes_and_the_approvers_hear_of_it(critical: World) -> None:
    critical.press("accept")
    (form,) = critical.slack.views
    page = critical.submit("accept", why=REASON, until=until(30))

    finding = critical.finding()
    assert form["submit"]["text"] == "Propose"
    assert (finding.status, finding.exception) == (Status.OPEN, None)
    assert finding.proposal is not None
    assert "grc" in finding.audience
    assert "waits for the word of Helena Novak" in page["view"]["blocks"][0]["text"]["text"]
    # His own word a second time is still his own.
    critical.press("approve")
    assert critical.finding().status is Status.OPEN
    assert critical.whispers()[-1] == "Only Helena Novak may approve it."


def test_somebody_from_elsewhere_approves_what_the_owner_proposed(critical: World) -> None:
    critical.submit("accept", why=REASON, until=until(30))

    critical.press("approve", by="U0HELENA")

    finding = critical.finding()
    assert finding.status is Status.ACCEPTED
    assert finding.exception is not None
    assert (finding.exception.approver, finding.exception.requested_by) == ("Helena Novak", "Jonas Weber")
    assert "accepted until" in critical.whispers()[-1]


def test_a_proposal_is_declined_for_a_reason(critical: World) -> None:
    critical.submit("accept", why=REASON, until=until(30))
    critical.press("decline", by="U0HELENA")
    (form,) = critical.slack.views

    critical.submit("decline", by="U0HELENA", why="the pictures have faces on them")

    assert any(REASON in json.dumps(block) for block in form["blocks"])
    finding = critical.finding()
    assert (finding.status, finding.proposal) == (Status.OPEN, None)
    assert finding.transition is not None
    assert (finding.transition.act, finding.transition.reason) == (Act.DECLINE, "the pictures have faces on them")


def test_an_acceptance_is_taken_back(world: World) -> None:
    world.submit("accept", why=REASON, until=until(30))

    world.press("decline", by="U0HELENA")
    world.submit("decline", by="U0HELENA", why="the pictures have faces on them")

    assert world.finding().status is Status.OPEN
    assert world.finding().reopened == 1


@pytest.mark.parametrize(
    ("why", "days", "wrong"),
    [("ok", 30, {"why"}), (REASON, -1, {"until"}), (REASON, 92, {"until"}), ("", None, {"why", "until"})],
)
def test_a_form_that_cannot_be_stays_open_and_says_why_beside_the_field(
    world: World, refusals: Callable[[], list[str]], why: str, days: int | None, wrong: set[str]
) -> None:
    answered = world.submit("accept", why=why, until="" if days is None else until(days))

    assert answered["response_action"] == "errors"
    assert answered["errors"].keys() == wrong
    assert world.finding().revision == 1
    assert refusals() == ["incomplete"]


def test_who_may_not_accept_is_told_so_in_the_form_too(world: World) -> None:
    world.press("accept", by="U0MARA")
    answered = world.submit("accept", by="U0MARA", why=REASON, until=until(30))

    assert world.slack.views == []
    assert "payments's to accept" in world.whispers()[0]
    assert answered == {
        "response_action": "errors",
        "errors": {"why": "It is team payments's to accept, or one of the approvers'."},
    }


def test_a_stranger_who_sends_a_form_is_told_in_the_form(world: World) -> None:
    page = world.submit("accept", by="U0VISITOR", why=REASON, until=until(30))

    assert page["response_action"] == "update"
    assert "Demarc does not know you" in page["view"]["blocks"][0]["text"]["text"]
    assert world.finding().revision == 1


def test_nobody_accepts_what_they_have_not_seen(world: World, refusals: Callable[[], list[str]]) -> None:
    other = replace(world.finding().drift[0], actual={"Principal": "*", "Action": "s3:*"})
    changed(world, drift=(other,))

    page = world.submit("accept", revision=1, why=REASON, until=until(30))

    assert world.finding().status is Status.OPEN
    assert "it has changed since" in page["view"]["blocks"][0]["text"]["text"]
    assert refusals() == ["outdated"]


def test_nobody_approves_another_proposal_than_they_saw(critical: World, refusals: Callable[[], list[str]]) -> None:
    critical.submit("accept", why=REASON, until=until(7))
    seen = critical.finding().revision
    critical.submit("accept", why=REASON, until=until(90))

    critical.press("approve", by="U0HELENA", revision=seen)

    assert critical.finding().status is Status.OPEN
    assert refusals()[-1] == "outdated"


def test_what_only_reminded_meanwhile_does_not_outdate_a_button(critical: World) -> None:
    critical.submit("accept", why=REASON, until=until(30))
    seen = critical.finding().revision
    critical.amend(lambda finding: acts.remind(finding, at=NOON + timedelta(hours=1), reason="due soon"))

    critical.press("approve", by="U0HELENA", revision=seen)

    assert critical.finding().status is Status.ACCEPTED


def test_a_form_that_slack_does_not_open_is_said(world: World, refusals: Callable[[], list[str]]) -> None:
    world.slack.fails("views.open", Fault.says("expired_trigger_id"))

    world.press("accept")

    assert world.whispers() == ["Nothing was done: Slack did not open the form. Press again."]
    assert refusals() == ["slack"]


@pytest.mark.parametrize("fault", [Fault(status=404), Fault(status=500), Fault.throttled(60), Fault(lost=True)])
def test_an_answer_that_slack_does_not_take_undoes_nothing(world: World, fault: Fault) -> None:
    world.slack.fails("actions", fault)

    assert world.press("acknowledge") == {"statusCode": 200, "body": ""}
    assert world.finding().announced == 2


def test_a_token_that_was_renewed_is_read_anew(world: World) -> None:
    world.press("accept")
    world.slack.token = "xoxb-another-token"
    fields = {"bot_token": "xoxb-another-token", "signing_secret": SIGNING, "team_id": "T0OURS"}
    world.clients("secretsmanager", REGION).put_secret_value(SecretId="slack", SecretString=json.dumps(fields))

    world.press("accept")

    assert len(world.slack.views) == 2


# --- when something dies in between


@pytest.mark.filterwarnings("ignore:No application metrics")
@pytest.mark.parametrize("step", ["transact_write_items", "publish", "update_item"])
def test_whatever_step_dies_the_next_press_finishes_the_work(world: World, step: str) -> None:
    desk = answer._desk(Settings.of())
    client = desk._announcer._client if step == "publish" else desk._store._client
    failure = ClientError({"Error": {"Code": "InternalServerError"}}, step)
    with patch.object(client, step, side_effect=failure), pytest.raises(ClientError):
        world.press("acknowledge")

    world.press("acknowledge")

    finding = world.finding()
    assert finding.status is Status.ACKNOWLEDGED
    assert finding.announced == finding.revision == 2
    assert {each["findings"][0]["revision"] for each in world.told()} == {2}


def test_who_is_slower_than_somebody_else_decides_on_what_is_now(world: World) -> None:
    desk = answer._desk(Settings.of())
    amend = desk._store.amend
    raced: list[Finding] = []

    def first_comes_aiko(finding: Finding) -> None:
        if not raced:
            raced.append(finding)
            world.store.amend(
                acts.acknowledge(world.finding(), by=ORGANIZATION.people["aiko"], origin=Origin.CLI, at=NOON)
            )
        amend(finding)

    with patch.object(desk._store, "amend", side_effect=first_comes_aiko):
        world.press("acknowledge")

    assert world.finding().acknowledged_by == "Aiko Tanaka"
    assert world.whispers() == ["Aiko Tanaka has acknowledged it already."]


# --- what is kept to itself


def test_no_secret_and_nothing_that_was_sent_is_written_down(
    world: World, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    world.press("acknowledge", by="U0AIKO")
    world.submit("accept", why="hunter2 is the password", until="never")
    world.receive(request_of("payload=hunter2"))
    world.receive(request_of("payload=hunter2", signing="another"))

    written = capsys.readouterr().out + log.getvalue()
    for secret_ in (SIGNING, TOKEN, "hunter2", "v0=", "aiko@example.com", world.slack.response_url):
        assert secret_ not in written
    (answered,) = [json.loads(line) for line in written.splitlines() if '"answered"' in line]
    assert (answered["act"], answered["finding"], answered["by"]) == ("acknowledge", "f1", "aiko")


@pytest.mark.filterwarnings("ignore:No application metrics")
@pytest.mark.parametrize("fields", [{"bot_token": TOKEN}, {"bot_token": TOKEN, "signing_secret": ""}])
def test_without_a_signing_secret_nobody_is_let_in(world: World, fields: dict[str, str]) -> None:
    world.clients("secretsmanager", REGION).put_secret_value(SecretId="slack", SecretString=json.dumps(fields))

    with pytest.raises(BadSecret):
        world.press("acknowledge")

    assert world.finding().revision == 1


@pytest.mark.filterwarnings("ignore:No application metrics")
def test_without_a_secret_there_is_no_answering(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEMARC_SLACK_SECRET")

    with pytest.raises(NotConfigured):
        world.press("acknowledge")


def test_the_calls_made_are_those_declared(world: World, calls: list[str]) -> None:
    answer._desk.cache_clear()
    calls.clear()
    for button in ("recheck", "acknowledge"):
        world.press(button, actions=[{"action_id": f"demarc:{button}", "value": "f1:1"}])

    declared = {*dynamodb.CALLS, *sns.CALLS, *secret.CALLS, *nonces.CALLS, *queues.CALLS}
    assert set(calls) <= declared
    assert {*secret.CALLS, *nonces.CALLS, *queues.CALLS, *sns.CALLS} <= set(calls)
