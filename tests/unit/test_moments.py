"""What a check says of a moment is said as people say it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from demarc.checks.demarc import changes_arrive
from demarc.checks.kms import is_kept
from demarc.core.model import Resource
from demarc.core.snapshot import Snapshot

KEY = Resource("AWS::KMS::Key", "k", "111122223333", "eu-west-1", "arn:aws:kms:eu-west-1:111122223333:key/k")


def snapshot(**observed: Any) -> Snapshot:
    read = frozenset(f"Observed.{name}" for name in observed)
    return Snapshot(KEY, datetime(2026, 1, 1, tzinfo=UTC), {"Observed": observed}, read=read, unread={})


def test_the_end_of_a_key_is_said_to_the_minute() -> None:
    (drift,) = is_kept(snapshot(KeyState="PendingDeletion", DeletionDate="2026-01-08T01:30:35.316263+02:00"))

    assert drift.because == "what it encrypts is lost from 07 January 2026, 23:30 UTC on"


def test_silence_is_said_to_the_minute_and_its_value_as_it_was_read() -> None:
    last = "2025-12-30T08:00:01.000002Z"

    (drift,) = changes_arrive(snapshot(LastChange=last, FeedSince=last), hours=24)

    assert (drift.actual, drift.because) == (last, "no change was seen since 30 December 2025, 08:00 UTC")
