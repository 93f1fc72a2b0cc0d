"""Sweeps as they are deployed: a function that lists, responders that look, and queues between them, on moto."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import local
from typing import Any
from unittest.mock import patch

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError
from moto.core.models import MockAWS

from demarc import queues, sweep
from demarc.authoring.compile import CompiledMatrix
from demarc.aws import AwsClients
from demarc.core.look import Look, message_of
from demarc.core.model import OCCURRENCE, Occasion, Origin, Resource, Status
from demarc.handlers import respond
from demarc.handlers import sweep as sweeping
from demarc.pipeline import Pipeline
from demarc.readers import load, resource_of
from demarc.stores.dynamodb import DynamoFindingStore
from demarc.stores.sweeps import DynamoSweepStore, Progress, Sweep
from demarc.sweep import Do, Step
from tests.integration.tables import create_table

ACCOUNT, REGION = "123456789012", "eu-west-1"
GROUP, BUCKET = "AWS::EC2::SecurityGroup", "AWS::S3::Bucket"
SSH = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
SSH_CONTROL = "security-group-ssh-closed-to-the-world"

# A process that is killed publishes no metrics; one that an exception ends still tries to, and finds none.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


@dataclass
class Context:
    """As much of Lambda's context as the functions read."""

    function_name: str
    milliseconds_left: int = 300_000
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
    aws_request_id: str = "r"

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds_left


@dataclass
class Deployment:
    """The functions by name, each with its queue, one for all dead letters, a table and two mailboxes."""

    clients: AwsClients
    folder: Path
    queues: dict[str, str] = field(default_factory=dict)
    dead: list[tuple[str, str]] = field(default_factory=list)
    milliseconds_left: int = 300_000

    @property
    def store(self) -> DynamoFindingStore:
        return DynamoFindingStore(self.clients("dynamodb", REGION), "findings")

    @property
    def sweeps(self) -> DynamoSweepStore:
        client = self.clients("dynamodb", REGION)
        return DynamoSweepStore(client, "findings", account=ACCOUNT, region=REGION, clock=lambda: datetime.now(UTC))

    def environment(self, name: str) -> dict[str, str]:
        return {
            "DEMARC_NAME": name,
            "DEMARC_TABLE": "findings",
            "DEMARC_TOPIC_ARN": f"arn:aws:sns:{REGION}:{ACCOUNT}:findings",
            "DEMARC_MATRIX": str(self.folder / f"{name}.json"),
            "DEMARC_QUEUES": json.dumps({each: url for each, url in self.queues.items() if each != "sweep"}),
            "DEMARC_SWEEP_QUEUE": self.queues["sweep"],
            "POWERTOOLS_SERVICE_NAME": "demarc",
            "AWS_REGION": REGION,
        }

    def send(self, name: str, body: Any) -> None:
        self.clients("sqs", REGION).send_message(QueueUrl=self.queues[name], MessageBody=json.dumps(body))

    def start(self, sweep_id: str, **more: Any) -> Progress:
        """Have everything looked at, and wait for the end."""
        self.send("sweep", sweep.message_of(Step(Do.START, sweep_id, **more)))
        self.run()
        return self.progress(sweep_id)

    def progress(self, sweep_id: str) -> Progress:
        progress = self.sweeps.progress(sweep_id)
        assert progress
        return progress

    def run(self) -> None:
        """Let the functions work until their queues are empty."""
        for _ in range(300):
            if not sum(self.poll(name) for name in self.queues):
                return
        raise AssertionError("it does not come to an end")

    def poll(self, name: str) -> int:
        """Hand a function what waits for it, once, as Lambda's poller would; how many messages there were."""
        sqs, url = self.clients("sqs", REGION), self.queues[name]
        asked = {"MaxNumberOfMessages": 10, "AttributeNames": ["All"]}
        messages = sqs.receive_message(QueueUrl=url, **asked).get("Messages", [])
        if not messages:
            return 0
        failed = {message["MessageId"] for message in messages}
        try:
            failed = self.invoke(name, messages)
        finally:
            for message in messages:
                known = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
                often = int(message["Attributes"]["ApproximateReceiveCount"]) >= 5
                if message["MessageId"] in failed and not often:
                    sqs.change_message_visibility(**known, VisibilityTimeout=0)
                    continue
                sqs.delete_message(**known)
                if message["MessageId"] in failed:
                    self.dead.append((name, message["Body"]))
        return len(messages)

    def invoke(self, name: str, messages: list[dict[str, Any]]) -> set[str]:
        """Call a handler once; the ids of the messages that failed."""
        records = [
            {"messageId": each["MessageId"], "body": each["Body"], "attributes": each["Attributes"]}
            | {"eventSource": "aws:sqs", "messageAttributes": {}}
            for each in messages
        ]
        handler = sweeping.handler if name == "sweep" else respond.handler
        with patch.dict(os.environ, self.environment(name)):
            context: Any = Context(name, self.milliseconds_left)
            answer = handler({"Records": records}, context)
        return {each["itemIdentifier"] for each in answer["batchItemFailures"]}

    def told(self) -> list[dict[str, Any]]:
        """What the topic's subscriber received since it last looked."""
        sqs, told = self.clients("sqs", REGION), []
        mailbox = sqs.get_queue_url(QueueName="mailbox")["QueueUrl"]
        while messages := sqs.receive_message(QueueUrl=mailbox, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                told.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=mailbox, ReceiptHandle=message["ReceiptHandle"])
        return told

    def told_findings(self) -> list[tuple[str, str]]:
        """Resource and status of every finding in those messages."""
        return [
            (each["resource"]["identifier"], each["status"])
            for body in self.told()
            if body["schema"].startswith("demarc.findings/")
            for each in body["findings"]
        ]

    def open_group(self, name: str) -> str:
        """A security group of the storefront team that lets SSH in from everywhere."""
        ec2 = self.clients("ec2", REGION)
        group: str = ec2.create_security_group(GroupName=name, Description=name)["GroupId"]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[SSH])
        ec2.create_tags(Resources=[group], Tags=[{"Key": "owner", "Value": "storefront"}])
        return group

    def close(self, group: str) -> None:
        self.clients("ec2", REGION).revoke_security_group_ingress(GroupId=group, IpPermissions=[SSH])

    def status(self, group: str, control: str = SSH_CONTROL) -> Status | None:
        found = [each for each in self.store.find() if (each.resource.identifier, each.control) == (group, control)]
        return found[0].status if found else None


