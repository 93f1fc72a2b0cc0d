"""Written rows -> the values of the core."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from demarc import checks, readers
from demarc.authoring.obligations import frameworks_of
from demarc.authoring.schema import (
    WEEKDAYS,
    CalendarRow,
    ChasingRow,
    ControlRow,
    OrganizationFile,
    PersonRow,
    QuietHoursRow,
    ResponsibilityFile,
    TeamRow,
)
from demarc.authoring.written import WrittenMatrix
from demarc.core.calendar import Calendar, Offset, QuietHours
from demarc.core.framework import Attested, attested
from demarc.core.matrix import (
    Acceptance,
    Account,
    Assignment,
    Chasing,
    Destination,
    DestinationKind,
    Line,
    Organization,
    Person,
    Responsibility,
    RiskException,
    Roles,
    Sides,
    Team,
    Workload,
)
from demarc.core.model import OCCURRENCE, Control, Occurrence
from demarc.core.provider import asked_of
from demarc.core.snapshot import property_of

EVERY_TYPE = "*"

# The years whose changes of the clocks are compiled. They are fixed, so that a matrix compiles to the same bytes on any
# day; the longest deadline reaches nowhere near their end.
_CLOCKS_FROM, _CLOCKS_TO = datetime(2024, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)


def organization_of(written: OrganizationFile) -> Organization:
    """The customer's page as the core knows it."""
    return Organization(
        id=written.id,
        name=written.name,
        governance=written.governance,
        owner_tags=written.owner_tags,
        workload_tag=written.workload_tag,
        deadlines=written.deadlines,
        teams={row.id: _team(row) for row in written.teams},
        people={row.id: _person(row) for row in written.people},
        accounts={row.id: Account(row.id, row.name, row.environment, team=row.team) for row in written.accounts},
        workloads={row.id: Workload(**row.model_dump()) for row in written.workloads},
        assignments=tuple(Assignment(**row.model_dump()) for row in written.assignments),
        exceptions=tuple(
            RiskException(**(row.model_dump() | {"expires": _end_of(row.expires)})) for row in written.exceptions
        ),
        roles=Roles(**written.roles.model_dump()),
        acceptance=Acceptance(**written.acceptance.model_dump()),
        chasing=_chasing(written.chasing),
        calendar=calendar_of(written.calendar),
        silence=written.silence,
        required_tags=written.required_tags,
    )


def assignments_of(requirements: Iterable[Attested]) -> tuple[Assignment, ...]:
    """Who answers for requirements that rest on somebody's word: what the signed matrix says, before any other row."""
    return tuple(
        Assignment(
            id=f"signed:{each.id}",
            team=each.team,
            person=each.person,
            because="the signed matrix says who answers for the requirement",
            types=("Demarc::Framework::Requirement",),
            arns=(f"arn:*:demarc:*:requirement/*/{each.id}",),
        )
        for each in requirements
        if each.team
    )


def _person(row: PersonRow) -> Person:
    return Person(row.id, row.name, row.email or "", row.team, slack=row.slack)


def _team(row: TeamRow) -> Team:
    destinations = destinations_of(row)
    channels = [each.channel for each in destinations if each.channel]
    return Team(
        id=row.id,
        name=row.name,
        email=row.email,
        accountable=row.accountable,
        channel=channels[0] if channels else None,
        escalation=row.escalation,
        destinations=destinations,
        quiet_hours=_quiet_hours(row.quiet_hours) if row.quiet_hours else None,
    )


def destinations_of(row: TeamRow) -> tuple[Destination, ...]:
    """Where a team is told; its `channel` stands for a destination of Slack's and comes first."""
    own = (Destination(DestinationKind.SLACK, channel=row.channel),) if row.channel else ()
    return own + tuple(Destination(each.kind, each.channel, each.secret) for each in row.destinations)


def _quiet_hours(row: QuietHoursRow) -> QuietHours:
    start, _, end = row.hours.partition("-")
    return QuietHours(start, end, except_for=row.except_for)


def _chasing(row: ChasingRow) -> Chasing:
    return Chasing(
        reminders=tuple(sorted(row.reminders, reverse=True)),
        escalate_every=row.escalate_every,
        digest_weekday=WEEKDAYS.index(row.digest.weekday),
        digest_hour=row.digest.hour,
    )


def calendar_of(row: CalendarRow) -> Calendar:
    """The calendar with the rules of its time zone written out."""
    start, _, end = row.hours.partition("-")
    return Calendar(
        timezone=row.timezone,
        weekdays=tuple(sorted(WEEKDAYS.index(each) for each in row.weekdays)),
        start=start,
        end=end,
        holidays=tuple(sorted({each.isoformat() for each in row.holidays})),
        severities=row.severities,
        offsets=offsets_of(row.timezone),
    )


