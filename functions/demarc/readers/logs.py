"""Groups of logs: how long they are kept, and under which key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, pages, present, tags_of, the_one

_SOURCE = "logs.amazonaws.com"
_GONE = ("ResourceNotFoundException", "InvalidParameterException")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    logs = clients("logs", resource.region)
    found = asked(logs, "describe_log_groups", _GONE, logGroupNamePrefix=resource.identifier, limit=50)
    group = the_one([each for each in found.get("logGroups", ()) if each["logGroupName"] == resource.identifier])
    return {
        "LogGroupName": group["logGroupName"],
        **present(
            RetentionInDays=group.get("retentionInDays"),
            KmsKeyId=group.get("kmsKeyId"),
            LogGroupClass=group.get("logGroupClass"),
        ),
    }


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    # The ARN that tags are asked by has no `:*` at its end.
    found = asked(clients("logs", resource.region), "list_tags_for_resource", _GONE, resourceArn=resource.arn)
    return {"Tags": tags_of(found.get("tags"))}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("logs", region), "describe_log_groups", "logGroups", 50):
        yield [each["logGroupName"] for each in page]


_NAMED = ("requestParameters.logGroupName",)
_DESCRIBED = {"logs.DescribeLogGroups": "logs:DescribeLogGroups"}

LOG_GROUP = Reader(
    type="AWS::Logs::LogGroup",
    responder="visibility",
    arn="arn:{partition}:logs:{region}:{account}:log-group:{identifier!s}",
    parts=(
        Part(gives=("LogGroupName", "RetentionInDays", "KmsKeyId", "LogGroupClass"), calls=_DESCRIBED, read=_read),
        Part(gives=("Tags",), calls={"logs.ListTagsForResource": "logs:ListTagsForResource"}, read=_tags),
    ),
    touches=(
        Touch(_SOURCE, ("CreateLogGroup", "DeleteLogGroup"), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("PutRetentionPolicy", "DeleteRetentionPolicy"), _NAMED, ("RetentionInDays",)),
        Touch(_SOURCE, ("AssociateKmsKey", "DisassociateKmsKey"), _NAMED, ("KmsKeyId",)),
        Touch(
            _SOURCE,
            (
                *("DeleteLogStream", "PutSubscriptionFilter", "DeleteSubscriptionFilter", "PutMetricFilter"),
                "DeleteMetricFilter",
            ),
            _NAMED,
        ),
        Touch(_SOURCE, ("TagLogGroup", "UntagLogGroup"), _NAMED, ("Tags",)),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceArn",), ("Tags",)),
    ),
    inventory=Inventory(calls=_DESCRIBED, pages=_listed),
)

READERS: tuple[Reader, ...] = (LOG_GROUP,)
