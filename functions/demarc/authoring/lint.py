"""What is written in a matrix but cannot be meant: every problem with its file, its line and what to do."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from fnmatch import fnmatchcase

from demarc import checks, readers
from demarc.authoring.obligations import problems_of_obligations
from demarc.authoring.schema import AssignmentRow, ExceptionRow, OrganizationFile, TeamRow
from demarc.authoring.source import Problem, Source
from demarc.authoring.translate import EVERY_TYPE, destinations_of, needs_of, organization_of
from demarc.authoring.written import WrittenControl, WrittenMatrix
from demarc.core.attribution import owner_of
from demarc.core.matrix import Organization, service_of
from demarc.core.model import OCCURRENCE, Control, Layer, Party, Resource, Tier
from demarc.core.snapshot import ATTRIBUTION


def lint(written: WrittenMatrix, *, today: date | None) -> list[Problem]:
    """Every problem of a matrix, in the order of its files; empty if it may be deployed.

    Without a day, exceptions are not held against the calendar.
    """
    problems = [*written.problems, *_controls(written.controls)]
    if written.organization:
        problems += _organization(written.organization, written, today=today)
    if written.responsibility:
        problems += _responsibility(written)
    problems += problems_of_obligations(written, today=today)
    return sorted(set(problems))


# --- controls -------------------------------------------------------------------------------------------------------


def _controls(controls: Sequence[WrittenControl]) -> Iterator[Problem]:
    known = {reader.type: frozenset(_gives(reader)) for reader in readers.load()}
    for seen in ("id", "title"):
        yield from _twice(controls, seen)
    for control in controls:
        row = control.row
        if row.resource != EVERY_TYPE and row.resource not in known:
            yield control.problem(
                f"nothing reads {row.resource}", "Use a type with a reader in functions/demarc/readers", "resource"
            )
            continue
        if not any(row.references.values()):
            yield control.problem("it serves no requirement", "Add at least one reference to a framework", "references")
        yield from _check(control, known)


def _gives(reader: readers.Reader) -> Iterator[str]:
    for part in reader.parts:
        yield from part.gives


def _twice(controls: Sequence[WrittenControl], field: str) -> Iterator[Problem]:
    first: dict[str, WrittenControl] = {}
    for control in controls:
        value = getattr(control.row, field)
        if value in first:
            other = first[value]
            where = f"{other.source.file}:{other.source.line_of((other.index, field))}"
            yield control.problem(f"the {field} {value!r} stands at {where} already", "Give each its own", field)
        first.setdefault(value, control)


def _check(control: WrittenControl, known: Mapping[str, frozenset[str]]) -> Iterator[Problem]:
    row = control.row
    try:
        needs = needs_of(row)
        if row.check:
            inspect.signature(checks.find(row.check)).bind(None, **row.parameters)
    except checks.NoSuchCheck as error:
        yield control.problem(str(error), "Correct the name, or write the function", "check")
        return
    except TypeError as error:
        yield control.problem(f"{row.check}: {error}", "Give the check the parameters it takes", "parameters")
        return
    if row.resource == EVERY_TYPE:
        return
    for need in needs:
        if need not in known[row.resource] and not need.startswith(f"{ATTRIBUTION}."):
            field = "check" if row.check else "require"
            yield control.problem(
                f"no call reads {need} of {row.resource}", f"Known: {', '.join(sorted(known[row.resource]))}", field
            )


# --- the organization -----------------------------------------------------------------------------------------------


def _organization(organization: OrganizationFile, written: WrittenMatrix, *, today: date | None) -> Iterator[Problem]:
    source = written.organization_source
    broken = [*_duplicates(organization, source), *_references(organization, source)]
    yield from broken
    yield from _people(organization, source)
    yield from _teams(organization, source)
    yield from _acceptance(organization, source)
    yield from _exceptions(organization, written, today=today)
    yield from _services(organization, written)
    yield from _assignments(organization, written)
    if not broken:
        yield from _unowned(organization_of(organization), written)


def _duplicates(organization: OrganizationFile, source: Source) -> Iterator[Problem]:
    for section in ("people", "teams", "accounts", "workloads", "assignments", "exceptions"):
        first: dict[str, int] = {}
        for index, row in enumerate(getattr(organization, section)):
            if row.id in first:
                line = source.line_of((section, first[row.id]))
                yield source.problem(
                    (section, index), f"{section} has {row.id!r} twice (first on line {line})", "Give each its own id"
                )
            first.setdefault(row.id, index)


def _services(organization: OrganizationFile, written: WrittenMatrix) -> Iterator[Problem]:
    """Services of workloads whose tier is not how any of their resource types is consumed."""
    tiers: dict[str, set[Tier]] = {}
    for resource_type, tier in (written.responsibility.tiers if written.responsibility else {}).items():
        tiers.setdefault(resource_type.split("::")[1].casefold(), set()).add(tier)
    for index, workload in enumerate(organization.workloads):
        for service, tier in workload.services.items():
            known = tiers.get(service.casefold())
            if known and tier not in known:
                yield written.organization_source.problem(
                    ("workloads", index, "services", service),
                    f"{workload.id} consumes {service} as {tier}, responsibility.yaml as {' and '.join(sorted(known))}",
                    "Correct one of them",
                )


def _references(organization: OrganizationFile, source: Source) -> Iterator[Problem]:
    teams = {row.id for row in organization.teams}
    people = {row.id for row in organization.people}
    named: list[tuple[tuple[str | int, ...], str, str | None, set[str]]] = [
        (("governance",), "team", organization.governance, teams)
    ]
    for section in ("people", "accounts", "workloads", "assignments"):
        for index, row in enumerate(getattr(organization, section)):
            named.append(((section, index, "team"), "team", row.team, teams))
    for index, team in enumerate(organization.teams):
        named.append((("teams", index, "accountable"), "person", team.accountable, people))
        for step, person in enumerate(team.escalation):
            named.append((("teams", index, "escalation", step), "person", person, people))
    for index, approver in enumerate(organization.acceptance.approvers):
        named.append((("acceptance", "approvers", index), "person", approver, people))
    for index, assignment in enumerate(organization.assignments):
        named.append((("assignments", index, "person"), "person", assignment.person, people))
    for index, exception in enumerate(organization.exceptions):
        named.append((("exceptions", index, "approver"), "person", exception.approver, people))
    for at, kind, name, known in named:
        if name is not None and name not in known:
            section = "teams" if kind == "team" else "people"
            yield source.problem(
                at, f"there is no {kind} {name!r}", f"Add it under {section}, or use one of: {_some(known)}"
            )


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:12]) + (", ..." if len(listed) > 12 else "")


def _people(organization: OrganizationFile, source: Source) -> Iterator[Problem]:
    for index, person in enumerate(organization.people):
        if person.email is None:
            yield source.problem(
                ("people", index), f"{person.id} cannot be reached", "Add an email: alerts name a person to write to"
            )
        # A finding names people by their names, and a second person is another name.
        if any(person.name == other.name for other in organization.people[:index]):
            yield source.problem(
                ("people", index, "name"),
                f"two people are called {person.name}",
                "Tell them apart, by a middle name say",
            )
    team_of = {person.id: person.team for person in organization.people}
    for index, team in enumerate(organization.teams):
        if team_of.get(team.accountable, team.id) != team.id:
            yield source.problem(
                ("teams", index, "accountable"),
                f"{team.accountable} answers for {team.id} but belongs to {team_of[team.accountable]}",
                "Name somebody of the team",
            )


def _teams(organization: OrganizationFile, source: Source) -> Iterator[Problem]:
    for index, team in enumerate(organization.teams):
        yield from _escalation(index, team, source)
        destinations = destinations_of(team)
        for place, destination in enumerate(destinations):
            if destination in destinations[:place]:
                named = place - bool(team.channel)
                yield source.problem(
                    ("teams", index, "destinations", named),
                    f"{team.id} would be told twice at the same {destination.kind} destination",
                    "Keep one; `channel` is a destination too",
                )


def _escalation(index: int, team: TeamRow, source: Source) -> Iterator[Problem]:
    for step, person in enumerate(team.escalation):
        at = ("teams", index, "escalation", step)
        if person == team.accountable:
            yield source.problem(
                at, f"{person} answers for {team.id} and is told first anyhow", "Name whoever is told after them"
            )
        elif person in team.escalation[:step]:
            yield source.problem(at, f"{person} stands twice in the chain of {team.id}", "Name each person once")


def _acceptance(organization: OrganizationFile, source: Source) -> Iterator[Problem]:
    acceptance = organization.acceptance
    for index, person in enumerate(acceptance.approvers):
        if person in acceptance.approvers[:index]:
            yield source.problem(("acceptance", "approvers", index), f"{person} stands twice", "Name each person once")
    approvers = _approvers(organization)
    if acceptance.second_person and len(approvers) < 2:
        only = next(iter(approvers), None)
        yield source.problem(
            ("acceptance", "approvers") if acceptance.approvers else ("acceptance", "second_person"),
            f"nobody could approve what {only} proposes" if only else "nobody could approve anything",
            "Name at least two approvers, so that there is a second person for each of them too",
        )


def _approvers(organization: OrganizationFile) -> set[str]:
    """Ids of the people who may approve, as `core.acts.approvers` has it."""
    named = set(organization.acceptance.approvers)
    return named or {row.id for row in organization.people if row.team == organization.governance}


def _exceptions(organization: OrganizationFile, written: WrittenMatrix, *, today: date | None) -> Iterator[Problem]:
    source = written.organization_source
    ids = {control.row.id for control in written.controls}
    for index, exception in enumerate(organization.exceptions):
        at = ("exceptions", index)
        yield from _second_person(index, exception, organization, written)
        longest = organization.acceptance.longest_days
        if today and exception.expires > today + timedelta(days=longest):
            yield source.problem(
                (*at, "expires"),
                f"{exception.id} would hold for more than {longest} days",
                f"Let it expire on {(today + timedelta(days=longest)).isoformat()} at the latest, and look at it then",
            )
        if today and exception.expires < today:
            yield source.problem(
                (*at, "expires"),
                f"{exception.id} expired on {exception.expires.isoformat()}",
                "Remove it, or have its approver accept the risk again until a new date",
            )
        if exception.control not in ids:
            yield source.problem((*at, "control"), f"there is no control {exception.control!r}", "Correct the id")


def _second_person(
    index: int, exception: ExceptionRow, organization: OrganizationFile, written: WrittenMatrix
) -> Iterator[Problem]:
    """Who proposed an exception is not written in it, but whoever agreed is: where a second person is asked for, it is
    one of those who may approve.
    """
    severity = next((each.row.severity for each in written.controls if each.row.id == exception.control), None)
    approvers = _approvers(organization)
    if severity in organization.acceptance.second_person and exception.approver not in approvers:
        yield written.organization_source.problem(
            ("exceptions", index, "approver"),
            f"{exception.id} accepts a {severity} risk, which {exception.approver} may not approve",
            f"Have it approved by one of: {_some(approvers)}",
        )


def _assignments(organization: OrganizationFile, written: WrittenMatrix) -> Iterator[Problem]:
    source = written.organization_source
    known = {
        "workloads": {row.id for row in organization.workloads},
        "accounts": {row.id for row in organization.accounts},
        "types": {reader.type for reader in readers.load()},
    }
    ids = [control.row.id for control in written.controls]
    for index, row in enumerate(organization.assignments):
        for field, names in known.items():
            for name in getattr(row, field):
                if name not in names:
                    yield source.problem(
                        ("assignments", index, field),
                        f"{row.id}: unknown {field} {name!r}",
                        f"Use one of: {_some(names)}",
                    )
        for pattern in row.controls:
            if not any(fnmatchcase(each, pattern) for each in ids):
                yield source.problem(
                    ("assignments", index, "controls"), f"{row.id}: no control is called {pattern!r}", "Correct the id"
                )
        earlier = next((each for each in organization.assignments[:index] if _shadows(each, row)), None)
        if earlier:
            line = source.line_of(("assignments", organization.assignments.index(earlier)))
            yield source.problem(
                ("assignments", index),
                f"{row.id} can never be reached: {earlier.id} (line {line}) matches all that it matches",
                "Move it above, narrow the earlier row, or remove it",
            )


def _shadows(earlier: AssignmentRow, later: AssignmentRow) -> bool:
    """Whether whatever the later row matches is matched by the earlier one first."""
    for field in ("layers", "workloads", "accounts", "types"):
        asked, offered = set(getattr(earlier, field)), set(getattr(later, field))
        if asked and not (offered and offered <= asked):
            return False
    for field in ("controls", "arns"):
        patterns, others = getattr(earlier, field), getattr(later, field)
        if patterns and not (others and all(any(_wider(one, other) for one in patterns) for other in others)):
            return False
    return earlier.tags.items() <= later.tags.items()


def _wider(pattern: str, other: str) -> bool:
    """Whether a pattern matches all that another one matches: its `*` swallows the other's, its `?` does not."""
    return pattern == other or fnmatchcase(other, pattern.replace("?", "[!*]"))


