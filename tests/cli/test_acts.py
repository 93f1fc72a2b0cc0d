"""What people say of findings at the command line: by whom it counts, what it does, and who hears of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from demarc.announcers.sns import SnsAnnouncer
from demarc.aws import AwsClients
from demarc.core.model import Finding, Origin, Severity, Status
from demarc.core.wire import from_wire
from demarc.stores import Conflict
from demarc.stores.dynamodb import DynamoFindingStore
from tests.cli.conftest import ACCOUNT, REGION, Demarc, Deployed, create_stack
from tests.factories import BUCKET, NOON, a_finding, next_revision

SignIn = Callable[[str], None]

ID = "3f9a1c2b5d6e7f8091a2b3c4"
IN_A_MONTH = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
BECAUSE = ("--reason", "the vendor's fix comes in May")
ACCEPT = ("accept", ID, *BECAUSE, "--until", IN_A_MONTH)


@pytest.fixture
def store(deployed: Deployed, sign_in: SignIn, aws: AwsClients) -> DynamoFindingStore:
    """The stack's table, in which payments has a finding of high severity; Jonas Weber of payments is signed in."""
    store = DynamoFindingStore(aws("dynamodb", REGION), deployed.table)
    store.record(BUCKET, NOON, [a_finding(id=ID)])
    store.mark_announced(a_finding(id=ID))
    return store


def recorded(store: DynamoFindingStore) -> Finding:
    finding = store.get(ID)
    assert finding
    return finding


def heard(deployed: Deployed, aws: AwsClients) -> list[dict[str, Any]]:
    """The messages that were published and not heard before."""
    sqs = aws("sqs", REGION)
    messages = sqs.receive_message(QueueUrl=deployed.heard, MaxNumberOfMessages=10).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=deployed.heard, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(json.loads(message["Body"])["Message"]) for message in messages]


def test_an_acknowledgement_is_recorded_with_who_why_and_from_where_and_told(
    store: DynamoFindingStore, deployed: Deployed, demarc: Demarc, aws: AwsClients
) -> None:
    ended = demarc("ack", ID[:8], "--reason", "at it")

    finding = recorded(store)
    assert (ended.exit_code, ended.err) == (0, "")
    assert finding.status is Status.ACKNOWLEDGED
    assert finding.transition
    assert (finding.transition.by, finding.transition.origin, finding.transition.reason) == (
        "Jonas Weber",
        Origin.CLI,
        "at it",
    )
    assert finding.announced == finding.revision == 2
    assert [message["findings"][0]["status"] for message in heard(deployed, aws)] == ["ACKNOWLEDGED"]


def test_people_read_what_was_done(store: DynamoFindingStore, demarc: Demarc) -> None:
    lines = demarc("ack", ID).out.splitlines()

    assert lines[0] == f"{ID}  s3-bucket-is-private: AWS::S3::Bucket photos, 123456789012, eu-west-1"
    assert lines[1].startswith("ACKNOWLEDGED  ")
    assert lines[1].endswith("UTC, revision 2: acknowledged by Jonas Weber at the command line")
    assert lines[2:] == ["  status  OPEN -> ACKNOWLEDGED"]


def test_machines_get_the_finding(store: DynamoFindingStore, demarc: Demarc) -> None:
    (row,) = demarc("ack", ID, "--json").rows

    assert replace(from_wire(Finding, row), announced=2) == recorded(store)


@pytest.mark.parametrize("person", ["aiko.tanaka", "Aiko.Tanaka@fjordline.example", "aiko tanaka"])
def test_a_finding_is_assigned_by_id_address_or_name(person: str, store: DynamoFindingStore, demarc: Demarc) -> None:
    ended = demarc("assign", ID, person)

    assert ended.exit_code == 0
    assert recorded(store).assignee == "Aiko Tanaka"


def test_nobody_can_be_assigned_whom_the_matrix_does_not_know(store: DynamoFindingStore, demarc: Demarc) -> None:
    ended = demarc("assign", ID, "aiko.tanka")

    assert (ended.exit_code, ended.out) == (2, "")
    assert "nobody in the matrix is called 'aiko.tanka'. Did you mean aiko.tanaka?" in ended.err
    assert recorded(store).revision == 1


# --- accepting ------------------------------------------------------------------------------------------------------


