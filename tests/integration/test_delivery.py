"""From an announcement to the teams' channels: said once, kept current, and never lost.

Slack is a server on this machine, and the table is moto's. Nobody sleeps: time is what the test says.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NoReturn

import pytest

from demarc.announcers.chat import Chat
from demarc.announcers.https import Web
from demarc.announcers.slack import Pace, SlackApi, SlackChat, SlackWebhook
from demarc.aws import AwsClients
from demarc.core.announcement import announcement_of
from demarc.core.calendar import QuietHours
from demarc.core.chat.block_kit import Style
from demarc.core.digest import DigestKind, announcement_of_digest, digest_of
from demarc.core.matrix import Destination, DestinationKind, Organization, Team
from demarc.core.model import Act, Finding, Origin, Severity, Status, Transition
from demarc.delivery import Delivery, Later, backoff
from demarc.stores.messages import MessageStore
from tests.factories import NOON, a_finding, next_revision
from tests.integration.conftest import REGION
from tests.integration.tables import create_table
from tests.organizations import organization
from tests.simulation.slack import TOKEN, Fault, Message, Slack

SLACK = DestinationKind.SLACK
NIGHT = datetime(2026, 1, 1, 23, tzinfo=NOON.tzinfo)


@dataclass
class Desk:
    """Everything that a delivery needs, with a clock that only the test moves."""

    slack: Slack
    messages: MessageStore
    organization: Organization
    now: datetime = NOON
    slept: list[float] = field(default_factory=list)
    heard: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    known: dict[str, Finding] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=lambda: {"hook": ""})
    tokens: list[str] = field(default_factory=lambda: [TOKEN])

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    def delivery(self, **changes: Any) -> Delivery:
        web = Web(insecure=True)
        pace = Pace(clock=lambda: self.now.timestamp(), sleep=self.sleep)  # noqa: PLW0108  # self.now moves
        style = Style(self.organization)
        api = SlackApi(web, lambda: self.tokens[0], url=self.slack.url, forget=self._forget)
        chats: dict[DestinationKind, Chat] = {
            SLACK: SlackChat(api, style, pace=pace, heard=self._heard),
            DestinationKind.SLACK_WEBHOOK: SlackWebhook(
                web, _Secrets(self.secrets), replace(style, buttons=False), pace=pace, heard=self._heard
            ),
        }
        facts: dict[str, Any] = {
            "organization": self.organization,
            "chats": chats,
            "messages": self.messages,
            "find": self.known.get,
            "clock": lambda: self.now,
            "heard": self._heard,
        }
        return Delivery(**(facts | changes))

    def tell(self, *findings: Finding, attempt: int = 1) -> None:
        self.known |= {finding.id: finding for finding in findings}
        self.delivery().deliver(body_of(*findings), attempt=attempt)

    def metrics(self) -> list[str]:
        return [name for name, _ in self.heard]

    def _heard(self, name: str, facts: Mapping[str, Any]) -> None:
        self.heard.append((name, facts))

    def _forget(self) -> None:
        self.tokens = self.tokens[1:] or self.tokens


@dataclass(frozen=True)
class _Secrets:
    texts: Mapping[str, str]

    def text(self, name: str) -> str:
        return self.texts[name]

    def fields(self, name: str) -> Mapping[str, str]:
        fields: Mapping[str, str] = json.loads(self.texts[name])
        return fields

    def forget(self, name: str) -> None:
        """Nothing is kept here."""


def body_of(*findings: Finding) -> dict[str, Any]:
    """The announcement as it arrives."""
    body: dict[str, Any] = json.loads(json.dumps(announcement_of(findings).body))
    return body


def here(**of_payments: Any) -> Organization:
    """Payments and governance in Slack."""
    facts: dict[str, Any] = {"destinations": (Destination(SLACK, "#payments"),), **of_payments}
    payments = replace(Team("payments", "Payments", "payments@example.com", "jonas"), **facts)
    grc = Team("grc", "Governance", "grc@example.com", "helena", destinations=(Destination(SLACK, "#grc"),))
    return organization(teams={"payments": payments, "grc": grc})


@pytest.fixture
def desk(clients: AwsClients) -> Iterator[Desk]:
    create_table(clients("dynamodb", REGION), "findings")
    with Slack() as slack:
        yield Desk(slack, MessageStore(clients("dynamodb", REGION), "findings"), here())


def later(finding: Finding, act: Act, **changes: Any) -> Finding:
    """The next revision, by somebody's word."""
    transition = Transition(act, Origin.SLACK, "Jonas Weber", NOON, finding.status, changes.pop("reason", "on it"))
    return next_revision(finding, transition=transition, **changes)


