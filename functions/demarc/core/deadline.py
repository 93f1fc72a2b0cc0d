"""What the clock does to a finding: an acceptance expires, the owner is reminded, an overdue one goes up the chain.

At most one step at a time, and each is a revision that counts it: so it happens once, however often somebody looks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from demarc.core.acts import escalate, expire, remind
from demarc.core.calendar import last_weekly
from demarc.core.matrix import Organization, Person
from demarc.core.model import TO_DO, AcceptedRisk, Finding, Origin, Status

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


def next_step(finding: Finding, organization: Organization, now: datetime) -> Finding | None:
    """The revision that the clock leads to now, or None if it leads to nothing.

    Whoever acknowledged a finding is chased all the same: they said that they know, not that it is mended.
    """
    if finding.status is Status.ACCEPTED:
        return _expired(finding, organization, now)
    if finding.status not in TO_DO:
        return None
    return _reminded(finding, organization, now) if now < finding.due_at else _escalated(finding, organization, now)


def _expired(finding: Finding, organization: Organization, now: datetime) -> Finding | None:
    risk = finding.exception
    if risk is None or now < risk.expires or _prolonged(risk, organization, now):
        return None
    return expire(finding, organization=organization, at=now)


def _prolonged(risk: AcceptedRisk, organization: Organization, now: datetime) -> bool:
    """Whether the matrix holds a newer date than the finding, which learns of it when its resource is judged again."""
    return risk.origin is Origin.MATRIX and any(
        row.id == risk.id and now < row.expires for row in organization.exceptions
    )


def _reminded(finding: Finding, organization: Organization, now: datetime) -> Finding | None:
    """Of several reminders that were missed, the owner gets one. One from before the opening is no reminder."""
    moments = (finding.due_at - hours * _HOUR for hours in organization.chasing.reminders)
    passed = sum(finding.opened_at < moment <= now for moment in moments)
    if passed <= finding.reminded:
        return None
    reason = f"it must be right again in {_spoken(finding.due_at - now)}"
    return replace(remind(finding, at=now, reason=reason), reminded=passed)


def _escalated(finding: Finding, organization: Organization, now: datetime) -> Finding | None:
    """One person at a time; nobody is passed over because the clock stood still meanwhile."""
    chain = chain_of(finding, organization)
    step = finding.escalated
    if step >= len(chain) or now < finding.due_at + step * organization.chasing.escalate_every * _HOUR:
        return None
    late = now - finding.due_at
    reason = f"overdue for {_spoken(late)}" if late >= _HOUR else "its deadline has passed"
    return escalate(finding, to=chain[step], at=now, reason=reason)


def chain_of(finding: Finding, organization: Organization) -> tuple[Person, ...]:
    """Who is told that a finding is overdue, in order and once each.

    First whoever sees to it, and their team with them; then the people of the owning team's escalation; at last
    governance.
    """
    return tuple({person.id: person for person in _chain(finding, organization)}.values())


def _chain(finding: Finding, organization: Organization) -> Iterator[Person]:
    people, owner = organization.people, finding.attribution.owner
    team = organization.teams.get(owner.team)
    named = finding.assignee or owner.person
    first = next((person for person in people.values() if person.name == named), None)
    if first:
        yield first
    if team:
        if first is None:
            yield people[team.accountable]
        yield from (people[each] for each in team.escalation)
    yield people[organization.teams[organization.governance].accountable]


def _spoken(span: timedelta) -> str:
    """A span of time in whole hours, or days from two on."""
    hours = max(round(span / _HOUR), 1)
    if hours >= 48:
        return f"{round(hours / 24)} days"
    return "an hour" if hours == 1 else f"{hours} hours"


def digest_week(now: datetime, organization: Organization) -> date | None:
    """The day of the weekly digests that are to go out now; None if it is not their time.

    One that is more than a day late is left out: the next says the same, and what happened since.
    """
    chasing, calendar = organization.chasing, organization.calendar
    moment = last_weekly(chasing.digest_weekday, chasing.digest_hour, now, calendar)
    return moment.date() if now - moment < _DAY else None
