"""Previous finding + evaluation -> finding: the state machine, and what evidence does to it."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from demarc.core.attribution import relation_of
from demarc.core.calendar import due_at
from demarc.core.matrix import Organization
from demarc.core.model import (
    STANDING,
    AcceptedRisk,
    Act,
    Attribution,
    Cause,
    Change,
    Compliance,
    Control,
    Drift,
    Evaluation,
    Finding,
    Occasion,
    Origin,
    Owner,
    Resource,
    Severity,
    Status,
    Transition,
    Was,
    finding_id,
)
from demarc.core.occurrence import is_occurrence, together
from demarc.core.snapshot import NOWHERE, Snapshot, property_of
from demarc.core.wire import to_wire

# Status -> what may happen to a finding that has it -> its status then. What is not here cannot happen. No word leads
# to RESOLVED or GONE: those are seen.
TRANSITIONS: Mapping[Status | None, Mapping[Act, Status]] = {
    None: {Act.BROKEN: Status.OPEN, Act.ACCEPT: Status.ACCEPTED},
    Status.OPEN: {
        Act.BROKEN: Status.OPEN,
        Act.RIGHT: Status.RESOLVED,
        Act.GONE: Status.GONE,
        Act.MOVE: Status.OPEN,
        Act.ACKNOWLEDGE: Status.ACKNOWLEDGED,
        Act.ASSIGN: Status.OPEN,
        Act.PROPOSE: Status.OPEN,
        Act.ACCEPT: Status.ACCEPTED,
        Act.DECLINE: Status.OPEN,
        Act.REMIND: Status.OPEN,
        Act.ESCALATE: Status.OPEN,
    },
    Status.ACKNOWLEDGED: {
        Act.BROKEN: Status.ACKNOWLEDGED,
        Act.RIGHT: Status.RESOLVED,
        Act.GONE: Status.GONE,
        # The team that it came to has not said a word yet.
        Act.MOVE: Status.OPEN,
        Act.ASSIGN: Status.ACKNOWLEDGED,
        Act.PROPOSE: Status.ACKNOWLEDGED,
        Act.ACCEPT: Status.ACCEPTED,
        Act.DECLINE: Status.ACKNOWLEDGED,
        Act.REMIND: Status.ACKNOWLEDGED,
        Act.ESCALATE: Status.ACKNOWLEDGED,
    },
    Status.ACCEPTED: {
        Act.BROKEN: Status.ACCEPTED,
        Act.RIGHT: Status.RESOLVED,
        Act.GONE: Status.GONE,
        Act.MOVE: Status.ACCEPTED,
        Act.ASSIGN: Status.ACCEPTED,
        Act.ACCEPT: Status.ACCEPTED,
        Act.DECLINE: Status.OPEN,
        Act.EXPIRE: Status.OPEN,
    },
    Status.RESOLVED: {Act.BROKEN: Status.OPEN, Act.ACCEPT: Status.ACCEPTED},
    Status.GONE: {Act.BROKEN: Status.OPEN, Act.ACCEPT: Status.ACCEPTED},
}

# What happened is seen neither right nor gone: a person's word closes it, who knows that it happened and says why.
OF_OCCURRENCES: Mapping[Status | None, Mapping[Act, Status]] = {
    None: TRANSITIONS[None],
    Status.OPEN: {
        act: Status.RESOLVED if act is Act.ACKNOWLEDGE else to
        for act, to in TRANSITIONS[Status.OPEN].items()
        if act not in (Act.RIGHT, Act.GONE)
    },
    Status.ACCEPTED: {act: to for act, to in TRANSITIONS[Status.ACCEPTED].items() if act not in (Act.RIGHT, Act.GONE)},
    Status.RESOLVED: TRANSITIONS[Status.RESOLVED],
}

_PLACE = re.compile(r"\[\d+\]")
_PLACEHOLDER = re.compile(r"\{(identifier|arn|region|account)\}")


class Impossible(ValueError):
    """An act that a finding of this status does not know."""


def step(finding: Finding, transition: Transition, *, told: Iterable[str] = (), **changed: Any) -> Finding:
    """The next revision of a finding.

    Args:
        finding: the last one.
        transition: what happened; `was` is filled in.
        told: ids of the teams to tell besides the owner's.
        changed: other fields that are different now.

    Raises:
        Impossible: if `TRANSITIONS`, or `OF_OCCURRENCES`, has no such step.
    """
    table = OF_OCCURRENCES if is_occurrence(finding) else TRANSITIONS
    to = table.get(finding.status, {}).get(transition.act)
    if to is None:
        raise Impossible(f"a finding that is {finding.status} cannot be {transition.act}")
    after = replace(finding, **changed)
    return replace(
        after,
        status=to,
        revision=finding.revision + 1,
        transition=replace(transition, was=finding.status),
        audience=_audience(after, told),
    )


def reopened(finding: Finding, transition: Transition, organization: Organization, *, told: Iterable[str]) -> Finding:
    """The next revision of an accepted finding that nothing covers any more: a new opening with a new deadline."""
    return step(
        finding,
        transition,
        told=told,
        opened_at=transition.at,
        due_at=_due(finding.severity, transition.at, organization),
        reopened=finding.reopened + 1,
        exception=None,
        acknowledged_at=None,
        acknowledged_by=None,
        reminded=0,
        escalated=0,
    )


def decide(
    previous: Finding | None,
    evaluation: Evaluation,
    *,
    snapshot: Snapshot,
    before: Snapshot | None,
    attribution: Attribution,
    exception: AcceptedRisk | None,
    changes: Sequence[Change],
    organization: Organization,
    matrix_version: str,
    occasion: Occasion = Occasion(),
) -> Finding | None:
    """The next revision of a finding, or None where nothing is worth telling.

    No verdict changes nothing: a finding that stood stands, and the blind spot is a finding of its own.

    Args:
        previous: what is recorded.
        evaluation: what was found now.
        snapshot: on what.
        before: the resource as it was last read before, if anybody had.
        attribution: whose it is.
        exception: what the matrix says of it.
        changes: the changes that led to looking, if any did.
        organization: the customer's page.
        matrix_version: what it was judged by.
        occasion: why it was looked at.
    """
    standing = previous if previous is not None and previous.status in STANDING else None
    if evaluation.control.occurrence:
        if not evaluation.drift:
            return None
        # What it tells already it goes on telling, and no earlier state is there to compare with.
        evaluation = replace(evaluation, drift=together(standing.drift if standing else (), evaluation.drift))
        before = None
    if evaluation.compliance is Compliance.INSUFFICIENT_DATA:
        return None
    if evaluation.compliance is not Compliance.NON_COMPLIANT:
        if standing is None:
            return None
        return _resolved(
            standing,
            evaluation,
            changes=changes,
            organization=organization,
            observed_at=snapshot.observed_at,
            occasion=occasion,
        )
    resource, owner, at = snapshot.resource, attribution.owner, snapshot.observed_at
    drift = _with_what_was(evaluation.drift, snapshot, before, standing)
    cause = cause_of(drift, changes, resource, owner, organization, already=_already(drift, before))
    risk = _covering(standing, exception, drift, at)
    control = evaluation.control
    current = Finding(
        id=finding_id(control, resource),
        control=control.id,
        title=control.title,
        severity=control.severity,
        layer=control.layer,
        compliance=evaluation.compliance,
        status=Status.ACCEPTED if risk else Status.OPEN,
        resource=resource,
        attribution=attribution,
        drift=drift,
        guidance=guidance_for(control, resource),
        references=control.references,
        security_hub=control.security_hub,
        opened_at=at,
        observed_at=at,
        due_at=_due(control.severity, at, organization),
        matrix_version=matrix_version,
        revision=previous.revision + 1 if previous else 1,
        announced=previous.announced if previous else 0,
        reopened=previous.reopened + 1 if previous else 0,
        cause=cause,
        exception=risk,
        audience=(owner.team,),
        transition=_seen(
            Act.ACCEPT if risk else Act.BROKEN, cause, risk, occasion, at=at, was=previous.status if previous else None
        ),
    )
    return current if standing is None else _changed(standing, current, organization, occasion)


def gone(
    previous: Finding,
    *,
    changes: Sequence[Change],
    organization: Organization,
    observed_at: datetime,
    occasion: Occasion = Occasion(),
) -> Finding | None:
    """A standing finding whose resource is not there any more."""
    if previous.status not in STANDING:
        return None
    cause = cause_of((), changes, previous.resource, previous.attribution.owner, organization)
    return step(
        previous,
        Transition(Act.GONE, occasion.origin, _by(cause, occasion), observed_at),
        resolved_by=cause,
        reason="the resource is gone",
        proposal=None,
        observed_at=observed_at,
        resolved_at=observed_at,
    )


def fingerprint_of(drift: Iterable[Drift]) -> str:
    """What was seen to be wrong, as a short text that is the same whenever the same is seen."""
    return hashlib.sha256("\0".join(sorted(map(_facts, drift))).encode()).hexdigest()[:24]


def _facts(drift: Drift) -> str:
    """What makes it the same drift: all but what was there before, and its place in a list, which others move."""
    facts = (_PLACE.sub("[]", drift.path), drift.required, drift.actual, drift.because)
    return json.dumps(to_wire(facts), sort_keys=True)


def _same(one: Sequence[Drift], other: Sequence[Drift]) -> bool:
    return sorted(map(_facts, one)) == sorted(map(_facts, other))


def _due(severity: Severity, opened_at: datetime, organization: Organization) -> datetime:
    return due_at(severity, opened_at, deadlines=organization.deadlines, calendar=organization.calendar)


def _audience(finding: Finding, told: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((finding.attribution.owner.team, *(team for team in told if team))))


def _by(cause: Cause | None, occasion: Occasion) -> str:
    return cause.actor.name if cause and occasion.origin is Origin.CHANGE else occasion.by


def _seen(
    act: Act, cause: Cause | None, risk: AcceptedRisk | None, occasion: Occasion, *, at: datetime, was: Status | None
) -> Transition:
    if act is Act.ACCEPT and risk:
        return Transition(act, risk.origin, risk.approver, at, was=was, reason=f"{risk.id}: {risk.reason}")
    return Transition(act, occasion.origin, _by(cause, occasion), at, was=was)


def _covering(
    standing: Finding | None, exception: AcceptedRisk | None, drift: Sequence[Drift], at: datetime
) -> AcceptedRisk | None:
    """What covers the finding now: the matrix first, else what people agreed on while that lasts."""
    if exception or standing is None or standing.exception is None:
        return exception
    agreed = standing.exception
    if agreed.origin is Origin.MATRIX or agreed.expires <= at:
        return None
    return agreed if agreed.drift in (None, fingerprint_of(drift)) else None


def _with_what_was(
    drift: Sequence[Drift], now: Snapshot, before: Snapshot | None, standing: Finding | None
) -> tuple[Drift, ...]:
    """Drift with what was there before it; a drift that is known already keeps what was known of it."""
    known = {_facts(each): each.was for each in standing.drift} if standing else {}
    return tuple(
        replace(each, was=known[facts] if (facts := _facts(each)) in known else _was(each, now, before))
        for each in drift
    )


def _was(drift: Drift, now: Snapshot, before: Snapshot | None) -> Was | None:
    if before is None:
        return None
    value = before.counterpart(drift.path, now)
    if isinstance(value, list) and not isinstance(drift.actual, list):
        # The path names the list, and what is wrong is one entry of it.
        value = drift.actual if drift.actual in value else None
    return None if value is NOWHERE else Was(value, before.observed_at)


def _already(drift: Sequence[Drift], before: Snapshot | None) -> datetime | None:
    """When all of it was seen already, before this finding was opened: no later change brought it about."""
    if before is None or not drift:
        return None
    known = all(each.was and each.was.at == before.observed_at and each.was.value == each.actual for each in drift)
    return before.observed_at if known else None


def cause_of(
    drift: Sequence[Drift],
    changes: Sequence[Change],
    resource: Resource,
    owner: Owner,
    organization: Organization,
    *,
    already: datetime | None = None,
) -> Cause | None:
    """The change to show beside a finding: the latest that writes what drifted, else the latest that touched it.

    `already` is when all of the drift was seen before; a change after that did not bring it about.
    """
    if not changes:
        return None
    drifted = {property_of(each.path) for each in drift}

    def order(change: Change) -> tuple[datetime, bool, str]:
        # CloudTrail's times are whole seconds. Of two calls in the same one, creation, which writes everything, came
        # before the call that writes what drifted.
        return change.time, bool(drifted & written_by(change, resource)), change.event_id

    latest_first = sorted(changes, key=order, reverse=True)
    for change in latest_first:
        writes = drifted & written_by(change, resource) or "*" in written_by(change, resource)
        if writes and (already is None or change.time <= already):
            return _cause(change, owner, organization, set_it=True)
    return _cause(latest_first[0], owner, organization, set_it=False)


def written_by(change: Change, resource: Resource) -> set[str]:
    """The snapshot properties of a resource that a change writes."""
    return {prop for touched in change.touched if touched.resource.key == resource.key for prop in touched.sets}


def _cause(change: Change, owner: Owner, organization: Organization, *, set_it: bool) -> Cause:
    return Cause(
        event_id=change.event_id,
        event_source=change.event_source,
        event_name=change.event_name,
        time=change.time,
        actor=change.actor,
        via=change.via,
        via_confidence=change.via_confidence,
        relation=relation_of(change.actor, owner, organization),
        set_it=set_it,
    )


def _changed(standing: Finding, current: Finding, organization: Organization, occasion: Occasion) -> Finding | None:
    """The next revision of a finding that still stands, or None where only the clock moved."""
    drifted = not _same(standing.drift, current.drift)
    learned = not drifted and _tells_who(standing, current.cause)
    act = _act(standing, current)
    if act is Act.BROKEN and not drifted and not learned and standing.severity is current.severity:
        return None
    cause = current.cause
    if not learned and (not drifted or cause is None or not cause.set_it):
        cause = standing.cause or cause
    # Nothing new was seen of the resource where only who it was is new.
    at = standing.observed_at if learned and act is Act.BROKEN else current.observed_at
    now = replace(current, cause=cause, observed_at=at)
    transition = _seen(act, current.cause, current.exception, occasion, at=current.observed_at, was=standing.status)
    if act is Act.EXPIRE:
        return _uncovered(standing, now, transition, organization)
    kept = replace(
        now,
        revision=standing.revision,
        status=standing.status,
        opened_at=standing.opened_at,
        due_at=standing.due_at if standing.severity is current.severity else current.due_at,
        reopened=standing.reopened,
        assignee=standing.assignee,
        acknowledged_at=standing.acknowledged_at,
        acknowledged_by=standing.acknowledged_by,
        # What was proposed was proposed for what was seen then.
        proposal=None if drifted or act is Act.ACCEPT else standing.proposal,
        reminded=standing.reminded,
        escalated=standing.escalated,
    )
    if act is not Act.MOVE:
        return step(kept, transition)
    return step(
        kept,
        replace(transition, reason=current.attribution.owner.because),
        told=(standing.attribution.owner.team,),
        assignee=None,
        acknowledged_at=None,
        acknowledged_by=None,
        proposal=None,
        reminded=0,
        escalated=0,
    )


def _act(standing: Finding, current: Finding) -> Act:
    """What it is that was seen of a finding that stands."""
    if current.exception and standing.exception != current.exception:
        return Act.ACCEPT
    if standing.status is Status.ACCEPTED and current.exception is None:
        return Act.EXPIRE
    if standing.attribution.owner.team != current.attribution.owner.team:
        return Act.MOVE
    return Act.BROKEN


def _uncovered(standing: Finding, now: Finding, transition: Transition, organization: Organization) -> Finding:
    """An accepted risk that nothing covers any more, seen by looking at the resource."""
    ended = standing.exception
    was = replace(now, revision=standing.revision, status=standing.status, reopened=standing.reopened)
    told = (ended.approver_team,) if ended else ()
    return reopened(was, replace(transition, reason=why_uncovered(ended, transition.at)), organization, told=told)


def why_uncovered(ended: AcceptedRisk | None, at: datetime) -> str:
    """Why an acceptance covers nothing any more, for whoever reads the history."""
    if ended is None:
        return "nothing covers it any more"
    if ended.expires <= at:
        return f"{ended.id}, approved by {ended.approver}, expired"
    if ended.false_positive:
        return f"{ended.id} spoke of something else than what is seen now"
    return f"{ended.id} is not in the matrix any more"


def _tells_who(previous: Finding, cause: Cause | None) -> bool:
    """Whether an event that came late tells whose doing a drift was: somebody not known, or somebody else.

    Events arrive in any order, so a drift may be seen with a call that did not write it, or not last. A change made
    after the drift was seen did not lead to it.
    """
    if cause is None or not cause.set_it or cause.time > previous.observed_at:
        return False
    known = previous.cause
    if known is None or not known.set_it:
        return True
    return cause.time > known.time and cause.actor.name != known.actor.name


def _resolved(
    standing: Finding,
    evaluation: Evaluation,
    *,
    changes: Sequence[Change],
    organization: Organization,
    observed_at: datetime,
    occasion: Occasion,
) -> Finding:
    cause = cause_of(standing.drift, changes, standing.resource, standing.attribution.owner, organization)
    return step(
        standing,
        Transition(Act.RIGHT, occasion.origin, _by(cause, occasion), observed_at, reason=evaluation.reason),
        compliance=evaluation.compliance,
        drift=(),
        resolved_by=cause,
        reason=evaluation.reason,
        exception=None,
        proposal=None,
        observed_at=observed_at,
        resolved_at=observed_at,
    )


def guidance_for(control: Control, resource: Resource) -> str:
    """The fix with the resource's names in it, quoted for a shell: a name from an event is not to be trusted."""
    return _PLACEHOLDER.sub(lambda match: shlex.quote(getattr(resource, match[1])), control.guidance)
