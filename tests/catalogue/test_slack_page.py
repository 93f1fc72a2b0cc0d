"""docs/slack.md says what there is: every button, every reason, and a manifest that Slack would take."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from demarc.core.chat.slack_request import Button, Reason

PAGE = (Path(__file__).parent.parent.parent / "docs" / "slack.md").read_text()


def first_column(heading: str) -> list[str]:
    """What the table under a row of headings speaks of."""
    _, _, table = PAGE.partition(f"{heading}\n")
    rows = table.partition("\n\n")[0].splitlines()[1:]
    return [row.split("|")[1].strip() for row in rows]


def test_every_button_is_explained() -> None:
    explained = {
        name.partition(" ")[0].lower().replace("re-check", "recheck")
        for name in first_column("| button | does | who |")
    }

    assert explained == set(Button)


def test_every_reason_is_explained() -> None:
    rows = first_column("| reason | means | what to do |")

    assert sorted(reason for row in rows for reason in re.findall(r"`([a-z-]+)`", row)) == sorted(Reason)


def test_the_manifest_asks_for_what_is_explained_and_nothing_else() -> None:
    (shown,) = re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)
    manifest = yaml.safe_load(shown)

    scopes = set(manifest["oauth_config"]["scopes"]["bot"])
    assert scopes == {"chat:write", "users:read", "users:read.email"}
    assert all(f"`{scope}`" in PAGE for scope in scopes)
    assert manifest["settings"]["interactivity"]["is_enabled"] is True
