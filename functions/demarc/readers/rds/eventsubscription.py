"""Subscriptions to what RDS tells: for what, and of which kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, pages, same, tags, the_one
from demarc.readers.rds.asked import RDS

_GONE = ("SubscriptionNotFound", "InvalidParameterValue")
_SAME = ("Enabled", "SourceType", "SnsTopicArn")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    rds = clients("rds", resource.region)
    found = asked(rds, "describe_event_subscriptions", _GONE, SubscriptionName=resource.identifier)
    subscription = the_one(found.get("EventSubscriptionsList"))
    return {
        **same(subscription, *_SAME),
        "SubscriptionName": subscription["CustSubscriptionId"],
        "EventCategories": sorted(subscription.get("EventCategoriesList", ())),
        "SourceIds": sorted(subscription.get("SourceIdsList", ())),
    }


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    rds = clients("rds", resource.region)
    return {"Tags": tags(asked(rds, "list_tags_for_resource", _GONE, ResourceName=resource.arn).get("TagList"))}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("rds", region), "describe_event_subscriptions", "EventSubscriptionsList", 100):
        yield [each["CustSubscriptionId"] for each in page]


_NAMED = ("requestParameters.subscriptionName",)

EVENT_SUBSCRIPTION = Reader(
    type="AWS::RDS::EventSubscription",
    responder="data",
    arn="arn:{partition}:rds:{region}:{account}:es:{identifier}",
    parts=(
        Part(
            gives=(*_SAME, "SubscriptionName", "EventCategories", "SourceIds"),
            calls={"rds.DescribeEventSubscriptions": "rds:DescribeEventSubscriptions"},
            read=_read,
        ),
        Part(gives=("Tags",), calls={"rds.ListTagsForResource": "rds:ListTagsForResource"}, read=_tags),
    ),
    touches=(
        Touch(RDS, ("CreateEventSubscription", "DeleteEventSubscription"), _NAMED, EVERYTHING),
        Touch(RDS, ("ModifyEventSubscription",), _NAMED, (*_SAME, "EventCategories")),
        Touch(
            RDS,
            ("AddSourceIdentifierToSubscription", "RemoveSourceIdentifierFromSubscription"),
            _NAMED,
            ("SourceIds",),
        ),
        Touch(RDS, ("AddTagsToResource", "RemoveTagsFromResource"), ("requestParameters.resourceName",), ("Tags",)),
    ),
    inventory=Inventory(calls={"rds.DescribeEventSubscriptions": "rds:DescribeEventSubscriptions"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (EVENT_SUBSCRIPTION,)
