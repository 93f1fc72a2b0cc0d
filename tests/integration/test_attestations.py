"""A word that was given counts, is never lost, and runs out."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from botocore.stub import Stubber

from demarc import checks, readers
from demarc.aws import AwsClients
from demarc.core.attestation import Recorded, items_of, key_of
from demarc.core.framework import Attestation
from demarc.core.snapshot import Snapshot
from demarc.readers import Gone
from demarc.readers.framework import REQUIREMENT
from demarc.stores.attestations import AttestationStore, LaterGiven
from tests.integration.tables import create_table

REGION, ACCOUNT = "eu-west-1", "123456789012"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NIST, NUMBER = "nist-800-53-r5", "AC-2(1)"


def a_word(at: datetime = NOON, *, evidence: str = "https://wiki.example.com/1") -> Recorded:
    return Recorded(Attestation("raj.patel", at.date(), date(2026, 3, 31), evidence), at, "Raj Patel")


@pytest.fixture
def table(clients: AwsClients) -> str:
    """The table of a stack, as CloudFormation knows it."""
    properties = {
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    template = {"Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": properties}}}
    cloudformation = clients("cloudformation", REGION)
    cloudformation.create_stack(StackName="Demarc", TemplateBody=json.dumps(template))
    (made,) = cloudformation.list_stack_resources(StackName="Demarc")["StackResourceSummaries"]
    return str(made["PhysicalResourceId"])


@pytest.fixture
def store(clients: AwsClients) -> AttestationStore:
    create_table(clients("dynamodb", REGION), "findings")
    return AttestationStore(clients("dynamodb", REGION), "findings")


def look(clients: AwsClients, identifier: str) -> Snapshot | Gone:
    resource = readers.resource_of(REQUIREMENT, identifier, ACCOUNT, REGION)
    return readers.read(REQUIREMENT, resource, needs=("Observed.Attestation",), clients=clients, now=NOON)


def test_the_words_for_many_requirements_are_found_at_once(store: AttestationStore) -> None:
    """More than DynamoDB gives in one answer."""
    numbers = [f"AC-{number}" for number in range(150)]
    for number in numbers[::2]:
        store.record(NIST, number, a_word())
    store.record("soc-2", "AC-1", a_word())

    assert store.last_of(NIST, numbers) == dict.fromkeys(numbers[::2], a_word())
    assert store.last_of(NIST, []) == {}


def test_what_did_not_fit_into_an_answer_is_asked_for_again(clients: AwsClients) -> None:
    client = clients("dynamodb", REGION)
    asked = {"Keys": [key_of(NIST, "AC-1"), key_of(NIST, "AC-2")], "ConsistentRead": True}
    left = {"Keys": [key_of(NIST, "AC-2")], "ConsistentRead": True}
    word, _ = items_of(NIST, "AC-1", a_word())
    late, _ = items_of(NIST, "AC-2", a_word())
    with Stubber(client) as stubber:
        first = {"Responses": {"findings": [word]}, "UnprocessedKeys": {"findings": left}}
        stubber.add_response("batch_get_item", first, {"RequestItems": {"findings": asked}})
        second = {"Responses": {"findings": [late]}, "UnprocessedKeys": {}}
        stubber.add_response("batch_get_item", second, {"RequestItems": {"findings": left}})

        found = AttestationStore(client, "findings").last_of(NIST, ["AC-1", "AC-2"])

    assert found.keys() == {"AC-1", "AC-2"}


def test_the_last_word_counts_and_every_one_is_kept(store: AttestationStore) -> None:
    first, second = a_word(), a_word(NOON + timedelta(days=1), evidence="https://wiki.example.com/2")
    store.record(NIST, NUMBER, first)
    store.record(NIST, NUMBER, second)

    assert store.last(NIST, NUMBER) == second
    assert store.history(NIST, NUMBER) == (first, second)
    assert (store.last(NIST, "AC-2"), store.history("pci-dss-4.0.1", NUMBER)) == (None, ())


def test_a_word_takes_the_place_of_no_later_one(store: AttestationStore) -> None:
    later = a_word(NOON + timedelta(seconds=1))
    store.record(NIST, NUMBER, later)

    with pytest.raises(LaterGiven) as refused:
        store.record(NIST, NUMBER, a_word())

    assert refused.value.recorded == later
    assert store.history(NIST, NUMBER) == (later,)


def test_a_requirement_is_read_with_the_word_that_counts(table: str, clients: AwsClients, calls: list[str]) -> None:
    AttestationStore(clients("dynamodb", REGION), table).record(NIST, NUMBER, a_word())
    calls.clear()

    snapshot = look(clients, f"Demarc/{NIST}/{NUMBER}")

    assert isinstance(snapshot, Snapshot)
    assert snapshot["Observed.Attestation"]["Until"] == "2026-03-31"
    assert set(calls) == {call for part in REQUIREMENT.parts for call in part.calls}


def test_a_requirement_of_which_nobody_spoke_has_no_word(table: str, clients: AwsClients) -> None:
    snapshot = look(clients, f"Demarc/{NIST}/AT-2")

    assert isinstance(snapshot, Snapshot)
    assert snapshot["Observed.Attestation"] is None


@pytest.mark.parametrize("identifier", [f"Elsewhere/{NIST}/AT-2", "Demarc", "Demarc/nist-800-53-r5"])
def test_what_is_of_no_stack_or_no_requirement_is_not_there(identifier: str, table: str, clients: AwsClients) -> None:
    assert isinstance(look(clients, identifier), Gone)


@pytest.mark.parametrize("signed", [None, "2025-12-31"])
def test_a_recorded_word_stands_for_one_that_was_never_signed_or_ran_out(
    signed: str | None, table: str, clients: AwsClients
) -> None:
    AttestationStore(clients("dynamodb", REGION), table).record(NIST, NUMBER, a_word())

    snapshot = look(clients, f"Demarc/{NIST}/{NUMBER}")

    assert isinstance(snapshot, Snapshot)
    assert list(checks.find("demarc.attestation_is_fresh")(snapshot, due={f"{NIST}/{NUMBER}": signed})) == []
