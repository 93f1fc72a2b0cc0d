"""`demarc matrix`: check what is written, and show what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from demarc.cli import options
from demarc.cli.controls import control_in_full, controls
from demarc.cli.coverage import coverage_command
from demarc.cli.failures import WRONG
from demarc.cli.matrices import Shown, compiled, from_here, known_type, present
from demarc.cli.terminal import say, say_json
from demarc.cli.told import counted
from demarc.cli.views import assignments, responsibility, teams
from demarc.cli.workloads import workload_in_full

if TYPE_CHECKING:
    from demarc.authoring.compile import CompiledMatrix
    from demarc.authoring.written import WrittenMatrix

_VIEWS: Mapping[str, Callable[[CompiledMatrix, str | None], Shown]] = {
    "controls": controls,
    "teams": teams,
    "responsibility": responsibility,
    "assignments": assignments,
}


@click.group()
def matrix() -> None:
    """Check what must hold and whose it is, and show it.

    \b
      demarc matrix check
      demarc matrix show --control s3-bucket-keeps-versions
      demarc matrix coverage --framework nist-800-53-r5 --baseline moderate
    """


matrix.add_command(coverage_command)


@matrix.command()
@options.as_json
@options.matrix
@options.offline
@click.pass_context
def check(ctx: click.Context, as_json: bool, matrix: Path) -> None:
    """Find every mistake in the matrix.

    Each is told as FILE:LINE: what is wrong. What to do. Expired exceptions are told too, although they do not keep the
    matrix from being deployed: they cover nothing any more.

    \b
      demarc matrix check
      demarc matrix check --matrix ../elsewhere/matrices --json
    """
    from demarc.authoring.lint import lint
    from demarc.authoring.written import read_matrix

    present(matrix)
    written = read_matrix(matrix)
    problems = [from_here(problem, matrix) for problem in lint(written, today=datetime.now(UTC).date())]
    for problem in problems:
        if as_json:
            say_json(problem)
        else:
            say(str(problem))
    if not as_json:
        say(counted(len(problems), "problem") if problems else f"{_inventory(written)}: no problem")
    ctx.exit(WRONG if problems else 0)


def _inventory(written: WrittenMatrix) -> str:
    organization, responsibility = written.organization, written.responsibility
    types = len(responsibility.tiers) if responsibility else 0
    parts = [f"{counted(len(written.controls), 'control')} on {counted(types, 'resource type')}"]
    asked = sum(len(family.requirements) for each in written.frameworks for family in each.row.families.values())
    parts += [f"{counted(asked, 'requirement')} of {counted(len(written.frameworks), 'framework')}"]
    if organization:
        parts += [
            counted(len(organization.teams), "team"),
            counted(len(organization.accounts), "account"),
            counted(len(organization.workloads), "workload"),
            counted(len(organization.assignments), "assignment"),
            counted(len(organization.exceptions), "exception"),
        ]
    return ", ".join(parts)


@matrix.command()
@click.option("--controls", "view", flag_value="controls", help="Every control and who owns it (the default).")
@click.option("--teams", "view", flag_value="teams", help="Teams, their people, and how to reach them.")
@click.option("--responsibility", "view", flag_value="responsibility", help="Where the line runs, by layer and tier.")
@click.option("--assignments", "view", flag_value="assignments", help="Who owns what: the ordered list.")
@click.option("--control", "control_id", metavar="ID", help="One control in full.")
@click.option("--workload", "workload_id", metavar="ID", help="A workload's obligations, layer by layer.")
@click.option("--type", "resource_type", metavar="TYPE", help="Only what is about this resource type.")
@options.as_json
@options.matrix
@options.offline
def show(
    *,
    view: str | None,
    control_id: str | None,
    workload_id: str | None,
    resource_type: str | None,
    as_json: bool,
    matrix: Path,
) -> None:
    """Show what the matrix says.

    Owners are those that can be named without looking at a resource: an owner tag, a workload's tag or an ARN may name
    another, which `demarc evaluate` tells.

    \b
      demarc matrix show --type AWS::S3::Bucket
      demarc matrix show --responsibility
      demarc matrix show --control s3-bucket-keeps-versions
      demarc matrix show --workload card-vault
    """
    if control_id and (view or resource_type or workload_id):
        raise click.UsageError("--control shows one control in full. Leave the other choices out.")
    if workload_id and (view or resource_type):
        raise click.UsageError("--workload shows one workload in full. Leave the other choices out.")
    rules = compiled(matrix)
    if control_id:
        shown = control_in_full(control_id, rules, matrix)
    elif workload_id:
        shown = workload_in_full(workload_id, rules)
    else:
        shown = _VIEWS[view or "controls"](rules, known_type(resource_type, rules))
    if not as_json:
        shown.tell()
        return
    for row in shown.rows:
        say_json(row)
