"""Event data stores, as they are read from AWS."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from demarc import readers
from demarc.aws import AwsClients
from demarc.core.change import interpret
from demarc.core.model import Change, Resource
from demarc.core.snapshot import Snapshot
from demarc.core.touch import TouchIndex
from demarc.readers import Gone
from demarc.readers.cloudtrail import EVENT_DATA_STORE, TRAIL
from tests.integration.records import a_call
from tests.integration.schema import matches_cloudformation

REGION = "eu-west-1"
ACCOUNT = "123456789012"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ID = "1f2e3d4c-0000-4000-8000-5a6978879685"
ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:eventdatastore/{ID}"
STORE = Resource(EVENT_DATA_STORE.type, ID, ACCOUNT, REGION, ARN)
NEEDS = tuple(prop for part in EVENT_DATA_STORE.parts for prop in part.gives)
DESCRIBED = {
    "EventDataStoreArn": ARN,
    "Name": "all",
    "Status": "ENABLED",
    "MultiRegionEnabled": True,
    "OrganizationEnabled": False,
    "RetentionPeriod": 2557,
    "TerminationProtectionEnabled": True,
}
POLICY = {"Version": "2012-10-17", "Statement": []}


@pytest.fixture(scope="module")
def client() -> Any:
    """A client whose answers are written by the test."""
    return AwsClients()("cloudtrail", REGION)


# The parts are asked at once, in any order: each is given what is its own.
def part(prop: str) -> readers.Part:
    return next(each for each in EVENT_DATA_STORE.parts if prop in each.gives)


def answered(client: Any, prop: str, method: str, answer: dict[str, Any] | str) -> Any:
    with Stubber(client) as stubber:
        if isinstance(answer, str):
            stubber.add_client_error(method, answer)
        else:
            stubber.add_response(method, answer)
        return part(prop).read(lambda *_: client, STORE)


def look(client: Any, *needs: str) -> Snapshot | Gone:
    return readers.read(EVENT_DATA_STORE, STORE, needs=needs, clients=lambda *_: client, now=NOW)


def test_a_store_is_read_in_cloudformations_words(client: Any) -> None:
    tags = [{"ResourceId": ARN, "TagsList": [{"Key": "owner", "Value": "security"}]}]
    with Stubber(client) as stubber:
        stubber.add_response("get_event_data_store", DESCRIBED, {"EventDataStore": ARN})
        stubber.add_response("list_tags", {"ResourceTagList": tags}, {"ResourceIdList": [ARN]})

        snapshot = look(client, "Name")

    assert isinstance(snapshot, Snapshot)
    assert (snapshot["Name"], snapshot["RetentionPeriod"], snapshot["KmsKeyId"]) == ("all", 2557, None)
    assert snapshot["Observed.Status"] == "ENABLED"
    assert snapshot.tags == {"owner": "security"}
    matches_cloudformation(snapshot)


def test_a_policy_is_read_and_that_there_is_none_is_known(client: Any) -> None:
    answer = {"ResourceArn": ARN, "ResourcePolicy": json.dumps(POLICY)}

    assert answered(client, "Observed.Policy", "get_resource_policy", answer) == {"Observed": {"Policy": POLICY}}
    assert answered(client, "Observed.Policy", "get_resource_policy", "ResourcePolicyNotFoundException") == {}


def test_a_store_that_waits_for_its_deletion_is_gone(client: Any) -> None:
    with pytest.raises(readers.ResourceGone):
        answered(client, "Name", "get_event_data_store", {**DESCRIBED, "Status": "PENDING_DELETION"})


@pytest.mark.parametrize("code", ["EventDataStoreNotFoundException", "EventDataStoreARNInvalidException"])
def test_a_store_that_is_not_there_is_gone(code: str, client: Any) -> None:
    with pytest.raises(readers.ResourceGone):
        answered(client, "Name", "get_event_data_store", code)


def test_a_throttled_read_rises(client: Any) -> None:
    with pytest.raises(ClientError, match="ThrottlingException"):
        answered(client, "Name", "get_event_data_store", "ThrottlingException")


def test_a_refused_read_is_unread_and_the_tags_are_read(client: Any) -> None:
    with Stubber(client) as stubber:
        stubber.add_client_error("get_event_data_store", "AccessDeniedException")
        stubber.add_response("list_tags", {"ResourceTagList": []})

        snapshot = look(client, "Name")

    assert isinstance(snapshot, Snapshot)
    assert "Name" in snapshot.unread
    assert snapshot.tags == {}


def test_stores_are_listed_page_by_page(client: Any) -> None:
    other = ARN.replace(ID, "another")
    with Stubber(client) as stubber:
        first = {"EventDataStores": [{"EventDataStoreArn": ARN}], "NextToken": "next"}
        stubber.add_response("list_event_data_stores", first, {"MaxResults": 100})
        second = {"EventDataStores": [{"EventDataStoreArn": other}]}
        stubber.add_response("list_event_data_stores", second, {"MaxResults": 100, "NextToken": "next"})
        assert EVENT_DATA_STORE.inventory is not None

        pages = list(EVENT_DATA_STORE.inventory.pages(lambda *_: client, ACCOUNT, REGION))

    assert pages == [[ID], ["another"]]


@pytest.mark.parametrize(
    ("name", "asked", "answer"),
    [
        ("CreateEventDataStore", {"name": "all"}, {"eventDataStoreArn": ARN}),
        ("DeleteEventDataStore", {"eventDataStore": ARN}, None),
        ("StopEventDataStoreIngestion", {"eventDataStore": ID}, None),
        ("PutResourcePolicy", {"resourceArn": ARN}, None),
        ("AddTags", {"resourceId": ARN}, None),
    ],
)
def test_calls_name_the_store_that_they_touch(name: str, asked: dict[str, Any], answer: dict[str, Any] | None) -> None:
    change = interpret(
        a_call("cloudtrail", name, asked, answer, awsRegion=REGION, recipientAccountId=ACCOUNT),
        TouchIndex.of((TRAIL, EVENT_DATA_STORE)),
    )

    assert isinstance(change, Change)
    assert [(each.resource.type, each.resource.arn) for each in change.touched] == [(EVENT_DATA_STORE.type, ARN)]