def acknowledged(finding: Finding) -> Finding:
    return later(finding, Act.ACKNOWLEDGE, status=Status.ACKNOWLEDGED, acknowledged_by="Jonas Weber")


def resolved(finding: Finding) -> Finding:
    return later(finding, Act.RIGHT, status=Status.RESOLVED, drift=(), resolved_at=NOON)


def reopened(finding: Finding) -> Finding:
    return later(finding, Act.BROKEN, status=Status.OPEN, reopened=1, reason="", drift=a_finding().drift)


def header(message: Message) -> str:
    text: str = message.blocks[0]["text"]["text"]
    return text


# Said once, and kept current.


def test_a_finding_is_one_message_in_its_owners_channel(desk: Desk) -> None:
    desk.tell(a_finding())

    (message,) = desk.slack.in_channel("#payments")
    assert header(message).endswith("Broken: Buckets are private")
    assert desk.slack.in_channel("#grc") == []


def test_the_same_again_posts_nothing(desk: Desk) -> None:
    desk.tell(a_finding())
    desk.tell(a_finding())

    assert len(desk.slack.messages) == 1


def test_a_later_revision_changes_the_message_and_answers_in_its_thread(desk: Desk) -> None:
    desk.tell(a_finding())
    desk.tell(acknowledged(a_finding()))

    (message,) = desk.slack.in_channel("#payments")
    (answer,) = desk.slack.replies(message)
    assert message.edits == 1
    assert "Acknowledged by Jonas Weber" in message.text
    assert answer.text == "*Acknowledged* by Jonas Weber in Slack: on it"
    assert not answer.broadcast


def test_what_is_right_again_shows_so_and_has_nothing_left_to_press(desk: Desk) -> None:
    desk.tell(a_finding())
    desk.tell(resolved(a_finding()))

    (message,) = desk.slack.in_channel("#payments")
    assert header(message).endswith("Holds again: Buckets are private")
    assert not any(block["type"] == "actions" for block in message.blocks)


def test_a_finding_that_comes_back_is_heard_in_the_channel_under_its_first_message(desk: Desk) -> None:
    revisions = [a_finding()]
    for step in (resolved, reopened):
        revisions.append(step(revisions[-1]))
    for revision in revisions:
        desk.tell(revision)

    (message,) = desk.slack.in_channel("#payments")
    assert [answer.broadcast for answer in desk.slack.replies(message)] == [False, True]
    assert header(message).endswith("Broken: Buckets are private")


def test_an_older_revision_that_comes_late_changes_nothing(desk: Desk) -> None:
    desk.tell(acknowledged(a_finding()))
    desk.tell(a_finding())

    (message,) = desk.slack.messages
    assert "Acknowledged by" in message.text
    assert message.edits == 0


def test_findings_of_one_change_are_one_message_and_the_rest_is_in_its_thread(desk: Desk) -> None:
    desk.tell(*(a_finding(id=f"f{number}") for number in range(12)))

    (message,) = desk.slack.in_channel("#payments")
    assert header(message).endswith("12 findings on photos")
    assert len(desk.slack.replies(message)) == 2


def test_one_of_several_in_a_message_changes_and_the_others_are_shown_as_they_are_now(desk: Desk) -> None:
    first, second = a_finding(id="f1", title="First"), a_finding(id="f2", title="Second")
    desk.tell(first, second)
    desk.known["f2"] = resolved(second)
    desk.tell(acknowledged(first))

    (message,) = desk.slack.in_channel("#payments")
    assert "Acknowledged by" in message.text
    assert "Holds again: Second" in message.text


def test_everybody_who_is_to_hear_hears(desk: Desk) -> None:
    desk.tell(a_finding(audience=("payments", "grc")))

    assert len(desk.slack.in_channel("#payments")) == len(desk.slack.in_channel("#grc")) == 1


