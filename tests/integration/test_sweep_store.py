"""What is kept of sweeps: the table and its twin in memory keep the same promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from demarc.aws import AwsClients
from demarc.core.model import Occasion, Origin, Status
from demarc.stores.dynamodb import DynamoFindingStore
from demarc.stores.sweeps import (
    DEADLINE,
    KEPT,
    UNLISTED,
    DynamoSweepStore,
    Last,
    MemorySweepStore,
    Slice,
    Sweep,
    SweepStore,
    Tally,
    mark_of,
    standing,
)
from tests.factories import BUCKET, NOON, a_finding, next_revision
from tests.integration.tables import create_table

ACCOUNT, REGION = "123456789012", "eu-west-1"
TYPES = ("AWS::S3::Bucket", "AWS::KMS::Key")
SWEEP = Sweep(
    "s1", ACCOUNT, REGION, NOON, "v1", baseline=True, types=TYPES, occasion=Occasion(Origin.CLI, "Lea Moreau")
)
HANDED = Slice("slice", TYPES[0], 25, ("a", "b"), mark_of(TYPES[0], "x") + mark_of(TYPES[0], "y"))


@pytest.fixture
def dynamo(clients: AwsClients) -> DynamoSweepStore:
    create_table(clients("dynamodb", REGION), "findings")
    client = clients("dynamodb", REGION)
    return DynamoSweepStore(client, "findings", account=ACCOUNT, region=REGION, clock=lambda: NOON)


@pytest.fixture(params=["dynamodb", "memory"])
def store(request: pytest.FixtureRequest) -> SweepStore:
    if request.param == "memory":
        return MemorySweepStore()
    found: SweepStore = request.getfixturevalue("dynamo")
    return found


def test_a_sweep_begins_once(store: SweepStore) -> None:
    assert store.begin(SWEEP)
    assert store.begin(replace(SWEEP, matrix_version="v2"))

    assert store.get("s1") == SWEEP
    assert store.running() == "s1"
    assert store.last() is None


def test_there_is_one_at_a_time(store: SweepStore) -> None:
    store.begin(SWEEP)

    assert not store.begin(replace(SWEEP, id="s2"))
    assert store.get("s2") is None

    store.end(replace(SWEEP, ended=NOON, complete=True))
    assert store.running() is None
    assert store.begin(replace(SWEEP, id="s2"))


def test_one_whose_messages_were_lost_makes_room_after_the_deadline(dynamo: DynamoSweepStore) -> None:
    dynamo.begin(SWEEP)
    later = replace(SWEEP, id="s2", started=NOON + DEADLINE)

    assert not dynamo.begin(later)
    assert dynamo.begin(replace(later, started=NOON + DEADLINE + timedelta(hours=1)))


def test_a_sweep_ends_once_and_what_was_complete_last_is_remembered(store: SweepStore) -> None:
    store.begin(SWEEP)
    assert store.end(replace(SWEEP, ended=NOON, complete=True))
    assert not store.end(replace(SWEEP, ended=NOON + timedelta(hours=1)))
    assert store.last() == Last("s1", "s1", "v1")

    second = replace(SWEEP, id="s2", matrix_version="v2")
    store.begin(second)
    store.end(replace(second, ended=NOON, complete=False))

    assert store.last() == Last("s2", "s1", "v1")
    ended = store.get("s2")
    assert ended
    assert (ended.ended, ended.complete) == (NOON, False)


def test_progress_adds_up(store: SweepStore) -> None:
    assert store.progress("s1") is None
    store.begin(SWEEP)
    store.hand_out("s1", HANDED)
    store.hand_out("s1", HANDED)
    assert store.end_of(SWEEP, TYPES[0]) == (TYPES[1], UNLISTED)
    assert store.end_of(SWEEP, TYPES[1], "AccessDenied: kms:ListKeys is not allowed") == (UNLISTED,)
    assert store.end_of(SWEEP, TYPES[0], "AccessDenied: too late to be refused") == (UNLISTED,)
    assert store.looked("s1", "a", Tally(judged=12, opened=3, calls={"s3": 100}, milliseconds=5), ("c",))
    assert not store.looked("s1", "a", Tally(judged=99))
    assert store.looked("s1", "c", Tally(judged=8, calls={"s3": 1, "kms": 2}))

    progress = store.progress("s1")

    assert progress
    assert (progress.sweep, progress.listed, progress.parts) == (SWEEP, 25, 3)
    assert progress.waiting == ("b",)
    assert progress.unlisted == (UNLISTED,)
    assert progress.refused == {TYPES[1]: "AccessDenied: kms:ListKeys is not allowed"}
    assert progress.tally == Tally(judged=20, opened=3, calls={"s3": 101, "kms": 2}, milliseconds=5)
    assert store.slices("s1", TYPES[0]) == {"slice"}
    assert store.slices("s1", TYPES[1]) == frozenset()
    assert store.marks("s1") == {mark_of(TYPES[0], "x"), mark_of(TYPES[0], "y")}


def test_a_sweep_knows_nothing_of_another(store: SweepStore) -> None:
    store.begin(SWEEP)
    store.hand_out("s1", HANDED)
    store.mark_told("s1", "payments")
    store.end(replace(SWEEP, ended=NOON, complete=True))
    store.begin(replace(SWEEP, id="s11"))

    progress = store.progress("s11")
    assert progress
    assert (progress.listed, progress.waiting) == (0, ())
    assert store.slices("s11", TYPES[0]) == frozenset()
    assert store.is_told("s1", "payments")
    assert not store.is_told("s11", "payments")


def test_places_are_taken_in_turn_and_end(dynamo: DynamoSweepStore) -> None:
    taken = [dynamo.reserve("s1", "data", 200, most=500) for _ in range(4)]

    assert taken == [0, 200, 400, None]
    assert dynamo.reserve("s1", "network", 200, most=500) == 0
    assert dynamo.reserve("s1", "data", 200, most=601) == 600


def test_what_is_kept_of_a_sweep_expires_and_what_tells_the_first_from_others_does_not(
    dynamo: DynamoSweepStore, clients: AwsClients
) -> None:
    dynamo.begin(SWEEP)
    dynamo.hand_out("s1", HANDED)
    dynamo.reserve("s1", "data", 200, most=500)
    dynamo.looked("s1", "a", Tally())
    dynamo.end_of(SWEEP, TYPES[0])
    dynamo.mark_told("s1", "payments")
    dynamo.end(replace(SWEEP, ended=NOON, complete=True))

    items = clients("dynamodb", REGION).scan(TableName="findings")["Items"]
    expiries = {item["sk"]["S"]: item.get("expires", {}).get("N") for item in items}
    assert {sort for sort, expires in expiries.items() if expires is None} == {"@current", "@last"}
    assert set(expiries.values()) - {None} == {str(int((NOON + KEPT).timestamp()))}
    assert len(expiries) == 8


def test_ten_thousand_parts_take_several_pages(dynamo: DynamoSweepStore) -> None:
    dynamo.begin(SWEEP)
    marks = mark_of(TYPES[0], "x") * 30_000
    for number in range(6):
        dynamo.hand_out("s1", Slice(f"slice{number}", TYPES[0], 30_000, (f"p{number}",), marks))

    progress = dynamo.progress("s1")

    assert progress
    assert (progress.listed, len(progress.waiting)) == (180_000, 6)
    assert len(dynamo.marks("s1")) == 1


def test_resources_with_a_standing_finding_are_known_by_type_and_identifier(clients: AwsClients) -> None:
    create_table(clients("dynamodb", REGION), "findings")
    client = clients("dynamodb", REGION)
    findings = DynamoFindingStore(client, "findings")
    odd = replace(BUCKET, identifier="a#b:c/d")
    for number, resource in enumerate((BUCKET, odd, replace(BUCKET, account="999999999999"))):
        findings.record(resource, NOON, [a_finding(id=f"f{number}", resource=resource)])
    mended = replace(BUCKET, identifier="mended")
    findings.record(mended, NOON, [a_finding(id="f9", resource=mended)])
    findings.record(mended, NOON, [next_revision(a_finding(id="f9", resource=mended), status=Status.RESOLVED)])

    found = list(standing(client, "findings", BUCKET.account))

    assert sorted(found) == sorted([(BUCKET.type, BUCKET.identifier), (odd.type, odd.identifier)])
