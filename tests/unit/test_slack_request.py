"""Requests of Slack's: only what it signed just now is let in, and whatever that says is read or refused."""

from __future__ import annotations

import contextlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.core.chat.block_kit import ACTIONS, PREFIX, value_of
from demarc.core.chat.slack_request import (
    LARGEST_BODY,
    Button,
    Caller,
    Malformed,
    NotFromSlack,
    Other,
    Press,
    Reason,
    Submission,
    is_at_home,
    parse,
    person_by_id,
    person_by_profile,
    prove,
)
from tests.factories import a_finding
from tests.organizations import organization

# The example of Slack's page "Verifying requests from Slack".
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SENT = datetime.fromtimestamp(1531420618, UTC)
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
HEADERS = {"X-Slack-Request-Timestamp": "1531420618", "X-Slack-Signature": SIGNATURE}

JONAS = Caller("U0JONAS", workspace="T0OURS", home="T0OURS")


def a_press(**changes: Any) -> dict[str, Any]:
    action = {"action_id": "demarc:acknowledge", "block_id": "b", "type": "button", "value": "f1:3"}
    return {
        "type": "block_actions",
        "user": {"id": "U0JONAS", "username": "jonas", "team_id": "T0OURS"},
        "team": {"id": "T0OURS", "domain": "ours"},
        "enterprise": None,
        "trigger_id": "13345224609.738474920.8088930838d88f008e0",
        "response_url": "https://hooks.slack.com/actions/T0OURS/1/abc",
        "message": {"text": "..."},
        "actions": [action],
    } | changes


def a_submission(**changes: Any) -> dict[str, Any]:
    values = {
        "why": {"why": {"type": "plain_text_input", "value": "nobody can reach it"}},
        "until": {"until": {"type": "datepicker", "selected_date": "2026-02-01"}},
        "verdict": {"verdict": {"type": "checkboxes", "selected_options": [{"value": "false-positive"}]}},
        "whom": {"whom": {"type": "static_select", "selected_option": {"value": "aiko"}}},
        "empty": {"empty": {"type": "plain_text_input", "value": None}},
        "none": {"none": {"type": "static_select", "selected_option": None}},
    }
    view = {"callback_id": "demarc:accept", "private_metadata": "f1:3", "state": {"values": values}}
    return {
        "type": "view_submission",
        "user": {"id": "U0JONAS"},
        "team": {"id": "T0OURS"},
        "view": view | changes,
    }


def body_of(payload: Any) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


def refusal(**changes: Any) -> Reason:
    request: dict[str, Any] = {"headers": HEADERS, "body": BODY, "secret": SECRET, "now": SENT} | changes
    with pytest.raises(NotFromSlack) as refused:
        prove(request["headers"], request["body"], secret=request["secret"], now=request["now"])
    return refused.value.reason


def test_slacks_own_example_is_proven() -> None:
    assert prove(HEADERS, BODY, secret=SECRET, now=SENT) == SIGNATURE


def test_the_case_of_a_headers_name_does_not_matter() -> None:
    lowered = {name.lower(): value for name, value in HEADERS.items()}

    assert prove(lowered, BODY, secret=SECRET, now=SENT) == SIGNATURE