def deployed(clients: AwsClients, matrix: CompiledMatrix, folder: Path, types: tuple[str, ...]) -> Deployment:
    """A deployment that judges some types, in an account in which there is nothing else."""
    deployment = Deployment(clients, folder)
    create_table(clients("dynamodb", REGION), "findings")
    topic = clients("sns", REGION).create_topic(Name="findings")["TopicArn"]
    sqs = clients("sqs", REGION)
    sqs.create_queue(QueueName="mailbox")
    clients("sns", REGION).subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:mailbox",
        Attributes={"RawMessageDelivery": "true"},
    )
    responders = {reader.responder for reader in load(types)}
    for name in (*sorted(responders), "sweep"):
        deployment.queues[name] = sqs.create_queue(QueueName=name)["QueueUrl"]
    for name in responders:
        (folder / f"{name}.json").write_text(matrix.for_responder(name))
    (folder / "sweep.json").write_text(json.dumps(matrix.document(()) | {"controls": {each: [] for each in types}}))
    return deployment


@pytest.fixture
def patched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No message is held back: a test does not wait. What delays there are is tested elsewhere."""
    monkeypatch.setattr(queues, "LONGEST_DELAY", 0)
    for module in (respond, sweeping):
        monkeypatch.setattr(module.metrics, "namespace", "Demarc")
    respond._responder.cache_clear()
    sweeping._sweeper.cache_clear()
    yield
    respond._responder.cache_clear()
    sweeping._sweeper.cache_clear()


@pytest.fixture
def deployment(patched: None, clients: AwsClients, matrix: CompiledMatrix, tmp_path: Path) -> Deployment:
    return deployed(clients, matrix, tmp_path, (GROUP, BUCKET))


def group_of(identifier: str) -> Resource:
    (reader,) = load([GROUP])
    return resource_of(reader, identifier, ACCOUNT, REGION)


def logged(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, Any]]:
    return [vars(record) for record in caplog.records if record.message == message]


# --- the first one ----------------------------------------------------------------------------------------------------


def test_the_first_sweep_finds_what_was_there_and_tells_each_team_once(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    groups = [deployment.open_group(name) for name in ("a", "b", "c")]
    deployment.clients("s3", REGION).create_bucket(
        Bucket="photos", CreateBucketConfiguration={"LocationConstraint": REGION}
    )

    progress = deployment.start("first")

    assert [deployment.status(group) for group in groups] == [Status.OPEN] * 3
    assert any(finding.resource.identifier == "photos" for finding in deployment.store.find())
    assert list(deployment.store.unannounced()) == []
    told = deployment.told()
    assert {body["schema"] for body in told} == {"demarc.digest/1"}
    teams = {finding.attribution.owner.team for finding in deployment.store.find()}
    assert sorted(body["team"] for body in told) == sorted(teams)
    assert progress.sweep.complete
    assert progress.sweep.baseline
    (report,) = logged(caplog, "swept")
    assert report["judged"] == progress.listed == 5  # and the default group of the VPC
    assert report["findings_opened"] == len(list(deployment.store.find()))
    assert report["calls"]["ec2"] >= 4
    assert report["dollars"] > 0


def test_every_type_that_can_be_listed_is(
    patched: None, clients: AwsClients, matrix: CompiledMatrix, tmp_path: Path
) -> None:
    types = tuple(reader.type for reader in load() if reader.inventory)
    deployment = deployed(clients, matrix, tmp_path, types)
    clients("kms", REGION).create_key()

    progress = deployment.start("first")

    assert progress.sweep.complete
    assert progress.sweep.types == types
    # What the embedded AWS does not play it refuses.
    assert all("is not allowed" in why for why in progress.refused.values())
    assert {"AWS::KMS::Key", GROUP} <= {finding.resource.type for finding in deployment.store.find()}
    assert deployment.dead == []


def test_later_sweeps_tell_what_they_find(deployment: Deployment) -> None:
    deployment.start("first")
    deployment.told()
    group = deployment.open_group("a")

    deployment.start("second")

    assert deployment.status(group) is Status.OPEN
    assert set(deployment.told_findings()) == {(group, "OPEN")}


# --- what no event said -----------------------------------------------------------------------------------------------


def test_what_was_mended_and_what_was_deleted_is_noticed_though_no_event_came(deployment: Deployment) -> None:
    mended, deleted, broken = (deployment.open_group(name) for name in ("a", "b", "c"))
    deployment.start("first")
    deployment.told()
    deployment.close(mended)
    deployment.clients("ec2", REGION).delete_security_group(GroupId=deleted)

    progress = deployment.start("second")

    statuses = [deployment.status(group) for group in (mended, deleted, broken)]
    assert statuses == [Status.RESOLVED, Status.GONE, Status.OPEN]
    assert set(deployment.told_findings()) == {(mended, "RESOLVED"), (deleted, "GONE")}
    assert progress.tally.gone == 1
    by = {finding.transition.origin for finding in deployment.store.find(status=Status.GONE) if finding.transition}
    assert by == {Origin.SWEEP}


def test_what_was_never_told_is(deployment: Deployment) -> None:
    deployment.start("first")
    group = deployment.open_group("a")
    look = Look((group_of(group),), Occasion())
    with refused("sns.Publish", "InternalError"):
        deployment.send("network", message_of(look))
        deployment.run()
    assert deployment.dead
    untold = {finding.resource.identifier for finding in deployment.store.unannounced()}
    assert untold == {group}
    deployment.told()

    deployment.start("second")

    assert (group, "OPEN") in deployment.told_findings()
    assert list(deployment.store.unannounced()) == []


# --- who starts one ---------------------------------------------------------------------------------------------------


def deployment_event(event_id: str, status: str = "UPDATE_COMPLETE") -> dict[str, Any]:
    return {
        "id": event_id,
        "detail-type": "CloudFormation Stack Status Change",
        "source": "aws.cloudformation",
        "detail": {"stack-id": "arn:aws:cloudformation:...", "status-details": {"status": status, "status-reason": ""}},
    }


def test_the_clock_starts_one(deployment: Deployment) -> None:
    deployment.send("sweep", {"id": "e1", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}})

    deployment.run()

    assert deployment.progress("e1").sweep.occasion.origin is Origin.SCHEDULE


def test_a_deployment_starts_one_only_for_a_new_matrix(deployment: Deployment) -> None:
    deployment.send("sweep", deployment_event("e0", "UPDATE_ROLLBACK_COMPLETE"))
    deployment.send("sweep", deployment_event("e1"))
    deployment.run()
    deployment.send("sweep", deployment_event("e2"))
    deployment.run()

    assert deployment.sweeps.get("e0") is None
    assert deployment.progress("e1").sweep.complete
    assert deployment.sweeps.get("e2") is None


def test_the_clock_starts_none_while_one_runs_and_whoever_asked_gets_a_turn(deployment: Deployment) -> None:
    deployment.send("sweep", sweep.message_of(Step(Do.START, "first")))
    deployment.poll("sweep")

    deployment.send("sweep", sweep.message_of(Step(Do.START, "clock")))
    deployment.send("sweep", sweep.message_of(Step(Do.START, "asked", origin=Origin.CLI, by="Lea Moreau")))
    deployment.run()

    assert deployment.sweeps.get("clock") is None
    assert deployment.progress("asked").sweep.started > deployment.progress("first").sweep.started
    assert deployment.progress("asked").sweep.complete


def test_nonsense_goes_to_the_dead_letters(deployment: Deployment) -> None:
    for body in ("nonsense", {"schema": "demarc.sweep/1", "do": "dance"}, {"schema": "demarc.sweep/1", "do": "list"}):
        deployment.send("sweep", body)

    deployment.run()

    assert len(deployment.dead) == 3


# --- looks that are not for a responder -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "resource",
    [
        Resource("AWS::S3::Bucket", "photos", ACCOUNT, REGION, "arn:aws:s3:::photos"),
        Resource("AWS::No::Such", "x", ACCOUNT, REGION, "arn"),
        Resource(GROUP, "sg-1", "999999999999", REGION, "arn"),
        Resource(GROUP, "sg-1", ACCOUNT, "evil.example/", "arn"),
        Resource(OCCURRENCE, "root-user-is-not-used/somebody", ACCOUNT, REGION, "arn"),
    ],
    ids=["of another responder", "of no type", "of another account", "in no Region", "of what happened"],
)
def test_a_look_at_what_is_not_its_own_is_poison(
    deployment: Deployment, resource: Resource, caplog: pytest.LogCaptureFixture
) -> None:
    deployment.send("network", message_of(Look((resource,), Occasion(Origin.CLI, "somebody"))))

    deployment.run()

    assert len(deployment.dead) == 1
    assert logged(caplog, "poison message")
    assert list(deployment.store.find()) == []


def test_a_malformed_look_is_poison(deployment: Deployment) -> None:
    deployment.send("network", {"schema": "demarc.look/1", "resources": "all"})

    deployment.run()

    assert len(deployment.dead) == 1


def test_somebody_may_ask_for_one_resource(deployment: Deployment) -> None:
    group = deployment.open_group("a")
    look = Look((group_of(group),), Occasion(Origin.CLI, "Lea Moreau"))

    deployment.send("network", message_of(look))
    deployment.run()

    assert deployment.status(group) is Status.OPEN
    assert (group, "OPEN") in deployment.told_findings()


# --- throttled, refused, out of time ----------------------------------------------------------------------------------

Around = Callable[[str, Callable[[], Any]], Any]
# What the poller does and the test itself.
_POLLING = {"sqs.ReceiveMessage", "sqs.DeleteMessage", "sqs.ChangeMessageVisibility", "sqs.SendMessage"}


@contextmanager
def around_calls(around: Around) -> Iterator[None]:
    """Have every call of the functions made by `around`; calls that it makes itself are let be."""
    made: Any = BaseClient._make_api_call  # type: ignore[attr-defined]  # private, and patched by many for this
    inside = local()

    def make(client: Any, operation: str, parameters: Any) -> Any:
        name = f"{client.meta.service_model.service_name}.{operation}"
        if name in _POLLING or getattr(inside, "already", False):
            return made(client, operation, parameters)
        inside.already = True
        try:
            return around(name, lambda: made(client, operation, parameters))
        finally:
            inside.already = False

    with patch.object(BaseClient, "_make_api_call", make):
        yield


@contextmanager
def refused(call: str, code: str, *, every: int = 1, times: int | None = None) -> Iterator[list[str]]:
    """Have AWS answer every nth of a call with an error, as often as said; the calls so answered."""
    asked, answered = 0, list[str]()

    def around(name: str, make: Callable[[], Any]) -> Any:
        nonlocal asked
        if name == call and (times is None or len(answered) < times):
            asked += 1
            if asked % every == 0:
                answered.append(name)
                raise ClientError({"Error": {"Code": code, "Message": "no"}}, call.partition(".")[2])
        return make()

    with around_calls(around):
        yield answered


def test_a_throttled_sweep_slows_down_and_loses_nothing(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    groups = [deployment.open_group(f"group-{number}") for number in range(25)]

    with refused("ec2.DescribeSecurityGroups", "RequestLimitExceeded", every=4) as answered:
        progress = deployment.start("first")

    assert len(answered) > 5
    assert [deployment.status(group) for group in groups] == [Status.OPEN] * 25
    assert progress.sweep.complete
    assert progress.tally.judged == progress.listed == 26
    assert deployment.dead == []
    put_back = [each for each in logged(caplog, "looked") if each["throttled"]]
    assert {each["throttled"] for each in put_back} == {"RequestLimitExceeded"}


def test_a_list_that_is_throttled_is_asked_for_again(deployment: Deployment) -> None:
    group = deployment.open_group("a")

    with refused("ec2.DescribeSecurityGroups", "RequestLimitExceeded", times=3):
        progress = deployment.start("first")

    assert progress.sweep.complete
    assert deployment.status(group) is Status.OPEN
    assert deployment.dead == []


def test_what_is_throttled_for_ever_ends_among_the_dead_letters(deployment: Deployment) -> None:
    group = deployment.open_group("a")
    look = Look((group_of(group),), Occasion())

    with refused("ec2.DescribeSecurityGroups", "RequestLimitExceeded") as answered:
        deployment.send("network", message_of(look))
        deployment.run()

    assert len(deployment.dead) == 1
    assert len(answered) == sweep.MOST_ATTEMPTS + 5


def test_a_type_that_may_not_be_listed_is_reported_and_what_is_known_of_it_looked_at(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    group = deployment.open_group("a")
    deployment.start("first")
    deployment.close(group)
    caplog.clear()

    with refused("ec2.DescribeSecurityGroups", "UnauthorizedOperation", times=1):
        progress = deployment.start("second")

    assert progress.sweep.complete
    assert list(progress.refused) == [GROUP]
    assert "ec2:DescribeSecurityGroups" in progress.refused[GROUP]
    assert deployment.status(group) is Status.RESOLVED
    (report,) = logged(caplog, "swept")
    assert report["refused"] == progress.refused


def test_a_service_that_is_not_in_the_region_is_reported_and_the_sweep_ends(deployment: Deployment) -> None:
    group = deployment.open_group("a")

    def around(name: str, make: Callable[[], Any]) -> Any:
        if name == "s3.ListBuckets":
            raise EndpointConnectionError(endpoint_url="https://s3.example")
        return make()

    with around_calls(around):
        progress = deployment.start("first")

    assert progress.sweep.complete
    assert list(progress.refused) == [BUCKET]
    assert "nothing answers there" in progress.refused[BUCKET]
    assert deployment.status(group) is Status.OPEN
    assert deployment.dead == []


def test_one_resource_that_cannot_be_judged_keeps_no_other_from_it(deployment: Deployment) -> None:
    groups = [deployment.open_group(f"group-{number}") for number in range(5)]
    sick = groups[1]
    judged = Pipeline.settle

    def settle(self: Any, resource: Resource, *given: Any, **more: Any) -> Any:
        if resource.identifier == sick:
            raise KeyError("what nobody thought of")
        return judged(self, resource, *given, **more)

    with patch.object(Pipeline, "settle", settle):
        deployment.send("sweep", sweep.message_of(Step(Do.START, "first")))
        for _ in range(20):
            for name in deployment.queues:
                deployment.poll(name)

    assert [deployment.status(group) for group in groups if group != sick] == [Status.OPEN] * 4
    assert deployment.status(sick) is None
    ((_, dead),) = deployment.dead
    assert [each["identifier"] for each in json.loads(dead)["resources"]] == [sick]
    assert len(deployment.progress("first").waiting) == 1


def test_what_there_is_no_time_for_is_put_back(deployment: Deployment) -> None:
    groups = [deployment.open_group(f"group-{number}") for number in range(12)]
    deployment.send("sweep", sweep.message_of(Step(Do.START, "first")))
    deployment.poll("sweep")
    deployment.poll("sweep")
    deployment.milliseconds_left = 5_000
    for _ in range(3):
        deployment.poll("network")
        deployment.poll("sweep")
    assert list(deployment.store.find()) == []

    deployment.milliseconds_left = 300_000
    deployment.run()

    assert [deployment.status(group) for group in groups] == [Status.OPEN] * 12
    assert deployment.progress("first").sweep.complete
    assert deployment.dead == []


def test_a_sweep_that_is_not_through_in_time_says_what_is_missing_and_makes_room_for_the_next(
    deployment: Deployment, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = deployment.open_group("a")
    deployment.send("sweep", sweep.message_of(Step(Do.START, "first")))
    for _ in range(3):
        deployment.poll("sweep")
    deployment.clients("sqs", REGION).purge_queue(QueueUrl=deployment.queues["network"])
    monkeypatch.setattr(sweep, "DEADLINE", timedelta(0))

    deployment.run()

    (report,) = logged(caplog, "sweep incomplete")
    assert report["parts_missing"] == 1
    assert deployment.sweeps.running() is None
    last = deployment.sweeps.last()
    assert last
    assert (last.ended, last.complete) == ("first", None)
    monkeypatch.undo()
    monkeypatch.setattr(queues, "LONGEST_DELAY", 0)
    for module in (respond, sweeping):
        monkeypatch.setattr(module.metrics, "namespace", "Demarc")
    assert deployment.start("second").sweep.complete
    assert deployment.status(group) is Status.OPEN


# --- at least once ----------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process is no more: nothing of the handlers may catch it."""


# Calls that change something. To die after any other is to die after the one of these that went before.
_WRITES = re.compile(r"(PutItem|UpdateItem|TransactWriteItems|Publish|SendMessageBatch)$")


def run_and_kill(deployment: Deployment, after: int | None) -> list[str]:
    """Run until the end, and kill a function once, after one of its calls that change something; these calls."""
    calls: list[str] = []

    def around(name: str, make: Callable[[], Any]) -> Any:
        answer = make()
        if _WRITES.search(name):
            calls.append(name)
            if len(calls) - 1 == after:
                raise Killed
        return answer

    with around_calls(around):
        try:
            deployment.run()
        except Killed:
            for module in (respond, sweeping):
                module.metrics.clear_metrics()
            deployment.run()
    return calls


@dataclass(frozen=True)
class Unnoticed:
    """An account in which one group was mended, one deleted and one opened, and no event said so. A sweep is asked for
    that is not the first one."""

    deployment: Deployment
    expected: frozenset[tuple[str, str]]

    @classmethod
    def made(cls, clients: AwsClients, matrix: CompiledMatrix, folder: Path) -> Unnoticed:
        # One control will do, since what is told of several is told together.
        few = replace(matrix, controls={GROUP: tuple(row for row in matrix.controls[GROUP] if row.id == SSH_CONTROL)})
        deployment = deployed(clients, few, folder, (GROUP,))
        now = datetime.now(UTC)
        first = Sweep("first", ACCOUNT, REGION, now, "", baseline=True, types=(), occasion=Occasion(), ended=now)
        deployment.sweeps.begin(first)
        deployment.sweeps.end(first)
        clients("ec2", REGION).delete_security_group(GroupId=default_group(clients))
        mended, deleted = deployment.open_group("a"), deployment.open_group("b")
        deployment.send("network", message_of(Look((group_of(mended), group_of(deleted)), Occasion())))
        deployment.run()
        deployment.told()
        deployment.close(mended)
        clients("ec2", REGION).delete_security_group(GroupId=deleted)
        opened = deployment.open_group("c")
        deployment.send("sweep", sweep.message_of(Step(Do.START, "second")))
        return cls(deployment, frozenset({(mended, "RESOLVED"), (deleted, "GONE"), (opened, "OPEN")}))

    def assert_noticed(self, at: Any) -> None:
        """All of it is recorded once, with its history, and told; nothing waits."""
        deployment, found = self.deployment, list(self.deployment.store.find())
        assert {(each.resource.identifier, each.status.value) for each in found} == self.expected, at
        assert set(deployment.told_findings()) == self.expected, at
        assert list(deployment.store.unannounced()) == [], at
        assert deployment.progress("second").sweep.complete, at
        for finding in found:
            history = deployment.store.history(finding.id)
            assert [each.revision for each in history] == list(range(1, finding.revision + 1)), at
        assert deployment.dead == [], at


