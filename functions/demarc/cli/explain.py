"""`demarc explain`: what records say, and what Demarc would do about them. Offline: AWS is not asked anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from demarc.cli import options
from demarc.cli.failures import FINE, UNUSABLE
from demarc.cli.owners import Duty, duties_on, tell_lines, tell_owners
from demarc.cli.terminal import fact, headline, say, say_json, with_progress
from demarc.cli.told import account_of, actor_of, call_of, counts_of, record_of
from demarc.core.actor import identify
from demarc.core.change import NoChange, interpret
from demarc.core.matrix import Matrix
from demarc.core.model import Actor, Change, Confidence, Owner, Resource, Via
from demarc.core.occurrence import is_occurrence

_TAGLESS = "An owner tag, or a workload's, comes before these rows; tags are read from AWS, so `evaluate` knows more."


@click.command()
@options.files
@options.as_json
@options.matrix
@options.stack
@options.offline
@click.pass_context
def explain(ctx: click.Context, *, files: tuple[str, ...], as_json: bool, matrix: Path, stack: str | None) -> None:
    """Say what records mean, without asking AWS.

    For each record: who did it and with what tool, which resources it touched, which controls would be judged and whose
    they are; or why it is no change. A FILE is a CloudTrail record, a trail's log file, JSON lines, EventBridge
    envelopes, SQS messages or the answer of `aws cloudtrail lookup-events`; also gzipped; `-` is stdin.

    \b
      demarc explain trail.json.gz
      aws cloudtrail lookup-events | demarc explain - --json
    """
    from demarc.cli.events import Problems, read_events
    from demarc.cli.matrices import compiled

    rules = compiled(matrix, stack).matrix()
    problems = Problems()
    counts: Counter[str] = Counter()
    for event in with_progress(read_events(files, problems)):
        outcome = interpret(event, rules.touches, rules.occurrences)
        counts["change" if isinstance(outcome, Change) else outcome.reason] += 1
        if as_json:
            say_json(_as_json(event, outcome, rules))
        else:
            _tell(event, outcome, rules)
    if not as_json:
        _summarise(counts)
    ctx.exit(UNUSABLE if problems.told else FINE)


# --- for machines ---------------------------------------------------------------------------------------------------


def _as_json(event: Any, outcome: Change | NoChange, matrix: Matrix) -> dict[str, Any]:
    who = _who(event, outcome)
    resources = [touched.resource for touched in outcome.touched] if isinstance(outcome, Change) else []
    controls = dict.fromkeys(control.id for each in resources for control in matrix.controls_on(each))
    return {
        **record_of(outcome),
        "actor": who[0] if who else None,
        "via": who[1] if who else None,
        "via_confidence": who[2] if who else None,
        "resources": [
            {name: getattr(resource, name) for name in ("type", "identifier", "arn", "account", "region")}
            for resource in resources
        ],
        "controls": list(controls),
    }


def _who(event: Any, outcome: Change | NoChange) -> tuple[Actor, Via, Confidence] | None:
    """Who made the call, also of one that changed nothing; None where the event says nothing of a caller."""
    if isinstance(outcome, Change):
        return outcome.actor, outcome.via, outcome.via_confidence
    record = event.get("detail", event) if isinstance(event, dict) else None
    return identify(record) if isinstance(record, dict) and isinstance(record.get("userIdentity"), dict) else None


# --- for people -----------------------------------------------------------------------------------------------------


def _summarise(counts: Counter[str]) -> None:
    say(counts_of(counts))
    if counts["change"]:
        say(_TAGLESS)


def _tell(event: Any, outcome: Change | NoChange, matrix: Matrix) -> None:
    call = call_of(outcome.event_source, outcome.event_name)
    if isinstance(outcome, NoChange):
        headline(outcome.reason, call)
        fact("why", outcome.detail)
    else:
        where = f"account {account_of(outcome.account, matrix.organization)}, {outcome.region}"
        headline("change", f"{call}  {outcome.time:%Y-%m-%d %H:%M:%S} UTC, {where}")
    if who := _who(event, outcome):
        fact("who", actor_of(who[0]))
        fact("how", f"{who[1]} ({who[2]} confidence)")
    if isinstance(outcome, Change):
        for resources, duties in _alike(outcome, matrix):
            _tell_resources(resources, duties)
    say()


def _alike(change: Change, matrix: Matrix) -> Iterable[tuple[list[Resource], list[Duty]]]:
    """The resources of a change, those that would be told alike together."""
    groups: dict[tuple[str | Owner, ...], tuple[list[Resource], list[Duty]]] = {}
    for touched in change.touched:
        duties = list(duties_on(touched.resource, matrix))
        each_is_its_own = (touched.resource.identifier,) if is_occurrence(touched.resource) else ()
        owners = (attribution.owner for _, attribution in duties)
        key: tuple[str | Owner, ...] = (touched.resource.type, *each_is_its_own, *owners)
        groups.setdefault(key, ([], duties))[0].append(touched.resource)
    return groups.values()


def _tell_resources(resources: list[Resource], duties: list[Duty]) -> None:
    happened = is_occurrence(resources[0])
    fact("what", f"{resources[0].type} {', '.join(resource.identifier for resource in resources)}")
    if not duties:
        fact("", "no control of the matrix is about this type")
        return
    tell_owners(duties, "broken" if happened else "judged")
    tell_lines(duties)
