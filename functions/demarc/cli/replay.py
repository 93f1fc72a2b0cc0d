"""`demarc replay`: records through the whole path, against what AWS says now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from demarc.cli import options
from demarc.cli.connection import Connection
from demarc.cli.failures import FINE, NO_ANSWER, UNUSABLE, asking_aws
from demarc.cli.terminal import fact, headline, say, say_json, say_lines, warn, with_progress
from demarc.cli.told import call_of, counted, counts_of, drift_of, owner_of, record_of
from demarc.core.model import Change, Finding

if TYPE_CHECKING:
    from demarc.announcers import Announcer
    from demarc.authoring.compile import CompiledMatrix
    from demarc.cli.settling import Settled
    from demarc.pipeline import Pipeline
    from demarc.stores import FindingStore

# Judged together: a resource is read once, and of all that changed it the call is named that wrote what drifted.
_BATCH = 5_000


@click.command()
@options.files
@click.option("--table", "table_name", metavar="NAME", help="Record in this DynamoDB table.  [default: in memory]")
@click.option("--topic", metavar="ARN", help="Announce on this SNS topic.  [default: nobody is told]")
@click.option("--messages", is_flag=True, help="Print what owners would be sent.")
@options.as_json
@options.matrix
@options.stack
@options.reads_aws
@click.pass_context
def replay(
    ctx: click.Context,
    *,
    files: tuple[str, ...],
    table_name: str | None,
    topic: str | None,
    messages: bool,
    as_json: bool,
    matrix: Path,
    stack: str | None,
    connection: Connection,
) -> None:
    """Take records through the whole path.

    Whatever they touched is read from AWS as it is now, judged, recorded and announced. Without --table findings are
    kept in memory only. Without --topic nobody is told, and what is recorded in a table goes on waiting for it.
    Repeating is safe. FILE is as in `demarc explain`.

    \b
      demarc replay trail.json
      demarc replay trail.json.gz --table NAME --topic arn:aws:sns:eu-west-1:123456789012:findings
    """
    from demarc.cli.events import Problems, read_events
    from demarc.cli.matrices import compiled
    from demarc.cli.settling import settle

    if messages and (topic or as_json):
        raise click.UsageError(
            "--messages prints them for people, instead of sending them: without --topic and --json."
        )
    rules = compiled(matrix, stack)
    printed = StringIO() if messages else None
    store = _store(table_name, connection, tells=topic is not None)
    pipeline = _pipeline(rules, connection, store, _announcer(topic, printed, connection))
    problems, sums = Problems(), _Sums()
    for events in _batches(with_progress(read_events(files, problems))):
        for settled in settle(events, pipeline, connection):
            sums.add(settled)
            if as_json:
                say_json(_as_json(settled))
            else:
                _tell(settled, printed)
    if not as_json:
        sums.tell()
    if sums.unanswered:
        warn(f"{counted(sums.unanswered, 'resource')} could not be looked at")
    ctx.exit(NO_ANSWER if sums.unanswered else UNUSABLE if problems.told else FINE)


def _batches(events: Iterable[Any]) -> Iterator[list[Any]]:
    remaining = iter(events)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


# --- what it works with ---------------------------------------------------------------------------------------------


def _pipeline(rules: CompiledMatrix, connection: Connection, store: FindingStore, announcer: Announcer) -> Pipeline:
    from demarc import readers
    from demarc.pipeline import Pipeline

    return Pipeline(
        matrix=rules.matrix(),
        readers=readers.Readers(rules.controls),
        clients=connection.clients,
        store=store,
        announcer=announcer,
        clock=lambda: datetime.now(UTC),
    )


def _store(table_name: str | None, connection: Connection, *, tells: bool) -> FindingStore:
    """Where to record. A table that is not there is noticed before anything is read.

    Where nobody is told, nothing is noted as told either: the next judgement of the resource announces it.
    """
    from demarc.cli.telling import Untold
    from demarc.stores.dynamodb import DynamoFindingStore
    from demarc.stores.memory import MemoryFindingStore

    if table_name is None:
        return MemoryFindingStore()
    with asking_aws():
        store = (DynamoFindingStore if tells else Untold)(connection.clients("dynamodb", connection.region), table_name)
        next(iter(store.unannounced()), None)
    return store


def _announcer(topic: str | None, printed: StringIO | None, connection: Connection) -> Announcer:
    from demarc.announcers.console import ConsoleAnnouncer
    from demarc.cli.deployment import announcer_on

    return announcer_on(topic, connection) if topic else ConsoleAnnouncer(printed or StringIO())


# --- what is told ---------------------------------------------------------------------------------------------------


class _Sums:
    """What came of all records together."""

    def __init__(self) -> None:
        self.unanswered = 0
        self._records: Counter[str] = Counter()
        self._statuses: dict[str, str] = {}

    def add(self, settled: Settled) -> None:
        outcome = settled.outcome
        self._records["change" if isinstance(outcome, Change) else outcome.reason] += 1
        self.unanswered += sum(each.why is not None for each in settled.looked)
        self._statuses.update({finding.id: finding.status for finding in settled.standing})

    def tell(self) -> None:
        say(counts_of(self._records))
        statuses = Counter(self._statuses.values())
        say("findings: " + (", ".join(f"{count} {status}" for status, count in sorted(statuses.items())) or "none"))


def _as_json(settled: Settled) -> dict[str, Any]:
    return {
        **record_of(settled.outcome),
        "resources": [
            {
                "type": each.resource.type,
                "identifier": each.resource.identifier,
                "arn": each.resource.arn,
                "account": each.resource.account,
                "region": each.resource.region,
                "seen": each.seen,
                "results": each.results,
                "why": each.why,
            }
            for each in settled.looked
        ],
        "findings": [
            {
                "id": finding.id,
                "control": finding.control,
                "status": finding.status,
                "severity": finding.severity,
                "revision": finding.revision,
                "owner": finding.attribution.owner,
                "news": finding.id in settled.news,
            }
            for finding in settled.standing
        ],
    }


_WORDS = {
    "judged": "judged",
    "judged-before": "judged with an earlier record",
    "gone": "gone",
    "superseded": "somebody recorded a newer observation",
    "unanswered": "could not be looked at",
    "other-account": "not looked at",
}


def _tell(settled: Settled, printed: StringIO | None) -> None:
    outcome = settled.outcome
    call = call_of(outcome.event_source, outcome.event_name)
    if isinstance(outcome, Change):
        headline("change", f"{call}  {outcome.time:%Y-%m-%d %H:%M:%S} UTC by {outcome.actor.name}")
    else:
        headline(outcome.reason, call)
        fact("why", outcome.detail)
    for each in settled.looked:
        results = f" ({', '.join(f'{count} {result}' for result, count in each.results.items())})"
        why = f": {each.why}" if each.why else ""
        said = f"{_WORDS[each.seen]}{results if each.results else ''}{why}"
        fact("what", f"{each.resource.type} {each.resource.identifier}: {said}")
    for finding in settled.standing:
        if finding.id in settled.news:
            _tell_news(finding)
    before = Counter(finding.status for finding in settled.standing if finding.id not in settled.news)
    if before:
        fact("before", f"findings as before: {', '.join(f'{count} {status}' for status, count in before.items())}")
    say()
    if printed and printed.getvalue():
        say_lines(printed.getvalue())
        printed.seek(0)
        printed.truncate()


def _tell_news(finding: Finding) -> None:
    fact("finding", f"{finding.status} {finding.severity} {finding.control}: {owner_of(finding.attribution.owner)}")
    for drift in finding.drift:
        fact("", drift_of(drift))
    if finding.cause and finding.drift:
        set_by = f"set by {finding.cause.actor.name} with {finding.cause.event_name}"
        fact("", set_by if finding.cause.set_it else "was so before, and is seen now")
