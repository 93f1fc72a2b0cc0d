"""YAML files with the line of everything in them, so that an error can name where it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something wrong in a file of the matrix, where, and what to do about it."""

    file: str
    line: int
    what: str
    do: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}. {self.do}"


@dataclass(frozen=True, slots=True)
class Source:
    """One YAML file: its data, and the line (from 1) of every key and element in it."""

    file: str
    data: Any
    lines: dict[Location, int]

    def line_of(self, location: Sequence[str | int]) -> int:
        """The line of a place in the file, or of the nearest thing around it."""
        at = tuple(location)
        while at and at not in self.lines:
            at = at[:-1]
        return self.lines.get(at, 1)

    def problem(self, location: Sequence[str | int], what: str, do: str) -> Problem:
        return Problem(self.file, self.line_of(location), what, do)


# libyaml's parser is several times faster, and a matrix may have ten thousand rows; PyYAML has it wherever it is built
# with libyaml, as its wheels are.
_Parser: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Parser):  # type: ignore[valid-type,misc]  # chosen above
    """Plain data; a date stays the text it was written as, so that the schema decides what it means."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_source(path: Path, *, root: Path) -> tuple[Source, list[Problem]]:
    """One file of the matrix. What cannot be parsed, or says a key twice, is a problem with its line."""
    name = name_of(path, root=root)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        what, do = "the file does not exist", "Create it; the documentation shows an example"
    except UnicodeDecodeError as error:
        what, do = f"the file is not UTF-8 ({error.reason})", "Save it as UTF-8"
    else:
        return parse_source(name, text)
    return Source(name, None, {}), [Problem(name, 1, what, do)]


def name_of(path: Path, *, root: Path) -> str:
    """How problems name a file: from beside the folder of the matrix."""
    return str(path.relative_to(root.parent)) if path.is_relative_to(root.parent) else str(path)


def parse_source(name: str, text: str) -> tuple[Source, list[Problem]]:
    """The text of one file, as `read_source` has it."""
    empty = Source(name, None, {})
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        data = loader.construct_document(node) if node else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return empty, [
            Problem(name, line, f"this is not YAML: {error.problem}", "Correct the indentation or the quotes")
        ]
    except yaml.YAMLError as error:
        return empty, [Problem(name, 1, f"this is not YAML: {error}", "Correct the file")]
    lines: dict[Location, int] = {}
    twice: list[Problem] = []
    if node:
        _collect(node, (), lines, twice, name)
    return Source(name, data, lines), twice


def _collect(node: yaml.Node, at: Location, lines: dict[Location, int], twice: list[Problem], file: str) -> None:
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = (*at, str(key.value))
            line = key.start_mark.line + 1
            if place in lines:
                twice.append(
                    Problem(
                        file, line, f"the key {key.value!r} stands twice (first on line {lines[place]})", "Keep one"
                    )
                )
            lines[place] = line
            _collect(value, place, lines, twice, file)
    elif isinstance(node, yaml.SequenceNode):
        for index, element in enumerate(node.value):
            _collect(element, (*at, index), lines, twice, file)
