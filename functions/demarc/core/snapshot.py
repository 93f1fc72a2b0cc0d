"""A resource's configuration as read at one moment, in the shape of its CloudFormation resource schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from demarc.core.model import Resource

# Keys of a snapshot that are not words of the CloudFormation schema; what is asked of them is asked one level deeper.
OBSERVED = "Observed"
ATTRIBUTION = "Attribution"


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
