"""A finding as it is told in a chat, whatever the chat: what to say, and not yet how it is written there.

A line is made of spans, so that each chat writes moments, names and foreign text in its own way, and none of them has
to guess what in a finished text came from strangers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from urllib.parse import quote

from demarc.core.announcement import spoken, standing_of
from demarc.core.chat.console import console_url
from demarc.core.matrix import Organization
from demarc.core.model import (
    TO_DO,
    AcceptedRisk,
    Act,
    Cause,
    Drift,
    Finding,
    Origin,
    Party,
    Severity,
    Status,
    Tier,
    Transition,
    Via,
    Was,
)
from demarc.core.occurrence import is_occurrence


@dataclass(frozen=True, slots=True)
class Strong:
    """Our own words, to be seen first."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Foreign text as it is: a name, a value, a call."""

    text: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, which the reader may see in their own time zone."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Named:
    """A person of the matrix, whom a chat may call by their handle."""

    name: str


Span: TypeAlias = str | Strong | Code | Moment | Named
Line: TypeAlias = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What may be answered to a finding: the word behind a button, and what is written on it."""

    action: str
    label: str
    style: str | None = None


@dataclass(frozen=True, slots=True)
class Memo:
    """What a chat says of one revision of a finding.

    `headline` is the one line that matters, and `gist` what is wrong in words, if there are any; `news` is what led to
    this revision, where how it is now (`standing`) does not say it. Each drift is a few labelled lines;
    `drifts_left_out` counts those that are not here. `links` are pairs of words and an https URL.
    """

    finding: Finding
    headline: str
    gist: str
    subject: Line
    news: Line
    standing: tuple[Line, ...]
    facts: tuple[tuple[str, Line], ...]
    drifts: tuple[tuple[tuple[str, Line], ...], ...]
    drifts_left_out: int
    fix: str | None
    notes: tuple[Line, ...]
    links: tuple[tuple[str, str], ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Detail:
    """How much is said: how many drifts, and how many characters of a value and of prose."""

    drifts: int = 6
    value: int = 300
    prose: int = 500


ACKNOWLEDGE = Answer("acknowledge", "Acknowledge", "primary")
ACCEPT = Answer("accept", "Accept risk")
ASSIGN = Answer("assign", "Assign")
RECHECK = Answer("recheck", "Re-check now")
APPROVE = Answer("approve", "Approve", "primary")
DECLINE = Answer("decline", "Decline", "danger")
TAKE_BACK = Answer("decline", "Take acceptance back")

_MARKS = {
    Severity.CRITICAL: "\N{LARGE RED CIRCLE}",
    Severity.HIGH: "\N{LARGE ORANGE CIRCLE}",
    Severity.MEDIUM: "\N{LARGE YELLOW CIRCLE}",
    Severity.LOW: "\N{LARGE BLUE CIRCLE}",
    Severity.INFORMATIONAL: "\N{MEDIUM WHITE CIRCLE}",
}
_STATUS_MARKS = {
    Status.ACCEPTED: "\N{MEMO}",
    Status.RESOLVED: "\N{WHITE HEAVY CHECK MARK}",
    Status.GONE: "\N{WASTEBASKET}",
}
_CLAIMS = {Status.RESOLVED: "Holds again: ", Status.GONE: "Gone with its resource: ", Status.ACCEPTED: "Accepted: "}
_CLOSED = "Closed: "
_WITH = {
    Via.CONSOLE: " in the console",
    Via.CLI: " with the AWS CLI",
    Via.SDK: " with an SDK",
    Via.CLOUDFORMATION: " with CloudFormation",
    Via.TERRAFORM: " with Terraform",
    Via.OTHER_IAC: " with a tool for infrastructure as code",
    Via.AWS_SERVICE: " through an AWS service",
    Via.UNKNOWN: "",
}
_SIDES = {Party.CUSTOMER: "ours", Party.SHARED: "shared with AWS", Party.PROVIDER: "AWS's"}
_TIERS = {Tier.IAAS: "infrastructure", Tier.PAAS: "a platform service", Tier.SAAS: "software as a service"}
_FROM = {Origin.SLACK: " in Slack", Origin.CLI: " on the command line", Origin.SECURITY_HUB: " in Security Hub"}
# What must be heard, and not only written into a thread that nobody follows.
_SHOWN_BY_STANDING = frozenset({Act.ACKNOWLEDGE, Act.ASSIGN, Act.PROPOSE, Act.ACCEPT, Act.RIGHT})
_LOUD = frozenset({Act.REMIND, Act.ESCALATE, Act.EXPIRE, Act.PROPOSE, Act.MOVE})


def mark_of(finding: Finding) -> str:
    """One character by which a finding is told from afar: its severity while it is broken, else its status."""
    return _STATUS_MARKS.get(finding.status) or _MARKS[finding.severity]


def headline_of(finding: Finding) -> str:
    """The control's title with whether it holds, and how bad it is."""
    if finding.status is Status.RESOLVED and is_occurrence(finding):
        return f"{mark_of(finding)} {_CLOSED}{finding.title}"
    return f"{mark_of(finding)} {_CLAIMS.get(finding.status, 'Broken: ')}{finding.title}"


