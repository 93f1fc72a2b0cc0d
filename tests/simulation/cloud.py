"""An account on moto, Demarc deployed in it from the synthesised template, and the delivery that moto leaves out."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from demarc.stores.dynamodb import DynamoFindingStore
from tests.infrastructure.synthesis import Assembly
from tests.simulation.bus import matches
from tests.simulation.function import Function
from tests.simulation.trail import session

# Types of the template that moto can play, or that are played here, and Demarc needs while it runs.
PLAYED = (
    "AWS::DynamoDB::GlobalTable",
    "AWS::Events::Rule",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::Url",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
)

# A function that asks itself for more never comes to an end; nothing that is played here takes so many turns.
_TURNS = 2000


@dataclass(frozen=True, slots=True)
class Letter:
    """One announcement as received: the body for machines, and the subject and text of the e-mail."""

    body: Mapping[str, Any]
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """A rule that follows the clock: where it sends to, and what; without a message, the event of such a rule."""

    target: str
    message: str | None


def _stand_still(time: timedelta) -> None:
    """Only messages wait; the clock that everybody reads is the real one."""


@dataclass(slots=True)
class Cloud:
    """What was deployed, and how events get through it.

    `made` maps logical ids to what AWS names them by: the table's name, queues' URLs, topics' ARNs. `schedules` are by
    the logical ids of their rules.
    """

    account: str
    region: str
    left_out: tuple[str, ...] = ()
    made: dict[str, str] = field(default_factory=dict)
    rules: list[tuple[Mapping[str, Any], str]] = field(default_factory=list)
    schedules: dict[str, Schedule] = field(default_factory=dict)
    functions: list[Function] = field(default_factory=list)
    mailboxes: dict[str, str] = field(default_factory=dict)
    dead_letter_queues: list[str] = field(default_factory=list)
    pass_time: Callable[[timedelta], object] = _stand_still

    def client(self, service: str) -> Any:
        return client(service, self.region)

    @property
    def store(self) -> DynamoFindingStore:
        """The findings, as whoever may read the table sees them."""
        return DynamoFindingStore(self.client("dynamodb"), self.functions[0].environment["DEMARC_TABLE"])

    def function(self, name: str) -> Function:
        """A function by what it does: a responder's name, or sweep, chase, deliver, answer."""
        return next(each for each in self.functions if each.name == name)

    def asked_by(self, envelope: Mapping[str, Any]) -> list[str]:
        """The functions whose rules match an event."""
        queues = {queue for pattern, queue in self.rules if matches(pattern, envelope)}
        return sorted(function.name for function in self.functions if function.queue in queues)

    def put(self, envelope: Mapping[str, Any]) -> list[str]:
        """Give an event to EventBridge; the functions it goes to."""
        asked_by = self.asked_by(envelope)
        for name in asked_by:
            self.send(name, json.dumps(envelope))
        return asked_by

    def send(self, name: str, body: str) -> None:
        """Put a message into a function's queue, as EventBridge does, or whoever else may send there."""
        self.client("sqs").send_message(QueueUrl=self.function(name).queue, MessageBody=body)

    def fire(self, schedule: str) -> Any:
        """Let the clock reach a rule, named by what its logical id begins with; what a function called so answers.

        `VisibilityChangesSilence`, `SweeperRequestsSchedule` and `Chaser`: what goes to a queue waits there for `run`.
        """
        ((rule, found),) = [each for each in self.schedules.items() if each[0].startswith(schedule)]
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": self.account,
            "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "region": self.region,
            "resources": [f"arn:aws:events:{self.region}:{self.account}:rule/{rule}"],
            "detail": {},
        }
        for function in self.functions:
            if found.target == function.queue:
                self.send(function.name, found.message or json.dumps(event))
                return None
            if found.target == function.logical:
                return function.invoke(event)
        raise LookupError(f"{rule} sends to nobody")

    def request(self, body: str, headers: Mapping[str, str]) -> Any:
        """Call the URL of the function that has one; what it answers."""
        http = {"method": "POST", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.7", "userAgent": "Slackbot"}
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": "/",
            "rawQueryString": "",
            "headers": {name.lower(): value for name, value in headers.items()},
            "requestContext": {"accountId": "anonymous", "http": http},
            "body": body,
            "isBase64Encoded": False,
        }
        return self.function("answer").invoke(event)

    def run(self, patience: timedelta = timedelta(minutes=15)) -> int:
        """Let the functions work until they have nothing left to do; how many deliveries failed on the way.

        What waits for later, as long as that is not longer than `patience`, is taken as soon as there is nothing else
        to do: here time passes at once, also on the handlers' clocks where `pass_time` moves them.

        Raises:
            RuntimeError: if it never comes to an end.
        """
        failures, polled = 0, [function for function in self.functions if function.queue]
        for _ in range(_TURNS):
            busy = [function for function in polled if self._waiting(function.queue or "")]
            if not busy:
                busy = self._let_pass(polled, patience)
            if not busy:
                return failures
            for function in sorted(busy, key=lambda each: each.name):
                failures += function.poll(self.client("sqs"), partial(self._hidden_until, function.queue or ""))
        raise RuntimeError(f"after {_TURNS} turns there was still something to do")

    def _messages(self, queue: str) -> list[Any]:
        found: list[Any] = sqs_backends[self.account][self.region].queues[queue.rpartition("/")[2]]._messages
        return found

    def _waiting(self, queue: str) -> bool:
        return any(message.visible and not message.delayed for message in self._messages(queue))

    def _hidden_until(self, queue: str, message_id: str) -> float:
        """In milliseconds of the epoch; a message that is deleted is hidden from nobody."""
        return next((float(each.visible_at) for each in self._messages(queue) if each.id == message_id), 0.0)

    def _let_pass(self, polled: list[Function], patience: timedelta) -> list[Function]:
        """Let time pass until the next message that was put back for a while comes again; whose queue it is in."""
        now = datetime.now(UTC).timestamp() * 1000
        waiting = [
            (max(message.delayed_until, message.visible_at), message, function)
            for function in polled
            for message in self._messages(function.queue or "")
            if message.delayed or not message.visible
        ]
        at = min((each[0] for each in waiting), default=None)
        if at is None or at > now + patience / timedelta(milliseconds=1):
            return []
        self.pass_time(timedelta(milliseconds=max(at - now, 0)))
        due = [(message, function) for when, message, function in waiting if when <= at]
        for message, function in due:
            message.delayed_until = message.visible_at = 0.0
            name = (function.queue or "").rpartition("/")[2]
            sqs_backends[self.account][self.region].queues[name].pending_messages.discard(message)
        return [function for function in polled if any(each is function for _, each in due)]

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
    for logical, rule in assembly.resources("AWS::Events::Rule").items():
        _obey(cloud, logical, rule["Properties"])
    mappings = {
        mapping["Properties"]["FunctionName"]["Ref"]: mapping["Properties"]
        for mapping in assembly.resources("AWS::Lambda::EventSourceMapping").values()
    }
    for logical, function in assembly.resources("AWS::Lambda::Function").items():
        cloud.functions.append(_function(cloud, assembly, logical, function["Properties"], mappings.get(logical)))
    return cloud


