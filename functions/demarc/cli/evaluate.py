"""`demarc evaluate`: read one resource now and judge it. Nothing is recorded or announced."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from demarc.cli import options
from demarc.cli.connection import Connection
from demarc.cli.failures import NO_ANSWER, NOT_THERE, WRONG, NoAnswer, Unusable, asking_aws
from demarc.cli.owners import tell_lines, tell_owners
from demarc.cli.terminal import fact, headline, say, say_json, table, warn
from demarc.cli.told import account_of, drift_of, meant
from demarc.core.arn import ArnShape
from demarc.core.attribution import attribute
from demarc.core.finding import guidance_for
from demarc.core.matrix import Matrix
from demarc.core.model import OCCURRENCE, Compliance, Evaluation, Resource, Severity
from demarc.core.snapshot import Snapshot

if TYPE_CHECKING:
    from demarc.readers import Reader

_TOLD_IN_FULL = (Compliance.NON_COMPLIANT, Compliance.INSUFFICIENT_DATA)
_ORDER = (*_TOLD_IN_FULL, Compliance.COMPLIANT, Compliance.NOT_APPLICABLE)


@click.command()
@click.argument("resource_type", metavar="TYPE")
@click.argument("identifier")
@click.option("--exit-code", is_flag=True, help="End with 1 where a control does not hold.")
@options.as_json
@options.matrix
@options.reads_aws
@click.pass_context
def evaluate(
    ctx: click.Context,
    *,
    resource_type: str,
    identifier: str,
    exit_code: bool,
    as_json: bool,
    matrix: Path,
    connection: Connection,
) -> None:
    """Read one resource now and judge it.

    TYPE is a CloudFormation type; IDENTIFIER the name or id that CloudFormation knows it by, or its ARN. Every control
    on the type is judged, and told with its owner. Nothing is recorded or announced.

    \b
      demarc evaluate AWS::S3::Bucket my-bucket
      demarc evaluate AWS::::Account 123456789012 --json
    """
    from demarc.cli.matrices import compiled
    from demarc.pipeline import assess, observe
    from demarc.readers import Gone

    rules = compiled(matrix).matrix()
    reader = _reader(resource_type, rules)
    resource = _resource(reader, identifier, connection)
    readers = {reader.type: reader}
    with asking_aws():
        seen = observe(resource, matrix=rules, readers=readers, clients=connection.clients, now=datetime.now(UTC))
    if isinstance(seen, Gone):
        warn(f"{resource.type} {resource.identifier} does not exist in account {resource.account}, {resource.region}")
        ctx.exit(NOT_THERE)
    evaluations = sorted(assess(seen, rules), key=_worst_first)
    for evaluation in evaluations if as_json else ():
        say_json(_as_json(evaluation, seen, rules))
    if not as_json:
        _tell(evaluations, seen, rules)
    ctx.exit(_ended(evaluations, seen, exit_code=exit_code))


def _reader(resource_type: str, matrix: Matrix) -> Reader:
    """The reader of a type, however its letters are written."""
    from demarc import readers

    known = {reader.type.casefold(): reader for reader in readers.load(matrix.types) if reader.type != OCCURRENCE}
    if resource_type.casefold() == OCCURRENCE.casefold():
        raise Unusable("what happened cannot be looked at; `demarc explain` says of records whether they tell of it")
    if resource_type.casefold() not in known:
        types = [reader.type for reader in known.values()]
        raise Unusable(f"nothing reads the type {resource_type!r}. {meant(resource_type, types)}")
    return known[resource_type.casefold()]


def _resource(reader: Reader, identifier: str, connection: Connection) -> Resource:
    """What is asked about; account and Region are those of its ARN, else those of the credentials and the options.

    Raises:
        Unusable: if nothing of the type can be called so.
        NoAnswer: if it is in another account: what AWS answers to these credentials is about theirs.
    """
    shape = ArnShape.of(reader.arn)
    named = shape.named(identifier.strip())
    if named is None:
        raise Unusable(f"{identifier!r} does not name a resource of type {reader.type}")
    # Of an account the identifier is the account.
    owner = named.account or (None if shape.identifies else named.identifier)
    if owner not in (None, connection.account):
        raise NoAnswer(
            f"{identifier!r} is of account {owner}, the credentials are of {connection.account}. Use another --profile."
        )
    region = named.region or connection.region
    arn = named.arn or shape.arn(named.identifier, connection.account, region)
    return Resource(reader.type, named.identifier, connection.account, region, arn)


def _worst_first(evaluation: Evaluation) -> tuple[int, int]:
    return _ORDER.index(evaluation.compliance), list(Severity).index(evaluation.control.severity)


def _ended(evaluations: list[Evaluation], seen: Snapshot, *, exit_code: bool) -> int:
    """The exit code: not to have seen everything weighs more than what was seen."""
    for why in dict.fromkeys(seen.unread.values()):
        unread = sorted(prop for prop, reason in seen.unread.items() if reason == why)
        warn(f"could not read {', '.join(unread)}: {why}")
    if seen.unread:
        return NO_ANSWER
    broken = any(each.compliance is Compliance.NON_COMPLIANT for each in evaluations)
    return WRONG if exit_code and broken else 0


def _as_json(evaluation: Evaluation, seen: Snapshot, matrix: Matrix) -> dict[str, Any]:
    control = evaluation.control
    attribution = attribute(control, seen, matrix)
    return {
        "control": control.id,
        "security_hub": control.security_hub,
        "compliance": evaluation.compliance,
        "drift": evaluation.drift,
        "owner": attribution.owner,
        "party": attribution.party,
        "severity": control.severity,
        "reason": evaluation.reason,
    }


def _tell(evaluations: list[Evaluation], seen: Snapshot, matrix: Matrix) -> None:
    resource = seen.resource
    duties = [(each.control, attribute(each.control, seen, matrix)) for each in evaluations]
    told = [each for each in evaluations if each.compliance in _TOLD_IN_FULL]
    account = account_of(resource.account, matrix.organization)
    headline(f"{resource.type} {resource.identifier}", f"account {account}, {resource.region}")
    fact("read", f"{seen.observed_at:%Y-%m-%d %H:%M:%S} UTC")
    tell_owners(duties, "judged", listed=False)
    tell_lines([duty for duty, each in zip(duties, evaluations, strict=True) if each in told])
    say()
    table(
        ("verdict", "severity", "control"),
        [(each.compliance, each.control.severity, each.control.id) for each in evaluations],
        whole=(2,),
    )
    for evaluation in told:
        say()
        _tell_in_full(evaluation, resource)


def _tell_in_full(evaluation: Evaluation, resource: Resource) -> None:
    control = evaluation.control
    headline(control.severity, f"{control.id}: {control.title}")
    for number, drift in enumerate(evaluation.drift):
        fact("" if number else "drift", drift_of(drift))
    if evaluation.reason:
        fact("reason", evaluation.reason)
    if evaluation.drift:
        fact("fix", guidance_for(control, resource), whole=True)