def is_loud(finding: Finding) -> bool:
    """Whether a later revision is worth saying in the channel again: it came back, or somebody has to act now."""
    transition = finding.transition
    if transition is None:
        return False
    came_back = transition.act is Act.BROKEN and transition.was in (Status.RESOLVED, Status.GONE, Status.ACCEPTED)
    return came_back or transition.act in _LOUD


def memo_of(
    finding: Finding, *, organization: Organization, pages: str | None = None, detail: Detail = Detail()
) -> Memo:
    """What a chat says of a finding. `pages` is where the page of the controls is published."""
    resource = finding.resource
    shown = finding.drift[: detail.drifts] if finding.status in (*TO_DO, Status.ACCEPTED) else ()
    happened = is_occurrence(finding)
    gist = () if happened else dict.fromkeys(each.because for each in shown if each.because)
    return Memo(
        finding=finding,
        headline=headline_of(finding),
        gist=_cut("; ".join(gist), detail.prose),
        subject=(
            Code(resource.identifier),
            f" \N{MIDDLE DOT} {_kind(resource.type)} \N{MIDDLE DOT} ",
            *_place(finding),
        ),
        news=() if finding.transition and finding.transition.act in _SHOWN_BY_STANDING else news_of(finding),
        standing=tuple(_standing(finding, organization)),
        facts=tuple(_facts(finding, organization)),
        drifts=tuple(tuple((_happening if happened else _drift)(each, detail)) for each in shown),
        drifts_left_out=len(finding.drift) - len(shown) if shown else 0,
        fix=finding.guidance if finding.status in TO_DO else None,
        notes=tuple(_notes(finding)),
        links=tuple(_links(finding, pages)),
        answers=answers_to(finding),
    )


def answers_to(finding: Finding) -> tuple[Answer, ...]:
    """What a person may answer as the finding stands; never more than four."""
    return tuple(each for each in _answers(finding) if not (each is RECHECK and is_occurrence(finding)))


def _answers(finding: Finding) -> tuple[Answer, ...]:
    if finding.status in TO_DO and finding.proposal:
        return (APPROVE, DECLINE, ASSIGN, RECHECK)
    if finding.status is Status.OPEN:
        return (ACKNOWLEDGE, ACCEPT, ASSIGN, RECHECK)
    if finding.status is Status.ACKNOWLEDGED:
        return (ACCEPT, ASSIGN, RECHECK)
    if finding.status is Status.ACCEPTED and finding.exception and finding.exception.origin is not Origin.MATRIX:
        return (TAKE_BACK, RECHECK)
    if finding.status is Status.ACCEPTED:
        return (RECHECK,)
    return ()


def cause_line(cause: Cause) -> Line:
    """Who, what, how and when."""
    call = f"{cause.event_source.removesuffix('.amazonaws.com')}:{cause.event_name}"
    return (
        Code(cause.actor.name or "somebody"),
        f" ({standing_of(cause)}) called ",
        Code(call),
        f"{_WITH[cause.via]}, ",
        Moment(cause.time),
    )


def news_of(finding: Finding) -> Line:
    """What led to this revision, in one line; nothing for the first."""
    transition = finding.transition
    if transition is None or (transition.act is Act.BROKEN and transition.was is None):
        return ()
    return tuple(_news(finding, transition))


def _news(finding: Finding, transition: Transition) -> Iterator[Span]:
    if transition.act in (Act.BROKEN, Act.RIGHT, Act.GONE):
        yield from _seen(finding, transition)
    elif transition.act in (Act.EXPIRE, Act.REMIND, Act.ESCALATE, Act.MOVE):
        yield from _came(finding, transition)
    else:
        yield from _spoken(finding, transition)
    if transition.reason:
        yield f": {transition.reason}"


