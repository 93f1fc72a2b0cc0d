"""The sign that changes arrive: the last one that a Region's feed brought, as it lies in the table of findings.

    pk                              sk           what
    heartbeat#<account>#<Region>    heartbeat    `at`: when it was seen (ISO 8601); `change`: what it was

A responder writes it (`stores.heartbeats`), and the feed's reader reads it: neither knows the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from demarc.core.wire import to_wire


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """When a change was last seen, and what it was (`s3.amazonaws.com:PutBucketPolicy`)."""

    at: datetime
    change: str


def key_of(account: str, region: str) -> dict[str, Any]:
    """The key of an account's heartbeat in a Region, as DynamoDB wants it."""
    return {"pk": {"S": f"heartbeat#{account}#{region}"}, "sk": {"S": "heartbeat"}}


def item_of(account: str, region: str, heartbeat: Heartbeat) -> dict[str, Any]:
    """The whole item."""
    return {**key_of(account, region), "at": {"S": to_wire(heartbeat.at)}, "change": {"S": heartbeat.change}}


def heartbeat_of(item: Mapping[str, Any]) -> Heartbeat:
    """The heartbeat in an item."""
    return Heartbeat(datetime.fromisoformat(item["at"]["S"]), item["change"]["S"])
