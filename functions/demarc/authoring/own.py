"""Demarc's own parts, in the rows that guard them: named after the stack, and the stack by whoever deploys it.

In what such a row asks of a record, `{stack}` is the stack's name and `{parts}` how the names begin that CloudFormation
makes of it; its guidance knows `{stack}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from demarc.core.model import Control

_NAME = re.compile(r"\{(\w*)\}")
_KNOWN = ("stack", "parts")

# CloudFormation writes <stack>-<logical id>-<random>, and shortens the stack's name where that would be too long. To
# how much is not documented; in names of 64 characters, the shortest that are made here (functions, rules), 25 stay.
_KEPT = 24


def named_after(stack: str, controls: Mapping[str, tuple[Control, ...]]) -> dict[str, tuple[Control, ...]]:
    """The controls of a deployment, by resource type: what they call after the stack has its name."""
    return {type_: tuple(_named_after(stack, control) for control in rows) for type_, rows in controls.items()}


def unknown_names(value: Any) -> Iterator[str]:
    """What is asked of a record by a name in braces that no deployment fills in, so that it would never be so."""
    for text in _texts(value):
        yield from (f"{{{name}}}" for name in _NAME.findall(text) if name not in _KNOWN)


def _named_after(stack: str, control: Control) -> Control:
    if control.occurrence is None:
        return control
    names = {"stack": stack, "parts": f"{stack}-" if len(stack) <= _KEPT else stack[:_KEPT]}
    where = _filled(control.occurrence.where, names)
    guidance = control.guidance.replace("{stack}", stack)
    return replace(control, occurrence=replace(control.occurrence, where=where), guidance=guidance)


def _filled(value: Any, names: Mapping[str, str]) -> Any:
    match value:
        case str():
            return _NAME.sub(lambda found: names[found[1]], value)
        case Mapping():
            return {key: _filled(each, names) for key, each in value.items()}
        case tuple():
            return tuple(_filled(each, names) for each in value)
        case _:
            return value


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for each in value.values():
                yield from _texts(each)
        case tuple():
            for each in value:
                yield from _texts(each)
