"""Filter patterns say what they say, however they are written."""

from __future__ import annotations

from typing import Any

import pytest

from demarc.core.filter_pattern import NotUnderstood, matcher

ROOT = {"userIdentity": {"type": "Root"}, "eventName": "CreateUser", "eventType": "AwsApiCall"}
LIST = {"resources": [{"id": 1}, {"id": 2}], "size": 5, "ok": True, "none": None, "a b": "c"}


@pytest.mark.parametrize(
    ("pattern", "record", "found"),
    [
        ('{ $.userIdentity.type = "Root" && $.eventType != "AwsServiceEvent" }', ROOT, True),
        ("{($.eventType!=AwsServiceEvent)&&($.userIdentity.type=Root)}", ROOT, True),
        ("{ $.userIdentity.invokedBy NOT EXISTS }", ROOT, True),
        ("{ $.userIdentity.type NOT EXISTS }", ROOT, False),
        # `&&` binds more tightly than `||`.
        ("{ $.eventName = CreateUser || $.eventName = X && $.eventName = Y }", ROOT, True),
        ("{ ($.eventName = CreateUser || $.eventName = X) && $.eventName = Y }", ROOT, False),
        ('{ $.eventName = "Create*" }', ROOT, True),
        ("{ $.eventName = *User }", ROOT, True),
        ("{ $.eventName = Create?ser }", ROOT, False),
        ("{ $.eventName = [C]reateUser }", ROOT, False),
        ("{ $.eventName = createuser }", ROOT, False),
        # What is not there is not unequal either.
        ("{ $.errorCode != x }", ROOT, False),
        ("{ $.size >= 5 && $.size < 6 }", LIST, True),
        ("{ $.size = 5 }", LIST, True),
        ("{ $.ok > 0 }", LIST, False),
        ("{ $.ok IS TRUE && $.none IS NULL }", LIST, True),
        ("{ $.ok IS FALSE }", LIST, False),
        ("{ $.resources[1].id = 2 }", LIST, True),
        ("{ $.resources[*].id = 1 }", LIST, True),
        ("{ $.resources[7].id = 1 }", LIST, False),
        ('{ $.["a b"] = c }', LIST, True),
    ],
)
def test_a_pattern_matches_what_it_says(pattern: str, record: dict[str, Any], found: bool) -> None:
    assert matcher(pattern)(record) is found


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "Root",
        '[ip, user, "Root"]',
        "{ $.a = b",
        "{ $.a = b } more",
        "{ $.a }",
        "{ $.a IS ODD }",
        "{ $.a < b }",
        "{ $.a && b }",
        "{ $.a = %Cre.*% }",
        "{ " + "(" * 500 + "$.a = b" + ")" * 500 + " }",
    ],
)
def test_what_makes_no_sense_is_said_to_make_none(pattern: str) -> None:
    with pytest.raises(NotUnderstood):
        matcher(pattern)
