"""What the tests of the catalogue share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from demarc.authoring import source


@pytest.fixture(scope="session", autouse=True)
def _parsed_once() -> Iterator[None]:
    """A file of the matrix is parsed once, also for all the tests that edit another one."""
    patch = pytest.MonkeyPatch()
    patch.setattr(source, "parse_source", cache(source.parse_source))
    yield
    patch.undo()
