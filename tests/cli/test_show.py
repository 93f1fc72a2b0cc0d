"""`demarc show`: one finding as its owner reads it, and what ever happened to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from demarc.aws import AwsClients
from demarc.cli.timeline import step_of, steps
from demarc.core.model import AcceptedRisk, Act, Drift, Finding, Origin, Status, Transition, Was
from demarc.core.wire import from_wire
from demarc.stores.dynamodb import DynamoFindingStore
from tests.cli.conftest import REGION, Demarc, Deployed
from tests.factories import BUCKET, NOON, OWNER, a_cause, a_finding, next_revision

ID = "3f9a1c2b5d6e7f8091a2b3c4"
LATER = NOON + timedelta(hours=1)


def after(
    finding: Finding, act: Act, origin: Origin = Origin.CLI, by: str = "Aiko Tanaka", **changes: object
) -> Finding:
    """The next revision, made by an act; `reason` and `to` are the act's."""
    said = {name: changes.pop(name) for name in ("reason", "to") if name in changes}
    transition = Transition(act, origin, by, LATER, was=finding.status, **said)  # type: ignore[arg-type]
    return next_revision(finding, transition=transition, **changes)


OPENED = a_finding(id=ID, transition=Transition(Act.BROKEN, Origin.CHANGE, "jonas@example.com", NOON))
RISK = AcceptedRisk("RISK-1", "it is a test", "Helena Novak", LATER, requested_by="Aiko Tanaka")
DRIFT = Drift("Observed.Policy", "private", "public")


def told(before: Finding | None, finding: Finding) -> list[str]:
    step = step_of(before, finding)
    return [step.what, *(" ".join(each) for each in step.changes)]


def test_the_first_revision_tells_what_is_wrong_whose_it_is_and_who_set_it() -> None:
    assert told(None, OPENED) == [
        "seen broken",
        'drift Observed.Policy.Statement[0] is {"Principal": "*"}, must be no public grant (everybody may read it)',
        "set by jonas@example.com called PutBucketPolicy, 2026-01-01 11:59 UTC",
        "owner Jonas Weber, team payments",
        "due 2026-01-04 12:00 UTC",
    ]


@pytest.mark.parametrize(
    ("finding", "lines"),
    [
        (
            after(OPENED, Act.ACKNOWLEDGE, status=Status.ACKNOWLEDGED, reason="at it"),
            ["acknowledged by Aiko Tanaka at the command line", "status OPEN -> ACKNOWLEDGED", "why at it"],
        ),
        (
            after(OPENED, Act.ASSIGN, Origin.SLACK, to="Sam Achebe", assignee="Sam Achebe", audience=("storefront",)),
            [
                "assigned to Sam Achebe by Aiko Tanaka in Slack",
                "person nobody -> Sam Achebe",
                "told also team storefront",
            ],
        ),
        (
            after(OPENED, Act.PROPOSE, proposal=RISK),
            [
                "acceptance proposed by Aiko Tanaka at the command line",
                "waits for a second person: Aiko Tanaka asks to accept it until 2026-01-01 13:00 UTC",
            ],
        ),
        (
            after(OPENED, Act.ACCEPT, by="Helena Novak", status=Status.ACCEPTED, exception=RISK),
            [
                "accepted by Helena Novak at the command line",
                "status OPEN -> ACCEPTED",
                "risk accepted until 2026-01-01 13:00 UTC by Helena Novak: it is a test [RISK-1]",
            ],
        ),
        (
            after(OPENED, Act.ESCALATE, Origin.SCHEDULE, "Demarc", to="Ines Okafor", escalated=1),
            ["escalated to Ines Okafor by Demarc when it was time"],
        ),
        (
            after(OPENED, Act.REMIND, Origin.SCHEDULE, "Demarc", to="Jonas Weber", reason="due in 4 hours", reminded=1),
            ["reminded (Jonas Weber) by Demarc when it was time", "why due in 4 hours"],
        ),
        (
            after(OPENED, Act.RIGHT, Origin.SWEEP, "Demarc", status=Status.RESOLVED, drift=()),
            [
                "seen right in a sweep",
                "status OPEN -> RESOLVED",
                'drift Observed.Policy.Statement[0] differs no longer, was {"Principal": "*"}',
            ],
        ),
        (
            after(OPENED, Act.RIGHT, Origin.CHANGE, status=Status.RESOLVED, resolved_by=a_cause(set_it=False)),
            [
                "seen right",
                "status OPEN -> RESOLVED",
                "after jonas@example.com called PutBucketPolicy, 2026-01-01 11:59 UTC",
            ],
        ),
        (
            after(OPENED, Act.GONE, Origin.CLI, "mara@example.com", status=Status.GONE),
            ["seen gone for mara@example.com at the command line", "status OPEN -> GONE"],
        ),
    ],
)
def test_a_revision_tells_who_did_what_from_where_and_what_it_changed(finding: Finding, lines: list[str]) -> None:
    assert told(OPENED, finding) == lines


