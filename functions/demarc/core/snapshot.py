"""A resource's configuration as read at one moment, in the shape of its CloudFormation resource schema."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from demarc.core.model import Resource

# Keys of a snapshot that are not words of the CloudFormation schema; what is asked of them is asked one level deeper.
OBSERVED = "Observed"
ATTRIBUTION = "Attribution"


# What a path leads to that names nothing which can be compared.
NOWHERE = object()

# Properties of CloudFormation schemas that hold secrets or may; what was in them is nobody's business later.
SENSITIVE = frozenset(
    {
        *("AuthToken", "ConnectionProperties", "EnvironmentVariables", "MasterUserPassword", "Password"),
        *("SecretString", "UserData", "Variables"),
    }
)

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


class Unread(Exception):
    """Evidence was asked for that nobody could read. Never caught by a check: `evaluate` turns it into no verdict."""

    def __init__(self, prop: str, why: str) -> None:
        super().__init__(f"{prop} could not be read: {why}")
        self.prop = prop
        self.why = why


def property_of(path: str) -> str:
    """The part of a path that is read as a whole: `Tags` of `Tags[].Key`, `Observed.Policy` of `Observed.Policy.Id`."""
    first, _, rest = path.partition(".")
    if first in (OBSERVED, ATTRIBUTION):
        second = rest.partition(".")[0]
        return f"{first}.{second.partition('[')[0]}"
    return first.partition("[")[0]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What AWS answered. Ask with `[]`: the value, or None where AWS says that nothing is configured.

    `read` names the properties that were looked at, `unread` those that could not be, each with the reason.
    Asking for anything else raises `Unread` too: what was not read is not absent.
    """

    resource: Resource
    observed_at: datetime
    properties: Mapping[str, Any]
    read: frozenset[str]
    unread: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, path: str) -> Any:
        """The value at a dotted path below a property, None where it is not configured.

        Raises:
            Unread: if the property could not be read, or was never asked for.
        """
        prop = property_of(path)
        if prop in self.unread:
            raise Unread(prop, self.unread[prop])
        if prop not in self.read:
            raise Unread(prop, "it was not asked for")
        value: Any = self.properties
        for name in path.split("."):
            if not isinstance(value, Mapping):
                return None
            value = value.get(name)
        return value

    @property
    def tags(self) -> Mapping[str, str]:
        """The resource's tags by key.

        Raises:
            Unread: if the tags could not be read.
        """
        return {tag["Key"]: tag["Value"] for tag in self["Tags"] or ()}

    def counterpart(self, path: str, later: Snapshot) -> Any:
        """What was here for what a later snapshot has at a path, `NOWHERE` where that cannot be said.

        A place in a list says nothing, since entries come and go before it. So it is asked whether the same entry was
        here: if it was, the value is what the later one has; if not, there was none.
        """
        prop = property_of(path)
        if prop not in self.read or prop in self.unread:
            return NOWHERE
        steps = [int(index) if index else name for name, index in _STEP.findall(path)]
        entry = next((at for at, step in enumerate(steps) if isinstance(step, int)), None)
        if entry is None:
            return _reached(self.properties, steps)
        now = _reached(later.properties, steps[: entry + 1])
        if now is NOWHERE:
            return NOWHERE
        entries = _reached(self.properties, steps[:entry])
        if entries is None or (isinstance(entries, Sequence) and not isinstance(entries, str)):
            return _reached(later.properties, steps) if now in (entries or ()) else None
        return NOWHERE

    def with_property(self, path: str, value: Any) -> Snapshot:
        """The same snapshot with one more thing known about it; `path` is `Observed.X` or `Attribution.X`."""
        first, _, second = path.partition(".")
        inner = {**(self.properties.get(first) or {}), second: value}
        return Snapshot(
            resource=self.resource,
            observed_at=self.observed_at,
            properties={**self.properties, first: inner},
            read=self.read | {path},
            unread={prop: why for prop, why in self.unread.items() if prop != path},
        )


def kept(snapshot: Snapshot) -> Snapshot:
    """The snapshot as it may be stored: the values of sensitive properties are not there, and said to be unread."""
    found = {name for prop in snapshot.properties for name in _names(snapshot.properties[prop]) | {prop}} & SENSITIVE
    if not found:
        return snapshot
    properties = {name: _bare(value) for name, value in snapshot.properties.items() if name not in SENSITIVE}
    withheld = {prop for prop in snapshot.read if prop.rpartition(".")[2] in SENSITIVE}
    return Snapshot(
        resource=snapshot.resource,
        observed_at=snapshot.observed_at,
        properties=properties,
        read=snapshot.read - withheld,
        unread={**snapshot.unread, **dict.fromkeys(withheld, "it may hold a secret, and is not kept")},
    )


def _names(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        return set(value) | {name for each in value.values() for name in _names(each)}
    if isinstance(value, list | tuple):
        return {name for each in value for name in _names(each)}
    return set()


def _bare(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _bare(each) for name, each in value.items() if name not in SENSITIVE}
    if isinstance(value, list | tuple):
        return [_bare(each) for each in value]
    return value


def _reached(value: Any, steps: Sequence[str | int]) -> Any:
    """What the steps lead to: None where a name is not set, `NOWHERE` where there is nothing to step into."""
    for step in steps:
        if value is None:
            return None
        if isinstance(step, str) and isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, Sequence) and not isinstance(value, str) and step < len(value):
            value = value[step]
        else:
            return NOWHERE
    return value
