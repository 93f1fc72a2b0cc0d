"""The one place where the steps meet:

event -> change -> snapshot -> evaluation -> attribution -> finding -> store -> announcement
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from demarc import checks
from demarc.announcers import Announcer
from demarc.core.announcement import announcement_of, groups_of
from demarc.core.attribution import attribute, exception_for, with_attribution
from demarc.core.evaluation import evaluate
from demarc.core.finding import decide, gone
from demarc.core.matrix import Matrix
from demarc.core.model import STANDING, Change, Evaluation, Finding, Occasion, Resource, finding_id
from demarc.core.occurrence import is_occurrence, recorded
from demarc.core.snapshot import Snapshot, kept
from demarc.readers import Clients, Gone, Reader, read
from demarc.stores import Conflict, FindingStore, Known, Superseded

# Two workers that decide on one resource at the same moment; each try reads what the other has recorded.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came out for one resource: every evaluation, and the findings that have a new revision.

    `untold` are the findings to announce: those, and what an earlier attempt recorded before it died. `superseded` is
    true where somebody recorded a newer observation meanwhile, so that this one was dropped.
    """

    seen: Snapshot | Gone
    evaluations: tuple[Evaluation, ...]
    findings: tuple[Finding, ...]
    untold: tuple[Finding, ...] = ()
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

    def respond(
        self,
        resource: Resource,
        changes: Sequence[Change] = (),
        *,
        occasion: Occasion = Occasion(),
        quietly: bool = False,
    ) -> Judgement:
        """Judge what a resource is now, and record and announce what that means.

        Safe to repeat at any point: state is read anew, recorded once, and told until it was told. `quietly` marks what
        is found as told without telling it: somebody tells it in sum.

        Raises:
            Conflict: if other workers kept deciding on the same resource; the queue tries again later.
        """
        judgement = self.settle(resource, changes, occasion=occasion)
        if quietly:
            for finding in judgement.untold:
                self.store.mark_announced(finding)
        else:
            self.tell(judgement.untold)
        return judgement

    def settle(
        self, resource: Resource, changes: Sequence[Change] = (), *, occasion: Occasion = Occasion()
    ) -> Judgement:
        """Judge and record, without telling anybody yet.

        Raises:
            Conflict: if other workers kept deciding on the same resource.
        """
        if is_occurrence(resource):
            return self._note(resource, changes, occasion)
        seen = self._observe(resource)
        for attempt in range(1, _TRIES + 1):
            known = self.store.known(seen.resource)
            judgement = judge(seen, known=known, changes=changes, matrix=self.matrix, occasion=occasion)
            snapshot = None if isinstance(seen, Gone) else kept(seen)
            try:
                self.store.record(seen.resource, seen.observed_at, judgement.findings, snapshot)
            except Superseded:
                if attempt == _TRIES:
                    return replace(judgement, findings=(), untold=(), superseded=True)
                # What the other worker saw is newer, but whose doing it was only these changes may tell.
                seen = self._observe(resource)
                continue
            except Conflict:
                if attempt == _TRIES:
                    raise
                continue
            break
        return judgement

    def _note(self, resource: Resource, changes: Sequence[Change], occasion: Occasion) -> Judgement:
        """Judge and record what happened: nobody reads it again, so what the changes say is added to what is known.

        Raises:
            Conflict: if other workers kept adding to it. Nothing is dropped for being older than what they added.
        """
        for attempt in range(1, _TRIES + 1):
            known = self.store.known(resource)
            seen = observed(resource, changes, known)
            judgement = judge(seen, known=known, changes=changes, matrix=self.matrix, occasion=occasion)
            try:
                self.store.record(resource, seen.observed_at, judgement.findings, seen)
            except (Conflict, Superseded) as faster:
                if attempt == _TRIES:
                    raise Conflict(f"others kept adding to {resource.arn}") from faster
                continue
            return judgement
        raise AssertionError

    def tell(self, findings: Iterable[Finding]) -> None:
        """Announce findings; those of one audience together."""
        tell(findings, store=self.store, announcer=self.announcer)

    def _observe(self, resource: Resource) -> Snapshot | Gone:
        return observe(resource, matrix=self.matrix, readers=self.readers, clients=self.clients, now=self.clock())


def tell(findings: Iterable[Finding], *, store: FindingStore, announcer: Announcer) -> None:
    """Announce findings, those of one audience together, and note that each was told."""
    for group in groups_of(findings):
        announcer.announce(announcement_of(group))
        for finding in group:
            store.mark_announced(finding)


