"""`demarc digest`: what a team, or governance, would be told of all its findings; told to them with `--send`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from demarc.cli import options
from demarc.cli.deployment import Deployment
from demarc.cli.failures import Unusable, asking_aws
from demarc.cli.progress import waiting
from demarc.cli.terminal import say_json, say_lines
from demarc.cli.told import meant
from demarc.core.announcement import Announcement
from demarc.core.digest import DigestKind, announcement_of_digest, digest_of
from demarc.core.matrix import Organization


@click.command()
@click.option("--team", metavar="ID", help="The team whose findings it is about.")
@click.option("--governance", is_flag=True, help="For governance: over all teams, with gaps and blind spots.")
@click.option(
    "--since",
    "period",
    type=options.age,
    metavar="AGE",
    default="7d",
    show_default=True,
    help="What is new, reopened and resolved within 12h, 7d, 2w.",
)
@click.option("--send", is_flag=True, help="Announce it to them instead of printing it.")
@options.as_json
@options.matrix
@options.deployed
def digest(
    *,
    team: str | None,
    governance: bool,
    period: timedelta,
    send: bool,
    as_json: bool,
    matrix: Path,
    deployment: Deployment,
) -> None:
    """Sum up what is open, overdue, accepted and waiting, for a team or for governance.

    It is what goes out every week by itself. Without --send it is printed and nobody is told.

    \b
      demarc digest --team payments
      demarc digest --governance --since 30d --send
    """
    from demarc.cli.matrices import compiled

    if governance == (team is not None):
        raise click.UsageError("Whose? Give either --team or --governance.")
    organization = compiled(matrix).matrix().organization
    if team is not None:
        _known(team, organization)
    now = datetime.now(UTC)
    with asking_aws(), waiting("Reading findings"):
        findings = list(deployment.store.find(team=team))
    announcement = announcement_of_digest(
        digest_of(
            findings,
            kind=DigestKind.GOVERNANCE if governance else DigestKind.WEEKLY,
            organization=organization,
            since=now - period,
            now=now,
            team=team,
        )
    )
    if send:
        _send(announcement, deployment)
    if as_json:
        say_json(announcement.body)
    elif not send:
        say_lines(announcement.text)


def _known(team: str, organization: Organization) -> None:
    if team not in organization.teams:
        raise Unusable(f"there is no team {team!r} in the matrix. {meant(team, organization.teams)}")


def _send(announcement: Announcement, deployment: Deployment) -> None:
    announcer = deployment.announcer
    if announcer is None:
        raise Unusable("where should it go? Name a --topic, or the --stack that has one")
    with asking_aws():
        announcer.announce(announcement)
    click.echo(f"sent on {deployment.topic_arn}: {announcement.subject}", err=True)
