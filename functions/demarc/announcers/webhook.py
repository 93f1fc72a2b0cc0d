"""Findings to anybody's HTTPS endpoint, as JSON that is signed.

The secret is a JSON object with `url` and `signing_secret`. A request carries, beside the body:

    Demarc-Timestamp   seconds since 1970, as decimal digits
    Demarc-Signature   v1=<hex of HMAC-SHA256 over "<timestamp>.<body>" with the signing secret>

The receiver compares the signature in constant time and refuses timestamps older than five minutes.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from demarc.announcers.chat import Secrets
from demarc.announcers.https import BadAddress, Web
from demarc.announcers.one_way import OneWay, packed, refuse_unless_taken
from demarc.core.announcement import announcement_of
from demarc.core.digest import Digest, announcement_of_digest
from demarc.core.model import Finding


class Webhook(OneWay):
    """Posts the body of the announcement; a receiver keeps the highest revision of each finding."""

    most = 100

    def __init__(self, web: Web, secrets: Secrets, *, clock: Callable[[], datetime]) -> None:
        super().__init__(secrets)
        self._web = web
        self._clock = clock

    def message_of(self, findings: Sequence[Finding], note: str) -> Mapping[str, Any]:
        return {**announcement_of(findings).body, **({"note": note} if note else {})}

    def digest_message_of(self, digest: Digest) -> Mapping[str, Any]:
        return announcement_of_digest(digest).body

    def send(self, name: str, message: Mapping[str, Any]) -> None:
        body = packed(message)
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
        refuse_unless_taken(self._web.post(url, body, headers))


def signature_of(timestamp: str, body: bytes, key: str) -> str:
    """The value of `Demarc-Signature`."""
    return f"v1={hmac.new(key.encode(), timestamp.encode() + b'.' + body, hashlib.sha256).hexdigest()}"
