"""Findings as Slack messages: blocks to read and answer, and a text for notifications and for where blocks do not go.

Limits are Slack's (docs.slack.dev/reference/block-kit and reference/methods/chat.postMessage, chat.update), and one
that its pages do not give: beyond about 13,200 characters over all blocks it answers `msg_blocks_too_long`
(github.com/slackapi/bolt-js/issues/2509).

Foreign text is either inside a code span, where Slack formats nothing, or stripped of what Slack would read as
formatting; `&`, `<` and `>` are escaped in both, so that nobody can call a channel, forge a link or a mention with a
name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demarc.core.announcement import clean
from demarc.core.chat.memo import (
    Answer,
    Code,
    Detail,
    Line,
    Memo,
    Moment,
    Named,
    Span,
    Strong,
    cause_line,
    is_loud,
    mark_of,
    memo_of,
    news_of,
    people_by_name,
    worst_of,
)
from demarc.core.digest import Digest, announcement_of_digest, summary_of
from demarc.core.matrix import Organization
from demarc.core.model import STANDING, Finding

BLOCKS, HEADER_LENGTH, SECTION_LENGTH, FIELD_LENGTH, FIELDS = 50, 150, 3_000, 2_000, 10
BUTTON_LENGTH, VALUE_LENGTH, OVERFLOW_OPTIONS, CONTEXT_ELEMENTS = 75, 2_000, 5, 10
# chat.postMessage cuts `text` at 40,000 and advises 4,000, which is where chat.update refuses it.
TEXT_LENGTH = 4_000
ALL_BLOCKS_LENGTH = 13_000

# A message shows so many findings; the others of the same change follow in its thread.
FINDINGS_PER_MESSAGE = 5

PREFIX = "demarc:"
MORE = f"{PREFIX}more"
ACTIONS = frozenset(
    f"{PREFIX}{action}" for action in ("acknowledge", "accept", "assign", "recheck", "approve", "decline")
)

_MEMBER = re.compile(r"[UW][A-Z0-9]{2,20}")
# What Slack reads as formatting, and the characters that look like it (there is no escape for them).
_LOOKALIKES = str.maketrans({"*": "\u2217", "_": "\u02cd", "~": "\u223c", "`": "\u02cb"})
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_DETAILS = (Detail(6, 300, 500), Detail(3, 200, 240), Detail(1, 80, 80))


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """`text` says by itself what matters: it is the notification, and the whole message where blocks were refused."""

    text: str
    blocks: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Style:
    """What a rendering depends on beside the findings.

    `pages` is where the page of the controls is published; without `buttons` the reader is told another way to answer.
    """

    organization: Organization
    pages: str | None = None
    buttons: bool = True


def value_of(finding: Finding) -> str:
    """What a button carries: which finding, and the revision that whoever pressed it had seen."""
    return f"{finding.id}:{finding.revision}"


def named_by(value: str) -> tuple[str, int]:
    """The finding and the revision that a button's value names.

    Raises:
        ValueError: if it names none.
    """
    finding, colon, revision = value.rpartition(":")
    if not (colon and finding and revision.isascii() and revision.isdigit() and len(revision) < 10):
        raise ValueError("not the value of a button")
    return finding, int(revision)


def message_of(findings: Sequence[Finding], style: Style, *, others: int = 0, note: str = "") -> SlackMessage:
    """The message for one finding, or for the first few of one change; `others` are told elsewhere.

    It says less of each until it fits. `note` is said first.
    """
    drafts = (_draft(findings, style, detail, others, note) for detail in _DETAILS)
    return next((draft for draft in drafts if fits(draft)), _draft(findings, style, _DETAILS[-1], others, note))


def reply_of(findings: Sequence[Finding], style: Style) -> SlackMessage:
    """What happened to findings that were told before: the answer in the thread."""
    people = people_by_name(style.organization)
    lines = []
    for finding in findings[:20]:
        news = news_of(finding) or ("Now at revision ", str(finding.revision))
        named = f"{mark_of(finding)} " if is_loud(finding) or finding.status not in STANDING else ""
        named += f"{finding.title}: " if len(findings) > 1 else ""
        lines.append(_joined((named, *news), people, limit=700))
    if len(findings) > 20:
        lines.append(f"and {len(findings) - 20} more")
    blocks = [_section(part) for part in _packed(lines, SECTION_LENGTH)]
    return SlackMessage(_bounded_lines(lines, TEXT_LENGTH), tuple(blocks[:BLOCKS]))


def digest_message_of(digest: Digest) -> SlackMessage:
    """A digest: its lines are in columns, so they are shown as they are, as many as there is room for."""
    heading = escaped(f"{digest.name}: {summary_of(digest)}", 400)
    blocks = [_section(f"*{heading}*")]
    lines = [
        _within(clean(line).replace("```", "\u02cb\u02cb\u02cb"), 400)
        for line in announcement_of_digest(digest).text.splitlines()
    ]
    room = ALL_BLOCKS_LENGTH - 2_000
    shown: list[str] = []
    for line in lines:
        room -= length(json.dumps(line, ensure_ascii=False))
        if room < 0:
            break
        shown.append(line or " ")
    blocks += [_section(f"```{part}```") for part in _packed(shown, SECTION_LENGTH - 10)]
    if len(shown) < len(lines):
        blocks.append({"type": "context", "elements": [_markdown("There is more: `demarc digest` shows all of it.")]})
    return SlackMessage(heading, tuple(blocks))


def fits(message: SlackMessage) -> bool:
    """Whether a message is within every limit of Slack's."""
    return not list(excesses(message))