def _seen(finding: Finding, transition: Transition) -> Iterator[Span]:
    if transition.act is Act.BROKEN:
        yield from _broken_again(finding, transition)
        return
    yield Strong("Right again" if transition.act is Act.RIGHT else "The resource is gone")
    yield from _after(finding.resolved_by)


def _spoken(finding: Finding, transition: Transition) -> Iterator[Span]:
    """What a person said."""
    by, origin = Named(transition.by), _FROM.get(transition.origin, "")
    match transition.act:
        case Act.ASSIGN:
            to = Named(transition.to or finding.assignee or "somebody")
            yield from (Strong("Assigned"), " to ", to, " by ", by, origin)
        case Act.PROPOSE:
            yield from (Strong("Approval asked"), ": ", by, " wants to accept this risk", *_until(finding.proposal))
        case Act.ACCEPT:
            mistaken = finding.exception is not None and finding.exception.false_positive
            yield from (Strong("Judged a false positive" if mistaken else "Risk accepted"), " by ", by, origin)
            yield from _until(finding.exception)
        case Act.DECLINE:
            yield from (Strong("Acceptance declined"), " by ", by, origin)
        case _:
            yield from (Strong("Acknowledged"), " by ", by, origin)


def _came(finding: Finding, transition: Transition) -> Iterator[Span]:
    """What came by itself."""
    to = transition.to
    match transition.act:
        case Act.MOVE:
            yield from (Strong("It changed hands"), ": now it is for ", Named(finding.attribution.owner.person))
        case Act.EXPIRE:
            still = ", and it still does not hold" if finding.status in TO_DO else ""
            yield from (Strong("The acceptance has expired"), still)
            yield from (", ", Named(to)) if to else ()
        case Act.REMIND:
            yield from (Strong("Reminder"), ": to be right by ", Moment(finding.due_at))
            yield from (", ", Named(to)) if to else ()
        case _:
            yield from (Strong("Overdue"), " since ", Moment(finding.due_at))
            yield from (", and told to ", Named(to)) if to else ()


def _broken_again(finding: Finding, transition: Transition) -> Iterator[Span]:
    if is_occurrence(finding) and transition.was in (Status.OPEN, Status.RESOLVED):
        closed = transition.was is Status.RESOLVED
        yield Strong("It happened again" if closed else "There is more of it")
        yield f" (it came back {_times(finding.reopened)})" if closed else ""
        yield from _after(finding.cause)
        return
    if transition.was in (Status.RESOLVED, Status.GONE):
        yield Strong("It is broken again")
        yield f" (it came back {_times(finding.reopened)})"
        yield from _after(finding.cause)
    elif transition.was is Status.ACCEPTED:
        yield Strong("What was accepted does not cover this")
    else:
        yield Strong("What does not hold has changed")
        yield from _after(finding.cause)


def _after(cause: Cause | None) -> Iterator[Span]:
    if cause is not None:
        yield ": " if cause.set_it else "; seen when "
        yield from cause_line(cause)


def _until(risk: AcceptedRisk | None) -> Iterator[Span]:
    if risk is not None:
        yield " until "
        yield Moment(risk.expires)


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _standing(finding: Finding, organization: Organization) -> Iterator[Line]:
    """How it is now, whatever led there."""
    if finding.status in TO_DO:
        yield (Strong(finding.severity.value), " \N{MIDDLE DOT} to be right by ", Moment(finding.due_at))
    else:
        yield ("severity ", Strong(finding.severity.value))
    if finding.status is Status.RESOLVED and finding.resolved_at:
        yield from _ended(finding, finding.resolved_at)
    if finding.status is Status.ACKNOWLEDGED and finding.acknowledged_by:
        yield ("Acknowledged by ", Named(finding.acknowledged_by))
    if finding.assignee and finding.status in TO_DO:
        yield ("Assigned to ", Named(finding.assignee))
    if finding.exception and finding.status is Status.ACCEPTED:
        yield _risk("Accepted by ", finding.exception.approver, finding.exception)
    if finding.proposal and finding.status in TO_DO:
        yield from _proposed(finding.proposal, organization)
    if finding.reopened and finding.status in TO_DO:
        yield (f"Came back {_times(finding.reopened)}",)


def _ended(finding: Finding, at: datetime) -> Iterator[Line]:
    if not is_occurrence(finding):
        yield ("Right since ", Moment(at))
        return
    yield ("Closed by ", Named(finding.acknowledged_by or "somebody"), ", ", Moment(at), f": {finding.reason}")


