"""To whom something was given that is shared by a list of accounts instead of a policy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from demarc.checks import needs
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot

_SHARED = "Observed.SharedWith"


@needs(_SHARED)
def with_nobody_public(snapshot: Snapshot) -> Iterator[Drift]:
    """That it is not given to everybody (NIST SP 800-53 AC-3, AC-21; Amazon EBS, RDS and SSM: the group `all`)."""
    if "all" in (snapshot[_SHARED] or ()):
        yield Drift(_SHARED, "accounts of the organization", "all", "everybody with an AWS account can copy it")


@needs(_SHARED)
def with_ours_only(snapshot: Snapshot, *, trusted: Sequence[str]) -> Iterator[Drift]:
    """Each account outside the organization that it is given to (NIST SP 800-53 AC-6, CA-9).

    Args:
        snapshot: a resource.
        trusted: the organization's accounts.
    """
    for index, each in enumerate(snapshot[_SHARED] or ()):
        if each.isdigit() and each not in trusted:
            yield Drift(f"{_SHARED}[{index}]", "an account of the organization", each)
