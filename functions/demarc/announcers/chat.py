"""The small protocol that every chat speaks, and what may come of it.

The texts of these errors hold a code and never an address, a token or an answer's words: they go into logs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from demarc.core.chat.posted import Posted
from demarc.core.digest import Digest
from demarc.core.matrix import Destination
from demarc.core.model import Finding


class Unreachable(Exception):
    """No usable answer: no connection, no answer in time, an error on the other side. Waiting may help."""


class Throttled(Exception):
    """The other side asks to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"asked to wait {seconds:.0f} s")
        self.seconds = seconds


class Rejected(Exception):
    """The other side answered that it will not: `code` is its word for why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Unauthorized(Rejected):
    """The token or the address is no good, also after it was read again; somebody must renew the secret."""


class ChannelRefused(Rejected):
    """This channel cannot be told: it is not there, archived, or closed to us. Waiting does not help."""


class Vanished(Rejected):
    """The message to change or to answer to is not there any more, or may not be changed."""


class Secrets(Protocol):
    """What is kept secret, by name."""

    def text(self, name: str) -> str: ...

    def fields(self, name: str) -> Mapping[str, str]: ...

    def forget(self, name: str) -> None: ...


class Chat(Protocol):
    """Brings findings to one kind of destination.

    Each call tells or raises `Unreachable`, `Throttled`, `Unauthorized` or `ChannelRefused`, and never repeats itself
    but for a short wait that was asked for. What cannot be changed or threaded is told as a message of its own.
    """

    @property
    def most(self) -> int:
        """How many findings one message holds."""
        ...

    def post(
        self,
        to: Destination,
        findings: Sequence[Finding],
        *,
        under: Posted | None = None,
        others: int = 0,
        note: str = "",
    ) -> Posted:
        """Tell findings for the first time. `others` of the same change are told in other messages of the thread.

        `under` is the thread to tell them in; `note` says what else the reader must know.
        """
        ...

    def renew(self, to: Destination, posted: Posted, findings: Sequence[Finding], *, others: int = 0) -> None:
        """Let a message show how its findings are now.

        Raises:
            Vanished: if that is not possible any more.
        """
        ...

    def reply(self, to: Destination, posted: Posted, findings: Sequence[Finding]) -> None:
        """Say in the message's thread what happened to findings.

        Raises:
            Vanished: if the thread is gone.
        """
        ...

    def post_digest(self, to: Destination, digest: Digest) -> None:
        """Tell a digest."""
        ...


Heard = Callable[[str, Mapping[str, Any]], None]
"""Takes note of what somebody would want to count or look up: a metric's name, and facts for the log."""


def unheard(_name: str, _facts: Mapping[str, Any]) -> None:
    """For whoever does not count."""
