"""Looking at everything again, because event delivery is best effort:

start -> list every type -> parts for the responders' queues -> findings that no list has -> report

Every arrow is a message, so that no function runs long and whatever dies is done again from where it was. Done again,
it does the same: what was handed out is noted by what is in it, and judging a resource twice changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Protocol

from botocore.exceptions import ClientError, EndpointConnectionError

from demarc import pipeline
from demarc.announcers import Announcer
from demarc.core.digest import DigestKind, announcement_of_digest, digest_of
from demarc.core.look import Look
from demarc.core.matrix import Matrix
from demarc.core.model import STANDING, Finding, Occasion, Origin, Resource, Status
from demarc.core.price import dollars
from demarc.core.wire import WireError, from_wire, to_wire
from demarc.pipeline import Judgement
from demarc.queues import LONGEST_DELAY
from demarc.readers import Clients, Gone, Reader, refusal, resource_of
from demarc.stores import FindingStore
from demarc.stores.sweeps import DEADLINE, UNLISTED, Progress, Slice, Sweep, SweepStore, Tally, mark_of

SCHEMA = "demarc.sweep/1"

# Resources a second that a responder is handed. A bucket takes 14 calls, and EC2 refills 20 described resources a
# second for a whole account and Region (EC2 API Reference, "Request throttling"), which others need too.
PACE = 5

# Resources in a part: some seconds of a responder's time. And parts in a slice: what SQS takes at once.
PART = 20
_SLICE = 10 * PART

# How many seconds ahead of their time parts are sent. Beyond it the listing waits, since SQS holds nothing for longer.
_AHEAD = LONGEST_DELAY - 60
_WAIT = 600

# What a function needs to finish one slice; with less time left it goes on in another invocation.
_ENOUGH = 20.0

# What AWS says when it is asked too much, in the words of its services (botocore knows most of them too).
THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)

# From 30 seconds to 15 minutes; ten attempts take an hour and a half.
_FIRST_DELAY = 30
MOST_ATTEMPTS = 10

_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


class Unlistable(Exception):
    """What there is of a type may not be listed, and why."""


class Do(StrEnum):
    """The steps of a sweep."""

    START = "start"
    LIST = "list"
    STANDING = "standing"
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class Step:
    """One step, as it travels in the queue of sweeps.

    `sweep` is the id, and the starting message's own where nobody chose one. `type` is what to list. `only_new` starts
    only where the matrix is not the one of the last complete sweep.
    """

    do: Do
    sweep: str = ""
    type: str = ""
    attempt: int = 0
    origin: Origin = Origin.SCHEDULE
    by: str = "Demarc"
    only_new: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """How a sweep went. `dollars` is an estimate. `unlisted` types and `waiting` parts were not done in time."""

    sweep: Sweep
    seconds: float
    listed: int
    tally: Tally
    dollars: float
    refused: Mapping[str, str] = field(default_factory=dict)
    unlisted: tuple[str, ...] = ()
    waiting: int = 0


class Courier(Protocol):
    """Carries work on: parts to whoever looks at resources, and steps to whoever takes them. The number is a delay in
    seconds."""

    def hand(self, responder: str, looks: Sequence[tuple[Look, int]]) -> None: ...

    def send(self, steps: Iterable[tuple[Step, int]]) -> None: ...


# --- messages ---------------------------------------------------------------------------------------------------------


def message_of(step: Step) -> dict[str, Any]:
    """The message body of a step."""
    return {"schema": SCHEMA, **to_wire(step)}


def step_of(message: Any, message_id: str) -> Step | None:
    """The step in a message: one of ours, EventBridge's clock, or a deployment; None for a deployment that is not done.

    Raises:
        WireError: if it is nothing of the kind.
    """
    if not isinstance(message, Mapping):
        raise WireError("not an object")
    kind = message.get("detail-type")
    if message.get("schema") == SCHEMA:
        step = from_wire(Step, {name: value for name, value in message.items() if name != "schema"})
    elif kind == "Scheduled Event":
        step = Step(Do.START, sweep=str(message.get("id", "")))
    elif kind == "CloudFormation Stack Status Change":
        detail = message.get("detail")
        state = detail.get("status-details") if isinstance(detail, Mapping) else None
        status = state.get("status") if isinstance(state, Mapping) else None
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return None
        step = Step(Do.START, sweep=str(message.get("id", "")), origin=Origin.MATRIX, only_new=True)
    else:
        raise WireError(f"neither a {SCHEMA} nor an event that starts one")
    if step.do is Do.START and not step.sweep:
        step = replace(step, sweep=message_id)
    if not _ID.fullmatch(step.sweep):
        raise WireError(f"{step.sweep!r:.80} cannot be the id of a sweep")
    return step


# --- parts ------------------------------------------------------------------------------------------------------------


def part_of(resources: Sequence[Resource], attempt: int = 0) -> str:
    """What a part is called: the same resources are the same part, unless AWS asked to slow down meanwhile."""
    named = "\0".join(f"{each.type}\0{each.identifier}" for each in resources)
    return blake2b(f"{attempt}\0{named}".encode(), digest_size=12).hexdigest()


def looks_of(sweep: Sweep, resources: Sequence[Resource]) -> list[Look]:
    """Resources as parts of a sweep."""
    occasion = Occasion(Origin.SWEEP, sweep.occasion.by)
    chunks = [tuple(resources[start : start + PART]) for start in range(0, len(resources), PART)]
    return [Look(each, occasion, sweep=sweep.id, part=part_of(each), baseline=sweep.baseline) for each in chunks]


@dataclass(slots=True)
class Looked:
    """What came of a look: every judgement, the resources that are left, and whether AWS asked to slow down."""

    judged: int = 0
    tally: Tally = field(default_factory=Tally)
    rest: tuple[Resource, ...] = ()
    throttled: str | None = None


def look_at(
    look: Look,
    judging: pipeline.Pipeline,
    *,
    note: Callable[[Judgement], object] = lambda _: None,
    is_time_left: Callable[[], bool] = lambda: True,
) -> Looked:
    """Judge what a look names, one after the other, until it is through, time is up or AWS asks to slow down.

    What was found is told at the end, all of a team's together; for a baseline it is only marked as told. `note` is
    given every judgement.

    Raises:
        ClientError, Conflict: as `Pipeline.settle`, but for throttling; what was found before is told.
    """
    looked = Looked()
    untold: list[Finding] = []
    try:
        for number, resource in enumerate(look.resources):
            looked.rest = look.resources[number:]
            if not is_time_left():
                return looked
            try:
                judgement = judging.settle(resource, occasion=look.occasion)
            except ClientError as error:
                if not is_throttled(error):
                    raise
                looked.throttled = error.response["Error"]["Code"]
                return looked
            looked.judged += 1
            looked.tally += tally_of(judgement)
            untold += judgement.untold
            note(judgement)
        looked.rest = ()
        return looked
    finally:
        if look.baseline:
            for finding in untold:
                judging.store.mark_announced(finding)
        else:
            judging.tell(untold)


def tally_of(judgement: Judgement) -> Tally:
    """What one judgement adds to a sum; calls and time are counted where they pass."""
    is_gone = isinstance(judgement.seen, Gone)
    return Tally(
        judged=int(not is_gone),
        gone=int(is_gone),
        opened=sum(_is_news(finding, Status.OPEN) for finding in judgement.findings),
        resolved=sum(_is_news(finding, Status.RESOLVED, Status.GONE) for finding in judgement.findings),
        revisions=len(judgement.findings),
        unread=0 if isinstance(judgement.seen, Gone) else len(judgement.seen.unread),
    )


def _is_news(finding: Finding, *statuses: Status) -> bool:
    """Whether a revision brought a finding there; from open to open is no news."""
    was = finding.transition.was if finding.transition else None
    return (
        finding.status in statuses
        and was is not finding.status
        and not (was in STANDING and finding.status in STANDING)
    )


def rest_of(look: Look, looked: Looked) -> Look:
    """What is left of a look, as another one; it counts how often AWS asked to slow down."""
    attempt = look.attempt + bool(looked.throttled)
    # Where nothing was judged it is the same part still.
    part = part_of(looked.rest, attempt) if look.part and looked.judged else look.part
    return replace(look, resources=looked.rest, attempt=attempt, part=part)


def one_by_one(look: Look) -> list[Look]:
    """A look that keeps failing, as one for each resource, so that one that cannot be judged keeps no other from it."""
    return [
        replace(look, resources=(each,), part=part_of((each,), look.attempt) if look.part else None)
        for each in look.resources
    ]


def is_throttled(error: ClientError) -> bool:
    """Whether AWS asks to slow down."""
    if error.response["Error"]["Code"] in THROTTLED:
        return True
    # DynamoDB says of each action of a transaction why it was not done.
    reasons = error.response.get("CancellationReasons", ())
    return any(reason.get("Code") in ("ThrottlingError", "ProvisionedThroughputExceeded") for reason in reasons)


def delay_after(attempt: int, chance: float) -> int:
    """Seconds to wait when AWS asked for the nth time, from 1, to slow down: twice as long each time.

    `chance`, from 0 to 1, spreads it over the upper half, so that what was slowed down together does not come together.
    """
    longest: int = min(_FIRST_DELAY * 2**attempt, LONGEST_DELAY)
    return round(longest / 2 * (1 + chance))


# --- the sweep itself -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Takes the steps of the sweeps of one account and Region.

    `readers` are those with an inventory, by type. `standing` gives type and identifier of resources with standing
    findings. `chance` gives numbers from 0 to 1.
    """

    account: str
    region: str
    matrix: Matrix
    readers: Mapping[str, Reader]
    clients: Clients
    sweeps: SweepStore
    findings: FindingStore
    announcer: Announcer
    courier: Courier
    standing: Callable[[], Iterable[tuple[str, str]]]
    clock: Callable[[], datetime]
    chance: Callable[[], float]

    def take(self, step: Step, *, seconds_left: Callable[[], float] = lambda: 900.0) -> Report | None:
        """Take a step, and send those that follow from it. The step that ends a sweep gives its report.

        Raises:
            LookupError: if there is no such sweep.
            ClientError: what listing raised, but for a refusal and for throttling; the queue tries again.
        """
        if step.do is Do.START:
            self._start(step)
            return None
        sweep = self.sweeps.get(step.sweep)
        if sweep is None:
            raise LookupError(f"there is no sweep {step.sweep}")
        if sweep.ended:
            return None
        if step.do is Do.FINISH:
            return self._finish(step)
        try:
            if step.do is Do.LIST:
                self._list(sweep, step, seconds_left)
            else:
                self._list_standing(sweep, step, seconds_left)
        except ClientError as error:
            if not is_throttled(error) or step.attempt >= MOST_ATTEMPTS:
                raise
            again = replace(step, attempt=step.attempt + 1)
            self.courier.send([(again, delay_after(again.attempt, self.chance()))])
        return None

    def _start(self, step: Step) -> None:
        sweep = self.sweeps.get(step.sweep)
        if sweep is None:
            last = self.sweeps.last()
            if step.only_new and last and last.matrix_version == self.matrix.version:
                return
            sweep = Sweep(
                id=step.sweep,
                account=self.account,
                region=self.region,
                started=self.clock(),
                matrix_version=self.matrix.version,
                baseline=last is None,
                types=tuple(self.readers),
                occasion=Occasion(step.origin, step.by),
            )
            if not self.sweeps.begin(sweep):
                self._wait_for_the_other(step)
                return
        if sweep.ended is None:
            lists = [(Step(Do.LIST, sweep.id, each), 0) for each in sweep.types]
            # It is also what reports if another message is lost.
            self.courier.send([*lists, (Step(Do.FINISH, sweep.id), _patience(0))])

    def _wait_for_the_other(self, step: Step) -> None:
        """Another sweep runs. The clock's own is left out; what was asked for, and a new matrix, get their turn."""
        if step.origin is not Origin.SCHEDULE and step.attempt * _WAIT < DEADLINE.total_seconds():
            self.courier.send([(replace(step, attempt=step.attempt + 1), _WAIT)])

    def _list(self, sweep: Sweep, step: Step, seconds_left: Callable[[], float]) -> None:
        reader, refused = self.readers.get(step.type), ""
        try:
            if reader and not self._hand_out(
                sweep,
                step,
                self._listed(reader),
                listing=step.type,
                responder=reader.responder,
                seconds_left=seconds_left,
            ):
                return
        except Unlistable as error:
            refused = str(error)
        if self.sweeps.end_of(sweep, step.type, refused) == (UNLISTED,):
            self.courier.send([(Step(Do.STANDING, sweep.id), 0)])

    def _listed(self, reader: Reader) -> Iterator[list[Resource]]:
        """What there is of a type, a slice at a time; nothing of it is kept.

        Raises:
            Unlistable: if that is refused, or nobody is there to ask.
        """
        for page in _pages(reader, self.clients, self.account, self.region):
            for start in range(0, len(page), _SLICE):
                named = page[start : start + _SLICE]
                yield [resource_of(reader, identifier, self.account, self.region) for identifier in named]

    def _hand_out(
        self,
        sweep: Sweep,
        step: Step,
        slices: Iterable[list[Resource]],
        *,
        listing: str,
        responder: str,
        seconds_left: Callable[[], float],
    ) -> bool:
        """Send what was not sent yet to whoever looks at it, in time; false if the rest is left to another message."""
        done = self.sweeps.slices(sweep.id, listing)
        handed = 0
        for resources in slices:
            name = part_of(resources)
            if name in done or not resources:
                continue
            if seconds_left() < _ENOUGH:
                # Without any progress it must not go on for ever.
                attempt = 0 if handed else step.attempt + 1
                if attempt > MOST_ATTEMPTS:
                    raise TimeoutError(f"listing {listing} takes longer than a function may run")
                self.courier.send([(replace(step, attempt=attempt), 0)])
                return False
            delays = self._delays(sweep, responder, len(resources))
            if delays is None:
                self.courier.send([(replace(step, attempt=0), _WAIT)])
                return False
            looks = looks_of(sweep, resources)
            self.courier.hand(responder, list(zip(looks, delays, strict=False)))
            marks = b"".join(mark_of(each.type, each.identifier) for each in resources)
            parts = tuple(look.part for look in looks if look.part)
            self.sweeps.hand_out(sweep.id, Slice(name, listing, len(resources), parts, marks))
            handed += 1
        return True

    def _delays(self, sweep: Sweep, responder: str, resources: int) -> list[int] | None:
        """When each part of a slice is due, in seconds from now; None if that is too far away.

        All types of a responder share its pace, and are listed at the same time: so places are taken in the table.
        """
        past = (self.clock() - sweep.started).total_seconds()
        before = self.sweeps.reserve(sweep.id, responder, resources, most=int((past + _AHEAD) * PACE))
        if before is None:
            return None
        return [max(0, round((before + number) / PACE - past)) for number in range(0, resources, PART)]

    def _list_standing(self, sweep: Sweep, step: Step, seconds_left: Callable[[], float]) -> None:
        """What the lists cannot show: findings that stand on what is no more, and findings that nobody was told."""
        self._tell_untold(sweep)
        by_responder: dict[str, list[str]] = {}
        for resource_type, reader in self.readers.items():
            by_responder.setdefault(reader.responder, []).append(resource_type)
        for responder, types in by_responder.items():
            slices = self._unlisted(sweep, frozenset(types))
            if not self._hand_out(
                sweep, step, slices, listing=UNLISTED, responder=responder, seconds_left=seconds_left
            ):
                return
        self.sweeps.end_of(sweep, UNLISTED)

    def _unlisted(self, sweep: Sweep, types: frozenset[str]) -> Iterator[list[Resource]]:
        """Resources of some types that have a standing finding and are in no list, a slice at a time."""
        seen = self.sweeps.marks(sweep.id)
        waiting: list[Resource] = []
        for resource_type, identifier in self.standing():
            if resource_type not in types or (mark := mark_of(resource_type, identifier)) in seen:
                continue
            seen.add(mark)
            waiting.append(resource_of(self.readers[resource_type], identifier, self.account, self.region))
            if len(waiting) == _SLICE:
                yield waiting
                waiting = []
        yield waiting

    def _tell_untold(self, sweep: Sweep) -> None:
        """Tell what was recorded before this sweep and never told; whatever is younger somebody may be telling now."""
        untold: list[Finding] = []
        for finding in self.findings.unannounced():
            if finding.observed_at >= sweep.started:
                break
            untold.append(finding)
            if len(untold) == _SLICE:
                self._tell(sweep, untold)
                untold = []
        self._tell(sweep, untold)

    def _tell(self, sweep: Sweep, findings: Sequence[Finding]) -> None:
        if not sweep.baseline:
            pipeline.tell(findings, store=self.findings, announcer=self.announcer)
            return
        for finding in findings:
            self.findings.mark_announced(finding)

    def _finish(self, step: Step) -> Report | None:
        progress = self.sweeps.progress(step.sweep)
        if progress is None:
            return None
        sweep, now = progress.sweep, self.clock()
        if not progress.is_through and now - sweep.started < DEADLINE:
            self.courier.send([(replace(step, attempt=step.attempt + 1), _patience(step.attempt + 1))])
            return None
        if sweep.baseline:
            self._send_digests(sweep, now)
        ended = replace(sweep, ended=now, complete=progress.is_through)
        return report_of(replace(progress, sweep=ended), now) if self.sweeps.end(ended) else None

    def _send_digests(self, sweep: Sweep, now: datetime) -> None:
        """Tell each team once what there was before anybody looked."""
        for team in self.matrix.organization.teams:
            if self.sweeps.is_told(sweep.id, team):
                continue
            digest = digest_of(
                self._standing_of(team),
                kind=DigestKind.BASELINE,
                organization=self.matrix.organization,
                since=sweep.started,
                now=now,
                team=team,
                id=f"baseline-{sweep.id}-{team}",
            )
            if not digest.is_empty:
                self.announcer.announce(announcement_of_digest(digest))
            self.sweeps.mark_told(sweep.id, team)

    def _standing_of(self, team: str) -> Iterator[Finding]:
        for status in STANDING:
            for finding in self.findings.find(team=team, status=status):
                # What a digest has no room for is most of a finding.
                yield replace(finding, drift=(), references={}, guidance="", cause=None)