def _table(cloud: Cloud, logical: str, properties: Mapping[str, Any]) -> str:
    taken = ("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema")
    dynamodb = cloud.client("dynamodb")
    dynamodb.create_table(TableName=logical, **{name: properties[name] for name in taken})
    dynamodb.update_time_to_live(TableName=logical, TimeToLiveSpecification=properties["TimeToLiveSpecification"])
    return logical


def _make_queues(cloud: Cloud, assembly: Assembly) -> None:
    """Every queue; those for dead letters first, since the others name them."""
    queues = assembly.resources("AWS::SQS::Queue").items()
    for logical, queue in sorted(queues, key=lambda each: "RedrivePolicy" in each[1]["Properties"]):
        attributes = {}
        if redrive := queue["Properties"].get("RedrivePolicy"):
            cloud.dead_letter_queues.append(cloud.made[redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]])
            attributes["RedrivePolicy"] = json.dumps(_resolved(cloud, redrive))
        made = cloud.client("sqs").create_queue(QueueName=logical, Attributes=attributes)
        cloud.made[logical] = made["QueueUrl"]


def _subscribe(cloud: Cloud, properties: Mapping[str, Any]) -> None:
    """The template's subscription, and a mailbox under the same filter, so that what was sent can be looked at."""
    topic = cloud.made[properties["TopicArn"]["Ref"]]
    policy = properties.get("FilterPolicy")
    attributes = {"FilterPolicy": json.dumps(policy)} if policy else {}
    subscribed = [(properties["Protocol"], _resolved(cloud, properties["Endpoint"]))]
    if policy:
        (team,) = policy["audience"]
        cloud.mailboxes[team] = cloud.client("sqs").create_queue(QueueName=f"mailbox-{team}")["QueueUrl"]
        subscribed.append(("sqs", _queue_arn(cloud, cloud.mailboxes[team])))
    for protocol, endpoint in subscribed:
        cloud.client("sns").subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint, Attributes=attributes)


