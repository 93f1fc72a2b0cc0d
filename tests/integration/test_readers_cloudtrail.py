"""Trails, as they are read from AWS."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from demarc import readers
from demarc.aws import AwsClients
from demarc.core.change import interpret
from demarc.core.model import Resource
from demarc.core.snapshot import Snapshot
from demarc.core.touch import TouchIndex
from demarc.readers import Gone, Part
from demarc.readers.cloudtrail import TRAIL
from tests.integration.records import a_call
from tests.integration.schema import matches_cloudformation

REGION = "eu-west-1"
ACCOUNT = "123456789012"
MANAGEMENT = "111122223333"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/everything"
EVERYTHING = Resource(TRAIL.type, "everything", ACCOUNT, REGION, ARN)
PARTS: dict[str, Part] = {operation.partition(".")[2]: part for part in TRAIL.parts for operation in part.calls}
METHODS = {"GetTrail": "get_trail", "GetTrailStatus": "get_trail_status", "ListTags": "list_tags"}


def look(clients: Any, *operations: str, trail: Resource = EVERYTHING) -> Snapshot | Gone:
    needs = [prop for operation in operations or PARTS for prop in PARTS[operation].gives]
    return readers.read(TRAIL, trail, needs=needs, clients=clients, now=NOW)


def see(clients: Any, *operations: str, trail: Resource = EVERYTHING) -> Snapshot:
    snapshot = look(clients, *operations, trail=trail)
    assert isinstance(snapshot, Snapshot)
    return snapshot


@pytest.fixture
def cloudtrail(clients: AwsClients) -> Any:
    """The client, in an account that has a bucket for the trail's files."""
    bucket = {"LocationConstraint": REGION}
    clients("s3", REGION).create_bucket(Bucket="trail-files", CreateBucketConfiguration=bucket)
    return clients("cloudtrail", REGION)


@pytest.fixture
def trail(cloudtrail: Any, calls: list[str]) -> None:
    cloudtrail.create_trail(
        Name="everything",
        S3BucketName="trail-files",
        IsMultiRegionTrail=True,
        IncludeGlobalServiceEvents=True,
        EnableLogFileValidation=True,
        TagsList=[{"Key": "owner", "Value": "security"}],
    )
    cloudtrail.start_logging(Name="everything")
    calls.clear()


@pytest.fixture(scope="module")
def client() -> Any:
    """A client whose answers are written by the test."""
    return AwsClients()("cloudtrail", REGION)


def refused(client: Any, operation: str, code: str) -> Any:
    """What a part makes of an error."""
    with Stubber(client) as stubber:
        stubber.add_client_error(METHODS[operation], code)
        return PARTS[operation].read(lambda *_: client, EVERYTHING)


@pytest.mark.usefixtures("trail")
def test_a_trail_is_read_in_cloudformations_words(clients: AwsClients) -> None:
    snapshot = see(clients)

    assert snapshot["IsLogging"] is snapshot["IsMultiRegionTrail"] is snapshot["EnableLogFileValidation"] is True
    assert (snapshot["TrailName"], snapshot["S3BucketName"]) == ("everything", "trail-files")
    assert snapshot["KMSKeyId"] is snapshot["Observed.DeliveryError"] is None
    assert snapshot.tags == {"owner": "security"}
    matches_cloudformation(snapshot)


@pytest.mark.usefixtures("trail")
def test_a_stopped_trail_does_not_log(clients: AwsClients, cloudtrail: Any) -> None:
    cloudtrail.stop_logging(Name="everything")

    assert see(clients)["IsLogging"] is False


@pytest.mark.usefixtures("trail")
def test_a_trail_is_read_with_the_declared_calls_each_once(clients: AwsClients, calls: list[str]) -> None:
    see(clients)

    # What follows from its log group is read where it has one (test_readers_alerting).
    followed = {"cloudwatch.DescribeAlarmsForMetric", "logs.DescribeMetricFilters", "sns.ListSubscriptionsByTopic"}
    assert sorted(calls) == sorted({call for part in TRAIL.parts for call in part.calls} - followed)


@pytest.mark.usefixtures("trail")
def test_whether_it_logs_costs_two_calls(clients: AwsClients, calls: list[str]) -> None:
    see(clients, "GetTrailStatus")

    assert calls == ["cloudtrail.GetTrailStatus", "cloudtrail.ListTags"]


@pytest.mark.usefixtures("trail")
def test_a_deleted_trail_is_gone(clients: AwsClients, cloudtrail: Any) -> None:
    cloudtrail.delete_trail(Name="everything")

    assert isinstance(look(clients), Gone)


