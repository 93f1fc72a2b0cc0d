"""The one place where the steps meet:

event -> change -> snapshot -> evaluation -> attribution -> finding -> store -> announcement
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from demarc import checks
from demarc.announcers import Announcer
from demarc.core.attribution import attribute, exception_for, with_attribution
from demarc.core.evaluation import evaluate
from demarc.core.finding import decide, gone
from demarc.core.matrix import Matrix
from demarc.core.model import Change, Evaluation, Finding, Resource, finding_id
from demarc.core.snapshot import Snapshot
from demarc.readers import Clients, Gone, Reader, read
from demarc.stores import Conflict, FindingStore, Superseded

# Two workers that decide on one resource at the same moment; each try reads what the other has recorded.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came out for one resource: every evaluation, and the findings that have a new revision.

    `superseded` is true where somebody recorded a newer observation meanwhile, so that this one was dropped.
    """

    seen: Snapshot | Gone
    evaluations: tuple[Evaluation, ...]
    findings: tuple[Finding, ...]
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class Pipeline:
    """From a resource that was touched to findings that are stored and announced."""

    matrix: Matrix
    readers: Mapping[str, Reader]
    clients: Clients
    store: FindingStore
    announcer: Announcer
    clock: Callable[[], datetime]

    def respond(self, resource: Resource, changes: Sequence[Change] = ()) -> Judgement:
        """Judge what a resource is now, and record and announce what that means.

        Safe to repeat at any point: state is read anew, recorded once, and told until it was told.

        Raises:
            Conflict: if other workers kept deciding on the same resource; the queue tries again later.
        """
        seen = self._observe(resource)
        for attempt in range(1, _TRIES + 1):
            known = self.store.known(seen.resource)
            judgement = judge(seen, known=known, changes=changes, matrix=self.matrix)
            try:
                self.store.record(seen.resource, seen.observed_at, judgement.findings)
            except Superseded:
                if attempt == _TRIES:
                    return Judgement(seen, judgement.evaluations, (), superseded=True)
                # What the other worker saw is newer, but whose doing it was only these changes may tell.
                seen = self._observe(resource)
                continue
            except Conflict:
                if attempt == _TRIES:
                    raise
                continue
            break
        self._tell({**known, **{finding.id: finding for finding in judgement.findings}}.values())
        return judgement

    def _observe(self, resource: Resource) -> Snapshot | Gone:
        return observe(resource, matrix=self.matrix, readers=self.readers, clients=self.clients, now=self.clock())

    def _tell(self, findings: Iterable[Finding]) -> None:
        """Announce what was never announced; also what an earlier attempt recorded before it died."""
        for finding in findings:
            if finding.announced < finding.revision:
                self.announcer.announce(finding)
                self.store.mark_announced(finding)


def observe(
    resource: Resource, *, matrix: Matrix, readers: Mapping[str, Reader], clients: Clients, now: datetime
) -> Snapshot | Gone:
    """Read what the matrix asks of a resource, with the fewest calls; and work out who claims it."""
    seen = read(readers[resource.type], resource, needs=matrix.needs(resource.type), clients=clients, now=now)
    return seen if isinstance(seen, Gone) else with_attribution(seen, matrix.organization)


def assess(snapshot: Snapshot, matrix: Matrix) -> tuple[Evaluation, ...]:
    """Every control of the matrix on one snapshot."""
    return tuple(
        evaluate(control, snapshot, checks.find(control.check) if control.check else None)
        for control in matrix.controls_for(snapshot.resource.type)
    )


def judge(
    seen: Snapshot | Gone, *, known: Mapping[str, Finding], changes: Sequence[Change], matrix: Matrix
) -> Judgement:
    """What an observation means, given what was known. Pure: the same arguments give the same findings."""
    if isinstance(seen, Gone):
        closed = (
            gone(finding, changes=changes, organization=matrix.organization, observed_at=seen.observed_at)
            for finding in known.values()
            if finding.resource.key == seen.resource.key
        )
        return Judgement(seen, (), tuple(finding for finding in closed if finding))
    evaluations = assess(seen, matrix)
    findings = (_finding(evaluation, seen, known, changes, matrix) for evaluation in evaluations)
    return Judgement(seen, evaluations, tuple(finding for finding in findings if finding))


def _finding(
    evaluation: Evaluation,
    snapshot: Snapshot,
    known: Mapping[str, Finding],
    changes: Sequence[Change],
    matrix: Matrix,
) -> Finding | None:
    control, resource = evaluation.control, snapshot.resource
    previous = known.get(finding_id(control, resource))
    if previous is None and not evaluation.drift:
        return None
    return decide(
        previous,
        evaluation,
        resource=resource,
        attribution=attribute(control, snapshot, matrix),
        exception=exception_for(control, resource, matrix.organization, snapshot.observed_at),
        changes=changes,
        organization=matrix.organization,
        observed_at=snapshot.observed_at,
        matrix_version=matrix.version,
    )


class Batch:
    """The changes of one delivery; a resource that several of them touch is judged once, for all of them.

    The reading is taken after every one of them happened, so it answers for each. A failure fails each that asks.
    """

    def __init__(self, pipeline: Pipeline, changes: Iterable[Change]) -> None:
        self._pipeline = pipeline
        self._judged: dict[tuple[str, ...], Judgement] = {}
        self._changes: dict[tuple[str, ...], list[Change]] = {}
        for change in changes:
            for touched in change.touched:
                self._changes.setdefault(touched.resource.key, []).append(change)

    def settle(self, change: Change) -> list[Judgement]:
        """Judge what a change touched. Only what no earlier change of the batch has settled is returned."""
        fresh = []
        for touched in change.touched:
            key = touched.resource.key
            if key not in self._judged:
                self._judged[key] = self._pipeline.respond(touched.resource, self._changes[key])
                fresh.append(self._judged[key])
        return fresh
