"""How distributions reach what is behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from demarc.checks import needs
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot

_ORIGINS = "Observed.Origins"
_BROKEN = ("SSLv3", "TLSv1", "TLSv1.1")


@needs(_ORIGINS)
def origins_are_reached_over_https(snapshot: Snapshot) -> Iterator[Drift]:
    """Each origin of our own that is reached in the clear (NIST SP 800-53 SC-8; Security Hub CloudFront.9)."""
    for at, origin in _origins(snapshot, "custom"):
        policy = origin.get("ProtocolPolicy")
        if policy == "http-only" or (policy == "match-viewer" and "allow-all" in _asked(snapshot)):
            yield Drift(f"{at}.ProtocolPolicy", "https-only", policy, because=f"{origin['DomainName']} in the clear")


def _asked(snapshot: Snapshot) -> tuple[str, ...]:
    """How viewers may ask; where that was not read, as they like."""
    known = "Observed.ViewerProtocols" in snapshot.read
    return tuple(snapshot["Observed.ViewerProtocols"] or ()) if known else ("allow-all",)


@needs(_ORIGINS)
def origins_are_reached_over_strong_tls(snapshot: Snapshot) -> Iterator[Drift]:
    """Each origin with which a broken version may be negotiated (SC-8, SC-13; Security Hub CloudFront.10)."""
    for at, origin in _origins(snapshot, "custom"):
        broken = sorted(set(origin.get("Protocols") or ()).intersection(_BROKEN))
        if broken:
            yield Drift(f"{at}.Protocols", "TLSv1.2", ", ".join(broken), because=origin["DomainName"])


@needs(_ORIGINS)
def origins_know_the_distribution(snapshot: Snapshot, *, kind: str) -> Iterator[Drift]:
    """Each origin that cannot tell the distribution from others (AC-3, SC-7; Security Hub CloudFront.13, 16).

    Args:
        snapshot: a distribution.
        kind: `s3` or `lambda`: of which kind of origins it is asked.
    """
    for at, origin in _origins(snapshot, kind):
        if not origin.get("AccessControl"):
            yield Drift(f"{at}.AccessControl", True, False, because=f"{origin['DomainName']} answers others too")


def _origins(snapshot: Snapshot, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for index, origin in enumerate(snapshot[_ORIGINS] or ()):
        if origin.get("Kind") == kind:
            yield f"{_ORIGINS}[{index}]", origin
