"""`demarc` as a person calls it, in this process; what it asks AWS is answered by moto."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from demarc.authoring import compile as compiling
from demarc.authoring.compile import CompiledMatrix
from demarc.aws import AwsClients
from demarc.cli import main
from demarc.cli.connection import Connection
from tests.conftest import MATRICES
from tests.integration.conftest import REGION, _aws, _clients, clients
from tests.integration.tables import create_table

__all__ = ["REGION", "_aws", "_clients", "clients"]

EVENTS = Path(__file__).parent.parent / "events"
ACCOUNT = "123456789012"
SINGLE_SIGN_ON = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Engineer_0123456789abcdef"


@dataclass(frozen=True)
class Ended:
    """How a run ended, and what it said where."""

    exit_code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Demarc = Callable[..., Ended]


@pytest.fixture(scope="session")
def _compiled_once() -> Iterator[None]:
    """A matrix is compiled once per folder, also for all the commands that are tested on it."""
    patch = pytest.MonkeyPatch()
    patch.setattr(compiling, "compile_matrix", cache(compiling.compile_matrix))
    yield
    patch.undo()


@pytest.fixture
def demarc(_compiled_once: None, monkeypatch: pytest.MonkeyPatch) -> Demarc:
    """Call the program; `given` is its standard input."""
    monkeypatch.setenv("DEMARC_MATRICES", str(MATRICES))

    def call(*arguments: str | Path, given: str | bytes = b"") -> Ended:
        result = CliRunner().invoke(main, [str(each) for each in arguments], input=given, catch_exceptions=False)
        return Ended(result.exit_code, result.stdout, result.stderr)

    return call


@pytest.fixture
def aws(clients: AwsClients, monkeypatch: pytest.MonkeyPatch) -> AwsClients:
    """An account in which there is nothing yet, which the program reaches without making its clients anew."""
    monkeypatch.setattr(Connection, "clients", clients)
    return clients


@pytest.fixture
def sign_in(aws: AwsClients) -> Iterator[Callable[[str], None]]:
    """Be somebody else from now on: the ARN of a principal, or whom IAM Identity Center names."""
    signed_in: list[str] = []

    def answer(**_: Any) -> tuple[Any, dict[str, Any]]:
        user = {"Arn": signed_in[-1], "Account": ACCOUNT, "UserId": "AROAEXAMPLE"}
        return SimpleNamespace(status_code=200), user

    def be(who: str) -> None:
        signed_in.append(who if who.startswith("arn:") else f"{SINGLE_SIGN_ON}/{who}@fjordline.example")

    events = aws("sts", REGION).meta.events
    events.register("before-call.sts.GetCallerIdentity", answer)
    be("jonas.weber")
    yield be
    events.unregister("before-call.sts.GetCallerIdentity", answer)


@dataclass(frozen=True)
class Deployed:
    """What a stack has, as its outputs name it."""

    table: str
    topic: str
    heard: str
    data: str


@pytest.fixture
def deployed(aws: AwsClients, matrix: CompiledMatrix) -> Deployed:
    """The stack that is asked for unless another is named: an empty table, a topic and what it says, one queue."""
    create_table(aws("dynamodb", REGION), "findings")
    sqs, sns = aws("sqs", REGION), aws("sns", REGION)
    topic = sns.create_topic(Name="findings")["TopicArn"]
    heard = sqs.create_queue(QueueName="heard")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:heard")
    data = sqs.create_queue(QueueName="data")["QueueUrl"]
    outputs = {"FindingsTable": "findings", "Topic": topic, "MatrixVersion": matrix.version, "QueueData": data}
    create_stack(aws, "Demarc", outputs)
    return Deployed("findings", topic, heard, data)


def create_stack(aws: AwsClients, name: str, outputs: dict[str, str]) -> None:
    """A stack that says something."""
    template = {
        "Resources": {"Any": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    aws("cloudformation", REGION).create_stack(StackName=name, TemplateBody=json.dumps(template))


def event(name: str, **changed: Any) -> dict[str, Any]:
    """The bare record of one of the events, with some fields changed."""
    found = json.loads((EVENTS / f"{name}.json").read_text())
    record: dict[str, Any] = found.get("detail", found)
    return record | changed
