"""Sweeps without AWS: what messages say, how parts are named and paced, and what ten thousand resources take."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from demarc.authoring.compile import CompiledMatrix
from demarc.cli.sweeping import Nowhere
from demarc.cli.telling import Nobody
from demarc.core.look import Look, look_of
from demarc.core.look import message_of as message_of_look
from demarc.core.matrix import Matrix
from demarc.core.model import Occasion, Origin, Resource
from demarc.core.price import dollars
from demarc.core.wire import WireError
from demarc.pipeline import Pipeline
from demarc.queues import LONGEST_DELAY, Message, NotSent, send
from demarc.readers import Inventory, Part, Reader, load
from demarc.stores.sweeps import DEADLINE, UNLISTED, Last, MemorySweepStore, Slice, Sweep, Tally, mark_of
from demarc.sweep import (
    MOST_ATTEMPTS,
    PACE,
    PART,
    Do,
    Looked,
    Report,
    Step,
    Sweeper,
    delay_after,
    is_throttled,
    look_at,
    looks_of,
    message_of,
    one_by_one,
    part_of,
    rest_of,
    step_of,
)

ACCOUNT, REGION = "123456789012", "eu-west-1"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
GROUP = "AWS::EC2::SecurityGroup"
SWEEP = Sweep("s", ACCOUNT, REGION, NOON, "v", baseline=False, types=(GROUP,), occasion=Occasion(Origin.CLI, "Lea"))


def groups(number: int) -> list[Resource]:
    return [Resource(GROUP, f"sg-{each}", ACCOUNT, REGION, f"arn:{each}") for each in range(number)]


def throttled() -> ClientError:
    return ClientError({"Error": {"Code": "RequestLimitExceeded", "Message": "no"}}, "DescribeSecurityGroups")


# --- messages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "step",
    [
        Step(Do.START, "s", origin=Origin.CLI, by="Lea Moreau"),
        Step(Do.LIST, "s", type=GROUP, attempt=3),
        Step(Do.FINISH, "s"),
    ],
)
def test_a_step_survives_its_message(step: Step) -> None:
    assert step_of(message_of(step), "m") == step


def test_a_start_without_an_id_is_called_by_its_message() -> None:
    assert step_of({"schema": "demarc.sweep/1", "do": "start"}, "message-1") == Step(Do.START, "message-1")


def test_the_clock_starts_a_sweep_once_per_event() -> None:
    assert step_of({"detail-type": "Scheduled Event", "id": "e1"}, "m1") == Step(Do.START, "e1")


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        {},
        {"schema": "demarc.sweep/2", "do": "start"},
        {"schema": "demarc.sweep/1", "do": "start", "sweep": "../../x"},
        {"schema": "demarc.sweep/1", "do": "list", "sweep": ""},
        {"schema": "demarc.sweep/1", "do": "start", "sweep": "a#listed#b"},
        {"schema": "demarc.sweep/1", "do": "start", "more": 1},
        {"detail-type": "Scheduled Event", "id": ["x"]},
    ],
)
def test_anything_else_is_no_step(message: Any) -> None:
    with pytest.raises(WireError):
        step_of(message, "m")


@pytest.mark.parametrize(
    "detail", [None, {}, {"status-details": None}, {"status-details": {"status": "DELETE_COMPLETE"}}]
)
def test_a_deployment_that_is_not_done_starts_nothing(detail: Any) -> None:
    assert step_of({"detail-type": "CloudFormation Stack Status Change", "id": "e", "detail": detail}, "m") is None


# --- parts ------------------------------------------------------------------------------------------------------------


def test_resources_become_parts_that_name_themselves() -> None:
    looks = looks_of(SWEEP, groups(45))

    assert [len(look.resources) for look in looks] == [PART, PART, 5]
    assert [look.part for look in looks] == [look.part for look in looks_of(SWEEP, groups(45))]
    assert len({look.part for look in looks}) == 3
    assert {look.occasion for look in looks} == {Occasion(Origin.SWEEP, "Lea")}
    assert [look_of(message_of_look(look)) for look in looks] == looks


def test_what_is_left_is_another_part_and_the_same_one_where_nothing_was_judged() -> None:
    (look,) = looks_of(SWEEP, groups(5))

    slowed = rest_of(look, Looked(judged=2, rest=look.resources[2:], throttled="SlowDown"))
    untouched = rest_of(look, Looked(rest=look.resources, throttled="SlowDown"))

    assert (slowed.resources, slowed.attempt) == (look.resources[2:], 1)
    assert slowed.part not in (None, look.part)
    assert (untouched.part, untouched.attempt) == (look.part, 1)


def test_a_look_that_is_no_part_of_a_sweep_stays_so() -> None:
    look = Look(tuple(groups(3)), Occasion())

    assert {each.part for each in one_by_one(look)} == {None}
    assert rest_of(look, Looked(judged=1, rest=look.resources[1:])).part is None


@given(st.integers(1, 40), st.floats(0, 1))
def test_each_time_the_wait_is_at_least_half_a_minute_and_at_most_a_quarter_of_an_hour(
    attempt: int, chance: float
) -> None:
    assert 30 <= delay_after(attempt, chance) <= LONGEST_DELAY
    assert delay_after(attempt + 1, chance) >= delay_after(attempt, chance)


@pytest.mark.parametrize(
    ("answer", "asks"),
    [
        ({"Error": {"Code": "ThrottlingException"}}, True),
        ({"Error": {"Code": "AccessDenied"}}, False),
        (
            {
                "Error": {"Code": "TransactionCanceledException"},
                "CancellationReasons": [{"Code": "None"}, {"Code": "ThrottlingError"}],
            },
            True,
        ),
        (
            {
                "Error": {"Code": "TransactionCanceledException"},
                "CancellationReasons": [{"Code": "ConditionalCheckFailed"}],
            },
            False,
        ),
    ],
)
def test_asking_to_slow_down_is_told_from_other_errors(answer: Any, asks: bool) -> None:
    assert is_throttled(ClientError(answer, "Any")) is asks


# --- queues -----------------------------------------------------------------------------------------------------------


class Queue:
    """As much of SQS as sending asks for."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self._refuses = refuses

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.batches.append(Entries)
        return {"Failed": [{"Id": "1", "Code": "InternalError"}]} if self._refuses else {}


