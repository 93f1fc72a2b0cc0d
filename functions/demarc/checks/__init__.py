"""Pure: questions that a plain comparison cannot ask, one module per AWS service.

A check takes a snapshot and the parameters of its row and yields what is wrong, as `Drift`s; silence is compliance.
It declares with `@needs` what it asks the snapshot for, so that readers make no call too many. It never handles
missing evidence: asking for it raises, and the evaluation says INSUFFICIENT_DATA.
A control that makes no sense for a resource raises `NotApplicable` with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Protocol, TypeVar, cast

from demarc.core.evaluation import NotApplicable
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot

__all__ = ["Check", "NoSuchCheck", "NotApplicable", "find", "needs", "spoken"]


class Check(Protocol):
    """Yields what is wrong with a snapshot."""

    needs: tuple[str, ...]

    def __call__(self, snapshot: Snapshot, /, **parameters: Any) -> Iterator[Drift]: ...


class NoSuchCheck(LookupError):
    """A row names a check that is not in this package."""


_Function = TypeVar("_Function", bound=Callable[..., Iterator[Drift]])


def needs(*properties: str) -> Callable[[_Function], _Function]:
    """Declare the snapshot properties that a check asks for."""

    def declare(function: _Function) -> _Function:
        function.needs = properties  # type: ignore[attr-defined]  # functions carry attributes; typing has no word for it
        return function

    return declare


def spoken(moment: str) -> str:
    """A moment of a snapshot, in a sentence; values are told as they were read."""
    return f"{datetime.fromisoformat(moment).astimezone(UTC):%d %B %Y, %H:%M} UTC"


def find(name: str) -> Check:
    """The check that a row calls `module.function`.

    Raises:
        NoSuchCheck: if there is none.
    """
    module, _, function = name.partition(".")
    try:
        check = getattr(import_module(f"{__name__}.{module}"), function)
    except (ModuleNotFoundError, AttributeError) as error:
        raise NoSuchCheck(f"there is no check {name!r} in demarc.checks") from error
    if not hasattr(check, "needs"):
        raise NoSuchCheck(f"{name!r} is not a check: it declares no needs")
    return cast(Check, check)
