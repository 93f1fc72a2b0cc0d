"""A finding's history as a timeline: what happened at each revision, by whom, and what it changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from demarc.cli.terminal import fact, headline
from demarc.cli.told import drift_of, owner_of
from demarc.core.announcement import spoken
from demarc.core.model import STANDING, TO_DO, Act, Cause, Drift, Finding, Origin, Status, Transition, Was
from demarc.core.occurrence import is_occurrence

_FROM = {
    Origin.CHANGE: "",
    Origin.SWEEP: "in a sweep",
    Origin.CLI: "at the command line",
    Origin.SLACK: "in Slack",
    Origin.SECURITY_HUB: "in Security Hub",
    Origin.MATRIX: "in the matrix",
    Origin.SCHEDULE: "when it was time",
}
# Acts of evidence are done by whoever looked; whose change was seen is told of the cause.
_SEEN = (Act.BROKEN, Act.RIGHT, Act.GONE, Act.MOVE)
# What a revision was that an earlier version recorded without saying.
_ACTS = {Status.RESOLVED: Act.RIGHT, Status.GONE: Act.GONE}
_DRIFTS = 10


@dataclass(frozen=True, slots=True)
class Step:
    """One revision: when it came about, what happened in a sentence, and labelled sentences on what it changed."""

    revision: int
    at: datetime
    status: Status
    what: str
    changes: tuple[tuple[str, str], ...]


def steps(history: Sequence[Finding]) -> list[Step]:
    """The revisions of a finding, oldest first, each told by how it differs from the one before."""
    return [step_of(before, after) for before, after in pairwise((None, *history)) if after is not None]


def step_of(before: Finding | None, after: Finding) -> Step:
    """One revision, after the one before it."""
    happened = after.transition or _supposed(before, after)
    return Step(
        revision=after.revision,
        at=happened.at,
        status=after.status,
        what=_what(happened, before, after),
        changes=tuple(_changes(happened, before, after)),
    )


def tell_step(step: Step) -> None:
    headline(step.status, f"{_time(step.at)}, revision {step.revision}: {step.what}")
    for label, text in step.changes:
        fact(label, text)


def _supposed(before: Finding | None, after: Finding) -> Transition:
    """How a revision must have come about whose record does not say it."""
    act = _ACTS.get(after.status, Act.BROKEN)
    return Transition(act, Origin.CHANGE, by="", at=after.observed_at, was=before.status if before else None)


def _what(happened: Transition, before: Finding | None, after: Finding) -> str:
    words = [_opening(happened, before, after) or happened.act.value]
    if happened.to:
        words.append(f"to {happened.to}" if happened.act in (Act.ASSIGN, Act.ESCALATE) else f"({happened.to})")
    if happened.act not in _SEEN and happened.by:
        words.append(f"by {happened.by}")
    elif happened.by and happened.origin not in (Origin.CHANGE, Origin.SWEEP):
        words.append(f"for {happened.by}")
    return " ".join([*words, _FROM[happened.origin]]).strip()


def _opening(happened: Transition, before: Finding | None, after: Finding) -> str | None:
    if happened.act is not Act.BROKEN:
        return None
    if before is None:
        return "happened" if is_occurrence(after) else "seen broken"
    if is_occurrence(after):
        return f"happened again, for time {after.reopened + 1}" if before.status is Status.RESOLVED else "more of it"
    if before.status in (Status.RESOLVED, Status.GONE):
        return f"seen broken again, for time {after.reopened + 1}"
    return "seen broken still, with news"


def _changes(happened: Transition, before: Finding | None, after: Finding) -> Iterator[tuple[str, str]]:
    if before and before.status is not after.status:
        yield "status", f"{before.status} -> {after.status}"
    if happened.reason and not (after.exception and happened.reason == after.exception.reason):
        yield "why", happened.reason
    yield from _drifts(before, after)
    yield from _causes(before, after)
    yield from _owners(before, after)
    if before and before.severity is not after.severity:
        yield "rated", f"{before.severity} -> {after.severity}"
    if after.status in TO_DO and (before is None or before.due_at != after.due_at):
        yield "due", _time(after.due_at)
    yield from _risks(before, after)
    others = [team for team in after.audience if team != after.attribution.owner.team]
    if others:
        yield "told", f"also team {', '.join(others)}"


def _drifts(before: Finding | None, after: Finding) -> Iterator[tuple[str, str]]:
    """What is wrong and was not, and what was and is no longer; each path with what it was, where that is known."""
    if is_occurrence(after):
        known = before.drift if before and before.status in STANDING else ()
        yield from (("call", f"{spoken(each.actual)}: {each.because}") for each in after.drift if each not in known)
        return
    earlier = {drift.path: drift for drift in before.drift} if before else {}
    fresh = [drift for drift in after.drift if not _same(drift, earlier.get(drift.path))]
    mended = [path for path in earlier if path not in {drift.path for drift in after.drift}]
    lines = [_drift(drift, before, earlier.get(drift.path)) for drift in fresh]
    lines += [f"{path} differs no longer, was {spoken(earlier[path].actual)}" for path in mended]
    for line in lines[:_DRIFTS]:
        yield "drift", line
    if len(lines) > _DRIFTS:
        yield "", f"and {len(lines) - _DRIFTS} more"


def _same(drift: Drift, earlier: Drift | None) -> bool:
    return earlier is not None and (drift.actual, drift.required) == (earlier.actual, earlier.required)


def _drift(drift: Drift, before: Finding | None, earlier: Drift | None) -> str:
    if before and earlier and drift.was is None:
        return drift_of(replace(drift, was=Was(earlier.actual, before.observed_at)))
    return drift_of(drift)


def _causes(before: Finding | None, after: Finding) -> Iterator[tuple[str, str]]:
    if after.cause and after.cause != (before.cause if before else None):
        yield _cause(after.cause, "set by")
    if after.resolved_by and after.resolved_by != (before.resolved_by if before else None):
        yield _cause(after.resolved_by, "mended")


def _cause(cause: Cause, label: str) -> tuple[str, str]:
    """Who made the call that did it, or merely the one after which it was seen."""
    called = f"{cause.actor.name} called {cause.event_name}, {_time(cause.time)}"
    return label if cause.set_it else "after", called


def _owners(before: Finding | None, after: Finding) -> Iterator[tuple[str, str]]:
    now = after.attribution.owner
    if before is None:
        yield "owner", owner_of(now)
        return
    if owner_of(before.attribution.owner) != owner_of(now):
        yield "owner", f"{owner_of(before.attribution.owner)} -> {owner_of(now)}"
    if before.assignee != after.assignee:
        yield "person", f"{before.assignee or 'nobody'} -> {after.assignee or 'nobody'}"


def _risks(before: Finding | None, after: Finding) -> Iterator[tuple[str, str]]:
    risk = after.exception
    if risk and risk != (before.exception if before else None):
        word = "false positive" if risk.false_positive else "accepted"
        yield "risk", f"{word} until {_time(risk.expires)} by {risk.approver}: {risk.reason} [{risk.id}]"
    if before and before.exception and risk is None and after.status in TO_DO:
        yield "risk", f"no longer: {before.exception.reason} [{before.exception.id}]"
    asked = after.proposal
    if asked and asked != (before.proposal if before else None):
        yield "waits", f"for a second person: {asked.requested_by} asks to accept it until {_time(asked.expires)}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
