"""Findings to Microsoft Teams, through a Workflows webhook. The secret is its address.

A workflow answers 202 and posts later; it can change nothing and has no threads, so each revision is a card of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from demarc.announcers.chat import ChannelRefused, Rejected, Secrets, Unauthorized
from demarc.announcers.https import Web
from demarc.core.chat.adaptive_card import FINDINGS_PER_CARD, card_of, digest_card_of
from demarc.core.chat.posted import Posted
from demarc.core.digest import Digest
from demarc.core.matrix import Destination, Organization
from demarc.core.model import Finding


class TeamsChat:
    """Posts cards."""

    most = FINDINGS_PER_CARD

    def __init__(self, web: Web, secrets: Secrets, organization: Organization, *, pages: str | None = None) -> None:
        self._web = web
        self._secrets = secrets
        self._organization = organization
        self._pages = pages

    def post(
        self,
        to: Destination,
        findings: Sequence[Finding],
        *,
        under: Posted | None = None,  # noqa: ARG002  # no threads
        others: int = 0,  # noqa: ARG002
        note: str = "",
    ) -> Posted:
        self._send(to, card_of(findings, self._organization, pages=self._pages, note=note))
        return Posted("", "", "")

    def renew(self, to: Destination, posted: Posted, findings: Sequence[Finding], *, others: int = 0) -> None:
        """Nothing: what is posted cannot be changed."""

    def reply(self, to: Destination, posted: Posted, findings: Sequence[Finding]) -> None:  # noqa: ARG002
        self._send(to, card_of(findings, self._organization, pages=self._pages))

    def post_digest(self, to: Destination, digest: Digest) -> None:
        self._send(to, digest_card_of(digest))

    def _send(self, to: Destination, message: Mapping[str, Any]) -> None:
        name = to.secret or ""
        try:
            self._post(name, message)
        except Unauthorized:
            self._secrets.forget(name)
            self._post(name, message)

    def _post(self, name: str, message: Mapping[str, Any]) -> None:
        body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
        answer = self._web.post(self._secrets.text(name), body, {"Content-Type": "application/json; charset=utf-8"})
        if 200 <= answer.status < 300:
            return
        code = f"HTTP {answer.status}"
        # A wrong or rotated signature in the address; a workflow that is switched off or deleted.
        if answer.status in (401, 403):
            raise Unauthorized(code)
        if answer.status in (404, 410):
            raise ChannelRefused(code)
        raise Rejected(code)
