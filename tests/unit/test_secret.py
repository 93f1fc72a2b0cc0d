"""Secrets: read seldom, renewed soon, never quoted."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from demarc.secret import BadSecret, Secrets


@dataclass
class Vault:
    """Secrets Manager with one secret in it, and a clock."""

    text: str = '{"bot_token": "xoxb-1"}'
    now: float = 0.0
    asked: list[str] = field(default_factory=list)

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803  # boto's spelling
        self.asked.append(SecretId)
        return {"SecretString": self.text} if self.text else {"SecretBinary": ""}

    def secrets(self) -> Secrets:
        return Secrets(self, clock=lambda: self.now)


def test_a_secret_is_read_once_and_renewed_after_some_minutes() -> None:
    vault = Vault()
    secrets = vault.secrets()
    secrets.text("slack")
    vault.text, vault.now = "rotated", 299

    assert secrets.text("slack") == '{"bot_token": "xoxb-1"}'
    vault.now = 301
    assert secrets.text("slack") == "rotated"
    assert vault.asked == ["slack", "slack"]


def test_a_secret_that_was_refused_is_read_anew() -> None:
    vault = Vault()
    secrets = vault.secrets()
    secrets.text("slack")
    vault.text = "rotated"

    secrets.forget("slack")
    secrets.forget("never read")

    assert secrets.text("slack") == "rotated"


def test_the_fields_of_a_secret_are_read() -> None:
    assert Vault().secrets().fields("slack") == {"bot_token": "xoxb-1"}


@pytest.mark.parametrize("text", ["", " \n", "xoxb-hunter2", '["hunter2"]', '{"bot_token": 2}', '{"bot_token": null}'])
def test_a_bad_secret_is_named_and_not_quoted(text: str) -> None:
    with pytest.raises(BadSecret, match="the secret slack") as bad:
        Vault(text=text).secrets().fields("slack")

    assert "hunter2" not in str(bad.value)
    assert bad.value.__cause__ is None
    assert bad.value.__suppress_context__ or bad.value.__context__ is None