def _pages(reader: Reader, clients: Clients, account: str, region: str) -> Iterator[Sequence[str]]:
    if reader.inventory is None:
        return
    try:
        yield from reader.inventory.pages(clients, account, region)
    except ClientError as error:
        if why := refusal(error, reader.inventory.actions):
            raise Unlistable(why) from error
        raise
    except EndpointConnectionError as error:
        # Not every service is in every Region; trying again would keep the sweep from ending.
        raise Unlistable(f"{reader.type} cannot be asked for in {region}: nothing answers there") from error


def _patience(attempt: int) -> int:
    """Seconds until it is asked again whether a sweep is through: soon at first, every five minutes later."""
    return int(min(15 * 2**attempt, 300))


def report_of(progress: Progress, now: datetime) -> Report:
    """How a sweep went until now."""
    sweep, tally = progress.sweep, progress.tally
    return Report(
        sweep=sweep,
        seconds=((sweep.ended or now) - sweep.started).total_seconds(),
        listed=progress.listed,
        tally=tally,
        dollars=dollars(
            resources=tally.judged + tally.gone,
            messages=progress.parts,
            revisions=tally.revisions,
            calls=tally.calls,
            milliseconds=tally.milliseconds,
        ),
        refused=progress.refused,
        unlisted=progress.unlisted,
        waiting=len(progress.waiting),
    )
