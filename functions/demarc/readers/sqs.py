"""Queues: who may send and receive, and encryption. Known by their names; calls name them by their URLs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, document, pages, present, tags_of

_SOURCE = "sqs.amazonaws.com"
_GONE = (
    *("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "InvalidAddress"),
    *("AWS.SimpleQueueService.QueueDeletedRecently", "InvalidParameterValue"),
)
_ATTRIBUTES = ("KmsMasterKeyId", "Policy", "QueueArn", "RedrivePolicy", "SqsManagedSseEnabled")


def _url(clients: Clients, resource: Resource) -> str:
    found = asked(
        clients("sqs", resource.region),
        "get_queue_url",
        _GONE,
        QueueName=resource.identifier,
        QueueOwnerAWSAccountId=resource.account,
    )
    return str(found["QueueUrl"])


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(
        clients("sqs", resource.region),
        "get_queue_attributes",
        _GONE,
        QueueUrl=_url(clients, resource),
        AttributeNames=list(_ATTRIBUTES),
    ).get("Attributes", {})
    return {
        "QueueName": resource.identifier,
        **present(KmsMasterKeyId=found.get("KmsMasterKeyId"), RedrivePolicy=document(found.get("RedrivePolicy"))),
        "SqsManagedSseEnabled": found.get("SqsManagedSseEnabled") == "true",
        "Observed": present(Policy=document(found.get("Policy"))),
    }


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    url = _url(clients, resource)
    return {"Tags": tags_of(asked(clients("sqs", resource.region), "list_queue_tags", _GONE, QueueUrl=url).get("Tags"))}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("sqs", region), "list_queues", "QueueUrls", 1000):
        yield [url.rpartition("/")[2] for url in page]


_NAMED = ("requestParameters.queueUrl",)
_URL = {"sqs.GetQueueUrl": "sqs:GetQueueUrl"}

QUEUE = Reader(
    type="AWS::SQS::Queue",
    responder="data",
    arn="arn:{partition}:sqs:{region}:{account}:{identifier}",
    parts=(
        Part(
            gives=("QueueName", "KmsMasterKeyId", "RedrivePolicy", "SqsManagedSseEnabled", "Observed.Policy"),
            calls={**_URL, "sqs.GetQueueAttributes": "sqs:GetQueueAttributes"},
            read=_read,
        ),
        Part(gives=("Tags",), calls={**_URL, "sqs.ListQueueTags": "sqs:ListQueueTags"}, read=_tags),
    ),
    touches=(
        Touch(_SOURCE, ("CreateQueue",), ("requestParameters.queueName",), EVERYTHING),
        Touch(_SOURCE, ("DeleteQueue",), _NAMED, EVERYTHING, last=True),
        Touch(
            _SOURCE,
            ("SetQueueAttributes",),
            _NAMED,
            ("KmsMasterKeyId", "RedrivePolicy", "SqsManagedSseEnabled", "Observed.Policy"),
            last=True,
        ),
        Touch(_SOURCE, ("AddPermission", "RemovePermission"), _NAMED, ("Observed.Policy",), last=True),
        Touch(_SOURCE, ("PurgeQueue",), _NAMED, last=True),
        Touch(_SOURCE, ("TagQueue", "UntagQueue"), _NAMED, ("Tags",), last=True),
    ),
    inventory=Inventory(calls={"sqs.ListQueues": "sqs:ListQueues"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (QUEUE,)
