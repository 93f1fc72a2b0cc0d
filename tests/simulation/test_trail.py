"""Records look as CloudTrail writes them, each service in its own way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulation.deeds import BLOCKED, policy, tags
from tests.simulation.people import employee
from tests.simulation.trail import Trail, envelope, session

LEA = employee("lea.moreau@fjordline.example", account="123456789012")
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
HOST = "photos.s3.eu-west-1.amazonaws.com"


def event(call: str, said: dict[str, Any], answer: dict[str, Any] | None = None) -> dict[str, Any]:
    service, _, operation = call.partition(".")
    client = session().client(service, region_name="eu-west-1")
    model = client.meta.service_model.operation_model(operation)
    return envelope(Trail("123456789012", "eu-west-1"), LEA, model, said=said, answer=answer or {})


def record(call: str, said: dict[str, Any], answer: dict[str, Any] | None = None) -> dict[str, Any]:
    detail: dict[str, Any] = event(call, said, answer)["detail"]
    return detail


REQUESTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "s3.PutBucketVersioning": (
        {"Bucket": "photos", "VersioningConfiguration": {"Status": "Enabled"}},
        {
            "bucketName": "photos",
            "Host": HOST,
            "versioning": "",
            "VersioningConfiguration": {"xmlns": NAMESPACE, "Status": "Enabled"},
        },
    ),
    "s3.PutBucketPolicy": (
        {"Bucket": "photos", "Policy": policy({"Effect": "Allow", "Principal": "*"})},
        {
            "bucketName": "photos",
            "Host": HOST,
            "policy": "",
            "bucketPolicy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*"}]},
        },
    ),
    "s3.PutPublicAccessBlock": (
        {"Bucket": "photos", "PublicAccessBlockConfiguration": BLOCKED},
        {
            "bucketName": "photos",
            "Host": HOST,
            "publicAccessBlock": "",
            "PublicAccessBlockConfiguration": {"xmlns": NAMESPACE, **BLOCKED},
        },
    ),
    "s3.PutBucketTagging": (
        {"Bucket": "photos", "Tagging": {"TagSet": tags(owner="payments")}},
        {
            "bucketName": "photos",
            "Host": HOST,
            "tagging": "",
            "Tagging": {"xmlns": NAMESPACE, "TagSet": {"Tag": {"Key": "owner", "Value": "payments"}}},
        },
    ),
    "ec2.CreateSecurityGroup": (
        {"GroupName": "web", "Description": "Web servers", "VpcId": "vpc-1"},
        {"groupName": "web", "groupDescription": "Web servers", "vpcId": "vpc-1"},
    ),
    "ec2.AuthorizeSecurityGroupIngress": (
        {"GroupId": "sg-1", "IpPermissions": [{"FromPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]},
        {
            "groupId": "sg-1",
            "ipPermissions": {"items": [{"fromPort": 22, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]},
        },
    ),
    "ec2.RunInstances": (
        {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1, "SecurityGroupIds": ["sg-1"], "InstanceType": "t3.nano"},
        {
            "instancesSet": {"items": [{"imageId": "ami-1", "minCount": 1, "maxCount": 1}]},
            "groupSet": {"items": [{"groupId": "sg-1"}]},
            "instanceType": "t3.nano",
        },
    ),
    "ec2.CreateTags": (
        {"Resources": ["sg-1", "i-1"], "Tags": tags(owner="payments")},
        {
            "resourcesSet": {"items": [{"resourceId": "sg-1"}, {"resourceId": "i-1"}]},
            "tagSet": {"items": [{"key": "owner", "value": "payments"}]},
        },
    ),
    "ec2.ModifyInstanceMetadataOptions": (
        {"InstanceId": "i-1", "HttpTokens": "required"},
        {"ModifyInstanceMetadataOptionsRequest": {"InstanceId": "i-1", "HttpTokens": "required"}},
    ),
    "cloudtrail.CreateTrail": (
        {"Name": "all", "S3BucketName": "logs", "IsMultiRegionTrail": True},
        {"name": "all", "s3BucketName": "logs", "isMultiRegionTrail": True},
    ),
    "rds.CreateDBInstance": (
        {"DBInstanceIdentifier": "vault", "MasterUserPassword": "correct horse"},
        {"dBInstanceIdentifier": "vault", "masterUserPassword": "HIDDEN_DUE_TO_SECURITY_REASONS"},
    ),
}


@pytest.mark.parametrize("call", REQUESTS)
def test_what_was_asked(call: str) -> None:
    said, written = REQUESTS[call]

    assert record(call, said)["requestParameters"] == written


ANSWERS: dict[str, tuple[dict[str, Any], Any]] = {
    "s3.CreateBucket": ({"Location": "/photos"}, None),
    "ec2.CreateSecurityGroup": ({"GroupId": "sg-1"}, {"_return": True, "groupId": "sg-1"}),
    "ec2.RunInstances": (
        {"Instances": [{"InstanceId": "i-1"}]},
        {"_return": True, "instancesSet": {"items": [{"instanceId": "i-1"}]}},
    ),
    "iam.CreateRole": (
        {"Role": {"RoleName": "web", "AssumeRolePolicyDocument": {"Version": "2012-10-17"}}},
        {"role": {"roleName": "web", "assumeRolePolicyDocument": "%7B%22Version%22%3A%20%222012-10-17%22%7D"}},
    ),
    "rds.CreateDBInstance": ({"DBInstance": {"DBInstanceIdentifier": "vault"}}, {"dBInstanceIdentifier": "vault"}),
    "kms.CreateKey": ({"KeyMetadata": {"KeyId": "k-1"}}, {"keyMetadata": {"keyId": "k-1"}}),
}


@pytest.mark.parametrize("call", ANSWERS)
def test_what_was_answered(call: str) -> None:
    answer, written = ANSWERS[call]

    assert record(call, {"Bucket": "photos"} if call.startswith("s3.") else {}, answer)["responseElements"] == written


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("s3.PutPublicAccessBlock", "PutBucketPublicAccessBlock"),
        ("s3.PutBucketLifecycleConfiguration", "PutBucketLifecycle"),
        ("s3control.PutPublicAccessBlock", "PutAccountPublicAccessBlock"),
        ("s3.PutBucketPolicy", "PutBucketPolicy"),
    ],
)
def test_names_are_cloudtrails(call: str, name: str) -> None:
    said = {"Bucket": "photos", "Policy": "{}"} if call.startswith("s3.") else {}

    found = record(call, said)

    assert (found["eventName"], found["eventSource"]) == (name, "s3.amazonaws.com")


def test_a_refused_call_has_a_code_and_no_answer() -> None:
    refusal = {"Error": {"Code": "InvalidPermission.Duplicate", "Message": "it is there already"}}

    found = record("ec2.AuthorizeSecurityGroupIngress", {"GroupId": "sg-1"}, refusal)

    assert (found["errorCode"], found["responseElements"]) == ("Client.InvalidPermission.Duplicate", None)


def test_iams_events_are_those_of_one_region() -> None:
    found = event("iam.CreateRole", {"RoleName": "web"})

    assert (found["region"], found["detail"]["awsRegion"], found["source"]) == ("us-east-1", "us-east-1", "aws.iam")


def test_only_s3_writes_the_user_agent_in_brackets() -> None:
    assert record("s3.CreateBucket", {"Bucket": "photos"})["userAgent"] == f"[{LEA.agent}]"
    assert record("iam.CreateRole", {"RoleName": "web"})["userAgent"] == LEA.agent


def test_a_key_is_named_beside_the_parameters() -> None:
    (named,) = record("kms.ScheduleKeyDeletion", {"KeyId": "k-1"})["resources"]

    assert named == {
        "accountId": "123456789012",
        "type": "AWS::KMS::Key",
        "ARN": "arn:aws:kms:eu-west-1:123456789012:key/k-1",
    }
