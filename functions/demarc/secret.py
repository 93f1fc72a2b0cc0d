"""Secrets of AWS Secrets Manager: read on first use and kept for minutes, so that a rotated one is soon in use."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

# What reading a secret calls, and the IAM action the call needs.
CALLS: Mapping[str, str] = {"secretsmanager.GetSecretValue": "secretsmanager:GetSecretValue"}

_KEPT_SECONDS = 300


class BadSecret(RuntimeError):
    """A secret is there and is not what it should be. The message names the secret, never what is in it."""


class Secrets:
    """Secrets by name or ARN. `clock` gives seconds that only ever grow."""

    def __init__(self, client: Any, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._kept: dict[str, tuple[float, str]] = {}

    def text(self, name: str) -> str:
        """What the secret says.

        Raises:
            BadSecret: if it holds no text.
            ClientError: if it may not or cannot be read.
        """
        kept = self._kept.get(name)
        if kept is None or self._clock() - kept[0] > _KEPT_SECONDS:
            text = self._client.get_secret_value(SecretId=name).get("SecretString", "").strip()
            if not text:
                raise BadSecret(f"the secret {name} holds no text")
            kept = self._kept[name] = (self._clock(), text)
        return kept[1]

    def fields(self, name: str) -> Mapping[str, str]:
        """The fields of a secret that is a JSON object of strings.

        Raises:
            BadSecret: if it is anything else.
            ClientError: if it may not or cannot be read.
        """
        try:
            fields = json.loads(self.text(name))
        except ValueError:
            # The decoder's error carries the document, and would carry it into a log.
            raise BadSecret(f"the secret {name} is not JSON") from None
        if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
            raise BadSecret(f"the secret {name} is not a JSON object of strings")
        return fields

    def forget(self, name: str) -> None:
        """Read the secret anew next time: what it said was refused."""
        self._kept.pop(name, None)
