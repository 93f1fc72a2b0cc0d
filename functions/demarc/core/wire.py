"""Values <-> JSON-able data, by their annotations.

A library would do (pydantic, cattrs), but this runs in the cold start of every function, where pydantic alone costs 75
to 105 ms; and the values it must know are the dozen frozen dataclasses of this package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

_T = TypeVar("_T")
_Decode = Callable[[Any, str], Any]
_JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


class WireError(ValueError):
    """Data that is not the value it should be; the message names the path."""


def to_wire(value: Any) -> Any:
    """The value as JSON-able data: dataclasses and mappings as objects, tuples as lists, times as ISO 8601 in UTC."""
    if type(value) in _JSON_TYPES:
        return value
    if is_dataclass(value):
        return {each.name: to_wire(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {to_wire(key): to_wire(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [to_wire(each) for each in value]
    return value


def from_wire(kind: type[_T], data: Any) -> _T:
    """The value that `to_wire` wrote.

    Raises:
        WireError: naming the path, if the data is not such a value.
    """
    anything: Any = kind
    return cast(_T, _decoder(anything)(data, kind.__name__))


@cache
def _decoder(kind: Any) -> _Decode:
    if kind is Any:
        return lambda data, _: data
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _optional(arguments)
    if origin is tuple:
        return _sequence(_decoder(arguments[0]))
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(_decoder(arguments[0]), _decoder(arguments[1]))
    if is_dataclass(kind):
        return _record(cast("type", kind))
    if issubclass(kind, Enum) or kind is datetime:
        return _parsed(datetime.fromisoformat if kind is datetime else kind)
    return _plain(kind)


def _plain(kind: type) -> _Decode:
    def decode(data: Any, at: str) -> Any:
        if type(data) is not kind:
            raise WireError(f"{at}: expected {kind.__name__}, got {data!r:.60}")
        return data

    return decode


def _parsed(parse: Callable[[str], Any]) -> _Decode:
    def decode(data: Any, at: str) -> Any:
        try:
            return parse(data)
        except (TypeError, ValueError) as error:
            raise WireError(f"{at}: {error}") from error

    return decode


def _optional(kinds: tuple[Any, ...]) -> _Decode:
    (kind,) = (each for each in kinds if each is not NoneType)
    inner = _decoder(kind)
    return lambda data, at: None if data is None else inner(data, at)


def _sequence(element: _Decode) -> _Decode:
    def decode(data: Any, at: str) -> Any:
        if not isinstance(data, list):
            raise WireError(f"{at}: expected a list, got {data!r:.60}")
        return tuple(element(each, at) for each in data)

    return decode


def _mapping(key: _Decode, value: _Decode) -> _Decode:
    def decode(data: Any, at: str) -> Any:
        if not isinstance(data, Mapping):
            raise WireError(f"{at}: expected an object, got {data!r:.60}")
        return {key(name, at): value(each, f"{at}.{name}") for name, each in data.items()}

    return decode


def _record(kind: type) -> _Decode:
    hints = get_type_hints(kind)
    decoders = {each.name: _decoder(hints[each.name]) for each in fields(kind)}
    required = {each.name for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING}

    def decode(data: Any, at: str) -> Any:
        if not isinstance(data, Mapping):
            raise WireError(f"{at}: expected an object, got {data!r:.60}")
        if wrong := data.keys() - decoders.keys() or required - data.keys():
            raise WireError(f"{at}: unknown or missing {', '.join(sorted(map(str, wrong)))}")
        return kind(**{name: decoders[name](each, f"{at}.{name}") for name, each in data.items()})

    return decode


def json_schema(kind: Any) -> dict[str, Any]:
    """The JSON schema of what `to_wire` writes for a type. Nothing beyond what is described may be there."""
    if kind is Any:
        return {}
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return {"anyOf": [json_schema(each) for each in arguments]}
    if origin is tuple:
        return {"type": "array", "items": json_schema(arguments[0])}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": json_schema(arguments[1])}
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        names = [each.name for each in fields(kind)]
        properties = {name: json_schema(hints[name]) for name in names}
        return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}
    if kind is datetime:
        return {"type": "string", "format": "date-time"}
    if issubclass(kind, Enum):
        return {"enum": [each.value for each in kind]}
    return {"type": _JSON_TYPES[kind]}
