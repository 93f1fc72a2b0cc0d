"""`demarc stats`: how long it takes, from what is recorded in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from demarc.aws import AwsClients
from demarc.cli.reference import FIELDS
from demarc.cli.stats import _spoken, rows_of
from demarc.core.measures import measure
from demarc.core.model import Act, Finding, Origin, Severity, Status, Transition
from demarc.core.wire import to_wire
from demarc.stores.dynamodb import DynamoFindingStore
from tests.cli.conftest import REGION, Demarc
from tests.factories import BUCKET, a_cause, a_finding, next_revision
from tests.integration.tables import create_table

NOW = datetime.now(UTC).replace(microsecond=0)
OPENED = NOW - timedelta(days=10)


def opened(name: str, **changed: Any) -> Finding:
    facts: dict[str, Any] = {
        "id": name,
        "resource": replace(BUCKET, identifier=name),
        "opened_at": OPENED,
        "observed_at": OPENED,
        "due_at": OPENED + timedelta(days=3),
        "cause": a_cause(time=OPENED - timedelta(seconds=20)),
        "transition": Transition(Act.BROKEN, Origin.CHANGE, "Jonas Weber", OPENED),
    }
    return a_finding(**(facts | changed))


def mended(finding: Finding, at: datetime) -> Finding:
    done = Transition(Act.RIGHT, Origin.CHANGE, "Jonas Weber", at, was=finding.status)
    return next_revision(finding, status=Status.RESOLVED, observed_at=at, resolved_at=at, drift=(), transition=done)


def broken_again(finding: Finding, at: datetime) -> Finding:
    done = Transition(Act.BROKEN, Origin.SWEEP, "Demarc", at, was=finding.status)
    back = replace(opened(finding.id), revision=finding.revision, opened_at=at, observed_at=at, cause=None)
    return next_revision(back, due_at=NOW + timedelta(days=3), reopened=1, transition=done)


STANDING = opened("standing")
QUICK = (opened("quick"), mended(opened("quick"), OPENED + timedelta(hours=2)))
BACK = (opened("back"), mended(opened("back"), OPENED + timedelta(hours=4)))
AGAIN = (*BACK, broken_again(BACK[-1], OPENED + timedelta(days=1)))
THEIRS = opened("theirs", team="platform", severity=Severity.LOW, cause=None)
HISTORIES: Sequence[tuple[Finding, ...]] = [(STANDING,), QUICK, AGAIN, (THEIRS,)]


@pytest.fixture
def table(aws: AwsClients) -> str:
    create_table(aws("dynamodb", REGION), "findings")
    store = DynamoFindingStore(aws("dynamodb", REGION), "findings")
    for history in HISTORIES:
        for revision in history:
            store.record(revision.resource, revision.observed_at, [revision])
    return "findings"


def test_a_line_says_what_the_core_measures(table: str, demarc: Demarc) -> None:
    rows = demarc("stats", "--table", table, "--json").rows

    measured = measure(HISTORIES, since=NOW - timedelta(days=90), now=NOW)
    expected = [to_wire(row) for row in rows_of(measured)]
    unclocked = [{name: value for name, value in row.items() if name not in ("since", "until")} for row in rows]
    assert unclocked == [
        {name: value for name, value in row.items() if name not in ("since", "until")} for row in expected
    ]


def test_all_come_first_then_every_team_severity_and_layer(table: str, demarc: Demarc) -> None:
    rows = demarc("stats", "--table", table, "--json").rows

    assert [(row["by"], row["name"]) for row in rows] == [
        ("all", None),
        ("team", "payments"),
        ("team", "platform"),
        ("severity", "high"),
        ("severity", "low"),
        ("layer", "data"),
    ]


def test_every_line_has_the_fields_that_the_reference_lists(table: str, demarc: Demarc) -> None:
    rows = demarc("stats", "--table", table, "--json").rows

    assert all(list(row) == list(FIELDS["stats"]) for row in rows)


def test_a_team_has_its_own_numbers_only(table: str, demarc: Demarc) -> None:
    rows = demarc("stats", "--table", table, "--team", "platform", "--json").rows

    assert [(row["by"], row["name"], row["open"]) for row in rows] == [
        ("all", None, 1),
        ("team", "platform", 1),
        ("severity", "low", 1),
        ("layer", "data", 1),
    ]


def test_what_happened_before_the_period_is_not_in_it(table: str, demarc: Demarc) -> None:
    overall = demarc("stats", "--table", table, "--since", "1d", "--json").rows[0]

    assert (overall["open"], overall["opened"], overall["ended"]) == (3, 0, 0)
    assert overall["time_to_resolve"] == {"count": 0, "mean": None, "median": None, "p90": None}


def test_people_read_what_is_open_how_long_it_takes_and_who_is_slow(table: str, demarc: Demarc) -> None:
    text = [" ".join(line.split()) for line in demarc("stats", "--table", table).out.splitlines()]

    assert text[0].startswith("all teams 90d since ")
    assert text[1:] == [
        "open 3 findings, 2 of them overdue; 0 accepted",
        "opened 5",
        "ended 2, 0 of them gone with their resource; 0 after the deadline; 50% came back",
        "MTTD from the change to the finding: mean 20s, half within 20s, nine of ten within 20s (3)",
        "MTTA until somebody acknowledged it: none",
        "MTTR until it was resolved or gone: mean 3h, half within 3h, nine of ten within 4h (2)",
        "",
        "team open overdue accepted opened ended late came back MTTD MTTA MTTR",
        "payments 2 1 0 4 2 0 50% 20s - 3h",
        "platform 1 1 0 1 0 0 - - - -",
        "",
        "severity open overdue accepted opened ended late came back MTTD MTTA MTTR",
        "high 2 1 0 4 2 0 50% 20s - 3h",
        "low 1 1 0 1 0 0 - - - -",
        "",
        "layer open overdue accepted opened ended late came back MTTD MTTA MTTR",
        "data 3 2 0 5 2 0 50% 20s - 3h",
    ]


def test_where_there_is_nothing_it_says_so(table: str, demarc: Demarc) -> None:
    ended = demarc("stats", "--table", table, "--team", "nobody")

    assert "0 findings; 0 accepted" in ended.out
    assert ended.exit_code == 0


def test_only_histories_that_say_more_than_the_last_revision_are_read(
    table: str, demarc: Demarc, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    history = DynamoFindingStore.history

    def noted(self: DynamoFindingStore, finding_id: str) -> Sequence[Finding]:
        read.append(finding_id)
        return history(self, finding_id)

    monkeypatch.setattr(DynamoFindingStore, "history", noted)

    demarc("stats", "--table", table)

    assert read == ["back"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "-"),
        (0, "0s"),
        (1.25, "1.2s"),
        (119, "119s"),
        (120, "2m"),
        (5_400, "90m"),
        (7_200, "2h"),
        (9_000, "2.5h"),
        (172_800, "2d"),
        (36 * 86_400, "36d"),
    ],
)
def test_a_duration_is_said_in_the_unit_that_suits_it(seconds: float | None, said: str) -> None:
    assert _spoken(seconds) == said


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--table", "nowhere"), 3, "the stack's output FindingsTable names the table"),
        (("--table", "findings", "--since", "yesterday"), 2, "'yesterday' is not a time such as 12h, 7d or 2w."),
    ],
)
def test_what_cannot_be_answered_is_said(
    arguments: tuple[str, ...], code: int, said: str, aws: AwsClients, demarc: Demarc
) -> None:
    ended = demarc("stats", *arguments)

    assert (ended.exit_code, ended.out) == (code, "")
    assert said in ended.err
