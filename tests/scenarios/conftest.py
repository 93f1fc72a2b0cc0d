"""One moto and one synth for all scenarios; every scenario begins in an account with nothing in it but Demarc."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from moto import mock_aws
from moto.core.models import MockAWS

from tests.infrastructure.conftest import assembly, shared
from tests.infrastructure.synthesis import Assembly
from tests.scenarios.world import ACCOUNT, REGION, World
from tests.simulation.cloud import deploy
from tests.simulation.story import Cast
from tests.simulation.trail import Trail

# The tests of the deployment and these share one synth.
__all__ = ["assembly", "shared"]


@pytest.fixture(scope="session")
def aws() -> Iterator[MockAWS]:
    os.environ |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    with mock_aws() as moto:
        yield moto


@pytest.fixture
def world(aws: MockAWS, assembly: Assembly) -> World:
    aws.reset()
    # One call a second, since CloudTrail's times are whole seconds.
    seconds = count()
    began = datetime.now(UTC) - timedelta(hours=1)
    trail = Trail(ACCOUNT, REGION, clock=lambda: began + timedelta(seconds=next(seconds)))
    return World(deploy(assembly, account=ACCOUNT, region=REGION), trail, Cast(trail))
