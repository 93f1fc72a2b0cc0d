"""A request of Slack's: proven to be Slack's, then read into values.

The proof says that Slack sent it. What is in it was chosen by whoever pressed, typed or built a client of their own, so
it stays untrusted: here it is bounded and typed, and nothing more.

Slack's pages "Verifying requests from Slack", "block_actions payload" and "View interaction payloads" are the source.
An interactivity URL gets only such payloads: `url_verification` goes to event subscriptions and `ssl_check` to slash
commands, neither of which Demarc has.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl

from demarc.core.chat.block_kit import MORE, PREFIX, named_by
from demarc.core.matrix import Organization, Person

# What Slack advises; its clock and ours may also differ the other way.
TOLERANCE = timedelta(minutes=5)

# A payload repeats the message or the form it comes from: Slack takes forms of 250 KB, which percent signs treble.
LARGEST_BODY = 1_000_000

_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_ID = re.compile(r"[A-Z0-9]{2,32}", re.ASCII)
_TRIGGER = re.compile(r"[0-9a-f.]{1,200}", re.ASCII)
_FINDING_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


class Reason(StrEnum):
    """Why a request was refused, as it is counted; docs/slack.md says what to do about each."""

    MALFORMED = "malformed"
    UNSIGNED = "unsigned"
    STALE = "stale"
    FORGED = "forged"
    REPLAYED = "replayed"
    OTHER_WORKSPACE = "other-workspace"
    UNKNOWN_USER = "unknown-user"
    UNKNOWN_FINDING = "unknown-finding"
    OUTDATED = "outdated"
    RULE = "rule"
    INCOMPLETE = "incomplete"
    CONFLICT = "conflict"
    SLACK = "slack"


class NotFromSlack(ValueError):
    """Nothing proves that Slack sent this, and sent it now."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Malformed(ValueError):
    """A request that is none of those that Slack sends. The message names the place, never what was there."""


class Button(StrEnum):
    """What can be asked for with a press; the names of `core.chat.block_kit`'s actions."""

    ACKNOWLEDGE = "acknowledge"
    ACCEPT = "accept"
    ASSIGN = "assign"
    RECHECK = "recheck"
    APPROVE = "approve"
    DECLINE = "decline"


# Those that ask for more than a press, in a form (`core.chat.slack_forms`). What happened is acknowledged in one too.
FORMS = (Button.ACCEPT, Button.ACKNOWLEDGE, Button.ASSIGN, Button.DECLINE)


@dataclass(frozen=True, slots=True)
class Caller:
    """The Slack user behind a request. `workspace` is where it was made, `home` the one that the user belongs to.

    They differ where a channel is shared with another company. `enterprise` is the Enterprise Grid around the first.
    """

    user: str
    workspace: str | None = None
    home: str | None = None
    enterprise: str | None = None


@dataclass(frozen=True, slots=True)
class Press:
    """A button under a message was pressed, on a finding as it was at a revision.

    `trigger` lets a form be opened within 3 seconds; `response_url` takes up to 5 answers within 30 minutes.
    """

    caller: Caller
    button: Button
    finding_id: str
    revision: int
    trigger: str
    response_url: str


@dataclass(frozen=True, slots=True)
class Submission:
    """A form was sent: what stands in each of its fields, by name; several values only where boxes are ticked."""

    caller: Caller
    button: Button
    finding_id: str
    revision: int
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Other:
    """Something that Slack reports and that asks for nothing: a link that was followed, a form that was closed."""

    kind: str


