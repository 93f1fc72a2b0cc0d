"""What is kept of messages: claimed once, noted for good, and taken over from whoever died."""

from __future__ import annotations

from datetime import timedelta

import pytest

from demarc.aws import AwsClients
from demarc.core.chat.posted import Posted
from demarc.stores.messages import CALLS, CLAIM_HOLDS, AlreadyTold, Busy, MessageStore
from tests.factories import NOON
from tests.integration.conftest import REGION
from tests.integration.tables import create_table

HERE, POSTED = "slack:#payments", Posted("C1", "1.1", "1.0")


@pytest.fixture
def messages(clients: AwsClients) -> MessageStore:
    create_table(clients("dynamodb", REGION), "findings")
    return MessageStore(clients("dynamodb", REGION), "findings")


def record(messages: MessageStore, revision: int) -> None:
    messages.record("f1", HERE, revision, posted=POSTED, together=("f1", "f2"), others=3, now=NOON)


def test_what_was_told_is_known_to_the_next_revision(messages: MessageStore) -> None:
    messages.claim("f1", HERE, 1, now=NOON)
    record(messages, 1)

    told = messages.claim("f1", HERE, 2, now=NOON)

    assert (told.revision, told.posted, told.together, told.others) == (1, POSTED, ("f1", "f2"), 3)


def test_a_revision_that_was_told_is_nobodys_to_tell(messages: MessageStore) -> None:
    record(messages, 3)

    for revision in (2, 3):
        with pytest.raises(AlreadyTold) as known:
            messages.claim("f1", HERE, revision, now=NOON)
        assert known.value.told.posted == POSTED


def test_two_workers_do_not_tell_the_same(messages: MessageStore) -> None:
    messages.claim("f1", HERE, 1, now=NOON)

    with pytest.raises(Busy):
        messages.claim("f1", HERE, 2, now=NOON + timedelta(seconds=1))


def test_another_destination_is_another_matter(messages: MessageStore) -> None:
    record(messages, 1)

    assert messages.claim("f1", "slack:#grc", 1, now=NOON).posted is None


def test_what_somebody_died_over_can_be_claimed_when_the_claim_has_run_out(messages: MessageStore) -> None:
    messages.claim("f1", HERE, 1, now=NOON)

    assert messages.claim("f1", HERE, 1, now=NOON + CLAIM_HOLDS + timedelta(seconds=2)).revision == 0


def test_what_is_given_back_can_be_claimed_at_once(messages: MessageStore) -> None:
    messages.claim("f1", HERE, 1, now=NOON)
    messages.release("f1", HERE)

    assert messages.claim("f1", HERE, 1, now=NOON).revision == 0


def test_a_late_note_does_not_take_back_a_later_one(messages: MessageStore) -> None:
    record(messages, 3)
    record(messages, 2)

    assert messages.claim("f1", HERE, 4, now=NOON).revision == 3


def test_the_highest_revision_that_waits_is_remembered(messages: MessageStore) -> None:
    for revision in (2, 4, 3):
        messages.hold("f1", HERE, revision, now=NOON)

    assert messages.claim("f1", HERE, 2, now=NOON).held == 4


def test_messages_are_forgotten_some_day(clients: AwsClients, messages: MessageStore) -> None:
    record(messages, 1)

    (item,) = clients("dynamodb", REGION).scan(TableName="findings")["Items"]
    assert int(item["expires"]["N"]) == int((NOON + timedelta(days=400)).timestamp())


def test_only_declared_calls_are_made(messages: MessageStore, calls: list[str]) -> None:
    calls.clear()
    messages.claim("f1", HERE, 1, now=NOON)
    messages.hold("f1", HERE, 2, now=NOON)
    messages.release("f1", HERE)
    record(messages, 1)

    assert set(calls) == set(CALLS)
