"""The files that people have, as events: a record, a trail's log file, JSON lines, envelopes; plain, gzipped, or piped.

JSON lines are read one by one and never held together. What cannot be read is reported with file and line, and the
rest goes on.
"""

from __future__ import annotations

import gzip
import io
import json
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any, cast

from demarc.authoring.source import Problem
from demarc.cli.terminal import warn

Report = Callable[[Problem], None]
Line = tuple[int, str]

_GZIP = b"\x1f\x8b"

# Where one event travels as text inside another object: an SQS message, an answer of `aws cloudtrail lookup-events`.
_CARRIED = ("body", "CloudTrailEvent")

_NOT_JSON = 'Give CloudTrail records as JSON: one record, a {"Records": [...]} file, or one per line'


@dataclass
class Problems:
    """Tells each problem on stderr as it is found; that there were any decides how the run ends."""

    told: int = 0

    def __call__(self, problem: Problem) -> None:
        self.told += 1
        warn(str(problem))


def read_events(files: Iterable[str], report: Report) -> Iterator[Any]:
    """Every event in some files, in order; `-` is stdin. Problems go to `report`, and the next line or file follows."""
    for file in files:
        source = _Source("<stdin>" if file == "-" else file, report)
        try:
            with _opened(file) as stream:
                yield from source.events(stream)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            source.line += 1
            source.problem(f"the gzip data is damaged or ends early ({error})", "Fetch the file again")
        except OSError as error:
            source.line = max(source.line, 1)
            source.problem((error.strerror or str(error)).lower(), "Name a file that can be read, or - for stdin")


@contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    """The bytes of a file, unpacked if its first bytes say that it is packed, whatever it is called."""
    if file == "-":
        yield _unpacked(sys.stdin.buffer)
        return
    with Path(file).open("rb") as stream:
        yield _unpacked(stream)


def _unpacked(stream: IO[bytes]) -> IO[bytes]:
    # Buffered once and not twice: a second buffer would wait for more than the line that has come through a pipe.
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, stream))
    return cast(IO[bytes], gzip.GzipFile(fileobj=buffered)) if buffered.peek(2)[:2] == _GZIP else buffered


@dataclass
class _Source:
    """One file while it is read: what it is called, how far we are, whom to tell."""

    name: str
    report: Report
    line: int = 0
    told: bool = False

    def problem(self, what: str, do: str, *, line: int | None = None) -> None:
        self.told = True
        self.report(Problem(self.name, line or self.line, what, do))

    def events(self, stream: IO[bytes]) -> Iterator[Any]:
        lines = self._lines(stream)
        first = next((line for line in lines if line[1].strip()), None)
        if first is None:
            if not self.told:
                self.problem("there is nothing in it", _NOT_JSON, line=1)
            return
        try:
            value = _parsed(first[1])
        except ValueError:
            yield from self._many_lines(first, lines)
            return
        yield from self._events_in(value)
        yield from self._each(lines)

    def _lines(self, stream: IO[bytes]) -> Iterator[Line]:
        for self.line, raw in enumerate(stream, 1):
            try:
                text = raw.decode("utf-8-sig" if self.line == 1 else "utf-8")
            except UnicodeDecodeError:
                self.problem("this is not UTF-8 text", _NOT_JSON)
                if self.line == 1:
                    return
                continue
            yield self.line, text

    def _each(self, lines: Iterable[Line]) -> Iterator[Any]:
        """JSON lines: each is a value of its own."""
        for number, text in lines:
            if not text.strip():
                continue
            try:
                value = _parsed(text)
            except ValueError as error:
                self.problem(f"this line is not JSON: {_short(error)}", "Mend or remove the line", line=number)
                continue
            yield from self._events_in(value)

    def _many_lines(self, first: Line, lines: Iterator[Line]) -> Iterator[Any]:
        """The first line is no value by itself: it opens one that goes on, or it is a broken line among good ones."""
        second = next(lines, None)
        rest = chain([first], [second] if second else [], lines)
        opens = first[1].rstrip().endswith(("{", "[", ","))
        if second and not opens and _is_value(second[1]):
            yield from self._each(rest)
        else:
            yield from self._document("".join(text for _, text in rest), first[0])

    def _document(self, text: str, first_line: int) -> Iterator[Any]:
        """One value over many lines, or several one after the other."""
        at = _blank(text, 0)
        while at < len(text):
            try:
                value, end = _DECODER.raw_decode(text, at)
            except (ValueError, RecursionError) as error:
                line = first_line + text.count("\n", 0, getattr(error, "pos", at))
                self.problem(f"this is not JSON: {_short(error)}", _NOT_JSON, line=line)
                return
            yield from self._events_in(value)
            at = _blank(text, end)

    def _events_in(self, value: Any) -> Iterator[Any]:
        """The events in a value: a list of them, the records of a file or of a queue, or itself."""
        if isinstance(value, list):
            for each in value:
                yield from self._delivered(each)
            return
        holder = next((name for name in ("Records", "Events") if _holds(value, name)), None)
        if holder is None:
            yield from self._delivered(value)
            return
        for each in value[holder]:
            yield from self._delivered(each)

    def _delivered(self, value: Any) -> Iterator[Any]:
        carried = next((value[name] for name in _CARRIED if _carries(value, name)), None)
        if carried is None:
            yield value
            return
        try:
            yield _parsed(carried)
        except ValueError as error:
            self.problem(f"a message in it is not JSON: {_short(error)}", "Mend or remove the message")


def _holds(value: Any, name: str) -> bool:
    return isinstance(value, dict) and isinstance(value.get(name), list)


def _carries(value: Any, name: str) -> bool:
    return isinstance(value, dict) and isinstance(value.get(name), str) and "eventName" not in value


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not a number of JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_number)


def _parsed(text: str) -> Any:
    """A value.

    Raises:
        ValueError: if it is none, also for one that is nested deeper than Python reads.
    """
    try:
        return _DECODER.decode(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _is_value(text: str) -> bool:
    try:
        return isinstance(_parsed(text), dict)
    except ValueError:
        return False


def _blank(text: str, at: int) -> int:
    """The next place that is not blank."""
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _short(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.removesuffix(' at').lower()} at column {error.colno}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
