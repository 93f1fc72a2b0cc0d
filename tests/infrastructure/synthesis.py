"""The template that `app.py` makes, as data."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent

Resource = Mapping[str, Any]


@dataclass(frozen=True)
class Assembly:
    """What a synth wrote: the cloud assembly in `path`, and what it said on the way."""

    path: Path

    @cached_property
    def template(self) -> dict[str, Any]:
        template: dict[str, Any] = json.loads(self.template_file.read_text())
        return template

    @property
    def template_file(self) -> Path:
        (file,) = self.path.glob("*.template.json")
        return file

    @cached_property
    def said(self) -> str:
        return (self.path / "said.txt").read_text()

    @cached_property
    def validation(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads((self.path / "validation-report.json").read_text())
        return report

    @cached_property
    def bundle(self) -> Path:
        """The folder that every function is deployed from."""
        (asset,) = self.path.glob("asset.*")
        return asset

    def resources(self, kind: str) -> dict[str, Resource]:
        """Logical id -> resource, of one type."""
        return {name: each for name, each in self.template["Resources"].items() if each["Type"] == kind}

    def of(self, construct: str, kind: str) -> Resource:
        """The properties of the one resource of a type below a construct of the stack."""
        found = [each for name, each in self.resources(kind).items() if name.startswith(construct)]
        (one,) = found
        properties: Resource = one["Properties"]
        return properties

    def policy_of(self, role: str) -> list[Mapping[str, Any]]:
        """The statements of every policy attached to a role, by the start of the role's logical id.

        What is too long for a role's own policy the CDK puts into a managed one beside it.
        """
        policies = self.resources("AWS::IAM::Policy") | self.resources("AWS::IAM::ManagedPolicy")
        return [
            statement
            for policy in policies.values()
            if any(each["Ref"].startswith(role) for each in policy["Properties"]["Roles"])
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        ]


def run_app(into: Path, context: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `app.py` as a person would who has neither an AWS account nor Docker."""
    nobody = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_", "JSII_"))}
    settings = {"CDK_OUTDIR": str(into), "CDK_CONTEXT_JSON": json.dumps(context), "CDK_DOCKER": "no-docker-here"}
    return subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=nobody | settings, check=False, capture_output=True, text=True
    )


def synthesise(into: Path, context: Mapping[str, str]) -> Assembly:
    """Synthesise once per folder, whoever asks first."""
    into.mkdir(parents=True, exist_ok=True)
    with _alone(into.with_suffix(".lock")):
        if not (into / "said.txt").exists():
            run = run_app(into, context)
            if run.returncode:
                raise RuntimeError(f"app.py ended with {run.returncode}:\n{run.stdout}{run.stderr}")
            (into / "said.txt").write_text(run.stdout + run.stderr)
    return Assembly(into)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One process at a time: the test workers share what is slow to make."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