def excesses(message: SlackMessage) -> Iterator[str]:
    """What of a message is beyond a limit, in words."""
    if not message.text or length(message.text) > TEXT_LENGTH:
        yield "the text"
    if len(message.blocks) > BLOCKS:
        yield "the number of blocks"
    if length(json.dumps(message.blocks, ensure_ascii=False, separators=(",", ":"))) > ALL_BLOCKS_LENGTH:
        yield "all blocks together"
    for block in message.blocks:
        yield from _excesses(block)


def _excesses(block: Mapping[str, Any]) -> Iterator[str]:
    limit = {"header": HEADER_LENGTH, "section": SECTION_LENGTH}.get(block["type"], SECTION_LENGTH)
    if "text" in block and not 0 < length(block["text"]["text"]) <= limit:
        yield f"the text of a {block['type']}"
    fields = block.get("fields", ())
    if len(fields) > FIELDS or any(not 0 < length(field["text"]) <= FIELD_LENGTH for field in fields):
        yield "the fields of a section"
    elements = block.get("elements", ())
    if block["type"] == "context" and len(elements) > CONTEXT_ELEMENTS:
        yield "the elements of a context"
    for element in (*elements, *([block["accessory"]] if "accessory" in block else [])):
        yield from _excesses_of_element(element)


def _excesses_of_element(element: Mapping[str, Any]) -> Iterator[str]:
    if element["type"] == "button" and (
        length(element["text"]["text"]) > BUTTON_LENGTH or length(element.get("value", "")) > VALUE_LENGTH
    ):
        yield "a button"
    if element["type"] == "overflow" and not 1 <= len(element["options"]) <= OVERFLOW_OPTIONS:
        yield "the options of a menu"
    if element["type"] == "mrkdwn" and not 0 < length(element["text"]) <= SECTION_LENGTH:
        yield "an element of a context"


