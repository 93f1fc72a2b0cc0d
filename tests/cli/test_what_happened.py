"""What happened at the command line: it is told, counted, closed by a word with a reason, and never looked at again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from demarc import readers
from demarc.authoring.compile import CompiledMatrix
from demarc.aws import AwsClients
from demarc.cli.telling import Nobody
from demarc.core.change import interpret
from demarc.core.model import OCCURRENCE, Change, Finding, Origin, Status
from demarc.core.occurrence import OccurrenceIndex
from demarc.core.touch import TouchIndex
from demarc.pipeline import Batch, Pipeline
from demarc.stores.dynamodb import DynamoFindingStore
from tests.cli.conftest import REGION, Demarc, Deployed
from tests.cli.test_explain import ROOT_SIGNS_IN

SignIn = Callable[[str], None]
REASON = "it was Ines, to close the old support plan"


def signed_in(second: int, matrix: CompiledMatrix) -> Change:
    record = ROOT_SIGNS_IN | {
        "awsRegion": REGION,
        "eventID": f"e{second}",
        "eventTime": f"2026-11-24T09:00:{second:02d}Z",
        "additionalEventData": {"MFAUsed": "Yes"},
    }
    outcome = interpret(record, TouchIndex.of(()), OccurrenceIndex(matrix.controls[OCCURRENCE]))
    assert isinstance(outcome, Change)
    return outcome


@pytest.fixture
def store(deployed: Deployed, sign_in: SignIn, aws: AwsClients, matrix: CompiledMatrix) -> DynamoFindingStore:
    """The stack's table, after root signed in twice."""
    store = DynamoFindingStore(aws("dynamodb", REGION), deployed.table)
    pipeline = Pipeline(
        matrix=matrix.matrix(),
        readers={each.type: each for each in readers.load((OCCURRENCE,))},
        clients=aws,
        store=store,
        announcer=Nobody(),
        clock=lambda: datetime.now(UTC),
    )
    for second in (1, 7):
        change = signed_in(second, matrix)
        Batch(pipeline, [change]).settle(change)
    return store


def recorded(store: DynamoFindingStore) -> Finding:
    (finding,) = store.find()
    return finding


def test_an_acknowledgement_with_a_reason_closes_it(store: DynamoFindingStore, demarc: Demarc) -> None:
    ended = demarc("ack", recorded(store).id, "--reason", REASON)

    finding = recorded(store)
    assert (ended.exit_code, finding.status, finding.reason) == (0, Status.RESOLVED, REASON)
    assert finding.transition is not None
    assert (finding.transition.by, finding.transition.origin) == ("Jonas Weber", Origin.CLI)
    assert "OPEN -> RESOLVED" in ended.out


def test_without_a_reason_it_stays_open_and_is_asked_for_one(store: DynamoFindingStore, demarc: Demarc) -> None:
    ended = demarc("ack", recorded(store).id)

    assert (ended.exit_code, recorded(store).status) == (5, Status.OPEN)
    assert "say why it was right" in ended.err


@pytest.mark.parametrize("here", [[], ["--here"]])
def test_there_is_nothing_to_look_at_again_and_it_says_what_to_do(
    here: list[str], store: DynamoFindingStore, demarc: Demarc
) -> None:
    finding = recorded(store)

    ended = demarc("recheck", finding.id, *here)

    assert (ended.exit_code, ended.out) == (5, "")
    assert "nothing to look at again" in ended.err
    assert f"demarc ack {finding.id[:8]} --reason TEXT" in " ".join(ended.err.split())


def test_nobody_resolves_it_by_another_word(store: DynamoFindingStore, demarc: Demarc) -> None:
    ended = demarc("resolve", recorded(store).id)

    assert ended.exit_code == 5
    assert "closed by whoever acknowledges it" in " ".join(ended.err.split())


def test_it_is_shown_with_what_happened_how_often_and_since_when(store: DynamoFindingStore, demarc: Demarc) -> None:
    text = demarc("show", recorded(store).id).out

    assert "signin:ConsoleLogin" in text
    assert "2 calls, the first 2026-11-24 09:00:01 UTC, the last 2026-11-24 09:00:07 UTC" in text
    assert "revision 1: happened" in text


def test_machines_read_its_revisions_as_of_any_finding(store: DynamoFindingStore, demarc: Demarc) -> None:
    (row,) = demarc("show", recorded(store).id, "--json").rows

    assert row["resource"]["type"] == OCCURRENCE


def test_the_type_cannot_be_evaluated(store: DynamoFindingStore, demarc: Demarc) -> None:
    ended = demarc("evaluate", OCCURRENCE, "x")

    assert ended.exit_code == 2
    assert "cannot be looked at" in ended.err


def test_a_replay_records_it_once_however_often_it_is_told(sign_in: SignIn, deployed: Deployed, demarc: Demarc) -> None:
    lines = "\n".join([json.dumps(ROOT_SIGNS_IN)] * 2)

    first, second = demarc("replay", "-", "--json", given=lines).rows

    assert {finding["control"] for finding in first["findings"]} == {
        "root-user-is-not-used",
        "sign-in-takes-a-second-factor",
    }
    assert all(finding["news"] for finding in first["findings"])
    assert not any(finding["news"] for finding in second["findings"])


def test_the_matrix_shows_what_a_control_minds(demarc: Demarc) -> None:
    text = demarc("matrix", "show", "--control", "guardduty-is-not-suspended").out

    assert "guardduty:UpdateDetector" in text
    assert "requestParameters.enable is false" in text
