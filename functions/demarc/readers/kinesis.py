"""Streams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, configured, document, pages, present, same, tags_key_by_key

_SOURCE = "kinesis.amazonaws.com"
_GONE = ("ResourceNotFoundException", "InvalidArgumentException", "ValidationException")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    kinesis = clients("kinesis", resource.region)
    found = asked(kinesis, "describe_stream_summary", _GONE, StreamName=resource.identifier)["StreamDescriptionSummary"]
    if found.get("StreamStatus") == "DELETING":
        raise ResourceGone
    sealed = same(found, "EncryptionType", "KeyId") if found.get("EncryptionType", "NONE") != "NONE" else None
    return {
        "Name": found["StreamName"],
        **same(found, "RetentionPeriodHours"),
        **present(StreamEncryption=sealed),
    }


def _policy(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    kinesis = clients("kinesis", resource.region)
    found = configured(kinesis, "get_resource_policy", ("ResourceNotFoundException",), ResourceARN=resource.arn)
    return {"Observed": present(Policy=document(found.get("Policy")))}


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    kinesis = clients("kinesis", resource.region)
    return {"Tags": tags_key_by_key(kinesis, "list_tags_for_stream", _GONE, StreamName=resource.identifier)}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    return pages(clients("kinesis", region), "list_streams", "StreamNames", 100)


_NAMED = ("requestParameters.streamName", "requestParameters.streamARN")
_ARN = ("requestParameters.resourceARN",)
_SEALED, _KEPT = ("StreamEncryption",), ("RetentionPeriodHours",)

STREAM = Reader(
    type="AWS::Kinesis::Stream",
    responder="data",
    arn="arn:{partition}:kinesis:{region}:{account}:stream/{identifier}",
    parts=(
        Part(
            gives=("Name", *_KEPT, *_SEALED),
            calls={"kinesis.DescribeStreamSummary": "kinesis:DescribeStreamSummary"},
            read=_read,
        ),
        Part(
            gives=("Observed.Policy",), calls={"kinesis.GetResourcePolicy": "kinesis:GetResourcePolicy"}, read=_policy
        ),
        Part(gives=("Tags",), calls={"kinesis.ListTagsForStream": "kinesis:ListTagsForStream"}, read=_tags),
    ),
    touches=(
        Touch(_SOURCE, ("CreateStream",), _NAMED[:1], EVERYTHING),
        Touch(_SOURCE, ("DeleteStream",), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("StartStreamEncryption", "StopStreamEncryption"), _NAMED, _SEALED),
        Touch(_SOURCE, ("IncreaseStreamRetentionPeriod", "DecreaseStreamRetentionPeriod"), _NAMED, _KEPT),
        Touch(_SOURCE, ("PutResourcePolicy", "DeleteResourcePolicy"), _ARN, ("Observed.Policy",)),
        Touch(_SOURCE, ("AddTagsToStream", "RemoveTagsFromStream"), _NAMED, ("Tags",)),
        Touch(_SOURCE, ("RegisterStreamConsumer",), ("requestParameters.streamARN",)),
        Touch(_SOURCE, ("TagResource", "UntagResource"), _ARN, ("Tags",)),
    ),
    inventory=Inventory(calls={"kinesis.ListStreams": "kinesis:ListStreams"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (STREAM,)
