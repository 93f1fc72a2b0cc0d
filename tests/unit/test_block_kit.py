"""What a team reads in Slack, and what nobody can make it read.

Messages are checked by the simulated Slack, which knows its limits and markup from Slack's reference.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demarc.core.chat.block_kit import (
    ACTIONS,
    FINDINGS_PER_MESSAGE,
    MORE,
    SlackMessage,
    Style,
    digest_message_of,
    excesses,
    fits,
    message_of,
    named_by,
    reply_of,
    value_of,
)
from demarc.core.digest import DigestKind, digest_of
from demarc.core.matrix import Acceptance, Person
from demarc.core.model import (
    AcceptedRisk,
    Act,
    Actor,
    ActorKind,
    Drift,
    Finding,
    Origin,
    Resource,
    Severity,
    Status,
    Transition,
    Was,
)
from tests.factories import NOON, a_cause, a_finding
from tests.organizations import organization
from tests.simulation.slack import problems

JONAS = Person("jonas", "Jonas Weber", "jonas@example.com", "payments", "U0JONAS")
HERE = organization()
STYLE = Style(replace(HERE, people={**HERE.people, JONAS.id: JONAS}), "https://docs.example.com/controls")
HOSTILE = (
    "<!channel> look",
    "<@U0BOSS> <!subteam^S1>",
    "<https://evil.example|your bank>",
    "*bold* _it_ ~no~ `code`",
    "```\nrm -rf /\n```",
    "&lt;!here&gt; & < >",
    "line\nbreak\x1b[31m\u202egnp.exe",
    "> quote",
    "https://evil.example",
    "\U0001f600" * 400,
    '"\\' * 500,
    "&" * 3_000,
    "",
)

texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=400), st.text(alphabet='<>&|`*_~"\\\n', max_size=2_000))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)


statuses = st.sampled_from(Status)
maybe = st.one_of(st.none(), texts)
drifts = st.builds(Drift, texts, values, values, texts, st.one_of(st.none(), st.builds(Was, values, st.just(NOON))))
transitions = st.builds(
    Transition,
    st.sampled_from(Act),
    st.sampled_from(Origin),
    texts,
    st.just(NOON),
    st.one_of(st.none(), statuses),
    texts,
    maybe,
)
risks = st.builds(AcceptedRisk, st.just("R-1"), texts, texts, st.just(NOON), requested_by=texts)
resources = st.builds(
    Resource,
    texts,
    texts,
    st.just("123456789012"),
    st.sampled_from(["eu-west-1", "<@U1>"]),
    texts.map("arn:aws:s3:::{}".format),
)
actors = st.builds(Actor, st.sampled_from(ActorKind), texts)
causes = st.builds(lambda actor, call: a_cause(actor=actor, event_name=call), actors, texts)


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    """A finding in which everything that strangers choose is chosen by a stranger."""
    status = draw(statuses)
    return a_finding(
        id=draw(st.text(alphabet="0123456789abcdef", min_size=24, max_size=24)),
        title=draw(texts) or "t",
        severity=draw(st.sampled_from(Severity)),
        status=status,
        resource=draw(resources),
        drift=tuple(draw(st.lists(drifts, max_size=9))),
        guidance=draw(texts),
        references={draw(texts): tuple(draw(st.lists(texts, max_size=5)))},
        cause=draw(st.one_of(st.none(), causes)),
        transition=draw(st.one_of(st.none(), transitions)),
        exception=draw(risks) if status is Status.ACCEPTED else None,
        proposal=draw(st.one_of(st.none(), risks)),
        assignee=draw(maybe),
        acknowledged_by=draw(maybe),
        resolved_at=NOON if status is Status.RESOLVED else None,
        reopened=draw(st.integers(0, 3)),
    )


def wrong_with(message: SlackMessage) -> list[str]:
    """What Slack would refuse, and what it would read as markup of ours and is not."""
    blocks = json.loads(json.dumps(message.blocks))
    found = [*problems(message.text, blocks), *excesses(message)]
    if not 0 < len(message.text) <= 4_000:
        found.append("the text")
    if len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))) > 13_200:
        found.append("all blocks together")
    return found


@given(st.lists(findings(), min_size=1, max_size=FINDINGS_PER_MESSAGE), st.integers(0, 30), texts)
@settings(max_examples=120, deadline=None)
def test_whatever_strangers_wrote_slack_takes_the_message_and_reads_no_markup_in_it(
    told: list[Finding], others: int, note: str
) -> None:
    assert wrong_with(message_of(told, STYLE, others=others, note=note)) == []


@given(st.lists(findings(), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_whatever_strangers_wrote_slack_takes_the_answer_in_the_thread(told: list[Finding]) -> None:
    assert wrong_with(reply_of(told, STYLE)) == []


@given(st.lists(findings(), min_size=1, max_size=30))
@settings(max_examples=25, deadline=None)
def test_whatever_strangers_wrote_slack_takes_the_digest(told: list[Finding]) -> None:
    digest = digest_of(
        told,
        kind=DigestKind.WEEKLY,
        team="payments",
        organization=organization(),
        since=NOON - timedelta(days=7),
        now=NOON,
    )

    assert wrong_with(digest_message_of(digest)) == []


@pytest.mark.parametrize(
    "text", ["<!channel>", "<@U0BOSS|boss> <!here>", "<http://evil.example|bank>", "a < b", "&nbsp;"]
)
def test_the_simulated_slack_sees_what_is_not_escaped(text: str) -> None:
    assert list(problems(text, []))


def test_foreign_text_is_not_formatted() -> None:
    said = Transition(Act.ACKNOWLEDGE, Origin.SLACK, "Jonas Weber", NOON, Status.OPEN, "*now* _we_ `do` ~it~")

    assert reply_of([a_finding(transition=said)], STYLE).text.endswith(
        ": \u2217now\u2217 \u02cdwe\u02cd \u02cbdo\u02cb \u223cit\u223c"
    )


def shown(message: SlackMessage) -> str:
    return json.dumps(message.blocks, ensure_ascii=False)


@pytest.mark.parametrize(
    "fact",
    [
        "\N{LARGE ORANGE CIRCLE} Broken: Buckets are private",
        "`photos`",
        "everybody may read it",
        "*high*",
        "<@U0JONAS>, Payments",
        "tag:owner",
        "`jonas@example.com` (human, of your team) called `s3:PutBucketPolicy` in the console",
        "*must be*  `no public grant`",
        "```aws s3api delete-bucket-policy --bucket photos```",
        "nist-800-53-r5: AC-3",
        "<!date^1767528000^{date_short_pretty} at {time}|Sunday 04 January 2026, 12:00 UTC>",
        "https://eu-west-1.console.aws.amazon.com/s3/buckets/photos?region=eu-west-1",
        "https://docs.example.com/controls#:~:text=s3%2Dbucket%2Dis%2Dprivate",
    ],
)
def test_a_message_says_what_broke_whose_it_is_who_did_it_until_when_and_how_to_mend_it(fact: str) -> None:
    assert fact in shown(message_of([a_finding()], STYLE))


def test_what_was_there_before_is_told_where_it_is_known() -> None:
    drift = Drift("Versioning", "Enabled", "Suspended", was=Was("Enabled", NOON))

    assert "*was*  `Enabled` (seen <!date^" in shown(message_of([a_finding(drift=(drift,))], STYLE))


def test_whoever_merely_touched_the_resource_is_not_said_to_have_set_it() -> None:
    message = shown(message_of([a_finding(cause=a_cause(set_it=False))], STYLE))

    assert "Seen when (set earlier)" in message
    assert "Set by" not in message


def buttons(message: SlackMessage) -> list[tuple[str, str]]:
    rows = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    return [(each["action_id"], each["text"]["text"]) for row in rows for each in row]


RISK = AcceptedRisk("R-1", "it is meant so", "Helena Novak", NOON, origin=Origin.SLACK)


@pytest.mark.parametrize(
    ("changes", "labels"),
    [
        ({}, ["Acknowledge", "Accept risk", "Assign", "Re-check now"]),
        ({"status": Status.ACKNOWLEDGED}, ["Accept risk", "Assign", "Re-check now"]),
        ({"proposal": RISK}, ["Approve", "Decline", "Assign", "Re-check now"]),
        ({"status": Status.ACCEPTED, "exception": RISK}, ["Take acceptance back", "Re-check now"]),
        ({"status": Status.ACCEPTED, "exception": replace(RISK, origin=Origin.MATRIX)}, ["Re-check now"]),
        ({"status": Status.RESOLVED}, []),
        ({"status": Status.GONE}, []),
    ],
)
def test_only_what_can_be_answered_now_has_a_button(changes: dict[str, Any], labels: list[str]) -> None:
    pressed = buttons(message_of([a_finding(**changes)], STYLE))

    assert [label for _, label in pressed] == labels
    assert {action for action, _ in pressed} <= ACTIONS


def test_a_button_names_the_finding_and_the_revision_that_its_reader_saw() -> None:
    assert named_by(value_of(a_finding(id="f:1", revision=12))) == ("f:1", 12)


@pytest.mark.parametrize("value", ["", "f1", "f1:", ":1", "f1:one", "f1:-1", "f1:\u0661", "f1:12345678901"])
def test_what_is_no_value_of_a_button_names_nothing(value: str) -> None:
    with pytest.raises(ValueError, match="button"):
        named_by(value)


def test_findings_of_one_change_share_a_message_and_each_has_a_menu() -> None:
    told = [a_finding(id=f"f{number}", title=f"Title {number}") for number in range(5)]
    message = message_of(told, STYLE, others=3)

    menus = [block["accessory"] for block in message.blocks if "accessory" in block]
    assert [menu["action_id"] for menu in menus] == [MORE] * 5
    assert [option["value"] for option in menus[1]["options"]] == [
        "acknowledge:f1:1",
        "accept:f1:1",
        "assign:f1:1",
        "recheck:f1:1",
    ]
    assert message.blocks[0]["text"]["text"] == "\N{LARGE ORANGE CIRCLE} 8 findings on photos"
    assert "3 more in the thread" in shown(message)
    assert shown(message).count("called `s3:PutBucketPolicy`") == 1


def test_a_command_that_is_too_long_is_not_cut_but_pointed_to() -> None:
    message = shown(message_of([a_finding(guidance="x" * 5_000)], STYLE))

    assert "xx" not in message
    assert "`demarc show f1` prints it" in message


def test_less_is_said_of_each_drift_before_anything_is_left_to_slack_to_refuse() -> None:
    drifts = tuple(Drift(f"Path{number}", "x" * 300, "y" * 300, "z" * 400) for number in range(40))
    message = message_of([a_finding(drift=drifts)], STYLE)

    assert fits(message)
    assert "more" in shown(message)


def test_where_there_are_no_buttons_the_reader_is_told_another_way() -> None:
    message = message_of([a_finding()], replace(STYLE, buttons=False))

    assert buttons(message) == []
    assert "demarc ack f1" in shown(message)


@pytest.mark.parametrize(
    ("act", "changes", "said"),
    [
        (Act.ACKNOWLEDGE, {}, "*Acknowledged* by <@U0JONAS> in Slack: on it"),
        (Act.ASSIGN, {"assignee": "Aiko Tanaka"}, "*Assigned* to Aiko Tanaka by <@U0JONAS> in Slack: on it"),
        (Act.REMIND, {}, "*Reminder*: to be right by <!date^"),
        (Act.ESCALATE, {}, "*Overdue* since <!date^"),
        (Act.DECLINE, {}, "*Acceptance declined* by <@U0JONAS> in Slack: on it"),
        (Act.GONE, {"status": Status.GONE}, "*The resource is gone*"),
        (Act.RIGHT, {"status": Status.RESOLVED, "resolved_by": a_cause()}, "*Right again*: `jonas@example.com`"),
    ],
)
def test_the_thread_says_what_happened_and_who_said_so(act: Act, changes: dict[str, Any], said: str) -> None:
    transition = Transition(act, Origin.SLACK, "Jonas Weber", NOON, Status.OPEN, "on it")

    assert said in reply_of([a_finding(transition=transition, **changes)], STYLE).text


def test_a_finding_that_comes_back_says_so() -> None:
    transition = Transition(Act.BROKEN, Origin.CHANGE, "jonas@example.com", NOON, Status.RESOLVED)

    assert (
        "*It is broken again* (it came back once)"
        in reply_of([a_finding(transition=transition, reopened=1)], STYLE).text
    )


def test_a_proposal_says_who_asks_and_whose_word_it_waits_for() -> None:
    rules = replace(Acceptance(), second_person=(Severity.HIGH,), approvers=("helena", "jonas"))
    style = replace(STYLE, organization=replace(STYLE.organization, acceptance=rules))
    proposal = replace(RISK, approver="", requested_by="Jonas Weber")

    message = shown(message_of([a_finding(proposal=proposal)], style))

    assert "*Waits for approval* of Helena Novak\\n<@U0JONAS> wants to accept this risk until <!date^" in message


def test_what_was_no_different_when_it_was_last_read_is_not_said_to_have_changed() -> None:
    drift = Drift("Versioning", "Enabled", "Suspended", was=Was("Suspended", NOON))

    assert "*was*  the same when it was last read, <!date^" in shown(message_of([a_finding(drift=(drift,))], STYLE))
