"""The few comparisons a row may make by itself: a path of the snapshot and what it must be.

`require` maps a path to a plain value (equality) or to a mapping of operators: `one_of`, `none_of`, `at_least`,
`at_most`, `present`, `absent`. `Path[]` asks it of every element of a list. An eighth operator is a check instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot


def _is_empty(actual: Any) -> bool:
    return actual is None or actual in ("", [], {})


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "one_of": lambda actual, allowed: actual in allowed,
    "none_of": lambda actual, refused: actual not in refused,
    "at_least": lambda actual, floor: _is_number(actual) and actual >= floor,
    "at_most": lambda actual, ceiling: _is_number(actual) and actual <= ceiling,
    "present": lambda actual, wanted: _is_empty(actual) is not wanted,
    "absent": lambda actual, wanted: _is_empty(actual) is wanted,
}


def unmet(expectations: Mapping[str, Any], snapshot: Snapshot) -> Iterator[Drift]:
    """Each path that is not as required.

    Raises:
        Unread: if what a path asks for could not be read.
    """
    for path, required in expectations.items():
        for at, actual in _values(path, snapshot):
            if not meets(required, actual):
                yield Drift(path=at, required=required, actual=actual)


def meets(required: Any, actual: Any) -> bool:
    """Whether one value is as required; JSON's true is not 1."""
    if isinstance(required, Mapping):
        return all(OPERATORS[operator](actual, operand) for operator, operand in required.items())
    return type(actual) is type(required) and bool(actual == required)


def _values(path: str, snapshot: Snapshot) -> Iterator[tuple[str, Any]]:
    """Every value that a path names, with `[]` spelled out as the index."""
    head, bracket, tail = path.partition("[]")
    value = snapshot[head]
    if not bracket:
        yield head, value
        return
    for index, element in enumerate(value or ()):
        yield from _within(f"{head}[{index}]", element, tail.removeprefix("."))


def _within(at: str, value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if not path:
        yield at, value
        return
    head, bracket, tail = path.partition("[]")
    for name in head.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if not bracket:
        yield f"{at}.{head}", value
        return
    for index, element in enumerate(value or ()):
        yield from _within(f"{at}.{head}[{index}]", element, tail.removeprefix("."))
