"""Questions about queues that one comparison cannot ask."""

from __future__ import annotations

from collections.abc import Iterator

from demarc.checks import needs
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot


@needs("SqsManagedSseEnabled", "KmsMasterKeyId")
def queue_is_encrypted(snapshot: Snapshot) -> Iterator[Drift]:
    """That a queue has SQS's own encryption or a key of KMS (NIST SP 800-53 SC-28; Security Hub SQS.1)."""
    if not snapshot["SqsManagedSseEnabled"] and not snapshot["KmsMasterKeyId"]:
        yield Drift("SqsManagedSseEnabled", "true, or a key of KMS", "neither")
