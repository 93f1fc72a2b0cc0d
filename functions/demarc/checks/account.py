"""What a Region of an account has: who watches it, and what becomes of its images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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


@needs("Observed.ImageScanning")
def images_are_scanned(snapshot: Snapshot) -> Iterator[Drift]:
    """That images of every repository are scanned without being asked (NIST SP 800-53 RA-5, SI-2).

    Amazon ECR User Guide, "Using filters": a `*` stands for any name, and what no filter matches is scanned by hand.
    """
    rules = snapshot["Observed.ImageScanning"] or ()
    wanted = [pattern for rule in rules if rule["Frequency"] != "MANUAL" for pattern in rule["Repositories"]]
    if not any(pattern and not pattern.strip("*") for pattern in wanted):
        yield Drift("Observed.ImageScanning", "a rule for * on push or continuously", list(rules))


@needs("Observed.ImageCopies")
def images_stay_with_ours(snapshot: Snapshot, *, trusted: Sequence[str]) -> Iterator[Drift]:
    """Each account outside the organization that images are copied to (NIST SP 800-53 AC-4, AC-21).

    Args:
        snapshot: a Region of an account.
        trusted: the organization's accounts.
    """
    for index, each in enumerate(snapshot["Observed.ImageCopies"] or ()):
        if each["Account"] not in (*trusted, snapshot.resource.account):
            yield Drift(
                path=f"Observed.ImageCopies[{index}].Account",
                required="an account of the organization",
                actual=each["Account"],
                because=f"it gets each image that is pushed, in {each['Region']}",
            )
