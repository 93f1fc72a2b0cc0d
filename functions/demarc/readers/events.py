"""Buses that carry events, and endpoints that carry them elsewhere when a Region fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, document, page_by_page, present, tags

_SOURCE = "events.amazonaws.com"
_GONE = ("ResourceNotFoundException", "ValidationException")


def _client(clients: Clients, resource: Resource) -> Any:
    return clients("events", resource.region)


def _bus(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(_client(clients, resource), "describe_event_bus", _GONE, Name=resource.identifier)
    return {"Name": found["Name"], **present(Policy=document(found.get("Policy")))}


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(_client(clients, resource), "list_tags_for_resource", _GONE, ResourceARN=resource.arn)
    return {"Tags": tags(found.get("Tags"))}


def _buses(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in page_by_page(clients("events", region), "list_event_buses", Limit=100):
        yield [each["Name"] for each in page.get("EventBuses", ())]


_AT_BUS = ("requestParameters.eventBusName", "requestParameters.name")

EVENT_BUS = Reader(
    type="AWS::Events::EventBus",
    responder="visibility",
    arn="arn:{partition}:events:{region}:{account}:event-bus/{identifier}",
    parts=(
        Part(gives=("Name", "Policy"), calls={"events.DescribeEventBus": "events:DescribeEventBus"}, read=_bus),
        Part(gives=("Tags",), calls={"events.ListTagsForResource": "events:ListTagsForResource"}, read=_tags),
    ),
    touches=(
        Touch(_SOURCE, ("CreateEventBus", "DeleteEventBus"), _AT_BUS[1:], EVERYTHING),
        Touch(_SOURCE, ("PutPermission", "RemovePermission"), _AT_BUS[:1], ("Policy",)),
        Touch(_SOURCE, ("UpdateEventBus",), _AT_BUS[1:]),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceARN",), ("Tags",)),
    ),
    inventory=Inventory(calls={"events.ListEventBuses": "events:ListEventBuses"}, pages=_buses),
)


def _endpoint(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(_client(clients, resource), "describe_endpoint", _GONE, Name=resource.identifier)
    if found.get("State") == "DELETING":
        raise ResourceGone
    return {
        "Name": found["Name"],
        "ReplicationConfig": {"State": found.get("ReplicationConfig", {}).get("State", "ENABLED")},
    }


def _endpoints(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in page_by_page(clients("events", region), "list_endpoints", MaxResults=100):
        yield [each["Name"] for each in page.get("Endpoints", ())]


_AT_ENDPOINT = ("requestParameters.name",)

ENDPOINT = Reader(
    type="AWS::Events::Endpoint",
    responder="visibility",
    arn="arn:{partition}:events:{region}:{account}:endpoint/{identifier}",
    parts=(
        Part(
            gives=("Name", "ReplicationConfig"),
            calls={"events.DescribeEndpoint": "events:DescribeEndpoint"},
            read=_endpoint,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateEndpoint", "DeleteEndpoint"), _AT_ENDPOINT, EVERYTHING),
        Touch(_SOURCE, ("UpdateEndpoint",), _AT_ENDPOINT, ("ReplicationConfig",)),
    ),
    inventory=Inventory(calls={"events.ListEndpoints": "events:ListEndpoints"}, pages=_endpoints),
)

READERS: tuple[Reader, ...] = (EVENT_BUS, ENDPOINT)