@pytest.mark.parametrize(
    "changes",
    [
        {"body": BODY + b"&"},
        {"secret": SECRET.upper()},
        {"headers": HEADERS | {"X-Slack-Signature": SIGNATURE[:-1] + "4"}},
        {"headers": HEADERS | {"X-Slack-Request-Timestamp": "1531420619"}},
        {"headers": HEADERS | {"X-Slack-Request-Timestamp": "01531420618"}},
    ],
)
def test_what_was_tampered_with_is_forged(changes: dict[str, Any]) -> None:
    assert refusal(**changes) is Reason.FORGED


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Slack-Signature": SIGNATURE},
        {"X-Slack-Request-Timestamp": "1531420618"},
        HEADERS | {"X-Slack-Signature": ""},
        HEADERS | {"X-Slack-Signature": SIGNATURE.replace("v0", "v1")},
        HEADERS | {"X-Slack-Signature": SIGNATURE + "\n"},
        HEADERS | {"X-Slack-Signature": f"{SIGNATURE},{SIGNATURE}"},
        HEADERS | {"X-Slack-Signature": SIGNATURE.upper()},
        HEADERS | {"X-Slack-Request-Timestamp": "-1531420618"},
        HEADERS | {"X-Slack-Request-Timestamp": "153142061\N{ARABIC-INDIC DIGIT EIGHT}"},
        HEADERS | {"X-Slack-Request-Timestamp": "9" * 5_000},
    ],
)
def test_what_is_not_signed_as_slack_signs_is_unsigned(headers: dict[str, str]) -> None:
    assert refusal(headers=headers) is Reason.UNSIGNED


@pytest.mark.parametrize("late", [timedelta(seconds=301), timedelta(seconds=-301), timedelta(days=400)])
def test_a_request_of_another_time_is_stale(late: timedelta) -> None:
    assert refusal(now=SENT + late) is Reason.STALE


@pytest.mark.parametrize("late", [timedelta(minutes=5), timedelta(minutes=-5)])
def test_five_minutes_either_way_are_forgiven(late: timedelta) -> None:
    assert prove(HEADERS, BODY, secret=SECRET, now=SENT + late) == SIGNATURE


def test_a_time_that_is_no_date_is_stale() -> None:
    assert refusal(headers=HEADERS | {"X-Slack-Request-Timestamp": "9" * 12}) is Reason.STALE


def test_without_a_secret_nothing_is_proven() -> None:
    signature = f"v0={hmac.new(b'', b'v0:1531420618:' + BODY, 'sha256').hexdigest()}"

    with pytest.raises(ValueError, match="empty"):
        prove(HEADERS | {"X-Slack-Signature": signature}, BODY, secret="", now=SENT)


def test_a_refusal_says_nothing_of_the_secret_or_the_body() -> None:
    with pytest.raises(NotFromSlack) as refused:
        prove(HEADERS, b"forged", secret=SECRET, now=SENT)

    assert str(refused.value) == "forged"


def test_a_press_is_read() -> None:
    assert parse(body_of(a_press())) == Press(
        caller=JONAS,
        button=Button.ACKNOWLEDGE,
        finding_id="f1",
        revision=3,
        trigger="13345224609.738474920.8088930838d88f008e0",
        response_url="https://hooks.slack.com/actions/T0OURS/1/abc",
    )


def test_an_option_of_a_menu_is_the_button_it_stands_for() -> None:
    action = {"action_id": "demarc:more", "type": "overflow", "selected_option": {"value": "decline:f1:3"}}

    press = parse(body_of(a_press(actions=[action])))

    assert isinstance(press, Press)
    assert (press.button, press.finding_id, press.revision) == (Button.DECLINE, "f1", 3)


def test_every_button_that_is_shown_is_understood() -> None:
    value = value_of(a_finding(revision=7))
    presses = [parse(body_of(a_press(actions=[{"action_id": each, "value": value}]))) for each in sorted(ACTIONS)]

    assert {f"{PREFIX}{press.button}" for press in presses if isinstance(press, Press)} == ACTIONS
    assert {(press.finding_id, press.revision) for press in presses if isinstance(press, Press)} == {("f1", 7)}


def test_a_form_is_read_field_by_field() -> None:
    assert parse(body_of(a_submission())) == Submission(
        caller=Caller("U0JONAS", workspace="T0OURS"),
        button=Button.ACCEPT,
        finding_id="f1",
        revision=3,
        fields={
            "why": ("nobody can reach it",),
            "until": ("2026-02-01",),
            "verdict": ("false-positive",),
            "whom": ("aiko",),
            "empty": (),
            "none": (),
        },
    )