def _unowned(organization: Organization, written: WrittenMatrix) -> Iterator[Problem]:
    """Customer controls that would fall to nobody in an account: unless that is said aloud, it is a mistake."""
    source = written.organization_source
    if written.organization is None or written.responsibility is None:
        return
    # Nobody can tag these, so that an owner tag can never claim them.
    untaggable = {reader.type for reader in readers.load() if not readers.is_taggable(reader) and _is_found(reader)}
    for index, account in enumerate(written.organization.accounts):
        if account.team:
            continue
        controls = [control for control in written.controls if control.row.resource != EVERY_TYPE]
        if account.shared:
            controls = [control for control in controls if control.row.resource in untaggable]
        orphans = [each.row.id for each in controls if _is_orphan(each, account.id, organization, written)]
        if orphans:
            yield source.problem(
                ("accounts", index),
                f"{len(orphans)} customer controls have no owner in account {account.name}: {_some(orphans)}",
                "Give the account a team or `shared: true`, or add an assignment that covers them",
            )


def _is_found(reader: readers.Reader) -> bool:
    """Whether events or lists find resources of a type in an account; what is Demarc's own the deployment names."""
    return bool(reader.touches or reader.inventory or reader.type == OCCURRENCE)


def _is_orphan(control: WrittenControl, account: str, organization: Organization, written: WrittenMatrix) -> bool:
    row = control.row
    tier = written.responsibility.tiers.get(row.resource) if written.responsibility else None
    if tier is None or _party(written, row.layer, tier) is Party.PROVIDER:
        return False
    compiled = Control(row.id, row.title, row.severity, row.layer, row.resource, row.guidance, row.references, needs=())
    anything = Resource(type=row.resource, identifier="?", account=account, region="?", arn="?")
    return owner_of(anything, {}, organization, control=compiled).attribution_gap


