"""Whose it is and why: where the line runs, who owns our side of it, and how the actor stands to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from fnmatch import fnmatchcase

from demarc.core.matrix import Assignment, Matrix, Organization, Person, Workload
from demarc.core.model import (
    AcceptedRisk,
    Actor,
    ActorKind,
    Attribution,
    Control,
    Owner,
    Relation,
    Resource,
)
from demarc.core.snapshot import Snapshot, Unread


def attribute(control: Control, snapshot: Snapshot, matrix: Matrix) -> Attribution:
    """Whose a control on a resource is."""
    resource, organization = snapshot.resource, matrix.organization
    tags = readable_tags(snapshot)
    workload = workload_of(resource, tags, organization)
    tier = matrix.responsibility.tiers[resource.type]
    line = matrix.responsibility.lines[tier][control.layer]
    account = organization.accounts.get(resource.account)
    return Attribution(
        tier=tier,
        party=line.party,
        line=line.reason,
        owner=owner_of(resource, tags, organization, control=control, workload=workload),
        workload=workload.id if workload else None,
        environment=account.environment if account else "unknown",
        division=matrix.responsibility.division(resource.type),
    )


def readable_tags(snapshot: Snapshot) -> Mapping[str, str]:
    """The tags, or none where they could not be read: an owner is found all the same, by the rows that need no tag."""
    try:
        return snapshot.tags
    except Unread:
        return {}


def workload_of(resource: Resource, tags: Mapping[str, str], organization: Organization) -> Workload | None:
    """The workload that a resource belongs to: by its tag, else by having the account to itself."""
    tagged = organization.workloads.get(tags.get(organization.workload_tag, ""))
    if tagged:
        return tagged
    owning = [workload for workload in organization.workloads.values() if resource.account in workload.accounts]
    return owning[0] if len(owning) == 1 else None


def owner_of(
    resource: Resource,
    tags: Mapping[str, str],
    organization: Organization,
    *,
    control: Control | None = None,
    workload: Workload | None = None,
) -> Owner:
    """The first row that matches: owner tag, assignments in order, the account's team, then governance with a gap.

    Without a control only the rows that ask for neither control nor layer count: that is who owns the resource itself.
    """
    for key in organization.owner_tags:
        if tags.get(key) in organization.teams:
            return _owner(organization, tags[key], row=f"tag:{key}", because=f"the resource's tag {key} names the team")
    for row in organization.assignments:
        if covers(row, resource, tags, control=control, workload=workload):
            return _owner(organization, row.team, row=f"assignment:{row.id}", because=row.because, person=row.person)
    account = organization.accounts.get(resource.account)
    if account and account.team:
        because = f"the team has the account {account.name}"
        return _owner(organization, account.team, row=f"account:{account.id}", because=because)
    where = (
        f"the account {account.name} is shared" if account else f"the account {resource.account} is not in the matrix"
    )
    return _owner(
        organization,
        organization.governance,
        row="governance",
        because=f"nobody claims it: no owner tag, no assignment, and {where}",
        gap=True,
    )


def covers(
    row: Assignment,
    resource: Resource,
    tags: Mapping[str, str],
    *,
    control: Control | None,
    workload: Workload | None,
) -> bool:
    """Whether an assignment speaks of this control on this resource."""
    return all(_conditions(row, resource, tags, control, workload))


def _conditions(
    row: Assignment, resource: Resource, tags: Mapping[str, str], control: Control | None, workload: Workload | None
) -> Iterator[bool]:
    if row.controls:
        yield control is not None and _matches_any(control.id, row.controls)
    if row.layers:
        yield control is not None and control.layer in row.layers
    if row.workloads:
        yield workload is not None and workload.id in row.workloads
    if row.accounts:
        yield resource.account in row.accounts
    if row.types:
        yield resource.type in row.types
    if row.arns:
        yield _matches_any(resource.arn, row.arns)
    yield all(tags.get(key) == value for key, value in row.tags.items())


def _matches_any(text: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def _owner(
    organization: Organization, team_id: str, *, row: str, because: str, person: str | None = None, gap: bool = False
) -> Owner:
    team = organization.teams[team_id]
    named = organization.people[person or team.accountable]
    return Owner(
        team=team.id,
        person=named.name,
        email=named.email if person else team.email,
        channel=team.channel,
        row=row,
        because=because,
        attribution_gap=gap,
    )


def with_attribution(snapshot: Snapshot, organization: Organization) -> Snapshot:
    """The snapshot with what controls on ownership ask for: `Attribution.Gap` and `Attribution.UnknownOwnerTag`."""
    tags = readable_tags(snapshot)
    workload = workload_of(snapshot.resource, tags, organization)
    owner = owner_of(snapshot.resource, tags, organization, workload=workload)
    stray = next(
        (tags[key] for key in organization.owner_tags if key in tags and tags[key] not in organization.teams), None
    )
    return snapshot.with_property("Attribution.Gap", owner.attribution_gap).with_property(
        "Attribution.UnknownOwnerTag", stray
    )


def relation_of(actor: Actor, owner: Owner, organization: Organization) -> Relation:
    """How whoever made a change stands to the owner. Roles decide before names: a pipeline is nobody's colleague."""
    role = actor.role or actor.arn or ""
    if _matches_any(role, organization.roles.demarc):
        return Relation.DEMARC
    if actor.kind is ActorKind.AWS_SERVICE:
        return Relation.AWS
    if actor.kind is ActorKind.ROOT or _matches_any(role, organization.roles.break_glass):
        return Relation.BREAK_GLASS
    if actor.kind is ActorKind.PIPELINE or _matches_any(role, organization.roles.pipelines):
        return Relation.PIPELINE
    person = person_of(actor.name, organization)
    if person is None:
        return Relation.UNKNOWN
    return Relation.SAME_TEAM if person.team == owner.team else Relation.OTHER_TEAM


def person_of(name: str, organization: Organization) -> Person | None:
    """Who of the matrix goes by a name in AWS: their e-mail address or their id, in any case of letters."""
    wanted = name.casefold()
    for person in organization.people.values():
        # Somebody without an address goes by their id alone, and not by no name at all.
        if wanted and wanted in (person.email.casefold(), person.id.casefold()):
            return person
    return None


def exception_for(
    control: Control, resource: Resource, organization: Organization, at: datetime
) -> AcceptedRisk | None:
    """The accepted risk that covers a control on a resource at a moment; an expired one covers nothing."""
    for row in organization.exceptions:
        if row.control == control.id and fnmatchcase(resource.arn, row.resource) and at < row.expires:
            approver = organization.people[row.approver]
            return AcceptedRisk(row.id, row.reason, approver.name, row.expires, approver_team=approver.team)
    return None