def amend(finding_id: str, act: Callable[[Finding], Finding], *, store: FindingStore, announcer: Announcer) -> Finding:
    """Do to a finding what somebody said or the clock did, record it and announce it.

    Args:
        finding_id: which one.
        act: the finding as it is -> its next revision; asked again where somebody else was faster.
        store: where it is kept.
        announcer: who tells it.

    Raises:
        LookupError: if there is no such finding.
        Conflict: if others kept changing it.
        Refused, Impossible: what `act` raised.
    """
    for attempt in range(1, _TRIES + 1):
        finding = store.get(finding_id)
        if finding is None:
            raise LookupError(f"there is no finding {finding_id}")
        amended = act(finding)
        try:
            store.amend(amended)
        except Conflict:
            if attempt == _TRIES:
                raise
            continue
        tell([amended], store=store, announcer=announcer)
        return amended
    raise AssertionError


def observe(
    resource: Resource, *, matrix: Matrix, readers: Mapping[str, Reader], clients: Clients, now: datetime
) -> Snapshot | Gone:
    """Read what the matrix asks of a resource, with the fewest calls; and work out who claims it."""
    seen = read(readers[resource.type], resource, needs=matrix.needs(resource.type), clients=clients, now=now)
    return seen if isinstance(seen, Gone) else with_attribution(seen, matrix.organization)


def observed(resource: Resource, changes: Sequence[Change], known: Known) -> Snapshot:
    """What is known of what happened, these changes included.

    Raises:
        LookupError: if there are none: what happened cannot be looked at again.
    """
    if not changes:
        raise LookupError(f"{resource.identifier} happened; there is nothing to look at again")
    findings = [each for each in known.findings.values() if each.resource.key == resource.key]
    closed = not any(each.status in STANDING for each in findings)
    return recorded(resource, changes, known.last, closed=closed)


def assess(snapshot: Snapshot, matrix: Matrix) -> tuple[Evaluation, ...]:
    """Every control of the matrix on one snapshot."""
    return tuple(
        evaluate(control, snapshot, checks.find(control.check) if control.check else None)
        for control in matrix.controls_on(snapshot.resource)
    )


def judge(
    seen: Snapshot | Gone,
    *,
    known: Known,
    changes: Sequence[Change],
    matrix: Matrix,
    occasion: Occasion = Occasion(),
) -> Judgement:
    """What an observation means, given what was known. Pure: the same arguments give the same findings."""
    if isinstance(seen, Gone):
        closed = (
            gone(
                finding,
                changes=changes,
                organization=matrix.organization,
                observed_at=seen.observed_at,
                occasion=occasion,
            )
            for finding in known.findings.values()
            if finding.resource.key == seen.resource.key
        )
        return _judgement(seen, (), closed, known)
    evaluations = assess(seen, matrix)
    findings = (
        _finding(evaluation, seen, known=known, changes=changes, matrix=matrix, occasion=occasion)
        for evaluation in evaluations
    )
    return _judgement(seen, evaluations, findings, known)


def _judgement(
    seen: Snapshot | Gone, evaluations: tuple[Evaluation, ...], findings: Iterable[Finding | None], known: Known
) -> Judgement:
    news = tuple(finding for finding in findings if finding)
    now = {**known.findings, **{finding.id: finding for finding in news}}
    untold = tuple(finding for finding in now.values() if finding.announced < finding.revision)
    return Judgement(seen, evaluations, news, untold)


def _finding(
    evaluation: Evaluation,
    snapshot: Snapshot,
    *,
    known: Known,
    changes: Sequence[Change],
    matrix: Matrix,
    occasion: Occasion,
) -> Finding | None:
    control, resource = evaluation.control, snapshot.resource
    previous = known.findings.get(finding_id(control, resource))
    if previous is None and not evaluation.drift:
        return None
    return decide(
        previous,
        evaluation,
        snapshot=snapshot,
        before=known.last,
        attribution=attribute(control, snapshot, matrix),
        exception=exception_for(control, resource, matrix.organization, snapshot.observed_at),
        changes=changes,
        organization=matrix.organization,
        matrix_version=matrix.version,
        occasion=occasion,
    )


class Batch:
    """The changes of one delivery; a resource that several of them touch is judged once, for all of them.

    The reading is taken after every one of them happened, so it answers for each. A failure fails each that asks. What
    one change led to is told together, also where it touched several resources.
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
                fresh.append(self._pipeline.settle(touched.resource, self._changes[key]))
                self._judged[key] = fresh[-1]
        self._pipeline.tell(finding for judgement in fresh for finding in judgement.untold)
        return fresh
