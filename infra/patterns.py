"""Readers' touches, and calls that must not happen -> EventBridge patterns.

One rule per AWS service and responder, or more where one is too long. Services of which no type is read share as few
rules as will hold what is minded of them: a queue's policy names every rule that leads to it, and has an end. And one
rule for each control that minds only some calls of those that a service has, or any call of somebody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demarc.core.cloudtrail import DATED, undated
from demarc.core.model import Control, Occurrence
from demarc.readers import Reader

# EventBridge's default quota for the length of a pattern.
LONGEST = 2048

# Changes arrive as these; insights change no configuration, nor do sign-ins.
DETAIL_TYPES = (
    "AWS API Call via CloudTrail",
    "AWS Console Action via CloudTrail",
    "AWS Service Event via CloudTrail",
)
# As it is delivered (EventBridge's own page on it prints "Signin").
SIGN_IN = "AWS Console Sign In via CloudTrail"
_SIGN_INS = "signin.amazonaws.com"

# Sections of a record that CloudTrail writes and every service alike; what stands in the others is spelled by each
# service in its own way, which the function reads with more patience than a pattern has.
_ALIKE = ("userIdentity.", "additionalEventData.")


@dataclass(frozen=True, slots=True)
class Rule:
    """One EventBridge rule: `name` says the service it listens to, or the control that minds what it brings."""

    name: str
    pattern: dict[str, Any]
    about: str = ""

    @property
    def text(self) -> str:
        return json.dumps(self.pattern, separators=(",", ":"))


def rules_for(readers: Iterable[Reader], controls: Iterable[Control] = ()) -> list[Rule]:
    """The rules that bring some readers every event that touches their types and every call that some controls mind."""
    names: dict[str, set[str]] = {}
    for reader in readers:
        for touch in reader.touches:
            names.setdefault(touch.event_source, set()).update(map(undated, touch.event_names))
    read = frozenset(names)
    narrow: list[tuple[str, Occurrence]] = []
    for control in controls:
        occurrence = control.occurrence
        if occurrence is None:
            continue
        known = names.get(occurrence.source, set())
        if _told_apart(occurrence) and not known.issuperset(map(undated, occurrence.calls or "?")):
            narrow.append((control.id, occurrence))
        else:
            names.setdefault(occurrence.source, set()).update(map(undated, occurrence.calls))
    rules = [rule for source in sorted(read) for rule in _rules_of(source, sorted(names[source]))]
    rules += _shared({source: sorted(names[source]) for source in sorted(names) if source not in read})
    return rules + [Rule(name, _pattern_of(each), about=f"What {name} minds") for name, each in narrow]


def _told_apart(occurrence: Occurrence) -> dict[str, Any]:
    """What a pattern can ask of the record, as EventBridge says it; by path."""
    asked = {path: wanted for path, wanted in occurrence.where.items() if path.startswith(_ALIKE)}
    if occurrence.source == _SIGN_INS:
        # Else its rule would bring what is no API call.
        asked = dict(occurrence.where)
    return {path: _matching(wanted) for path, wanted in asked.items()}


def _matching(wanted: Any) -> list[Any]:
    if not isinstance(wanted, Mapping):
        return [wanted]
    ((operator, operand),) = wanted.items()
    match operator:
        case "one_of":
            return list(operand)
        case "none_of":
            return [{"anything-but": list(operand)}, {"exists": False}]
        case "like":
            return [{"wildcard": pattern} for pattern in operand]
        case "present" | "absent":
            return [{"exists": (operator == "present") is operand}]
        case _:
            raise ValueError(f"no pattern says {operator}")


def _pattern_of(occurrence: Occurrence) -> dict[str, Any]:
    """Calls of which only some are minded; sign-ins arrive under a label of their own."""
    pattern = _pattern(occurrence.source, occurrence.calls)
    detail = pattern["detail"]
    if not occurrence.calls:
        del detail["eventSource"], detail["eventName"]
    if occurrence.source == _SIGN_INS or not occurrence.calls:
        pattern["detail-type"] = [*DETAIL_TYPES, SIGN_IN]
    for path, wanted in _told_apart(occurrence).items():
        *sections, last = path.split(".")
        inner = detail
        for section in sections:
            inner = inner.setdefault(section, {})
        inner[last] = wanted
    return pattern


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


def _shared(names: Mapping[str, Sequence[str]]) -> Iterator[Rule]:
    """Rules for several services each, filled up in their order."""
    ways: list[dict[str, Any]] = []
    number = 1
    for way in (_way(source, few) for source, few in names.items()):
        if ways and len(_among(number, [*ways, way]).text) > LONGEST:
            yield _among(number, ways)
            ways, number = [], number + 1
        ways.append(way)
    if ways:
        yield _among(number, ways)


def _among(number: int, ways: Sequence[Mapping[str, Any]]) -> Rule:
    return Rule(f"minded{number}", _changing({"$or": list(ways)}), about="What must not happen in services not read")


def _pattern(source: str, names: Sequence[str]) -> dict[str, Any]:
    return _changing(_way(source, names))


def _way(source: str, names: Sequence[str]) -> dict[str, Any]:
    return {"eventSource": [source], "eventName": _in_any_version(source, names)}


def _changing(calls: Mapping[str, Any]) -> dict[str, Any]:
    """Some calls, where they succeeded and changed something.

    Whoever may put events on the bus can make up any detail, but not a `source` that starts with `aws.`.
    A call that failed carries `errorCode`; `readOnly` is missing from some records that change something.
    """
    return {
        "source": [{"prefix": "aws."}],
        "detail-type": list(DETAIL_TYPES),
        "detail": {**calls, "errorCode": [{"exists": False}], "readOnly": [False, {"exists": False}]},
    }


def _in_any_version(source: str, names: Sequence[str]) -> list[Any]:
    """Calls by their names; of a service that dates some of them, each also in whatever version comes next.

    The century goes with the prefix: CreateFunction is the start of CreateFunctionUrlConfig, which is another call.
    """
    if source not in DATED:
        return list(names)
    plain = dict.fromkeys(map(undated, names))
    return [*plain, *({"prefix": f"{name}20"} for name in plain)]
