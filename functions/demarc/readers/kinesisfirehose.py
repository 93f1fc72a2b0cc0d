"""Delivery streams of Firehose. Where they deliver to, with passwords, is never read into a snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, present, same, tags_key_by_key

_SOURCE = "firehose.amazonaws.com"
_GONE = ("ResourceNotFoundException", "InvalidArgumentException", "ValidationException")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    firehose = clients("firehose", resource.region)
    found = asked(firehose, "describe_delivery_stream", _GONE, DeliveryStreamName=resource.identifier)
    stream = found["DeliveryStreamDescription"]
    if stream.get("DeliveryStreamStatus") == "DELETING":
        raise ResourceGone
    sealed = stream.get("DeliveryStreamEncryptionConfiguration", {})
    return {
        **same(stream, "DeliveryStreamName", "DeliveryStreamType"),
        "Observed": present(Encryption=sealed.get("Status", "DISABLED"), KeyType=sealed.get("KeyType")),
    }


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    firehose = clients("firehose", resource.region)
    method = "list_tags_for_delivery_stream"
    return {"Tags": tags_key_by_key(firehose, method, _GONE, DeliveryStreamName=resource.identifier)}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    # botocore has no paginator for it: the last name of a page asks for the next.
    firehose, asked_for = clients("firehose", region), {"Limit": 100}
    while True:
        page = firehose.list_delivery_streams(**asked_for)
        names = page["DeliveryStreamNames"]
        yield names
        if not (page["HasMoreDeliveryStreams"] and names):
            return
        asked_for = {"Limit": 100, "ExclusiveStartDeliveryStreamName": names[-1]}


_NAMED = ("requestParameters.deliveryStreamName",)
_SEALED = ("Observed.Encryption", "Observed.KeyType")

DELIVERY_STREAM = Reader(
    type="AWS::KinesisFirehose::DeliveryStream",
    responder="data",
    arn="arn:{partition}:firehose:{region}:{account}:deliverystream/{identifier}",
    parts=(
        Part(
            gives=("DeliveryStreamName", "DeliveryStreamType", *_SEALED),
            calls={"firehose.DescribeDeliveryStream": "firehose:DescribeDeliveryStream"},
            read=_read,
        ),
        Part(
            gives=("Tags",),
            calls={"firehose.ListTagsForDeliveryStream": "firehose:ListTagsForDeliveryStream"},
            read=_tags,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateDeliveryStream", "DeleteDeliveryStream"), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("StartDeliveryStreamEncryption", "StopDeliveryStreamEncryption"), _NAMED, _SEALED),
        Touch(_SOURCE, ("UpdateDestination",), _NAMED),
        Touch(_SOURCE, ("TagDeliveryStream", "UntagDeliveryStream"), _NAMED, ("Tags",)),
    ),
    inventory=Inventory(calls={"firehose.ListDeliveryStreams": "firehose:ListDeliveryStreams"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (DELIVERY_STREAM,)