def length(text: str) -> int:
    """Characters as Slack's JavaScript counts them: one outside the basic plane is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _draft(findings: Sequence[Finding], style: Style, detail: Detail, others: int, note: str) -> SlackMessage:
    memos = [memo_of(each, organization=style.organization, pages=style.pages, detail=detail) for each in findings]
    people = people_by_name(style.organization)
    blocks: list[dict[str, Any]] = []
    if note:
        blocks.append(_section(f":warning: {escaped(note, 600)}"))
    if len(memos) == 1 and not others:
        blocks += _one(memos[0], people, style, detail)
    else:
        blocks += _several(memos, people, style, detail, others)
    return SlackMessage(_text(memos, people, others, note), tuple(blocks))


def _one(memo: Memo, people: Mapping[str, str], style: Style, detail: Detail) -> Iterator[dict[str, Any]]:
    """A finding with room for itself."""
    yield _header(memo.headline)
    gist = [escaped(memo.gist, detail.prose)] if memo.gist else []
    yield _section("\n".join([_joined(memo.subject, people, 900), *gist, *_current(memo, people)]))
    yield {
        "type": "section",
        "fields": [_markdown(f"*{label}*\n{_joined(line, people, 700)}") for label, line in memo.facts],
    }
    if memo.drifts:
        yield {"type": "divider"}
        drifts = ["\n".join(_drift_lines(drift, people)) for drift in memo.drifts]
        if memo.drifts_left_out:
            drifts.append(f"and {memo.drifts_left_out} more")
        for part in _packed(drifts, SECTION_LENGTH, between="\n\n"):
            yield _section(part)
    if memo.fix:
        yield _section(f"*How to mend it*\n{_command(memo.fix, memo.finding.id, 2_800)}")
    if memo.links:
        yield _section(" \N{MIDDLE DOT} ".join(_link(words, url) for words, url in memo.links))
    yield {"type": "context", "elements": [_markdown(_joined(note, people, 900)) for note in memo.notes]}
    if memo.answers and style.buttons:
        yield {"type": "actions", "elements": [_button(answer, memo.finding) for answer in memo.answers]}
    elif memo.answers:
        yield _how_to_answer(memo.finding)


def _several(
    memos: Sequence[Memo], people: Mapping[str, str], style: Style, detail: Detail, others: int
) -> Iterator[dict[str, Any]]:
    """Findings of one change: what they share is said once, then each has a section with a menu."""
    findings = [memo.finding for memo in memos]
    yield _header(f"{mark_of(worst_of(findings))} {len(findings) + others} findings{_shared(findings)}")
    shared = dict(_said_once(memos))
    if shared:
        yield _section("\n".join(_joined(line, people, 700) for line in shared.values()))
    for memo in memos:
        yield {"type": "divider"}
        yield _section("\n".join(_short(memo, people, detail, shared))) | _menu(memo, style)
    hints = ["The menu beside a finding answers it."] if style.buttons and any(memo.answers for memo in memos) else []
    hints += [f"{others} more in the thread."] if others else []
    if hints:
        yield {"type": "context", "elements": [_markdown(" ".join(hints))]}


def _said_once(memos: Sequence[Memo]) -> Iterator[tuple[str, Line]]:
    """What is the same for all: the resource, whose it is, and the change."""
    findings = [memo.finding for memo in memos]
    if len({each.resource.key for each in findings}) == 1:
        yield "subject", memos[0].subject
    owners = {dict(memo.facts)["Whose"] for memo in memos}
    if len(owners) == 1:
        yield "whose", ("For ", *owners.pop())
    causes = {each.cause.event_id: each.cause for each in findings if each.cause}
    if len(causes) == 1:
        (cause,) = causes.values()
        yield "cause", ("Set by " if cause.set_it else "Seen when ", *cause_line(cause))


def _shared(findings: Sequence[Finding]) -> str:
    """Where several findings are, for their header."""
    resources = {each.resource.key for each in findings}
    if len(resources) == 1:
        return f" on {clean(findings[0].resource.identifier)}"
    return f" on {len(resources)} resources"


def _short(memo: Memo, people: Mapping[str, str], detail: Detail, shared: Mapping[str, Line]) -> Iterator[str]:
    room = detail.value * 3
    yield f"*{escaped(memo.headline, 160)}*"
    if "subject" not in shared:
        yield _joined(memo.subject, people, room)
    if memo.gist:
        yield escaped(memo.gist, detail.prose)
    if memo.news:
        yield _joined(memo.news, people, room)
    yield _joined(_between(memo.standing), people, room + 300)
    if "whose" not in shared:
        yield _joined(("For ", *dict(memo.facts)["Whose"]), people, 200)
    for drift in memo.drifts[:2]:
        yield _joined(_flat(drift), people, room)
    left = memo.drifts_left_out + len(memo.drifts[2:])
    if left:
        yield f"and {left} more"
    if memo.fix:
        yield _command(memo.fix, memo.finding.id, 300 if detail.drifts == 1 else 900)
    links = [_link(words, url) for words, url in memo.links]
    yield " \N{MIDDLE DOT} ".join([*links, _joined(memo.notes[-1], people, 260)])


def _flat(drift: Sequence[tuple[str, Line]]) -> Line:
    """A drift in one line: the path, what it was, is, must be."""
    spans: list[Span] = []
    for label, line in drift:
        # Slack shows no bold that begins or ends in a blank.
        named: Line = (" ", Strong(label), " ") if label else ()
        spans += [*named, *line]
    return tuple(spans)


def _between(lines: Iterable[Line]) -> Line:
    spans: list[Span] = []
    for line in lines:
        spans += [*([" \N{MIDDLE DOT} "] if spans else []), *line]
    return tuple(spans)


def _current(memo: Memo, people: Mapping[str, str]) -> Iterator[str]:
    if memo.news:
        yield _joined(memo.news, people, 900)
    for line in memo.standing:
        yield _joined(line, people, 700)


def _drift_lines(drift: Sequence[tuple[str, Line]], people: Mapping[str, str], limit: int = 900) -> Iterator[str]:
    for label, line in drift:
        text = _joined(line, people, limit)
        yield f"*{label}*  {text}" if label else text


def _text(memos: Sequence[Memo], people: Mapping[str, str], others: int, note: str) -> str:
    """The message in words alone. The first line is what a telephone shows."""
    lines = [f"Note: {escaped(note, 600)}"] if note else []
    if len(memos) + others > 1:
        findings = [memo.finding for memo in memos]
        lines.append(escaped(f"{mark_of(worst_of(findings))} {len(memos) + others} findings{_shared(findings)}", 300))
    for memo in memos:
        subject = _joined((f"{memo.headline}: ", memo.subject[0], f" ({memo.finding.severity})"), people, 400)
        lines.append(subject)
        lines += [escaped(memo.gist, 500)] if memo.gist else []
        lines += [_joined(memo.news, people, 500)] if memo.news else []
        lines.append(_joined(_between([*memo.standing, ("For ", *dict(memo.facts)["Whose"])]), people, 500))
        lines += [_joined(_flat(drift), people, 900) for drift in memo.drifts[:3]]
        lines += [f"Mend it: {_command(memo.fix, memo.finding.id, 900)}"] if memo.fix else []
    return _bounded_lines(lines, TEXT_LENGTH)


def _bounded_lines(lines: Sequence[str], limit: int) -> str:
    """As many whole lines as there is room for: to cut within one would leave half an entity or an open code span."""
    kept: list[str] = []
    room = limit - 4
    for line in lines:
        room -= length(line) + 1
        if room < 0:
            return "\n".join([*kept, "\N{HORIZONTAL ELLIPSIS}"])
        kept.append(line)
    return "\n".join(kept)


def _packed(parts: Iterable[str], limit: int, between: str = "\n") -> Iterator[str]:
    """Parts together in as few texts as the limit allows."""
    text = ""
    for part in parts:
        if text and length(text) + length(between) + length(part) > limit:
            yield text
            text = ""
        text = f"{text}{between}{part}" if text else part
    if text:
        yield text


def _joined(line: Line, people: Mapping[str, str], limit: int) -> str:
    """A line in Slack's markup, whole spans up to a length; the first span is cut to fit."""
    written: list[str] = []
    room = limit - 2
    for span in line:
        text = _span(span, people, room)
        if length(text) > room:
            written.append("\N{HORIZONTAL ELLIPSIS}")
            break
        written.append(text)
        room -= length(text)
    return "".join(written) or "\N{EN DASH}"