def test_messages_are_sent_ten_at_a_time_and_held_back_no_longer_than_sqs_does() -> None:
    queue = Queue()

    send(queue, "url", [Message({"n": number}, delay=number * 100) for number in range(12)])

    assert [len(batch) for batch in queue.batches] == [10, 2]
    delays = [entry["DelaySeconds"] for batch in queue.batches for entry in batch]
    assert delays == [0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 900, 900]


def test_a_message_that_was_not_taken_is_an_error() -> None:
    with pytest.raises(NotSent, match="InternalError"):
        send(Queue(refuses=True), "url", [Message({}), Message({})])


# --- a sweep of an account that there is not --------------------------------------------------------------------------


_RULE = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}


@dataclass
class Account:
    """So many security groups, listed a thousand at a time; every sixteenth lets SSH in from everywhere."""

    number: int

    def reader(self) -> Reader:
        (real,) = load([GROUP])
        gives = tuple(sorted({prop for part in real.parts for prop in part.gives}))

        def read(_: Any, group: Resource) -> dict[str, Any]:
            rules = [_RULE] if group.identifier.endswith("0") else []
            return {"SecurityGroupIngress": rules, "Tags": [{"Key": "owner", "Value": "storefront"}]}

        return replace(
            real,
            parts=(Part(gives=gives, calls={}, read=read),),
            inventory=Inventory(calls={}, pages=self._pages),
        )

    def _pages(self, *_: Any) -> Iterator[Sequence[str]]:
        for start in range(0, self.number, 1000):
            yield [f"sg-{each:017x}" for each in range(start, min(start + 1000, self.number))]


class Courier:
    """Notes when parts are due, and keeps steps until they are taken."""

    def __init__(self) -> None:
        self.delays: list[int] = []
        self.looks: list[Look] = []
        self.steps: list[tuple[Step, int]] = []

    def hand(self, responder: str, looks: Sequence[tuple[Look, int]]) -> None:
        self.looks += [look for look, _ in looks]
        self.delays += [delay for _, delay in looks]

    def send(self, steps: Iterable[tuple[Step, int]]) -> None:
        self.steps += steps


class AtOnce(Courier):
    """Judges what it is handed, as a responder would, and keeps nothing."""

    def __init__(self, pipeline: Pipeline, sweeps: MemorySweepStore) -> None:
        super().__init__()
        self._pipeline = pipeline
        self._sweeps = sweeps

    def hand(self, responder: str, looks: Sequence[tuple[Look, int]]) -> None:
        for look, _ in looks:
            looked = look_at(look_of(message_of_look(look)), self._pipeline)
            assert look.sweep
            assert look.part
            self._sweeps.looked(look.sweep, look.part, looked.tally)


