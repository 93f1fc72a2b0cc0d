"""That changes arrive is noted, and seldom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from demarc.aws import AwsClients
from demarc.core.heartbeat import Heartbeat
from demarc.stores.heartbeats import CALLS, EVERY, Heartbeats
from tests.integration.tables import create_table

REGION = "eu-west-1"
ACCOUNT = "123456789012"
TABLE = "findings"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


@pytest.fixture
def dynamodb(clients: AwsClients, calls: list[str]) -> Any:
    client = clients("dynamodb", REGION)
    create_table(client, TABLE)
    calls.clear()
    return client


def test_the_last_change_is_known_by_when_it_was_seen_and_by_what_it_was(dynamodb: Any) -> None:
    Heartbeats(dynamodb, TABLE).note(ACCOUNT, REGION, NOON, "ec2.amazonaws.com:RunInstances")

    assert Heartbeats(dynamodb, TABLE).last(ACCOUNT, REGION) == Heartbeat(NOON, "ec2.amazonaws.com:RunInstances")


def test_where_no_change_was_seen_there_is_none(dynamodb: Any) -> None:
    heartbeats = Heartbeats(dynamodb, TABLE)
    heartbeats.note(ACCOUNT, REGION, NOON, "e1")

    assert heartbeats.last(ACCOUNT, "us-east-1") is None
    assert heartbeats.last("111122223333", REGION) is None


def test_a_storm_of_changes_is_one_write(dynamodb: Any, calls: list[str]) -> None:
    heartbeats = Heartbeats(dynamodb, TABLE)
    for second in range(299):
        heartbeats.note(ACCOUNT, REGION, NOON + timedelta(seconds=second), f"e{second}")

    assert calls == ["dynamodb.PutItem"]
    assert heartbeats.last(ACCOUNT, REGION) == Heartbeat(NOON, "e0")


def test_after_five_minutes_it_is_noted_again(dynamodb: Any) -> None:
    heartbeats = Heartbeats(dynamodb, TABLE)
    heartbeats.note(ACCOUNT, REGION, NOON, "e1")
    heartbeats.note(ACCOUNT, REGION, NOON + EVERY - MOMENT, "e2")
    heartbeats.note(ACCOUNT, REGION, NOON + EVERY, "e3")

    assert heartbeats.last(ACCOUNT, REGION) == Heartbeat(NOON + EVERY, "e3")


def test_a_clock_that_was_put_back_does_not_keep_it_silent(dynamodb: Any) -> None:
    heartbeats = Heartbeats(dynamodb, TABLE)
    heartbeats.note(ACCOUNT, REGION, NOON, "e1")
    heartbeats.note(ACCOUNT, REGION, NOON - timedelta(days=1), "e2")

    assert heartbeats.last(ACCOUNT, REGION) == Heartbeat(NOON - timedelta(days=1), "e2")


def test_each_region_has_a_heart_of_its_own(dynamodb: Any) -> None:
    heartbeats = Heartbeats(dynamodb, TABLE)
    heartbeats.note(ACCOUNT, REGION, NOON, "e1")
    heartbeats.note(ACCOUNT, "us-east-1", NOON + MOMENT, "e2")

    assert heartbeats.last(ACCOUNT, REGION) == Heartbeat(NOON, "e1")
    assert heartbeats.last(ACCOUNT, "us-east-1") == Heartbeat(NOON + MOMENT, "e2")


def test_what_could_not_be_noted_rises_and_is_tried_with_the_next_change(dynamodb: Any) -> None:
    heartbeats = Heartbeats(dynamodb, TABLE)
    with Stubber(dynamodb) as stubber:
        stubber.add_client_error("put_item", "ThrottlingException")
        with pytest.raises(ClientError, match="ThrottlingException"):
            heartbeats.note(ACCOUNT, REGION, NOON, "e1")

    heartbeats.note(ACCOUNT, REGION, NOON + MOMENT, "e2")

    assert heartbeats.last(ACCOUNT, REGION) == Heartbeat(NOON + MOMENT, "e2")


def test_noting_takes_the_declared_calls(dynamodb: Any, calls: list[str]) -> None:
    Heartbeats(dynamodb, TABLE).note(ACCOUNT, REGION, NOON, "e1")

    assert calls == list(CALLS)
