"""What tasks that copy databases write down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from demarc.checks import needs
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot

# Levels that tell enough (AWS DMS User Guide, "Logging task settings"); the others tell of failures only.
_ENOUGH = ("LOGGER_SEVERITY_DEFAULT", "LOGGER_SEVERITY_DEBUG", "LOGGER_SEVERITY_DETAILED_DEBUG")


@needs("Observed.LoggingEnabled", "Observed.LogLevels")
def task_logs(snapshot: Snapshot, *, components: Sequence[str]) -> Iterator[Drift]:
    """Each part of a replication task that is not logged (NIST SP 800-53 AU-2, AU-12; Security Hub DMS.7, DMS.8).

    Args:
        snapshot: a replication task.
        components: the parts, as its settings call them.
    """
    if not snapshot["Observed.LoggingEnabled"]:
        yield Drift("Observed.LoggingEnabled", True, snapshot["Observed.LoggingEnabled"])
        return
    levels = snapshot["Observed.LogLevels"] or {}
    for each in components:
        if levels.get(each) not in _ENOUGH:
            yield Drift(f"Observed.LogLevels.{each}", {"one_of": list(_ENOUGH)}, levels.get(each))
