"""Alarms: whether anybody hears them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, pages, same, tags, the_one

_SOURCE = "monitoring.amazonaws.com"
_GONE = ("ResourceNotFound", "ValidationError")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    cloudwatch = clients("cloudwatch", resource.region)
    alarm = the_one(asked(cloudwatch, "describe_alarms", _GONE, AlarmNames=[resource.identifier]).get("MetricAlarms"))
    return {
        **same(alarm, "AlarmActions", "AlarmName", "InsufficientDataActions", "MetricName", "Namespace", "OKActions"),
        "ActionsEnabled": alarm.get("ActionsEnabled", True),
        "Observed": {"Actions": len(alarm.get("AlarmActions", ()))},
    }


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    cloudwatch = clients("cloudwatch", resource.region)
    gone = (*_GONE, "ResourceNotFoundException")
    return {"Tags": tags(asked(cloudwatch, "list_tags_for_resource", gone, ResourceARN=resource.arn).get("Tags"))}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("cloudwatch", region), "describe_alarms", "MetricAlarms", 100):
        yield [each["AlarmName"] for each in page]


_GIVEN = ("AlarmActions", "AlarmName", "InsufficientDataActions", "MetricName", "Namespace", "OKActions")
_DESCRIBED = {"cloudwatch.DescribeAlarms": "cloudwatch:DescribeAlarms"}

ALARM = Reader(
    type="AWS::CloudWatch::Alarm",
    responder="visibility",
    arn="arn:{partition}:cloudwatch:{region}:{account}:alarm:{identifier!s}",
    parts=(
        Part(gives=(*_GIVEN, "ActionsEnabled", "Observed.Actions"), calls=_DESCRIBED, read=_read),
        Part(gives=("Tags",), calls={"cloudwatch.ListTagsForResource": "cloudwatch:ListTagsForResource"}, read=_tags),
    ),
    touches=(
        Touch(_SOURCE, ("PutMetricAlarm",), ("requestParameters.alarmName",), EVERYTHING),
        Touch(_SOURCE, ("DeleteAlarms",), ("requestParameters.alarmNames[]",), EVERYTHING),
        Touch(
            _SOURCE,
            ("DisableAlarmActions", "EnableAlarmActions"),
            ("requestParameters.alarmNames[]",),
            ("ActionsEnabled",),
        ),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceARN",), ("Tags",)),
    ),
    inventory=Inventory(calls=_DESCRIBED, pages=_listed),
)

READERS: tuple[Reader, ...] = (ALARM,)