def _proposed(risk: AcceptedRisk, organization: Organization) -> Iterator[Line]:
    people = [organization.people[each] for each in organization.acceptance.approvers if each in organization.people]
    names = [person.name for person in people if person.name != risk.requested_by][:3]
    of = [span for name in names for span in (", ", Named(name))][1:]
    yield (Strong("Waits for approval"), *([" of ", *of] if of else []))
    yield (Named(risk.requested_by or risk.approver), " wants to accept this risk until ", *_end_and_reason(risk))


def _risk(words: str, name: str, risk: AcceptedRisk) -> Line:
    return (words, Named(name), " until ", *_end_and_reason(risk))


def _end_and_reason(risk: AcceptedRisk) -> Line:
    return (Moment(risk.expires), f": {risk.reason}" if risk.reason else "")


def _facts(finding: Finding, organization: Organization) -> Iterator[tuple[str, Line]]:
    attribution, owner = finding.attribution, finding.attribution.owner
    team = organization.teams[owner.team].name if owner.team in organization.teams else owner.team
    yield "Whose", (Named(owner.person), f", {team}")
    yield "Why theirs", (f"{owner.because} ", Code(owner.row))
    if finding.cause and finding.status in (*TO_DO, Status.ACCEPTED):
        yield ("Set by" if finding.cause.set_it else "Seen when (set earlier)"), cause_line(finding.cause)
    if finding.resolved_by:
        yield ("Mended by" if finding.resolved_by.set_it else "Seen when"), cause_line(finding.resolved_by)
    layer = finding.layer.replace("-", " ").capitalize()
    line = f"{layer} of {_TIERS[attribution.tier]} is {_SIDES[attribution.party]}. {attribution.line}"
    yield "The line", (f"{line} {attribution.division}".rstrip(),)


def _drift(drift: Drift, detail: Detail) -> Iterator[tuple[str, Line]]:
    yield "", (Code(_cut(drift.path, detail.value)),)
    if drift.was:
        yield "was", _before(drift, drift.was, detail)
    yield "is", (Code(_cut(spoken(drift.actual), detail.value)),)
    yield "must be", (Code(_cut(spoken(drift.required), detail.value)),)


def _happening(drift: Drift, detail: Detail) -> Iterator[tuple[str, Line]]:
    yield "", (Code(_cut(spoken(drift.actual), detail.value)),)
    yield "how", (Code(_cut(drift.because, detail.value)),)


def _before(drift: Drift, was: Was, detail: Detail) -> Line:
    if was.value == drift.actual:
        return ("the same when it was last read, ", Moment(was.at))
    return (
        Code("not there" if was.value is None else _cut(spoken(was.value), detail.value)),
        " (seen ",
        Moment(was.at),
        ")",
    )


def _notes(finding: Finding) -> Iterator[Line]:
    if requirements := "; ".join(f"{name}: {', '.join(ids)}" for name, ids in finding.references.items() if ids):
        yield (f"{'Breaks' if finding.status in TO_DO else 'Serves'} {_cut(requirements, 500)}",)
    yield (Code(finding.control), " \N{MIDDLE DOT} finding ", Code(finding.id), f" revision {finding.revision}")


def _links(finding: Finding, pages: str | None) -> Iterator[tuple[str, str]]:
    if console := console_url(finding.resource):
        yield "Open in the AWS console", console
    if pages and pages.startswith("https://"):
        # A text fragment (URL Fragment Text Directives, WICG) finds the row on the page, whatever made the page; a dash
        # has a meaning of its own in it.
        yield "The control", f"{pages}#:~:text={quote(finding.control, safe='').replace('-', '%2D')}"


def _place(finding: Finding) -> Line:
    return (
        "account ",
        Code(finding.resource.account),
        f" ({finding.attribution.environment}), ",
        Code(finding.resource.region),
    )


def _kind(resource_type: str) -> str:
    """`AWS::S3::Bucket` as people say it."""
    return " ".join(part for part in resource_type.split("::") if part and part != "AWS")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}\N{HORIZONTAL ELLIPSIS}"


def people_by_name(organization: Organization) -> Mapping[str, str]:
    """Slack's member ids of the people of the matrix, by the name that findings hold."""
    return {person.name: person.slack for person in organization.people.values() if person.slack}


def worst_of(findings: Sequence[Finding]) -> Finding:
    """The finding that a message of several is marked by: what is broken before what is not, then by severity."""
    severities = list(Severity)
    return min(findings, key=lambda each: (each.status not in TO_DO, severities.index(each.severity)))
