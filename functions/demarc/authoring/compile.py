"""A checked matrix -> one JSON document per responder, with every control as its function needs it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from demarc import readers
from demarc.authoring.lint import lint
from demarc.authoring.obligations import frameworks_of
from demarc.authoring.own import named_after
from demarc.authoring.source import Problem
from demarc.authoring.translate import assignments_of, controls_of, organization_of, responsibility_of
from demarc.authoring.written import read_matrix
from demarc.core.framework import Attested, attested
from demarc.core.matrix import Matrix, Organization, Responsibility
from demarc.core.model import Control
from demarc.core.touch import compiled_touches
from demarc.core.wire import to_wire


class MatrixInvalid(ValueError):
    """The matrix cannot be used; `problems` says where and what to do."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class CompiledMatrix:
    """A matrix that may be deployed. `version` is a digest of all that was written, whatever the stack is called.

    `attested` are the requirements that rest on somebody's word.
    """

    version: str
    organization: Organization
    responsibility: Responsibility
    controls: Mapping[str, tuple[Control, ...]]
    attested: tuple[Attested, ...] = ()

    def document(self, types: Iterable[str]) -> dict[str, Any]:
        """What the matrix says of some resource types, and which calls touch them, as JSON-able data."""
        types = tuple(types)
        return {
            "version": self.version,
            "organization": to_wire(self.organization),
            "responsibility": to_wire(self.responsibility),
            "controls": {each: [to_wire(control) for control in self.controls.get(each, ())] for each in types},
            "touches": compiled_touches(readers.load(types)),
        }

    def for_responder(self, responder: str) -> str:
        """The JSON document that a responder's function reads."""
        types = [reader.type for reader in readers.load() if reader.responder == responder]
        return json.dumps(self.document(types), separators=(",", ":"), sort_keys=True)

    def without_controls(self) -> str:
        """The JSON document that the functions read which judge nothing: the organization and its line."""
        return json.dumps(self.document(()), separators=(",", ":"), sort_keys=True)

    def matrix(self) -> Matrix:
        """The whole matrix, as the command line uses it."""
        return Matrix(self.document(self.controls))


def compile_matrix(root: Path, *, stack: str) -> CompiledMatrix:
    """Validate, check and compile the matrix below a folder, for the stack of a name.

    An expired exception does not stop a deployment: it covers nothing any more, and that is how it should be.

    Raises:
        MatrixInvalid: with every problem found; a bad row fails the deployment, never an invocation.
    """
    written = read_matrix(root)
    problems = lint(written, today=None)
    if problems or written.organization is None or written.responsibility is None:
        raise MatrixInvalid(problems)
    requirements = tuple(attested(frameworks_of(written).values()))
    organization = organization_of(written.organization)
    organization = replace(organization, assignments=(*assignments_of(requirements), *organization.assignments))
    controls = controls_of(written, organization)
    responsibility = responsibility_of(written.responsibility)
    content = json.dumps(
        [to_wire(organization), to_wire(responsibility), {each: to_wire(rows) for each, rows in controls.items()}],
        sort_keys=True,
    )
    version = hashlib.sha256(content.encode()).hexdigest()[:12]
    return CompiledMatrix(version, organization, responsibility, named_after(stack, controls), requirements)
