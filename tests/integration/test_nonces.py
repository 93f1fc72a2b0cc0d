"""Requests are remembered long enough that none is answered twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from demarc.aws import AwsClients
from demarc.core.chat.slack_request import TOLERANCE
from demarc.stores.nonces import CALLS, KEPT, NonceStore, Replayed
from tests.factories import NOON
from tests.integration.tables import create_table


@pytest.fixture
def dynamodb(clients: AwsClients) -> Any:
    client = clients("dynamodb", "eu-west-1")
    create_table(client, "findings")
    return client


def test_a_request_is_used_once(dynamodb: Any) -> None:
    nonces = NonceStore(dynamodb, "findings")
    nonces.use("v0=a", now=NOON)

    with pytest.raises(Replayed):
        nonces.use("v0=a", now=NOON + timedelta(seconds=1))


def test_another_request_is_another(dynamodb: Any) -> None:
    nonces = NonceStore(dynamodb, "findings")
    nonces.use("v0=a", now=NOON)

    nonces.use("v0=b", now=NOON)


def test_a_request_is_remembered_for_as_long_as_it_is_good(dynamodb: Any) -> None:
    NonceStore(dynamodb, "findings").use("v0=a", now=NOON)

    (item,) = dynamodb.scan(TableName="findings")["Items"]
    assert int(item["expires"]["N"]) == int((NOON + KEPT).timestamp())
    assert KEPT >= 2 * TOLERANCE


def test_the_calls_made_are_those_declared(dynamodb: Any, calls: list[str]) -> None:
    calls.clear()

    NonceStore(dynamodb, "findings").use("v0=a", now=NOON)

    assert set(calls) == set(CALLS)


def test_a_request_that_could_not_be_remembered_is_not_used(dynamodb: Any) -> None:
    with Stubber(dynamodb) as stub:
        stub.add_client_error("put_item", "ProvisionedThroughputExceededException")

        with pytest.raises(ClientError):
            NonceStore(dynamodb, "findings").use("v0=a", now=NOON)