class Paced(MemorySweepStore):
    """Takes places as the table does."""

    def __init__(self) -> None:
        super().__init__(last=Last("before"))
        self.handed: dict[str, int] = {}

    def reserve(self, sweep_id: str, responder: str, resources: int, *, most: int) -> int | None:
        before = self.handed.get(responder, 0)
        if before >= most:
            return None
        self.handed[responder] = before + resources
        return before


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def sweeper_of(
    account: Account, courier: Courier, sweeps: MemorySweepStore, matrix: Matrix, clock: Clock | None = None
) -> Sweeper:
    return Sweeper(
        account=ACCOUNT,
        region=REGION,
        matrix=matrix,
        readers={GROUP: account.reader()},
        clients=lambda *_: None,
        sweeps=sweeps,
        findings=Nowhere(),
        announcer=Nobody(),
        courier=courier,
        standing=lambda: (),
        clock=clock or Clock(),
        chance=lambda: 0.5,
    )


def run(sweeper: Sweeper, courier: Courier, clock: Clock | None = None) -> Report:
    """Take steps in their order until there is a report; a clock is moved on by their delays."""
    sweeper.take(Step(Do.START, "s", origin=Origin.CLI))
    while courier.steps:
        courier.steps.sort(key=lambda each: each[1])
        step, delay = courier.steps.pop(0)
        if clock:
            clock.now += timedelta(seconds=delay)
            courier.steps = [(other, max(0, due - delay)) for other, due in courier.steps]
        if report := sweeper.take(step):
            return report
    raise AssertionError


@pytest.fixture
def rules(matrix: CompiledMatrix) -> Matrix:
    """One control will do: what judging takes does not add up."""
    (row,) = (row for row in matrix.controls[GROUP] if row.id == "security-group-ssh-closed-to-the-world")
    return replace(matrix, controls={GROUP: (row,)}).matrix()


