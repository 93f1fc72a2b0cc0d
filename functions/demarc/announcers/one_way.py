"""Chats that take messages and can neither change nor thread them, so that every revision is a message of its own."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from demarc.announcers.chat import ChannelRefused, Rejected, Secrets, Unauthorized
from demarc.announcers.https import Answer
from demarc.core.chat.posted import Posted
from demarc.core.digest import Digest
from demarc.core.matrix import Destination
from demarc.core.model import Finding


class OneWay(ABC):
    """Where to send is kept secret, and read again once when it turns out to be no good."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    @abstractmethod
    def message_of(self, findings: Sequence[Finding], note: str) -> Mapping[str, Any]:
        """What is sent of findings."""

    @abstractmethod
    def digest_message_of(self, digest: Digest) -> Mapping[str, Any]:
        """What is sent of a digest."""

    @abstractmethod
    def send(self, name: str, message: Mapping[str, Any]) -> None:
        """Send a message to where the secret of this name says."""

    def post(
        self,
        to: Destination,
        findings: Sequence[Finding],
        *,
        under: Posted | None = None,  # noqa: ARG002  # no threads
        others: int = 0,  # noqa: ARG002
        note: str = "",
    ) -> Posted:
        self._send(to, self.message_of(findings, note))
        return Posted("", "", "")

    def renew(self, to: Destination, posted: Posted, findings: Sequence[Finding], *, others: int = 0) -> None:  # noqa: B027
        """Nothing: what is sent cannot be changed."""

    def reply(self, to: Destination, posted: Posted, findings: Sequence[Finding]) -> None:  # noqa: ARG002
        self._send(to, self.message_of(findings, ""))

    def post_digest(self, to: Destination, digest: Digest) -> None:
        self._send(to, self.digest_message_of(digest))

    def _send(self, to: Destination, message: Mapping[str, Any]) -> None:
        name = to.secret or ""
        try:
            self.send(name, message)
        except Unauthorized:
            self._secrets.forget(name)
            self.send(name, message)


def packed(message: Mapping[str, Any]) -> bytes:
    """A message as the body of a request."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def refuse_unless_taken(answer: Answer) -> None:
    """Raise what an endpoint's status says: a wrong or rotated address, one that is gone, or anything but success."""
    if 200 <= answer.status < 300:
        return
    code = f"HTTP {answer.status}"
    if answer.status in (401, 403):
        raise Unauthorized(code)
    if answer.status in (404, 410):
        raise ChannelRefused(code)
    raise Rejected(code)
