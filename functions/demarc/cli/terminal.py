"""All that is printed. Text from events and resources is untrusted: it reaches a terminal without control characters.

Without a terminal, or with NO_COLOR, the output is plain text: no styles, and not wrapped, so that it can be searched.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from demarc.core.announcement import clean
from demarc.core.wire import to_wire

if TYPE_CHECKING:
    from rich.console import Console

Row = Sequence[str]

# A cell's colour where its text is one of these words; other text has none.
_STYLES = {
    "COMPLIANT": "green",
    "NON_COMPLIANT": "bold red",
    "INSUFFICIENT_DATA": "bold yellow",
    "NOT_APPLICABLE": "dim",
    "OPEN": "bold red",
    "ACKNOWLEDGED": "bold yellow",
    "ACCEPTED": "yellow",
    "RESOLVED": "green",
    "GONE": "dim",
    "critical": "bold red",
    "high": "red",
    "medium": "yellow",
    "overdue": "bold red",
    "change": "bold green",
    "malformed": "bold red",
    "refused": "yellow",
    "unmapped": "yellow",
}
_LABEL = 8
_MARGIN = " " * (2 + _LABEL)
_UNWRAPPED = 100_000
_BAR = 50


def say(text: str = "") -> None:
    """One line of one's own words."""
    click.echo(clean(text).rstrip())


def say_lines(text: str) -> None:
    """Text whose line breaks are our own."""
    for line in text.splitlines():
        say(line)


def warn(text: str) -> None:
    """One line on stderr: what went wrong, beside the answer."""
    click.echo(clean(text), err=True)


def say_json(value: Any) -> None:
    """One JSON object on one line. Only ASCII is written: an escape sequence in a name stays an escape in JSON."""
    click.echo(json.dumps(to_wire(value), separators=(",", ":"), default=str))


def headline(word: str, text: str) -> None:
    """A line that begins with a word of its own colour."""
    _say_styled((f"{clean(word)}  ", _STYLES.get(word, "bold")), (clean(text), "bold"))


def fact(label: str, text: str, *, whole: bool = False) -> None:
    """A labelled sentence, wrapped under itself on a terminal; a `whole` one is there to be copied, and left alone."""
    width = _UNWRAPPED if whole else max(_width(), 40)
    lines = textwrap.wrap(clean(text), width - len(_MARGIN), break_on_hyphens=False, break_long_words=False) or [""]
    _say_styled((f"  {label:<{_LABEL}}", "dim"), (f"\n{_MARGIN}".join(lines), ""))


def table(columns: Sequence[str], rows: Iterable[Row], *, whole: Iterable[int] = ()) -> None:
    """Rows, under a header where there are names; columns of `whole` are there to be copied, and never broken."""
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, show_header=any(columns), pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for number, name in enumerate(columns):
        grid.add_column(name, overflow="fold", no_wrap=number in whole)
    for row in rows:
        grid.add_row(*(Text(clean(cell), style=_STYLES.get(cell, "")) for cell in row))
    _print(grid)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar: how much of the whole it is, its glyph where there are no colours, and its colour."""

    count: int
    glyph: str
    style: str


def bars(rows: Sequence[tuple[str, Sequence[Part]]]) -> None:
    """Bars of one length, each divided as its parts are; a part that is there is never drawn as nothing."""
    label = max((len(clean(name)) for name, _ in rows), default=0)
    for name, parts in rows:
        _say_styled(
            (f"  {clean(name):<{label}}  ", ""),
            *((part.glyph * length, part.style) for part, length in zip(parts, _lengths(parts), strict=True)),
        )


def _lengths(parts: Sequence[Part]) -> list[int]:
    total = sum(part.count for part in parts)
    lengths = [max(1, round(_BAR * part.count / total)) if part.count else 0 for part in parts]
    if lengths and total:
        lengths[lengths.index(max(lengths))] += _BAR - sum(lengths)
    return lengths


def _say_styled(*parts: tuple[str, str]) -> None:
    if not _is_terminal():
        say_lines("".join(text for text, _ in parts))
        return
    from rich.text import Text

    _print(Text.assemble(*parts))


def _print(renderable: Any) -> None:
    console = _console()
    with console.capture() as captured:
        console.print(renderable, soft_wrap=not hasattr(renderable, "columns"))
    for line in captured.get().splitlines():
        click.echo(line.rstrip(), color=True)


def _console() -> Console:
    from rich.console import Console

    plain = not _is_terminal() or "NO_COLOR" in os.environ
    return Console(
        file=sys.stdout,
        width=None if _is_terminal() else _width(),
        color_system=None if plain else "auto",
        force_terminal=_is_terminal(),
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,
    )


def _is_terminal() -> bool:
    return sys.stdout.isatty()


def _width() -> int:
    """The columns there are; without a terminal, as many as anything needs."""
    if not _is_terminal():
        return _UNWRAPPED
    return shutil.get_terminal_size().columns


def with_progress(events: Iterable[Any]) -> Iterator[Any]:
    """The same events, with how many there were so far on stderr, where nothing else tells that it goes on."""
    if sys.stdout.isatty() or not sys.stderr.isatty():
        yield from events
        return
    for number, event in enumerate(events, 1):
        if number % 1_000 == 0:
            click.echo(f"\r{number:,} records", err=True, nl=False)
        yield event
    click.echo("\r\x1b[K", err=True, nl=False)
