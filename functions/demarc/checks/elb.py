"""How load balancers take what is sent to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from demarc.checks import needs
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot

_LISTENERS = "Observed.Listeners"
_ENCRYPTED = ("HTTPS", "TLS", "QUIC", "TCP_QUIC")


@needs(_LISTENERS)
def http_leads_to_https(snapshot: Snapshot) -> Iterator[Drift]:
    """Each listener for plain HTTP that does more than send callers to HTTPS (NIST SP 800-53 SC-8; Security Hub ELB.1).

    What its rules do besides is not read: the default action is what a caller gets whom no rule speaks of.
    """
    for index, listener in enumerate(snapshot[_LISTENERS] or ()):
        if listener.get("Protocol") == "HTTP" and not listener.get("RedirectsToHttps"):
            because = f"port {listener.get('Port')} answers in the clear"
            yield Drift(f"{_LISTENERS}[{index}]", "a redirect to HTTPS", "HTTP", because=because)


@needs(_LISTENERS)
def tls_is_recommended(snapshot: Snapshot, *, policies: Sequence[str]) -> Iterator[Drift]:
    """Each encrypted listener with a policy that is not among the recommended (SC-8, SC-13; Security Hub ELB.17).

    Args:
        snapshot: a load balancer.
        policies: names of the security policies that AWS recommends.
    """
    for index, listener in enumerate(snapshot[_LISTENERS] or ()):
        if listener.get("Protocol") in _ENCRYPTED and listener.get("SslPolicy") not in policies:
            yield Drift(f"{_LISTENERS}[{index}].SslPolicy", "a recommended policy", listener.get("SslPolicy"))


@needs("Listeners")
def certificates_are_of_acm(snapshot: Snapshot) -> Iterator[Drift]:
    """Each listener with a certificate that ACM does not renew (NIST SP 800-53 SC-12, SC-17; Security Hub ELB.2)."""
    for index, listener in enumerate(snapshot["Listeners"] or ()):
        certificate = listener.get("SSLCertificateId", "")
        if listener.get("Protocol") in ("HTTPS", "SSL") and ":acm:" not in certificate:
            yield Drift(f"Listeners[{index}].SSLCertificateId", "a certificate of ACM", certificate or None)


@needs("AvailabilityZones")
def spans_zones(snapshot: Snapshot, *, least: int) -> Iterator[Drift]:
    """That it stands in several zones (NIST SP 800-53 CP-10, SC-36; Security Hub ELB.10).

    Args:
        snapshot: a classic load balancer.
        least: in how many.
    """
    zones = snapshot["AvailabilityZones"] or ()
    if len(zones) < least:
        yield Drift("AvailabilityZones", f"at least {least} zones", list(zones))
