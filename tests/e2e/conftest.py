"""One account with Demarc in it for all tests from end to end, and somebody who changes things there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.node import CDK
from tests.e2e.deployment import Deployment, deploy
from tests.infrastructure.emulator import ACCOUNT, REGION, Emulator, emulator
from tests.simulation.people import employee
from tests.simulation.trail import Person, Trail


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    if not CDK.exists():
        pytest.skip("the CDK's command line is not installed; `make e2e` does that")
    with emulator(tmp_path_factory.mktemp("aws"), as_aws=True) as running:
        yield running


@pytest.fixture(scope="session")
def demarc(account: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return deploy(account, tmp_path_factory.mktemp("deployment"))


@pytest.fixture(scope="session")
def trail() -> Trail:
    """The records that CloudTrail would make of what people do."""
    return Trail(ACCOUNT, REGION)


@pytest.fixture(scope="session")
def lea(account: Emulator, trail: Trail) -> Iterator[Person]:
    """Lea Moreau of Storefront, with the AWS CLI, by way of IAM Identity Center."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in account.environment.items():
            environment.setenv(name, value)
        yield trail.person(employee("lea.moreau@fjordline.example", account=ACCOUNT))
