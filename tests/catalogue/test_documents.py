"""What is generated is as it would be generated now."""

from __future__ import annotations

from pathlib import Path

import pytest

from demarc.cli.documents import documents

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = documents(ROOT)


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_generated_file_is_current(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == DOCUMENTS[path], f"{path} is stale: run `make documents`"