def test_an_owner_only_proposes_what_takes_a_second_person_and_hears_who_answers(
    store: DynamoFindingStore, demarc: Demarc
) -> None:
    ended = demarc(*ACCEPT)

    finding = recorded(store)
    assert ended.exit_code == 0
    assert finding.status is Status.OPEN
    assert finding.proposal
    assert finding.proposal.requested_by == "Jonas Weber"
    assert "Helena Novak or Ines Okafor answers with demarc approve 3f9a1c2b" in ended.out


def test_the_second_person_approves(store: DynamoFindingStore, demarc: Demarc, sign_in: SignIn) -> None:
    demarc(*ACCEPT)
    sign_in("helena.novak")

    ended = demarc("approve", ID)

    finding = recorded(store)
    assert ended.exit_code == 0
    assert finding.status is Status.ACCEPTED
    assert finding.exception
    assert (finding.exception.requested_by, finding.exception.approver) == ("Jonas Weber", "Helena Novak")


def test_whoever_proposed_cannot_approve(store: DynamoFindingStore, demarc: Demarc, sign_in: SignIn) -> None:
    demarc(*ACCEPT)

    ended = demarc("approve", ID)

    assert (ended.exit_code, ended.out) == (5, "")
    assert "s3-bucket-is-private on photos: Only Helena Novak or Ines Okafor may approve it." in ended.err
    assert recorded(store).status is Status.OPEN


def test_an_approver_who_owns_it_cannot_approve_what_they_proposed(
    store: DynamoFindingStore, demarc: Demarc, sign_in: SignIn
) -> None:
    theirs = replace(BUCKET, identifier="papers")
    store.record(theirs, NOON, [a_finding(id="a" * 24, team="governance", resource=theirs)])
    sign_in("helena.novak")

    assert demarc("accept", "a" * 24, *BECAUSE, "--until", "30d").exit_code == 0
    ended = demarc("approve", "a" * 24)

    assert ended.exit_code == 5
    assert "Whoever proposes to accept a risk cannot approve it too." in ended.err


def test_a_name_that_its_bearer_chooses_is_not_a_second_person(
    store: DynamoFindingStore, demarc: Demarc, sign_in: SignIn
) -> None:
    demarc(*ACCEPT)
    sign_in(f"arn:aws:sts::{ACCOUNT}:assumed-role/engineer/helena.novak@fjordline.example")

    ended = demarc("approve", ID)

    assert (ended.exit_code, ended.out) == (5, "")
    assert "whoever assumes the role engineer chooses the name 'helena.novak@fjordline.example'" in ended.err
    assert recorded(store).status is Status.OPEN


def test_nor_is_it_a_first_person_where_a_second_is_asked_for(
    store: DynamoFindingStore, demarc: Demarc, sign_in: SignIn
) -> None:
    sign_in(f"arn:aws:sts::{ACCOUNT}:assumed-role/engineer/aiko.tanaka@fjordline.example")

    assert demarc(*ACCEPT).exit_code == 5
    assert demarc("ack", ID).exit_code == 0
    assert recorded(store).proposal is None


def test_where_one_is_enough_the_owner_accepts(store: DynamoFindingStore, demarc: Demarc) -> None:
    minor = replace(BUCKET, identifier="drafts")
    store.record(minor, NOON, [a_finding(id="b" * 24, severity=Severity.LOW, resource=minor)])

    (row,) = demarc("accept", "b" * 24, *BECAUSE, "--until", IN_A_MONTH, "--json").rows

    assert row["status"] == "ACCEPTED"
    assert row["exception"]["expires"][:10] == f"{datetime.now(UTC) + timedelta(days=31):%Y-%m-%d}"


def test_a_proposal_is_declined_and_an_acceptance_taken_back(
    store: DynamoFindingStore, demarc: Demarc, sign_in: SignIn
) -> None:
    demarc(*ACCEPT)
    sign_in("ines.okafor")

    assert demarc("decline", ID, "--reason", "customer data is in it").exit_code == 0
    assert recorded(store).proposal is None
    assert demarc(*ACCEPT).exit_code == 0
    assert recorded(store).status is Status.ACCEPTED
    assert demarc("decline", ID, "--reason", "on second thoughts").exit_code == 0
    assert recorded(store).status is Status.OPEN


