"""Whether Demarc itself can do its work on a resource."""

from __future__ import annotations

from collections.abc import Iterator

from demarc.checks import needs
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot


@needs()
def everything_could_be_read(snapshot: Snapshot) -> Iterator[Drift]:
    """Each property that some control asked for and nobody could read (NIST SP 800-53 CA-7: monitoring that sees)."""
    for prop, why in sorted(snapshot.unread.items()):
        yield Drift(path=prop, required="readable", actual="unreadable", because=why)
