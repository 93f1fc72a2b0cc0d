"""Regenerate what is generated: `python -m demarc.cli.documents` (make documents). A test compares."""

from __future__ import annotations

import json
from pathlib import Path

from demarc.authoring.compile import compile_matrix
from demarc.authoring.documents import catalogue, schemas
from demarc.cli.reference import reference
from demarc.core.announcement import body_schema
from demarc.core.digest import digest_schema


def documents(root: Path) -> dict[str, str]:
    """Every generated file below the repository's root, by its path."""
    return {
        **schemas(),
        "docs/controls.md": catalogue(compile_matrix(root / "matrices")),
        "docs/announcement.schema.json": json.dumps(body_schema(), indent=2, sort_keys=True) + "\n",
        "docs/digest.schema.json": json.dumps(digest_schema(), indent=2, sort_keys=True) + "\n",
        "docs/cli.md": reference(),
    }


if __name__ == "__main__":
    for path, text in documents(Path.cwd()).items():
        Path(path).write_text(text, encoding="utf-8")
        print(path)
