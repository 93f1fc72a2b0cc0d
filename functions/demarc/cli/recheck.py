"""`demarc recheck`: look at a finding's resource now, through the deployed responder or from here."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

import click

from demarc.cli import options
from demarc.cli.connection import Connection
from demarc.cli.deployment import Deployment
from demarc.cli.failures import FINE, NO_ANSWER, NoAnswer, Refusal, Unusable, asking_aws
from demarc.cli.terminal import headline, say_json, warn
from demarc.cli.timeline import step_of, tell_step
from demarc.cli.told import place_of
from demarc.core.model import Finding, Occasion, Origin
from demarc.core.occurrence import is_occurrence

_EVERY = 2.0


@click.command()
@options.finding_id
@click.option("--here", is_flag=True, help="Read it with your own credentials, and record what that shows.")
@click.option("--queue", metavar="URL", help="The queue of the resource's responder.  [default: the stack's]")
@click.option(
    "--wait",
    type=click.IntRange(0, 900),
    default=30,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the responder.",
)
@options.as_json
@options.matrix
@options.deployed
@click.pass_context
def recheck(
    ctx: click.Context,
    *,
    finding_id: str,
    here: bool,
    queue: str | None,
    wait: int,
    as_json: bool,
    matrix: Path,
    deployment: Deployment,
) -> None:
    """Look at the resource of a finding now.

    The responder that reads it is asked through its queue: what it sees is recorded, and resolves the finding or not.
    With --here, or where only a --table is named, the resource is read with your own credentials instead, and judged by
    the matrix at hand.

    \b
      demarc recheck 3f9a1c2b
      demarc recheck 3f9a1c2b --here
    """
    if here and queue:
        raise click.UsageError("--here asks no --queue. Choose one.")
    finding = deployment.finding(finding_id)
    if is_occurrence(finding):
        raise Refusal(
            f"{finding.control} is about what happened, and there is nothing to look at again. Close it with what came "
            f"of it: demarc ack {finding.id[:8]} --reason TEXT"
        )
    url = None if here else queue or _queue_of(finding, deployment)
    if url is None:
        ctx.exit(_look_here(finding, matrix, deployment, as_json=as_json))
    ctx.exit(_ask(url, finding, deployment, wait=wait, as_json=as_json))


def _queue_of(finding: Finding, deployment: Deployment) -> str | None:
    """Where to ask; None where no stack was named that could be asked.

    Raises:
        Unusable: if the stack has no such queue.
    """
    from demarc import readers

    if not deployment.outputs:
        return None
    (reader,) = readers.load((finding.resource.type,))
    url = deployment.queue_of(reader.responder)
    if url is None:
        raise Unusable(
            f"the stack does not say where the {reader.responder} responder's queue is. Deploy this version, give "
            "--queue, or look with --here"
        )
    return url


# --- through the responder ------------------------------------------------------------------------------------------


def _ask(url: str, finding: Finding, deployment: Deployment, *, wait: int, as_json: bool) -> int:
    from demarc.core.look import Look, message_of

    connection = deployment.connection
    look = Look(resources=(finding.resource,), occasion=_occasion(connection))
    with asking_aws():
        before = deployment.store.known(finding.resource)
        connection.clients("sqs", connection.region).send_message(
            QueueUrl=url, MessageBody=json.dumps(message_of(look), separators=(",", ":"))
        )

    def looked_at() -> bool:
        known = deployment.store.known(finding.resource)
        return known.last != before.last or known.findings.get(finding.id) != before.findings.get(finding.id)

    if not wait:
        warn(f"Asked. `demarc show {finding.id[:8]}` tells what came of it.")
        return FINE
    with asking_aws():
        seen = _waited(looked_at, wait)
        after = deployment.store.get(finding.id) or finding
    if not seen:
        warn(f"Asked, but nobody looked within {wait} seconds. `demarc show {finding.id[:8]}` tells what came of it.")
        return NO_ANSWER
    _tell(finding, after, as_json=as_json)
    return FINE


def _waited(happened: Callable[[], bool], seconds: int) -> bool:
    """Whether something happened in time."""
    end = monotonic() + seconds
    while not happened():
        if monotonic() >= end:
            return False
        sleep(_EVERY)
    return True


def _occasion(connection: Connection) -> Occasion:
    """Who asked, by the name that their credentials have."""
    from demarc.cli.acting import caller

    return Occasion(Origin.CLI, caller(connection).name)


# --- from here ------------------------------------------------------------------------------------------------------


def _look_here(finding: Finding, matrix: Path, deployment: Deployment, *, as_json: bool) -> int:
    from demarc import readers
    from demarc.cli.matrices import ruling
    from demarc.cli.telling import Nobody, tell_owners_of
    from demarc.pipeline import Pipeline
    from demarc.readers import Gone
    from demarc.stores import Conflict

    resource, connection = finding.resource, deployment.connection
    if resource.account != connection.account:
        raise NoAnswer(
            f"it is in account {resource.account}, the credentials are of {connection.account}. Use another --profile."
        )
    announcer = deployment.announcer
    pipeline = Pipeline(
        matrix=ruling(matrix, deployment.matrix_version).matrix(),
        readers=readers.Readers((resource.type,)),
        clients=connection.clients,
        store=deployment.store,
        announcer=announcer or Nobody(),
        clock=lambda: datetime.now(UTC),
    )
    with asking_aws():
        try:
            judgement = pipeline.settle(resource, occasion=_occasion(connection))
        except Conflict as error:
            raise NoAnswer(f"others looked at the resource at the same time: {error}. Try again.") from error
        after = deployment.store.get(finding.id) or finding
    ended = tell_owners_of(judgement.untold, deployment.store, announcer)
    _tell(finding, after, as_json=as_json)
    unread = {} if isinstance(judgement.seen, Gone) else judgement.seen.unread
    for why in dict.fromkeys(unread.values()):
        warn(f"could not read {', '.join(sorted(prop for prop in unread if unread[prop] == why))}: {why}")
    return NO_ANSWER if unread else ended


def _tell(before: Finding, after: Finding, *, as_json: bool) -> None:
    if as_json:
        say_json(after)
        return
    headline(after.id, f"{after.control}: {place_of(after.resource)}")
    if after.revision != before.revision:
        tell_step(step_of(before, after))
    else:
        headline(after.status, "as before, nothing new was seen")
