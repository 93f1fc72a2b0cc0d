"""What somebody is told of: metric filters on what trails write to log groups, alarms on them, and who hears those.

It is what several resources come to, and is read with a trail. A trail writes to a log group of its home Region; the
groups of all trails that are at home there count for each of them, since one that is watched is enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from demarc.core.model import Resource
from demarc.readers import Clients, Part
from demarc.readers.answers import pages

Answer = Mapping[str, Any]


def _read(clients: Clients, resource: Resource) -> Answer:
    groups = sorted(_groups(clients, resource))
    filters = [each for group in groups for each in _filters(clients, resource, group)]
    return {"Observed": {"LogGroups": groups, "Alerts": filters}}


def _groups(clients: Clients, resource: Resource) -> set[str]:
    """The account's log groups that a trail of all Regions, at home here, writes to."""
    trails = clients("cloudtrail", resource.region).describe_trails(includeShadowTrails=False).get("trailList", ())
    arns = [each.get("CloudWatchLogsLogGroupArn", "").split(":") for each in trails if each.get("IsMultiRegionTrail")]
    # arn:aws:logs:REGION:ACCOUNT:log-group:NAME:*
    return {arn[6] for arn in arns if len(arn) > 6 and arn[4] == resource.account}


def _filters(clients: Clients, resource: Resource, group: str) -> Iterator[Answer]:
    """Every metric filter of a log group with the alarms on its metrics; none where the group was deleted meanwhile."""
    heard = cache(lambda topic: _is_heard(clients, resource, topic))
    try:
        for page in pages(
            clients("logs", resource.region), "describe_metric_filters", "metricFilters", logGroupName=group
        ):
            for each in page:
                alarms = [
                    _alarm(alarm, heard) for alarm in _alarms(clients, resource, each.get("metricTransformations", ()))
                ]
                yield {"Filter": each["filterName"], "Pattern": each.get("filterPattern", ""), "Alarms": alarms}
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise


def _alarms(clients: Clients, resource: Resource, metrics: Sequence[Answer]) -> Iterator[Answer]:
    cloudwatch = clients("cloudwatch", resource.region)
    for each in metrics:
        asked = {"MetricName": each["metricName"], "Namespace": each["metricNamespace"]}
        yield from cloudwatch.describe_alarms_for_metric(**asked).get("MetricAlarms", ())


def _alarm(alarm: Answer, heard: Any) -> Answer:
    actions = alarm.get("AlarmActions", ()) if alarm.get("ActionsEnabled", True) else ()
    return {"Name": alarm["AlarmName"], "Heard": any(heard(action) for action in actions)}


def _is_heard(clients: Clients, resource: Resource, action: str) -> bool:
    """Whether somebody is at the other end of an alarm's action: a topic may have no subscription that is confirmed."""
    if action.split(":")[2] != "sns":
        return True
    sns = clients("sns", resource.region)
    try:
        listed = pages(sns, "list_subscriptions_by_topic", "Subscriptions", TopicArn=action)
        return any(each["SubscriptionArn"].startswith("arn:") for page in listed for each in page)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NotFound", "NotFoundException"):
            return False
        raise


ALERTS = Part(
    gives=("Observed.LogGroups", "Observed.Alerts"),
    calls={
        "cloudtrail.DescribeTrails": "cloudtrail:DescribeTrails",
        "cloudwatch.DescribeAlarmsForMetric": "cloudwatch:DescribeAlarmsForMetric",
        "logs.DescribeMetricFilters": "logs:DescribeMetricFilters",
        "sns.ListSubscriptionsByTopic": "sns:ListSubscriptionsByTopic",
    },
    read=_read,
)