def prove(headers: Mapping[str, str], body: bytes, *, secret: str, now: datetime) -> str:
    """Check that Slack signed a body, within the last minutes.

    Args:
        headers: the request's; case does not matter.
        body: as it came, nothing decoded.
        secret: the app's signing secret.
        now: by our clock.

    Returns:
        The signature, which is the request's own: the same again is a replay.

    Raises:
        NotFromSlack: with the reason, which is for us and not for the caller.
    """
    if not secret:
        raise ValueError("an empty signing secret proves nothing")
    lowered = {name.lower(): value for name, value in headers.items()}
    signature, timestamp = lowered.get("x-slack-signature", ""), lowered.get("x-slack-request-timestamp", "")
    if not _SIGNATURE.fullmatch(signature) or not _TIMESTAMP.fullmatch(timestamp):
        raise NotFromSlack(Reason.UNSIGNED)
    # Compared as numbers: the far end of twelve digits is no date.
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        raise NotFromSlack(Reason.STALE)
    signed = b":".join((b"v0", timestamp.encode(), body))
    expected = f"v0={hmac.new(secret.encode(), signed, 'sha256').hexdigest()}"
    if not hmac.compare_digest(expected, signature):
        raise NotFromSlack(Reason.FORGED)
    return signature


def parse(body: bytes) -> Press | Submission | Other:
    """What a request asks for.

    Raises:
        Malformed: if it is too large, or not what Slack sends.
    """
    payload = _payload(body)
    kind = _text(payload, "type", longest=50)
    if kind == "block_actions" and "view" not in payload:
        return _press(payload)
    if kind == "view_submission":
        return _submission(payload)
    return Other(kind)


def _payload(body: bytes) -> Mapping[str, Any]:
    if len(body) > LARGEST_BODY:
        raise Malformed(f"the body is over {LARGEST_BODY} bytes")
    try:
        form = parse_qsl(body.decode("ascii"), strict_parsing=True, errors="strict", max_num_fields=10)
        ((name, text),) = form
        payload = json.loads(text)
    except (ValueError, RecursionError):
        # Without the cause: the decoders' errors quote what they could not read.
        raise Malformed("the body is not a form with one field of JSON") from None
    if name != "payload":
        raise Malformed("the body is not a form with one field of JSON")
    return _mapping(payload, "payload")


def _press(payload: Mapping[str, Any]) -> Press | Other:
    actions = payload.get("actions")
    if not isinstance(actions, list) or len(actions) != 1:
        raise Malformed("actions: expected one")
    action = _mapping(actions[0], "actions")
    name = _text(action, "action_id", longest=255)
    if name == MORE:
        # A menu of a message that has several findings; its options name the button they stand for.
        chosen = _text(_mapping(action.get("selected_option"), "selected_option"), "value", longest=300)
        name, _, value = chosen.partition(":")
    elif name.startswith(PREFIX):
        name, value = name.removeprefix(PREFIX), _text(action, "value", longest=300)
    else:
        return Other("block_actions")
    finding_id, revision = _named(value)
    return Press(
        caller=_caller(payload),
        button=_button(name),
        finding_id=finding_id,
        revision=revision,
        trigger=_matching(_TRIGGER, payload, "trigger_id"),
        response_url=_text(payload, "response_url", longest=1_000),
    )


def _submission(payload: Mapping[str, Any]) -> Submission | Other:
    view = _mapping(payload.get("view"), "view")
    name = _text(view, "callback_id", longest=255)
    if not name.startswith(PREFIX):
        return Other("view_submission")
    button = _button(name.removeprefix(PREFIX))
    if button not in FORMS:
        raise Malformed("callback_id: no such form")
    finding_id, revision = _named(_text(view, "private_metadata", longest=3_000))
    values = _mapping(_mapping(view.get("state"), "state").get("values"), "values")
    return Submission(
        caller=_caller(payload),
        button=button,
        finding_id=finding_id,
        revision=revision,
        fields={block: _given(_mapping(elements, "values")) for block, elements in values.items()},
    )


