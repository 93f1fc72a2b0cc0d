"""Findings to Slack: with a bot's token, which can change messages and answer in threads, or through a webhook.

What Slack answers is on its pages "chat.postMessage", "chat.update", "Rate limits" and "Incoming webhooks". There is no
key that would make posting happen once (`client_msg_id` is for Slack's own clients, slackapi/java-slack-sdk issue 852),
so a message whose answer was lost is posted again.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from demarc.announcers.chat import (
    ChannelRefused,
    Heard,
    Rejected,
    Secrets,
    Throttled,
    Unauthorized,
    Unreachable,
    Vanished,
    unheard,
)
from demarc.announcers.https import Web, waiting_time
from demarc.announcers.one_way import OneWay, packed
from demarc.core.chat.block_kit import (
    FINDINGS_PER_MESSAGE,
    SlackMessage,
    Style,
    digest_message_of,
    message_of,
    reply_of,
)
from demarc.core.chat.memo import is_loud
from demarc.core.chat.posted import Posted
from demarc.core.digest import Digest
from demarc.core.matrix import Destination
from demarc.core.model import Finding

SLACK = "https://slack.com/api/"

_CODE = re.compile(r"[a-z][a-z0-9_]{1,60}")
_UNAUTHORIZED = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "token_revoked",
        "token_expired",
        "account_inactive",
        "no_permission",
        "missing_scope",
    }
)
_CHANNEL = frozenset(
    {
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "restricted_action_non_threadable_channel",
        "ekm_access_denied",
        "team_access_not_granted",
        "messages_tab_disabled",
    }
)
_GONE = frozenset(
    {
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "thread_not_found",
        "cannot_reply_to_message",
        "update_failed",
    }
)
_CONTENT = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "metadata_too_large"}
)
_PASSING = frozenset(
    {
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "team_added_to_org",
        "org_login_required",
    }
)
_THROTTLED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})

# A wait that an invocation can afford; a longer one is left to the queue.
_SHORT_WAIT = 5.0
# One message a second and channel; chat.update is of the tier that takes 50 a minute.
_POSTS, _UPDATES = 1.0, 1.2


class SlackApi:
    """Slack's Web API with a token. `forget` lets the token be read anew, once, when Slack does not take it."""

    def __init__(
        self, web: Web, token: Callable[[], str], *, url: str = SLACK, forget: Callable[[], None] | None = None
    ) -> None:
        self._web = web
        self._token = token
        self._url = url
        self._forget = forget

    def call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """Call a method once; arguments that are None are left out.

        Raises:
            Rejected: with Slack's code; `Unauthorized`, `ChannelRefused` and `Vanished` where it means that.
            Throttled, Unreachable: where waiting helps.
        """
        try:
            return self._call(method, arguments)
        except Unauthorized:
            if self._forget is None:
                raise
            self._forget()
            return self._call(method, arguments)

    def _call(self, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        form = {name: _field(value) for name, value in arguments.items() if value is not None}
        headers = {
            "Authorization": f"Bearer {self._token()}",
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        }
        answer = self._web.post(f"{self._url}{method}", urlencode(form).encode(), headers)
        try:
            said = json.loads(answer.body)
        except ValueError:
            raise Unreachable(f"HTTP {answer.status} without JSON") from None
        if isinstance(said, dict) and said.get("ok") is True:
            return said
        raise _error(_code(said), answer.headers)


def _field(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _code(said: Any) -> str:
    code = said.get("error") if isinstance(said, dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else "unknown_error"


def _error(code: str, headers: Mapping[str, str]) -> Exception:
    if code in _THROTTLED:
        return Throttled(waiting_time(headers.get("retry-after")))
    if code in _PASSING:
        return Unreachable(code)
    for kind, codes in ((Unauthorized, _UNAUTHORIZED), (ChannelRefused, _CHANNEL), (Vanished, _GONE)):
        if code in codes:
            return kind(code)
    return Rejected(code)


class Pace:
    """Keeps calls of one name so far apart, within this process."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock = clock
        self.sleep = sleep
        self._free: dict[str, float] = {}

    def wait(self, name: str, apart: float) -> None:
        """Wait until it is this call's turn."""
        now = self._clock()
        turn = max(self._free.get(name, now), now)
        self._free[name] = turn + apart
        if turn > now:
            self.sleep(turn - now)

    def patiently(self, call: Callable[[], Any]) -> Any:
        """The call, and once more after a short wait where that is asked for."""
        try:
            return call()
        except Throttled as throttled:
            if throttled.seconds > _SHORT_WAIT:
                raise
            self.sleep(throttled.seconds)
            return call()


class SlackChat:
    """Posts with a bot's token, changes what it posted, and answers in the thread."""

    most = FINDINGS_PER_MESSAGE

    def __init__(self, api: SlackApi, style: Style, *, pace: Pace | None = None, heard: Heard = unheard) -> None:
        self._api = api
        self._style = style
        self._pace = pace or Pace()
        self._heard = heard

    def post(
        self,
        to: Destination,
        findings: Sequence[Finding],
        *,
        under: Posted | None = None,
        others: int = 0,
        note: str = "",
    ) -> Posted:
        message = message_of(findings, self._style, others=others, note=note)
        channel = under.channel if under else to.channel or ""
        said = self._say(to, channel, message, thread_ts=under.thread if under else None)
        channel, ts = str(said.get("channel") or channel), str(said["ts"])
        return Posted(channel, ts, under.thread if under else ts)

    def renew(
        self,
        to: Destination,  # noqa: ARG002  # the message says where it is
        posted: Posted,
        findings: Sequence[Finding],
        *,
        others: int = 0,
    ) -> None:
        message = message_of(findings, self._style, others=others)
        self._pace.wait("chat.update", _UPDATES)
        self._send("chat.update", message, channel=posted.channel, ts=posted.message)

    def reply(self, to: Destination, posted: Posted, findings: Sequence[Finding]) -> None:
        loud = any(is_loud(finding) for finding in findings)
        self._say(
            to,
            posted.channel,
            reply_of(findings, self._style),
            thread_ts=posted.thread,
            # An answer is seen only by who follows the thread; what calls for somebody is shown in the channel too.
            reply_broadcast=True if loud else None,
        )

    def post_digest(self, to: Destination, digest: Digest) -> None:
        self._say(to, to.channel or "", digest_message_of(digest))

    def _say(self, to: Destination, channel: str, message: SlackMessage, **arguments: Any) -> Mapping[str, Any]:
        # By the name in the matrix: the channel's id is known only after the first message.
        self._pace.wait(to.channel or "", _POSTS)
        return self._send(
            "chat.postMessage", message, channel=channel, unfurl_links=False, unfurl_media=False, **arguments
        )

    def _send(self, method: str, message: SlackMessage, **arguments: Any) -> Mapping[str, Any]:
        try:
            return self._called(method, arguments | {"text": message.text, "blocks": list(message.blocks)})
        except Rejected as rejected:
            if rejected.code not in _CONTENT:
                raise
            # A message that says it plainly is better than one that nobody gets.
            self._heard("MessagesSimplified", {"code": rejected.code, "method": method})
        return self._called(method, arguments | {"text": message.text, "blocks": []})

    def _called(self, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        said: Mapping[str, Any] = self._pace.patiently(lambda: self._api.call(method, **arguments))
        return said


class SlackWebhook(OneWay):
    """Posts through an incoming webhook: no token, and therefore no changes, no threads and no buttons.

    The secret is the webhook's address, which also says the channel.
    """

    most = FINDINGS_PER_MESSAGE

    def __init__(
        self, web: Web, secrets: Secrets, style: Style, *, pace: Pace | None = None, heard: Heard = unheard
    ) -> None:
        super().__init__(secrets)
        self._web = web
        self._style = style
        self._pace = pace or Pace()
        self._heard = heard

    def message_of(self, findings: Sequence[Finding], note: str) -> Mapping[str, Any]:
        return _payload(message_of(findings, self._style, note=note))

    def digest_message_of(self, digest: Digest) -> Mapping[str, Any]:
        return _payload(digest_message_of(digest))

    def send(self, name: str, message: Mapping[str, Any]) -> None:
        try:
            self._post(name, message)
        except Rejected as rejected:
            if rejected.code not in _CONTENT | {"invalid_payload"}:
                raise
            self._heard("MessagesSimplified", {"code": rejected.code, "method": "webhook"})
            self._post(name, {"text": message["text"]})

    def _post(self, name: str, payload: Mapping[str, Any]) -> None:
        self._pace.wait(name, _POSTS)
        self._pace.patiently(lambda: self._posted(name, payload))

    def _posted(self, name: str, payload: Mapping[str, Any]) -> None:
        answer = self._web.post(
            self._secrets.text(name), packed(payload), {"Content-Type": "application/json; charset=utf-8"}
        )
        if answer.status == 200:
            return
        words = answer.body[:100].decode("utf-8", "replace").strip()
        code = words if _CODE.fullmatch(words) else f"HTTP {answer.status}"
        if code in {"no_service", "invalid_token", "no_team", "team_disabled"} or answer.status in (401, 404):
            raise Unauthorized(code)
        if code in {
            "channel_is_archived",
            "channel_not_found",
            "action_prohibited",
            "posting_to_general_channel_denied",
        }:
            raise ChannelRefused(code)
        if answer.status in (403, 410):
            raise ChannelRefused(code)
        raise Rejected(code)


def _payload(message: SlackMessage) -> Mapping[str, Any]:
    return {"text": message.text, "blocks": list(message.blocks)}
