"""Buckets, as they are read from AWS: every setting is a call of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from urllib3 import HTTPResponse

from demarc import readers
from demarc.authoring.compile import CompiledMatrix
from demarc.aws import AwsClients
from demarc.core.change import interpret
from demarc.core.model import Change, Resource
from demarc.core.snapshot import Snapshot
from demarc.core.touch import TouchIndex
from demarc.readers import Gone, Part
from demarc.readers.s3.bucket import BUCKET
from tests.integration.records import a_call
from tests.integration.schema import matches_cloudformation

REGION = "eu-west-1"
ACCOUNT = "123456789012"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAME = "harbour-photos"
PHOTOS = Resource(BUCKET.type, NAME, ACCOUNT, REGION, f"arn:aws:s3:::{NAME}")
EVERYTHING = tuple(prop for part in BUCKET.parts for prop in part.gives)
PARTS: dict[str, Part] = {operation.partition(".")[2]: part for part in BUCKET.parts for operation in part.calls}
BLOCK = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": False}

# What S3 answers with an error: that there is nothing.
ABSENT = {
    "GetPublicAccessBlock": "NoSuchPublicAccessBlockConfiguration",
    "GetBucketPolicy": "NoSuchBucketPolicy",
    "GetBucketEncryption": "ServerSideEncryptionConfigurationNotFoundError",
    "GetBucketOwnershipControls": "OwnershipControlsNotFoundError",
    "GetBucketLifecycleConfiguration": "NoSuchLifecycleConfiguration",
    "GetBucketTagging": "NoSuchTagSet",
}


def look(clients: Any, needs: tuple[str, ...] = EVERYTHING, bucket: Resource = PHOTOS) -> Snapshot | Gone:
    return readers.read(BUCKET, bucket, needs=needs, clients=clients, now=NOW)


def see(clients: Any, needs: tuple[str, ...] = EVERYTHING) -> Snapshot:
    snapshot = look(clients, needs)
    assert isinstance(snapshot, Snapshot)
    return snapshot


@pytest.fixture
def s3(clients: AwsClients) -> Any:
    """The client, in an account that has the one bucket."""
    client = clients("s3", REGION)
    client.create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": REGION})
    clients.calls.clear()
    return client


@pytest.fixture(scope="module")
def client() -> Any:
    """A client whose answers are written by the test."""
    return AwsClients()("s3", REGION)


def method(operation: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).removeprefix("_")


def refused(client: Any, operation: str, code: str) -> Any:
    """What a part makes of an error."""
    with Stubber(client) as stubber:
        stubber.add_client_error(method(operation), code)
        return PARTS[operation].read(lambda *_: client, PHOTOS)


def answered(client: Any, operation: str, answer: Mapping[str, Any]) -> Any:
    """What a part makes of an answer."""
    with Stubber(client) as stubber:
        stubber.add_response(method(operation), dict(answer), {"Bucket": NAME})
        return PARTS[operation].read(lambda *_: client, PHOTOS)


def test_a_well_kept_bucket_is_read_in_cloudformations_words(clients: AwsClients, s3: Any) -> None:
    policy = {"Version": "2012-10-17", "Statement": []}
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/vault"}
    s3.put_public_access_block(Bucket=NAME, PublicAccessBlockConfiguration=BLOCK)
    s3.put_bucket_policy(Bucket=NAME, Policy=json.dumps(policy))
    s3.put_bucket_encryption(
        Bucket=NAME,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
        },
    )
    s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_ownership_controls(
        Bucket=NAME, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    )
    s3.put_bucket_tagging(Bucket=NAME, Tagging={"TagSet": [{"Key": "owner", "Value": "storefront"}]})

    snapshot = see(clients)

    assert snapshot["PublicAccessBlockConfiguration"] == BLOCK
    assert snapshot["Observed.Policy"] == policy
    assert snapshot["BucketEncryption.ServerSideEncryptionConfiguration"] == [
        {"ServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    ]
    assert snapshot["VersioningConfiguration.Status"] == "Enabled"
    assert snapshot["OwnershipControls.Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert snapshot.tags == {"owner": "storefront"}
    matches_cloudformation(snapshot)


def test_a_bucket_that_nobody_configured_has_nothing_but_its_owner(clients: AwsClients, s3: Any) -> None:
    snapshot = see(clients)

    assert set(snapshot.properties) == {"Observed", "Tags"}
    assert snapshot["Observed.MfaDelete"] == "Disabled"
    assert [grant["Grantee"]["ID"] for grant in snapshot["Observed.Grants"]] == [snapshot["Observed.OwnerId"]]
    assert (snapshot["Observed.Policy"], snapshot["BucketEncryption"], snapshot.tags) == (None, None, {})


def test_access_logs_say_where_they_go(client: Any) -> None:
    target = {"TargetBucket": "logs", "TargetPrefix": "photos/"}

    assert answered(client, "GetBucketLogging", {"LoggingEnabled": target}) == {
        "LoggingConfiguration": {"DestinationBucketName": "logs", "LogFilePrefix": "photos/"}
    }


@pytest.mark.parametrize(
    ("rule", "ended"),
    [
        ({"Expiration": {"Days": 30}}, {"ExpirationInDays": 30}),
        ({"NoncurrentVersionExpiration": {"NoncurrentDays": 90}}, {"NoncurrentVersionExpirationInDays": 90}),
        (
            {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
            {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
        ),
        ({"Expiration": {"ExpiredObjectDeleteMarker": True}}, {"ExpiredObjectDeleteMarker": True}),
        ({"Transitions": [{"Days": 30, "StorageClass": "GLACIER"}]}, {"ExpiredObjectDeleteMarker": False}),
    ],
)
def test_a_lifecycle_rule_says_what_it_ends(client: Any, rule: dict[str, Any], ended: dict[str, Any]) -> None:
    rules = [{"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, **rule}]

    read = answered(client, "GetBucketLifecycleConfiguration", {"Rules": rules})

    assert read == {"LifecycleConfiguration": {"Rules": [{"Id": "old", "Status": "Enabled", **ended}]}}
    matches_cloudformation(Snapshot(PHOTOS, NOW, read, frozenset(read)))


def test_deleting_with_mfa_is_observed(client: Any) -> None:
    assert answered(client, "GetBucketVersioning", {"Status": "Suspended", "MFADelete": "Enabled"}) == {
        "VersioningConfiguration": {"Status": "Suspended"},
        "Observed": {"MfaDelete": "Enabled"},
    }


@pytest.mark.parametrize("operation", ABSENT)
def test_what_is_not_configured_is_not_there(operation: str, client: Any) -> None:
    assert refused(client, operation, ABSENT[operation]) == {}


@pytest.mark.parametrize("operation", PARTS)
@pytest.mark.parametrize("code", ["NoSuchBucket", "InvalidBucketName"])
def test_a_bucket_that_is_not_there_is_gone(operation: str, code: str, client: Any) -> None:
    with pytest.raises(readers.ResourceGone):
        refused(client, operation, code)


@pytest.mark.parametrize("operation", PARTS)
def test_a_throttled_read_rises(operation: str, client: Any) -> None:
    with pytest.raises(ClientError, match="SlowDown"):
        refused(client, operation, "SlowDown")


def test_a_deleted_bucket_is_gone(clients: AwsClients, s3: Any) -> None:
    s3.delete_bucket(Bucket=NAME)

    assert isinstance(look(clients), Gone)


@pytest.mark.parametrize("name", ["not a bucket", "x" * 256, "../secrets"])
def test_a_name_that_no_bucket_can_have_is_gone(clients: AwsClients, name: str) -> None:
    impossible = Resource(BUCKET.type, name, ACCOUNT, REGION, f"arn:aws:s3:::{name}")

    assert isinstance(look(clients, bucket=impossible), Gone)


def test_a_refused_setting_is_unread_and_the_others_are_read(client: Any) -> None:
    with Stubber(client) as stubber:
        stubber.add_client_error("get_bucket_policy", "AccessDenied", http_status_code=403)
        stubber.add_response("get_bucket_tagging", {"TagSet": [{"Key": "owner", "Value": "shop"}]})

        snapshot = see(lambda *_: client, ("Observed.Policy",))

    assert snapshot.unread == {"Observed.Policy": "AccessDenied: one of s3:GetBucketPolicy is not allowed"}
    assert snapshot.tags == {"owner": "shop"}


def test_each_setting_is_read_with_the_one_declared_call(clients: AwsClients, s3: Any, calls: list[str]) -> None:
    see(clients)

    assert sorted(calls) == sorted(call for part in BUCKET.parts for call in part.calls)
    assert all(len(part.calls) == 1 for part in BUCKET.parts)


def test_all_controls_together_cost_each_call_once(
    clients: AwsClients, s3: Any, calls: list[str], matrix: CompiledMatrix
) -> None:
    needs = tuple(prop for control in matrix.controls[BUCKET.type] for prop in control.needs)

    see(clients, needs)

    assert len(calls) == len(set(calls)) <= len(BUCKET.parts)


# --- what touches a bucket -------------------------------------------------------------------------------------------


def interpreted(name: str, region: str = REGION, **asked: Any) -> Any:
    return interpret(
        a_call(
            "s3",
            name,
            {"bucketName": NAME, "Host": f"{NAME}.s3.{region}.amazonaws.com", **asked},
            awsRegion=region,
            recipientAccountId=ACCOUNT,
        ),
        TouchIndex.of((BUCKET,)),
    )


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("CreateBucket", "*"),
        ("PutBucketPolicy", "Observed.Policy"),
        ("DeleteBucketPublicAccessBlock", "PublicAccessBlockConfiguration"),
        ("PutBucketVersioning", "VersioningConfiguration"),
    ],
)
def test_calls_name_the_bucket_and_what_they_write(name: str, written: str) -> None:
    (touched,) = interpreted(name).touched

    assert (touched.resource.identifier, touched.resource.arn) == (NAME, PHOTOS.arn)
    assert written in touched.sets


@pytest.mark.parametrize(
    ("configuration", "where"),
    [
        ({}, "us-east-1"),
        ({"CreateBucketConfiguration": {"LocationConstraint": "eu-north-1", "xmlns": "http://s3"}}, "eu-north-1"),
        ({"CreateBucketConfiguration": {"LocationConstraint": ""}}, "us-east-1"),
        ({"CreateBucketConfiguration": {"LocationConstraint": "EU"}}, "us-east-1"),
        ({"CreateBucketConfiguration": {"LocationConstraint": {"evil": "eu-north-1"}}}, "us-east-1"),
    ],
)
def test_a_bucket_is_where_it_was_made_not_where_it_was_asked_for(configuration: dict[str, Any], where: str) -> None:
    change = interpreted("CreateBucket", region="us-east-1", **configuration)

    assert isinstance(change, Change)
    assert [touched.resource.region for touched in change.touched] == [where]


@pytest.mark.usefixtures("_aws")
def test_a_bucket_of_another_region_is_read_there() -> None:
    client, asked = AwsClients()("s3", REGION), []

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        asked.append(str(urlsplit(request.url).hostname))
        if len(asked) == 1:
            return http(301, b"<Error><Code>PermanentRedirect</Code></Error>", {"x-amz-bucket-region": "eu-north-1"})
        return http(200, b'{"Statement": []}')

    client.meta.events.register_first("before-send.s3", answer)

    assert PARTS["GetBucketPolicy"].read(lambda *_: client, PHOTOS) == {"Observed": {"Policy": {"Statement": []}}}
    assert asked == [f"{NAME}.s3.{region}.amazonaws.com" for region in (REGION, "eu-north-1")]


def http(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> AWSResponse:
    said = HTTPHeaders()
    for name, value in (headers or {}).items():
        said[name] = value
    return AWSResponse("https://s3.amazonaws.com", status, said, HTTPResponse(BytesIO(body), preload_content=False))
