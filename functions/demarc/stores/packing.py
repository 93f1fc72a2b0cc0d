"""A snapshot as a few bytes: compressed, bounded, and without what should not be kept."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from demarc.core.model import Resource
from demarc.core.snapshot import Snapshot
from demarc.core.wire import to_wire

# DynamoDB takes 400 KB for an item, and 4 MB for a transaction (Developer Guide, "Quotas").
LARGEST = 128 * 1024

_TOO_LARGE = "it was too large to be kept"


def packed(snapshot: Snapshot) -> bytes:
    """The bytes to keep, at most `LARGEST`: the largest properties are left out, and said to be unread."""
    properties, unread = dict(snapshot.properties), dict(snapshot.unread)
    while True:
        packet = _compressed(snapshot, properties, unread)
        if len(packet) <= LARGEST:
            return packet
        largest = max(properties, key=lambda name: len(json.dumps(to_wire(properties[name]))))
        del properties[largest]
        unread |= dict.fromkeys((prop for prop in snapshot.read if _is_of(prop, largest)), _TOO_LARGE)


def unpacked(packet: bytes, resource: Resource) -> Snapshot:
    """The snapshot of a resource that was packed."""
    kept = json.loads(zlib.decompress(packet))
    return Snapshot(
        resource,
        observed_at=datetime.fromisoformat(kept["at"]),
        properties=kept["properties"],
        read=frozenset(kept["read"]) - kept["unread"].keys(),
        unread=kept["unread"],
    )


def _compressed(snapshot: Snapshot, properties: Mapping[str, Any], unread: Mapping[str, str]) -> bytes:
    content = {
        "at": snapshot.observed_at,
        "properties": properties,
        "read": sorted(snapshot.read),
        "unread": unread,
    }
    return zlib.compress(json.dumps(to_wire(content), separators=(",", ":"), sort_keys=True).encode())


def _is_of(prop: str, name: str) -> bool:
    return prop == name or prop.startswith(f"{name}.")