def _span(span: Span, people: Mapping[str, str], room: int) -> str:
    match span:
        case Strong(text):
            return f"*{escaped(text, max(room - 2, 1))}*"
        case Code(text):
            return code(text, max(room, 4))
        case Moment(at):
            fallback = f"{at:%A %d %B %Y, %H:%M} UTC"
            return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} at {{time}}|{fallback}>"
        case Named(name):
            member = people.get(name, "")
            return f"<@{member}>" if _MEMBER.fullmatch(member) else escaped(name, max(room, 1))
        case _:
            return escaped(span, max(room, 1))


def escaped(text: str, limit: int) -> str:
    """Foreign text in the middle of our own: nothing in it is markup, and it is no longer than the limit."""
    return _within(clean(text).translate(_LOOKALIKES), limit)


def code(text: str, limit: int) -> str:
    """Foreign text in a code span."""
    inside = _within(clean(text).replace("`", "\u02cb"), limit - 2)
    # Slack shows no code span around nothing, or around blanks.
    return f"`{inside}`" if inside.strip() else "`(empty)`"


def _within(text: str, limit: int) -> str:
    """Text with Slack's entities, cut between characters so that it is within the limit when they are written out."""
    whole = text.translate(_ENTITIES)
    if length(whole) <= limit:
        return whole
    kept: list[str] = []
    room = limit - 1
    for character in text:
        written = character.translate(_ENTITIES)
        room -= length(written)
        if room < 0:
            break
        kept.append(written)
    return f"{''.join(kept)}\N{HORIZONTAL ELLIPSIS}"


