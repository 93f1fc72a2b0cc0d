"""What somebody is told of, as it is read from AWS: filters, the alarms on them, and who hears those."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from demarc.aws import AwsClients
from demarc.core.model import Resource
from demarc.readers.alerting import ALERTS

REGION = "eu-west-1"
ACCOUNT = "123456789012"
ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/everything"
EVERYTHING = Resource("AWS::CloudTrail::Trail", "everything", ACCOUNT, REGION, ARN)
PATTERN = "{ $.eventName = StopLogging }"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:security"


def group(account: str = ACCOUNT) -> str:
    return f"arn:aws:logs:{REGION}:{account}:log-group:trail:*"


@pytest.fixture(scope="module")
def stubbed() -> AwsClients:
    """Clients whose answers are written by the test."""
    return AwsClients()


def read(clients: AwsClients, *, trail: dict[str, Any]) -> Any:
    """What is read where the account has one trail."""
    with Stubber(clients("cloudtrail", REGION)) as cloudtrail:
        cloudtrail.add_response("describe_trails", {"trailList": [trail]}, {"includeShadowTrails": False})
        return ALERTS.read(clients, EVERYTHING)["Observed"]


@pytest.fixture
def watched(clients: AwsClients) -> AwsClients:
    """A trail whose log group has a filter, with an alarm on it that goes to a topic nobody listens to yet."""
    clients("s3", REGION).create_bucket(Bucket="files", CreateBucketConfiguration={"LocationConstraint": REGION})
    logs = clients("logs", REGION)
    logs.create_log_group(logGroupName="trail")
    role = clients("iam", REGION).create_role(RoleName="trail", AssumeRolePolicyDocument=json.dumps({}))["Role"]["Arn"]
    clients("cloudtrail", REGION).create_trail(
        Name="everything",
        S3BucketName="files",
        IsMultiRegionTrail=True,
        CloudWatchLogsLogGroupArn=group(),
        CloudWatchLogsRoleArn=role,
    )
    metric = {"metricName": "trail-changes", "metricNamespace": "Trail", "metricValue": "1"}
    logs.put_metric_filter(
        logGroupName="trail", filterName="changes", filterPattern=PATTERN, metricTransformations=[metric]
    )
    clients("sns", REGION).create_topic(Name="security")
    clients("cloudwatch", REGION).put_metric_alarm(
        AlarmName="trail-changes",
        Namespace="Trail",
        MetricName="trail-changes",
        Statistic="Sum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[TOPIC],
    )
    clients.calls.clear()
    return clients


def alarms(clients: AwsClients) -> Any:
    return ALERTS.read(clients, EVERYTHING)["Observed"]["Alerts"][0]["Alarms"]


def test_a_filter_is_read_with_its_alarm_by_the_declared_calls(watched: AwsClients) -> None:
    observed = ALERTS.read(watched, EVERYTHING)["Observed"]

    assert observed == {
        "LogGroups": ["trail"],
        "Alerts": [
            {"Filter": "changes", "Pattern": PATTERN, "Alarms": [{"Name": "trail-changes", "Heard": False}]},
        ],
    }
    assert set(watched.calls) == set(ALERTS.calls)


def test_an_alarm_is_heard_once_somebody_listens(watched: AwsClients) -> None:
    watched("sns", REGION).subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue")

    assert alarms(watched) == [{"Name": "trail-changes", "Heard": True}]


def test_an_alarm_whose_actions_are_off_is_heard_by_nobody(watched: AwsClients) -> None:
    watched("sns", REGION).subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue")
    watched("cloudwatch", REGION).disable_alarm_actions(AlarmNames=["trail-changes"])

    assert alarms(watched) == [{"Name": "trail-changes", "Heard": False}]


def test_an_alarm_on_a_topic_that_was_deleted_is_heard_by_nobody(watched: AwsClients) -> None:
    watched("sns", REGION).delete_topic(TopicArn=TOPIC)

    assert alarms(watched) == [{"Name": "trail-changes", "Heard": False}]


@pytest.mark.parametrize(
    "trail",
    [
        {"Name": "one-region", "IsMultiRegionTrail": False, "CloudWatchLogsLogGroupArn": group()},
        {"Name": "to-a-bucket", "IsMultiRegionTrail": True},
        {"Name": "anothers", "IsMultiRegionTrail": True, "CloudWatchLogsLogGroupArn": group("111122223333")},
    ],
    ids=lambda trail: trail["Name"],
)
def test_a_trail_that_writes_to_no_group_of_the_account_is_not_followed(
    trail: dict[str, Any], stubbed: AwsClients
) -> None:
    assert read(stubbed, trail=trail) == {"LogGroups": [], "Alerts": []}


TRAIL = {"Name": "everything", "IsMultiRegionTrail": True, "CloudWatchLogsLogGroupArn": group()}


def test_a_group_that_vanished_has_no_filters(stubbed: AwsClients) -> None:
    with Stubber(stubbed("logs", REGION)) as logs:
        logs.add_client_error("describe_metric_filters", "ResourceNotFoundException")

        assert read(stubbed, trail=TRAIL) == {"LogGroups": ["trail"], "Alerts": []}


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
def test_what_may_not_be_looked_at_is_never_taken_for_silence(code: str, stubbed: AwsClients) -> None:
    with Stubber(stubbed("logs", REGION)) as logs:
        logs.add_client_error("describe_metric_filters", code)

        with pytest.raises(ClientError, match=code):
            read(stubbed, trail=TRAIL)
