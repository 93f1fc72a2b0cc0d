"""Regenerate what is generated: `python -m demarc.cli.documents` (make documents). A test compares."""

from __future__ import annotations

import json
from pathlib import Path

from demarc.authoring import catalogue, yardsticks
from demarc.authoring.compile import compile_matrix
from demarc.authoring.documents import schemas
from demarc.authoring.obligations import frameworks_of
from demarc.authoring.written import read_matrix
from demarc.cli.deployment import STACK
from demarc.cli.reference import reference
from demarc.core.announcement import body_schema
from demarc.core.digest import digest_schema

# Folders that hold nothing but what is generated: a page of what is there no more is taken away.
GENERATED_FOLDERS = ("docs/controls",)


def documents(root: Path) -> dict[str, str]:
    """Every generated file below the repository's root, by its path."""
    written, matrix = read_matrix(root / "matrices"), compile_matrix(root / "matrices", stack=STACK)
    return {
        **schemas(),
        **catalogue.pages(written, matrix),
        "docs/coverage.md": yardsticks.page(matrix, frameworks_of(written)[yardsticks.FOUNDATIONS]),
        "docs/controls.md": catalogue.index(matrix),
        "docs/announcement.schema.json": json.dumps(body_schema(), indent=2, sort_keys=True) + "\n",
        "docs/digest.schema.json": json.dumps(digest_schema(), indent=2, sort_keys=True) + "\n",
        "docs/cli.md": reference(),
    }


def stale(root: Path, generated: dict[str, str]) -> list[Path]:
    """What lies in a folder of generated files and would not be generated."""
    kept = {root / path for path in generated}
    return sorted(path for folder in GENERATED_FOLDERS for path in (root / folder).glob("*") if path not in kept)


if __name__ == "__main__":
    here = Path.cwd()
    written = documents(here)
    for path, text in written.items():
        (here / path).parent.mkdir(exist_ok=True)
        (here / path).write_text(text, encoding="utf-8")
    for left in stale(here, written):
        left.unlink()
    print(f"{len(written)} files")
