"""What every suite may use: the compiled matrix of this repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from demarc.authoring.compile import CompiledMatrix, compile_matrix
from demarc.cli.deployment import STACK

MATRICES = Path(__file__).parent.parent / "matrices"


@pytest.fixture(scope="session")
def matrix() -> CompiledMatrix:
    return compile_matrix(MATRICES, stack=STACK)
