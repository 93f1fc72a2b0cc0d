"""Who may call a cache."""

from __future__ import annotations

from collections.abc import Iterator

from demarc.checks import needs
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot


@needs("UserGroupIds", "Observed.AuthTokenEnabled")
def asks_who_calls(snapshot: Snapshot) -> Iterator[Drift]:
    """That callers are users or know a token (NIST SP 800-53 IA-2, AC-3; Security Hub ElastiCache.6)."""
    if not snapshot["Observed.AuthTokenEnabled"] and not snapshot["UserGroupIds"]:
        yield Drift("UserGroupIds", "a group of users, or a token", "neither")
