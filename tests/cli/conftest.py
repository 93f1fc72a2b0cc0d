"""`demarc` as a person calls it, in this process; what it asks AWS is answered by moto."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from demarc.authoring import compile as compiling
from demarc.aws import AwsClients
from demarc.cli import main
from demarc.cli.connection import Connection
from tests.conftest import MATRICES
from tests.integration.conftest import REGION, _aws, _clients, clients

__all__ = ["REGION", "_aws", "_clients", "clients"]

EVENTS = Path(__file__).parent.parent / "events"


@dataclass(frozen=True)
class Ended:
    """How a run ended, and what it said where."""

    exit_code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Demarc = Callable[..., Ended]


@pytest.fixture(scope="session")
def _compiled_once() -> Iterator[None]:
    """A matrix is compiled once per folder, also for all the commands that are tested on it."""
    patch = pytest.MonkeyPatch()
    patch.setattr(compiling, "compile_matrix", cache(compiling.compile_matrix))
    yield
    patch.undo()


@pytest.fixture
def demarc(_compiled_once: None, monkeypatch: pytest.MonkeyPatch) -> Demarc:
    """Call the program; `given` is its standard input."""
    monkeypatch.setenv("DEMARC_MATRICES", str(MATRICES))

    def call(*arguments: str | Path, given: str | bytes = b"") -> Ended:
        result = CliRunner().invoke(main, [str(each) for each in arguments], input=given, catch_exceptions=False)
        return Ended(result.exit_code, result.stdout, result.stderr)

    return call


@pytest.fixture
def aws(clients: AwsClients, monkeypatch: pytest.MonkeyPatch) -> AwsClients:
    """An account in which there is nothing yet, which the program reaches without making its clients anew."""
    monkeypatch.setattr(Connection, "clients", clients)
    return clients


def event(name: str, **changed: Any) -> dict[str, Any]:
    """The bare record of one of the events, with some fields changed."""
    found = json.loads((EVENTS / f"{name}.json").read_text())
    record: dict[str, Any] = found.get("detail", found)
    return record | changed