@pytest.mark.parametrize(
    "payload",
    [
        a_press(actions=[{"action_id": "open-the-console", "type": "button", "url": "https://example.com"}]),
        a_press(view={"callback_id": "demarc:accept"}),
        {"type": "view_closed"},
        {"type": "message_action"},
        a_submission(callback_id="somebody-elses"),
    ],
)
def test_what_asks_for_nothing_is_no_error(payload: Any) -> None:
    assert isinstance(parse(body_of(payload)), Other)


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        "text",
        {},
        {"type": 1},
        a_press(actions=[]),
        a_press(actions=[{"action_id": "demarc:acknowledge", "value": "f1:3"}] * 2),
        a_press(actions=[{"action_id": "demarc:acknowledge"}]),
        a_press(actions=[{"action_id": "demarc:acknowledge", "value": "f1"}]),
        a_press(actions=[{"action_id": "demarc:acknowledge", "value": "f1:three"}]),
        a_press(actions=[{"action_id": "demarc:acknowledge", "value": "f1:-3"}]),
        a_press(actions=[{"action_id": "demarc:acknowledge", "value": "\ud800:3"}]),
        a_press(actions=[{"action_id": "demarc:acknowledge", "value": f"{'f' * 65}:3"}]),
        a_press(actions=[{"action_id": "demarc:delete-everything", "value": "f1:3"}]),
        a_press(actions=[{"action_id": "demarc:more", "value": "accept:f1:3"}]),
        a_press(actions=[{"action_id": "demarc:more", "selected_option": {"value": "f1:3"}}]),
        a_press(user={"id": "jonas@example.com"}),
        a_press(user=None),
        a_press(team={"id": ["T0OURS"]}),
        a_press(trigger_id=None),
        a_press(response_url=None),
        a_press(response_url="x" * 1_001),
        a_submission(callback_id="demarc:approve"),
        a_submission(private_metadata=""),
        a_submission(state={}),
        a_submission(state={"values": {"why": {}}}),
        a_submission(state={"values": {"why": {"one": {}, "two": {}}}}),
    ],
)
def test_what_slack_would_not_send_is_malformed(payload: Any) -> None:
    with pytest.raises(Malformed):
        parse(body_of(payload))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"payload",
        b"payload=",
        b"payload={}&payload={}",
        b"other={}",
        b"payload=%FF",
        "payload=é".encode(),
        b"payload=" + b"[" * 100_000,
        b"payload=" + b"9" * 10_000,
        b"a&" * 1_000,
        BODY,
    ],
)
def test_a_body_that_is_no_form_of_slacks_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse(body)


def test_a_body_that_is_too_large_is_not_even_read() -> None:
    with pytest.raises(Malformed, match="over"):
        parse(body_of(a_press()) + b" " * LARGEST_BODY)


def test_an_error_never_quotes_what_was_sent() -> None:
    with pytest.raises(Malformed) as error:
        parse(b"payload=hunter2")

    assert "hunter2" not in str(error.value)
    assert error.value.__cause__ is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(sorted({*a_press(), *a_submission(), "actions", "state", "private_metadata", "callback_id"}))


@given(body=st.binary(max_size=400) | st.binary(max_size=200).map(lambda each: b"payload=" + each))
def test_arbitrary_bytes_are_read_or_malformed(body: bytes) -> None:
    with contextlib.suppress(Malformed):
        assert isinstance(parse(body), Press | Submission | Other)


@given(
    payload=st.sampled_from([a_press(), a_submission()]),
    changes=st.dictionaries(names, json_values, max_size=3),
    inside=st.dictionaries(names, json_values, max_size=3),
)
def test_a_payload_in_which_anything_is_something_else_is_read_or_malformed(
    payload: dict[str, Any], changes: dict[str, Any], inside: dict[str, Any]
) -> None:
    broken = payload | changes
    for name in ("view", "user", "team"):
        if isinstance(broken.get(name), dict):
            broken = broken | {name: broken[name] | inside}
    with contextlib.suppress(Malformed):
        assert isinstance(parse(body_of(broken)), Press | Submission | Other)


