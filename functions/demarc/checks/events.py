"""Who may send to a bus."""

from __future__ import annotations

from collections.abc import Iterator

from demarc.checks import NotApplicable, needs
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot


@needs("Name", "Policy")
def own_bus_has_a_policy(snapshot: Snapshot) -> Iterator[Drift]:
    """That a bus which somebody made says who may send (NIST SP 800-53 AC-3, AC-6; Security Hub EventBridge.3)."""
    if snapshot["Name"] == "default":
        raise NotApplicable("every account has this bus, and AWS sends to it")
    if not snapshot["Policy"]:
        yield Drift("Policy", "a policy", None)
