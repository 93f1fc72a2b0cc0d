"""The matrix that a command judges by or shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demarc.cli.deployment import STACK
from demarc.cli.failures import Unusable
from demarc.cli.told import meant

if TYPE_CHECKING:
    from demarc.authoring.compile import CompiledMatrix
    from demarc.authoring.source import Problem

_SHOWN = 5


def compiled(root: Path, stack: str | None = None) -> CompiledMatrix:
    """The matrix below a folder, for the stack of a name.

    Raises:
        Unusable: if there is none, or if it has problems; the first few are told.
    """
    from demarc.authoring.compile import MatrixInvalid, compile_matrix

    present(root)
    try:
        return compile_matrix(root, stack=stack or STACK)
    except MatrixInvalid as error:
        problems = [str(from_here(problem, root)) for problem in error.problems]
        more = len(problems) - _SHOWN
        lines = problems[:_SHOWN] + ([f"and {more} more: demarc matrix check --matrix {root}"] if more > 0 else [])
        raise Unusable("\n".join([f"the matrix in {root} cannot be used:", *lines])) from error


def ruling(root: Path, deployed: str | None) -> CompiledMatrix:
    """The matrix below a folder, where what it says is to have effect: as it is deployed, not as it is at hand.

    Raises:
        Unusable: if it has problems, or is not the version that is deployed, as far as that is known.
    """
    rules = compiled(root)
    if deployed not in (None, rules.version):
        raise Unusable(
            f"the matrix in {root} ({rules.version}) is not the one that is deployed ({deployed}), so what it says "
            "does not hold. Check out the commit that is deployed, or deploy this one"
        )
    return rules


def from_here(problem: Problem, root: Path) -> Problem:
    """A problem with its file as it can be opened: the compiler names files from beside the folder of the matrix."""
    return replace(problem, file=str(root.parent / problem.file))


def present(root: Path) -> None:
    """Say what to do where there is no matrix at all.

    Raises:
        Unusable: if the folder does not exist.
    """
    if not root.is_dir():
        raise Unusable(
            f"there is no matrix in {root}. Call demarc beside `matrices/`, or name the folder with --matrix"
        )


def known_type(resource_type: str | None, rules: CompiledMatrix) -> str | None:
    """A type as the matrix spells it, however its letters were written.

    Raises:
        Unusable: if the matrix has no controls on it.
    """
    if resource_type is None:
        return None
    found = {each.casefold(): each for each in rules.controls}
    if resource_type.casefold() not in found:
        raise Unusable(f"no control is on the type {resource_type!r}. {meant(resource_type, rules.controls)}")
    return found[resource_type.casefold()]


@dataclass(frozen=True)
class Shown:
    """One view of a matrix: rows for machines, and how they are told to people."""

    rows: list[dict[str, Any]]
    tell: Callable[[], None]
