"""From where clusters of Kubernetes can be reached, and whom they let in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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


@needs("PrincipalArn")
def entry_is_of_ours(snapshot: Snapshot, *, trusted: Sequence[str]) -> Iterator[Drift]:
    """That whom a cluster lets in is of the organization (NIST SP 800-53 AC-6, CA-9).

    Args:
        snapshot: an access entry.
        trusted: the organization's accounts.
    """
    principal = snapshot["PrincipalArn"] or ""
    account = [*principal.split(":"), *[""] * 5][4]
    if account not in (snapshot.resource.account, *trusted):
        yield Drift("PrincipalArn", "somebody of the organization's accounts", principal)


@needs("PrincipalArn")
def entry_is_of_a_role(snapshot: Snapshot) -> Iterator[Drift]:
    """That people and programs come in by a role (NIST SP 800-53 IA-2, IA-5; Amazon EKS User Guide, "Grant IAM users
    access to Kubernetes with EKS access entries").
    """
    principal = snapshot["PrincipalArn"] or ""
    if ":role/" not in principal:
        yield Drift("PrincipalArn", "a role", principal, because="keys of a user, or of root, do not run out")


@needs("AccessPolicies")
def entry_is_no_administrator(snapshot: Snapshot, *, policies: Sequence[str]) -> Iterator[Drift]:
    """Each of AWS's policies by which somebody does everything in the whole cluster (NIST SP 800-53 AC-6).

    Args:
        snapshot: an access entry.
        policies: the names of the policies that allow as much (Amazon EKS User Guide, "Review access policy
            permissions"). One that is tied to namespaces is not meant.
    """
    for index, each in enumerate(snapshot["AccessPolicies"] or ()):
        name = str(each.get("PolicyArn", "")).rpartition("/")[2]
        if name in policies and each.get("AccessScope", {}).get("Type") != "namespace":
            yield Drift(
                f"AccessPolicies[{index}]", "some namespaces, or a policy that allows less", f"{name}, everywhere"
            )
