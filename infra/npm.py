"""npm on the Node that the CDK runs on: `python -m infra.npm ci`, on machines with and without a Node of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.node import choose_node


def npm(arguments: Sequence[str]) -> int:
    """Run npm and return its exit code: the system's npm, else the one that the packaged Node brings."""
    node = choose_node()
    system = shutil.which("npm")
    command = [system] if system else [str(node), str(_packaged_npm(node))]
    searched = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run([*command, *arguments], env=searched, check=False).returncode  # noqa: S603


def _packaged_npm(node: Path) -> Path:
    # bin/npm of the wheel is a copy of a link, and does not find what it would load.
    return node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


if __name__ == "__main__":
    sys.exit(npm(sys.argv[1:]))
