"""Findings as Adaptive Cards for Microsoft Teams, as its Workflows webhook takes them.

Foreign text is only in text runs of rich text blocks, in which Teams reads no Markdown (adaptivecards.io, "TextRun").
Workflows takes 28 KB (Microsoft Learn, "Microsoft Teams connector, known issues"), and senders met 413 from 21 KB on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from demarc.core.announcement import clean
from demarc.core.chat.memo import Code, Detail, Line, Memo, Moment, Named, Span, Strong, mark_of, memo_of, worst_of
from demarc.core.digest import Digest, announcement_of_digest, summary_of
from demarc.core.matrix import Organization
from demarc.core.model import Finding

SIZE = 20_000
_DETAILS = (Detail(6, 300, 500), Detail(2, 160, 160), Detail(1, 80, 80))
FINDINGS_PER_CARD = 10


def card_of(
    findings: Sequence[Finding], organization: Organization, *, pages: str | None = None, note: str = ""
) -> dict[str, Any]:
    """The message with one card; it says less of each finding until it fits."""
    for detail in _DETAILS:
        message = _message(_body(findings, organization, pages, detail, note))
        if size_of(message) <= SIZE:
            return message
    return _message(_summary(findings, note))


def digest_card_of(digest: Digest) -> dict[str, Any]:
    """A digest, in the columns of its text."""
    lines = announcement_of_digest(digest).text.splitlines()
    heading = _rich([_run(_cut(f"{digest.name}: {summary_of(digest)}", 300), weight="Bolder", size="Medium")])
    while lines:
        body = [heading, _rich([_run("\n".join(map(clean, lines)), keep=True, fontType="Monospace")])]
        if size_of(_message(body)) <= SIZE:
            return _message(body)
        lines = lines[: len(lines) * 3 // 4]
    return _message([heading])


def size_of(message: Any) -> int:
    """Bytes on the way."""
    return len(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode())


def _message(body: Sequence[Any]) -> dict[str, Any]:
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        # Teams shows cards up to 1.5 on every client.
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": list(body),
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _body(
    findings: Sequence[Finding], organization: Organization, pages: str | None, detail: Detail, note: str
) -> list[Any]:
    body: list[Any] = [_rich([_run(_cut(note, 500), color="Warning")])] if note else []
    if len(findings) > 1:
        body.append(_rich([_run(f"{mark_of(worst_of(findings))} {len(findings)} findings", weight="Bolder")]))
    for finding in findings[:FINDINGS_PER_CARD]:
        body += _finding(memo_of(finding, organization=organization, pages=pages, detail=detail))
    if len(findings) > FINDINGS_PER_CARD:
        body.append(_rich([_run(f"and {len(findings) - FINDINGS_PER_CARD} more")]))
    return body


def _finding(memo: Memo) -> Iterator[dict[str, Any]]:
    yield _rich([_run(_cut(memo.headline, 200), weight="Bolder", size="Medium")], separator=True)
    yield _line(memo.subject)
    if memo.gist:
        yield _line((memo.gist,))
    if memo.news:
        yield _line(memo.news)
    for line in memo.standing:
        yield _line(line)
    for label, line in memo.facts:
        yield _line((Strong(f"{label}: "), *line))
    for drift in memo.drifts:
        for label, line in drift:
            yield _line((Strong(f"{label} "), *line) if label else line)
    if memo.drifts_left_out:
        yield _line((f"and {memo.drifts_left_out} more",))
    if memo.fix:
        long = len(memo.fix) > 1_500
        fix = f"demarc show {memo.finding.id}" if long else memo.fix
        yield _line(
            (Strong("Its fix is longer than a card; see: " if long else "How to mend it: "), Code(fix)), limit=1_600
        )
    for note in memo.notes:
        yield _line(note)
    if memo.links:
        actions = [{"type": "Action.OpenUrl", "title": words, "url": url} for words, url in memo.links]
        yield {"type": "ActionSet", "actions": actions}
    if memo.answers:
        yield _line(("Answer with ", Code(f"demarc ack {memo.finding.id}")))


def _summary(findings: Sequence[Finding], note: str) -> list[Any]:
    """What is left when even the shortest form is too long."""
    lines = [
        _line((f"{mark_of(each)} {each.title}: ", Code(each.resource.identifier)), limit=300) for each in findings[:20]
    ]
    return [*([_line((note,))] if note else []), _line((Strong(f"{len(findings)} findings"),)), *lines]


def _line(line: Line, limit: int = 700) -> dict[str, Any]:
    return _rich([_span(span, limit) for span in line])


def _span(span: Span, limit: int) -> dict[str, Any]:
    match span:
        case Strong(text):
            return _run(_cut(text, limit), weight="Bolder")
        case Code(text):
            return _run(_cut(text, limit), fontType="Monospace")
        case Moment(at):
            return _run(f"{at:%A %d %B %Y, %H:%M} UTC")
        case Named(name):
            return _run(_cut(name, limit))
        case _:
            return _run(_cut(span, limit))


def _rich(runs: Sequence[Any], **more: Any) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": list(runs), **more}


def _run(text: str, *, keep: bool = False, **style: Any) -> dict[str, Any]:
    return {"type": "TextRun", "text": text if keep else clean(text), **style}


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}\N{HORIZONTAL ELLIPSIS}"
