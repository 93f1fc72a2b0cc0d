"""A sweep in this process: the steps that the deployed function takes, and what is handed out looked at at once."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from demarc.cli.connection import Connection
from demarc.cli.failures import NoAnswer, told
from demarc.core.attribution import attribute
from demarc.core.look import Look
from demarc.core.matrix import Matrix
from demarc.core.model import Compliance, Finding, Origin, Resource, Severity
from demarc.pipeline import Judgement, Pipeline
from demarc.readers import Gone, Reader
from demarc.stores import Conflict, FindingStore, Known
from demarc.stores.sweeps import Last, MemorySweepStore, Tally
from demarc.sweep import (
    MOST_ATTEMPTS,
    Do,
    Looked,
    Report,
    Step,
    Sweeper,
    look_at,
    one_by_one,
    rest_of,
)

if TYPE_CHECKING:
    from demarc.announcers import Announcer

# Seconds: how long is waited when AWS asks to slow down, doubled until it is content, and how far apart resources are
# looked at from then on, doubled each time and shortened again by every part that goes well.
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
_FIRST_GAP, _LONGEST_GAP, _RELIEF = 0.05, 5.0, 0.8


@dataclass
class Broken:
    """How many resources a control does not hold on, and whose they are."""

    severity: Severity
    resources: int = 0
    teams: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Swept:
    """How a sweep went, what does not hold by control, and which resources could not be looked at, with the reason."""

    report: Report
    broken: Mapping[str, Broken]
    unanswered: Mapping[str, str]


class Nowhere:
    """A store that keeps nothing: what is found is counted, however much there is."""

    def known(self, resource: Resource) -> Known:  # noqa: ARG002
        return Known()

    def record(self, *_: Any) -> None:
        pass

    def amend(self, finding: Finding) -> None:
        pass

    def mark_announced(self, finding: Finding) -> None:
        pass

    def unannounced(self) -> Iterator[Finding]:
        return iter(())

    def get(self, finding_id: str) -> None:  # noqa: ARG002
        return None

    def history(self, finding_id: str) -> Sequence[Finding]:  # noqa: ARG002
        return ()

    def ids(self, beginning: str) -> Sequence[str]:  # noqa: ARG002
        return ()

    def find(self, **_: Any) -> Iterator[Finding]:
        return iter(())


class SweepHere:
    """A sweep with these credentials, which is its own courier: what it hands out it looks at.

    Args:
        matrix: what must hold.
        readers: of the types to look at.
        connection: whose account, and which Region.
        store: where to record.
        announcer: who tells what is found.
        standing: type and identifier of the resources with a standing finding.
        show: is told how many resources were looked at, and how many are known of.
    """

    def __init__(
        self,
        *,
        matrix: Matrix,
        readers: Mapping[str, Reader],
        connection: Connection,
        store: FindingStore,
        announcer: Announcer,
        standing: Callable[[], Iterable[tuple[str, str]]],
        show: Callable[[int, int], object],
    ) -> None:
        self._matrix = matrix
        self._clients = connection.clients
        self._show = show
        self._steps: deque[tuple[Step, int]] = deque()
        # It is no baseline, whether or not there was one: what is found is told, or goes on waiting to be.
        self._sweeps = MemorySweepStore(last=Last("before"))
        self._pipeline = Pipeline(
            matrix=matrix, readers=readers, clients=self._clients, store=store, announcer=announcer, clock=_now
        )
        self._sweeper = Sweeper(
            account=connection.account,
            region=connection.region,
            matrix=matrix,
            readers=readers,
            clients=self._clients,
            sweeps=self._sweeps,
            findings=store,
            announcer=announcer,
            courier=self,
            standing=standing,
            clock=_now,
            chance=random.random,
        )
        self._gap = 0.0
        self._seen = self._known = 0
        self._broken: dict[str, Broken] = {}
        self._unanswered: dict[str, str] = {}

    def run(self, *, by: str) -> Swept:
        """Look at everything of these types; `by` says who asks.

        Raises:
            NoAnswer: if AWS cannot be reached at all, or does not let anything be listed in time.
        """
        self.send([(Step(Do.START, f"here-{uuid4()}", origin=Origin.CLI, by=by), 0)])
        while self._steps:
            step, delay = self._steps.popleft()
            if step.do is not Do.FINISH and delay:
                sleep(min(delay, _LONGEST_WAIT))
            try:
                report = self._sweeper.take(step)
            except BotoCoreError as error:
                raise NoAnswer(told(error)) from error
            except ClientError as error:
                raise NoAnswer(f"{step.type or step.do} could not be listed: {told(error)}") from error
            if report:
                return Swept(report, self._broken, self._unanswered)
        raise AssertionError

    # --- the courier ---------------------------------------------------------------------------------------------

    def send(self, steps: Iterable[tuple[Step, int]]) -> None:
        self._steps.extend(steps)

    def hand(self, responder: str, looks: Sequence[tuple[Look, int]]) -> None:  # noqa: ARG002
        self._known += sum(len(look.resources) for look, _ in looks)
        waiting = deque(look for look, _ in looks)
        wait = _FIRST_WAIT
        while waiting:
            look = waiting.popleft()
            looked, tally = self._look(look)
            if looked is None:
                waiting.extendleft(reversed(one_by_one(look)))
                self._note(look, tally, one_by_one(look))
                continue
            rest = [rest_of(look, looked)] if looked.rest else []
            if looked.throttled:
                wait = self._slow_down(_FIRST_WAIT if looked.judged else wait)
            else:
                self._gap *= _RELIEF
            if rest and rest[0].attempt > MOST_ATTEMPTS:
                self._give_up(rest[0], f"AWS asks to slow down: {looked.throttled}")
                rest = []
            if looked.judged or not rest:
                self._note(look, tally, rest)
            waiting.extendleft(rest)

    def _look(self, look: Look) -> tuple[Looked | None, Tally]:
        """Judge a part; None where something of it cannot be, so that each has to be on its own."""
        began = monotonic()
        self._clients.calls.clear()
        judgements: list[Judgement] = []
        try:
            looked = look_at(look, self._pipeline, note=judgements.append, is_time_left=self._paced)
        except (ClientError, Conflict, ParamValidationError) as error:
            if len(look.resources) > 1:
                return None, Tally()
            self._give_up(look, told(error))
            looked, judgements = Looked(), []
        except BotoCoreError as error:
            raise NoAnswer(told(error)) from error
        for judgement in judgements:
            self._count(judgement)
        self._show(self._seen, self._known)
        calls = Counter(call.partition(".")[0] for call in self._clients.calls)
        taken = round((monotonic() - began) * 1000)
        return looked, replace(looked.tally, milliseconds=taken, calls=dict(calls))

    def _note(self, look: Look, tally: Tally, rest: Sequence[Look]) -> None:
        if look.sweep and look.part:
            self._sweeps.looked(look.sweep, look.part, tally, tuple(each.part for each in rest if each.part))

    def _give_up(self, look: Look, why: str) -> None:
        self._unanswered |= {f"{each.type} {each.identifier}": why for each in look.resources}

    def _slow_down(self, wait: float) -> float:
        """Wait, and go on more slowly; how long to wait the next time."""
        self._gap = min(max(self._gap * 2, _FIRST_GAP), _LONGEST_GAP)
        sleep(wait * (1 + random.random()) / 2)  # noqa: S311
        return min(wait * 2, _LONGEST_WAIT)

    def _paced(self) -> bool:
        if self._gap >= _FIRST_GAP / 2:
            sleep(self._gap)
        return True

    def _count(self, judgement: Judgement) -> None:
        self._seen += 1
        seen = judgement.seen
        if isinstance(seen, Gone):
            return
        for evaluation in judgement.evaluations:
            if evaluation.compliance is Compliance.NON_COMPLIANT:
                control = evaluation.control
                broken = self._broken.setdefault(control.id, Broken(control.severity))
                broken.resources += 1
                broken.teams[attribute(control, seen, self._matrix).owner.team] += 1


def _now() -> datetime:
    return datetime.now(UTC)
