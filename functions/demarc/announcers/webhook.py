"""Findings to anybody's HTTPS endpoint, as JSON that is signed.

The secret is a JSON object with `url` and `signing_secret`. A request carries, beside the body:

    Demarc-Timestamp   seconds since 1970, as decimal digits
    Demarc-Signature   v1=<hex of HMAC-SHA256 over "<timestamp>.<body>" with the signing secret>

The receiver compares the signature in constant time and refuses timestamps older than five minutes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from demarc.announcers.chat import ChannelRefused, Rejected, Secrets, Unauthorized
from demarc.announcers.https import BadAddress, Web
from demarc.core.announcement import announcement_of
from demarc.core.chat.posted import Posted
from demarc.core.digest import Digest, announcement_of_digest
from demarc.core.matrix import Destination
from demarc.core.model import Finding


class Webhook:
    """Posts the body of the announcement; a receiver keeps the highest revision of each finding."""

    most = 100

    def __init__(self, web: Web, secrets: Secrets, *, clock: Callable[[], datetime]) -> None:
        self._web = web
        self._secrets = secrets
        self._clock = clock

    def post(
        self,
        to: Destination,
        findings: Sequence[Finding],
        *,
        under: Posted | None = None,  # noqa: ARG002  # no threads
        others: int = 0,  # noqa: ARG002
        note: str = "",
    ) -> Posted:
        self._send(to, {**announcement_of(findings).body, **({"note": note} if note else {})})
        return Posted("", "", "")

    def renew(self, to: Destination, posted: Posted, findings: Sequence[Finding], *, others: int = 0) -> None:
        """Nothing: the next revision says it."""

    def reply(self, to: Destination, posted: Posted, findings: Sequence[Finding]) -> None:  # noqa: ARG002
        self._send(to, announcement_of(findings).body)

    def post_digest(self, to: Destination, digest: Digest) -> None:
        self._send(to, announcement_of_digest(digest).body)

    def _send(self, to: Destination, message: Mapping[str, Any]) -> None:
        body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
        name = to.secret or ""
        try:
            self._post(name, body)
        except Unauthorized:
            self._secrets.forget(name)
            self._post(name, body)

    def _post(self, name: str, body: bytes) -> None:
        secret = self._secrets.fields(name)
        url, key = secret.get("url", ""), secret.get("signing_secret", "")
        if not key:
            raise BadAddress(f"the secret {name} has no signing_secret")
        timestamp = str(int(self._clock().timestamp()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Demarc-Timestamp": timestamp,
            "Demarc-Signature": signature_of(timestamp, body, key),
        }
        answer = self._web.post(url, body, headers)
        if 200 <= answer.status < 300:
            return
        code = f"HTTP {answer.status}"
        if answer.status in (401, 403):
            raise Unauthorized(code)
        if answer.status in (404, 410):
            raise ChannelRefused(code)
        raise Rejected(code)


def signature_of(timestamp: str, body: bytes, key: str) -> str:
    """The value of `Demarc-Signature`."""
    return f"v1={hmac.new(key.encode(), timestamp.encode() + b'.' + body, hashlib.sha256).hexdigest()}"
