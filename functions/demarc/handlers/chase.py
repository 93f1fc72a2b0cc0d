"""The chase: every few minutes, what the clock does to findings, the weekly digests, and how much is open.

It goes through what stands, team by team. A run that is cut short, or in which something failed, loses nothing: every
step is counted on its finding, so the next run takes those that are left. Findings of a team that is not in the matrix
any more get another with the sweep that follows a new matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from demarc.announcers.sns import SnsAnnouncer
from demarc.aws import AwsClients
from demarc.core.deadline import digest_week, next_step
from demarc.core.digest import DigestKind, announcement_of_digest, digest_of
from demarc.core.matrix import Matrix
from demarc.core.metering import gauges_of
from demarc.core.model import STANDING, Act, Finding, Origin, Status
from demarc.handlers.metering import emit
from demarc.pipeline import tell
from demarc.settings import Settings
from demarc.stores import Conflict
from demarc.stores.digests import DynamoDigestStore
from demarc.stores.dynamodb import DynamoFindingStore

logger = Logger()
metrics = Metrics()

_STEPS = {Act.REMIND: "Reminders", Act.ESCALATE: "Escalations", Act.EXPIRE: "ExpiredAcceptances"}
_ENDED = (Status.RESOLVED, Status.GONE)
_WEEK = timedelta(days=7)

# What is kept back to tell what was recorded and to write the metrics.
_RESERVE_MILLISECONDS = 30_000


class ChaseFailed(RuntimeError):
    """Something could not be done in this run; the log says what. The alarm on errors is to see it."""


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> None:  # noqa: ARG001  # every run looks at everything
    """One run.

    Raises:
        ChaseFailed: at the end, if something failed on the way.
    """
    chase = _chase(Settings.of())
    logger.append_keys(matrix=chase.matrix.version)
    run = _Run(chase, _now(), enough_time=lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS)
    run.run()
    for act, name in _STEPS.items():
        metrics.add_metric(name, MetricUnit.Count, run.taken[act])
    metrics.add_metric("Digests", MetricUnit.Count, run.digests)
    metrics.add_metric("ChaseFailures", MetricUnit.Count, run.failures)
    metrics.add_metric("ChaseUnfinished", MetricUnit.Count, not run.finished)
    steps = {name: run.taken[act] for act, name in _STEPS.items()}
    logger.info(
        "chased", extra={"standing": len(run.standing), "digests": run.digests, "finished": run.finished, **steps}
    )
    if run.failures:
        raise ChaseFailed(f"{run.failures} failures; each is in the log")


class _Chase:
    """What lives as long as the container."""

    def __init__(self, settings: Settings) -> None:
        clients = AwsClients(endpoint_url=settings.endpoint_url)
        dynamodb = clients("dynamodb", settings.region)
        self.matrix = Matrix.from_json(settings.matrix.read_bytes())
        self.store = DynamoFindingStore(dynamodb, settings.table)
        self.digests = DynamoDigestStore(dynamodb, settings.table)
        self.announcer = SnsAnnouncer(clients("sns", settings.region), settings.topic_arn)


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _chase(settings: Settings) -> _Chase:
    return _Chase(settings)


class _Run:
    """One walk over what stands. `finished` is false if time ran out or something could not be read."""

    def __init__(self, chase: _Chase, now: datetime, *, enough_time: Callable[[], bool]) -> None:
        self._chase = chase
        self._organization = chase.matrix.organization
        self._now = now
        self._enough_time = enough_time
        self.standing: dict[str, Finding] = {}
        self.taken = dict.fromkeys(_STEPS, 0)
        self.digests = 0
        self.failures = 0
        self.finished = True

    def run(self) -> None:
        with self._alone(part="what an earlier run left untold"):
            self._tell([finding for finding in self._chase.store.unannounced() if _is_ours(finding)])
        for team in self._organization.teams:
            with self._alone(part="team", team=team):
                self._settle(team)
        if self.finished:
            # A number that leaves out what was not read would say that something got better.
            emit(gauges_of(self.standing.values(), matrix=self._chase.matrix, now=self._now))
            self._send_digests()

    @contextmanager
    def _alone(self, **facts: str) -> Iterator[None]:
        """Keep a failure from stopping what has nothing to do with it; it is counted, and fails the run at its end."""
        try:
            yield
        except Exception:
            logger.exception("chase failed", extra=facts)
            self.failures += 1
            self.finished = False

    # --- findings ---------------------------------------------------------------------------------------------------

    def _settle(self, team: str) -> None:
        """Take the steps of one team's findings, then tell them: what became due together is one message."""
        steps: list[Finding] = []
        for finding in self._standing_of(team):
            if not self._enough_time():
                self.finished = False
                break
            self.standing[finding.id] = finding
            with self._alone(part="finding", finding=finding.id):
                step = self._step(finding)
                if step:
                    self.standing[finding.id] = step
                    steps.append(step)
        self._tell(steps)

    def _standing_of(self, team: str) -> list[Finding]:
        return [finding for status in STANDING for finding in self._chase.store.find(team=team, status=status)]

    def _step(self, found: Finding) -> Finding | None:
        """Record the step that is due for a finding, if one is; the index that found it may be a little behind."""
        if next_step(found, self._organization, self._now) is None:
            return None
        finding = self._chase.store.get(found.id)
        step = finding and next_step(finding, self._organization, self._now)
        if not step or not step.transition:
            return None
        try:
            self._chase.store.amend(step)
        except Conflict:
            logger.info("somebody else was faster", extra={"finding": found.id})
            return None
        self.taken[step.transition.act] += 1
        logger.info(
            step.transition.act.value,
            extra={
                "finding": step.id,
                "control": step.control,
                "resource": step.resource.arn,
                "team": step.attribution.owner.team,
                "revision": step.revision,
                "to": step.transition.to,
                "due_at": step.due_at.isoformat(),
            },
        )
        return step

    def _tell(self, steps: list[Finding]) -> None:
        for act in _STEPS:
            alike = [step for step in steps if step.transition and step.transition.act is act]
            with self._alone(part="telling", act=act.value):
                tell(alike, store=self._chase.store, announcer=self._chase.announcer)

    # --- digests ----------------------------------------------------------------------------------------------------

    def _send_digests(self) -> None:
        week = digest_week(self._now, self._organization)
        if week is None:
            return
        for team in (*self._organization.teams, None):
            if not self._enough_time():
                self.finished = False
                return
            with self._alone(part="digest", team=team or "all"):
                self._send_digest(week, team)

    def _send_digest(self, week: date, team: str | None) -> None:
        """Send the digest of a team, or of all teams to governance. A team with nothing to read gets none."""
        kind = DigestKind.WEEKLY if team else DigestKind.GOVERNANCE
        name = f"{kind}#{team or self._organization.governance}"
        if not self._chase.digests.claim(week, name, self._now):
            return
        since = self._now - _WEEK
        digest = digest_of(
            (*self.standing.values(), *self._ended_since(since, team)),
            kind=kind,
            organization=self._organization,
            since=since,
            now=self._now,
            team=team,
        )
        if team is None or not digest.is_empty:
            self._chase.announcer.announce(announcement_of_digest(digest))
            self.digests += 1
        self._chase.digests.sent(week, name)
        logger.info("digest", extra={"digest": name, "week": week.isoformat(), "empty": digest.is_empty})

    def _ended_since(self, since: datetime, team: str | None) -> Iterator[Finding]:
        for each in (team,) if team else self._organization.teams:
            for status in _ENDED:
                for finding in self._chase.store.find(team=each, status=status, since=since):
                    if finding.resolved_at and finding.resolved_at > since:
                        yield finding


def _is_ours(finding: Finding) -> bool:
    """Whether the clock led to a revision, and so nobody but the chase tells it."""
    transition = finding.transition
    return transition is not None and transition.origin is Origin.SCHEDULE and transition.act in _STEPS
