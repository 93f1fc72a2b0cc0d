"""`demarc attest`: whose word counts for what, until when, and that it is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from demarc.aws import AwsClients
from demarc.cli.reference import FIELDS
from demarc.core.look import look_of
from tests.cli.conftest import REGION, Demarc, Deployed, create_stack

SignIn = Callable[[str], None]

IN_A_MONTH = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
IN_TWO_YEARS = f"{datetime.now(UTC) + timedelta(days=730):%Y-%m-%d}"
EVIDENCE = "https://wiki.fjordline.example/security/managed-devices"
WORD = ("attest", "PE-17", "--by", "raj.patel", "--until", IN_A_MONTH, "--evidence", EVIDENCE)


@pytest.fixture
def raj(deployed: Deployed, sign_in: SignIn) -> Deployed:
    sign_in("raj.patel")
    return deployed


def test_a_word_is_kept_with_whose_it_is_and_whose_credentials_recorded_it(raj: Deployed, demarc: Demarc) -> None:
    ended = demarc(*WORD, "--json")

    (row,) = ended.rows
    assert list(row) == list(FIELDS["attest"])
    assert (row["framework"], row["requirement"]) == ("nist-800-53-r5", "PE-17")
    assert (row["by"], row["until"], row["evidence"]) == ("raj.patel", IN_A_MONTH, EVIDENCE)
    assert row["recorder"] == "Raj Patel"


def test_every_word_that_was_given_is_told_the_oldest_first(raj: Deployed, sign_in: SignIn, demarc: Demarc) -> None:
    demarc(*WORD)
    sign_in("helena.novak")
    demarc(*WORD[:-1], "https://wiki.fjordline.example/security/audit")

    rows = demarc("attest", "nist-800-53-r5/PE-17", "--history", "--json").rows

    assert [row["evidence"] for row in rows] == [EVIDENCE, "https://wiki.fjordline.example/security/audit"]
    assert [row["recorder"] for row in rows] == ["Raj Patel", "Helena Novak"]
    assert "2 attestations" in demarc("attest", "PE-17", "--history").out


def test_the_responder_is_asked_to_look_at_the_requirement(
    raj: Deployed, sign_in: SignIn, demarc: Demarc, aws: AwsClients
) -> None:
    queue = aws("sqs", REGION).create_queue(QueueName="visibility")["QueueUrl"]
    create_stack(aws, "Other", {"FindingsTable": raj.table, "QueueVisibility": queue})

    demarc(*WORD, "--stack", "Other")

    (message,) = aws("sqs", REGION).receive_message(QueueUrl=queue)["Messages"]
    (resource,) = look_of(json.loads(message["Body"])).resources
    assert resource.type == "Demarc::Framework::Requirement"
    assert resource.identifier == "Other/nist-800-53-r5/PE-17"


def test_where_nobody_is_asked_that_is_said(raj: Deployed, demarc: Demarc) -> None:
    assert "no stack was asked to look at it again" in demarc(*WORD, "--table", raj.table).out


def test_nobody_speaks_for_somebody_else_but_governance(raj: Deployed, sign_in: SignIn, demarc: Demarc) -> None:
    sign_in("jonas.weber")

    ended = demarc(*WORD)

    assert "this would be the word of Raj Patel. Only governance records what others say" in ended.err
    assert demarc("attest", "PE-17", "--history", "--json").rows == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("attest", "AC-2", *WORD[2:]), "no requirement 'AC-2' is verified by attestation"),
        ((*WORD[:3], "raj.patal", *WORD[4:]), "Did you mean raj.patel"),
        ((*WORD[:3], "jonas.weber", *WORD[4:]), "the team security answers for nist-800-53-r5/PE-17, and Jonas Weber"),
        ((*WORD[:5], "2020-01-01", *WORD[6:]), "has passed: such a word counts for nothing"),
        ((*WORD[:5], IN_TWO_YEARS, *WORD[6:]), "is attested again after 365 days at the latest"),
        ((*WORD[:5], "soon", *WORD[6:]), "is not a day such as 2027-06-30"),
        ((*WORD[:7], "arn:aws:artifact:us-east-1::report/soc"), "certifications are not inherited"),
        ((*WORD[:7], "trust me"), "is no address that somebody could open"),
        (("attest", "PE-17"), "A word needs --by, --until and --evidence"),
        (("attest", "PE-17", "--history", "--by", "raj.patel"), "--history gives no word"),
    ],
)
def test_a_word_that_cannot_count_is_refused_with_what_to_do(
    arguments: tuple[str, ...], said: str, raj: Deployed, demarc: Demarc
) -> None:
    ended = demarc(*arguments)

    assert said in ended.err
    assert ended.exit_code not in (0, 1)
    assert demarc("attest", "PE-17", "--history", "--json").rows == []
