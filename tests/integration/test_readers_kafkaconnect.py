"""Connectors of MSK Connect, as they are read from AWS; moto has nothing of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from demarc import readers
from demarc.aws import AwsClients
from demarc.core.snapshot import Snapshot
from demarc.readers import Gone
from demarc.readers.kafkaconnect import CONNECTOR
from tests.integration.schema import matches_cloudformation

REGION, ACCOUNT = "eu-west-1", "123456789012"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAME = "orders/1f2e3d4c-0000-4000-8000-5a6978879685-2"
ARN = f"arn:aws:kafkaconnect:{REGION}:{ACCOUNT}:connector/{NAME}"
SECRET = "xK9#mQ2$" + "vL7pR4wZ"
DESCRIBED = {
    "connectorArn": ARN,
    "connectorName": "orders",
    "connectorState": "RUNNING",
    "kafkaConnectVersion": "3.7.x",
    "serviceExecutionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/orders",
    "kafkaClusterClientAuthentication": {"authenticationType": "IAM"},
    "kafkaClusterEncryptionInTransit": {"encryptionType": "TLS"},
    "logDelivery": {"workerLogDelivery": {"cloudWatchLogs": {"enabled": False}, "s3": {"enabled": True}}},
    "connectorConfiguration": {"database.password": SECRET, "api.token": "${secretManager:orders:token}"},
}


@cache
def client() -> Any:
    """A client whose answers are written by the test."""
    return AwsClients()("kafkaconnect", REGION)


def answered(described: dict[str, Any] | str) -> Snapshot | Gone:
    connector = readers.resource_of(CONNECTOR, NAME, ACCOUNT, REGION)
    assert connector.arn == ARN
    with Stubber(client()) as stubber:
        if isinstance(described, str):
            stubber.add_client_error("describe_connector", described)
        else:
            stubber.add_response("describe_connector", described, {"connectorArn": ARN})
        stubber.add_response("list_tags_for_resource", {"tags": {"owner": "shop"}}, {"resourceArn": ARN})
        needs = tuple(prop for part in CONNECTOR.parts for prop in part.gives)
        return readers.read(CONNECTOR, connector, needs=needs, clients=lambda *_: client(), now=NOW)


def test_a_connector_is_read_in_cloudformations_words_and_of_its_secrets_only_where_they_are() -> None:
    seen = answered(DESCRIBED)

    assert isinstance(seen, Snapshot)
    assert seen["KafkaClusterEncryptionInTransit.EncryptionType"] == "TLS"
    assert seen["KafkaClusterClientAuthentication.AuthenticationType"] == "IAM"
    assert seen["Observed.LogsSomewhere"] is True
    assert seen["Observed.PlaintextSecrets"] == [{"Name": "database.password", "Kind": "secret by its name"}]
    assert SECRET not in json.dumps(seen.properties)
    assert seen.tags == {"owner": "shop"}
    matches_cloudformation(seen)


def test_a_connector_without_a_log_logs_nowhere() -> None:
    seen = answered({"connectorArn": ARN})

    assert isinstance(seen, Snapshot)
    assert seen["Observed.LogsSomewhere"] is False


@pytest.mark.parametrize("ended", ["NotFoundException", {"connectorArn": ARN, "connectorState": "DELETING"}])
def test_a_connector_that_went_or_goes_is_gone(ended: dict[str, Any] | str) -> None:
    assert isinstance(answered(ended), Gone)


def test_what_is_throttled_rises() -> None:
    with pytest.raises(ClientError, match="TooManyRequests"):
        answered("TooManyRequestsException")


def test_connectors_are_listed_by_the_ends_of_their_arns() -> None:
    with Stubber(client()) as stubber:
        stubber.add_response("list_connectors", {"connectors": [{"connectorArn": ARN}]})
        assert CONNECTOR.inventory
        assert list(CONNECTOR.inventory.pages(lambda *_: client(), ACCOUNT, REGION)) == [[NAME]]