def _command(fix: str, finding_id: str, limit: int) -> str:
    """The fix to copy. Half a command is worse than none, so one that is too long is only pointed to."""
    inside = clean(fix).replace("```", "\u02cb\u02cb\u02cb").translate(_ENTITIES)
    if length(inside) > limit - 6:
        return f"The fix is too long for this message: `demarc show {code(finding_id, 80)[1:-1]}` prints it."
    return f"```{inside}```"


def _link(words: str, url: str) -> str:
    return f"<{url.replace('|', '%7C').replace('>', '%3E').replace('<', '%3C').replace('&', '&amp;')}|{words}>"


def _header(text: str) -> dict[str, Any]:
    return {"type": "header", "text": {"type": "plain_text", "text": _plain(text, HEADER_LENGTH), "emoji": False}}


def _plain(text: str, limit: int) -> str:
    """Text of a plain_text object, in which Slack reads no markup, but still entities."""
    return _within(clean(text), limit)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _markdown(text)}


def _markdown(text: str) -> dict[str, Any]:
    # Verbatim: an address or a channel's name in foreign text does not become a link.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _button(answer: Answer, finding: Finding) -> dict[str, Any]:
    button: dict[str, Any] = {
        "type": "button",
        "action_id": f"{PREFIX}{answer.action}",
        "text": {"type": "plain_text", "text": answer.label},
        "value": value_of(finding),
    }
    return button | ({"style": answer.style} if answer.style else {})


def _menu(memo: Memo, style: Style) -> dict[str, Any]:
    if not (memo.answers and style.buttons):
        return {}
    options = [
        {"text": {"type": "plain_text", "text": answer.label}, "value": f"{answer.action}:{value_of(memo.finding)}"}
        for answer in memo.answers
    ]
    return {"accessory": {"type": "overflow", "action_id": MORE, "options": options}}


def _how_to_answer(finding: Finding) -> dict[str, Any]:
    shown = code(finding.id, 80)[1:-1]
    return {"type": "context", "elements": [_markdown(f"Answer with `demarc ack {shown}` or `demarc accept {shown}`.")]}
