"""What counts until some day, and what was not used for long: questions that need the moment of the snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from demarc.checks import needs
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot


@needs("Observed.NotAfter")
def certificate_lasts(snapshot: Snapshot, *, days: int) -> Iterator[Drift]:
    """That a certificate still counts in some days (NIST SP 800-53 SC-12, SC-17; Security Hub ACM.1).

    Args:
        snapshot: a certificate.
        days: how long before its end it should have been renewed.
    """
    until = snapshot["Observed.NotAfter"]
    if until and datetime.fromisoformat(until) - snapshot.observed_at < timedelta(days=days):
        yield Drift("Observed.NotAfter", f"at least {days} days from now", until)


@needs("Observed.ServerCertificates")
def server_certificates_last(snapshot: Snapshot) -> Iterator[Drift]:
    """Each certificate in IAM that has expired (NIST SP 800-53 SC-17; CIS AWS 1.18)."""
    for index, each in enumerate(snapshot["Observed.ServerCertificates"] or ()):
        if datetime.fromisoformat(each["Until"]) < snapshot.observed_at:
            path = f"Observed.ServerCertificates[{index}].Until"
            yield Drift(path, "a day to come", each["Until"], because=f"{each['Name']} has expired")


_ROTATED = ("Observed.LastRotatedDate", "Observed.LastChangedDate", "Observed.CreatedDate")


@needs(*_ROTATED)
def secret_was_renewed(snapshot: Snapshot, *, days: int) -> Iterator[Drift]:
    """That a secret has another value than some days ago (NIST SP 800-53 IA-5(1); Security Hub SecretsManager.4).

    Args:
        snapshot: a secret.
        days: the longest time between two values.
    """
    last = max((moment for path in _ROTATED if (moment := snapshot[path])), default=None)
    if last and snapshot.observed_at - datetime.fromisoformat(last) > timedelta(days=days):
        yield Drift("Observed.LastRotatedDate", f"within {days} days", last)


@needs("Observed.LastAccessedDate", "Observed.CreatedDate")
def secret_is_used(snapshot: Snapshot, *, days: int) -> Iterator[Drift]:
    """That somebody asked for a secret within some days (NIST SP 800-53 AC-2(3); Security Hub SecretsManager.3).

    Args:
        snapshot: a secret.
        days: after how long it is taken to be of no use to anybody.
    """
    last = snapshot["Observed.LastAccessedDate"] or snapshot["Observed.CreatedDate"]
    if last and snapshot.observed_at - datetime.fromisoformat(last) > timedelta(days=days):
        yield Drift("Observed.LastAccessedDate", f"within {days} days", snapshot["Observed.LastAccessedDate"])


@needs("Observed.NextRotationDate", "Observed.RotationEnabled")
def rotation_is_not_late(snapshot: Snapshot) -> Iterator[Drift]:
    """That a rotation that was due has happened (NIST SP 800-53 IA-5; Security Hub SecretsManager.2)."""
    due = snapshot["Observed.NextRotationDate"]
    if snapshot["Observed.RotationEnabled"] and due and datetime.fromisoformat(due) < snapshot.observed_at:
        yield Drift("Observed.NextRotationDate", "a day to come", due, because="the last rotation failed or never ran")