def test_a_trail_is_asked_for_by_its_arn_since_it_may_be_another_accounts(client: Any) -> None:
    arn = ARN.replace(ACCOUNT, MANAGEMENT)
    organizations = Resource(TRAIL.type, "everything", MANAGEMENT, REGION, arn)
    with Stubber(client) as stubber:
        stubber.add_response("get_trail_status", {"IsLogging": True}, {"Name": arn})
        stubber.add_response("list_tags", {"ResourceTagList": []}, {"ResourceIdList": [arn]})

        snapshot = see(lambda *_: client, "GetTrailStatus", trail=organizations)

    assert snapshot["IsLogging"] is True
    assert snapshot.tags == {}


def test_an_error_of_delivery_is_observed(client: Any) -> None:
    with Stubber(client) as stubber:
        stubber.add_response("get_trail_status", {"IsLogging": True, "LatestDeliveryError": "AccessDenied"})

        read = PARTS["GetTrailStatus"].read(lambda *_: client, EVERYTHING)

    assert read == {"IsLogging": True, "Observed": {"DeliveryError": "AccessDenied", "LogsDeliveryError": None}}


def test_an_error_of_delivery_to_the_log_group_is_another(client: Any) -> None:
    with Stubber(client) as stubber:
        answer = {"IsLogging": True, "LatestCloudWatchLogsDeliveryError": "AccessDenied"}
        stubber.add_response("get_trail_status", answer)

        read = PARTS["GetTrailStatus"].read(lambda *_: client, EVERYTHING)

    assert read == {"IsLogging": True, "Observed": {"DeliveryError": None, "LogsDeliveryError": "AccessDenied"}}


@pytest.mark.parametrize("operation", METHODS)
@pytest.mark.parametrize("code", ["TrailNotFoundException", "InvalidTrailNameException"])
def test_a_trail_that_is_not_there_is_gone(operation: str, code: str, client: Any) -> None:
    with pytest.raises(readers.ResourceGone):
        refused(client, operation, code)


@pytest.mark.parametrize("operation", METHODS)
def test_a_throttled_read_rises(operation: str, client: Any) -> None:
    with pytest.raises(ClientError, match="ThrottlingException"):
        refused(client, operation, "ThrottlingException")


def test_a_refused_status_is_unread_and_the_tags_are_read(client: Any) -> None:
    tags = [{"ResourceId": ARN, "TagsList": [{"Key": "owner", "Value": "security"}]}]
    with Stubber(client) as stubber:
        stubber.add_client_error("get_trail_status", "AccessDeniedException")
        stubber.add_response("list_tags", {"ResourceTagList": tags}, {"ResourceIdList": ANY})

        snapshot = see(lambda *_: client, "GetTrailStatus")

    assert set(snapshot.unread) == {"IsLogging", "Observed.DeliveryError", "Observed.LogsDeliveryError"}
    assert snapshot.tags == {"owner": "security"}


# --- what touches a trail --------------------------------------------------------------------------------------------


def interpreted(name: str, asked: dict[str, Any], answer: dict[str, Any] | None = None) -> Any:
    return interpret(
        a_call("cloudtrail", name, asked, answer, awsRegion=REGION, recipientAccountId=ACCOUNT), TouchIndex.of((TRAIL,))
    )


@pytest.mark.parametrize(
    ("name", "asked", "arn"),
    [
        ("StopLogging", {"name": "everything"}, ARN),
        ("StopLogging", {"name": ARN}, ARN),
        ("UpdateTrail", {"name": ARN.replace(ACCOUNT, MANAGEMENT)}, ARN.replace(ACCOUNT, MANAGEMENT)),
        ("DeleteTrail", {"name": ARN.replace(REGION, "us-east-2")}, ARN.replace(REGION, "us-east-2")),
        ("PutEventSelectors", {"trailName": "everything"}, ARN),
        ("AddTags", {"resourceId": ARN, "tagsList": [{"key": "owner", "value": "x"}]}, ARN),
    ],
)
def test_calls_name_the_trail_that_they_touch(name: str, asked: dict[str, Any], arn: str) -> None:
    (touched,) = interpreted(name, asked).touched

    assert (touched.resource.identifier, touched.resource.arn) == ("everything", arn)
    assert (touched.resource.region, touched.resource.account) == tuple(arn.split(":")[3:5])


def test_tagging_an_event_data_store_touches_no_trail() -> None:
    store = ARN.replace(":trail/everything", ":eventdatastore/1")

    assert not hasattr(interpreted("AddTags", {"resourceId": store}), "touched")
