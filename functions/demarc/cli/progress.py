"""What takes a while says so on standard error, where that is a terminal; it is wiped away when it is done."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

_Item = TypeVar("_Item")


def counted_off(items: Sequence[_Item], what: str) -> Iterator[_Item]:
    """The same items, with a bar that says how many of them are done."""
    if not items or not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(items, what, console=Console(stderr=True), transient=True)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """A sign of life while nobody knows how long it takes."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield
