"""`demarc sweep`: everything is looked at, by what is deployed or in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from demarc.authoring.compile import CompiledMatrix
from demarc.aws import AwsClients
from demarc.cli import sweep as command
from demarc.cli import sweeping
from demarc.cli.reference import FIELDS
from demarc.core.model import Origin, Status
from demarc.sweep import Do, Step, message_of
from tests.cli.conftest import ACCOUNT, REGION, Demarc
from tests.integration.test_sweep import BUCKET, GROUP, SSH_CONTROL, Deployment, patched, refused
from tests.integration.test_sweep import deployed as deployed_here

__all__ = ["patched"]

SignIn = Callable[[str], None]


@pytest.fixture
def deployment(patched: None, aws: AwsClients, sign_in: SignIn, matrix: CompiledMatrix, tmp_path: Path) -> Deployment:
    """What is deployed for two types; somebody of the matrix is signed in."""
    return deployed_here(aws, matrix, tmp_path, (GROUP, BUCKET))


@pytest.fixture
def works(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """While the command waits, what is deployed works; the waits."""
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        with redirect_stdout(StringIO()):  # what a function prints is in its own log
            deployment.run()

    monkeypatch.setattr(command, "sleep", wait)
    return waits


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long a sweep in this process would have waited."""
    pauses: list[float] = []
    monkeypatch.setattr(sweeping, "sleep", pauses.append)
    return pauses


def there(deployment: Deployment) -> tuple[str, ...]:
    return "--table", "findings", "--queue", deployment.queues["sweep"]


# --- by what is deployed ----------------------------------------------------------------------------------------------


def test_what_is_deployed_is_asked_and_followed_to_the_end(
    deployment: Deployment, works: list[float], demarc: Demarc
) -> None:
    group = deployment.open_group("a")

    ended = demarc("sweep", *there(deployment), "--json")

    (row,) = ended.rows
    assert (ended.exit_code, ended.err) == (0, "")
    assert list(row) == list(FIELDS["sweep"])
    assert (row["complete"], row["judged"], row["by"]) == (True, 2, "jonas.weber@fjordline.example")
    assert deployment.status(group) is Status.OPEN
    assert deployment.progress(row["sweep"]).sweep.occasion.origin is Origin.CLI


def test_people_read_how_it_went(deployment: Deployment, works: list[float], demarc: Demarc) -> None:
    deployment.open_group("a")

    ended = demarc("sweep", *there(deployment))

    assert ended.out.startswith("Swept  2 resources in ")
    assert "2 listed, 2 looked at" in ended.out
    assert "USD" in ended.out


def test_a_sweep_that_runs_is_joined(deployment: Deployment, works: list[float], demarc: Demarc) -> None:
    deployment.send("sweep", message_of(Step(Do.START, "theirs")))
    deployment.poll("sweep")

    ended = demarc("sweep", *there(deployment), "--json")

    assert ended.rows[0]["sweep"] == "theirs"
    assert "The sweep theirs runs already" in ended.err


def test_ctrl_c_leaves_it_running_and_says_so(
    deployment: Deployment, demarc: Demarc, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "sleep", interrupted)

    ended = demarc("sweep", *there(deployment))

    assert ended.exit_code == 130
    assert "goes on without this command" in ended.err
    deployment.run()
    last = deployment.sweeps.last()
    assert last
    assert last.complete


def test_nobody_need_wait(deployment: Deployment, demarc: Demarc) -> None:
    ended = demarc("sweep", *there(deployment), "--no-wait")

    assert (ended.exit_code, ended.out) == (0, "")
    deployment.run()
    last = deployment.sweeps.last()
    assert last
    assert f"Asked for the sweep {last.ended}" in ended.err


def test_what_may_not_be_listed_is_no_pass(deployment: Deployment, works: list[float], demarc: Demarc) -> None:
    with refused("ec2.DescribeSecurityGroups", "UnauthorizedOperation"):
        ended = demarc("sweep", *there(deployment))

    assert ended.exit_code == 3
    assert "AWS::EC2::SecurityGroup could not be listed: UnauthorizedOperation" in ended.err


def test_a_sweep_that_nobody_takes_is_an_answer_that_is_missing(
    deployment: Deployment, demarc: Demarc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "sleep", lambda _: None)
    monkeypatch.setattr(command, "_TAKEN_WITHIN", -1.0)

    ended = demarc("sweep", *there(deployment))

    assert ended.exit_code == 3
    assert "nobody took the sweep" in ended.err


# --- from here --------------------------------------------------------------------------------------------------------


