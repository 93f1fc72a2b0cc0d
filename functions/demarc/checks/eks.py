"""From where clusters of Kubernetes can be reached."""

from __future__ import annotations

from collections.abc import Iterator

from demarc.checks import needs
from demarc.core import network
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot


@needs("ResourcesVpcConfig")
def endpoint_is_closed_to_the_world(snapshot: Snapshot) -> Iterator[Drift]:
    """That the whole internet does not reach the API (NIST SP 800-53 AC-3, SC-7; Security Hub EKS.1).

    A public endpoint that only some networks reach is a decision; one without such a list is open to everybody.
    """
    if not snapshot["ResourcesVpcConfig.EndpointPublicAccess"]:
        return
    networks = snapshot["ResourcesVpcConfig.PublicAccessCidrs"] or ["0.0.0.0/0"]
    if network.is_world(networks):
        yield Drift("ResourcesVpcConfig.EndpointPublicAccess", False, True, because="the whole internet reaches it")
