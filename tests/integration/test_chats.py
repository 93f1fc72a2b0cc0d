"""Every other way to a team: HTTPS as such, Microsoft Teams, signed webhooks, Amazon Q Developer."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from demarc.announcers.amazon_q import AmazonQ
from demarc.announcers.chat import ChannelRefused, Chat, Rejected, Throttled, Unauthorized, Unreachable
from demarc.announcers.https import BadAddress, Web, waiting_time
from demarc.announcers.teams import TeamsChat
from demarc.announcers.webhook import Webhook, signature_of
from demarc.aws import AwsClients
from demarc.core.announcement import findings_in
from demarc.core.chat.posted import Posted
from demarc.core.digest import Digest, DigestKind, digest_in, digest_of
from demarc.core.matrix import Destination, DestinationKind
from tests.factories import NOON, a_finding, next_revision
from tests.integration.conftest import REGION
from tests.organizations import organization

HERE = organization()
POSTED = Posted("", "", "thread")


@dataclass
class Receiver:
    """An HTTP server that answers one thing and keeps what it was sent."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    url: str = ""
    received: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)

    @contextmanager
    def listening(self) -> Iterator[Receiver]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(receiver.body)))
                self.end_headers()
                self.wfile.write(receiver.body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Nothing: it would write to the terminal."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}/very-secret"
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().listening() as receiver:
        yield receiver


@dataclass
class Secrets:
    """Secrets that are rotated each time that somebody forgets one."""

    versions: list[str]

    def text(self, name: str) -> str:
        return self.versions[0]

    def fields(self, name: str) -> Mapping[str, str]:
        fields: Mapping[str, str] = json.loads(self.versions[0])
        return fields

    def forget(self, name: str) -> None:
        self.versions = self.versions[1:] or self.versions


# HTTPS.


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com/",
        "ftp://example.com/",
        "https:///path",
        "https://user:password@example.com/",
        "https://example.com/a b",
        "https://example.com/\r\nHost: evil",
        "https://ex\u00e4mple.com/",
        "https://[::1",
        "",
        "example.com",
    ],
)
def test_nothing_is_sent_to_what_is_no_address_of_https(address: str) -> None:
    with pytest.raises(BadAddress) as refused:
        Web().post(address, b"", {})

    assert address == "" or address not in str(refused.value)


def test_a_certificate_that_nobody_known_signed_is_not_trusted() -> None:
    context_is_strict = Web()._pool.connection_pool_kw["ssl_context"]

    assert context_is_strict.check_hostname
    assert context_is_strict.verify_mode.name == "CERT_REQUIRED"


def test_a_redirect_is_an_answer_and_is_not_followed(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 302, {"Location": "http://127.0.0.1:9/elsewhere"}

    assert Web(insecure=True).post(receiver.url, b"{}", {}).status == 302


def test_an_answer_without_end_is_not_read_to_its_end(receiver: Receiver) -> None:
    receiver.body = b"x" * 1_000_000

    with pytest.raises(Unreachable, match="too long"):
        Web(insecure=True).post(receiver.url, b"{}", {})


def test_who_does_not_answer_in_time_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/very-secret"
        with pytest.raises(Unreachable) as given_up:
            Web(insecure=True).post(address, b"{}", {}, seconds=0.05)

    assert str(given_up.value) == "no answer in time"
    assert given_up.value.__cause__ is None


@pytest.mark.parametrize(
    ("said", "seconds"), [("7", 7), ("0", 0), ("-1", 30), (None, 30), ("soon", 30), ("999999", 21_600), ("nan", 30)]
)
def test_a_wait_that_is_asked_for_is_bounded(said: str | None, seconds: float) -> None:
    assert waiting_time(said) == seconds


# Chats that are told through an address.

Maker = Callable[[Web, Secrets], Chat]


def teams(web: Web, secrets: Secrets) -> Chat:
    return TeamsChat(web, secrets, HERE)


def webhook(web: Web, secrets: Secrets) -> Chat:
    return Webhook(web, secrets, clock=lambda: NOON)


def told(make: Maker, receiver: Receiver, address: str | None = None) -> None:
    url = address or receiver.url
    secrets = Secrets([url if make is teams else json.dumps({"url": url, "signing_secret": "shared"})])
    make(Web(insecure=True), secrets).post(Destination(DestinationKind.WEBHOOK, secret="hook"), [a_finding()])


@pytest.mark.parametrize("make", [teams, webhook])
@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (401, Unauthorized),
        (403, Unauthorized),
        (404, ChannelRefused),
        (410, ChannelRefused),
        (400, Rejected),
        (413, Rejected),
        (302, Rejected),
        (429, Throttled),
        (500, Unreachable),
        (503, Unreachable),
    ],
)
def test_what_was_not_taken_is_never_taken_for_told(
    make: Maker, receiver: Receiver, status: int, raised: type[Exception]
) -> None:
    receiver.status, receiver.headers = status, {"Retry-After": "9"}

    with pytest.raises(raised) as refused:
        told(make, receiver)
    assert "very-secret" not in str(refused.value)


