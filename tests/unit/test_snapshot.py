"""What was not read is not absent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from demarc.core.model import Resource
from demarc.core.snapshot import NOWHERE, Snapshot, Unread, kept, property_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BUCKET = Resource("AWS::S3::Bucket", "photos", "111122223333", "eu-west-1", "arn:aws:s3:::photos")


def snapshot(**facts: object) -> Snapshot:
    defaults: dict[str, object] = {"properties": {}, "read": frozenset(), "unread": {}}
    return Snapshot(resource=BUCKET, observed_at=datetime(2026, 1, 1, tzinfo=UTC), **{**defaults, **facts})  # type: ignore[arg-type]


def test_a_value_is_found_at_its_path() -> None:
    seen = snapshot(properties={"A": {"B": {"C": 1}}}, read=frozenset({"A"}))

    assert seen["A.B.C"] == 1


@pytest.mark.parametrize("path", ["A", "A.B", "A.B.C"])
def test_what_aws_says_is_not_configured_is_none(path: str) -> None:
    assert snapshot(read=frozenset({"A"}))[path] is None


def test_what_was_denied_raises_with_the_reason() -> None:
    with pytest.raises(Unread, match=r"Observed\.Policy could not be read: denied"):
        snapshot(unread={"Observed.Policy": "denied"})["Observed.Policy.Statement"]


def test_what_was_never_asked_for_raises_too() -> None:
    with pytest.raises(Unread, match="it was not asked for"):
        snapshot(properties={"A": 1})["A"]


@pytest.mark.parametrize(
    ("path", "prop"),
    [
        ("Tags", "Tags"),
        ("Tags[].Key", "Tags"),
        ("SecurityGroupIngress[2].CidrIp", "SecurityGroupIngress"),
        ("Observed.Policy.Statement[0]", "Observed.Policy"),
        ("Observed.Grants[1]", "Observed.Grants"),
        ("Attribution.Gap", "Attribution.Gap"),
    ],
)
def test_a_path_belongs_to_the_property_that_is_read_as_a_whole(path: str, prop: str) -> None:
    assert property_of(path) == prop


def test_tags_are_a_mapping() -> None:
    seen = snapshot(properties={"Tags": [{"Key": "owner", "Value": "payments"}]}, read=frozenset({"Tags"}))

    assert seen.tags == {"owner": "payments"}


def test_one_more_thing_known_leaves_the_rest_as_it_was() -> None:
    seen = snapshot(properties={"Observed": {"A": 1}}, read=frozenset({"Observed.A"}), unread={"Observed.B": "denied"})

    wiser = seen.with_property("Observed.B", 2)

    assert (wiser["Observed.A"], wiser["Observed.B"]) == (1, 2)
    assert wiser.unread == {}


# --- what was there before --------------------------------------------------------------------------------------------

WAS = {"Encryption": {"Kms": "key-1"}, "Rules": [{"Port": 22}, {"Port": 80}], "Observed": {"Policy": {"Id": "a"}}}
NOW = {"Encryption": {}, "Rules": [{"Port": 80}, {"Port": 3306}], "Observed": {"Policy": {"Id": "b"}}}
ALL = frozenset({"Encryption", "Rules", "Observed.Policy"})

COUNTERPARTS: list[tuple[str, Any]] = [
    ("Encryption.Kms", "key-1"),
    ("Encryption.Other", None),
    ("Encryption", {"Kms": "key-1"}),
    ("Observed.Policy.Id", "a"),
    ("Rules[0].Port", 80),  # the same entry, at another place
    ("Rules[1].Port", None),  # an entry that was not there
    ("Rules[7].Port", NOWHERE),
    ("Tags", NOWHERE),  # never read
]


@pytest.mark.parametrize(("path", "was"), COUNTERPARTS)
def test_a_path_leads_to_what_was_there_before(path: str, was: Any) -> None:
    before, now = Snapshot(BUCKET, NOON, WAS, read=ALL), Snapshot(BUCKET, NOON, NOW, read=ALL)

    assert before.counterpart(path, now) == was


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_what_may_hold_a_secret_is_not_kept_at_any_depth() -> None:
    snapshot = Snapshot(
        BUCKET,
        NOON,
        {"UserData": "s3cret", "Containers": [{"Environment": {"Variables": {"DB": "s3cret"}}}], "Name": "web"},
        read=frozenset({"UserData", "Containers", "Name"}),
    )

    kept_one = kept(snapshot)

    assert "s3cret" not in str(kept_one)
    assert kept_one["Name"] == "web"
    with pytest.raises(Unread, match="secret"):
        _ = kept_one["UserData"]


def test_what_holds_no_secret_is_kept_as_it_is() -> None:
    snapshot = Snapshot(BUCKET, NOON, WAS, read=ALL)

    assert kept(snapshot) is snapshot
