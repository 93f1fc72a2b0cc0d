"""CloudWatch Logs filter patterns over JSON: whether one matches a record.

The language is that of the Amazon CloudWatch Logs User Guide, "Filter pattern syntax for metric filters": selectors,
comparisons with wildcards, `IS` and `EXISTS`, joined by `&&`, `||` and parentheses. Patterns that say the same in
another order match the same, so that nobody need compare their texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from operator import ge, gt, le, lt
from typing import Any, TypeAlias

Matcher: TypeAlias = Callable[[Mapping[str, Any]], bool]

# A pattern has at most 1,024 characters (PutMetricFilter); nobody who means well nests deeper.
_DEEPEST = 32

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<mark>&&|\|\||[(){}]|!=|<=|>=|=|<|>)
      | "(?P<quoted>[^"]*)"
      | (?P<selector>\$(?:\.[\w@-]+|\.?\["[^"\]]+"\]|\[(?:\d+|\*)\])+)
      | (?P<word>[^\s(){}=!<>&|"%]+)
    )""",
    re.VERBOSE,
)
_STEP = re.compile(r'\.([\w@-]+)|\.?\["([^"\]]+)"\]|\[(\d+|\*)\]')

_ORDERS: Mapping[str, Callable[[float, float], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


class NotUnderstood(ValueError):
    """The pattern is not one over JSON, or says what this does not know (a regular expression, say)."""


def matcher(pattern: str) -> Matcher:
    """What tells whether a pattern matches a record.

    What a record does not have meets no comparison, an unequal one neither.

    Raises:
        NotUnderstood: if the pattern makes no sense here.
    """
    reading = _Reading(list(_tokens(pattern)))
    reading.take("{")
    found = reading.either()
    reading.take("}")
    reading.end()
    return found


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def _tokens(pattern: str) -> Iterator[_Token]:
    at, text = 0, pattern.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise NotUnderstood(f"what stands at character {at + 1} is not known")
        yield _Token(found.lastgroup, found[found.lastgroup])
        at = found.end()


class _Reading:
    """A pattern that is being read, token by token."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def either(self) -> Matcher:
        """`||` joins what `&&` has joined."""
        some = [self._both()]
        while self._next_is("||"):
            some.append(self._both())
        return lambda record: any(each(record) for each in some)

    def _both(self) -> Matcher:
        every = [self._one()]
        while self._next_is("&&"):
            every.append(self._one())
        return lambda record: all(each(record) for each in every)

    def _one(self) -> Matcher:
        if not self._next_is("("):
            return self._comparison()
        self._depth += 1
        if self._depth > _DEEPEST:
            raise NotUnderstood("its parentheses go too deep")
        inner = self.either()
        self.take(")")
        self._depth -= 1
        return inner

    def _comparison(self) -> Matcher:
        steps = _steps(self._token("selector").text)
        told = self._token()
        if told.kind == "mark":
            return _compared(steps, told.text, self._token("quoted", "word"))
        match (told.text.upper(), self._token("word").text.upper()):
            case ("NOT", "EXISTS"):
                return lambda record: not any(True for _ in _reached(record, steps))
            case ("IS", "NULL"):
                return lambda record: any(value is None for value in _reached(record, steps))
            case ("IS", "TRUE"):
                return lambda record: any(value is True for value in _reached(record, steps))
            case ("IS", "FALSE"):
                return lambda record: any(value is False for value in _reached(record, steps))
        raise NotUnderstood(f"nothing is known of {told.text}")

    def take(self, mark: str) -> None:
        if not self._next_is(mark):
            raise NotUnderstood(f"there should be a {mark}")

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise NotUnderstood("something follows its end")

    def _next_is(self, mark: str) -> bool:
        here = self._at < len(self._tokens) and self._tokens[self._at] == _Token("mark", mark)
        self._at += here
        return here

    def _token(self, *kinds: str) -> _Token:
        if self._at >= len(self._tokens):
            raise NotUnderstood("it ends too soon")
        token = self._tokens[self._at]
        if kinds and token.kind not in kinds:
            raise NotUnderstood(f"{token.text} is not expected there")
        self._at += 1
        return token


def _compared(steps: Sequence[str | int], operator: str, wanted: _Token) -> Matcher:
    if operator in ("=", "!="):
        expected = operator == "="
        return lambda record: any(_is_like(value, wanted) is expected for value in _reached(record, steps))
    if operator not in _ORDERS:
        raise NotUnderstood(f"{operator} compares nothing")
    try:
        bound = float(wanted.text)
    except ValueError as error:
        raise NotUnderstood(f"{wanted.text} is no number") from error
    order = _ORDERS[operator]
    return lambda record: any(_is_number(value) and order(value, bound) for value in _reached(record, steps))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_like(value: Any, wanted: _Token) -> bool:
    """Texts may have `*` anywhere; brackets and question marks are letters, which `fnmatch` must be told."""
    if isinstance(value, str):
        return fnmatchcase(value, wanted.text.replace("[", "[[]").replace("?", "[?]"))
    if _is_number(value) and wanted.kind == "word":
        return str(value) == wanted.text
    return False


def _steps(selector: str) -> tuple[str | int, ...]:
    found = _STEP.findall(selector)
    return tuple(name or quoted or (index if index == "*" else int(index)) for name, quoted, index in found)


def _reached(value: Any, steps: Sequence[str | int]) -> Iterator[Any]:
    """Each value that the steps lead to: none where they lead nowhere, many where one is `[*]`."""
    if not steps:
        yield value
        return
    step, rest = steps[0], steps[1:]
    if isinstance(value, Mapping) and step in value:
        yield from _reached(value[step], rest)
    elif isinstance(value, list) and step == "*":
        for each in value:
            yield from _reached(each, rest)
    elif isinstance(value, list) and isinstance(step, int) and step < len(value):
        yield from _reached(value[step], rest)
