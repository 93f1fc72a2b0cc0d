"""What every policy of a resource is asked, for each place in which a type keeps its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from demarc.checks import needs, sharing
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot, property_of


def _keeps_the_public_out(path: str) -> Callable[[Snapshot], Iterator[Drift]]:
    @needs(property_of(path))
    def check(snapshot: Snapshot) -> Iterator[Drift]:
        """Each statement that lets the public do anything (NIST SP 800-53 AC-3, AC-21)."""
        yield from sharing.with_the_public(snapshot, path)

    return check


def _keeps_strangers_out(path: str) -> Callable[..., Iterator[Drift]]:
    @needs(property_of(path))
    def check(snapshot: Snapshot, *, trusted: Sequence[str], organization: str) -> Iterator[Drift]:
        """Each statement that lets an account outside the organization do anything (NIST SP 800-53 AC-6, CA-9)."""
        yield from sharing.with_strangers(snapshot, path, trusted=trusted, organization=organization)

    return check


policy_is_not_public = _keeps_the_public_out("Policy")
policy_is_for_ours = _keeps_strangers_out("Policy")
observed_is_not_public = _keeps_the_public_out("Observed.Policy")
observed_is_for_ours = _keeps_strangers_out("Observed.Policy")
document_is_not_public = _keeps_the_public_out("PolicyDocument")
resource_policy_is_not_public = _keeps_the_public_out("ResourcePolicy.PolicyDocument")
resource_policy_is_for_ours = _keeps_strangers_out("ResourcePolicy.PolicyDocument")
access_policies_are_not_public = _keeps_the_public_out("AccessPolicies")
access_policy_is_not_public = _keeps_the_public_out("AccessPolicy")
access_policy_is_for_ours = _keeps_strangers_out("AccessPolicy")
file_system_policy_is_not_public = _keeps_the_public_out("FileSystemPolicy")
repository_policy_is_not_public = _keeps_the_public_out("RepositoryPolicyText")
repository_policy_is_for_ours = _keeps_strangers_out("RepositoryPolicyText")
registry_policy_is_not_public = _keeps_the_public_out("Observed.ImageRegistryPolicy")
registry_policy_is_for_ours = _keeps_strangers_out("Observed.ImageRegistryPolicy")
catalog_policy_is_not_public = _keeps_the_public_out("Observed.CatalogPolicy")
catalog_policy_is_for_ours = _keeps_strangers_out("Observed.CatalogPolicy")
