"""Slack as a server on this machine: its Web API as far as Demarc calls it, an incoming webhook, and its limits.

It answers as Slack does (HTTP 200 with `ok` false, 429 with Retry-After, 5xx) and refuses what Slack refuses. It checks
messages by rules of its own, written from Slack's reference and not from our renderer. `fails` lets the next calls go
wrong; `messages` is what people would see.
"""

from __future__ import annotations

import json
import re
import threading
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

TOKEN = "xoxb-simulated-token"
TEAM = "T0DEMARC"

_MARKUP = re.compile(r"<([^<>]*)>")
_OURS = re.compile(r"@[UW][A-Z0-9]+|!date\^\d+\^[^|<>]*\|[^<>]*|https://[^|<> ]+\|[^<>]+")
_ENTITY = re.compile(r"&(?!amp;|lt;|gt;)")


@dataclass(slots=True)
class Message:
    """One message, as it stands in its channel."""

    channel: str
    ts: str
    text: str
    blocks: list[dict[str, Any]]
    thread: str | None = None
    broadcast: bool = False
    edits: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """How a call goes wrong. A `lost` one is done, and its answer never arrives."""

    status: int = 200
    error: str | None = None
    retry_after: int | None = None
    lost: bool = False

    @classmethod
    def says(cls, error: str) -> Fault:
        return cls(error=error)

    @classmethod
    def throttled(cls, seconds: int) -> Fault:
        return cls(status=429, error="ratelimited", retry_after=seconds)


