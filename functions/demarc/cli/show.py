"""`demarc show`: one finding, as its owner would read it, and everything that ever happened to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import click

from demarc.cli import options
from demarc.cli.deployment import Deployment
from demarc.cli.failures import asking_aws
from demarc.cli.terminal import fact, headline, say, say_json, say_lines
from demarc.cli.timeline import steps, tell_step
from demarc.cli.told import counted
from demarc.core.model import Finding
from demarc.core.occurrence import is_occurrence
from demarc.core.snapshot import OBSERVED


@click.command()
@options.finding_id
@options.as_json
@options.ignores_matrix
@options.recorded
def show(*, finding_id: str, as_json: bool, deployment: Deployment) -> None:
    """Tell one finding and its history.

    First what its owner is told, then what happened at each revision, oldest first: when, who, from where, and what it
    changed. ID is what `demarc findings` shows; its first six digits will do where no other finding has them.

    \b
      demarc show 3f9a1c2b
      demarc show 3f9a1c2b --json | jq -c '[.revision, .status, .transition.by]'
    """
    from demarc.core.announcement import announcement_of

    finding = deployment.finding(finding_id)
    with asking_aws():
        history = [replace(each, announced=finding.announced) for each in deployment.store.history(finding.id)]
    if as_json:
        for revision in history:
            say_json(revision)
        return
    say_lines(announcement_of([finding]).text)
    if is_occurrence(finding):
        _tell_count(finding, deployment)
    say()
    headline("History", counted(len(history), "revision"))
    for step in steps(history):
        tell_step(step)
    _tell_announced(finding)


def _tell_count(finding: Finding, deployment: Deployment) -> None:
    """How often it happened: most of it is no revision, since it is the same again."""
    with asking_aws():
        last = deployment.store.known(finding.resource).last
    if last is None:
        return
    observed = last.properties[OBSERVED]
    first, latest = (f"{datetime.fromisoformat(observed[name]):%Y-%m-%d %H:%M:%S} UTC" for name in ("First", "Last"))
    say()
    fact("often", f"{counted(observed['Count'], 'call')}, the first {first}, the last {latest}")


def _tell_announced(finding: Finding) -> None:
    if finding.announced < finding.revision:
        say()
        fact("told", f"revision {finding.revision} waits to be told; the next look or sweep does so")
