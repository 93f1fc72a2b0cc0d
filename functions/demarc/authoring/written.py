"""The files of a matrix, read and validated one by one; every mistake is kept, with its line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from demarc.authoring.frameworks import FrameworkFile, SignedFile
from demarc.authoring.schema import ControlRow, OrganizationFile, ResponsibilityFile
from demarc.authoring.source import Location, Problem, Source, name_of, parse_source, read_source

_Model = TypeVar("_Model", bound=BaseModel)

# What to do about what pydantic found, by its error type; anything else is told to look at the schema.
_ADVICE = {
    "missing": "Add the field",
    "extra_forbidden": "Remove it, or correct its spelling",
    "enum": "Use one of the words listed",
    "string_pattern_mismatch": "Write it in the form the schema gives",
    "date_from_datetime_parsing": "Write a date as 2027-06-30",
}


@dataclass(frozen=True, slots=True)
class WrittenControl:
    """One row of a controls file and where it stands."""

    row: ControlRow
    source: Source
    index: int

    def problem(self, what: str, do: str, *at: str) -> Problem:
        return self.source.problem((self.index, *at), f"{self.row.id}: {what}", do)


@dataclass(frozen=True, slots=True)
class WrittenFramework:
    """A framework and the file it stands in, by whose name it is known."""

    name: str
    row: FrameworkFile
    source: Source


@dataclass(frozen=True, slots=True)
class WrittenMatrix:
    """Everything that could be read; None or missing where `problems` says why.

    `framework_names` are those that there are files of, also of those that could not be read.
    """

    root: Path
    organization: OrganizationFile | None
    organization_source: Source
    responsibility: ResponsibilityFile | None
    responsibility_source: Source
    controls: tuple[WrittenControl, ...]
    frameworks: tuple[WrittenFramework, ...]
    framework_names: frozenset[str]
    signed: SignedFile | None
    signed_source: Source
    problems: tuple[Problem, ...]


def read_matrix(root: Path) -> WrittenMatrix:
    """Read `organization.yaml`, `responsibility.yaml`, `controls/*.yaml`, `frameworks/*.yaml` and, where it is,
    `signed.yaml` below a folder.
    """
    problems: list[Problem] = []
    organization_source, found = read_source(root / "organization.yaml", root=root)
    problems += found
    responsibility_source, found = read_source(root / "responsibility.yaml", root=root)
    problems += found
    organization = _validated(OrganizationFile, organization_source, (), organization_source.data, problems)
    responsibility = _validated(ResponsibilityFile, responsibility_source, (), responsibility_source.data, problems)
    controls = tuple(_controls(root, problems))
    frameworks = tuple(_frameworks(root, problems))
    signed, signed_source = _signed(root, problems)
    return WrittenMatrix(
        root=root,
        organization=organization,
        organization_source=organization_source,
        responsibility=responsibility,
        responsibility_source=responsibility_source,
        controls=controls,
        frameworks=frameworks,
        framework_names=frozenset(path.stem for path in (root / "frameworks").glob("*.yaml")),
        signed=signed,
        signed_source=signed_source,
        problems=tuple(sorted(problems)),
    )


def _controls(root: Path, problems: list[Problem]) -> Iterator[WrittenControl]:
    files = sorted((root / "controls").glob("*.yaml"))
    if not files:
        problems.append(Problem(f"{root.name}/controls", 1, "there are no control files", "Add at least one *.yaml"))
    for path in files:
        source, found = read_source(path, root=root)
        problems += found
        if source.data is None:
            if not found:
                problems.append(Problem(source.file, 1, "the file is empty", "Add a control, or remove the file"))
            continue
        if not isinstance(source.data, list):
            problems.append(source.problem((), "a controls file is a list", "Start every control with `- id:`"))
            continue
        for index, data in enumerate(source.data):
            row = _validated(ControlRow, source, (index,), data, problems)
            if row:
                yield WrittenControl(row, source, index)


def _frameworks(root: Path, problems: list[Problem]) -> Iterator[WrittenFramework]:
    for path in sorted((root / "frameworks").glob("*.yaml")):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            problems += read_source(path, root=root)[1]
            continue
        source, row, found = _framework(name_of(path, root=root), text)
        problems += found
        if row:
            yield WrittenFramework(path.stem, row, source)


# They are long and seldom change: who compiles often, as tests and a synthesis of many stacks do, reads them once.
@lru_cache(maxsize=32)
def _framework(name: str, text: str) -> tuple[Source, FrameworkFile | None, tuple[Problem, ...]]:
    source, problems = parse_source(name, text)
    row = _validated(FrameworkFile, source, (), source.data, problems)
    return source, row, tuple(problems)


def _signed(root: Path, problems: list[Problem]) -> tuple[SignedFile | None, Source]:
    """What the organization signed; a matrix without such a file keeps to the defaults."""
    path = root / "signed.yaml"
    if not path.exists():
        return SignedFile(), Source(name_of(path, root=root), None, {})
    source, found = read_source(path, root=root)
    problems += found
    return _validated(SignedFile, source, (), source.data, problems), source


def _validated(model: type[_Model], source: Source, at: Location, data: Any, problems: list[Problem]) -> _Model | None:
    if data is None:
        if not any(problem.file == source.file for problem in problems):
            problems.append(source.problem(at, "there is nothing here", "Fill it in; the schema says with what"))
        return None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems += [_as_problem(source, at, each) for each in error.errors()]
        return None


def _as_problem(source: Source, at: Location, error: Any) -> Problem:
    path = ".".join(str(step) for step in error["loc"]) or "here"
    message = str(error["msg"]).removeprefix("Value error, ")
    shown = "" if error["type"] in ("missing", "value_error") else f" (it says {_short(error['input'])})"
    advice = _ADVICE.get(error["type"], "Correct it; the JSON schema beside the file shows what may stand here")
    return source.problem((*at, *error["loc"]), f"{path}: {message}{shown}", advice)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