def test_everything_is_judged_from_here_and_nothing_kept(
    deployment: Deployment, pauses: list[float], demarc: Demarc
) -> None:
    for name in ("a", "b"):
        deployment.open_group(name)

    ended = demarc("sweep", "--here", "--type", GROUP, "--json")

    (row,) = ended.rows
    assert (ended.exit_code, ended.err) == (0, "")
    assert list(row) == list(FIELDS["sweep"])
    assert (row["judged"], row["dollars"], row["missing"], pauses) == (3, None, [], [])
    assert row["controls"][SSH_CONTROL] == {"severity": "high", "resources": 2, "teams": {"storefront": 2}}
    assert list(deployment.store.find()) == []
    assert deployment.told() == []


def test_people_read_what_does_not_hold(deployment: Deployment, demarc: Demarc) -> None:
    deployment.open_group("a")

    ended = demarc("sweep", "--here", "--type", GROUP)

    (line,) = (line for line in ended.out.splitlines() if SSH_CONTROL in line)
    assert line.split() == ["high", SSH_CONTROL, "1", "storefront", "1"]


def test_what_is_recorded_from_here_waits_to_be_told_and_what_is_gone_is_noticed(
    deployment: Deployment, pauses: list[float], demarc: Demarc
) -> None:
    group = deployment.open_group("a")
    demarc("sweep", "--here", "--table", "findings", "--type", GROUP)
    assert group in {finding.resource.identifier for finding in deployment.store.unannounced()}
    deployment.clients("ec2", REGION).delete_security_group(GroupId=group)

    ended = demarc("sweep", "--table", "findings", "--type", GROUP, "--json")

    assert (ended.exit_code, ended.rows[0]["gone"]) == (0, 1)
    assert deployment.status(group) is Status.GONE
    assert deployment.told() == []


def test_with_a_topic_it_is_told(deployment: Deployment, demarc: Demarc) -> None:
    group = deployment.open_group("a")
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:findings"

    demarc("sweep", "--here", "--table", "findings", "--topic", topic, "--type", GROUP)

    assert (group, "OPEN") in deployment.told_findings()
    assert list(deployment.store.unannounced()) == []


def test_a_throttled_sweep_goes_on_more_slowly(deployment: Deployment, pauses: list[float], demarc: Demarc) -> None:
    for number in range(25):
        deployment.open_group(f"group-{number}")

    with answering(deployment.clients, "ec2", "DescribeSecurityGroups", "RequestLimitExceeded", every=6):
        ended = demarc("sweep", "--here", "--type", GROUP, "--json")

    assert (ended.exit_code, ended.rows[0]["judged"], ended.err) == (0, 26, "")
    assert max(pauses) >= 0.5
    assert min(pauses) < 0.5  # between resources


def test_what_cannot_be_looked_at_is_told_and_keeps_nothing_else_from_it(
    deployment: Deployment, pauses: list[float], demarc: Demarc
) -> None:
    groups = [deployment.open_group(name) for name in ("a", "b", "c")]
    sick = groups[1]

    def is_sick(body: Any) -> bool:
        return sick in json.dumps(body)

    with answering(deployment.clients, "ec2", "DescribeSecurityGroups", "InternalError", where=is_sick):
        ended = demarc("sweep", "--here", "--type", GROUP, "--json")

    (row,) = ended.rows
    assert ended.exit_code == 3
    assert list(row["unanswered"]) == [f"{GROUP} {sick}"]
    assert (row["judged"], row["controls"][SSH_CONTROL]["resources"]) == (3, 2)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--here", "--no-wait"), "--here asks no --queue"),
        (("--table", "t", "--queue", "q", "--type", GROUP), "every type"),
        (("--here", "--type", "AWS::S3::Buckett"), "Did you mean AWS::S3::Bucket?"),
    ],
)
def test_what_makes_no_sense_is_said(
    arguments: tuple[str, ...], says: str, deployment: Deployment, demarc: Demarc
) -> None:
    ended = demarc("sweep", *arguments)

    assert ended.exit_code == 2
    assert says in ended.err


class answering:  # noqa: N801  # it reads as a sentence
    """Have AWS answer an operation with an error: always, every nth time, or for some requests."""

    def __init__(
        self,
        clients: AwsClients,
        service: str,
        operation: str,
        code: str,
        *,
        every: int = 1,
        where: Callable[[Any], bool] = lambda _: True,
    ) -> None:
        self._events = clients(service, REGION).meta.events
        self._name = f"before-call.{service}.{operation}"
        self._error = ClientError({"Error": {"Code": code, "Message": "no"}}, operation)
        self._every, self._where, self._asked = every, where, 0

    def _answer(self, params: Any, **_: Any) -> None:
        if self._where(params["body"]):
            self._asked += 1
            if self._asked % self._every == 0:
                raise self._error

    def __enter__(self) -> None:
        self._events.register_first(self._name, self._answer)

    def __exit__(self, *_: object) -> None:
        self._events.unregister(self._name, self._answer)