def _obey(cloud: Cloud, logical: str, rule: Mapping[str, Any]) -> None:
    """A rule: a pattern of events into a queue, or the clock into a queue or a function."""
    (target,) = rule["Targets"]
    place = target["Arn"]["Fn::GetAtt"][0]
    if pattern := rule.get("EventPattern"):
        cloud.rules.append((_resolved(cloud, pattern), cloud.made[place]))
    else:
        cloud.schedules[logical] = Schedule(cloud.made.get(place, place), _resolved(cloud, target.get("Input")))


def _function(
    cloud: Cloud, assembly: Assembly, logical: str, properties: Mapping[str, Any], source: Mapping[str, Any] | None
) -> Function:
    """A function and its variables; the compiled matrix is read from the asset that would be uploaded."""
    variables = _resolved(cloud, properties["Environment"]["Variables"])
    asset = assembly.path / f"asset.{properties['Code']['S3Key'].removesuffix('.zip')}"
    region = {"AWS_REGION": cloud.region, "AWS_DEFAULT_REGION": cloud.region}
    return Function(
        logical,
        properties["Handler"],
        {**variables, **region, "DEMARC_MATRIX": str(asset / variables["DEMARC_MATRIX"])},
        properties["Timeout"],
        queue=cloud.made[source["EventSourceArn"]["Fn::GetAtt"][0]] if source else None,
        batch=source["BatchSize"] if source else 1,
    )


def _resolved(cloud: Cloud, value: Any) -> Any:
    """What CloudFormation would put in for its functions, as far as the template uses them."""
    if isinstance(value, list):
        return [_resolved(cloud, each) for each in value]
    if not isinstance(value, Mapping):
        return value
    if "Ref" in value:
        return _named(cloud, value["Ref"])
    if "Fn::GetAtt" in value:
        return _queue_arn(cloud, cloud.made[value["Fn::GetAtt"][0]])
    if "Fn::Join" in value:
        between, parts = value["Fn::Join"]
        return between.join(_resolved(cloud, part) for part in parts)
    return {name: _resolved(cloud, each) for name, each in value.items()}


def _named(cloud: Cloud, name: str) -> str:
    stack = f"arn:aws:cloudformation:{cloud.region}:{cloud.account}:stack/Demarc/00000000-0000-0000-0000-000000000000"
    pseudo = {
        "AWS::AccountId": cloud.account,
        "AWS::Partition": "aws",
        "AWS::Region": cloud.region,
        "AWS::StackId": stack,
        "AWS::StackName": "Demarc",
    }
    return pseudo.get(name) or cloud.made[name]


def _queue_arn(cloud: Cloud, url: str) -> str:
    return f"arn:aws:sqs:{cloud.region}:{cloud.account}:{url.rpartition('/')[2]}"
