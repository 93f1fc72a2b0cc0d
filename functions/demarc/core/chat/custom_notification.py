"""Findings as custom notifications of Amazon Q Developer in chat applications, schema version 1.0.

Amazon Q Developer administrator guide, "Custom notifications". What does not fit the schema it drops in silence, and
the lengths that it takes are not published: the description stays below what a section of Slack's holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from demarc.core.announcement import clean
from demarc.core.chat.block_kit import code, escaped, length
from demarc.core.chat.memo import (
    Code,
    Detail,
    Line,
    Memo,
    Moment,
    Named,
    Span,
    Strong,
    headline_of,
    mark_of,
    memo_of,
    worst_of,
)
from demarc.core.digest import Digest, announcement_of_digest, summary_of
from demarc.core.matrix import Organization
from demarc.core.model import Finding

DESCRIPTION_LENGTH = 2_800
TITLE_LENGTH = 200
_DETAIL = Detail(3, 160, 200)
FINDINGS_PER_NOTIFICATION = 10


def notification_of(
    findings: Sequence[Finding],
    organization: Organization,
    *,
    thread: str,
    pages: str | None = None,
    note: str = "",
) -> dict[str, Any]:
    """The notification; those with the same `thread` are shown together where the channel's settings allow it."""
    memos = [
        memo_of(each, organization=organization, pages=pages, detail=_DETAIL)
        for each in findings[:FINDINGS_PER_NOTIFICATION]
    ]
    lines = [_plain(note, 400)] if note else []
    for memo in memos:
        lines += _lines(memo, alone=len(findings) == 1)
    if len(findings) > FINDINGS_PER_NOTIFICATION:
        lines.append(f"and {len(findings) - FINDINGS_PER_NOTIFICATION} more")
    worst = worst_of(findings)
    title = headline_of(worst) if len(findings) == 1 else f"{mark_of(worst)} {len(findings)} findings"
    steps = [code(each.guidance, 600) for each in findings[:3] if each.guidance and len(each.guidance) < 590]
    return _notification(
        title=title,
        description=_fitting(lines),
        steps=[*steps, f"Answer with `demarc ack {code(findings[0].id, 60)[1:-1]}`"],
        keywords=[worst.severity.value, worst.attribution.owner.team],
        thread=thread,
        summary=_cut(f"{title}: {clean(worst.resource.identifier)}", TITLE_LENGTH),
    )


def digest_notification_of(digest: Digest) -> dict[str, Any]:
    text = announcement_of_digest(digest).text.replace("```", "\u02cb\u02cb\u02cb")
    lines = [clean(line).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for line in text.splitlines()]
    return _notification(
        title=digest.name,
        description=f"```{_fitting(lines)}```",
        steps=[],
        keywords=[digest.kind.value, digest.team],
        thread=digest.id,
        summary=_cut(clean(summary_of(digest)), TITLE_LENGTH),
    )


def _notification(
    *, title: str, description: str, steps: Sequence[str], keywords: Sequence[str], thread: str, summary: str
) -> dict[str, Any]:
    content = {
        "textType": "client-markdown",
        "title": _plain(title, TITLE_LENGTH),
        "description": description,
        "keywords": list(keywords),
    }
    return {
        "version": "1.0",
        "source": "custom",
        "content": content | ({"nextSteps": list(steps)} if steps else {}),
        "metadata": {"threadId": thread, "summary": _plain(summary, TITLE_LENGTH), "eventType": "demarc"},
    }


def _lines(memo: Memo, *, alone: bool) -> list[str]:
    lines = [] if alone else [f"*{_plain(memo.headline, 160)}*"]
    lines.append(_joined(memo.subject))
    if memo.gist:
        lines.append(_plain(memo.gist, 400))
    if memo.news:
        lines.append(_joined(memo.news))
    lines += [_joined(line) for line in memo.standing]
    facts = memo.facts if alone else memo.facts[:1]
    lines += [f"*{label}* {_joined(line)}" for label, line in facts]
    lines += [f"*{label}* {_joined(line)}".removeprefix("** ") for drift in memo.drifts for label, line in drift]
    if memo.drifts_left_out:
        lines.append(f"and {memo.drifts_left_out} more")
    return lines


def _joined(line: Line) -> str:
    return "".join(map(_span, line))


def _span(span: Span) -> str:
    match span:
        case Strong(text):
            return f"*{_plain(text, 200)}*"
        case Code(text):
            return code(text, 300)
        case Moment(at):
            return f"{at:%d %B %Y, %H:%M} UTC"
        case Named(name):
            return _plain(name, 100)
        case _:
            return _plain(span, 400)


def _plain(text: str, limit: int) -> str:
    """The text goes to Slack or to Teams as it is, and in Teams brackets make a link."""
    return escaped(text.replace("](", "] ("), limit)


def _fitting(lines: Sequence[str]) -> str:
    kept: list[str] = []
    room = DESCRIPTION_LENGTH - 2
    for line in lines:
        room -= length(line) + 1
        if room < 0:
            return "\n".join([*kept, "\N{HORIZONTAL ELLIPSIS}"])
        kept.append(line)
    return "\n".join(kept)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}\N{HORIZONTAL ELLIPSIS}"
