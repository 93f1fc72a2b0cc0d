"""What containers hold, and whether they are watched."""

from __future__ import annotations

from collections.abc import Iterator

from demarc.checks import needs
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot


@needs("ClusterSettings")
def cluster_is_watched(snapshot: Snapshot) -> Iterator[Drift]:
    """That Container Insights is on (NIST SP 800-53 AU-6, SI-2; Security Hub ECS.12)."""
    settings = {each["Name"]: each["Value"] for each in snapshot["ClusterSettings"] or ()}
    value = settings.get("containerInsights", "disabled")
    if value not in ("enabled", "enhanced"):
        yield Drift("ClusterSettings", "containerInsights enabled or enhanced", value)


@needs("Observed.Containers")
def containers_hold_no_secrets(snapshot: Snapshot) -> Iterator[Drift]:
    """Each variable of a container that looks like a secret (NIST SP 800-53 IA-5(7); Security Hub ECS.8)."""
    for at, container in enumerate(snapshot["Observed.Containers"] or ()):
        for index, secret in enumerate(container.get("PlaintextSecrets", ())):
            yield Drift(
                path=f"Observed.Containers[{at}].PlaintextSecrets[{index}]",
                required="a reference to where the secret is kept",
                actual=f"{secret['Kind']} in the open",
                because=f"{secret['Name']} of container {container['Name']} looks like a secret",
            )
