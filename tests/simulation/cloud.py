"""An account on moto, Demarc deployed in it from the synthesised template, and the delivery that moto leaves out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from moto.sns.models import sns_backends

from demarc.stores.dynamodb import DynamoFindingStore
from tests.infrastructure.synthesis import Assembly
from tests.simulation.bus import matches
from tests.simulation.function import Function
from tests.simulation.trail import session

# Types of the template that moto can play, and Demarc needs while it runs.
PLAYED = (
    "AWS::DynamoDB::GlobalTable",
    "AWS::Events::Rule",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
)


@dataclass(frozen=True, slots=True)
class Letter:
    """One announcement as received: the body for machines, and the subject and text of the e-mail."""

    body: Mapping[str, Any]
    subject: str
    text: str


@dataclass(slots=True)
class Cloud:
    """What was deployed, and how events get through it.

    `made` maps logical ids to what AWS names them by: the table's name, queues' URLs, topics' ARNs.
    """

    account: str
    region: str
    left_out: tuple[str, ...] = ()
    made: dict[str, str] = field(default_factory=dict)
    rules: list[tuple[Mapping[str, Any], str]] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    mailboxes: dict[str, str] = field(default_factory=dict)
    dead_letter_queues: list[str] = field(default_factory=list)
    busy: set[str] = field(default_factory=set)

    def client(self, service: str) -> Any:
        return client(service, self.region)

    @property
    def store(self) -> DynamoFindingStore:
        """The findings, as whoever may read the table sees them."""
        return DynamoFindingStore(self.client("dynamodb"), self.functions[0].environment["DEMARC_TABLE"])

    def function(self, responder: str) -> Function:
        return next(each for each in self.functions if each.responder == responder)

    def asked_by(self, envelope: Mapping[str, Any]) -> list[str]:
        """The responders whose rules match an event."""
        queues = {queue for pattern, queue in self.rules if matches(pattern, envelope)}
        return sorted(function.responder for function in self.functions if function.queue in queues)

    def put(self, envelope: Mapping[str, Any]) -> list[str]:
        """Give an event to EventBridge; the responders it goes to."""
        asked_by = self.asked_by(envelope)
        for responder in asked_by:
            self.send(responder, json.dumps(envelope))
        return asked_by

    def send(self, responder: str, body: str) -> None:
        """Put a message into a responder's queue, as EventBridge does, or whoever else may send there."""
        self.client("sqs").send_message(QueueUrl=self.function(responder).queue, MessageBody=body)
        self.busy.add(responder)

    def run(self) -> int:
        """Let the functions work until their queues are empty; the number of deliveries that failed on the way."""
        failures = 0
        for responder in sorted(self.busy):
            failures += self.function(responder).poll(self.client("sqs"))
            self.busy.discard(responder)
        return failures

    def logged(self) -> list[dict[str, Any]]:
        """What the functions wrote to their logs since it was last asked."""
        return [line for function in self.functions for line in function.logged()]

    def letters(self, team: str) -> Iterator[Letter]:
        """What a team received since it last looked, oldest first."""
        return map(self._letter, self._taken(self.mailboxes[team]))

    def _letter(self, received: str) -> Letter:
        """A queue gets the body for machines; the text of the e-mail is in what moto keeps of each publication."""
        notice = json.loads(received)
        topic = sns_backends[self.account][self.region].topics[notice["TopicArn"]]
        published = next(sent for number, sent, *_ in topic.sent_notifications if number == notice["MessageId"])
        return Letter(json.loads(notice["Message"]), notice["Subject"], json.loads(published)["email"])

    def dead_letters(self) -> list[str]:
        """The bodies of what could not be settled."""
        return [body for queue in self.dead_letter_queues for body in self._taken(queue)]

    def _taken(self, queue: str) -> Iterator[str]:
        sqs = self.client("sqs")
        while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                yield message["Body"]


@cache
def client(service: str, region: str) -> Any:
    """A client whose calls nobody records; moto does not mind how old one is."""
    return session().client(service, region_name=region)


