"""Secrets that a reader saw in the open (see `core.plaintext`): where and of what kind is all that anybody knows."""

from __future__ import annotations

from collections.abc import Iterator

from demarc.checks import needs
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot


@needs("Observed.PlaintextSecrets")
def no_secrets(snapshot: Snapshot) -> Iterator[Drift]:
    """Nothing that looks like a secret stands in the configuration, where whoever may describe it reads it.

    NIST SP 800-53 r5 IA-5(7): no static authenticator that is unencrypted stands in an application.
    """
    for at, secret in enumerate(snapshot["Observed.PlaintextSecrets"] or ()):
        yield Drift(
            path=f"Observed.PlaintextSecrets[{at}]",
            required="a reference to where the secret is kept",
            actual=f"{secret['Kind']} in the open",
            because=f"what stands at {secret['Name']} looks like a secret ({secret['Kind']})",
        )
