"""Topics: who may publish and listen, and encryption."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, document, pages, present, tags

_SOURCE = "sns.amazonaws.com"
_GONE = ("NotFound", "NotFoundException", "InvalidParameter")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    sns = clients("sns", resource.region)
    found = asked(sns, "get_topic_attributes", _GONE, TopicArn=resource.arn).get("Attributes", {})
    return {
        **present(KmsMasterKeyId=found.get("KmsMasterKeyId"), TracingConfig=found.get("TracingConfig")),
        "TopicArn": found.get("TopicArn", resource.arn),
        "TopicName": resource.identifier,
        "Observed": present(
            Policy=document(found.get("Policy")),
            Subscriptions=int(found.get("SubscriptionsConfirmed", 0)),
        ),
    }


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    gone = (*_GONE, "ResourceNotFound")
    found = asked(clients("sns", resource.region), "list_tags_for_resource", gone, ResourceArn=resource.arn)
    return {"Tags": tags(found.get("Tags"))}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("sns", region), "list_topics", "Topics"):
        yield [each["TopicArn"].rpartition(":")[2] for each in page]


_NAMED = ("requestParameters.topicArn",)

TOPIC = Reader(
    type="AWS::SNS::Topic",
    responder="data",
    arn="arn:{partition}:sns:{region}:{account}:{identifier}",
    parts=(
        Part(
            gives=(
                *("KmsMasterKeyId", "TracingConfig", "TopicArn", "TopicName"),
                *("Observed.Policy", "Observed.Subscriptions"),
            ),
            calls={"sns.GetTopicAttributes": "sns:GetTopicAttributes"},
            read=_read,
        ),
        Part(gives=("Tags",), calls={"sns.ListTagsForResource": "sns:ListTagsForResource"}, read=_tags),
    ),
    touches=(
        Touch(_SOURCE, ("CreateTopic",), ("responseElements.topicArn",), EVERYTHING),
        Touch(_SOURCE, ("DeleteTopic",), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("SetTopicAttributes",), _NAMED, ("KmsMasterKeyId", "TracingConfig", "Observed.Policy")),
        Touch(_SOURCE, ("AddPermission", "RemovePermission"), _NAMED, ("Observed.Policy",)),
        Touch(_SOURCE, ("Subscribe", "ConfirmSubscription"), _NAMED, ("Observed.Subscriptions",)),
        Touch(_SOURCE, ("PutDataProtectionPolicy",), ("requestParameters.resourceArn",)),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceArn",), ("Tags",)),
    ),
    inventory=Inventory(calls={"sns.ListTopics": "sns:ListTopics"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (TOPIC,)
