"""One change per responder, as the queue delivers it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.canned import ACCOUNT, BUCKET, GROUP, INSTANCE, REGION, ROLE, TRAIL

NOW = "2026-11-23T12:00:00Z"
PERSON = "lea.moreau@fjordline.example"
_SSO = "AWSReservedSSO_Dev_0123456789abcdef"
_SSH = {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}


@dataclass(frozen=True)
class Scene:
    """A change that a responder judges; `event` takes a number, so that a batch has ten different resources."""

    responder: str
    event: Callable[[int], dict[str, Any]]


def _envelope(source: str, name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """An EventBridge envelope around a record of CloudTrail."""
    detail = {
        "eventVersion": "1.11",
        "eventID": str(uuid.uuid4()),
        "eventTime": NOW,
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": REGION,
        "recipientAccountId": ACCOUNT,
        "readOnly": False,
        "managementEvent": True,
        "eventType": "AwsApiCall",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "[aws-cli/2.30.0 md/awscrt#0.27.6 ua/2.1 os/linux]",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"AROAEXAMPLE:{PERSON}",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{_SSO}/{PERSON}",
            "accountId": ACCOUNT,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "arn": f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/{_SSO}",
                    "userName": _SSO,
                },
                "attributes": {"creationDate": NOW, "mfaAuthenticated": "false"},
            },
        },
        "requestParameters": dict(parameters),
        "responseElements": None,
    }
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{source}",
        "account": ACCOUNT,
        "time": NOW,
        "region": REGION,
        "resources": [],
        "detail": detail,
    }


def _role(_: int) -> dict[str, Any]:
    return _envelope("iam", "UpdateAssumeRolePolicy", {"roleName": ROLE, "policyDocument": "{}"})


def _bucket(number: int) -> dict[str, Any]:
    name = f"{BUCKET}-{number}" if number else BUCKET
    return _envelope("s3", "PutBucketPolicy", {"bucketName": name, "bucketPolicy": {"Version": "2012-10-17"}})


def _group(number: int) -> dict[str, Any]:
    group = f"sg-{number:017x}" if number else GROUP
    opened = {"groupId": group, "ipPermissions": {"items": [_SSH]}}
    return _envelope("ec2", "AuthorizeSecurityGroupIngress", opened)


def _instance(_: int) -> dict[str, Any]:
    return _envelope("ec2", "ModifyInstanceMetadataOptions", {"instanceId": INSTANCE, "httpTokens": "optional"})


def _trail(_: int) -> dict[str, Any]:
    return _envelope("cloudtrail", "StopLogging", {"name": TRAIL})


SCENES: Mapping[str, Scene] = {
    "role": Scene("identity", _role),
    "bucket": Scene("data", _bucket),
    "security group": Scene("network", _group),
    "instance": Scene("compute", _instance),
    "trail": Scene("visibility", _trail),
}


def delivery(*events: Mapping[str, Any]) -> dict[str, Any]:
    """The SQS batch that a function is invoked with."""
    return {
        "Records": [
            {"messageId": str(uuid.uuid4()), "body": json.dumps(event), "receiptHandle": "", "attributes": {}}
            | {"messageAttributes": {}, "md5OfBody": "", "eventSource": "aws:sqs", "awsRegion": REGION}
            | {"eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:changes"}
            for event in events
        ]
    }