def test_what_a_path_was_is_told_as_it_was_seen_or_else_as_it_was_recorded() -> None:
    first = a_finding(drift=(DRIFT,))
    moved = replace(DRIFT, actual="for a partner")

    assert "drift Observed.Policy was public, is for a partner, must be private" in told(
        first, after(first, Act.BROKEN, drift=(moved,))
    )
    seen = replace(moved, was=Was("for us", NOON))
    assert "drift Observed.Policy was for us, is for a partner, must be private" in told(
        first, after(first, Act.BROKEN, drift=(seen,))
    )


def test_another_owner_another_severity_and_an_end_of_an_acceptance_are_told() -> None:
    accepted = a_finding(status=Status.ACCEPTED, exception=RISK)
    moved = replace(accepted.attribution, owner=replace(OWNER, team="storefront", person="Lea Moreau"))
    expired = after(accepted, Act.EXPIRE, status=Status.OPEN, exception=None, attribution=moved, severity="low")

    lines = told(accepted, expired)

    assert "owner Jonas Weber, team payments -> Lea Moreau, team storefront" in lines
    assert "rated high -> low" in lines
    assert "risk no longer: it is a test [RISK-1]" in lines


def test_revisions_that_an_earlier_version_recorded_are_told_too() -> None:
    opened = a_finding(id=ID)
    resolved = next_revision(opened, status=Status.RESOLVED, drift=(), observed_at=LATER)
    again = next_revision(resolved, status=Status.OPEN, drift=opened.drift, reopened=1)

    history = steps([opened, resolved, again])

    assert [(step.revision, step.what) for step in history] == [
        (1, "seen broken"),
        (2, "seen right"),
        (3, "seen broken again, for time 2"),
    ]
    assert [step.at for step in history] == [NOON, LATER, LATER]


def test_a_finding_is_never_told_only_in_part() -> None:
    many = a_finding(drift=tuple(replace(DRIFT, path=f"Rules[{number}]") for number in range(12)))

    lines = told(None, many)

    assert len([line for line in lines if line.startswith("drift")]) == 10
    assert " and 2 more" in lines


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def store(deployed: Deployed, aws: AwsClients) -> DynamoFindingStore:
    store = DynamoFindingStore(aws("dynamodb", REGION), deployed.table)
    store.record(BUCKET, NOON, [OPENED])
    store.mark_announced(OPENED)
    store.amend(after(OPENED, Act.ACKNOWLEDGE, status=Status.ACKNOWLEDGED))
    return store


def test_people_read_the_finding_and_then_its_history(store: DynamoFindingStore, demarc: Demarc) -> None:
    ended = demarc("show", ID)

    finding, _, history = ended.out.partition("\nHistory  2 revisions\n")
    assert "Broken: Buckets are private" in finding
    assert "aws s3api delete-bucket-policy --bucket photos" in finding
    assert "OPEN  2026-01-01 12:00 UTC, revision 1: seen broken\n" in history
    assert "ACKNOWLEDGED  2026-01-01 13:00 UTC, revision 2: acknowledged by Aiko Tanaka" in history
    assert "revision 2 waits to be told" in history
    assert ended.exit_code == 0


def test_machines_get_every_revision_the_last_as_it_stands(store: DynamoFindingStore, demarc: Demarc) -> None:
    rows = demarc("show", ID, "--json").rows

    assert [(row["revision"], row["status"], row["announced"]) for row in rows] == [
        (1, "OPEN", 1),
        (2, "ACKNOWLEDGED", 1),
    ]
    assert from_wire(Finding, rows[-1]) == store.get(ID)


@pytest.mark.parametrize("given", [ID, ID[:6], ID[:12].upper(), f" {ID[:8]} "])
def test_the_beginning_of_an_id_is_enough(given: str, store: DynamoFindingStore, demarc: Demarc) -> None:
    assert demarc("show", given, "--json").rows[0]["id"] == ID


def test_a_beginning_that_several_have_names_them(store: DynamoFindingStore, demarc: Demarc) -> None:
    other = replace(BUCKET, identifier="films")
    store.record(other, NOON, [a_finding(id="3f9a1c2bffffffffffffffff", resource=other)])

    ended = demarc("show", "3f9a1c2b")

    assert (ended.exit_code, ended.out) == (2, "")
    assert f"{ID}  ACKNOWLEDGED  s3-bucket-is-private  photos" in ended.err
    assert "3f9a1c2bffffffffffffffff  OPEN  s3-bucket-is-private  films" in ended.err


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ("ffffff", 4, "no finding's ID begins with ffffff. `demarc findings --all` lists"),
        ("f" * 24, 4, "no finding's ID begins with"),
        ("3f9a1", 2, "the first 6 or more of them"),
        ("photos", 2, "'photos' is not the ID of a finding"),
    ],
)
def test_an_id_that_names_nothing_is_said(
    given: str, code: int, said: str, store: DynamoFindingStore, demarc: Demarc
) -> None:
    ended = demarc("show", given)

    assert (ended.exit_code, ended.out) == (code, "")
    assert said in ended.err


def test_a_reason_does_not_reach_the_terminal_as_it_is(store: DynamoFindingStore, demarc: Demarc) -> None:
    finding = store.get(ID)
    assert finding
    store.amend(after(finding, Act.ASSIGN, to="\x1b[2Jnobody", reason="\x1b]0;title\x07"))

    assert "\x1b" not in demarc("show", ID).out
