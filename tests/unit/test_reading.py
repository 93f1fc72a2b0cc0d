"""A resource is read side by side, and what comes of it does not depend on who was first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from demarc.core.model import Resource
from demarc.core.snapshot import Snapshot
from demarc.readers import Gone, Part, Reader, ResourceGone, read

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BUCKET = Resource("AWS::S3::Bucket", "photos", "111122223333", "eu-west-1", "arn:aws:s3:::photos")
# Far more than any of them waits; without it a promise that is broken would hang.
PATIENCE = 30.0

Answer = Callable[[], Mapping[str, Any]]


def part(name: str, answer: Answer) -> Part:
    return Part((name,), {}, lambda _clients, _resource: answer())


def taken(*answers: Answer) -> Snapshot | Gone:
    """What is read of a resource whose parts answer so; each gives the property of its number."""
    names = [f"P{number}" for number in range(len(answers))]
    parts = tuple(part(name, answer) for name, answer in zip(names, answers, strict=True))
    reader = Reader(BUCKET.type, "data", "arn:{partition}:s3:::{identifier}", parts, ())
    return read(reader, BUCKET, needs=names, clients=no_clients, now=NOON)


def no_clients(service: str, region: str) -> Any:
    raise AssertionError(f"{service} in {region} is not asked here")


def refused() -> Mapping[str, Any]:
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetPart")


def throttled() -> Mapping[str, Any]:
    raise ClientError({"Error": {"Code": "Throttling", "Message": "slowly"}}, "GetPart")


def gone() -> Mapping[str, Any]:
    raise ResourceGone


def test_eight_parts_are_asked_before_the_first_has_to_answer() -> None:
    all_asked = threading.Barrier(8, timeout=PATIENCE)

    def answer() -> Mapping[str, Any]:
        all_asked.wait()
        return {}

    seen = taken(*[answer] * 8)

    assert isinstance(seen, Snapshot)
    assert seen.read == {f"P{number}" for number in range(8)} | {"Tags"}


@given(st.lists(st.sampled_from([None, "refused"]), max_size=20))
def test_each_answer_is_that_of_its_part_and_a_refusal_leaves_the_others_alone(kinds: list[str | None]) -> None:
    def answering(number: int) -> Answer:
        return lambda: {f"P{number}": number}

    seen = taken(*[refused if kind else answering(number) for number, kind in enumerate(kinds)])

    assert isinstance(seen, Snapshot)
    assert seen.properties == {f"P{number}": number for number, kind in enumerate(kinds) if kind is None}
    assert seen.unread.keys() == {f"P{number}" for number, kind in enumerate(kinds) if kind}


@pytest.mark.parametrize("place", range(12))
def test_wherever_the_resource_turns_out_to_be_gone_it_is_gone(place: int) -> None:
    answers: list[Answer] = [dict] * 12
    answers[place] = gone

    assert taken(*answers) == Gone(BUCKET, NOON)


@pytest.mark.parametrize("place", range(12))
def test_wherever_a_part_is_throttled_the_reading_fails(place: int) -> None:
    answers: list[Answer] = [dict] * 12
    answers[place] = throttled

    with pytest.raises(ClientError, match="slowly"):
        taken(*answers)


def one_after_the_other(first: Answer, sooner: Answer) -> tuple[Answer, Answer]:
    """Two answers, of which the first waits until the other one is under way."""
    under_way = threading.Event()

    def waiting() -> Mapping[str, Any]:
        assert under_way.wait(PATIENCE)
        return first()

    def at_once() -> Mapping[str, Any]:
        under_way.set()
        return sooner()

    return waiting, at_once


def unforeseen() -> Mapping[str, Any]:
    raise KeyError("Attributes")


@pytest.mark.parametrize("other", [throttled, unforeseen])
def test_what_is_gone_is_gone_whatever_a_later_part_stumbled_over_sooner(other: Answer) -> None:
    assert taken(*one_after_the_other(gone, other), dict) == Gone(BUCKET, NOON)


def test_what_could_not_be_looked_for_is_not_gone_because_a_later_part_says_so_sooner() -> None:
    with pytest.raises(ClientError, match="slowly"):
        taken(*one_after_the_other(throttled, gone), dict)


def test_once_a_part_has_failed_no_other_is_begun() -> None:
    first = threading.Barrier(8, timeout=PATIENCE)
    begun: list[int] = []

    def failing() -> Mapping[str, Any]:
        first.wait()
        return throttled()

    def late() -> Mapping[str, Any]:
        begun.append(1)
        return {}

    with pytest.raises(ClientError):
        taken(*[failing] * 8, *[late] * 12)

    assert begun == []
