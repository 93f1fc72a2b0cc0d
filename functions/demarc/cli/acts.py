"""What people say of a finding: `demarc ack`, `accept`, `approve`, `decline`, `assign` and `resolve`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from demarc.cli import options
from demarc.cli.deployment import Deployment
from demarc.cli.failures import NoAnswer, NotThere, Refusal, Unusable, asking_aws
from demarc.cli.terminal import fact, headline, say_json
from demarc.cli.timeline import step_of, tell_step
from demarc.cli.told import meant, one_of, place_of
from demarc.core.model import Finding, Origin
from demarc.core.occurrence import is_occurrence

if TYPE_CHECKING:
    from demarc.core.matrix import Organization, Person

_optional_reason = click.option("--reason", metavar="TEXT", default="", help="Why, for whoever reads the history.")
_reason = click.option("--reason", metavar="TEXT", required=True, help="Why; it is kept, and told.")


@click.command()
@options.finding_id
@_optional_reason
@options.as_json
@options.matrix
@options.deployed
@click.pass_context
def ack(
    ctx: click.Context, *, finding_id: str, reason: str, as_json: bool, matrix: Path, deployment: Deployment
) -> None:
    """Say that you know of a finding and are at it.

    The deadline stays. What happened, and cannot be looked at again, is closed by it: that takes a --reason. Who you
    are is what your credentials say: the IAM user, or the name of the session, has to be the `email` or `id` of one of
    the matrix's people.

    \b
      demarc ack 3f9a1c2b
      demarc ack 3f9a1c2b --reason "rolled back with the release at noon"
    """
    from demarc.cli.acting import acting
    from demarc.cli.matrices import compiled
    from demarc.core.acts import acknowledge

    finding = deployment.finding(finding_id)
    by = acting(deployment.connection, compiled(matrix).organization)
    ctx.exit(_do(finding, partial(acknowledge, by=by, reason=reason), deployment, as_json=as_json))


@click.command()
@options.finding_id
@_reason
@click.option("--until", type=options.until, metavar="DAY", required=True, help="The last day, 2027-06-30, or 90d.")
@options.as_json
@options.matrix
@options.deployed
@click.pass_context
def accept(
    ctx: click.Context,
    *,
    finding_id: str,
    reason: str,
    until: datetime,
    as_json: bool,
    matrix: Path,
    deployment: Deployment,
) -> None:
    """Accept the risk of a finding until some day.

    That is for the team that owns it, and for the approvers of the matrix. Where the matrix asks for a second person,
    the owner's word is a proposal that an approver answers with `demarc approve` or `demarc decline`. Afterwards the
    finding opens again by itself.

    \b
      demarc accept 3f9a1c2b --reason "the vendor's fix comes in May" --until 2027-05-31
      demarc accept 3f9a1c2b --reason "replaced by the new vault" --until 90d
    """
    ctx.exit(_accept(finding_id, reason, until, matrix, deployment, as_json=as_json))


@click.command()
@options.finding_id
@_optional_reason
@options.as_json
@options.matrix
@options.deployed
@click.pass_context
def approve(
    ctx: click.Context, *, finding_id: str, reason: str, as_json: bool, matrix: Path, deployment: Deployment
) -> None:
    """Agree to the acceptance that somebody else proposed.

    Your name has to be vouched for: an IAM user's, or one that IAM Identity Center gave. The session name of another
    role is chosen by whoever assumes it.

    \b
      demarc approve 3f9a1c2b
    """
    from demarc.cli.acting import acting
    from demarc.cli.matrices import ruling
    from demarc.core import acts

    finding = deployment.finding(finding_id)
    organization = ruling(matrix, deployment.matrix_version).organization
    by = acting(deployment.connection, organization, vouched=True)
    act = partial(acts.approve, by=by, organization=organization, reason=reason)
    ctx.exit(_do(finding, act, deployment, as_json=as_json))


@click.command()
@options.finding_id
@_reason
@options.as_json
@options.matrix
@options.deployed
@click.pass_context
def decline(
    ctx: click.Context, *, finding_id: str, reason: str, as_json: bool, matrix: Path, deployment: Deployment
) -> None:
    """Refuse a proposed acceptance, or take one back.

    A finding whose acceptance is taken back is open again. What the matrix excepts is taken out there.

    \b
      demarc decline 3f9a1c2b --reason "customer data is in it"
    """
    from demarc.cli.acting import acting
    from demarc.cli.matrices import ruling
    from demarc.core import acts

    finding = deployment.finding(finding_id)
    organization = ruling(matrix, deployment.matrix_version).organization
    by = acting(deployment.connection, organization)
    act = partial(acts.decline, by=by, organization=organization, reason=reason)
    ctx.exit(_do(finding, act, deployment, as_json=as_json))


@click.command()
@options.finding_id
@click.argument("person")
@_optional_reason
@options.as_json
@options.matrix
@options.deployed
@click.pass_context
def assign(
    ctx: click.Context,
    *,
    finding_id: str,
    person: str,
    reason: str,
    as_json: bool,
    matrix: Path,
    deployment: Deployment,
) -> None:
    """Name who is to see to a finding.

    PERSON is the id, the e-mail address or the name of one of the matrix's people. Whose the finding is stays what the
    matrix says.

    \b
      demarc assign 3f9a1c2b aiko.tanaka
      demarc assign 3f9a1c2b "Aiko Tanaka" --reason "knows the vault"
    """
    from demarc.cli.acting import acting
    from demarc.cli.matrices import compiled
    from demarc.core import acts

    finding = deployment.finding(finding_id)
    organization = compiled(matrix).organization
    to = _known_person(person, organization)
    by = acting(deployment.connection, organization)
    ctx.exit(_do(finding, partial(acts.assign, to=to, by=by, reason=reason), deployment, as_json=as_json))


@click.command()
@options.finding_id
@click.option("--false-positive", is_flag=True, help="The verdict is wrong: what was seen is as it must be.")
@click.option("--reason", metavar="TEXT", help="Why the verdict is wrong; it is kept, and told.")
@click.option(
    "--until",
    type=options.until,
    metavar="DAY",
    help="The last day, 2027-06-30, or 90d.  [default: as far away as the matrix lets it be]",
)
@options.as_json
@options.matrix
@options.deployed
@click.pass_context
def resolve(
    ctx: click.Context,
    *,
    finding_id: str,
    false_positive: bool,
    reason: str | None,
    until: datetime | None,
    as_json: bool,
    matrix: Path,
    deployment: Deployment,
) -> None:
    """Say that a verdict is wrong.

    What is mended needs no word: Demarc reads the resource and resolves the finding, within seconds of the change or
    with `demarc recheck`. A false positive is an accepted risk that covers exactly what was seen: it asks for the same
    people, expires, and ends when the resource looks different.

    \b
      demarc resolve 3f9a1c2b --false-positive --reason "the principal is our own CDN"
    """
    if not false_positive and is_occurrence(deployment.finding(finding_id)):
        raise Refusal(
            f"it happened, and is closed by whoever acknowledges it: demarc ack {finding_id} --reason TEXT. Where the "
            "verdict is wrong, say so: --false-positive --reason TEXT"
        )
    if not false_positive:
        raise Refusal(
            "only what is read from AWS resolves a finding. Mend the resource, and `demarc recheck` looks at it now. "
            "Where the verdict is wrong, say so: --false-positive --reason TEXT"
        )
    if not reason:
        raise click.UsageError("--false-positive needs a --reason.")
    ctx.exit(_accept(finding_id, reason, until, matrix, deployment, as_json=as_json, false_positive=True))


# --- what they have in common ---------------------------------------------------------------------------------------


def _accept(
    finding_id: str,
    reason: str,
    until: datetime | None,
    matrix: Path,
    deployment: Deployment,
    *,
    as_json: bool,
    false_positive: bool = False,
) -> int:
    """Accept a risk; where that takes a second person, the first must be certain too, or one could be both."""
    from demarc.cli.acting import acting
    from demarc.cli.matrices import ruling
    from demarc.core import acts

    finding = deployment.finding(finding_id)
    organization = ruling(matrix, deployment.matrix_version).organization
    second = acts.asks_for_a_second_person(finding, organization)
    by = acting(deployment.connection, organization, vouched=second)
    longest = timedelta(days=organization.acceptance.longest_days)
    act = partial(
        acts.accept,
        by=by,
        reason=reason,
        until=until or datetime.now(UTC) + longest,
        organization=organization,
        false_positive=false_positive,
    )
    waits_for = one_of([each.name for each in acts.approvers(organization) if each.name != by.name] or ["an approver"])
    return _do(finding, act, deployment, as_json=as_json, waits_for=waits_for)


def _known_person(name: str, organization: Organization) -> Person:
    """Who goes by an id, an e-mail address or a name.

    Raises:
        Unusable: if nobody does.
    """
    from demarc.core.attribution import person_of

    named = [each for each in organization.people.values() if each.name.casefold() == name.casefold()]
    person = person_of(name, organization) or (named[0] if len(named) == 1 else None)
    if person is None:
        raise Unusable(f"nobody in the matrix is called {name!r}. {meant(name, organization.people)}")
    return person


def _do(
    finding: Finding, act: Callable[..., Finding], deployment: Deployment, *, as_json: bool, waits_for: str = ""
) -> int:
    """Do something to a finding, record it, tell it, and answer how the run ends.

    `act` is one of `core.acts` that only waits for the finding, the origin and the moment.

    Raises:
        Refusal: if the finding does not allow it.
        NoAnswer: if others kept changing it, or AWS refused.
    """
    from demarc.cli.telling import Nobody, Untold, tell_owners_of
    from demarc.core.acts import Refused
    from demarc.core.finding import Impossible
    from demarc.pipeline import amend
    from demarc.stores import Conflict

    before: list[Finding] = []

    def now(each: Finding) -> Finding:
        before.append(each)
        return act(each, origin=Origin.CLI, at=datetime.now(UTC))

    # Before anything is recorded: a topic that is none ends it here.
    announcer = deployment.announcer
    with asking_aws():
        client = deployment.connection.clients("dynamodb", deployment.connection.region)
        try:
            after = amend(finding.id, now, store=Untold(client, deployment.table_name), announcer=Nobody())
        except (Refused, Impossible) as refusal:
            raise Refusal(f"{finding.control} on {finding.resource.identifier}: {refusal}") from refusal
        except LookupError as error:
            raise NotThere(f"{error}") from error
        except Conflict as error:
            raise NoAnswer(f"others changed the finding at the same time: {error}. Try again.") from error
    ended = tell_owners_of([after], deployment.store, announcer)
    if as_json:
        say_json(after)
    else:
        _tell(before[-1], after, waits_for)
    return ended


def _tell(before: Finding, after: Finding, waits_for: str) -> None:
    headline(after.id, f"{after.control}: {place_of(after.resource)}")
    tell_step(step_of(before, after))
    if after.proposal and not before.proposal and waits_for:
        fact("next", f"{waits_for} answers with demarc approve {after.id[:8]}, or decline", whole=True)
