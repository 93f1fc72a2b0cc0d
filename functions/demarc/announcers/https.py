"""HTTPS to whoever is not AWS: certificates checked, no redirects followed, bounded times and answers.

botocore's certificate file is cut to the authorities that sign for AWS. Slack is signed for by DigiCert and Let's
Encrypt, Microsoft by others, a webhook by whomever its owner chose, and all of them change; so the authorities here are
the system's, which Lambda's image keeps current.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as TimedOut

from demarc.announcers.chat import Throttled, Unreachable

_CONNECT_SECONDS, _READ_SECONDS = 3.0, 10.0
_LARGEST_ANSWER = 256 * 1024
# What a server may ask for at most; SQS holds a message back for 12 hours at most.
_LONGEST_WAIT = 6 * 3600.0
_DEFAULT_WAIT = 30.0

# It would log addresses, and the address of a webhook is its password.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class BadAddress(ValueError):
    """An address that nothing is sent to. The message does not hold it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Web:
    """Sends requests, each on a connection of its own. `insecure` allows plain HTTP, for a server on this machine."""

    def __init__(self, *, insecure: bool = False) -> None:
        self._schemes = ("https", "http") if insecure else ("https",)

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float = _READ_SECONDS) -> Answer:
        """Send once.

        Raises:
            BadAddress: if the address is not one of HTTPS.
            Throttled: if the answer is 429, with the seconds that it asks for.
            Unreachable: if there is no answer within the time, or it is 5xx, or too long.
        """
        self._check(url)
        try:
            return self._post(url, body, headers, seconds)
        except TimedOut:
            raise Unreachable("no answer in time") from None
        except (HTTPError, OSError) as error:
            # Its text and its cause hold the address.
            raise Unreachable(f"no connection: {type(error).__name__}") from None

    def _check(self, url: str) -> None:
        try:
            address = urlsplit(url)
        except ValueError:
            raise BadAddress("not an address") from None
        if address.scheme not in self._schemes or not address.hostname or address.username is not None:
            raise BadAddress("not an address of HTTPS")
        if not url.isascii() or not url.isprintable() or " " in url:
            raise BadAddress("an address with characters that do not belong in one")

    def _post(self, url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
        answer = self._pool.request(
            "POST",
            url,
            body=body,
            headers={"User-Agent": "demarc", **headers},
            redirect=False,
            retries=False,
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=seconds),
            preload_content=False,
        )
        try:
            said = answer.read(_LARGEST_ANSWER + 1, decode_content=True)
            fits = len(said) <= _LARGEST_ANSWER
        finally:
            # Kept open, it would be found dead after the function has slept, when a message is on its way already.
            answer.close()
        known = {name.lower(): value for name, value in answer.headers.items()}
        if answer.status == 429:
            raise Throttled(waiting_time(known.get("retry-after")))
        if answer.status >= 500 or not fits:
            raise Unreachable(f"HTTP {answer.status}" if fits else "the answer is too long")
        return Answer(answer.status, known, said)

    @cached_property
    def _pool(self) -> urllib3.PoolManager:
        return urllib3.PoolManager(num_pools=8, ssl_context=ssl.create_default_context())


def waiting_time(said: str | None) -> float:
    """The seconds of a Retry-After header; half a minute where it says none (or a date, which nobody here sends)."""
    if said is None or not (said.isascii() and said.isdigit() and len(said) < 10):
        return _DEFAULT_WAIT
    return min(float(said), _LONGEST_WAIT)
