"""What was not read is not absent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from demarc.core.model import Resource
from demarc.core.snapshot import Snapshot, Unread, property_of

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
