"""What a Region of an account has: who watches it."""

from __future__ import annotations

from collections.abc import Iterator

from demarc.checks import needs
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot

# Analyzers of what outside can reach; others look for what nobody uses.
_EXTERNAL = ("ACCOUNT", "ORGANIZATION")


@needs("Observed.Analyzers")
def analyzer_looks_for_outside_access(snapshot: Snapshot) -> Iterator[Drift]:
    """That an analyzer of outside access is active (NIST SP 800-53 CA-7, AC-6; CIS AWS 1.19; Security Hub IAM.28)."""
    if not set(snapshot["Observed.Analyzers"] or ()).intersection(_EXTERNAL):
        yield Drift("Observed.Analyzers", list(_EXTERNAL), snapshot["Observed.Analyzers"])
