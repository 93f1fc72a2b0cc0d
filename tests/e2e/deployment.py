"""The real template, deployed by the real command line into an emulator of AWS, and how tests look at it."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import uuid4

from demarc.core.model import Origin
from demarc.stores.dynamodb import DynamoFindingStore
from demarc.sweep import Do, Step, message_of
from infra import node
from tests.infrastructure.boxes import CONSTRUCTS
from tests.infrastructure.conftest import SLACK_SECRET
from tests.infrastructure.emulator import ACCOUNT, REGION, Emulator
from tests.infrastructure.synthesis import ROOT
from tests.simulation.slack import TEAM, Slack

T = TypeVar("T")

PATIENCE = 30

SIGNING_SECRET = "emulated-signing-secret"


def until(what: str, look: Callable[[], T | None]) -> T:
    """Look until there is something to see.

    Raises:
        TimeoutError: naming what never came.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        seen = look()
        if seen:
            return seen
        time.sleep(0.1)
    raise TimeoutError(f"{what} did not come within {PATIENCE} s")


@dataclass(frozen=True)
class Letter:
    """What a message says of one finding, and the message's attributes, as a subscriber of the topic received it."""

    body: Mapping[str, Any]
    attributes: Mapping[str, str]


@dataclass
class Deployment:
    """The deployed stack, and a mailbox: a queue that is subscribed to everything that is announced."""

    emulator: Emulator
    outputs: Mapping[str, str]
    mailbox: str
    _letters: list[Letter] = field(default_factory=list)

    def client(self, service: str) -> Any:
        return self.emulator.client(service)

    @cached_property
    def physical(self) -> Mapping[str, str]:
        """Logical id -> what it was named."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName="Demarc")
        return {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for page in pages
            for each in page["StackResourceSummaries"]
        }

    def named(self, start: str) -> str:
        """The name of the one resource whose logical id is a construct's path and eight digits."""
        (one,) = [name for logical, name in self.physical.items() if logical[:-8] == start]
        return one

    @cached_property
    def store(self) -> DynamoFindingStore:
        return DynamoFindingStore(self.client("dynamodb"), self.outputs["FindingsTable"])

    def put(self, *envelopes: Mapping[str, Any]) -> None:
        """Give events to EventBridge, as the services of AWS do."""
        entries = [
            {"Source": each["source"], "DetailType": each["detail-type"], "Detail": json.dumps(each["detail"])}
            for each in envelopes
        ]
        assert self.client("events").put_events(Entries=entries)["FailedEntryCount"] == 0

    def letter(self, control: str, identifier: str, status: str = "OPEN") -> Letter:
        """The message that tells of a control on a resource."""

        def look() -> Letter | None:
            self._collect()
            wanted = (control, identifier, status)
            return next((each for each in self._letters if _about(each) == wanted), None)

        return until(f"the message that {control} is {status} on {identifier}", look)

    def _collect(self) -> None:
        found = self.client("sqs").receive_message(QueueUrl=self.mailbox, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in found.get("Messages", []):
            told = json.loads(message["Body"])
            attributes = {name: each["Value"] for name, each in told["MessageAttributes"].items()}
            body = json.loads(told["Message"])
            self._letters += [Letter(finding, attributes) for finding in body.get("findings", ())]
            self.client("sqs").delete_message(QueueUrl=self.mailbox, ReceiptHandle=message["ReceiptHandle"])

    def sweep(self) -> None:
        """Ask for a sweep, as `demarc sweep` does."""
        step = Step(Do.START, sweep=uuid4().hex, origin=Origin.CLI, by="Mara Lindqvist")
        self.client("sqs").send_message(QueueUrl=self.outputs["SweepQueue"], MessageBody=json.dumps(message_of(step)))

    def press(self, button: str, finding: Mapping[str, Any], *, member: str, secret: str = SIGNING_SECRET) -> int:
        """Press a button under a finding, as Slack would tell of it; the status that is answered."""
        payload = {
            "type": "block_actions",
            "user": {"id": member, "team_id": TEAM},
            "team": {"id": TEAM},
            "trigger_id": f"1.2.{uuid4().hex}",
            "response_url": "https://hooks.slack.com/actions/T1/2/3",
            "actions": [{"action_id": f"demarc:{button}", "value": f"{finding['id']}:{finding['revision']}"}],
        }
        body, at = urlencode({"payload": json.dumps(payload)}).encode(), str(int(time.time()))
        signature = hmac.new(secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": f"v0={signature}",
        }
        # The emulator answers for `<id>.lambda-url.<Region>.on.aws` at a path of its own.
        identifier = self.outputs["AnswerUrl"].removeprefix("https://").partition(".")[0]
        request = urllib.request.Request(f"{self.emulator.url}/_aws/lambda-url/{identifier}/", body, headers)
        trust = ssl.create_default_context(cafile=self.emulator.certificate)
        try:
            with urllib.request.urlopen(request, context=trust, timeout=PATIENCE) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            return refused.code

    def logged(self, name: str) -> list[str]:
        """What a function wrote to its log group."""
        found = self.client("logs").filter_log_events(logGroupName=self.named(f"{CONSTRUCTS[name]}Logs"))
        return [event["message"] for event in found["events"]]

    def records(self, name: str) -> list[dict[str, Any]]:
        """The structured lines of a function's log, its figures among them."""
        return [json.loads(line) for line in self.logged(name) if line.startswith("{")]

    def dead_letter(self, responder: str) -> str:
        """The body of the one message that could not be settled; it is taken out."""
        queue = self.named(f"{responder.title()}ChangesDeadLetters")
        (message,) = until(
            f"a dead letter of {responder}",
            lambda: self.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages"),
        )
        self.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        body: str = message["Body"]
        return body

    def give_back(self, responder: str, body: str) -> None:
        """Put a dead letter back into the queue that it came from."""
        self.client("sqs").send_message(QueueUrl=self.named(f"{responder.title()}ChangesQueue"), MessageBody=body)

    @contextmanager
    def impatient(self, responder: str) -> Iterator[None]:
        """Messages that failed come again after a second; in the template it is six minutes."""
        queue = self.named(f"{responder.title()}ChangesQueue")
        attributes = self.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])
        self.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
        try:
            yield
        finally:
            self.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes=attributes["Attributes"])

    @contextmanager
    def denied(self, responder: str, *actions: str) -> Iterator[None]:
        """A responder's role may not do something that it was deployed with."""
        role = f"Demarc-{responder}-{REGION}"
        statement = {"Effect": "Deny", "Action": actions, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.client("iam").put_role_policy(RoleName=role, PolicyName="mistake", PolicyDocument=policy)
        try:
            yield
        finally:
            self.client("iam").delete_role_policy(RoleName=role, PolicyName="mistake")

    def as_role(self, responder: str, service: str) -> Any:
        """A client with what a responder's role may do. For that the role has to trust us, as it does not in AWS."""
        role = f"Demarc-{responder}-{REGION}"
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        before = self.client("iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        self.client("iam").update_assume_role_policy(RoleName=role, PolicyDocument=document)
        try:
            arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
            session = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")
        finally:
            self.client("iam").update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(before))
        return self.emulator.client_of(service, session["Credentials"])


def _about(letter: Letter) -> tuple[str, str, str]:
    return letter.body["control"], letter.body["resource"]["identifier"], letter.body["status"]


def deploy(emulator: Emulator, folder: Path, slack: Slack) -> Deployment:
    """Bootstrap an account and deploy into it, with one synth for both, and a Slack app that has its secret there.

    Raises:
        RuntimeError: with what the command line said.
    """
    assembly, outputs = str(folder / "cdk.out"), str(folder / "outputs.json")
    _cdk(emulator, folder, "synth", "--quiet", "--output", assembly, "--context", f"slack_secret={SLACK_SECRET}")
    _cdk(emulator, folder, "bootstrap", f"aws://{ACCOUNT}/{REGION}", "--app", assembly)
    _cdk(emulator, folder, "deploy", "--app", assembly, "--require-approval", "never", "--outputs-file", outputs)
    said: dict[str, str] = json.loads(Path(outputs).read_text())["Demarc"]
    demarc = Deployment(emulator, said, mailbox=_subscribe(emulator, said["Topic"]))
    secret = {"bot_token": slack.token, "signing_secret": SIGNING_SECRET, "team_id": TEAM}
    demarc.client("secretsmanager").create_secret(Name=SLACK_SECRET, SecretString=json.dumps(secret))
    for function in ("Deliverer", "Answerer"):
        _tell(demarc, f"{function}Function", DEMARC_SLACK_URL=slack.url)
    return demarc


def _tell(demarc: Deployment, function: str, **more: str) -> None:
    """Give a function more variables than the template does."""
    name = demarc.named(function)
    before = demarc.client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    demarc.client("lambda").update_function_configuration(FunctionName=name, Environment={"Variables": before | more})


def _subscribe(emulator: Emulator, topic: str) -> str:
    """The address of a new queue that gets everything that is published to a topic."""
    sqs = emulator.client("sqs")
    queue: str = sqs.create_queue(QueueName="mailbox")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:mailbox"
    admitted = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**admitted, "Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    emulator.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return queue


def _cdk(emulator: Emulator, folder: Path, *arguments: str) -> None:
    inherited = {name: value for name, value in node.environment().items() if not name.startswith("AWS_")}
    own = {"CDK_DISABLE_CLI_TELEMETRY": "true", "CDK_HOME": str(folder / "cdk-home"), "TMPDIR": str(folder)}
    run = subprocess.run(
        [*node.command("cdk"), *arguments, "--no-notices", "--no-color"],
        cwd=ROOT,
        env=inherited | own | emulator.environment,
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if run.returncode:
        raise RuntimeError(f"cdk {' '.join(arguments)} ended with {run.returncode}:\n{run.stdout}{run.stderr}")
