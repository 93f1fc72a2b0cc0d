"""Written rows -> the values of the core."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from demarc import checks, readers
from demarc.authoring.schema import ControlRow, OrganizationFile, ResponsibilityFile
from demarc.authoring.written import WrittenMatrix
from demarc.core.matrix import (
    Account,
    Assignment,
    Line,
    Organization,
    Person,
    Responsibility,
    RiskException,
    Roles,
    Team,
    Workload,
)
from demarc.core.model import Control
from demarc.core.snapshot import property_of

EVERY_TYPE = "*"


def organization_of(written: OrganizationFile) -> Organization:
    """The customer's page as the core knows it."""
    return Organization(
        id=written.id,
        name=written.name,
        governance=written.governance,
        owner_tags=written.owner_tags,
        workload_tag=written.workload_tag,
        deadlines=written.deadlines,
        teams={
            row.id: Team(row.id, row.name, row.email, accountable=row.accountable, channel=row.channel)
            for row in written.teams
        },
        people={row.id: Person(row.id, row.name, row.email or "", row.team) for row in written.people},
        accounts={row.id: Account(row.id, row.name, row.environment, team=row.team) for row in written.accounts},
        workloads={row.id: Workload(**row.model_dump()) for row in written.workloads},
        assignments=tuple(Assignment(**row.model_dump()) for row in written.assignments),
        exceptions=tuple(
            RiskException(**(row.model_dump() | {"expires": _end_of(row.expires)})) for row in written.exceptions
        ),
        roles=Roles(**written.roles.model_dump()),
    )


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=UTC)


def responsibility_of(written: ResponsibilityFile) -> Responsibility:
    """The stack as the core knows it: by tier, then by layer."""
    tiers = {tier for row in written.lines.values() for tier in row}
    return Responsibility(
        tiers=written.tiers,
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
    for reader in readers.load():
        rows = [each.row for each in written.controls if each.row.resource in (reader.type, EVERY_TYPE)]
        compiled = [_control(row, organization) for row in rows]
        controls[reader.type] = tuple(
            replace(control, resource_type=reader.type, regional=control.regional and reader.regional)
            for control in compiled
        )
    return controls


def _control(row: ControlRow, organization: Organization) -> Control:
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
        parameters={name: resolved(value, organization) for name, value in row.parameters.items()},
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


def resolved(value: Any, organization: Organization) -> Any:
    """A parameter with `@organization.accounts` and `@organization.id` replaced by what they stand for."""
    if value == "@organization.accounts":
        return sorted(organization.accounts)
    if value == "@organization.id":
        return organization.id
    if isinstance(value, dict):
        return {name: resolved(each, organization) for name, each in value.items()}
    if isinstance(value, list):
        return [resolved(each, organization) for each in value]
    return value
