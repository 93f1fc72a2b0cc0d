"""What parameters of Systems Manager seem to hold, by what they are called; their values nobody reads."""

from __future__ import annotations

from collections.abc import Iterator

from demarc.checks import NotApplicable, needs
from demarc.core.model import Drift
from demarc.core.plaintext import is_called_a_secret
from demarc.core.snapshot import Snapshot


@needs("Name", "Observed.Type")
def secret_is_sealed(snapshot: Snapshot) -> Iterator[Drift]:
    """That a parameter which is called a secret is a SecureString (NIST SP 800-53 IA-5(7), SC-28).

    AWS Systems Manager User Guide, "What is a parameter?": sensitive data belongs in no String and no StringList.
    """
    if not is_called_a_secret(snapshot["Name"] or ""):
        raise NotApplicable("its name speaks of no secret")
    kind = snapshot["Observed.Type"]
    if kind != "SecureString":
        yield Drift("Observed.Type", "SecureString", kind, because="by its name it holds a secret")
