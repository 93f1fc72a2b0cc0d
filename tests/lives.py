"""Histories of findings for tests: whatever may happen to one, revision by revision, as the state machine allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from demarc.core.finding import reopened, step
from demarc.core.model import STANDING, AcceptedRisk, Act, Finding, Layer, Origin, Severity, Status, Transition
from tests.factories import NOON, a_cause, a_finding, next_revision
from tests.organizations import organization

ORGANIZATION = organization()
HAPPENINGS = ("acknowledge", "accept", "uncover", "change", "mend", "delete", "break", "move", "remind")

# One thing after the other: what, and how many hours later.
happenings = st.lists(st.tuples(st.sampled_from(HAPPENINGS), st.integers(1, 100)), max_size=10)


def a_life(happened: Sequence[tuple[str, int]], **first: Any) -> tuple[Finding, ...]:
    """Every revision of a finding that was opened at noon for a change twenty seconds before; what cannot be is not."""
    facts = {"transition": Transition(Act.BROKEN, Origin.CHANGE, "Jonas Weber", NOON)}
    life, at = [a_finding(**(facts | first))], NOON
    for what, hours in happened:
        at += timedelta(hours=hours)
        following = _next(life[-1], what, at)
        if following is not None:
            life.append(following)
    return tuple(life)


def _next(finding: Finding, what: str, at: datetime) -> Finding | None:
    status = finding.status

    def done(act: Act, origin: Origin = Origin.CLI) -> Transition:
        return Transition(act, origin, "Jonas Weber", at)

    if status not in STANDING:
        return _broken_again(finding, at) if what == "break" else None
    if what == "mend":
        return step(finding, done(Act.RIGHT, Origin.CHANGE), drift=(), observed_at=at, resolved_at=at, exception=None)
    if what == "delete":
        return step(finding, done(Act.GONE, Origin.CHANGE), observed_at=at, resolved_at=at)
    if what == "change":
        cause = a_cause(event_id=f"{at:%d%H}", time=at - timedelta(seconds=30))
        return step(finding, done(Act.BROKEN, Origin.CHANGE), cause=cause, observed_at=at)
    if what == "move":
        owner = replace(finding.attribution.owner, team="platform")
        attribution = replace(finding.attribution, owner=owner)
        kept: dict[str, Any] = {"attribution": attribution, "acknowledged_at": None, "acknowledged_by": None}
        return step(finding, done(Act.MOVE, Origin.SWEEP), **kept) if owner != finding.attribution.owner else None
    if status is Status.ACCEPTED:
        return reopened(finding, done(Act.EXPIRE), ORGANIZATION, told=()) if what == "uncover" else None
    if what == "acknowledge" and status is Status.OPEN:
        return step(finding, done(Act.ACKNOWLEDGE), acknowledged_at=at, acknowledged_by="Jonas Weber")
    if what == "accept":
        risk = AcceptedRisk("RISK-1", "it is public on purpose", "Helena Novak", at + timedelta(days=30))
        return step(finding, done(Act.ACCEPT), exception=risk)
    return step(finding, done(Act.REMIND), reminded=finding.reminded + 1) if what == "remind" else None


def _broken_again(finding: Finding, at: datetime) -> Finding:
    return next_revision(
        finding,
        status=Status.OPEN,
        drift=a_finding().drift,
        opened_at=at,
        observed_at=at,
        due_at=at + timedelta(hours=72),
        resolved_at=None,
        acknowledged_at=None,
        acknowledged_by=None,
        exception=None,
        reopened=finding.reopened + 1,
        cause=a_cause(event_id=f"{at:%d%H}", time=at - timedelta(seconds=40)),
        transition=Transition(Act.BROKEN, Origin.CHANGE, "Jonas Weber", at, was=finding.status),
    )


lives = st.builds(
    lambda happened, severity, layer, team: a_life(happened, severity=severity, layer=layer, team=team),
    happenings,
    st.sampled_from(list(Severity)),
    st.sampled_from([Layer.DATA, Layer.IDENTITY]),
    st.sampled_from(["payments", "platform"]),
)
