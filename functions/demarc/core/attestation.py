"""Attestations as they lie in the table of findings, beside what they lead to.

    pk                                       sk              what
    attestation#<framework>#<requirement>    attestation     the word that counts: `by`, `given`, `until`, `evidence`
    attestation#<framework>#<requirement>    given#<time>    every word that was ever given

The command line writes them (`stores.attestations`), and the reader of requirements reads them: neither knows the
other. `by` is the id of a person of the matrix; who recorded it, by their credentials, is kept with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from demarc.core.framework import Attestation
from demarc.core.wire import to_wire

CURRENT = "attestation"
GIVEN = "given#"


@dataclass(frozen=True, slots=True)
class Recorded:
    """An attestation, when it was recorded, and whose credentials recorded it."""

    attestation: Attestation
    at: datetime
    recorder: str


def partition_of(framework: str, requirement: str) -> dict[str, str]:
    """Where all attestations of a requirement lie, as DynamoDB wants it."""
    return {"S": f"attestation#{framework}#{requirement}"}


def key_of(framework: str, requirement: str) -> dict[str, Any]:
    """The key of the attestation that counts."""
    return {"pk": partition_of(framework, requirement), "sk": {"S": CURRENT}}


def items_of(framework: str, requirement: str, recorded: Recorded) -> tuple[dict[str, Any], dict[str, Any]]:
    """The item that counts from now on, and the one of the history."""
    word = recorded.attestation
    facts = {
        "by": {"S": word.by},
        "given": {"S": word.given.isoformat()},
        "until": {"S": word.until.isoformat()},
        "evidence": {"S": word.evidence},
        "recorded_at": {"S": to_wire(recorded.at)},
        "recorder": {"S": recorded.recorder},
    }
    pk = partition_of(framework, requirement)
    return (
        {**key_of(framework, requirement), **facts},
        {"pk": pk, "sk": {"S": f"{GIVEN}{to_wire(recorded.at)}"}, **facts},
    )


def recorded_of(item: Mapping[str, Any]) -> Recorded:
    """What an item says, of the one kind or the other."""
    return Recorded(
        Attestation(
            by=item["by"]["S"],
            given=date.fromisoformat(item["given"]["S"]),
            until=date.fromisoformat(item["until"]["S"]),
            evidence=item["evidence"]["S"],
        ),
        at=datetime.fromisoformat(item["recorded_at"]["S"]),
        recorder=item["recorder"]["S"],
    )
