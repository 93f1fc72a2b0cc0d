"""What a team, or governance, is told now and then: how much there is, what is worst, and what waits for somebody.

Counts are facts and always there; the lines that show what is counted are examples, and give way where there are many.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from demarc.core.announcement import Announcement, clean, shortened
from demarc.core.matrix import Organization
from demarc.core.model import STANDING, TO_DO, AcceptedRisk, Finding, Severity, Status
from demarc.core.wire import WireError, from_wire, json_schema, to_wire

SCHEMA = "demarc.digest/1"

EXPIRES_SOON = timedelta(days=30)

# SNS takes 256 KiB for a whole message, attributes included, and the text travels with the body (SNS API Reference,
# Publish). The lines of each list, and the teams, that are tried until it fits.
_MESSAGE_SIZE = 240_000
_LINES = ((10, 400), (10, 100), (3, 30), (0, 0))
_NAME_LENGTH = 100
_TEXT_LENGTH = 200
_SUBJECT_LENGTH = 99
_WIDTH = 78

# Controls about what could not be looked at are Demarc's own.
_BLIND_SPOT = "demarc-"


class DigestKind(StrEnum):
    """`baseline` is the first look at what was there before; `governance` is over all teams."""

    BASELINE = "baseline"
    WEEKLY = "weekly"
    GOVERNANCE = "governance"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many findings.

    `open` are those to be mended, by severity; of them `acknowledged` ones, `overdue` ones, `proposals` to accept the
    risk that wait for a second person, `attribution_gaps` that no row of the matrix has an owner for, and
    `blind_spots`. `accepted` findings are covered by as many `acceptances`, of which `expiring` ones end within 30
    days. In the period `new` ones were opened for the first time, `reopened` ones again (it came back, or nothing
    covers it any more), and `resolved` ones were seen right or gone; a finding is counted by what happened to it last.
    """

    open: Mapping[Severity, int] = field(default_factory=dict)
    acknowledged: int = 0
    overdue: int = 0
    proposals: int = 0
    attribution_gaps: int = 0
    blind_spots: int = 0
    accepted: int = 0
    acceptances: int = 0
    expiring: int = 0
    new: int = 0
    reopened: int = 0
    resolved: int = 0

    @property
    def to_do(self) -> int:
        return sum(self.open.values())


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding in a line. `person` is to see to it; a proposal says who made it, and until when it would hold."""

    finding: str
    severity: Severity
    status: Status
    control: str
    title: str
    type: str
    identifier: str
    account: str
    region: str
    team: str
    person: str
    due_at: datetime
    overdue: bool
    proposed_by: str | None = None
    proposed_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Expiry:
    """One acceptance, and how many findings come back when it ends."""

    id: str
    reason: str
    approver: str
    expires: datetime
    findings: int


@dataclass(frozen=True, slots=True)
class TeamCounts:
    """One team's counts, for governance."""

    team: str
    name: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class Digest:
    """What somebody is told of findings from `since` (exclusive) to `at`. The same id again is a duplicate.

    `team` is whom it is for, `name` whose findings it is about. The lists are bounded, and `counts` says how many there
    are: `findings` to be mended, the worst and then the soonest due first; `proposals`; `acceptances`, the next to end
    first. For governance there are `teams`, the most overdue first, findings without an owner, and blind spots.
    """

    id: str
    kind: DigestKind
    team: str
    name: str
    since: datetime
    at: datetime
    counts: Counts
    findings: tuple[Entry, ...] = ()
    proposals: tuple[Entry, ...] = ()
    acceptances: tuple[Expiry, ...] = ()
    teams: tuple[TeamCounts, ...] = ()
    teams_omitted: int = 0
    attribution_gaps: tuple[Entry, ...] = ()
    blind_spots: tuple[Entry, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell: nothing stands, and nothing happened."""
        counts = self.counts
        return not (counts.to_do or counts.accepted or counts.new or counts.reopened or counts.resolved)


def digest_of(
    findings: Iterable[Finding],
    *,
    kind: DigestKind,
    organization: Organization,
    since: datetime,
    now: datetime,
    team: str | None = None,
    id: str | None = None,  # noqa: A002
) -> Digest:
    """Sum up findings.

    Args:
        findings: at least all that stand, and what was resolved since; what is somebody else's is passed over.
        kind: what it is for.
        organization: who the teams are.
        since: when the period begins.
        now: when it ends.
        team: id of the team whose findings it is about; without one it is about everybody's, and for governance.
        id: what makes it the same digest when it is sent again; without one the kind, the team and the day.
    """
    theirs = sorted((each for each in findings if team in (None, each.attribution.owner.team)), key=_worst_first)
    to_do = [each for each in theirs if each.status in TO_DO]
    reader = team or organization.governance
    lines, teams = _LINES[0]

    def entries(chosen: Iterable[Finding]) -> tuple[Entry, ...]:
        return tuple(_entry(each, now) for each in list(chosen)[:lines])

    digest = Digest(
        id=id or f"{kind}-{reader}-{now:%Y-%m-%d}",
        kind=kind,
        team=reader,
        name=_name(team, organization) if team else _clean(organization.name, _NAME_LENGTH),
        since=since,
        at=now,
        counts=_counts(theirs, since, now),
        findings=entries(to_do),
        proposals=entries(each for each in to_do if each.proposal),
        acceptances=tuple(_expiries(theirs))[:lines],
    )
    if team is not None:
        return digest
    each_team = _by_team(theirs, organization, since, now)
    return replace(
        digest,
        teams=tuple(each_team[:teams]),
        teams_omitted=len(each_team[teams:]),
        attribution_gaps=entries(each for each in to_do if each.attribution.owner.attribution_gap),
        blind_spots=entries(each for each in to_do if _is_blind_spot(each)),
    )


def _worst_first(finding: Finding) -> tuple[int, datetime, str]:
    return list(Severity).index(finding.severity), finding.due_at, finding.id


def _is_blind_spot(finding: Finding) -> bool:
    return finding.control.startswith(_BLIND_SPOT)


def _counts(findings: Sequence[Finding], since: datetime, now: datetime) -> Counts:
    to_do = [each for each in findings if each.status in TO_DO]
    opened = [each for each in findings if each.status in STANDING and each.opened_at > since]
    expiries = list(_expiries(findings))
    by_severity = {severity: sum(each.severity is severity for each in to_do) for severity in Severity}
    return Counts(
        open={severity: number for severity, number in by_severity.items() if number},
        acknowledged=sum(each.status is Status.ACKNOWLEDGED for each in to_do),
        overdue=sum(each.due_at < now for each in to_do),
        proposals=sum(each.proposal is not None for each in to_do),
        attribution_gaps=sum(each.attribution.owner.attribution_gap for each in to_do),
        blind_spots=sum(_is_blind_spot(each) for each in to_do),
        accepted=sum(each.status is Status.ACCEPTED for each in findings),
        acceptances=len(expiries),
        expiring=sum(each.expires <= now + EXPIRES_SOON for each in expiries),
        new=sum(not each.reopened for each in opened),
        reopened=sum(each.reopened > 0 for each in opened),
        resolved=sum(each.resolved_at is not None and each.resolved_at > since for each in findings),
    )


def _expiries(findings: Iterable[Finding]) -> Iterator[Expiry]:
    """Each acceptance once, the next to end first: an exception of the matrix may cover many findings."""
    covered: dict[AcceptedRisk, int] = {}
    for finding in findings:
        if finding.status is Status.ACCEPTED and finding.exception:
            covered[finding.exception] = covered.get(finding.exception, 0) + 1
    for risk, number in sorted(covered.items(), key=lambda each: (each[0].expires, each[0].id)):
        yield Expiry(
            id=_clean(risk.id, _NAME_LENGTH),
            reason=_clean(risk.reason),
            approver=_clean(risk.approver, _NAME_LENGTH),
            expires=risk.expires,
            findings=number,
        )


def _by_team(
    findings: Iterable[Finding], organization: Organization, since: datetime, now: datetime
) -> list[TeamCounts]:
    """Every team of the matrix, and whoever else owns a finding still; the most overdue first."""
    owned: dict[str, list[Finding]] = {team: [] for team in organization.teams}
    for finding in findings:
        owned.setdefault(finding.attribution.owner.team, []).append(finding)
    counted = [
        TeamCounts(_clean(team, _NAME_LENGTH), _name(team, organization), _counts(theirs, since, now))
        for team, theirs in owned.items()
    ]
    return sorted(counted, key=lambda each: (-each.counts.overdue, -each.counts.to_do, each.team))


def _name(team: str, organization: Organization) -> str:
    known = organization.teams.get(team)
    return _clean(known.name if known else team, _NAME_LENGTH)


def _entry(finding: Finding, now: datetime) -> Entry:
    resource, owner, proposal = finding.resource, finding.attribution.owner, finding.proposal
    return Entry(
        finding=_clean(finding.id),
        severity=finding.severity,
        status=finding.status,
        control=_clean(finding.control),
        title=_clean(finding.title),
        type=_clean(resource.type),
        identifier=_clean(resource.identifier),
        account=_clean(resource.account, _NAME_LENGTH),
        region=_clean(resource.region, _NAME_LENGTH),
        team=_clean(owner.team, _NAME_LENGTH),
        person=_clean(finding.assignee or owner.person, _NAME_LENGTH),
        due_at=finding.due_at,
        overdue=finding.due_at < now,
        proposed_by=_clean(proposal.requested_by, _NAME_LENGTH) if proposal else None,
        proposed_until=proposal.expires if proposal else None,
    )


def _clean(text: str, length: int = _TEXT_LENGTH) -> str:
    return shortened(clean(text), length)


def announcement_of_digest(digest: Digest) -> Announcement:
    """Tell a digest. Where all of it does not fit into a message, lines are left out; counts never are."""
    for lines, teams in _LINES:
        announcement = _announcement(_bounded(digest, lines, teams))
        if _size(announcement) <= _MESSAGE_SIZE:
            break
    return announcement


def _bounded(digest: Digest, lines: int, teams: int) -> Digest:
    return replace(
        digest,
        findings=digest.findings[:lines],
        proposals=digest.proposals[:lines],
        acceptances=digest.acceptances[:lines],
        teams=digest.teams[:teams],
        teams_omitted=digest.teams_omitted + len(digest.teams[teams:]),
        attribution_gaps=digest.attribution_gaps[:lines],
        blind_spots=digest.blind_spots[:lines],
    )


def _announcement(digest: Digest) -> Announcement:
    return Announcement(
        subject=_subject(digest),
        text="\n".join(_paragraphs(digest)),
        body={"schema": SCHEMA, **to_wire(digest)},
        attributes={
            "kind": "digest",
            "digest": digest.kind.value,
            "team": digest.team,
            "audience": (digest.team,),
        },
    )


def _size(announcement: Announcement) -> int:
    """In bytes, as it is published: the body as JSON within JSON, beside the text."""
    return len(json.dumps({"default": json.dumps(announcement.body), "email": announcement.text}))


def digest_in(body: Mapping[str, Any]) -> Digest:
    """The digest that a message's body tells.

    Raises:
        WireError: naming the path, if it is none.
    """
    if body.get("schema") != SCHEMA:
        raise WireError(f"not a {SCHEMA}")
    return from_wire(Digest, {name: value for name, value in body.items() if name != "schema"})


def digest_schema() -> dict[str, Any]:
    """The JSON schema of a body, from the annotations of what is in it."""
    schema = json_schema(Digest)
    properties = {"schema": {"const": SCHEMA}, **schema["properties"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA,
        "description": "What a team, or governance, is told of findings now and then.",
        **schema,
        "properties": properties,
        "required": sorted(properties),
    }


_HEADLINES = {
    DigestKind.BASELINE: "FIRST LOOK",
    DigestKind.WEEKLY: "WEEKLY DIGEST",
    DigestKind.GOVERNANCE: "GOVERNANCE DIGEST",
}


def summary_of(digest: Digest) -> str:
    """The digest in one line: `7 to do, 2 overdue, 1 waiting for a second person`."""
    counts = digest.counts
    parts = [f"{counts.to_do:,} to do" if counts.to_do else "nothing to do"]
    if counts.overdue:
        parts.append(f"{counts.overdue:,} overdue")
    if counts.proposals:
        parts.append(f"{counts.proposals:,} waiting for a second person")
    if digest.kind is DigestKind.GOVERNANCE and counts.attribution_gaps:
        parts.append(f"{counts.attribution_gaps:,} without an owner")
    return ", ".join(parts)


def _subject(digest: Digest) -> str:
    """One ASCII line under 100 characters, as SNS asks for."""
    line = clean(f"[{_HEADLINES[digest.kind]}] {shortened(digest.name, 40)}: {summary_of(digest)}")
    return line.encode("ascii", "replace").decode()[:_SUBJECT_LENGTH]


def _paragraphs(digest: Digest) -> Iterator[str]:
    yield from _flowing("", f"{_HEADLINES[digest.kind]}. {digest.name}: {summary_of(digest)}", margin=0)
    if digest.kind is DigestKind.BASELINE:
        yield f"Seen for the first time by {_moment(digest.at)}."
        yield "What was there before is told once, here; what comes is told by itself."
    else:
        yield f"{_moment(digest.since)} to {_moment(digest.at)}"
    yield ""
    yield from _numbers(digest)
    yield from _team_table(digest)
    yield from _listed("To do, the worst first", digest.findings, digest.counts.to_do)
    yield from _listed("Waiting for a second person", digest.proposals, digest.counts.proposals)
    yield from _accepted(digest)
    if digest.kind is DigestKind.GOVERNANCE:
        yield from _listed("Without an owner", digest.attribution_gaps, digest.counts.attribution_gaps)
        yield from _listed("Could not be looked at", digest.blind_spots, digest.counts.blind_spots)
    yield ""
    whose = "" if digest.kind is DigestKind.GOVERNANCE else f" --team {clean(digest.team)}"
    yield f"All of it: demarc findings{whose}"


def _numbers(digest: Digest) -> Iterator[str]:
    counts = digest.counts
    severities = ", ".join(f"{number:,} {severity}" for severity, number in counts.open.items())
    yield from _flowing("To do", f"{counts.to_do:,}{f': {severities}' if severities else ''}")
    if counts.acknowledged:
        yield from _flowing("", f"{counts.acknowledged:,} acknowledged")
    yield from _flowing("Overdue", f"{counts.overdue:,}")
    if digest.kind is not DigestKind.BASELINE:
        happened = f"{counts.new:,} new, {counts.reopened:,} reopened, {counts.resolved:,} resolved or gone"
        yield from _flowing("Since", happened)
    if counts.accepted:
        first = f", the next to end {_moment(digest.acceptances[0].expires)}" if digest.acceptances else ""
        soon = f"; {counts.expiring:,} within 30 days" if counts.expiring else ""
        yield from _flowing(
            "Accepted", f"{counts.accepted:,}, by {_counted(counts.acceptances, 'acceptance')}{first}{soon}"
        )
    if counts.proposals:
        yield from _flowing("Waiting", f"{counts.proposals:,} to be accepted, for a second person")
    if digest.kind is DigestKind.GOVERNANCE:
        unseen = f"{counts.blind_spots:,} about what could not be looked at"
        yield from _flowing("Gaps", f"{counts.attribution_gaps:,} without an owner in the matrix, {unseen}")


def _team_table(digest: Digest) -> Iterator[str]:
    if digest.kind is not DigestKind.GOVERNANCE:
        return
    yield ""
    yield _team_row("Team", "to do", "overdue", "accepted", "new", "resolved")
    for team in digest.teams:
        counts = team.counts
        numbers = (counts.to_do, counts.overdue, counts.accepted, counts.new + counts.reopened, counts.resolved)
        yield _team_row(team.name, *(f"{number:,}" for number in numbers))
    if digest.teams_omitted:
        yield f"and {digest.teams_omitted:,} more"


def _team_row(name: str, *numbers: str) -> str:
    return f"{shortened(clean(name), 27):<28}" + "".join(f"{number:>10}" for number in numbers)


def _listed(heading: str, entries: Sequence[Entry], total: int) -> Iterator[str]:
    if not total:
        return
    yield ""
    yield f"{heading}:"
    for entry in entries:
        yield from _flowing(entry.severity, f"{entry.title}: {entry.identifier}", margin=15)
        yield from _flowing("", f"{entry.type}, account {entry.account}, {entry.region}", margin=15)
        yield from _flowing("", _by_when(entry), margin=15)
        yield from _flowing("", f"{entry.person} ({entry.team}), finding {entry.finding}", margin=15)
    yield from _more(total - len(entries))


def _by_when(entry: Entry) -> str:
    when = f"{'overdue since' if entry.overdue else 'due'} {_moment(entry.due_at)}"
    if entry.proposed_by is None or entry.proposed_until is None:
        return f"{when}, acknowledged" if entry.status is Status.ACKNOWLEDGED else when
    return f"{when}; {entry.proposed_by} proposes to accept it until {_moment(entry.proposed_until)}"


def _accepted(digest: Digest) -> Iterator[str]:
    if not digest.counts.acceptances:
        return
    yield ""
    yield "Accepted, the next to end first:"
    for risk in digest.acceptances:
        yield from _flowing("until", f"{_moment(risk.expires)}: {_counted(risk.findings, 'finding')}", margin=15)
        yield from _flowing("", f"{risk.id}: {risk.reason} ({risk.approver})", margin=15)
    yield from _more(digest.counts.acceptances - len(digest.acceptances))


def _more(number: int) -> Iterator[str]:
    if number:
        yield f"and {number:,} more"


def _flowing(label: str, text: str, *, margin: int = 10) -> list[str]:
    return textwrap.wrap(
        clean(text), _WIDTH, initial_indent=f"{label:<{margin}}", subsequent_indent=" " * margin, break_on_hyphens=False
    )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _moment(moment: datetime) -> str:
    return f"{moment:%d %B %Y, %H:%M} UTC"
