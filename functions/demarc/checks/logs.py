"""How long logs are kept."""

from __future__ import annotations

from collections.abc import Iterator

from demarc.checks import needs
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot


@needs("RetentionInDays")
def keeps_for(snapshot: Snapshot, *, days: int) -> Iterator[Drift]:
    """That a log group keeps its events for some days (AU-11; Security Hub CloudWatch.16). Without a limit it does.

    Args:
        snapshot: a log group.
        days: for how long.
    """
    kept = snapshot["RetentionInDays"]
    if kept is not None and kept < days:
        yield Drift("RetentionInDays", {"at_least": days}, kept)
