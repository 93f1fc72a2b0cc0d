"""How CloudTrail writes JSON: paths into a record, and values that are text of strangers.

The shapes are those of real records: EC2 wraps what its older calls do not, S3 writes XML, lists shrink to one object.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# What CloudTrail writes in place of a value that it keeps to itself.
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"

# They put the API's version behind the names of calls: CreateFunction20150331v2, CreateDistribution2020_05_31.
DATED = ("cloudfront.amazonaws.com", "lambda.amazonaws.com")
_VERSION = re.compile(r"20\d\d_?[01]\d_?[0-3]\d(v\d{1,3})?$")


@dataclass(frozen=True, slots=True)
class Step:
    """One name of a path, its other spelling, and whether every element below it is meant."""

    name: str
    other: str
    every: bool


def compiled(path: str) -> tuple[Step, ...]:
    return tuple(_step(part) for part in path.split("."))


def _step(part: str) -> Step:
    name = part.removesuffix("[]")
    return Step(name, name[:1].swapcase() + name[1:], every=name != part)


def reach(fields: Any, path: tuple[Step, ...]) -> Iterator[Any]:
    """All values at a path; a list on the way, or one object where a list was due, is no obstacle."""
    nodes = [fields]
    for step in path:
        nodes = [value for node in nodes for value in _into(node, step)]
    for node in nodes:
        yield from node if isinstance(node, list) else (node,)


def _into(node: Any, step: Step) -> Iterable[Any]:
    if isinstance(node, list):
        return [value for each in node if isinstance(each, dict) for value in _below(each, step)]
    return _below(node, step) if isinstance(node, dict) else ()


def _below(node: dict[str, Any], step: Step) -> Iterable[Any]:
    if step.name not in node and step.other not in node:
        node = unwrapped(node)
    value = node.get(step.name, node.get(step.other))
    return _elements(value) if step.every else (value,)


def _elements(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        wrapper = next((name for name in ("items", "item", "member") if name in value), None)
        value = value[wrapper] if wrapper else value
    return value if isinstance(value, list) else (value,)


def unwrapped(node: dict[Any, Any]) -> dict[Any, Any]:
    """What is inside `{"ModifySecurityGroupRulesRequest": {...}}`, as EC2 writes calls of newer make."""
    if len(node) != 1:
        return node
    name, inner = next(iter(node.items()))
    wraps = isinstance(name, str) and name.endswith(("Request", "Req", "Response", "Result"))
    return inner if wraps and isinstance(inner, dict) else node


def undated(event_name: str) -> str:
    """The name of a call without the version of the API, which the next version keeps."""
    return _VERSION.sub("", event_name)


def text_of(value: Any) -> str | None:
    """A value as a name: no blanks around it, nothing unprintable in it, nothing that stands for a hidden one.

    EC2's wrapped calls write list elements as `{"content": "i-1", "tag": 1}`.
    """
    if isinstance(value, dict):
        value = value.get("content")
    if not isinstance(value, str):
        return None
    text = value.strip()
    return text if text and text.isprintable() and text != HIDDEN else None


def account_of(value: Any) -> str | None:
    """An account id; not what stands in its place, as `AWS Internal` may. A number has lost its leading zeros."""
    if type(value) is int and 0 < value < 10**12:
        return f"{value:012d}"
    text = text_of(value)
    return text if text and text.isascii() and text.replace("-", "").isdigit() else None


def time_of(value: Any) -> datetime | None:
    """When it happened, in UTC. Records copied out of documents have blanks within."""
    if not isinstance(value, str):
        return None
    for text in (value.strip(), "".join(value.split())):
        try:
            time = datetime.fromisoformat(text)
            return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            continue
    return None


def is_true(value: Any) -> bool:
    """Whether a flag is set; CloudTrail writes some as text."""
    return value is True or value == "true"


def is_false(value: Any) -> bool:
    """Whether a flag says no: one that is missing says nothing."""
    return value is False or value == "false"


def shown(value: Any) -> str:
    """Foreign text, short enough for a log line."""
    return value[:200] if isinstance(value, str) else f"no text but {type(value).__name__}"
