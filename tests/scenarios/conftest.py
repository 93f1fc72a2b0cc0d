"""One moto and one synth for all scenarios; every scenario begins in an account with nothing in it but Demarc."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from moto import mock_aws
from moto.core.models import MockAWS

from demarc import readers
from demarc.handlers import sweep
from tests.infrastructure.conftest import assembly, shared
from tests.infrastructure.synthesis import Assembly
from tests.scenarios.world import ACCOUNT, REGION, World
from tests.simulation.cloud import deploy
from tests.simulation.slack import Slack
from tests.simulation.story import Cast
from tests.simulation.trail import Trail
from tests.simulation.workspace import Workspace, unhurried

# A Tuesday, in everybody's working hours.
MORNING = datetime(2026, 11, 24, 9, tzinfo=UTC)

# What stories are about, and what is there besides.
TOLD = frozenset(
    {
        *("AWS::::Account", "AWS::CloudTrail::Trail", "AWS::EC2::Instance", "AWS::EC2::SecurityGroup"),
        *("AWS::EC2::Subnet", "AWS::EC2::VPC", "AWS::IAM::Role", "AWS::KMS::Key", "AWS::RDS::DBInstance"),
        *("AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue"),
    }
)

# The tests of the deployment and these share one synth.
__all__ = ["assembly", "shared"]


@pytest.fixture(scope="session")
def aws() -> Iterator[MockAWS]:
    os.environ |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    with mock_aws() as moto:
        yield moto


@pytest.fixture
def slack() -> Iterator[Slack]:
    with Slack() as slack, unhurried():
        yield slack


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A morning on which people work; nothing depends on when the tests run."""
    with time_machine.travel(MORNING, tick=True) as traveller:
        yield traveller


@pytest.fixture
def _swept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sweeps list what stories are about. All types take moto ten seconds; the demo lists them."""
    told = [reader for reader in readers.load() if reader.type in TOLD]
    monkeypatch.setattr(sweep, "readers", SimpleNamespace(load=lambda _types: told))
    sweep._sweeper.cache_clear()
    yield
    sweep._sweeper.cache_clear()


@pytest.fixture
def world(aws: MockAWS, assembly: Assembly, slack: Slack, clock: time_machine.Traveller, _swept: None) -> World:
    aws.reset()

    def a_second_later() -> datetime:
        """One call a second, since CloudTrail's times are whole seconds."""
        clock.shift(timedelta(seconds=1))
        return datetime.now(UTC)

    trail = Trail(ACCOUNT, REGION, clock=a_second_later)
    cloud = deploy(assembly, account=ACCOUNT, region=REGION)
    cloud.pass_time = clock.shift
    workspace = Workspace(cloud, slack)
    workspace.install()
    return World(cloud, trail, Cast(trail), workspace, clock)
