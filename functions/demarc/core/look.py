"""A request to look at resources again, as it travels in a responder's queue beside the changes.

It names resources and nothing else: what it is about them is read from AWS. So whoever forges one wastes a few reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demarc.core.model import Occasion, Resource
from demarc.core.wire import WireError, from_wire, to_wire

SCHEMA = "demarc.look/1"


@dataclass(frozen=True, slots=True)
class Look:
    """Resources of one responder to look at.

    `sweep` and `part` name the piece of a sweep that this is, if it is one; `baseline` says that what is found is told
    in one digest and not one by one. `attempt` counts how often AWS asked to slow down.
    """

    resources: tuple[Resource, ...]
    occasion: Occasion
    sweep: str | None = None
    part: str | None = None
    baseline: bool = False
    attempt: int = 0


def message_of(look: Look) -> dict[str, Any]:
    """The message body of a look."""
    return {"schema": SCHEMA, **to_wire(look)}


def is_look(message: Any) -> bool:
    return isinstance(message, Mapping) and message.get("schema") == SCHEMA


def look_of(message: Mapping[str, Any]) -> Look:
    """The look in a message.

    Raises:
        WireError: naming the path, if it is none.
    """
    if not is_look(message):
        raise WireError(f"not a {SCHEMA}")
    return from_wire(Look, {name: value for name, value in message.items() if name != "schema"})
