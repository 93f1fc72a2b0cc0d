"""Which calls touch which resource types, and where the record of a call names what it touched.

Readers declare touches; they are compiled with the matrix, so that a function knows every call that concerns its types
without having imported their readers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import unquote

from demarc.core.arn import REGION, ArnShape, Named
from demarc.core.cloudtrail import Step, account_of, compiled, reach, text_of, undated
from demarc.core.model import Resource
from demarc.core.wire import from_wire, to_wire

# What a call writes that writes the whole resource.
EVERYTHING = ("*",)


@dataclass(frozen=True, slots=True)
class Touch:
    """API calls that touch a resource type, where they name it, and what they write.

    `at` lists paths into the record, tried in order; the first that yields anything wins. A path is dotted, its names
    are matched whatever the case of their first letter, EC2's `XyzRequest`/`XyzResponse` wrappers are looked through,
    and `[]` means every element, whether CloudTrail wrote a list, `{"items": [...]}`, `{"member": [...]}` or one
    object. The path `account` is the account the record belongs to. Where no path yields anything, the record's own
    `resources[]` of that type are taken: they survive when CloudTrail omits the parameters.
    `only` is a prefix that the identifier must have (tagging calls name resources of many types). An ARN of another
    type yields nothing, so calls that take any ARN need no prefix.
    `region` is the path to the Region of what is touched, for calls that are sent to another one.
    `also` is the path to what the name goes on with, after `joined`: a stage's name after its API's id, the number of
    a layer's version after the layer's name.
    `before` is what such a name begins with, by what the record has at the path `by`: a web ACL's scope.
    `last` says that the name is what follows the last slash of the value (a queue's URL).
    `sets` are the snapshot properties the call writes: what drifted elsewhere is not this call's doing.
    """

    event_source: str
    event_names: tuple[str, ...]
    at: tuple[str, ...]
    sets: tuple[str, ...] = ()
    only: str = ""
    region: str = ""
    last: bool = False
    also: str = ""
    joined: str = "/"
    by: str = ""
    before: Mapping[str, str] = field(default_factory=dict)


class Touchable(Protocol):
    """A resource type as events see it: its touches and the shape of its ARN (see `readers.Reader`)."""

    @property
    def type(self) -> str: ...

    @property
    def arn(self) -> str: ...

    @property
    def touches(self) -> tuple[Touch, ...]: ...


@dataclass(frozen=True, slots=True)
class Pointer:
    """One touch of one type, ready to be followed into a record. An empty path is the record's account."""

    type: str
    shape: ArnShape
    paths: tuple[tuple[Step, ...], ...]
    sets: tuple[str, ...]
    only: str
    region: tuple[Step, ...]
    last: bool
    also: tuple[Step, ...]
    joined: str
    by: tuple[Step, ...]
    before: Mapping[str, str]

    @classmethod
    def of(cls, type_: str, shape: ArnShape, touch: Touch) -> Pointer:
        paths = tuple(() if path == "account" else compiled(path) for path in touch.at)
        region = compiled(touch.region) if touch.region else ()
        also = compiled(touch.also) if touch.also else ()
        by = compiled(touch.by) if touch.by else ()
        return cls(
            type_, shape, paths, touch.sets, touch.only, region, touch.last, also, touch.joined, by, touch.before
        )

    def resources(self, record: Mapping[str, Any], account: str, region: str) -> Iterator[Resource]:
        """What a CloudTrail record names; account and Region are the record's, for names that say neither."""
        region = self._region(record) or region
        for named in self._named(record, account):
            arn = named.arn or self.shape.arn(named.identifier, named.account or account, named.region or region)
            owner = named.account or _owner(record, arn) or account
            if owner != account and not named.arn:
                arn = self.shape.arn(named.identifier, owner, region)
            yield Resource(self.type, named.identifier, owner, named.region or region, arn)

    def _region(self, record: Mapping[str, Any]) -> str | None:
        """The Region that the call itself names, where it does."""
        said = text_of(next(reach(record, self.region), None)) if self.region else None
        return said if said and REGION.fullmatch(said) else None

    def _named(self, record: Mapping[str, Any], account: str) -> Sequence[Named]:
        for path in self.paths:
            values = self._joined(reach(record, path), record) if path else (account,)
            if found := self._accepted(values):
                return found
        return self._accepted(each.get("ARN") for each in _listed(record) if each.get("type") == self.type)

    def _accepted(self, values: Iterable[Any]) -> list[Named]:
        texts = (self._name_in(_name_of(value)) for value in values)
        found = (self.shape.named(text) for text in texts if text)
        return [named for named in found if named and self._fits(named)]

    def _joined(self, values: Iterable[Any], record: Mapping[str, Any]) -> Iterator[Any]:
        """The values as they are, or each with what else the record has of the name; without that there is none."""
        if not self.also:
            yield from values
            return
        rest = next(reach(record, self.also), None)
        rest = str(rest) if type(rest) is int else _name_of(rest)
        before = self._before(record)
        for value in values:
            if rest and before is not None and (first := _name_of(value)):
                yield f"{before}{first}{self.joined}{rest}"

    def _before(self, record: Mapping[str, Any]) -> str | None:
        """What the name begins with; None where the record does not say it, or has something that nobody knows."""
        if not self.by:
            return ""
        return self.before.get(text_of(next(reach(record, self.by), None)) or "")

    def _name_in(self, text: str | None) -> str | None:
        return text.rpartition("/")[2] if text and self.last and not text.startswith("arn:") else text

    def _fits(self, named: Named) -> bool:
        return not self.only or named.identifier.startswith(self.only) or (named.arn or "").startswith(self.only)


class TouchIndex:
    """Which touches answer an (eventSource, eventName): looked up per event in constant time, made ready when first
    asked for.
    """

    def __init__(self, compiled: Mapping[str, Any]) -> None:
        self._compiled = compiled
        self._ready: dict[int, Pointer] = {}

    @classmethod
    def of(cls, types: Iterable[Touchable]) -> TouchIndex:
        """The index of some resource types."""
        return cls(compiled_touches(types))

    def pointers(self, event_source: str, event_name: str) -> tuple[Pointer, ...]:
        """What to look for in the record of a call; nothing for a call that touches no type we know.

        A call in another version of the API is the same call, whichever of them the touch was written for.
        """
        calls = self._compiled["calls"].get(event_source, {})
        return tuple(self._pointer(number) for number in calls.get(undated(event_name), ()))

    def _pointer(self, number: int) -> Pointer:
        if number not in self._ready:
            type_, touch = self._compiled["touches"][number]
            shape = ArnShape.of(self._compiled["arns"][type_])
            self._ready[number] = Pointer.of(type_, shape, from_wire(Touch, touch))
        return self._ready[number]


def compiled_touches(types: Iterable[Touchable]) -> dict[str, Any]:
    """The touches of some resource types as JSON-able data: what a `TouchIndex` is made of.

    `touches` are all of them, each with its type; `calls` says by source and name which of them a call is, by number.
    """
    arns: dict[str, str] = {}
    touches: list[tuple[str, Any]] = []
    calls: dict[str, dict[str, list[int]]] = {}
    for touchable in types:
        arns[touchable.type] = touchable.arn
        for touch in touchable.touches:
            for name in dict.fromkeys(map(undated, touch.event_names)):
                calls.setdefault(touch.event_source, {}).setdefault(name, []).append(len(touches))
            touches.append((touchable.type, to_wire(touch)))
    return {"arns": arns, "calls": calls, "touches": touches}


def _name_of(value: Any) -> str | None:
    """A value as a name. What a service takes in the address of a call, it may record as it stood there: MSK and EKS
    have `arn%3Aaws%3A...` (Amazon MSK Developer Guide, "Log API calls with AWS CloudTrail").
    """
    text = text_of(value)
    return text_of(unquote(text)) if text and text.lower().startswith("arn%3a") else text


def _owner(record: Mapping[str, Any], arn: str) -> str | None:
    """The account that CloudTrail says a resource belongs to: not the caller's, where a policy lets others in."""
    return next((account_of(each.get("accountId")) for each in _listed(record) if each.get("ARN") == arn), None)


def _listed(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    listed = record.get("resources")
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
