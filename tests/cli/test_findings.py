"""`demarc findings`: what is recorded, for people and for machines."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from demarc.aws import AwsClients
from demarc.cli.findings import COLUMNS
from demarc.core.model import AcceptedRisk, Finding, Severity, Status
from demarc.core.wire import from_wire, to_wire
from demarc.stores.dynamodb import DynamoFindingStore
from tests.cli.conftest import REGION, Demarc, Deployed, create_stack
from tests.factories import BUCKET, NOON, a_finding
from tests.integration.tables import create_table

TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
NEW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
OVERDUE = a_finding(id="overdue", due_at=NOON, status=Status.ACKNOWLEDGED, assignee="Aiko Tanaka")
LATER = a_finding(
    id="later", due_at=TOMORROW, opened_at=NEW, severity=Severity.CRITICAL, control="s3-bucket-keeps-versions"
)
THEIRS = a_finding(id="theirs", team="storefront", resource=replace(BUCKET, account="777788889999"))
RISK = AcceptedRisk("RISK-1", "nobody uses it", "Helena Novak", TOMORROW)
COVERED = a_finding(id="covered", status=Status.ACCEPTED, exception=RISK, due_at=NOON)
CLOSED = a_finding(id="closed", status=Status.RESOLVED, drift=(), resolved_at=NOON)
ALL = [OVERDUE, CLOSED, THEIRS, LATER, COVERED]


@pytest.fixture
def table(aws: AwsClients) -> str:
    create_table(aws("dynamodb", REGION), "findings")
    store = DynamoFindingStore(aws("dynamodb", REGION), "findings")
    for number, finding in enumerate(ALL):
        store.record(finding.resource, NOON + timedelta(seconds=number), [finding])
    return "findings"


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ((), {"overdue", "later", "theirs", "covered"}),
        (("--all",), {"overdue", "later", "theirs", "covered", "closed"}),
        (("--team", "storefront"), {"theirs"}),
        (("--status", "open"), {"later", "theirs"}),
        (("--status", "RESOLVED"), {"closed"}),
        (("--status", "resolved", "--status", "acknowledged"), {"closed", "overdue"}),
        (("--overdue",), {"overdue", "theirs"}),
        (("--older-than", "2h"), {"overdue", "theirs", "covered"}),
        (("--older-than", "1h", "--severity", "critical"), {"later"}),
        (("--older-than", "7d", "--severity", "critical"), set()),
        (("--assignee", "aiko tanaka"), {"overdue"}),
        (("--account", "777788889999"), {"theirs"}),
        (("--control", "s3-bucket-keeps-versions"), {"later"}),
        (("--severity", "Critical"), {"later"}),
        (("--team", "payments", "--status", "OPEN"), {"later"}),
        (("--team", "nobody"), set()),
    ],
)
def test_every_option_narrows_it_down(options: tuple[str, ...], found: set[str], table: str, demarc: Demarc) -> None:
    ended = demarc("findings", "--table", table, "--json", *options)

    assert {row["id"] for row in ended.rows} == found
    assert ended.exit_code == 0


def test_a_line_is_the_whole_finding(table: str, demarc: Demarc) -> None:
    (row,) = demarc("findings", "--table", table, "--json", "--control", LATER.control).rows

    assert from_wire(Finding, row) == LATER
    assert row == to_wire(LATER)


def test_the_soonest_due_is_first(table: str, demarc: Demarc) -> None:
    rows = demarc("findings", "--table", table, "--json", "--all").rows

    assert [row["due_at"] for row in rows] == sorted(row["due_at"] for row in rows)


def test_people_read_owner_by_owner_what_is_due_and_where(table: str, demarc: Demarc) -> None:
    text = [" ".join(line.split()) for line in demarc("findings", "--table", table).out.splitlines()]

    assert text == [
        "Jonas Weber, team payments 3 findings",
        "covered high ACCEPTED s3-bucket-is-private",
        "AWS::S3::Bucket photos, 123456789012, eu-west-1",
        f"overdue high ACKNOWLEDGED {NOON:%Y-%m-%d %H:%M} s3-bucket-is-private",
        "overdue AWS::S3::Bucket photos, 123456789012, eu-west-1, Aiko Tanaka is on it",
        f"later critical OPEN {TOMORROW:%Y-%m-%d %H:%M} s3-bucket-keeps-versions",
        "AWS::S3::Bucket photos, 123456789012, eu-west-1",
        "",
        "Jonas Weber, team storefront 1 finding",
        f"theirs high OPEN {THEIRS.due_at:%Y-%m-%d %H:%M} s3-bucket-is-private",
        "overdue AWS::S3::Bucket photos, 777788889999, eu-west-1",
        "",
        "4 findings",
        "1 resolved or gone: --all",
    ]


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_spreadsheet_has_a_line_for_each_under_a_header(table: str, demarc: Demarc) -> None:
    ended = demarc("findings", "--table", table, "--csv")

    rows = read(ended.out)
    assert ended.out.splitlines()[0] == ",".join(COLUMNS)
    assert [row["id"] for row in rows] == ["covered", "overdue", "theirs", "later"]
    assert [row["overdue"] for row in rows] == ["no", "yes", "yes", "no"]
    assert rows[0]["accepted_for"] == "nobody uses it"
    assert (
        rows[1] | {"assignee": "Aiko Tanaka", "due_at": "2026-01-01T12:00:00Z", "set_with": "PutBucketPolicy"}
        == (rows[1])
    )


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\uff1d1"])
def test_a_name_is_never_a_formula(name: str, table: str, demarc: Demarc, aws: AwsClients) -> None:
    hostile = replace(BUCKET, identifier=name)
    DynamoFindingStore(aws("dynamodb", REGION), table).record(
        hostile, NOON, [a_finding(id="x", team="x", resource=hostile)]
    )

    (row,) = read(demarc("findings", "--table", table, "--csv", "--team", "x").out)

    assert row["identifier"] == "'" + name.replace("\t", " ")


def test_a_comma_a_quote_and_a_line_break_stay_in_their_cell(table: str, demarc: Demarc, aws: AwsClients) -> None:
    odd = replace(BUCKET, identifier='a,"b"\nc')
    DynamoFindingStore(aws("dynamodb", REGION), table).record(odd, NOON, [a_finding(id="x", team="x", resource=odd)])

    (row,) = read(demarc("findings", "--table", table, "--csv", "--team", "x").out)

    assert (row["identifier"], row["account"]) == ('a,"b" c', BUCKET.account)


def test_that_there_is_none_is_said(table: str, demarc: Demarc) -> None:
    assert demarc("findings", "--table", table, "--team", "nobody").out == "0 findings\n"


def test_a_name_from_a_resource_does_not_reach_the_terminal_as_it_is(
    table: str, demarc: Demarc, aws: AwsClients
) -> None:
    hostile = replace(BUCKET, identifier="\x1b[31mred")
    DynamoFindingStore(aws("dynamodb", REGION), table).record(hostile, NOON, [a_finding(id="x", resource=hostile)])

    ended = demarc("findings", "--table", table)

    assert "red" in ended.out
    assert "\x1b" not in ended.out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--table", "nowhere"), 3, "the stack's output FindingsTable names the table"),
        ((), 3, "Correct --stack or --region, or name the table with --table"),
        (("--all", "--status", "OPEN"), 2, "Leave --status out"),
        (("--csv", "--json"), 2, "Choose --csv or --json"),
        (("--older-than", "soon"), 2, "'soon' is not a time such as 12h, 7d or 2w"),
        (("--table", "findings", "--status", "broken"), 2, "'broken' is not one of"),
    ],
)
def test_what_cannot_be_answered_is_said(
    arguments: tuple[str, ...], code: int, said: str, aws: AwsClients, demarc: Demarc
) -> None:
    ended = demarc("findings", *arguments)

    assert (ended.exit_code, ended.out) == (code, "")
    assert said in ended.err


def test_the_stack_says_which_table(deployed: Deployed, demarc: Demarc, aws: AwsClients) -> None:
    DynamoFindingStore(aws("dynamodb", REGION), deployed.table).record(BUCKET, NOON, [OVERDUE])

    assert [row["id"] for row in demarc("findings", "--json").rows] == ["overdue"]


def test_a_stack_that_is_another_is_not_asked_for_findings(aws: AwsClients, demarc: Demarc) -> None:
    create_stack(aws, "website", {"Address": "https://example.com"})

    ended = demarc("findings", "--stack", "website")

    assert ended.exit_code == 2
    assert "the stack website has no output FindingsTable" in ended.err
