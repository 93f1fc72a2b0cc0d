"""How long copies are kept."""

from __future__ import annotations

from collections.abc import Iterator

from demarc.checks import needs
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot


@needs("Observed.ShortestRetentionDays")
def keeps_copies(snapshot: Snapshot, *, days: int) -> Iterator[Drift]:
    """That no rule of a plan deletes copies earlier (NIST SP 800-53 CP-9). A rule that never deletes says no days.

    Args:
        snapshot: a backup plan.
        days: for how long.
    """
    shortest = snapshot["Observed.ShortestRetentionDays"]
    if shortest is not None and shortest < days:
        yield Drift("Observed.ShortestRetentionDays", {"at_least": days}, shortest)
