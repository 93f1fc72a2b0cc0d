"""One account with Demarc in it for all tests from end to end, and somebody who changes things there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from demarc.authoring.compile import CompiledMatrix
from infra.node import CDK
from tests.e2e.deployment import Deployment, deploy
from tests.infrastructure.emulator import ACCOUNT, REGION, Emulator, emulator
from tests.simulation.people import employee
from tests.simulation.slack import Slack
from tests.simulation.trail import Person, Trail


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    if not CDK.exists():
        pytest.skip("the CDK's command line is not installed; `make e2e` does that")
    with emulator(tmp_path_factory.mktemp("aws"), as_aws=True) as running:
        yield running


@pytest.fixture(scope="session")
def slack(matrix: CompiledMatrix) -> Iterator[Slack]:
    """A workspace with the channels and the people of the matrix."""
    with Slack() as workspace:
        channels = [team.channel for team in matrix.organization.teams.values() if team.channel]
        workspace.channels = {name: f"C{number:08}" for number, name in enumerate(channels)}
        workspace.users = {
            member_of(person.id): {"id": member_of(person.id), "profile": {"email": person.email}}
            for person in matrix.organization.people.values()
        }
        yield workspace


def member_of(person: str) -> str:
    """The id that a person of the matrix has in the workspace."""
    return f"U0{''.join(each for each in person.upper() if each.isalpha())}"


@pytest.fixture(scope="session")
def demarc(account: Emulator, slack: Slack, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return deploy(account, tmp_path_factory.mktemp("deployment"), slack)


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