def test_two_teams_that_share_a_channel_are_told_there_once(desk: Desk) -> None:
    desk.organization = here(destinations=(Destination(SLACK, "#grc"),))
    desk.tell(a_finding(audience=("payments", "grc")))

    assert len(desk.slack.messages) == 1


def test_a_webhook_gets_a_message_for_each_revision_and_no_buttons(desk: Desk) -> None:
    desk.organization = here(destinations=(Destination(DestinationKind.SLACK_WEBHOOK, secret="hook"),))
    desk.secrets["hook"] = desk.slack.webhook
    for revision in (a_finding(), a_finding(), acknowledged(a_finding())):
        desk.tell(revision)

    assert len(desk.slack.webhooked) == 2
    assert not any(block["type"] == "actions" for each in desk.slack.webhooked for block in each["blocks"])


def test_a_digest_is_told_once(desk: Desk) -> None:
    digest = digest_of(
        [a_finding()],
        kind=DigestKind.WEEKLY,
        team="payments",
        organization=desk.organization,
        since=NOON - timedelta(days=7),
        now=NOON,
    )
    body = json.loads(json.dumps(announcement_of_digest(digest).body))
    for _ in range(2):
        desk.delivery().deliver(body)

    (message,) = desk.slack.in_channel("#payments")
    assert "Buckets are private" in json.dumps(message.blocks)


# What goes wrong.


def test_a_short_wait_is_waited_out(desk: Desk) -> None:
    desk.slack.fails("chat.postMessage", Fault.throttled(3))
    desk.tell(a_finding())

    assert desk.slept == [3.0]
    assert len(desk.slack.messages) == 1


def test_a_long_wait_is_left_to_the_queue_for_as_long_as_slack_asks(desk: Desk) -> None:
    desk.slack.fails("chat.postMessage", Fault.throttled(90))

    with pytest.raises(Later) as told:
        desk.tell(a_finding())
    assert told.value.wait == timedelta(seconds=90)
    assert not told.value.failed

    desk.tell(a_finding())
    assert len(desk.slack.messages) == 1


@pytest.mark.parametrize(
    "fault", [Fault(status=500), Fault(status=503), Fault.says("fatal_error"), Fault.says("a_code_of_tomorrow")]
)
def test_what_failed_comes_again_and_nothing_is_lost(desk: Desk, fault: Fault) -> None:
    desk.slack.fails("chat.postMessage", fault)

    with pytest.raises(Later) as told:
        desk.tell(a_finding(), attempt=3)
    assert (told.value.wait, told.value.failed) == (timedelta(minutes=2), True)
    assert desk.metrics() == ["DeliveryFailures"]

    desk.tell(a_finding())
    assert len(desk.slack.messages) == 1


def test_each_failure_waits_longer_up_to_an_hour() -> None:
    waits = [backoff(attempt).total_seconds() for attempt in (0, 1, 2, 3, 8, 20)]

    assert waits == [30, 30, 60, 120, 3600, 3600]


def test_messages_to_one_channel_are_a_second_apart(desk: Desk) -> None:
    desk.tell(*(a_finding(id=f"f{number}") for number in range(12)))

    assert sum(desk.slept) == pytest.approx(2.0)


@pytest.mark.parametrize("code", ["channel_not_found", "not_in_channel", "is_archived"])
def test_a_channel_that_cannot_be_told_is_governances_to_hear_of(desk: Desk, code: str) -> None:
    desk.slack.fails("chat.postMessage", Fault.says(code))
    desk.tell(a_finding())

    (message,) = desk.slack.in_channel("#grc")
    assert f"Team Payments was not told in #payments ({code})" in json.dumps(message.blocks).replace("\\u02cd", "_")
    assert desk.metrics() == ["ChannelsRefused", "MessagesPosted"]


def test_a_channel_that_lets_us_in_again_is_told_from_then_on(desk: Desk) -> None:
    desk.slack.fails("chat.postMessage", Fault.says("not_in_channel"))
    desk.tell(a_finding())
    desk.tell(acknowledged(a_finding()))

    assert len(desk.slack.in_channel("#payments")) == len(desk.slack.in_channel("#grc")) == 1


