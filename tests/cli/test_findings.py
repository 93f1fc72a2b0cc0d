"""`demarc findings`: what is recorded, for people and for machines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from demarc.aws import AwsClients
from demarc.core.model import Finding, Severity, Status
from demarc.core.wire import from_wire, to_wire
from demarc.stores.dynamodb import DynamoFindingStore
from tests.cli.conftest import REGION, Demarc
from tests.factories import BUCKET, NOON, a_finding
from tests.integration.tables import create_table

TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
OVERDUE = a_finding(id="overdue", due_at=NOON)
LATER = a_finding(id="later", due_at=TOMORROW, severity=Severity.CRITICAL, control="s3-bucket-keeps-versions")
THEIRS = a_finding(id="theirs", team="storefront", resource=replace(BUCKET, account="777788889999"))
CLOSED = a_finding(id="closed", status=Status.RESOLVED, drift=(), resolved_at=NOON)
ALL = [OVERDUE, CLOSED, THEIRS, LATER]


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
        ((), {"overdue", "later", "theirs", "closed"}),
        (("--team", "storefront"), {"theirs"}),
        (("--status", "open"), {"overdue", "later", "theirs"}),
        (("--status", "RESOLVED"), {"closed"}),
        (("--account", "777788889999"), {"theirs"}),
        (("--control", "s3-bucket-keeps-versions"), {"later"}),
        (("--severity", "Critical"), {"later"}),
        (("--team", "payments", "--status", "OPEN"), {"overdue", "later"}),
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
    rows = demarc("findings", "--table", table, "--json").rows

    assert [row["due_at"] for row in rows] == sorted(row["due_at"] for row in rows)


def test_people_read_owner_by_owner_what_is_due_and_where(table: str, demarc: Demarc) -> None:
    text = [
        " ".join(line.split()) for line in demarc("findings", "--table", table, "--status", "OPEN").out.splitlines()
    ]

    assert text == [
        "Jonas Weber, team payments 2 findings",
        f"high OPEN {NOON:%Y-%m-%d %H:%M} s3-bucket-is-private",
        "overdue AWS::S3::Bucket photos, 123456789012, eu-west-1",
        f"critical OPEN {TOMORROW:%Y-%m-%d %H:%M} s3-bucket-keeps-versions",
        "AWS::S3::Bucket photos, 123456789012, eu-west-1",
        "",
        "Jonas Weber, team storefront 1 finding",
        f"high OPEN {THEIRS.due_at:%Y-%m-%d %H:%M} s3-bucket-is-private",
        "overdue AWS::S3::Bucket photos, 777788889999, eu-west-1",
        "",
        "3 findings",
    ]


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
        ((), 2, "Missing option '--table'"),
        (("--table", "findings", "--status", "broken"), 2, "'broken' is not one of"),
    ],
)
def test_what_cannot_be_answered_is_said(
    arguments: tuple[str, ...], code: int, said: str, aws: AwsClients, demarc: Demarc
) -> None:
    ended = demarc("findings", *arguments)

    assert (ended.exit_code, ended.out) == (code, "")
    assert said in ended.err
