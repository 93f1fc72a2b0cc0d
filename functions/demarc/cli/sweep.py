"""`demarc sweep`: have everything looked at again, by what is deployed or from here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from demarc.cli import options
from demarc.cli.deployment import Deployment
from demarc.cli.failures import FINE, NO_ANSWER, NoAnswer, Unusable, asking_aws
from demarc.cli.terminal import fact, headline, say, say_json, table, warn
from demarc.cli.told import counted
from demarc.core.model import Origin, Severity

if TYPE_CHECKING:
    from demarc.announcers import Announcer
    from demarc.cli.sweeping import Broken, Swept
    from demarc.stores import FindingStore
    from demarc.stores.sweeps import DynamoSweepStore, Progress
    from demarc.sweep import Report

_EVERY = 3.0
# The function takes a request within seconds; somebody should look after it if it does not.
_TAKEN_WITHIN = 120.0


@click.command()
@click.option("--here", is_flag=True, help="Look with your own credentials, in this process.")
@click.option("--type", "types", multiple=True, metavar="TYPE", help="Only this type, from here. May be repeated.")
@click.option("--queue", metavar="URL", help="The queue of sweeps.  [default: the stack's]")
@click.option("--no-wait", is_flag=True, help="Ask for it, and do not wait for the end.")
@options.as_json
@options.matrix
@options.deployed
@click.pass_context
def sweep(
    ctx: click.Context,
    *,
    here: bool,
    types: tuple[str, ...],
    queue: str | None,
    no_wait: bool,
    as_json: bool,
    matrix: Path,
    deployment: Deployment,
) -> None:
    """Look at everything in an account and Region again.

    What is deployed is asked for it through its queue, and followed until the end: it goes on without this command too.
    What is found is recorded and told.

    With --here, or where only a --table is named, everything is listed and judged in this process with your own
    credentials, by the matrix at hand. It is recorded if a --table or --stack is named, and told if there is a topic;
    what is recorded and not told waits for the next sweep of what is deployed. Otherwise it is only judged and summed
    up. When AWS asks to slow down, it waits and goes on more slowly.

    \b
      demarc sweep
      demarc sweep --table NAME --queue https://sqs.eu-west-1.amazonaws.com/123456789012/NAME
      demarc sweep --here --type AWS::S3::Bucket
    """
    if here and (queue or no_wait):
        raise click.UsageError("--here asks no --queue and waits by itself. Choose one.")
    recorded = bool(deployment.table or deployment.stack)
    url = None if here else queue or _queue_of(deployment)
    if url is None:
        ctx.exit(_sweep_here(types, matrix, deployment, recorded=recorded, as_json=as_json))
    if types:
        raise click.UsageError("what is deployed looks at every type. Narrow it down with --type and --here.")
    ctx.exit(_ask(url, deployment, wait=not no_wait, as_json=as_json))


def _queue_of(deployment: Deployment) -> str | None:
    """Where to ask; None where no stack was named that could be asked.

    Raises:
        Unusable: if the stack has no such queue.
    """
    if deployment.outputs and deployment.sweep_queue is None:
        raise Unusable(
            "the stack does not say where sweeps are asked for. Deploy this version, give --queue, or look with --here"
        )
    return deployment.sweep_queue


# --- by what is deployed ----------------------------------------------------------------------------------------------


def _ask(url: str, deployment: Deployment, *, wait: bool, as_json: bool) -> int:
    """Ask for a sweep, or join the one that runs, and tell how it went."""
    from demarc.cli.acting import caller
    from demarc.queues import Message, send
    from demarc.stores.sweeps import DynamoSweepStore
    from demarc.sweep import Do, Step, message_of

    connection = deployment.connection
    with asking_aws():
        sweeps = DynamoSweepStore(
            connection.clients("dynamodb", connection.region),
            deployment.table_name,
            account=connection.account,
            region=connection.region,
            clock=lambda: datetime.now(UTC),
        )
        running = sweeps.running()
        sweep_id = running or str(uuid4())
        if running:
            warn(f"The sweep {running} runs already, and is followed; ask again when it has ended.")
        else:
            step = Step(Do.START, sweep_id, origin=Origin.CLI, by=caller(connection).name)
            send(connection.clients("sqs", connection.region), url, [Message(message_of(step))])
    if not wait:
        warn(f"Asked for the sweep {sweep_id}.")
        return FINE
    with asking_aws():
        return _follow(sweeps, sweep_id, as_json=as_json)


def _follow(sweeps: DynamoSweepStore, sweep_id: str, *, as_json: bool) -> int:
    """Show how far it is until it has ended.

    Raises:
        NoAnswer: if nobody begins.
    """
    from demarc.sweep import report_of

    asked = monotonic()
    try:
        with _progress() as show:
            while (progress := sweeps.progress(sweep_id)) is None or not progress.sweep.ended:
                if progress is None and monotonic() - asked > _TAKEN_WITHIN:
                    raise NoAnswer(
                        f"nobody took the sweep {sweep_id}. Look at --queue, and at the function's log and dead letters"
                    )
                if progress:
                    show(progress.tally.judged + progress.tally.gone, progress.listed)
                sleep(_EVERY)
    except KeyboardInterrupt:
        warn("The sweep goes on without this command. `demarc sweep` follows it again.")
        raise
    report = report_of(progress, datetime.now(UTC))
    _tell(report, None, as_json=as_json)
    return _ended(report, progress)


def _ended(report: Report, progress: Progress) -> int:
    for resource_type, why in report.refused.items():
        warn(f"{resource_type} could not be listed: {why}")
    if not report.sweep.complete:
        missing = [counted(len(progress.waiting), "part"), *progress.unlisted]
        warn(f"It was given up before it was through. What is missing: {', '.join(missing)}")
    return NO_ANSWER if report.refused or report.tally.unread or not report.sweep.complete else FINE


# --- from here --------------------------------------------------------------------------------------------------------


def _sweep_here(given: tuple[str, ...], folder: Path, deployment: Deployment, *, recorded: bool, as_json: bool) -> int:
    from demarc import readers
    from demarc.cli.acting import caller
    from demarc.cli.matrices import compiled, known_type, ruling
    from demarc.cli.sweeping import Nowhere, SweepHere
    from demarc.cli.telling import Nobody
    from demarc.stores.sweeps import standing

    rules = ruling(folder, deployment.matrix_version) if recorded else compiled(folder)
    types = [known_type(each, rules) or each for each in given] or list(rules.controls)
    known = {reader.type: reader for reader in readers.load(types)}
    if without := sorted(name for name, reader in known.items() if not reader.inventory and given):
        raise Unusable(f"nothing lists the type {', '.join(without)}")
    connection = deployment.connection
    store: FindingStore = Nowhere()
    announcer: Announcer = Nobody()
    if recorded:
        with asking_aws():
            store, announcer = _recording(deployment)
    dynamodb = connection.clients("dynamodb", connection.region)
    with _progress() as show:
        here = SweepHere(
            matrix=rules.matrix(),
            readers={name: reader for name, reader in known.items() if reader.inventory},
            connection=connection,
            store=store,
            announcer=announcer,
            standing=lambda: standing(dynamodb, deployment.table_name, connection.account) if recorded else (),
            show=show,
        )
        swept = here.run(by=caller(connection).name)
    _tell(swept.report, swept, as_json=as_json)
    for resource, why in swept.unanswered.items():
        warn(f"{resource} could not be looked at: {why}")
    for resource_type, why in swept.report.refused.items():
        warn(f"{resource_type} could not be listed: {why}")
    return NO_ANSWER if swept.unanswered or swept.report.refused or swept.report.tally.unread else FINE


def _recording(deployment: Deployment) -> tuple[FindingStore, Announcer]:
    """Where to record and who tells. A table that is not there is noticed before anything is read."""
    from demarc.cli.telling import Nobody, Untold
    from demarc.stores.dynamodb import DynamoFindingStore

    client = deployment.connection.clients("dynamodb", deployment.connection.region)
    next(DynamoFindingStore(client, deployment.table_name).unannounced(), None)
    if deployment.announcer is None:
        return Untold(client, deployment.table_name), Nobody()
    return DynamoFindingStore(client, deployment.table_name), deployment.announcer


# --- what is told -----------------------------------------------------------------------------------------------------


@contextmanager
def _progress() -> Iterator[Callable[[int, int], object]]:
    """A bar on stderr, where somebody looks; it is given how many resources were looked at, and are known of."""
    if not sys.stderr.isatty():
        yield lambda _seen, _known: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("resources"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=None)
        yield lambda seen, known: bar.update(task, completed=seen, total=known or None)


def _tell(report: Report, swept: Swept | None, *, as_json: bool) -> None:
    if as_json:
        say_json(_as_json(report, swept))
        return
    tally = report.tally
    resources = counted(tally.judged + tally.gone, "resource")
    headline("Swept" if report.sweep.complete else "Incomplete", f"{resources} in {_span(report.seconds)}")
    gone = f", {tally.gone:,} of them gone" if tally.gone else ""
    fact("looked", f"{report.listed:,} listed, {tally.judged + tally.gone:,} looked at{gone}")
    fact("found", f"{counted(tally.opened, 'finding')} opened, {tally.resolved:,} resolved")
    if tally.unread:
        fact("unread", f"{tally.unread:,} properties could not be read")
    calls = ", ".join(f"{number:,} {service}" for service, number in sorted(tally.calls.items()))
    fact("calls", calls or "none")
    if swept is None:
        fact("cost", f"about {report.dollars:.2f} USD" if report.dollars >= 0.01 else "less than 0.01 USD")
    elif swept.broken:
        say()
        table(("severity", "control", "resources", "teams"), _rows(swept.broken), whole=(1,))


def _rows(broken: Mapping[str, Broken]) -> Iterator[tuple[str, ...]]:
    order = list(Severity)
    for control, each in sorted(broken.items(), key=lambda item: (order.index(item[1].severity), item[0])):
        teams = ", ".join(f"{team} {number:,}" for team, number in each.teams.most_common())
        yield each.severity, control, f"{each.resources:,}", teams


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _as_json(report: Report, swept: Swept | None) -> dict[str, Any]:
    sweep, tally = report.sweep, report.tally
    return {
        "sweep": sweep.id,
        "account": sweep.account,
        "region": sweep.region,
        "started": sweep.started,
        "ended": sweep.ended,
        "complete": sweep.complete,
        "baseline": sweep.baseline,
        "matrix_version": sweep.matrix_version,
        "by": sweep.occasion.by,
        "listed": report.listed,
        "judged": tally.judged,
        "gone": tally.gone,
        "opened": tally.opened,
        "resolved": tally.resolved,
        "unread": tally.unread,
        "calls": tally.calls,
        "dollars": None if swept else report.dollars,
        "refused": report.refused,
        "missing": [*report.unlisted, *([f"{report.waiting} parts"] if report.waiting else [])],
        "controls": {
            control: {"severity": each.severity, "resources": each.resources, "teams": each.teams}
            for control, each in sorted(swept.broken.items())
        }
        if swept
        else None,
        "unanswered": swept.unanswered if swept else {},
    }
