"""Records settled as a responder would settle them, but one that cannot be does not stop the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from demarc.cli.connection import Connection
from demarc.cli.failures import NoAnswer, asking_aws, told
from demarc.core.change import NoChange, interpret
from demarc.core.model import Change, Compliance, Finding, Resource, Severity, Touched
from demarc.pipeline import Batch, Judgement, Pipeline
from demarc.readers import Gone
from demarc.stores import Conflict


@dataclass(frozen=True)
class Looked:
    """What became of one resource that a record names; `why` says what could not be looked at."""

    resource: Resource
    seen: str
    results: Mapping[str, int] = field(default_factory=dict)
    why: str | None = None


@dataclass(frozen=True)
class Settled:
    """One record: its resources, their findings as they stand now, and the ids of those that it moved."""

    outcome: Change | NoChange
    looked: tuple[Looked, ...] = ()
    standing: tuple[Finding, ...] = ()
    news: frozenset[str] = frozenset()


def settle(events: Iterable[Any], pipeline: Pipeline, connection: Connection) -> Iterator[Settled]:
    """Interpret some records, then judge what they touched, in their order; a resource is read once for all.

    Raises:
        NoAnswer: if AWS cannot be reached at all.
    """
    matrix = pipeline.matrix
    outcomes = [interpret(event, matrix.touches, matrix.occurrences) for event in events]
    batch = Batch(pipeline, [outcome for outcome in outcomes if isinstance(outcome, Change)])
    for outcome in outcomes:
        if isinstance(outcome, Change):
            yield _settled(outcome, batch, pipeline, connection)
        else:
            yield Settled(outcome)
    connection.clients.calls.clear()


def _settled(change: Change, batch: Batch, pipeline: Pipeline, connection: Connection) -> Settled:
    looked: list[Looked] = []
    standing: dict[str, Finding] = {}
    news: set[str] = set()
    for touched in change.touched:
        each, judgement = _look(change, touched, batch, connection)
        looked.append(each)
        news |= {finding.id for finding in judgement.findings} if judgement else set()
        if each.seen not in ("unanswered", "other-account"):
            with asking_aws():
                standing |= pipeline.store.known(each.resource).findings
    worst_first = sorted(standing.values(), key=lambda finding: list(Severity).index(finding.severity))
    return Settled(change, tuple(looked), tuple(worst_first), frozenset(news))


def _look(change: Change, touched: Touched, batch: Batch, connection: Connection) -> tuple[Looked, Judgement | None]:
    resource = touched.resource
    if resource.account != connection.account:
        why = f"it is in account {resource.account}, the credentials are of {connection.account}"
        return Looked(resource, "other-account", why=why), None
    try:
        fresh = batch.settle(replace(change, touched=(touched,)))
    except (ClientError, Conflict, ParamValidationError) as error:
        return Looked(resource, "unanswered", why=told(error)), None
    except BotoCoreError as error:
        raise NoAnswer(told(error)) from error
    if not fresh:
        return Looked(resource, "judged-before"), None
    return _judged(fresh[0]), fresh[0]


def _judged(judgement: Judgement) -> Looked:
    seen = judgement.seen
    if isinstance(seen, Gone):
        return Looked(seen.resource, "gone")
    counts = Counter(evaluation.compliance for evaluation in judgement.evaluations)
    results = {each.value: counts[each] for each in Compliance if counts[each]}
    why = "; ".join(dict.fromkeys(seen.unread.values())) or None
    return Looked(seen.resource, "superseded" if judgement.superseded else "judged", results, why)