def _given(elements: Mapping[str, Any]) -> tuple[str, ...]:
    """What stands in the one element of a block: text, a day, the value of what was chosen or of all that is ticked."""
    if len(elements) != 1:
        raise Malformed("values: expected one element in a block")
    (element,) = (_mapping(each, "values") for each in elements.values())
    ticked = element.get("selected_options")
    if isinstance(ticked, list):
        return tuple(_text(_mapping(each, "selected_options"), "value", longest=300) for each in ticked)
    chosen = element.get("selected_option")
    if chosen is not None:
        return (_text(_mapping(chosen, "selected_option"), "value", longest=300),)
    given = (element.get("value"), element.get("selected_date"))
    return tuple(each for each in given if isinstance(each, str))


def _caller(payload: Mapping[str, Any]) -> Caller:
    user = _mapping(payload.get("user"), "user")
    return Caller(
        user=_matching(_ID, user, "id"),
        workspace=_id_of(payload.get("team"), "team"),
        home=_matching(_ID, user, "team_id") if user.get("team_id") is not None else None,
        enterprise=_id_of(payload.get("enterprise"), "enterprise"),
    )


def _id_of(value: Any, at: str) -> str | None:
    """The id of a workspace or an enterprise; null where the app is installed for a whole organization, or for none."""
    return None if value is None else _matching(_ID, _mapping(value, at), "id")


def _named(value: str) -> tuple[str, int]:
    try:
        finding_id, revision = named_by(value)
    except ValueError:
        raise Malformed("value: expected a finding and a revision") from None
    if not _FINDING_ID.fullmatch(finding_id):
        raise Malformed("value: expected a finding and a revision")
    return finding_id, revision


def _button(name: str) -> Button:
    try:
        return Button(name)
    except ValueError:
        raise Malformed("action_id: no such button") from None


def _mapping(value: Any, at: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(f"{at}: expected an object")
    return value


def _text(value: Mapping[str, Any], name: str, *, longest: int) -> str:
    text = value.get(name)
    if not isinstance(text, str) or not 0 < len(text) <= longest:
        raise Malformed(f"{name}: expected a text of up to {longest} characters")
    return text


def _matching(pattern: re.Pattern[str], value: Mapping[str, Any], name: str) -> str:
    text = _text(value, name, longest=1_000)
    if not pattern.fullmatch(text):
        raise Malformed(f"{name}: not of its form")
    return text


def is_at_home(caller: Caller, workspace: str | None) -> bool:
    """Whether somebody answers from our own Slack, and not through a channel that is shared with another company.

    `workspace` is the id of ours (`T...`), or of the Enterprise Grid (`E...`); where none is given, the workspace that
    the app is installed in is, since it can be installed in no other.
    """
    if workspace is None:
        return caller.home in (None, caller.workspace)
    if workspace.startswith("E"):
        return caller.enterprise == workspace
    return caller.workspace == workspace and caller.home in (None, workspace)


def person_by_id(caller: Caller, organization: Organization) -> Person | None:
    """The person of the matrix that names this Slack user."""
    return next((person for person in organization.people.values() if person.slack == caller.user), None)


def person_by_profile(caller: Caller, user: Any, organization: Organization) -> Person | None:
    """The person of the matrix who has the e-mail address of this Slack user, as `users.info` tells it.

    The address counts only where Slack vouches for it: not for a bot, for somebody who left, for another company's
    user, nor before it was confirmed.
    """
    if not isinstance(user, dict) or user.get("id") != caller.user:
        return None
    if any(user.get(flag) for flag in ("deleted", "is_bot", "is_stranger", "is_workflow_bot", "is_connector_bot")):
        return None
    if user.get("is_email_confirmed") is False:
        return None
    profile = user.get("profile")
    address = profile.get("email") if isinstance(profile, dict) else None
    if not isinstance(address, str) or not address:
        return None
    found = [person for person in organization.people.values() if _same_address(person.email, address)]
    return found[0] if len(found) == 1 else None


def _same_address(one: str, other: str) -> bool:
    """Without case, but only within ASCII: elsewhere letters that look alike fold into the same one."""
    return one == other or (one.isascii() and other.isascii() and one.lower() == other.lower())
