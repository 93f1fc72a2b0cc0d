"""The CDK finds a Node that it supports, whatever the machine has."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infra import node
from tests.infrastructure.synthesis import ROOT

PathWith = Callable[..., Path]


@pytest.fixture
def path_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PathWith:
    """Make the path hold nothing but tools that say something; nobody chose a Node before."""
    monkeypatch.delenv("JSII_NODE", raising=False)

    def make(**tools: str) -> Path:
        for name, says in tools.items():
            tool = tmp_path / name
            tool.write_text(f"#!/bin/sh\necho '{says}'\n")
            tool.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        return tmp_path

    return make


@pytest.mark.parametrize("version", ["v22.0.0", "v24.19.0"])
def test_the_systems_node_is_used_where_it_is_new_enough(version: str, path_with: PathWith) -> None:
    folder = path_with(node=version)
    assert node.choose_node() == folder / "node"


@pytest.mark.parametrize("version", ["v20.20.2", "v8.1.0", "no version"])
def test_a_node_that_the_cdk_warns_about_is_passed_over(version: str, path_with: PathWith) -> None:
    path_with(node=version)
    assert node.choose_node() == node.packaged_node()


def test_a_machine_without_a_node_uses_the_one_from_pypi(path_with: PathWith) -> None:
    path_with()
    chosen = node.choose_node()
    said = subprocess.run([chosen, "--version"], check=True, capture_output=True, text=True).stdout
    assert int(said.removeprefix("v").partition(".")[0]) >= node.OLDEST


def test_the_node_that_somebody_chose_stays(path_with: PathWith, monkeypatch: pytest.MonkeyPatch) -> None:
    path_with(node="v24.0.0")
    monkeypatch.setenv("JSII_NODE", "/opt/node/bin/node")
    assert node.choose_node() == Path("/opt/node/bin/node")


def test_npm_runs_on_a_machine_without_node_and_npm(path_with: PathWith) -> None:
    path_with()
    said = subprocess.run(
        [*node.command("npm"), "--version"], check=True, capture_output=True, text=True, env=node.environment()
    )
    assert said.stdout[0].isdigit()
    assert said.stderr == ""


def test_npm_that_is_packed_apart_from_node_is_found_on_the_path(path_with: PathWith) -> None:
    folder = path_with(node="v24.0.0", npm="11.0.0")
    assert node.command("npm") == [str(folder / "npm")]


def test_a_node_without_npm_is_said(path_with: PathWith) -> None:
    folder = path_with(node="v24.0.0")
    with pytest.raises(node.ToolMissing, match=f"no npm beside {folder}"):
        node.command("npm")


def test_the_command_line_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(node, "CDK", tmp_path / "cdk")
    with pytest.raises(node.ToolMissing, match="python -m infra npm ci"):
        node.command("cdk")


def test_only_tools_of_the_deployment_are_run() -> None:
    run = subprocess.run([sys.executable, "-m", "infra", "rm"], cwd=ROOT, check=False, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr == "usage: python -m infra npm|cdk ...\n"


def test_the_cdks_command_line_is_pinned_to_a_line_that_reads_our_assembly() -> None:
    """npm's tag `latest` points at 3.0.0, an old line published by accident."""
    wanted = json.loads((ROOT / "package.json").read_text())["devDependencies"]["aws-cdk"]
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]["node_modules/aws-cdk"]
    assert wanted == locked["version"] == "2.1148.1"
    assert locked["integrity"].startswith("sha512-")
