"""`demarc findings`: what is recorded in a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import click

from demarc.cli import options
from demarc.cli.deployment import Deployment
from demarc.cli.failures import asking_aws
from demarc.cli.terminal import headline, say, say_json, table
from demarc.cli.told import counted, one_of, owner_of, place_of
from demarc.core.model import STANDING, TO_DO, Finding, Severity, Status

_ID_SHOWN = 8

# The columns of a CSV file, in their order. More may be added at the end.
COLUMNS = (
    *("id", "status", "severity", "overdue", "due_at", "opened_at", "control", "title"),
    *("type", "identifier", "arn", "account", "region", "environment", "workload", "layer", "party"),
    *("team", "owner", "assignee", "acknowledged_at", "acknowledged_by", "resolved_at", "reopened"),
    *("accepted_until", "accepted_by", "accepted_for", "set_by", "set_with", "revision"),
)


@dataclass(frozen=True)
class _Wanted:
    """What is asked for beyond what the store narrows down to by itself."""

    statuses: tuple[Status, ...]
    assignee: str | None
    older_than: timedelta | None
    overdue: bool

    def chosen(self, finding: Finding, now: datetime) -> bool:
        return (
            finding.status in self.statuses
            and (self.assignee is None or self.assignee.casefold() == (finding.assignee or "").casefold())
            and (self.older_than is None or now - finding.opened_at > self.older_than)
            and (not self.overdue or _is_overdue(finding, now))
        )


def _is_overdue(finding: Finding, now: datetime) -> bool:
    """What somebody must mend and has not in time; an accepted risk is nobody's to mend until it expires."""
    return finding.status in TO_DO and finding.due_at < now


@click.command()
@click.option("--team", metavar="ID", help="Only what this team owns.")
@click.option(
    "--status",
    "statuses",
    type=click.Choice([each.value for each in Status], case_sensitive=False),
    multiple=True,
    metavar="STATUS",
    help=f"Only what is {one_of(Status)}; may be given several times.  [default: {one_of(STANDING)}]",
)
@click.option("--all", "everything", is_flag=True, help="Also what is resolved or gone.")
@click.option("--account", metavar="ID", help="Only what is in this account.")
@click.option("--control", metavar="ID", help="Only findings of this control.")
@click.option(
    "--severity",
    type=click.Choice([each.value for each in Severity], case_sensitive=False),
    metavar="SEVERITY",
    help=f"Only what is {one_of(Severity)}.",
)
@click.option("--assignee", metavar="PERSON", help="Only what is assigned to the person of this name.")
@click.option("--older-than", type=options.age, metavar="AGE", help="Only what was opened before 12h, 7d, 2w.")
@click.option("--overdue", is_flag=True, help="Only what should have been mended by now.")
@click.option("--csv", "as_csv", is_flag=True, help="A table for a spreadsheet, with a header.")
@options.as_json
@options.ignores_matrix
@options.recorded
def findings(
    *,
    team: str | None,
    statuses: tuple[str, ...],
    everything: bool,
    account: str | None,
    control: str | None,
    severity: str | None,
    assignee: str | None,
    older_than: timedelta | None,
    overdue: bool,
    as_csv: bool,
    as_json: bool,
    deployment: Deployment,
) -> None:
    """List what does not hold now, soonest due first.

    Every option narrows it down; all that are given must apply. What is resolved or gone is listed with --all, or with
    a --status of its own. `demarc show` tells one in full.

    \b
      demarc findings --team payments --overdue
      demarc findings --status OPEN --older-than 7d --severity critical
      demarc findings --all --csv
      demarc findings --table NAME --json
    """
    if everything and statuses:
        raise click.UsageError("--all lists every status. Leave --status out.")
    if as_csv and as_json:
        raise click.UsageError("Choose --csv or --json.")
    asked = tuple(Status(each) for each in statuses) or (tuple(Status) if everything else STANDING)
    wanted = _Wanted(asked, assignee, older_than, overdue)
    now = datetime.now(UTC)
    with asking_aws():
        recorded = list(
            deployment.store.find(
                team=team,
                status=asked[0] if len(asked) == 1 else None,
                account=account,
                control=control,
                severity=Severity(severity) if severity else None,
            )
        )
    chosen = [each for each in recorded if wanted.chosen(each, now)]
    if as_json:
        for finding in chosen:
            say_json(finding)
    elif as_csv:
        for line in lines_of(chosen, now):
            say(line)
    else:
        _tell(chosen, now)
        ended = sum(each.status not in STANDING for each in recorded)
        if ended and asked == STANDING:
            say(f"{ended:,} resolved or gone: --all")


# --- for spreadsheets ------------------------------------------------------------------------------------------------


def lines_of(findings: Iterable[Finding], now: datetime) -> Iterator[str]:
    """The lines of a CSV file (RFC 4180, but for the line ends), a header first."""
    yield _line(COLUMNS)
    for finding in findings:
        yield _line([_cell(value) for value in _values(finding, now)])


def _values(finding: Finding, now: datetime) -> tuple[object, ...]:
    resource, attribution, risk, cause = finding.resource, finding.attribution, finding.exception, finding.cause
    setting = cause if cause and cause.set_it else None
    return (
        *(finding.id, finding.status, finding.severity, _is_overdue(finding, now), finding.due_at, finding.opened_at),
        *(finding.control, finding.title),
        *(resource.type, resource.identifier, resource.arn, resource.account, resource.region),
        *(attribution.environment, attribution.workload, finding.layer, attribution.party),
        *(attribution.owner.team, attribution.owner.person, finding.assignee),
        *(finding.acknowledged_at, finding.acknowledged_by, finding.resolved_at, finding.reopened),
        *((risk.expires, risk.approver, risk.reason) if risk else (None, None, None)),
        *((setting.actor.name, setting.event_name) if setting else (None, None)),
        finding.revision,
    )


def _cell(value: object) -> str:
    """A value as a cell. Spreadsheets run a text that begins like a formula; an apostrophe makes it a text again.

    OWASP, "CSV Injection". Names of resources and reasons are anybody's.
    """
    from demarc.core.announcement import clean

    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    text = clean(str(value))
    return f"'{text}" if text.lstrip()[:1] in tuple("=+-@\uff1d\uff0b\uff0d\uff20") else text


def _line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


# --- for people ------------------------------------------------------------------------------------------------------


def _tell(found: list[Finding], now: datetime) -> None:
    """Owner by owner, whose soonest finding is due first comes first."""
    owned: dict[str, list[Finding]] = {}
    for finding in found:
        owned.setdefault(owner_of(finding.attribution.owner), []).append(finding)
    for owner, theirs in owned.items():
        headline(owner, counted(len(theirs), "finding"))
        table([""] * 5, [row for finding in theirs for row in _rows(finding, now)], whole=(0, 3, 4))
        say()
    say(counted(len(found), "finding"))


def _rows(finding: Finding, now: datetime) -> Iterator[tuple[str, ...]]:
    """Two lines: which control and by when, and where it does not hold."""
    due = f"{finding.due_at:%Y-%m-%d %H:%M}" if finding.status in TO_DO else ""
    yield finding.id[:_ID_SHOWN], finding.severity, finding.status, due, finding.control
    assigned = f", {finding.assignee} is on it" if finding.assignee else ""
    late = "overdue" if _is_overdue(finding, now) else ""
    yield "", "", "", late, f"{place_of(finding.resource)}{assigned}"
