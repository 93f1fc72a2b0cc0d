"""Brokers of Amazon MQ. Users and passwords are never read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, pages, same, tags_of

_SOURCE = "amazonmq.amazonaws.com"
_GONE = ("NotFoundException", "BadRequestException")
_KEPT = ("AutoMinorVersionUpgrade", "BrokerName", "DeploymentMode", "EngineType", "EngineVersion", "PubliclyAccessible")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    broker = asked(clients("mq", resource.region), "describe_broker", _GONE, BrokerId=resource.identifier)
    if broker.get("BrokerState") == "DELETION_IN_PROGRESS":
        raise ResourceGone
    return {
        **same(broker, *_KEPT),
        "EncryptionOptions": same(broker.get("EncryptionOptions", {}), "KmsKeyId", "UseAwsOwnedKey"),
        "Logs": same(broker.get("Logs", {}), "Audit", "General"),
        "Tags": tags_of(broker.get("Tags")),
    }


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("mq", region), "list_brokers", "BrokerSummaries", 100):
        yield [each["BrokerId"] for each in page]


# As the model and as the path of the request spell it.
_NAMED = ("requestParameters.brokerId", "requestParameters.broker-id")
_TAGGED = ("requestParameters.resourceArn", "requestParameters.resource-arn")

BROKER = Reader(
    type="AWS::AmazonMQ::Broker",
    responder="data",
    # Its ARN ends with its name and its id; calls take the id.
    arn="arn:{partition}:mq:{region}:{account}:broker:*:{identifier}",
    parts=(
        Part(
            gives=(*_KEPT, "EncryptionOptions", "Logs", "Tags"),
            calls={"mq.DescribeBroker": "mq:DescribeBroker"},
            read=_read,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateBroker",), ("responseElements.brokerId",), EVERYTHING),
        Touch(_SOURCE, ("DeleteBroker",), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("UpdateBroker",), _NAMED, ("AutoMinorVersionUpgrade", "EngineVersion", "Logs")),
        Touch(_SOURCE, ("RebootBroker", "CreateUser", "DeleteUser", "UpdateUser"), _NAMED),
        Touch(_SOURCE, ("CreateTags", "DeleteTags"), _TAGGED, ("Tags",)),
    ),
    inventory=Inventory(calls={"mq.ListBrokers": "mq:ListBrokers"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (BROKER,)
