"""One contract for every store: recorded once, in the order the world had, with nothing forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demarc.aws import AwsClients
from demarc.core.model import Finding, Severity, Status
from demarc.core.snapshot import Snapshot, Unread
from demarc.stores import Conflict, FindingStore, Superseded
from demarc.stores.dynamodb import DynamoFindingStore
from demarc.stores.memory import MemoryFindingStore
from demarc.stores.packing import LARGEST, packed, unpacked
from tests.factories import BUCKET, NOON, a_finding, next_revision
from tests.integration.tables import create_table

LATER = NOON + timedelta(minutes=5)


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> FindingStore:
    if request.param == "memory":
        return MemoryFindingStore()
    dynamodb = request.getfixturevalue("clients")("dynamodb", "eu-west-1")
    create_table(dynamodb, "findings")
    return DynamoFindingStore(dynamodb, "findings")


def test_what_was_recorded_is_known(store: FindingStore) -> None:
    store.record(BUCKET, NOON, [a_finding()])

    assert store.known(BUCKET).findings == {"f1": a_finding()}
    assert store.get("f1") == a_finding()


def test_the_ids_that_begin_so_are_found(store: FindingStore) -> None:
    store.record(BUCKET, NOON, [a_finding(id=each, control=each) for each in ("3f9a1c2b", "3f9a1cff", "4f9a1c2b")])

    assert list(store.ids("3f9a1c")) == ["3f9a1c2b", "3f9a1cff"]
    assert list(store.ids("3f9a1c2b")) == ["3f9a1c2b"]
    assert list(store.ids("9a1c")) == []


def test_a_resource_without_findings_is_known_to_have_none(store: FindingStore) -> None:
    store.record(BUCKET, NOON, [])

    assert store.known(BUCKET).findings == {}
    assert store.get("f1") is None
    assert store.history("f1") == ()


def test_the_same_observation_again_changes_nothing(store: FindingStore) -> None:
    store.record(BUCKET, NOON, [a_finding()])
    store.mark_announced(a_finding())

    store.record(BUCKET, NOON, [a_finding()])

    assert store.known(BUCKET).findings == {"f1": a_finding(announced=1)}
    assert len(store.history("f1")) == 1


def test_an_older_observation_never_overwrites_a_newer_one(store: FindingStore) -> None:
    store.record(BUCKET, LATER, [a_finding(observed_at=LATER)])

    with pytest.raises(Superseded):
        store.record(BUCKET, NOON, [next_revision(a_finding(), status=Status.RESOLVED)])

    assert store.known(BUCKET).findings["f1"].status is Status.OPEN


def test_an_older_bad_reading_opens_nothing_after_a_newer_good_one(store: FindingStore) -> None:
    store.record(BUCKET, LATER, [])

    with pytest.raises(Superseded):
        store.record(BUCKET, NOON, [a_finding()])

    assert store.known(BUCKET).findings == {}


def test_an_older_reading_without_findings_is_superseded_too(store: FindingStore) -> None:
    store.record(BUCKET, LATER, [])

    with pytest.raises(Superseded):
        store.record(BUCKET, NOON, [])


@pytest.mark.parametrize("revision", [1, 3])
def test_a_revision_that_does_not_follow_is_a_conflict(store: FindingStore, revision: int) -> None:
    store.record(BUCKET, NOON, [a_finding()])

    with pytest.raises(Conflict):
        store.record(BUCKET, LATER, [a_finding(revision=revision, observed_at=LATER)])


def test_a_conflict_records_nothing_of_what_came_with_it(store: FindingStore) -> None:
    store.record(BUCKET, NOON, [a_finding()])

    with pytest.raises(Conflict):
        store.record(BUCKET, LATER, [a_finding(id="f2"), a_finding(revision=3)])

    assert store.known(BUCKET).findings.keys() == {"f1"}


def test_a_finding_that_reopens_keeps_its_history(store: FindingStore) -> None:
    first = a_finding()
    resolved = next_revision(first, status=Status.RESOLVED)
    again = next_revision(resolved, status=Status.OPEN, reopened=1)
    for minutes, revision in enumerate([first, resolved, again]):
        store.record(BUCKET, NOON + timedelta(minutes=minutes), [revision])

    assert [(each.revision, each.status) for each in store.history("f1")] == [
        (1, Status.OPEN),
        (2, Status.RESOLVED),
        (3, Status.OPEN),
    ]


def test_what_was_not_announced_can_be_found_until_it_is(store: FindingStore) -> None:
    store.record(BUCKET, NOON, [a_finding(), a_finding(id="f2")])

    store.mark_announced(a_finding())

    assert [finding.id for finding in store.unannounced()] == ["f2"]


def test_announcing_an_old_revision_does_not_hide_the_new_one(store: FindingStore) -> None:
    store.record(BUCKET, NOON, [a_finding()])
    store.record(BUCKET, LATER, [next_revision(a_finding())])

    store.mark_announced(a_finding())

    assert [(finding.revision, finding.announced) for finding in store.unannounced()] == [(2, 1)]


def test_what_was_announced_is_never_taken_back(store: FindingStore) -> None:
    second = next_revision(a_finding())
    store.record(BUCKET, NOON, [a_finding()])
    store.record(BUCKET, LATER, [second])
    store.mark_announced(second)

    store.mark_announced(a_finding())

    assert store.known(BUCKET).findings["f1"].announced == 2


def test_more_findings_than_one_transaction_takes_are_all_recorded(store: FindingStore) -> None:
    store.record(BUCKET, NOON, [a_finding(id=f"f{number:03d}") for number in range(60)])

    assert len(store.known(BUCKET).findings) == 60


def test_the_same_name_in_another_account_is_another_resource(store: FindingStore) -> None:
    elsewhere = replace(BUCKET, account="999999999999")
    store.record(BUCKET, NOON, [a_finding()])

    assert store.known(elsewhere).findings == {}


def test_a_global_finding_is_known_in_every_region(store: FindingStore) -> None:
    store.record(BUCKET, NOON, [a_finding()])

    assert store.known(replace(BUCKET, region="us-east-1")).findings.keys() == {"f1"}


QUERIES: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"f1", "f2", "f3"}),
    ({"team": "payments"}, {"f1", "f3"}),
    ({"team": "payments", "status": Status.OPEN}, {"f1"}),
    ({"status": Status.RESOLVED}, {"f3"}),
    ({"account": BUCKET.account, "severity": Severity.LOW}, {"f2"}),
    ({"control": "another"}, {"f3"}),
    ({"control": "another", "status": Status.OPEN}, set()),
    ({"team": "nobody"}, set()),
    ({"team": "payments", "since": NOON}, {"f1", "f3"}),
    ({"team": "payments", "status": Status.OPEN, "since": LATER}, set()),
    ({"since": LATER}, set()),
]


@pytest.mark.parametrize(("query", "found"), QUERIES)
def test_findings_are_found_by_what_people_ask_for(store: FindingStore, query: dict[str, Any], found: set[str]) -> None:
    store.record(
        BUCKET,
        NOON,
        [
            a_finding(),
            a_finding(id="f2", team="platform", severity=Severity.LOW),
            a_finding(id="f3", control="another", status=Status.RESOLVED),
        ],
    )

    assert {finding.id for finding in store.find(**query)} == found


def test_what_is_due_first_comes_first(store: FindingStore) -> None:
    store.record(BUCKET, NOON, [a_finding(), a_finding(id="f2", due_at=NOON)])

    assert [finding.id for finding in store.find(team="payments")] == ["f2", "f1"]


Step = tuple[int, bool]


def play(store: FindingStore, steps: list[Step]) -> Finding | None:
    """Observations of a bucket that is broken or right, recorded in the order given, each decided on what is known."""
    for minute, broken in steps:
        at = NOON + timedelta(minutes=minute)
        known = store.known(BUCKET).findings.get("f1")
        standing = known is not None and known.status is Status.OPEN
        wanted: list[Finding] = []
        if broken and not standing:
            wanted = [next_revision(known, status=Status.OPEN, observed_at=at) if known else a_finding(observed_at=at)]
        elif known and standing and not broken:
            wanted = [next_revision(known, status=Status.RESOLVED, observed_at=at)]
        try:
            store.record(BUCKET, at, wanted)
        except Superseded:
            continue
    return store.get("f1")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    world=st.lists(st.booleans(), min_size=1, max_size=6),
    order=st.randoms(use_true_random=False),
    doubled=st.booleans(),
)
def test_any_order_and_number_of_observations_ends_in_the_state_of_the_newest(
    new_store: Callable[[], FindingStore], world: list[bool], order: Any, doubled: bool
) -> None:
    steps = list(enumerate(world)) * (2 if doubled else 1)
    order.shuffle(steps)

    finding = play(new_store(), steps)

    assert (finding is not None and finding.status is Status.OPEN) is world[-1]


@pytest.fixture(params=["memory", "dynamodb"])
def new_store(request: pytest.FixtureRequest) -> Callable[[], FindingStore]:
    if request.param == "memory":
        return MemoryFindingStore
    dynamodb = request.getfixturevalue("clients")("dynamodb", "eu-west-1")
    made: list[str] = []

    def make() -> FindingStore:
        made.append(f"findings-{len(made)}")
        create_table(dynamodb, made[-1])
        return DynamoFindingStore(dynamodb, made[-1])

    return make


def test_a_throttled_table_is_an_error_and_not_a_conflict() -> None:
    client = AwsClients()("dynamodb", "eu-west-1")
    reasons = [{"Code": "ThrottlingError"}, {"Code": "None"}, {"Code": "None"}]
    with Stubber(client) as stub:
        stub.add_client_error(
            "transact_write_items", "TransactionCanceledException", modeled_fields={"CancellationReasons": reasons}
        )
        with pytest.raises(ClientError):
            DynamoFindingStore(client, "findings").record(BUCKET, NOON, [a_finding()])


def seen(at: datetime = NOON, **properties: Any) -> Snapshot:
    return Snapshot(BUCKET, at, properties, read=frozenset(properties), unread={"Tags": "denied"})


def test_how_a_resource_was_last_seen_is_known(store: FindingStore) -> None:
    store.record(BUCKET, NOON, [a_finding()], seen(BucketName="photos"))
    store.record(BUCKET, LATER, [], seen(LATER, BucketName="photos", AccessControl="Private"))

    assert store.known(BUCKET).last == seen(LATER, BucketName="photos", AccessControl="Private")
    assert store.known(replace(BUCKET, region="us-east-1")).last is None


def test_what_is_gone_was_not_seen_last(store: FindingStore) -> None:
    store.record(BUCKET, NOON, [], seen(BucketName="photos"))
    store.record(BUCKET, LATER, [])

    assert store.known(BUCKET).last is None


def test_an_older_observation_does_not_replace_what_was_seen_since(store: FindingStore) -> None:
    store.record(BUCKET, LATER, [], seen(LATER, BucketName="photos"))

    with pytest.raises(Superseded):
        store.record(BUCKET, NOON, [], seen(BucketName="older"))

    assert store.known(BUCKET).last == seen(LATER, BucketName="photos")


def test_somebodys_word_is_a_revision_that_waits_to_be_told(store: FindingStore) -> None:
    store.record(BUCKET, NOON, [a_finding()])
    store.mark_announced(a_finding())

    said = next_revision(a_finding(), status=Status.ACKNOWLEDGED)
    store.amend(said)
    store.amend(said)

    assert [finding.status for finding in store.unannounced()] == [Status.ACKNOWLEDGED]
    assert len(store.history("f1")) == 2


def test_a_word_about_what_is_not_so_any_more_is_a_conflict(store: FindingStore) -> None:
    store.record(BUCKET, NOON, [a_finding()])
    store.record(BUCKET, LATER, [next_revision(a_finding(), status=Status.RESOLVED)])

    with pytest.raises(Conflict):
        store.amend(next_revision(a_finding(), status=Status.ACKNOWLEDGED))


def test_a_snapshot_too_large_to_keep_loses_its_largest_part_and_says_so() -> None:
    noise = Random(1)
    policy = [f"{noise.getrandbits(256):x}" for _ in range(10_000)]
    snapshot = Snapshot(
        BUCKET,
        NOON,
        {"BucketName": "photos", "Observed": {"Policy": policy}},
        read=frozenset({"BucketName", "Observed.Policy"}),
    )

    packet = packed(snapshot)
    kept = unpacked(packet, BUCKET)

    assert len(packet) <= LARGEST
    assert kept["BucketName"] == "photos"
    with pytest.raises(Unread, match="too large"):
        _ = kept["Observed.Policy"]