def deploy(assembly: Assembly, *, account: str, region: str) -> Cloud:
    """Make what moto can play of a synthesised template; the rest is named in `left_out`."""
    types = {resource["Type"] for resource in assembly.template["Resources"].values()}
    cloud = Cloud(account, region, left_out=tuple(sorted(types - {*PLAYED})))
    for logical, table in assembly.resources("AWS::DynamoDB::GlobalTable").items():
        cloud.made[logical] = _table(cloud, logical, table["Properties"])
    _make_queues(cloud, assembly)
    for logical in assembly.resources("AWS::SNS::Topic"):
        cloud.made[logical] = cloud.client("sns").create_topic(Name=logical)["TopicArn"]
    for subscription in assembly.resources("AWS::SNS::Subscription").values():
        _subscribe(cloud, subscription["Properties"])
    for rule in assembly.resources("AWS::Events::Rule").values():
        (target,) = rule["Properties"]["Targets"]
        cloud.rules.append((rule["Properties"]["EventPattern"], cloud.made[target["Arn"]["Fn::GetAtt"][0]]))
    for mapping in assembly.resources("AWS::Lambda::EventSourceMapping").values():
        logical = mapping["Properties"]["FunctionName"]["Ref"]
        queue = cloud.made[mapping["Properties"]["EventSourceArn"]["Fn::GetAtt"][0]]
        cloud.functions.append(Function(logical, _environment(cloud, assembly, logical), queue))
    return cloud


def _table(cloud: Cloud, logical: str, properties: Mapping[str, Any]) -> str:
    taken = ("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema")
    cloud.client("dynamodb").create_table(TableName=logical, **{name: properties[name] for name in taken})
    return logical


def _make_queues(cloud: Cloud, assembly: Assembly) -> None:
    """Every queue; those for dead letters first, since the others name them."""
    queues = assembly.resources("AWS::SQS::Queue").items()
    for logical, queue in sorted(queues, key=lambda each: "RedrivePolicy" in each[1]["Properties"]):
        attributes = {}
        if redrive := queue["Properties"].get("RedrivePolicy"):
            dead_letters = cloud.made[redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]]
            cloud.dead_letter_queues.append(dead_letters)
            attributes["RedrivePolicy"] = json.dumps(
                {**redrive, "deadLetterTargetArn": _queue_arn(cloud, dead_letters)}
            )
        made = cloud.client("sqs").create_queue(QueueName=logical, Attributes=attributes)
        cloud.made[logical] = made["QueueUrl"]


def _queue_arn(cloud: Cloud, url: str) -> str:
    return f"arn:aws:sqs:{cloud.region}:{cloud.account}:{url.rpartition('/')[2]}"


def _subscribe(cloud: Cloud, properties: Mapping[str, Any]) -> None:
    """The template's subscription, and a mailbox under the same filter, so that what was sent can be looked at."""
    topic = cloud.made[properties["TopicArn"]["Ref"]]
    policy = properties.get("FilterPolicy")
    attributes = {"FilterPolicy": json.dumps(policy)} if policy else {}
    subscribed = [(properties["Protocol"], properties["Endpoint"])]
    if policy:
        (team,) = policy["team"]
        cloud.mailboxes[team] = cloud.client("sqs").create_queue(QueueName=f"mailbox-{team}")["QueueUrl"]
        subscribed.append(("sqs", _queue_arn(cloud, cloud.mailboxes[team])))
    for protocol, endpoint in subscribed:
        cloud.client("sns").subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint, Attributes=attributes)


def _environment(cloud: Cloud, assembly: Assembly, logical: str) -> dict[str, str]:
    """A function's variables; the compiled matrix is read from the asset that would be uploaded."""
    properties = assembly.resources("AWS::Lambda::Function")[logical]["Properties"]
    variables = {
        name: cloud.made[value["Ref"]] if isinstance(value, Mapping) else value
        for name, value in properties["Environment"]["Variables"].items()
    }
    asset = assembly.path / f"asset.{properties['Code']['S3Key'].removesuffix('.zip')}"
    region = {"AWS_REGION": cloud.region, "AWS_DEFAULT_REGION": cloud.region}
    return {**variables, **region, "DEMARC_MATRIX": str(asset / variables["DEMARC_MATRIX"])}
