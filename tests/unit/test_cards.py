"""What Microsoft Teams and Amazon Q show: within their sizes, and foreign text only where it is read as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from demarc.core.chat.adaptive_card import SIZE, card_of, digest_card_of, size_of
from demarc.core.chat.custom_notification import DESCRIPTION_LENGTH, notification_of
from demarc.core.digest import DigestKind, digest_of
from demarc.core.model import Finding
from tests.factories import NOON, a_finding
from tests.organizations import organization
from tests.simulation.slack import problems
from tests.unit.test_block_kit import findings

HERE = organization()


def elements(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "type" in node:
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from elements(each)


@given(st.lists(findings(), min_size=1, max_size=14), st.text(max_size=900))
@settings(max_examples=40, deadline=None)
def test_a_card_fits_and_has_foreign_text_only_in_text_runs(told: list[Finding], note: str) -> None:
    message = card_of(told, HERE, note=note)

    kinds = {each["type"] for each in elements(message)}
    assert size_of(message) <= SIZE
    assert kinds <= {"message", "AdaptiveCard", "RichTextBlock", "TextRun", "ActionSet", "Action.OpenUrl"}
    assert all(each["text"].isprintable() for each in elements(message) if each["type"] == "TextRun")


def test_a_card_says_what_a_message_says() -> None:
    card = json.dumps(card_of([a_finding()], HERE), ensure_ascii=False)

    for fact in ("Broken: Buckets are private", "Jonas Weber", "no public grant", "aws s3api delete-bucket-policy"):
        assert fact in card


def test_a_large_digest_is_cut_to_fit_a_card() -> None:
    many = [a_finding(id=f"f{number}", title="t" * 200) for number in range(300)]
    digest = digest_of(many, kind=DigestKind.WEEKLY, team="payments", organization=HERE, since=NOON, now=NOON)

    assert size_of(digest_card_of(digest)) <= SIZE


@given(st.lists(findings(), min_size=1, max_size=14), st.text(max_size=900))
@settings(max_examples=40, deadline=None)
def test_a_notification_is_short_and_foreign_text_in_it_is_no_markup(told: list[Finding], note: str) -> None:
    notification = notification_of(told, HERE, thread="t", note=note)

    content = notification["content"]
    assert len(content["description"]) <= DESCRIPTION_LENGTH
    assert "](" not in "".join(part for part in content["description"].split("`")[::2])
    for text in (content["description"], content["title"], *content["nextSteps"]):
        assert list(problems(text, [])) == []