def test_where_nobody_can_be_told_the_announcement_stays(desk: Desk) -> None:
    desk.slack.channels.clear()

    with pytest.raises(Later) as told:
        desk.tell(a_finding())
    assert told.value.failed


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_blocks_too_long"])
def test_blocks_that_slack_refuses_are_said_in_words(desk: Desk, code: str) -> None:
    desk.slack.fails("chat.postMessage", Fault.says(code))
    desk.tell(a_finding())

    (message,) = desk.slack.in_channel("#payments")
    assert message.blocks == []
    assert "aws s3api delete-bucket-policy" in message.text
    assert "MessagesSimplified" in desk.metrics()


def test_a_token_that_was_replaced_is_read_again(desk: Desk) -> None:
    desk.tokens = ["xoxb-old", TOKEN]
    desk.tell(a_finding())

    assert len(desk.slack.messages) == 1


def test_a_token_that_is_no_good_is_waited_out_and_never_told(desk: Desk) -> None:
    desk.tokens = ["xoxb-old"]

    with pytest.raises(Later):
        desk.tell(a_finding())
    assert "xoxb" not in json.dumps([dict(facts) for _, facts in desk.heard])


def test_the_address_of_a_webhook_is_in_no_error(desk: Desk) -> None:
    desk.organization = here(destinations=(Destination(DestinationKind.SLACK_WEBHOOK, secret="hook"),))
    # Nobody listens on this port of this machine.
    desk.secrets["hook"] = "http://127.0.0.1:9/services/T0/B0/very-secret"

    with pytest.raises(Later) as told:
        desk.tell(a_finding())
    assert "very-secret" not in f"{told.value!r}{desk.heard!r}"
    assert told.value.failed


def test_a_destination_that_fails_does_not_keep_others_from_being_told(desk: Desk) -> None:
    desk.slack.fails("chat.postMessage", Fault(status=500))

    with pytest.raises(Later):
        desk.tell(a_finding(audience=("payments", "grc")))
    assert len(desk.slack.in_channel("#grc")) == 1

    desk.tell(a_finding(audience=("payments", "grc")))
    assert len(desk.slack.in_channel("#payments")) == len(desk.slack.in_channel("#grc")) == 1


def test_a_message_that_was_deleted_is_posted_anew(desk: Desk) -> None:
    desk.tell(a_finding())
    desk.slack.messages.clear()
    desk.tell(acknowledged(a_finding()))

    (message,) = desk.slack.in_channel("#payments")
    assert "Acknowledged by" in message.text


def test_a_message_that_may_not_be_changed_is_still_answered_under(desk: Desk) -> None:
    desk.tell(a_finding())
    desk.slack.fails("chat.update", Fault.says("edit_window_closed"))
    desk.tell(acknowledged(a_finding()))

    (message,) = desk.slack.in_channel("#payments")
    assert len(desk.slack.replies(message)) == 1


def test_without_time_to_tell_more_the_rest_comes_again(desk: Desk) -> None:
    with pytest.raises(Later) as told:
        desk.delivery().deliver(body_of(a_finding()), in_time=lambda: False)

    assert not told.value.failed
    assert desk.slack.messages == []


def test_a_kind_that_this_deployment_has_no_means_for_is_passed_over(desk: Desk) -> None:
    desk.organization = here(destinations=(Destination(DestinationKind.AMAZON_Q),))
    desk.tell(a_finding())

    assert desk.slack.messages == []


def test_a_team_that_the_matrix_has_lost_is_governances(desk: Desk) -> None:
    desk.tell(a_finding(audience=("storefront",)))

    assert len(desk.slack.in_channel("#grc")) == 1


# Quiet hours.


@pytest.fixture
def at_night(desk: Desk) -> Desk:
    desk.organization = here(quiet_hours=QuietHours("22:00", "07:00"))
    desk.now = NIGHT
    return desk


def test_at_night_a_finding_waits_for_the_morning(at_night: Desk) -> None:
    with pytest.raises(Later) as told:
        at_night.tell(a_finding())

    assert (told.value.wait, told.value.failed) == (timedelta(hours=8), False)
    assert at_night.slack.messages == []
    at_night.now += told.value.wait
    at_night.tell(a_finding())
    assert len(at_night.slack.messages) == 1


