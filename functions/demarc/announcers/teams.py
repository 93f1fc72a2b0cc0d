"""Findings to Microsoft Teams, through a Workflows webhook. The secret is its address.

A workflow answers 202 and posts later; it can change nothing and has no threads, so each revision is a card of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from demarc.announcers.chat import Secrets
from demarc.announcers.https import Web
from demarc.announcers.one_way import OneWay, packed, refuse_unless_taken
from demarc.core.chat.adaptive_card import FINDINGS_PER_CARD, card_of, digest_card_of
from demarc.core.digest import Digest
from demarc.core.matrix import Organization
from demarc.core.model import Finding


class TeamsChat(OneWay):
    """Posts cards."""

    most = FINDINGS_PER_CARD

    def __init__(self, web: Web, secrets: Secrets, organization: Organization, *, pages: str | None = None) -> None:
        super().__init__(secrets)
        self._web = web
        self._organization = organization
        self._pages = pages

    def message_of(self, findings: Sequence[Finding], note: str) -> Mapping[str, Any]:
        return card_of(findings, self._organization, pages=self._pages, note=note)

    def digest_message_of(self, digest: Digest) -> Mapping[str, Any]:
        return digest_card_of(digest)

    def send(self, name: str, message: Mapping[str, Any]) -> None:
        headers = {"Content-Type": "application/json; charset=utf-8"}
        refuse_unless_taken(self._web.post(self._secrets.text(name), packed(message), headers))
