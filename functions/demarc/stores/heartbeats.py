"""Heartbeats at rest, in the table of the findings; `core.heartbeat` says how they lie there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from demarc.core.heartbeat import Heartbeat, heartbeat_of, item_of, key_of

# What a responder calls, and the IAM action the call needs. Whoever asks for the last one needs dynamodb:GetItem.
CALLS: Mapping[str, str] = {"dynamodb.PutItem": "dynamodb:PutItem"}

# Silence is counted in hours, so that minutes do; a busy account would otherwise write once per change.
EVERY = timedelta(minutes=5)


class Heartbeats:
    """Notes that changes arrive; made once, kept for the life of the process."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table
        self._noted: dict[tuple[str, str], datetime] = {}

    def note(self, account: str, region: str, at: datetime, change: str) -> None:
        """A change was seen at a moment. This process writes it at most once in five minutes per account and Region.

        The moment is that of seeing and not of the change, so that a later one is never older; several processes may
        write, and any of their moments will do.
        """
        before = self._noted.get((account, region))
        if before and before <= at < before + EVERY:
            return
        self._client.put_item(TableName=self._table, Item=item_of(account, region, Heartbeat(at, change)))
        # Only what was written: after a failure the next change tries again.
        self._noted[account, region] = at

    def last(self, account: str, region: str) -> Heartbeat | None:
        """The last change that was seen, None if there was none yet."""
        found = self._client.get_item(TableName=self._table, Key=key_of(account, region))
        return heartbeat_of(found["Item"]) if "Item" in found else None