@given(signature=st.text(max_size=80), timestamp=st.text(max_size=20), body=st.binary(max_size=100))
def test_whatever_headers_say_proves_nothing(signature: str, timestamp: str, body: bytes) -> None:
    with pytest.raises(NotFromSlack):
        prove({"x-slack-signature": signature, "x-slack-request-timestamp": timestamp}, body, secret=SECRET, now=SENT)


@pytest.mark.parametrize(
    ("caller", "workspace", "at_home"),
    [
        (JONAS, "T0OURS", True),
        (JONAS, None, True),
        (Caller("U1", "T0OURS"), "T0OURS", True),
        (JONAS, "T0OTHER", False),
        (Caller("U1", "T0OTHER", "T0OTHER"), "T0OURS", False),
        # From another company, in a channel that is shared with it.
        (Caller("U1", "T0OURS", "T0THEIRS"), "T0OURS", False),
        (Caller("U1", "T0OURS", "T0THEIRS"), None, False),
        # An Enterprise Grid: several workspaces of one organization, or no workspace at all.
        (Caller("U1", "T0SECOND", "T0OURS", "E0GRID"), "E0GRID", True),
        (Caller("U1", None, None, "E0GRID"), "E0GRID", True),
        (Caller("U1", "T0SECOND", "T0OURS", "E0OTHER"), "E0GRID", False),
        (JONAS, "E0GRID", False),
        (Caller("U1"), "T0OURS", False),
    ],
)
def test_only_people_of_our_own_workspace_are_at_home(caller: Caller, workspace: str | None, at_home: bool) -> None:
    assert is_at_home(caller, workspace) is at_home


def a_user(**changes: Any) -> dict[str, Any]:
    return {"id": "U0JONAS", "deleted": False, "is_bot": False, "profile": {"email": "jonas@example.com"}} | changes


def test_a_person_is_known_by_the_member_id_that_the_matrix_gives_them() -> None:
    people = organization().people
    jonas = type(people["jonas"])("jonas", "Jonas Weber", "jonas@example.com", "payments", slack="U0JONAS")

    assert person_by_id(JONAS, organization(people=dict(people) | {"jonas": jonas})) == jonas
    assert person_by_id(JONAS, organization()) is None


@pytest.mark.parametrize("email", ["jonas@example.com", "Jonas@Example.COM"])
def test_a_person_is_known_by_their_address_in_any_case(email: str) -> None:
    person = person_by_profile(JONAS, a_user(profile={"email": email}), organization())

    assert person is not None
    assert person.id == "jonas"


@pytest.mark.parametrize(
    "user",
    [
        None,
        [],
        a_user(id="U0OTHER"),
        a_user(deleted=True),
        a_user(is_bot=True),
        a_user(is_stranger=True),
        a_user(is_workflow_bot=True),
        a_user(is_email_confirmed=False),
        a_user(profile=None),
        a_user(profile={}),
        a_user(profile={"email": ""}),
        a_user(profile={"email": "jonas@example.org"}),
        # The Kelvin sign, which lower case turns into the letter k.
        a_user(profile={"email": "ai\u212ao@example.com"}),
    ],
)
def test_whom_slack_does_not_vouch_for_is_nobody(user: Any) -> None:
    assert person_by_profile(JONAS, user, organization()) is None


def test_an_address_that_two_people_have_names_neither() -> None:
    people = organization().people
    twin = type(people["jonas"])("twin", "Jonas Weber", "JONAS@example.com", "grc")

    assert person_by_profile(JONAS, a_user(), organization(people=dict(people) | {"twin": twin})) is None
