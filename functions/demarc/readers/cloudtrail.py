"""Trails and event data stores: what they record, where to, and whether they do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.alerting import ALERTS
from demarc.readers.answers import asked, document, every, page_by_page, present, same

_CLOUDTRAIL = "cloudtrail.amazonaws.com"
_NAMED = ("requestParameters.name", "responseElements.name")
_GONE = ("TrailNotFoundException", "CloudTrailARNInvalidException", "InvalidTrailNameException")

# CloudFormation's name of a property -> the API's, where they differ only in that.
_PROPERTIES = {
    "TrailName": "Name",
    "S3BucketName": "S3BucketName",
    "S3KeyPrefix": "S3KeyPrefix",
    "IncludeGlobalServiceEvents": "IncludeGlobalServiceEvents",
    "IsMultiRegionTrail": "IsMultiRegionTrail",
    "IsOrganizationTrail": "IsOrganizationTrail",
    "EnableLogFileValidation": "LogFileValidationEnabled",
    "CloudWatchLogsLogGroupArn": "CloudWatchLogsLogGroupArn",
    "CloudWatchLogsRoleArn": "CloudWatchLogsRoleArn",
    "KMSKeyId": "KmsKeyId",
}


def _trail(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    trail = _asked(clients, resource, "get_trail")["Trail"]
    return {name: trail[said] for name, said in _PROPERTIES.items() if said in trail}


def _status(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    status = _asked(clients, resource, "get_trail_status")
    return {
        "IsLogging": status.get("IsLogging", False),
        "Observed": {
            "DeliveryError": status.get("LatestDeliveryError") or None,
            "LogsDeliveryError": status.get("LatestCloudWatchLogsDeliveryError") or None,
        },
    }


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    return _tagged(clients, resource, (*_GONE, "ResourceNotFoundException"))


def _tagged(clients: Clients, resource: Resource, gone: Sequence[str]) -> Mapping[str, Any]:
    client = clients("cloudtrail", resource.region)
    listed = every(client, "list_tags", "ResourceTagList", gone, ResourceIdList=[resource.arn])
    return {"Tags": [tag for each in listed for tag in each.get("TagsList", [])]}


def _asked(clients: Clients, resource: Resource, method: str) -> Mapping[str, Any]:
    """What CloudTrail answers about a trail. It goes by its ARN: a bare name is looked for in this account only, and
    who administers the organization's trails is often another than who owns them.
    """
    try:
        answer: Mapping[str, Any] = getattr(clients("cloudtrail", resource.region), method)(Name=resource.arn)
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            raise ResourceGone from error
        raise
    return answer


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    """The trails that are at home here: those of other Regions, and of the organization's management account, which
    CloudTrail shows here as shadows, are listed where they are. An account may have five, so there are no pages.
    """
    trails = clients("cloudtrail", region).describe_trails(includeShadowTrails=False).get("trailList", ())
    yield [trail["Name"] for trail in trails]


TRAIL = Reader(
    type="AWS::CloudTrail::Trail",
    responder="visibility",
    arn="arn:{partition}:cloudtrail:{region}:{account}:trail/{identifier}",
    parts=(
        Part(
            gives=tuple(_PROPERTIES),
            calls={"cloudtrail.GetTrail": "cloudtrail:GetTrail"},
            read=_trail,
        ),
        Part(
            gives=("IsLogging", "Observed.DeliveryError", "Observed.LogsDeliveryError"),
            calls={"cloudtrail.GetTrailStatus": "cloudtrail:GetTrailStatus"},
            read=_status,
        ),
        Part(gives=("Tags",), calls={"cloudtrail.ListTags": "cloudtrail:ListTags"}, read=_tags),
        ALERTS,
    ),
    touches=(
        Touch(_CLOUDTRAIL, ("CreateTrail", "DeleteTrail"), _NAMED, EVERYTHING),
        Touch(_CLOUDTRAIL, ("StartLogging", "StopLogging"), _NAMED[:1], ("IsLogging",)),
        Touch(_CLOUDTRAIL, ("UpdateTrail",), _NAMED, tuple(_PROPERTIES)),
        Touch(
            _CLOUDTRAIL,
            ("PutEventSelectors", "PutInsightSelectors"),
            ("requestParameters.trailName", "responseElements.trailARN"),
        ),
        Touch(
            _CLOUDTRAIL,
            ("AddTags", "RemoveTags"),
            ("requestParameters.resourceId",),
            ("Tags",),
            only="arn:",
        ),
    ),
    inventory=Inventory(calls={"cloudtrail.DescribeTrails": "cloudtrail:DescribeTrails"}, pages=_listed),
)

# Stores keep their name and ARN for seven days after they were deleted (CloudTrail User Guide, "Manage event data store
# lifecycles").
_STORE_GONE = (
    *("EventDataStoreNotFoundException", "EventDataStoreARNInvalidException"),
    *("InvalidParameterException", "ResourceNotFoundException", "ResourceARNNotValidException"),
)
_SAME = ("Name", "MultiRegionEnabled", "OrganizationEnabled", "RetentionPeriod", "TerminationProtectionEnabled")


def _store(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    client = clients("cloudtrail", resource.region)
    store = asked(client, "get_event_data_store", _STORE_GONE, EventDataStore=resource.arn)
    if store.get("Status") == "PENDING_DELETION":
        raise ResourceGone
    return {**same(store, *_SAME, "KmsKeyId"), "Observed": {"Status": store.get("Status")}}


def _store_policy(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    client = clients("cloudtrail", resource.region)
    try:
        found = asked(client, "get_resource_policy", _STORE_GONE, ResourceArn=resource.arn)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourcePolicyNotFoundException":
            return {}
        raise
    return {"Observed": present(Policy=document(found.get("ResourcePolicy")))}


def _store_tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    return _tagged(clients, resource, _STORE_GONE)


def _stores(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in page_by_page(clients("cloudtrail", region), "list_event_data_stores", MaxResults=100):
        yield [each["EventDataStoreArn"].rpartition("/")[2] for each in page.get("EventDataStores", ())]


_STORED = ("requestParameters.eventDataStore",)

EVENT_DATA_STORE = Reader(
    type="AWS::CloudTrail::EventDataStore",
    responder="visibility",
    arn="arn:{partition}:cloudtrail:{region}:{account}:eventdatastore/{identifier}",
    parts=(
        Part(
            gives=(*_SAME, "KmsKeyId", "Observed.Status"),
            calls={"cloudtrail.GetEventDataStore": "cloudtrail:GetEventDataStore"},
            read=_store,
        ),
        Part(
            gives=("Observed.Policy",),
            calls={"cloudtrail.GetResourcePolicy": "cloudtrail:GetResourcePolicy"},
            read=_store_policy,
        ),
        Part(gives=("Tags",), calls={"cloudtrail.ListTags": "cloudtrail:ListTags"}, read=_store_tags),
    ),
    touches=(
        Touch(_CLOUDTRAIL, ("CreateEventDataStore",), ("responseElements.eventDataStoreArn",), EVERYTHING),
        Touch(_CLOUDTRAIL, ("DeleteEventDataStore", "RestoreEventDataStore"), _STORED, EVERYTHING),
        Touch(_CLOUDTRAIL, ("UpdateEventDataStore",), _STORED, (*_SAME, "KmsKeyId")),
        Touch(
            _CLOUDTRAIL,
            ("StartEventDataStoreIngestion", "StopEventDataStoreIngestion"),
            _STORED,
            ("Observed.Status",),
        ),
        Touch(
            _CLOUDTRAIL,
            ("DeleteResourcePolicy", "PutResourcePolicy"),
            ("requestParameters.resourceArn",),
            ("Observed.Policy",),
            only="arn:",
        ),
        # These write what no control asks for; the store is looked at all the same: somebody is at work on it.
        Touch(_CLOUDTRAIL, ("DisableFederation", "EnableFederation"), _STORED),
        Touch(_CLOUDTRAIL, ("AddTags", "RemoveTags"), ("requestParameters.resourceId",), ("Tags",), only="arn:"),
    ),
    inventory=Inventory(calls={"cloudtrail.ListEventDataStores": "cloudtrail:ListEventDataStores"}, pages=_stores),
)

READERS = (TRAIL, EVENT_DATA_STORE)