@dataclass(slots=True)
class Slack:
    """A workspace. `channels` are those that the bot may post to, by name; `users` are by member id."""

    channels: dict[str, str] = field(default_factory=lambda: {"#payments": "C0PAYMENTS", "#grc": "C0GRC"})
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    token: str = TOKEN
    messages: list[Message] = field(default_factory=list)
    webhooked: list[dict[str, Any]] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)
    responses: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _faults: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    _server: ThreadingHTTPServer | None = None
    _thread: threading.Thread | None = None
    _clock: int = 0

    def __enter__(self) -> Self:
        slack = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                slack._serve(self, body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the library's word
                """Nothing: it would write to the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # Nobody waits half a second for it to notice that it is over.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        assert self._thread is not None
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The address of the Web API."""
        return f"{self._base}/api/"

    @property
    def webhook(self) -> str:
        """The address of an incoming webhook."""
        return f"{self._base}/services/T0/B0/secret"

    @property
    def response_url(self) -> str:
        """Where answers to an interaction go."""
        return f"{self._base}/actions/T0/1/answer"

    @property
    def _base(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def fails(self, method: str, *faults: Fault) -> None:
        """The next calls of a method go wrong, one after the other."""
        self._faults[method] += faults

    def in_channel(self, name: str) -> list[Message]:
        """What stands in a channel itself, oldest first."""
        return [each for each in self.messages if each.channel == self.channels[name] and each.thread is None]

    def replies(self, message: Message) -> list[Message]:
        """The thread under a message."""
        return [each for each in self.messages if each.channel == message.channel and each.thread == message.ts]

    def _serve(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        method = request.path.rpartition("/")[2] if request.path.startswith("/api/") else request.path.split("/")[1]
        arguments = _arguments(request.headers.get("Content-Type", ""), body)
        self.calls.append((method, arguments))
        fault = self._faults[method].popleft() if self._faults[method] else None
        if fault and not fault.lost:
            self._answer(
                request, fault.status, {"ok": False, "error": fault.error or "internal_error"}, fault.retry_after
            )
            return
        status, answer = self._do(method, arguments, request.headers.get("Authorization", ""))
        if fault:
            request.close_connection = True
            return
        self._answer(request, status, answer)

    def _answer(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        answer: Mapping[str, Any] | str,
        retry_after: int | None = None,
    ) -> None:
        body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        request.send_response(status)
        if retry_after is not None:
            request.send_header("Retry-After", str(retry_after))
        request.send_header("Content-Type", "application/json; charset=utf-8")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _do(self, method: str, arguments: dict[str, Any], authorization: str) -> tuple[int, Mapping[str, Any] | str]:
        if method == "services":
            if list(problems(arguments.get("text"), arguments.get("blocks") or [])):
                return 400, "invalid_blocks"
            self.webhooked.append(arguments)
            return 200, "ok"
        if method == "actions":
            self.responses.append(arguments)
            return 200, "ok"
        if authorization != f"Bearer {self.token}":
            return 200, {"ok": False, "error": "invalid_auth"}
        known = {
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "users.info": self._user,
            "users.lookupByEmail": self._user_by_email,
            "views.open": self._open,
        }
        if method not in known:
            return 200, {"ok": False, "error": "unknown_method"}
        return 200, known[method](arguments)

    def _post(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(arguments.get("channel", ""))
        if channel is None:
            return _no("channel_not_found")
        blocks = arguments.get("blocks") or []
        if refused := _refused(arguments.get("text"), blocks):
            return refused
        thread = arguments.get("thread_ts")
        if thread and not any(each.channel == channel and each.ts == thread for each in self.messages):
            return _no("thread_not_found")
        self._clock += 1
        ts = f"{1_764_000_000 + self._clock}.{self._clock:06d}"
        broadcast = arguments.get("reply_broadcast") == "true"
        self.messages.append(Message(channel, ts, arguments.get("text", ""), blocks, thread, broadcast))
        return {"ok": True, "channel": channel, "ts": ts}

    def _update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        found = [each for each in self.messages if (each.channel, each.ts) == (arguments["channel"], arguments["ts"])]
        if not found:
            return _no("message_not_found")
        blocks = arguments.get("blocks") or []
        if refused := _refused(arguments.get("text"), blocks):
            return refused
        found[0].text, found[0].blocks = arguments.get("text", ""), blocks
        found[0].edits += 1
        return {"ok": True, "channel": found[0].channel, "ts": found[0].ts, "text": found[0].text}

    def _user(self, arguments: dict[str, Any]) -> dict[str, Any]:
        user = self.users.get(arguments.get("user", ""))
        return {"ok": True, "user": user} if user else _no("user_not_found")

    def _user_by_email(self, arguments: dict[str, Any]) -> dict[str, Any]:
        for user in self.users.values():
            if user.get("profile", {}).get("email") == arguments.get("email"):
                return {"ok": True, "user": user}
        return _no("users_not_found")

    def _open(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if not arguments.get("trigger_id"):
            return _no("invalid_arguments")
        self.views.append(arguments["view"])
        return {"ok": True, "view": {"id": f"V{len(self.views)}", **arguments["view"]}}

    def _channel(self, named: str) -> str | None:
        return self.channels.get(named) or (named if named in self.channels.values() else None)


def _arguments(kind: str, body: bytes) -> dict[str, Any]:
    if kind.startswith("application/json"):
        arguments: dict[str, Any] = json.loads(body)
        return arguments
    form: dict[str, Any] = dict(parse_qsl(body.decode(), keep_blank_values=True))
    # What is structured comes as JSON in a field.
    return {name: json.loads(value) if name in ("blocks", "view") else value for name, value in form.items()}


def _no(error: str) -> dict[str, Any]:
    return {"ok": False, "error": error}


def _refused(text: str | None, blocks: list[dict[str, Any]]) -> dict[str, Any] | None:
    if not text and not blocks:
        return _no("no_text")
    if len(text or "") > 4_000:
        return _no("msg_too_long")
    if len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))) > 13_200:
        return _no("msg_blocks_too_long")
    found = list(problems(text, blocks))
    if found:
        return {"ok": False, "error": "invalid_blocks", "response_metadata": {"messages": found}}
    return None


def problems(text: str | None, blocks: list[dict[str, Any]]) -> Iterator[str]:
    """What is wrong with a message: beyond Slack's limits, or with markup in it that is none of ours."""
    if text is not None:
        yield from _markup(text, "text")
    if len(blocks) > 50:
        yield "more than 50 blocks"
    for number, block in enumerate(blocks):
        yield from (f"block {number}: {problem}" for problem in _block(block))


def _block(block: dict[str, Any]) -> Iterator[str]:
    match block["type"]:
        case "header":
            yield from _text(block["text"], "plain_text", 150)
        case "divider":
            return
        case "section":
            yield from _section(block)
        case "context":
            if not 1 <= len(block["elements"]) <= 10:
                yield "a context of no or more than 10 elements"
            for each in block["elements"]:
                yield from _text(each, "mrkdwn", 3_000)
        case "actions":
            yield from _actions(block)
        case other:
            yield f"no block is a {other}"


def _section(block: dict[str, Any]) -> Iterator[str]:
    if "text" not in block and "fields" not in block:
        yield "a section without text"
    if "text" in block:
        yield from _text(block["text"], "mrkdwn", 3_000)
    if len(block.get("fields", ())) > 10:
        yield "more than 10 fields"
    for each in block.get("fields", ()):
        yield from _text(each, "mrkdwn", 2_000)
    if "accessory" in block:
        yield from _element(block["accessory"])


def _actions(block: dict[str, Any]) -> Iterator[str]:
    if not 1 <= len(block["elements"]) <= 25:
        yield "no or more than 25 actions"
    ids = [each["action_id"] for each in block["elements"]]
    if len(ids) != len(set(ids)):
        yield "the same action_id twice"
    for each in block["elements"]:
        yield from _element(each)


def _element(element: dict[str, Any]) -> Iterator[str]:
    if not 1 <= len(element["action_id"]) <= 255:
        yield "an action_id of no or more than 255 characters"
    match element["type"]:
        case "button":
            yield from _text(element["text"], "plain_text", 75)
            if len(element.get("value", "")) > 2_000:
                yield "a value of more than 2000 characters"
            if element.get("style", "primary") not in ("primary", "danger"):
                yield "a style that is none"
        case "overflow":
            if not 1 <= len(element["options"]) <= 5:
                yield "no or more than 5 options"
            for option in element["options"]:
                yield from _text(option["text"], "plain_text", 75)
                if len(option["value"]) > 150:
                    yield "an option's value of more than 150 characters"
        case other:
            yield f"no element is a {other}"


def _text(text: dict[str, Any], kind: str, limit: int) -> Iterator[str]:
    if text["type"] != kind:
        yield f"{text['type']} in place of {kind}"
    # As JavaScript counts.
    length = len(text["text"].encode("utf-16-le")) // 2
    if not 1 <= length <= limit:
        yield f"{length} characters in place of 1 to {limit}"
    yield from _markup(text["text"], kind)


def _markup(text: str, where: str) -> Iterator[str]:
    for inside in _MARKUP.findall(text):
        if where == "plain_text" or not _OURS.fullmatch(inside):
            yield f"markup that is none of ours: <{inside}>"
    rest = _MARKUP.sub("", text)
    if "<" in rest or ">" in rest or _ENTITY.search(rest):
        yield "a character that is not escaped"
