"""`demarc findings`: what is recorded in a table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import click

from demarc.cli import options
from demarc.cli.connection import Connection
from demarc.cli.failures import asking_aws
from demarc.cli.terminal import headline, say, say_json, table
from demarc.cli.told import counted, one_of, owner_of
from demarc.core.model import Finding, Severity, Status


@click.command()
@click.option("--table", "table_name", metavar="NAME", required=True, help="The DynamoDB table.")
@click.option("--team", metavar="ID", help="Only what this team owns.")
@click.option(
    "--status",
    type=click.Choice([each.value for each in Status], case_sensitive=False),
    metavar="STATUS",
    help=f"Only what is {one_of(Status)}.",
)
@click.option("--account", metavar="ID", help="Only what is in this account.")
@click.option("--control", metavar="ID", help="Only findings of this control.")
@click.option(
    "--severity",
    type=click.Choice([each.value for each in Severity], case_sensitive=False),
    metavar="SEVERITY",
    help=f"Only what is {one_of(Severity)}.",
)
@options.as_json
@options.ignores_matrix
@options.reads_aws
def findings(
    *,
    table_name: str,
    team: str | None,
    status: str | None,
    account: str | None,
    control: str | None,
    severity: str | None,
    as_json: bool,
    connection: Connection,
) -> None:
    """List what is recorded, soonest due first.

    Every option narrows it down; all that are given must apply.

    \b
      demarc findings --table NAME --team payments --status OPEN
      demarc findings --table NAME --severity critical --json
    """
    from demarc.stores.dynamodb import DynamoFindingStore

    with asking_aws():
        store = DynamoFindingStore(connection.clients("dynamodb", connection.region), table_name)
        found = store.find(
            team=team,
            status=Status(status) if status else None,
            account=account,
            control=control,
            severity=Severity(severity) if severity else None,
        )
        if as_json:
            for finding in found:
                say_json(finding)
            return
        _tell(list(found))


def _tell(found: list[Finding]) -> None:
    """Owner by owner, whose soonest finding is due first comes first."""
    owned: dict[str, list[Finding]] = {}
    for finding in found:
        owned.setdefault(owner_of(finding.attribution.owner), []).append(finding)
    now = datetime.now(UTC)
    for owner, theirs in owned.items():
        headline(owner, counted(len(theirs), "finding"))
        table([""] * 4, [row for finding in theirs for row in _rows(finding, now)], whole=(2, 3))
        say()
    say(counted(len(found), "finding"))


def _rows(finding: Finding, now: datetime) -> Iterator[tuple[str, ...]]:
    """Two lines: which control and by when, and where it does not hold."""
    standing = finding.status is Status.OPEN
    resource = finding.resource
    due = f"{finding.due_at:%Y-%m-%d %H:%M}" if standing else ""
    yield finding.severity, finding.status, due, finding.control
    where = f"{resource.type} {resource.identifier}, {resource.account}, {resource.region}"
    yield "", "", "overdue" if standing and finding.due_at < now else "", where