def offsets_of(timezone: str) -> tuple[Offset, ...]:
    """How far a zone's clocks are ahead of UTC, and since when; nothing for those that are not."""
    offsets = tuple(_offsets(ZoneInfo(timezone)))
    return () if all(offset.minutes == 0 for offset in offsets) else offsets


def _offsets(zone: ZoneInfo) -> Iterator[Offset]:
    at = _CLOCKS_FROM
    yield Offset(at, _minutes_ahead(zone, at))
    while (following := at + timedelta(weeks=1)) <= _CLOCKS_TO:
        if _minutes_ahead(zone, following) != _minutes_ahead(zone, at):
            changed = _changed_between(zone, at, following)
            yield Offset(changed, _minutes_ahead(zone, changed))
        at = following


def _changed_between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The minute at which the clocks are changed, once between two moments."""
    while after - before > timedelta(minutes=1):
        between = before + timedelta(minutes=(after - before) // timedelta(minutes=2))
        if _minutes_ahead(zone, between) == _minutes_ahead(zone, before):
            before = between
        else:
            after = between
    return after


def _minutes_ahead(zone: ZoneInfo, at: datetime) -> int:
    ahead = at.astimezone(zone).utcoffset() or timedelta()
    return ahead // timedelta(minutes=1)


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=UTC)


def responsibility_of(written: ResponsibilityFile) -> Responsibility:
    """The stack as the core knows it: by tier, then by layer."""
    tiers = {tier for row in written.lines.values() for tier in row}
    return Responsibility(
        tiers=written.tiers,
        services={name: Sides(row.provider, row.customer) for name, row in written.services.items()},
        lines={
            tier: {
                layer: Line(row[tier].party, row[tier].reason) for layer, row in written.lines.items() if tier in row
            }
            for tier in sorted(tiers)
        },
    )


def controls_of(written: WrittenMatrix, organization: Organization) -> dict[str, tuple[Control, ...]]:
    """Every control per resource type; a row for every type (`*`) stands under each."""
    controls: dict[str, tuple[Control, ...]] = {}
    facts = facts_of(written, organization)
    for reader in readers.load():
        # What happened is no resource: it has no tags that could be missing, and nothing of it could be refused.
        types = (reader.type,) if reader.type == OCCURRENCE else (reader.type, EVERY_TYPE)
        rows = [each.row for each in written.controls if each.row.resource in types]
        compiled = [_control(row, facts) for row in rows]
        controls[reader.type] = tuple(
            replace(
                control,
                resource_type=reader.type,
                regional=control.regional and reader.regional,
                needs=tuple(sorted({*control.needs, *asked_of(reader.type)})),
            )
            for control in compiled
        )
    return controls


def _control(row: ControlRow, facts: Mapping[str, Any]) -> Control:
    return Control(
        id=row.id,
        title=row.title,
        severity=row.severity,
        layer=row.layer,
        resource_type=row.resource,
        guidance=" ".join(row.guidance.split()),
        references=row.references,
        needs=needs_of(row),
        regional=row.regional,
        security_hub=row.security_hub,
        when=row.when,
        require=row.require,
        check=row.check,
        parameters={name: resolved(value, facts) for name, value in row.parameters.items()},
        occurrence=Occurrence(**row.occurrence.model_dump()) if row.occurrence else None,
    )


def needs_of(row: ControlRow) -> tuple[str, ...]:
    """The snapshot properties that a row asks for, by itself and through its check.

    Raises:
        NoSuchCheck: if the row names a check that does not exist.
    """
    asked = {property_of(path) for path in (*row.when, *row.require)}
    if row.check:
        asked |= set(checks.find(row.check).needs)
    return tuple(sorted(asked))


def facts_of(written: WrittenMatrix, organization: Organization) -> Mapping[str, Any]:
    """What a row may hand to its check of the other pages of the matrix, by the name it is written with."""
    return {
        "@organization.accounts": sorted(organization.accounts),
        "@organization.id": organization.id,
        "@organization.required_tags": list(organization.required_tags),
        "@organization.silence": organization.silence,
        "@signed.attestations": {
            each.id: each.signed and each.signed.until.isoformat() for each in attested(frameworks_of(written).values())
        },
    }


def resolved(value: Any, facts: Mapping[str, Any]) -> Any:
    """A parameter in which every name of a fact is replaced by the fact."""
    if isinstance(value, str):
        return facts.get(value, value)
    if isinstance(value, dict):
        return {name: resolved(each, facts) for name, each in value.items()}
    if isinstance(value, list):
        return [resolved(each, facts) for each in value]
    return value
