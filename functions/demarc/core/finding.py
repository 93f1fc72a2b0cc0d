"""Previous finding + evaluation -> finding: opened, changed, resolved, reopened, gone; None if there is no news."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from demarc.core.attribution import relation_of
from demarc.core.matrix import Organization
from demarc.core.model import (
    AcceptedRisk,
    Attribution,
    Cause,
    Change,
    Compliance,
    Control,
    Drift,
    Evaluation,
    Finding,
    Owner,
    Resource,
    Status,
    finding_id,
)
from demarc.core.snapshot import property_of

_STANDING = (Status.OPEN, Status.ACCEPTED)
_PLACEHOLDER = re.compile(r"\{(identifier|arn|region|account)\}")


def decide(
    previous: Finding | None,
    evaluation: Evaluation,
    *,
    resource: Resource,
    attribution: Attribution,
    exception: AcceptedRisk | None,
    changes: Sequence[Change],
    organization: Organization,
    observed_at: datetime,
    matrix_version: str,
) -> Finding | None:
    """The next revision of a finding, or None where nothing is worth telling.

    No verdict changes nothing: a finding that stood stands, and the blind spot is a finding of its own.
    """
    stands = previous is not None and previous.status in _STANDING
    if evaluation.compliance is Compliance.INSUFFICIENT_DATA:
        return None
    if evaluation.compliance is not Compliance.NON_COMPLIANT:
        if previous is None or not stands:
            return None
        return _resolved(previous, evaluation, changes, organization, observed_at)
    current = _standing(
        evaluation,
        resource=resource,
        attribution=attribution,
        exception=exception,
        cause=cause_of(evaluation.drift, changes, resource, attribution.owner, organization),
        organization=organization,
        observed_at=observed_at,
        matrix_version=matrix_version,
    )
    if previous is None:
        return current
    if not stands:
        return replace(
            current, revision=previous.revision + 1, announced=previous.announced, reopened=previous.reopened + 1
        )
    return _changed(previous, current)


def gone(
    previous: Finding, *, changes: Sequence[Change], organization: Organization, observed_at: datetime
) -> Finding | None:
    """A standing finding whose resource is not there any more."""
    if previous.status not in _STANDING:
        return None
    return replace(
        previous,
        status=Status.GONE,
        resolved_by=cause_of((), changes, previous.resource, previous.attribution.owner, organization),
        reason="the resource is gone",
        observed_at=observed_at,
        resolved_at=observed_at,
        revision=previous.revision + 1,
    )


def cause_of(
    drift: Sequence[Drift],
    changes: Sequence[Change],
    resource: Resource,
    owner: Owner,
    organization: Organization,
) -> Cause | None:
    """The change to show beside a finding: the latest that writes what drifted, else the latest that touched it."""
    if not changes:
        return None
    drifted = {property_of(each.path) for each in drift}

    def order(change: Change) -> tuple[datetime, bool, str]:
        # CloudTrail's times are whole seconds. Of two calls in the same one, creation, which writes everything, came
        # before the call that writes what drifted.
        return change.time, bool(drifted & written_by(change, resource)), change.event_id

    latest_first = sorted(changes, key=order, reverse=True)
    for change in latest_first:
        if drifted & written_by(change, resource) or "*" in written_by(change, resource):
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


def _standing(
    evaluation: Evaluation,
    *,
    resource: Resource,
    attribution: Attribution,
    exception: AcceptedRisk | None,
    cause: Cause | None,
    organization: Organization,
    observed_at: datetime,
    matrix_version: str,
) -> Finding:
    control = evaluation.control
    return Finding(
        id=finding_id(control, resource),
        control=control.id,
        title=control.title,
        severity=control.severity,
        layer=control.layer,
        compliance=evaluation.compliance,
        status=Status.ACCEPTED if exception else Status.OPEN,
        resource=resource,
        attribution=attribution,
        drift=evaluation.drift,
        guidance=guidance_for(control, resource),
        references=control.references,
        security_hub=control.security_hub,
        opened_at=observed_at,
        observed_at=observed_at,
        due_at=observed_at + timedelta(hours=organization.deadlines[control.severity]),
        matrix_version=matrix_version,
        revision=1,
        cause=cause,
        exception=exception,
    )


def _changed(previous: Finding, current: Finding) -> Finding | None:
    """The next revision of a finding that still stands, or None where only the clock moved."""
    same = (
        previous.drift == current.drift
        and previous.status is current.status
        and previous.severity is current.severity
        and previous.attribution.owner.team == current.attribution.owner.team
    )
    learned = previous.drift == current.drift and _tells_who(previous, current.cause)
    if same and not learned:
        return None
    severity_kept = previous.severity is current.severity
    cause = current.cause
    if not learned and (previous.drift == current.drift or cause is None or not cause.set_it):
        cause = previous.cause
    return replace(
        current,
        opened_at=previous.opened_at,
        # Nothing new was seen of the resource, only of who it was.
        observed_at=previous.observed_at if learned else current.observed_at,
        due_at=previous.due_at if severity_kept else current.due_at,
        cause=cause or current.cause,
        revision=previous.revision + 1,
        announced=previous.announced,
        reopened=previous.reopened,
    )


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
    previous: Finding,
    evaluation: Evaluation,
    changes: Sequence[Change],
    organization: Organization,
    observed_at: datetime,
) -> Finding:
    return replace(
        previous,
        status=Status.RESOLVED,
        compliance=evaluation.compliance,
        drift=(),
        resolved_by=cause_of(previous.drift, changes, previous.resource, previous.attribution.owner, organization),
        reason=evaluation.reason,
        exception=None,
        observed_at=observed_at,
        resolved_at=observed_at,
        revision=previous.revision + 1,
    )


def guidance_for(control: Control, resource: Resource) -> str:
    """The fix with the resource's names in it, quoted for a shell: a name from an event is not to be trusted."""
    return _PLACEHOLDER.sub(lambda match: shlex.quote(getattr(resource, match[1])), control.guidance)
