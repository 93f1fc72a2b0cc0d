"""What every suite may use: the compiled matrix of this repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from demarc.authoring.compile import CompiledMatrix, compile_matrix

# moto would otherwise make 1,300 machine images anew for every test that touches EC2: a fifth of a second each.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"

MATRICES = Path(__file__).parent.parent / "matrices"


@pytest.fixture(scope="session")
def matrix() -> CompiledMatrix:
    return compile_matrix(MATRICES)