@pytest.mark.parametrize(
    ("until", "code", "said"),
    [
        ("2020-01-01", 5, "A risk is accepted until some day after today"),
        ("400d", 5, "at the latest"),
        ("soon", 2, "'soon' is neither a day such as 2027-06-30 nor a time such as 90d"),
        ("2027-02-30", 2, "'2027-02-30' is neither a day"),
    ],
)
def test_an_end_that_cannot_be_is_said(
    until: str, code: int, said: str, store: DynamoFindingStore, demarc: Demarc
) -> None:
    ended = demarc("accept", ID, *BECAUSE, "--until", until)

    assert (ended.exit_code, ended.out) == (code, "")
    assert said in ended.err


def test_a_risk_is_not_accepted_by_a_matrix_that_is_not_deployed(
    store: DynamoFindingStore, demarc: Demarc, aws: AwsClients
) -> None:
    create_stack(aws, "Other", {"FindingsTable": "findings", "MatrixVersion": "0123456789ab"})

    ended = demarc(*ACCEPT, "--stack", "Other")

    assert (ended.exit_code, ended.out) == (2, "")
    assert "is not the one that is deployed (0123456789ab)" in ended.err
    assert recorded(store).revision == 1


# --- a verdict that is wrong ----------------------------------------------------------------------------------------


def test_a_word_does_not_resolve(store: DynamoFindingStore, demarc: Demarc) -> None:
    ended = demarc("resolve", ID, "--reason", "I mended it")

    assert (ended.exit_code, ended.out) == (5, "")
    assert "only what is read from AWS resolves a finding" in ended.err
    assert "`demarc recheck`" in ended.err
    assert recorded(store).revision == 1


def test_a_false_positive_covers_what_was_seen_for_as_long_as_may_be(
    store: DynamoFindingStore, demarc: Demarc, sign_in: SignIn
) -> None:
    sign_in("helena.novak")

    ended = demarc("resolve", ID, "--false-positive", "--reason", "the principal is our own CDN")

    risk = recorded(store).exception
    assert ended.exit_code == 0
    assert risk
    assert risk.false_positive
    assert risk.expires - datetime.now(UTC) > timedelta(days=364)
    assert "risk    false positive until" in ended.out


def test_a_false_positive_has_a_reason(store: DynamoFindingStore, demarc: Demarc) -> None:
    ended = demarc("resolve", ID, "--false-positive")

    assert ended.exit_code == 2
    assert "--false-positive needs a --reason" in ended.err


# --- who acts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arn", "said"),
    [
        ("assumed-role/AWSReservedSSO_Engineer_0123/olga", "the credentials are those of 'olga'"),
        ("assumed-role/AWSReservedSSO_Engineer_0123/olga", "as `email` or `id`"),
        ("root", "the root user is nobody in particular"),
        ("assumed-role/deploy-shop/jonas.weber", "is a pipeline, and this takes a person's word"),
        ("assumed-role/Demarc-data-eu-west-1/jonas.weber", "is Demarc itself"),
        ("assumed-role/web/i-0123456789abcdef0", "who is not in the matrix"),
    ],
)
def test_nobody_acts_whom_the_matrix_does_not_know(
    arn: str, said: str, store: DynamoFindingStore, demarc: Demarc, sign_in: SignIn
) -> None:
    sign_in(f"arn:aws:sts::{ACCOUNT}:{arn}")

    ended = demarc("ack", ID)

    assert (ended.exit_code, ended.out) == (5, "")
    assert said in ended.err
    assert recorded(store).revision == 1


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:iam::{ACCOUNT}:user/people/helena.novak",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Audit_0123/Helena.Novak@Fjordline.example",
    ],
)
def test_a_user_and_a_session_that_aws_named_are_the_person(
    arn: str, store: DynamoFindingStore, demarc: Demarc, sign_in: SignIn
) -> None:
    demarc(*ACCEPT)
    sign_in(arn)

    assert demarc("approve", ID).exit_code == 0
    assert recorded(store).status is Status.ACCEPTED


def test_there_is_no_way_to_say_that_one_is_somebody_else(store: DynamoFindingStore, demarc: Demarc) -> None:
    assert demarc("ack", ID, "--as", "helena.novak").exit_code == 2


