"""What people say of a finding, and what the clock does to it: each the next revision, or a refusal in words.

No act here says that a control holds: that is read from AWS (`core.finding`). What happened cannot be read again, so
there a person's word is the end of it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from demarc.core.finding import fingerprint_of, reopened, step, why_uncovered
from demarc.core.matrix import Organization, Person
from demarc.core.model import AcceptedRisk, Act, Finding, Origin, Status, Transition
from demarc.core.occurrence import is_occurrence

_LONGEST_REASON = 1_000


class Refused(ValueError):
    """What somebody asked for is not to be; the message says why, to them."""


def acknowledge(finding: Finding, *, by: Person, origin: Origin, at: datetime, reason: str = "") -> Finding:
    """Somebody says that they know and are at it; of what happened, what came of it, and that closes it.

    Raises:
        Refused: if the finding does not wait for that, or would be closed without a reason.
    """
    if finding.status is Status.ACKNOWLEDGED:
        raise Refused(f"{finding.acknowledged_by} has acknowledged it already.")
    _refuse_unless_it_waits(finding)
    acknowledged = Transition(Act.ACKNOWLEDGE, origin, by.name, at, reason=_short(reason))
    if not is_occurrence(finding):
        return step(finding, acknowledged, acknowledged_at=at, acknowledged_by=by.name)
    if not acknowledged.reason:
        raise Refused("It happened, and only your word closes it: say why it was right, or what was done about it.")
    return step(
        finding,
        acknowledged,
        acknowledged_at=at,
        acknowledged_by=by.name,
        resolved_at=at,
        reason=acknowledged.reason,
        proposal=None,
    )


def assign(finding: Finding, *, to: Person, by: Person, origin: Origin, at: datetime, reason: str = "") -> Finding:
    """Somebody is to see to it. Whose it is stays what the matrix says.

    Raises:
        Refused: if the finding does not stand any more, or is theirs already.
    """
    _refuse_unless_it_stands(finding)
    if finding.assignee == to.name:
        raise Refused(f"It is assigned to {to.name} already.")
    return step(
        finding,
        Transition(Act.ASSIGN, origin, by.name, at, reason=_short(reason), to=to.name),
        told=(to.team,),
        assignee=to.name,
    )


def accept(
    finding: Finding,
    *,
    by: Person,
    reason: str,
    until: datetime,
    organization: Organization,
    origin: Origin,
    at: datetime,
    false_positive: bool = False,
) -> Finding:
    """Somebody accepts the risk until some day, or proposes to where the matrix asks for a second person.

    A false positive covers exactly what was seen: when the resource looks different, the finding opens again.

    Raises:
        Refused: if they may not, if there is no reason, or the day is past or too far away.
    """
    _refuse_unless_it_waits(finding)
    limits = organization.acceptance
    if not reason.strip():
        raise Refused("A risk is accepted for a reason: say which.")
    if not at < until <= at + timedelta(days=limits.longest_days):
        # A day ends with its midnight, and so later than the moment of this word.
        latest = at + timedelta(days=limits.longest_days - 1)
        raise Refused(f"A risk is accepted until some day after today, and {latest:%Y-%m-%d} at the latest.")
    owns = by.team == finding.attribution.owner.team
    if not owns and not _may_approve(by, organization):
        raise Refused(f"It is team {finding.attribution.owner.team}'s to accept, or one of the approvers'.")
    risk = AcceptedRisk(
        id=f"{finding.id[:8]}-{finding.revision + 1}",
        reason=_short(reason),
        approver=by.name,
        expires=until,
        approver_team=by.team,
        requested_by=by.name,
        origin=origin,
        drift=fingerprint_of(finding.drift) if false_positive else None,
    )
    if owns and asks_for_a_second_person(finding, organization):
        return step(
            finding,
            Transition(Act.PROPOSE, origin, by.name, at, reason=risk.reason),
            told=(person.team for person in approvers(organization)),
            proposal=replace(risk, approver="", approver_team=""),
        )
    return step(finding, Transition(Act.ACCEPT, origin, by.name, at, reason=risk.reason), exception=risk, proposal=None)


def approve(
    finding: Finding, *, by: Person, organization: Organization, origin: Origin, at: datetime, reason: str = ""
) -> Finding:
    """The second person agrees to what was proposed.

    Raises:
        Refused: if nothing is proposed, or they may not approve, or it is their own proposal.
    """
    _refuse_unless_it_waits(finding)
    proposal = finding.proposal
    if proposal is None:
        raise Refused("Nobody has proposed to accept it, or it looks different since.")
    if not _may_approve(by, organization):
        raise Refused(f"Only {_named(organization)} may approve it.")
    if by.name == proposal.requested_by:
        raise Refused("Whoever proposes to accept a risk cannot approve it too.")
    if proposal.expires <= at:
        raise Refused("The day until which it was to be accepted is past.")
    return step(
        finding,
        Transition(Act.ACCEPT, origin, by.name, at, reason=_short(reason) or proposal.reason),
        exception=replace(proposal, approver=by.name, approver_team=by.team, origin=origin),
        proposal=None,
    )


def decline(
    finding: Finding, *, by: Person, organization: Organization, origin: Origin, at: datetime, reason: str
) -> Finding:
    """Somebody refuses what was proposed, or takes back what was accepted: the finding is open again.

    Raises:
        Refused: if there is nothing to decline, if they may not, or if it is written in the matrix.
    """
    if not _may_approve(by, organization) and by.team != finding.attribution.owner.team:
        raise Refused(f"That is up to team {finding.attribution.owner.team} and {_named(organization)}.")
    declined = Transition(Act.DECLINE, origin, by.name, at, reason=_short(reason))
    risk = finding.exception
    if finding.status is Status.ACCEPTED and risk:
        if risk.origin is Origin.MATRIX:
            raise Refused(f"{risk.id} is written in the matrix, and has to be taken out there.")
        return reopened(finding, declined, organization, told=(risk.approver_team,))
    if finding.proposal is None:
        raise Refused("Nobody has proposed to accept it.")
    return step(finding, declined, proposal=None)


def expire(finding: Finding, *, organization: Organization, at: datetime) -> Finding:
    """The day until which a risk was accepted is past: the finding is open again, and its approver told.

    Raises:
        Refused: if it is not accepted, or not past yet.
    """
    risk = finding.exception
    if finding.status is not Status.ACCEPTED or risk is None or at < risk.expires:
        raise Refused("No acceptance of it has expired.")
    expired = Transition(Act.EXPIRE, Origin.SCHEDULE, "Demarc", at, reason=why_uncovered(risk, at), to=risk.approver)
    return reopened(finding, expired, organization, told=(risk.approver_team,))


def remind(finding: Finding, *, at: datetime, reason: str) -> Finding:
    """Tell the owner once more, before the deadline.

    Raises:
        Refused: if the finding does not wait for anybody.
    """
    _refuse_unless_it_waits(finding)
    owner = finding.assignee or finding.attribution.owner.person
    transition = Transition(Act.REMIND, Origin.SCHEDULE, "Demarc", at, reason=reason, to=owner)
    return step(finding, transition, reminded=finding.reminded + 1)


def escalate(finding: Finding, *, to: Person, at: datetime, reason: str) -> Finding:
    """Tell the next person of the chain, after the deadline.

    Raises:
        Refused: if the finding does not wait for anybody.
    """
    _refuse_unless_it_waits(finding)
    transition = Transition(Act.ESCALATE, Origin.SCHEDULE, "Demarc", at, reason=reason, to=to.name)
    return step(finding, transition, told=(to.team,), escalated=finding.escalated + 1)


def asks_for_a_second_person(finding: Finding, organization: Organization) -> bool:
    """Whether the owner's own word is not enough to accept it."""
    return finding.severity in organization.acceptance.second_person


def approvers(organization: Organization) -> tuple[Person, ...]:
    """Who may approve: those whom the matrix names, else everybody of governance."""
    named = organization.acceptance.approvers
    if named:
        return tuple(organization.people[person] for person in named)
    return tuple(person for person in organization.people.values() if person.team == organization.governance)


def _may_approve(person: Person, organization: Organization) -> bool:
    return any(person.id == approver.id for approver in approvers(organization))


def _named(organization: Organization) -> str:
    return " or ".join(person.name for person in approvers(organization)) or "nobody"


def _refuse_unless_it_stands(finding: Finding) -> None:
    if finding.status in (Status.RESOLVED, Status.GONE):
        raise Refused(f"It is {finding.status} already.")


def _refuse_unless_it_waits(finding: Finding) -> None:
    _refuse_unless_it_stands(finding)
    if finding.status is Status.ACCEPTED and finding.exception:
        risk = finding.exception
        raise Refused(f"It is accepted until {risk.expires:%Y-%m-%d} ({risk.id}, {risk.approver}).")


def _short(text: str) -> str:
    return text.strip()[:_LONGEST_REASON]
