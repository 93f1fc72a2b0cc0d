"""Tasks of DataSync: whether what they copy is written down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, every, pages, same, tags

_SOURCE = "datasync.amazonaws.com"
_GONE = ("InvalidRequestException",)


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(clients("datasync", resource.region), "describe_task", _GONE, TaskArn=resource.arn)
    return {
        **same(found, "Name", "CloudWatchLogGroupArn"),
        "Options": same(found.get("Options", {}), "LogLevel", "VerifyMode"),
    }


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    datasync = clients("datasync", resource.region)
    return {"Tags": tags(every(datasync, "list_tags_for_resource", "Tags", _GONE, ResourceArn=resource.arn))}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("datasync", region), "list_tasks", "Tasks", 100):
        yield [each["TaskArn"].rpartition("/")[2] for each in page]


_NAMED = ("requestParameters.taskArn",)

TASK = Reader(
    type="AWS::DataSync::Task",
    responder="data",
    arn="arn:{partition}:datasync:{region}:{account}:task/{identifier}",
    parts=(
        Part(
            gives=("Name", "CloudWatchLogGroupArn", "Options"),
            calls={"datasync.DescribeTask": "datasync:DescribeTask"},
            read=_read,
        ),
        Part(gives=("Tags",), calls={"datasync.ListTagsForResource": "datasync:ListTagsForResource"}, read=_tags),
    ),
    touches=(
        Touch(_SOURCE, ("CreateTask",), ("responseElements.taskArn",), EVERYTHING),
        Touch(_SOURCE, ("DeleteTask",), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("UpdateTask",), _NAMED, ("CloudWatchLogGroupArn", "Options")),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceArn",), ("Tags",)),
    ),
    inventory=Inventory(calls={"datasync.ListTasks": "datasync:ListTasks"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (TASK,)
