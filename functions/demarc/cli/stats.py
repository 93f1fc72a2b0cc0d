"""`demarc stats`: how long it takes to detect, acknowledge and resolve, and what stays broken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from demarc.cli import options
from demarc.cli.deployment import Deployment
from demarc.cli.failures import asking_aws
from demarc.cli.progress import counted_off, waiting
from demarc.cli.terminal import fact, headline, say, say_json, table
from demarc.cli.told import counted
from demarc.core.measures import Figures, Measures, Times, is_told_by, measure
from demarc.core.model import Finding
from demarc.stores import FindingStore

_COLUMNS = ("open", "overdue", "accepted", "opened", "ended", "late", "came back", "MTTD", "MTTA", "MTTR")
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


@click.command()
@click.option("--team", metavar="ID", help="Only what this team owns.")
@click.option(
    "--since",
    "period",
    type=options.age,
    metavar="AGE",
    default="90d",
    show_default=True,
    help="What happened within 12h, 7d, 13w; what is open counts however old it is.",
)
@options.as_json
@options.ignores_matrix
@options.recorded
def stats(*, team: str | None, period: timedelta, as_json: bool, deployment: Deployment) -> None:
    """Measure how findings are dealt with: by team, severity and layer.

    MTTD, MTTA and MTTR are the mean times to detect (from the change to the finding), to acknowledge and to resolve
    (from the finding's opening). What is mended while its risk is accepted is not in the last.

    \b
      demarc stats --since 30d
      demarc stats --team payments --json
    """
    now = datetime.now(UTC)
    with asking_aws():
        measures = measure(_histories(deployment.store, team), since=now - period, now=now)
    if as_json:
        for row in rows_of(measures):
            say_json(row)
        return
    _tell(measures, team, period)


def _histories(store: FindingStore, team: str | None) -> Iterator[Sequence[Finding]]:
    """What measuring needs of each finding: its last revision, and all of them only where that does not say it all."""
    with waiting("Reading findings"):
        findings = list(store.find(team=team))
    yield from ([finding] for finding in findings if is_told_by(finding))
    for finding in counted_off([each for each in findings if not is_told_by(each)], "Reading histories"):
        yield store.history(finding.id)


def rows_of(measures: Measures) -> Iterator[dict[str, Any]]:
    """A JSON line for all, and one for each team, severity and layer; times are in seconds."""
    yield _row("all", None, measures.overall, measures)
    for by, groups in _blocks(measures):
        for name, figures in groups:
            yield _row(by, name, figures, measures)


def _blocks(measures: Measures) -> Iterator[tuple[str, list[tuple[str, Figures]]]]:
    yield "team", list(measures.teams.items())
    yield "severity", [(severity.value, figures) for severity, figures in measures.severities.items()]
    yield "layer", [(layer.value, figures) for layer, figures in measures.layers.items()]


def _row(by: str, name: str | None, figures: Figures, measures: Measures) -> dict[str, Any]:
    return {
        "by": by,
        "name": name,
        "since": measures.since,
        "until": measures.now,
        "open": figures.open,
        "overdue": figures.overdue,
        "accepted": figures.accepted,
        "opened": figures.opened,
        "ended": figures.ended,
        "gone": figures.gone,
        "late": figures.late,
        "reopened": figures.reopened,
        "reopen_rate": figures.reopen_rate,
        "time_to_detect": figures.detect,
        "time_to_acknowledge": figures.acknowledge,
        "time_to_resolve": figures.resolve,
    }


def _tell(measures: Measures, team: str | None, period: timedelta) -> None:
    overall = measures.overall
    headline(f"team {team}" if team else "all teams", f"{_spoken(period.total_seconds())} since {_day(measures.since)}")
    overdue = f", {overall.overdue:,} of them overdue" if overall.overdue else ""
    fact("open", f"{counted(overall.open, 'finding')}{overdue}; {overall.accepted:,} accepted")
    fact("opened", f"{overall.opened:,}")
    fact("ended", _ended(overall))
    for label, what, times in (
        ("MTTD", "from the change to the finding", overall.detect),
        ("MTTA", "until somebody acknowledged it", overall.acknowledge),
        ("MTTR", "until it was resolved or gone", overall.resolve),
    ):
        fact(label, f"{what}: {_told(times)}")
    for by, groups in _blocks(measures):
        if groups:
            say()
            table((by, *_COLUMNS), [(name, *_cells(figures)) for name, figures in groups], whole=(0,))


def _ended(figures: Figures) -> str:
    if not figures.ended:
        return "0"
    return (
        f"{figures.ended:,}, {figures.gone:,} of them gone with their resource; {figures.late:,} after the deadline; "
        f"{_share(figures)} came back"
    )


def _cells(figures: Figures) -> tuple[str, ...]:
    counts = (figures.open, figures.overdue, figures.accepted, figures.opened, figures.ended, figures.late)
    means = (figures.detect.mean, figures.acknowledge.mean, figures.resolve.mean)
    return (*(f"{count:,}" for count in counts), _share(figures), *(_spoken(mean) for mean in means))


def _share(figures: Figures) -> str:
    return "-" if figures.reopen_rate is None else f"{figures.reopen_rate:.0%}"


def _told(times: Times) -> str:
    if not times.count:
        return "none"
    return (
        f"mean {_spoken(times.mean)}, half within {_spoken(times.median)}, nine of ten within {_spoken(times.p90)} "
        f"({times.count:,})"
    )


def _spoken(seconds: float | None) -> str:
    """A duration in the unit that suits it, with one decimal where that says more: `25s`, `1.5h`, `12d`."""
    if seconds is None:
        return "-"
    for size, unit, upto in ((1, "s", 2 * _MINUTE), (_MINUTE, "m", 2 * _HOUR), (_HOUR, "h", 2 * _DAY)):
        if seconds < upto:
            return f"{_figure(seconds / size)}{unit}"
    return f"{_figure(seconds / _DAY)}d"


def _figure(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:.1f}"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