def test_what_is_critical_is_told_at_night_with_all_that_the_same_change_did(at_night: Desk) -> None:
    at_night.tell(a_finding(id="f1", severity=Severity.CRITICAL), a_finding(id="f2", severity=Severity.LOW))

    (message,) = at_night.slack.in_channel("#payments")
    assert "2 findings" in header(message)


def test_of_what_happened_at_night_the_morning_hears_how_it_ended(at_night: Desk) -> None:
    revisions = [a_finding(), acknowledged(a_finding()), resolved(acknowledged(a_finding()))]
    for revision in revisions:
        with pytest.raises(Later):
            at_night.tell(revision)
    at_night.now += timedelta(hours=8)
    for revision in revisions:
        at_night.tell(revision)

    (message,) = at_night.slack.messages
    assert header(message).endswith("Holds again: Buckets are private")


def test_a_team_without_quiet_hours_does_not_wait_for_one_with(at_night: Desk) -> None:
    with pytest.raises(Later):
        at_night.tell(a_finding(audience=("payments", "grc")))

    assert len(at_night.slack.in_channel("#grc")) == 1


# Died between any two steps.


class Died(BaseException):
    """The process is gone; nothing that it would still do happens."""


@dataclass
class Mortal:
    """Lets so many calls through, over all that it wraps, and then nothing any more."""

    left: int

    def wraps(self, inner: Any) -> Any:
        return _Wrapped(self, inner)

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Died


class _Wrapped:
    def __init__(self, life: Mortal, inner: Any) -> None:
        self._life = life
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._inner, name)
        if not callable(attribute):
            return attribute

        def call(*arguments: Any, **named: Any) -> Any:
            self._life.spend()
            answer = attribute(*arguments, **named)
            # Dead before or after the call: what it did is done, and nobody is left who knows.
            self._life.spend()
            return answer

        return call


def mortal(desk: Desk, left: int) -> Delivery:
    """A delivery whose process dies after so many steps; a call is two, what it does and its answer."""
    life, whole = Mortal(left), desk.delivery()
    chats = {kind: life.wraps(chat) for kind, chat in whole.chats.items()}
    return replace(whole, chats=chats, messages=life.wraps(whole.messages))


def test_whoever_dies_between_two_steps_of_telling_leaves_nothing_untold(desk: Desk) -> None:
    for left in range(40):
        desk.slack.messages.clear()
        first = [a_finding(id=f"f{left}-{number}", title=f"Title {number}.") for number in range(7)]
        second = [acknowledged(first[0]), *first[1:]]
        for told in (first, second):
            desk.known = {finding.id: finding for finding in told}
            with contextlib.suppress(Died):
                mortal(desk, left).deliver(body_of(*told))
            desk.now += timedelta(minutes=12)
            desk.tell(*told)

        everything = " ".join(message.text for message in desk.slack.messages)
        answers = [each for each in desk.slack.messages if each.text.startswith("*Acknowledged*")]
        assert all(f"Title {number}." in everything for number in range(7)), left
        assert "Acknowledged by Jonas Weber" in everything, left
        # What Slack took and nobody noted comes once more, and no more than that.
        assert 1 <= len(desk.slack.in_channel("#payments")) <= 2, left
        assert 1 <= len(answers) <= 2, left


def test_an_answer_that_was_lost_on_its_way_is_asked_for_again(desk: Desk) -> None:
    desk.slack.fails("chat.postMessage", Fault(lost=True))

    with pytest.raises(Later):
        desk.tell(a_finding())
    desk.tell(a_finding())

    assert len(desk.slack.messages) == 2


def test_two_workers_with_the_same_announcement_tell_it_once(desk: Desk) -> None:
    inner = desk.delivery()

    class Between:
        """While one is posting, another gets the same announcement."""

        most = 5

        def post(self, *arguments: Any, **named: Any) -> Any:
            with pytest.raises(Later):
                inner.deliver(body_of(a_finding()))
            return inner.chats[SLACK].post(*arguments, **named)

        def __getattr__(self, name: str) -> NoReturn:
            raise AssertionError(name)

    desk.delivery(chats={SLACK: Between()}).deliver(body_of(a_finding()))

    assert len(desk.slack.messages) == 1
