"""Where something was told: what a chat needs to find its own message again."""

from __future__ import annotations

from dataclasses import dataclass

from demarc.core.matrix import Destination


@dataclass(frozen=True, slots=True)
class Posted:
    """A message: the channel as the chat names it, the message, and the message that its thread hangs on."""

    channel: str
    message: str
    thread: str


@dataclass(frozen=True, slots=True)
class Told:
    """What one destination knows of a finding.

    `revision` is the last one told there, 0 if none. `together` are the ids of all findings in the same message, and
    `others` counts those of the same change that other messages of its thread tell. `held` is the highest revision that
    waits for the end of quiet hours.
    """

    revision: int = 0
    posted: Posted | None = None
    together: tuple[str, ...] = ()
    others: int = 0
    held: int = 0


def key_of(destination: Destination) -> str:
    """The name of a destination in what is kept; a change of channel is another one."""
    return f"{destination.kind}:{destination.channel or destination.secret or ''}"
