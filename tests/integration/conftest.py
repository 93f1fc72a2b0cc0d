"""AWS in this process: one moto for all tests, emptied before each; clients are made once, since that is slow."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from moto import mock_aws
from moto.core.models import MockAWS

from demarc.aws import AwsClients
from tests.embedded_aws import prepare

prepare()

REGION = "eu-west-1"


@pytest.fixture(scope="session")
def _aws() -> Iterator[MockAWS]:
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
    }
    with mock_aws() as moto:
        yield moto


@pytest.fixture(scope="session")
def _clients(_aws: MockAWS) -> AwsClients:
    return AwsClients()


@pytest.fixture
def clients(_aws: MockAWS, _clients: AwsClients) -> AwsClients:
    """The clients that readers get, before an account in which there is nothing yet."""
    _aws.reset()
    _clients.calls.clear()
    return _clients


@pytest.fixture
def calls(clients: AwsClients) -> list[str]:
    """The calls made since it was last cleared, as `Part.calls` names them."""
    return clients.calls
