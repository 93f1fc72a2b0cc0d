"""Keys, as they are read from AWS."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
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
from demarc.readers import Gone, Part
from demarc.readers.kms import KEY
from tests.integration.records import a_call
from tests.integration.schema import matches_cloudformation

REGION = "eu-west-1"
ACCOUNT = "123456789012"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY_ID = "1f2e3d4c-0000-4000-8000-5a6978879685"
ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEY_ID}"
EVERYTHING = tuple(prop for part in KEY.parts for prop in part.gives)

PARTS: dict[str, Part] = {operation: part for part in KEY.parts for operation in part.calls}


def look(clients: Any, identifier: str, needs: tuple[str, ...] = EVERYTHING) -> Snapshot | Gone:
    key = Resource(KEY.type, identifier, ACCOUNT, REGION, ARN)
    return readers.read(KEY, key, needs=needs, clients=clients, now=NOW)


def see(clients: Any, identifier: str, needs: tuple[str, ...] = EVERYTHING) -> Snapshot:
    snapshot = look(clients, identifier, needs)
    assert isinstance(snapshot, Snapshot)
    return snapshot


@pytest.fixture
def kms(clients: AwsClients) -> Any:
    return clients("kms", REGION)


@pytest.fixture
def key(kms: Any) -> Callable[..., str]:
    def create(**wishes: Any) -> str:
        return str(kms.create_key(**wishes)["KeyMetadata"]["KeyId"])

    return create


@pytest.fixture(scope="module")
def client() -> Any:
    """A client whose answers are written by the test."""
    return AwsClients()("kms", REGION)


def answered(client: Any, operation: str, *answers: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the part that makes a call reads out of these answers."""
    part = PARTS[operation]
    with Stubber(client) as stubber:
        for answer in answers:
            stubber.add_response(METHODS[operation], dict(answer))
        return part.read(lambda *_: client, Resource(KEY.type, KEY_ID, ACCOUNT, REGION, ARN))


METHODS = {
    "kms.DescribeKey": "describe_key",
    "kms.GetKeyPolicy": "get_key_policy",
    "kms.GetKeyRotationStatus": "get_key_rotation_status",
    "kms.ListGrants": "list_grants",
    "kms.ListResourceTags": "list_resource_tags",
}


