"""Recorded first, told then: what a command recorded is not lost where nobody can be told of it."""

from __future__ import annotations

from collections.abc import Iterable

from botocore.exceptions import BotoCoreError, ClientError

from demarc.announcers import Announcer
from demarc.cli.failures import FINE, NO_ANSWER, told
from demarc.cli.terminal import warn
from demarc.core.announcement import Announcement
from demarc.core.model import Finding
from demarc.pipeline import tell
from demarc.stores import FindingStore
from demarc.stores.dynamodb import DynamoFindingStore


class Untold(DynamoFindingStore):
    """A table in which whatever is recorded goes on waiting to be announced."""

    def mark_announced(self, finding: Finding) -> None:
        pass


class Nobody:
    """An announcer without listeners."""

    def announce(self, announcement: Announcement) -> None:
        pass


def tell_owners_of(findings: Iterable[Finding], store: FindingStore, announcer: Announcer | None) -> int:
    """Announce what was recorded, and answer how the run ends. What could not be told is said, and goes on waiting."""
    waiting = list(findings)
    if not waiting:
        return FINE
    if announcer is None:
        warn("It is recorded, and waits to be told: no --topic was named, and no --stack that has one.")
        return FINE
    try:
        tell(waiting, store=store, announcer=announcer)
    except (BotoCoreError, ClientError) as error:
        warn(f"It is recorded, but was not told, and goes on waiting for the next look or sweep: {told(error)}")
        return NO_ANSWER
    return FINE