@pytest.mark.parametrize("make", [teams, webhook])
def test_an_address_that_was_replaced_is_read_again(make: Maker, receiver: Receiver) -> None:
    with Receiver(status=403).listening() as old:
        urls = [old.url, receiver.url]
        versions = urls if make is teams else [json.dumps({"url": url, "signing_secret": "shared"}) for url in urls]
        make(Web(insecure=True), Secrets(versions)).post(
            Destination(DestinationKind.TEAMS, secret="hook"), [a_finding()]
        )

    assert len(receiver.received) == 1


def test_a_webhook_gets_the_announcement_and_can_tell_that_it_is_ours(receiver: Receiver) -> None:
    told(webhook, receiver)

    ((headers, body),) = receiver.received
    assert [finding.id for finding in findings_in(json.loads(body))] == ["f1"]
    assert headers["demarc-timestamp"] == str(int(NOON.timestamp()))
    assert headers["demarc-signature"] == signature_of(headers["demarc-timestamp"], body, "shared")


def test_the_signature_is_the_one_that_receivers_are_told_to_compute() -> None:
    # printf '1767268800.{}' | openssl dgst -sha256 -hmac shared
    assert signature_of("1767268800", b"{}", "shared") == "v1=" + _HMAC


_HMAC = "b39c57c4fead6d6d9616c7a8bfa4cb61dd858d899b018aac327b4f69aeadb5a6"


def test_a_webhook_without_a_secret_to_sign_with_is_not_told(receiver: Receiver) -> None:
    secrets = Secrets([json.dumps({"url": receiver.url})])

    with pytest.raises(BadAddress, match="signing_secret"):
        webhook(Web(insecure=True), secrets).post(Destination(DestinationKind.WEBHOOK, secret="hook"), [a_finding()])
    assert receiver.received == []


def test_teams_gets_a_card(receiver: Receiver) -> None:
    told(teams, receiver)

    ((_, body),) = receiver.received
    (attachment,) = json.loads(body)["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert "Broken: Buckets are private" in json.dumps(attachment["content"])


def a_digest() -> Digest:
    return digest_of(
        [a_finding()],
        kind=DigestKind.WEEKLY,
        team="payments",
        organization=HERE,
        since=NOON - timedelta(days=7),
        now=NOON,
    )


def test_a_digest_goes_where_findings_go(receiver: Receiver) -> None:
    secrets = Secrets([json.dumps({"url": receiver.url, "signing_secret": "shared"})])
    webhook(Web(insecure=True), secrets).post_digest(Destination(DestinationKind.WEBHOOK, secret="hook"), a_digest())
    teams(Web(insecure=True), Secrets([receiver.url])).post_digest(Destination(DestinationKind.TEAMS), a_digest())

    (_, body), (_, card) = receiver.received
    assert digest_in(json.loads(body)).team == "payments"
    assert "Buckets are private" in card.decode()


# Amazon Q Developer.


@pytest.fixture
def published(clients: AwsClients) -> Callable[[], list[dict[str, Any]]]:
    """What a subscriber of the chat topic was sent since it was last asked."""
    sns, sqs = clients("sns", REGION), clients("sqs", REGION)
    topic = sns.create_topic(Name="chat")["TopicArn"]
    queue = sqs.create_queue(QueueName="chat")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def messages() -> list[dict[str, Any]]:
        got = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(each["Body"]) for each in got]

    return messages


def test_amazon_q_shows_the_revisions_of_a_finding_together(
    clients: AwsClients, published: Callable[[], list[dict[str, Any]]]
) -> None:
    to = Destination(DestinationKind.AMAZON_Q)
    topic = f"arn:aws:sns:{REGION}:123456789012:chat"
    chat = AmazonQ(clients("sns", REGION), topic, HERE)
    posted = chat.post(to, [a_finding()])
    chat.reply(to, posted, [next_revision(a_finding())])
    chat.post_digest(to, a_digest())

    envelopes = published()
    first, second, digest = (json.loads(each["Message"]) for each in envelopes)
    assert first["version"] == "1.0"
    assert first["source"] == "custom"
    assert first["metadata"]["threadId"] == second["metadata"]["threadId"] == "f1"
    assert digest["metadata"]["threadId"] != "f1"
    assert [json.loads(each["MessageAttributes"]["team"]["Value"]) for each in envelopes] == [["payments"]] * 3