def test_a_well_kept_key_is_read_in_cloudformations_words(
    clients: AwsClients, kms: Any, key: Callable[..., str]
) -> None:
    identifier = key(
        KeyUsage="ENCRYPT_DECRYPT", Description="card vault", Tags=[{"TagKey": "owner", "TagValue": "payments"}]
    )
    kms.enable_key_rotation(KeyId=identifier)

    snapshot = see(clients, identifier)

    assert snapshot["Enabled"] is snapshot["EnableKeyRotation"] is True
    assert (snapshot["KeySpec"], snapshot["KeyUsage"]) == ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    assert (snapshot["Origin"], snapshot["Description"]) == ("AWS_KMS", "card vault")
    assert snapshot["KeyPolicy"]["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert (snapshot["Observed.KeyManager"], snapshot["Observed.KeyState"]) == ("CUSTOMER", "Enabled")
    assert snapshot["Observed.ForeignGrants"] == []
    assert snapshot["Observed.DeletionDate"] is snapshot["Observed.MultiRegionKeyType"] is None
    assert snapshot.tags == {"owner": "payments"}
    matches_cloudformation(snapshot)


def test_a_neglected_key_is_read_as_it_is(clients: AwsClients, kms: Any, key: Callable[..., str]) -> None:
    identifier = key()
    kms.disable_key(KeyId=identifier)

    snapshot = see(clients, identifier)

    assert (snapshot["Enabled"], snapshot["Observed.KeyState"]) == (False, "Disabled")
    assert snapshot["EnableKeyRotation"] is False
    assert snapshot.tags == {}
    matches_cloudformation(snapshot)


def test_a_key_that_waits_for_its_deletion_is_still_there(
    clients: AwsClients, kms: Any, key: Callable[..., str]
) -> None:
    identifier = key()
    until = kms.schedule_key_deletion(KeyId=identifier, PendingWindowInDays=7)["DeletionDate"]

    snapshot = see(clients, identifier, ("Observed.KeyState",))

    assert (snapshot["Enabled"], snapshot["Observed.KeyState"]) == (False, "PendingDeletion")
    assert datetime.fromisoformat(snapshot["Observed.DeletionDate"]) == until


def test_a_key_that_signs_says_nothing_of_rotation(clients: AwsClients, key: Callable[..., str]) -> None:
    identifier = key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")

    snapshot = see(clients, identifier, ("KeySpec", "KeyUsage"))

    assert (snapshot["KeySpec"], snapshot["KeyUsage"]) == ("RSA_2048", "SIGN_VERIFY")
    matches_cloudformation(snapshot)


def test_everything_is_read_with_the_declared_calls_each_once(
    clients: AwsClients, key: Callable[..., str], calls: list[str]
) -> None:
    identifier = key()
    calls.clear()

    see(clients, identifier)

    assert sorted(calls) == sorted(operation for part in KEY.parts for operation in part.calls)


def test_a_question_about_the_policy_costs_two_calls(
    clients: AwsClients, key: Callable[..., str], calls: list[str]
) -> None:
    identifier = key()
    calls.clear()

    see(clients, identifier, ("KeyPolicy",))

    assert calls == ["kms.GetKeyPolicy", "kms.ListResourceTags"]


def test_a_key_that_is_not_there_is_gone(clients: AwsClients) -> None:
    assert isinstance(look(clients, KEY_ID), Gone)


@pytest.mark.parametrize("operation", METHODS)
def test_a_key_that_vanishes_between_two_calls_is_gone(operation: str, client: Any) -> None:
    with Stubber(client) as stubber:
        stubber.add_client_error(METHODS[operation], "NotFoundException")

        with pytest.raises(readers.ResourceGone):
            PARTS[operation].read(lambda *_: client, Resource(KEY.type, KEY_ID, ACCOUNT, REGION, ARN))


@pytest.mark.parametrize("operation", METHODS)
def test_a_throttled_read_rises(operation: str, client: Any) -> None:
    with Stubber(client) as stubber:
        stubber.add_client_error(METHODS[operation], "ThrottlingException")

        with pytest.raises(ClientError, match="ThrottlingException"):
            PARTS[operation].read(lambda *_: client, Resource(KEY.type, KEY_ID, ACCOUNT, REGION, ARN))


def test_what_the_key_policy_hides_is_unread_and_the_rest_is_read(client: Any) -> None:
    with Stubber(client) as stubber:
        stubber.add_client_error("get_key_policy", "AccessDeniedException")
        stubber.add_response("list_resource_tags", {"Tags": [{"TagKey": "owner", "TagValue": "shop"}]})

        snapshot = see(lambda *_: client, KEY_ID, ("KeyPolicy",))

    assert snapshot.unread == {"KeyPolicy": "AccessDeniedException: one of kms:GetKeyPolicy is not allowed"}
    assert snapshot.tags == {"owner": "shop"}


def test_a_key_that_cannot_rotate_says_nothing_of_rotation(client: Any) -> None:
    with Stubber(client) as stubber:
        stubber.add_client_error("get_key_rotation_status", "UnsupportedOperationException")
        stubber.add_response("list_resource_tags", {"Tags": []})

        snapshot = see(lambda *_: client, KEY_ID, ("EnableKeyRotation",))

    assert snapshot["EnableKeyRotation"] is snapshot["RotationPeriodInDays"] is None


def test_how_often_a_key_rotates_is_read(client: Any) -> None:
    status = {"KeyRotationEnabled": True, "RotationPeriodInDays": 90, "KeyId": ARN}

    assert answered(client, "kms.GetKeyRotationStatus", status) == {
        "EnableKeyRotation": True,
        "RotationPeriodInDays": 90,
    }


def test_imported_material_and_replication_are_observed(client: Any) -> None:
    metadata = {
        "KeyId": KEY_ID,
        "Origin": "EXTERNAL",
        "ValidTo": datetime(2026, 6, 1, tzinfo=UTC),
        "MultiRegion": True,
        "MultiRegionConfiguration": {"MultiRegionKeyType": "REPLICA"},
    }

    read = answered(client, "kms.DescribeKey", {"KeyMetadata": metadata})

    assert read["Observed"] == {"ValidTo": "2026-06-01T00:00:00+00:00", "MultiRegionKeyType": "REPLICA"}
    assert (read["Origin"], read["MultiRegion"]) == ("EXTERNAL", True)


def test_only_grants_to_other_accounts_are_kept_from_every_page(client: Any) -> None:
    def page(*principals: str, more: str | None = None) -> dict[str, Any]:
        grants = [{"GrantId": f"g-{who}", "GranteePrincipal": who, "Operations": ["Decrypt"]} for who in principals]
        return {"Grants": grants, "Truncated": more is not None, **({"NextMarker": more} if more else {})}

    stranger, neighbour = "arn:aws:iam::999999999999:user/eve", "arn:aws:sts::444455556666:assumed-role/r/s"

    read = answered(
        client,
        "kms.ListGrants",
        page(f"arn:aws:iam::{ACCOUNT}:role/app", "autoscaling.amazonaws.com", stranger, more="2"),
        page("AIDA2EXAMPLE", neighbour),
    )

    assert [grant["GranteePrincipal"] for grant in read["Observed"]["ForeignGrants"]] == [stranger, neighbour]


# --- what touches a key ----------------------------------------------------------------------------------------------

ALIAS = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/vault"


def interpreted(name: str, **fields: Any) -> Any:
    return interpret(a_call("kms", name, awsRegion=REGION, recipientAccountId=ACCOUNT, **fields), TouchIndex.of((KEY,)))


def listed(*arns: str, **more: str) -> list[dict[str, str]]:
    return [{"ARN": arn, "accountId": ACCOUNT, **more} for arn in arns]


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("CreateKey", {"responseElements": {"keyMetadata": {"keyId": KEY_ID, "arn": ARN}}}),
        ("PutKeyPolicy", {"requestParameters": {"keyId": KEY_ID, "policyName": "default", "policy": "{}"}}),
        ("DisableKey", {"requestParameters": {"keyId": ARN}}),
        ("ScheduleKeyDeletion", {"requestParameters": {"keyId": KEY_ID}, "responseElements": {"keyId": ARN}}),
        ("PutKeyPolicy", {"requestParameters": {"omitted": True}, "resources": listed(ARN, type="AWS::KMS::Key")}),
        (
            "CreateAlias",
            {
                "requestParameters": {"aliasName": "alias/vault", "targetKeyId": KEY_ID},
                "resources": listed(ARN, ALIAS, type="AWS::KMS::Key"),
            },
        ),
        ("UpdateAlias", {"requestParameters": {"aliasName": "alias/vault", "targetKeyId": KEY_ID}}),
        ("DeleteAlias", {"requestParameters": {"aliasName": "alias/vault"}, "resources": listed(ALIAS, ARN)}),
        ("RetireGrant", {"requestParameters": {"grantId": "g-1", "keyId": ARN}}),
        ("RotateKey", {"eventType": "AwsServiceEvent", "resources": listed(ARN, type="AWS::KMS::Key")}),
        ("DeleteKey", {"eventType": "AwsServiceEvent", "resources": listed(ARN)}),
        ("TagResource", {"requestParameters": {"keyId": KEY_ID, "tags": [{"tagKey": "a", "tagValue": "b"}]}}),
    ],
)
def test_calls_name_the_key_that_they_touch_by_its_id(name: str, fields: dict[str, Any]) -> None:
    change = interpreted(name, **fields)

    assert isinstance(change, Change), change
    assert [(each.resource.identifier, each.resource.arn) for each in change.touched] == [(KEY_ID, ARN)]


def test_an_alias_is_not_taken_for_a_key() -> None:
    deleted = interpreted("DeleteAlias", requestParameters={"aliasName": "alias/vault"}, resources=listed(ALIAS))

    assert not isinstance(deleted, Change)


def test_a_replica_is_left_to_its_own_region() -> None:
    replica = ARN.replace(REGION, "us-east-1")
    change = interpreted(
        "ReplicateKey",
        requestParameters={"keyId": KEY_ID, "replicaRegion": "us-east-1"},
        responseElements={"replicaKeyMetadata": {"arn": replica}, "keyId": ARN},
    )

    assert [each.resource.region for each in change.touched] == [REGION]


def test_a_key_of_another_account_is_that_accounts() -> None:
    theirs = ARN.replace(ACCOUNT, "444455556666")
    change = interpreted("CreateGrant", requestParameters={"keyId": theirs}, resources=listed(theirs))

    assert [each.resource.account for each in change.touched] == ["444455556666"]


def test_the_default_policy_of_a_key_is_an_object(client: Any) -> None:
    policy = {"Version": "2012-10-17", "Statement": []}

    read = answered(client, "kms.GetKeyPolicy", {"Policy": json.dumps(policy)})

    assert read == {"KeyPolicy": policy}
