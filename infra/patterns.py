"""Readers' touches -> EventBridge patterns: one rule per AWS service and responder, or more where one is too long."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from demarc.readers import Reader

# EventBridge's default quota for the length of a pattern.
LONGEST = 2048

# Changes arrive as these; sign-ins and insights change no configuration.
DETAIL_TYPES = (
    "AWS API Call via CloudTrail",
    "AWS Console Action via CloudTrail",
    "AWS Service Event via CloudTrail",
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One EventBridge rule: `name` says the service it listens to."""

    name: str
    pattern: dict[str, Any]

    @property
    def text(self) -> str:
        return json.dumps(self.pattern, separators=(",", ":"))


def rules_for(readers: Iterable[Reader]) -> list[Rule]:
    """The rules that bring some readers every event that touches their types, and no other."""
    names: dict[str, set[str]] = {}
    for reader in readers:
        for touch in reader.touches:
            names.setdefault(touch.event_source, set()).update(touch.event_names)
    return [rule for source in sorted(names) for rule in _rules_of(source, sorted(names[source]))]


def _rules_of(source: str, names: Sequence[str]) -> Iterator[Rule]:
    service = source.partition(".")[0]
    pattern = _pattern(source, names)
    if len(names) == 1 or len(json.dumps(pattern, separators=(",", ":"))) <= LONGEST:
        yield Rule(service, pattern)
        return
    half = len(names) // 2
    for part, few in enumerate((names[:half], names[half:]), start=1):
        for rule in _rules_of(source, few):
            yield Rule(f"{rule.name}{part}", rule.pattern)


def _pattern(source: str, names: Sequence[str]) -> dict[str, Any]:
    """Successful, mutating calls of one service.

    Whoever may put events on the bus can make up any detail, but not a `source` that starts with `aws.`.
    A call that failed carries `errorCode`; `readOnly` is missing from some records that change something.
    """
    return {
        "source": [{"prefix": "aws."}],
        "detail-type": list(DETAIL_TYPES),
        "detail": {
            "eventSource": [source],
            "eventName": list(names),
            "errorCode": [{"exists": False}],
            "readOnly": [False, {"exists": False}],
        },
    }