def test_ten_thousand_resources_are_swept_in_some_megabytes(rules: Matrix) -> None:
    """A function has 512, of which its libraries take some 100. Warmed up first, so that only the sweep is measured."""
    peaks = []
    for number in (20, 10_000):
        account, sweeps = Account(number), MemorySweepStore(last=Last("before"))
        reader = account.reader()
        pipeline = Pipeline(rules, {GROUP: reader}, lambda *_: None, Nowhere(), Nobody(), Clock())
        courier = AtOnce(pipeline, sweeps)
        sweeper = sweeper_of(account, courier, sweeps, rules)
        tracemalloc.start()
        try:
            report = run(sweeper, courier)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert (report.listed, report.tally.judged) == (number, number)
        assert report.tally.opened == -(-number // 16)
        assert report.sweep.complete

    assert peaks[1] < 8 * 2**20


def test_parts_are_spread_so_that_a_responder_keeps_its_pace(rules: Matrix) -> None:
    courier, clock = Courier(), Clock()
    sweeper = sweeper_of(Account(1_000), courier, Paced(), rules, clock)
    sweeper.take(Step(Do.START, "s"))

    sweeper.take(Step(Do.LIST, "s", type=GROUP))

    assert len(courier.delays) == 1_000 / PART
    assert courier.delays == [round(number * PART / PACE) for number in range(len(courier.delays))]


def test_no_part_is_sent_longer_before_its_time_than_sqs_holds_it(rules: Matrix) -> None:
    courier, clock, sweeps = Courier(), Clock(), Paced()
    sweeper = sweeper_of(Account(20_000), courier, sweeps, rules, clock)
    sweeper.take(Step(Do.START, "s"))
    due: list[float] = []
    listings = 0
    while any(step.do is Do.LIST for step, _ in courier.steps):
        step, delay = next(each for each in courier.steps if each[0].do is Do.LIST)
        courier.steps = [each for each in courier.steps if each[0].do is not Do.LIST]
        clock.now += timedelta(seconds=delay)
        courier.delays = []
        sweeper.take(step)
        assert max(courier.delays, default=0) <= LONGEST_DELAY
        due += [(clock.now - NOON).total_seconds() + delay for delay in courier.delays]
        listings += 1

    resources = {resource.identifier for look in courier.looks for resource in look.resources}
    assert len(resources) == 20_000 == sum(len(look.resources) for look in courier.looks)
    assert listings > 3
    for second in range(0, round(max(due)), 60):
        within = sum(second <= each < second + 60 for each in due) * PART
        assert within <= 60 * PACE + PART


def test_a_listing_that_runs_out_of_time_goes_on_where_it_was(rules: Matrix) -> None:
    courier, sweeps = Courier(), MemorySweepStore(last=Last("before"))
    sweeper = sweeper_of(Account(1_000), courier, sweeps, rules)
    sweeper.take(Step(Do.START, "s"))
    courier.steps = []
    left = iter([100.0, 100.0, 1.0])

    sweeper.take(Step(Do.LIST, "s", type=GROUP), seconds_left=lambda: next(left))

    assert courier.steps == [(Step(Do.LIST, "s", type=GROUP), 0)]
    assert len(courier.looks) == 400 / PART
    sweeper.take(courier.steps.pop()[0])
    assert len(courier.looks) == 1_000 / PART
    assert courier.steps == [(Step(Do.STANDING, "s"), 0)]


def test_a_listing_that_never_gets_anywhere_is_an_error(rules: Matrix) -> None:
    courier = Courier()
    sweeper = sweeper_of(Account(1_000), courier, MemorySweepStore(last=Last("before")), rules)
    sweeper.take(Step(Do.START, "s"))

    with pytest.raises(TimeoutError):
        sweeper.take(Step(Do.LIST, "s", type=GROUP, attempt=MOST_ATTEMPTS), seconds_left=lambda: 1.0)


def test_what_moved_from_page_to_page_while_a_listing_was_interrupted_is_looked_at_all_the_same(rules: Matrix) -> None:
    account, courier = Account(1_000), Courier()
    sweeper = sweeper_of(account, courier, MemorySweepStore(last=Last("before")), rules)
    sweeper.take(Step(Do.START, "s"))
    left = iter([100.0, 1.0])
    sweeper.take(Step(Do.LIST, "s", type=GROUP), seconds_left=lambda: next(left))
    before = {resource.identifier for look in courier.looks for resource in look.resources}
    # The first group is deleted, so that each of the others is in another place of the list now.
    later = [identifier for page in account._pages() for identifier in page][1:]
    account._pages = lambda *_: iter([later])  # type: ignore[method-assign]
    sweeper.readers[GROUP]
    moved = replace(sweeper, readers={GROUP: account.reader()})

    moved.take(Step(Do.LIST, "s", type=GROUP))

    seen = {resource.identifier for look in courier.looks for resource in look.resources}
    assert seen == before | set(later)


def test_a_list_that_is_throttled_waits_longer_each_time(rules: Matrix) -> None:
    class Throttled(Account):
        def _pages(self, *_: Any) -> Iterator[Sequence[str]]:
            raise throttled()
            yield []

    courier = Courier()
    sweeper = sweeper_of(Throttled(1), courier, MemorySweepStore(last=Last("before")), rules)
    sweeper.take(Step(Do.START, "s"))
    courier.steps = [(Step(Do.LIST, "s", type=GROUP), 0)]
    delays = []
    for attempt in range(MOST_ATTEMPTS):
        sweeper.take(courier.steps.pop()[0])
        ((step, delay),) = courier.steps
        assert step.attempt == attempt + 1
        delays.append(delay)

    assert delays == sorted(delays)
    with pytest.raises(ClientError):
        sweeper.take(courier.steps.pop()[0])


def test_a_sweep_that_is_not_through_is_asked_after_more_and_more_seldom_and_given_up(rules: Matrix) -> None:
    courier, clock = Courier(), Clock()
    sweeper = sweeper_of(Account(20), courier, MemorySweepStore(last=Last("before")), rules, clock)

    report = run(sweeper, courier, clock)

    assert not report.sweep.complete
    assert report.waiting == 1
    assert DEADLINE.total_seconds() <= report.seconds < DEADLINE.total_seconds() + 600


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_what_a_part_became_is_waited_for_and_nothing_else() -> None:
    sweeps = MemorySweepStore()
    sweeps.begin(SWEEP)
    sweeps.hand_out("s", Slice("slice", GROUP, 20, ("a",)))
    sweeps.looked("s", "a", Tally(judged=5), ("b", "c"))
    sweeps.looked("s", "b", Tally(judged=3), ("d",))
    sweeps.looked("s", "stray", Tally(judged=1), ("nobody's",))

    progress = sweeps.progress("s")

    assert progress
    assert progress.waiting == ("c", "d")
    assert progress.unlisted == (GROUP, UNLISTED)
    assert not progress.is_through


def test_the_marks_of_a_million_resources_differ() -> None:
    assert len({mark_of(GROUP, f"sg-{number}") for number in range(100_000)}) == 100_000
    assert mark_of("AWS::S3::Bucket", "x") != mark_of("AWS::S3::Buckets", "x")


def test_only_s3_and_kms_charge_for_being_read() -> None:
    nothing: dict[str, Any] = {"resources": 0, "messages": 0, "revisions": 0, "milliseconds": 0}

    assert dollars(**nothing, calls={"ec2": 10**6, "iam": 10**6}) == 0
    assert dollars(**nothing, calls={"s3": 10**6}) == pytest.approx(0.4)
    assert dollars(**nothing, calls={"kms": 10**6}) == pytest.approx(3.0)


def test_a_part_is_called_by_what_is_in_it() -> None:
    assert part_of(groups(2)) == part_of(groups(2)) != part_of(groups(3))
    assert part_of(groups(2)) != part_of(groups(2), attempt=1)