# --- what is not as it was thought to be ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ("ack", ID),
        ("assign", ID, "aiko.tanaka"),
        ACCEPT,
        ("resolve", ID, "--false-positive", *BECAUSE),
    ],
)
def test_what_is_resolved_already_is_said_to_be(
    command: tuple[str, ...], store: DynamoFindingStore, demarc: Demarc
) -> None:
    store.record(BUCKET, NOON, [next_revision(a_finding(id=ID), status=Status.RESOLVED, drift=())])

    ended = demarc(*command)

    assert (ended.exit_code, ended.out) == (5, "")
    assert "It is RESOLVED already." in ended.err


def test_what_was_acknowledged_already_names_by_whom(
    store: DynamoFindingStore, demarc: Demarc, sign_in: SignIn
) -> None:
    demarc("ack", ID)
    sign_in("aiko.tanaka")

    ended = demarc("ack", ID)

    assert ended.exit_code == 5
    assert "Jonas Weber has acknowledged it already." in ended.err


def test_an_act_that_somebody_overtakes_is_done_to_what_is_there_then(
    store: DynamoFindingStore, demarc: Demarc, monkeypatch: pytest.MonkeyPatch
) -> None:
    amend = DynamoFindingStore.amend

    def overtaken(self: DynamoFindingStore, finding: Finding) -> None:
        if recorded(store).revision == 1:
            amend(store, next_revision(a_finding(id=ID), severity=Severity.LOW))
        amend(self, finding)

    monkeypatch.setattr(DynamoFindingStore, "amend", overtaken)

    ended = demarc("ack", ID)

    assert (ended.exit_code, ended.err) == (0, "")
    assert [each.severity for each in store.history(ID)] == [Severity.HIGH, Severity.LOW, Severity.LOW]


def test_others_who_do_not_stop_are_told_of(
    store: DynamoFindingStore, demarc: Demarc, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: Any) -> None:
        raise Conflict("the finding has another revision")

    monkeypatch.setattr(DynamoFindingStore, "amend", busy)

    ended = demarc("ack", ID)

    assert (ended.exit_code, ended.out) == (3, "")
    assert "others changed the finding at the same time" in ended.err


# --- recorded first, told then --------------------------------------------------------------------------------------


def test_what_cannot_be_told_is_recorded_said_and_goes_on_waiting(
    store: DynamoFindingStore, demarc: Demarc, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise ClientError({"Error": {"Code": "AuthorizationError", "Message": "no"}}, "Publish")

    monkeypatch.setattr(SnsAnnouncer, "announce", refuse)

    ended = demarc("ack", ID)

    assert ended.exit_code == 3
    assert "It is recorded, but was not told, and goes on waiting for the next look or sweep" in ended.err
    assert "acknowledged by Jonas Weber" in ended.out
    assert [(each.id, each.announced, each.revision) for each in store.unannounced()] == [(ID, 1, 2)]


def test_a_crash_between_recording_and_telling_leaves_it_waiting(
    store: DynamoFindingStore, demarc: Demarc, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any) -> None:
        raise SystemExit(137)

    monkeypatch.setattr(SnsAnnouncer, "announce", crash)

    assert demarc("ack", ID).exit_code == 137
    assert [each.status for each in store.unannounced()] == [Status.ACKNOWLEDGED]


def test_without_a_topic_nobody_is_told_and_that_is_said(
    store: DynamoFindingStore, deployed: Deployed, demarc: Demarc, aws: AwsClients
) -> None:
    ended = demarc("ack", ID, "--table", deployed.table)

    assert ended.exit_code == 0
    assert "It is recorded, and waits to be told: no --topic was named" in ended.err
    assert [each.id for each in store.unannounced()] == [ID]
    assert heard(deployed, aws) == []


def test_a_table_and_a_topic_may_be_named_one_by_one(
    store: DynamoFindingStore, deployed: Deployed, demarc: Demarc, aws: AwsClients
) -> None:
    aws("cloudformation", REGION).delete_stack(StackName="Demarc")

    ended = demarc("ack", ID, "--table", deployed.table, "--topic", deployed.topic)

    assert (ended.exit_code, ended.err) == (0, "")
    assert len(heard(deployed, aws)) == 1


def test_a_topic_that_is_none_is_said_before_anything_is_done(
    store: DynamoFindingStore, deployed: Deployed, demarc: Demarc
) -> None:
    ended = demarc("ack", ID, "--table", deployed.table, "--topic", "findings")

    assert ended.exit_code == 2
    assert "'findings' is not the ARN of an SNS topic" in ended.err
    assert recorded(store).revision == 1