def default_group(clients: AwsClients) -> str:
    (group,) = clients("ec2", REGION).describe_security_groups()["SecurityGroups"]
    found: str = group["GroupId"]
    return found


def test_any_function_may_die_at_any_point(
    patched: None, clients: AwsClients, request: pytest.FixtureRequest, matrix: CompiledMatrix, tmp_path: Path
) -> None:
    aws: MockAWS = request.getfixturevalue("_aws")
    unnoticed = Unnoticed.made(clients, matrix, tmp_path)
    calls = run_and_kill(unnoticed.deployment, None)
    unnoticed.assert_noticed("undisturbed")
    assert {"sqs.SendMessageBatch", "sns.Publish", "dynamodb.PutItem", "dynamodb.TransactWriteItems"} <= set(calls)

    for number, call in enumerate(calls):
        aws.reset()
        unnoticed = Unnoticed.made(clients, matrix, tmp_path)
        run_and_kill(unnoticed.deployment, number)
        unnoticed.assert_noticed((number, call))


def test_every_message_twice_changes_nothing(
    patched: None, clients: AwsClients, matrix: CompiledMatrix, tmp_path: Path
) -> None:
    unnoticed = Unnoticed.made(clients, matrix, tmp_path)
    deployment = unnoticed.deployment
    deliver = deployment.invoke
    deployment.invoke = lambda name, messages: deliver(name, messages) | deliver(name, messages)  # type: ignore[method-assign]

    deployment.run()

    unnoticed.assert_noticed("twice")
    progress = deployment.progress("second")
    assert progress.listed == 3  # two groups, and the one that is gone
    assert (progress.tally.judged, progress.tally.gone) == (2, 1)
    assert progress.tally.revisions == progress.tally.opened + progress.tally.resolved