# --- responsibility -------------------------------------------------------------------------------------------------


def _responsibility(written: WrittenMatrix) -> Iterator[Problem]:
    source, responsibility = written.responsibility_source, written.responsibility
    if responsibility is None:
        return
    known = {reader.type for reader in readers.load()}
    for missing in sorted(known - set(responsibility.tiers)):
        yield source.problem(("tiers",), f"{missing} has no tier", "Say how the type is consumed: iaas, paas or saas")
    for stray in sorted(set(responsibility.tiers) - known):
        yield source.problem(("tiers", stray), f"nothing reads {stray}", "Remove it, or correct the type")
    services = {service_of(each) for each in known}
    for missing in sorted(services - set(responsibility.services)):
        yield source.problem(("services",), f"{missing} is not divided", "Say what AWS does for it, and what is ours")
    for stray in sorted(set(responsibility.services) - services):
        yield source.problem(("services", stray), f"nothing reads a type of {stray}", "Remove it, or correct the name")
    for layer in Layer:
        for tier in Tier:
            if tier not in responsibility.lines.get(layer, {}):
                yield source.problem(
                    ("lines", layer.value), f"{layer} of {tier} has no line", "Say who answers for it, and why"
                )
    for control in written.controls:
        known_tier = responsibility.tiers.get(control.row.resource)
        if known_tier and _party(written, control.row.layer, known_tier) is Party.PROVIDER:
            yield control.problem(
                f"AWS answers for {control.row.layer} of {known_tier}, so nobody here can mend it",
                "Put the control on the layer whose setting it checks",
                "layer",
            )


def _party(written: WrittenMatrix, layer: Layer, tier: Tier) -> Party | None:
    line = written.responsibility.lines.get(layer, {}).get(tier) if written.responsibility else None
    return line.party if line else None
