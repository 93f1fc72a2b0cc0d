"""One synth and one emulator for all tests of the deployment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.infrastructure.emulator import emulator
from tests.infrastructure.synthesis import Assembly, synthesise

SLACK_SECRET = "demarc/slack"
ANOTHER_STACK = "Watchtower"


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the workers of a parallel run have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def assembly(shared: Path) -> Assembly:
    """What is deployed as cdk.json says, where there is a Slack app."""
    return synthesise(shared / "synth" / "with-slack", {"slack_secret": SLACK_SECRET})


@pytest.fixture(scope="session")
def with_own_key(shared: Path) -> Assembly:
    """What is deployed under another name, where the customer brings the key, and has no Slack app."""
    return synthesise(shared / "synth" / "own-key", {"encryption": "customer-managed", "stack": ANOTHER_STACK})


@pytest.fixture(scope="session")
def event_bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """EventBridge, for its TestEventPattern: the emulator's matcher follows the documented operators."""
    with emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running.client("events")
