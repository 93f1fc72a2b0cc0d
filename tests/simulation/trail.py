"""What CloudTrail would send for the calls that people make through boto3.

A `Person` is an identity with boto3 clients; every mutating call through them is recorded, refused ones too. What a
record holds is in the AWS CloudTrail User Guide ("CloudTrail record contents"); how a service spells its parameters
there follows from the service's API, which botocore's models describe, apart from the names kept below.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote

import boto3

READS = ("Describe", "Get", "Head", "List", "Lookup")
ENVELOPE = "AWS API Call via CloudTrail"
SIGN_IN = "AWS Console Sign In via CloudTrail"
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"

# CloudTrail's names of S3's calls (Amazon S3 User Guide, "Amazon S3 CloudTrail events").
_SPELLED = {
    ("s3", "PutPublicAccessBlock"): "PutBucketPublicAccessBlock",
    ("s3", "DeletePublicAccessBlock"): "DeleteBucketPublicAccessBlock",
    ("s3", "PutBucketLifecycleConfiguration"): "PutBucketLifecycle",
    ("s3control", "PutPublicAccessBlock"): "PutAccountPublicAccessBlock",
    ("s3control", "DeletePublicAccessBlock"): "DeleteAccountPublicAccessBlock",
}
_SOURCES = {"s3control": "s3"}
# Services that exist once; their events arrive in us-east-1 and nowhere else.
_GLOBAL = ("iam", "account")
_S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"

# EC2's records keep the names of its first API; calls added since are recorded as they are, in their request's name.
_FIRST_API = {
    "InstanceIds": ("instancesSet", "instanceId"),
    "Resources": ("resourcesSet", "resourceId"),
    "SecurityGroupIds": ("groupSet", "groupId"),
    "TagSpecifications": ("tagSpecificationSet", ""),
    "Tags": ("tagSet", ""),
}
_LATER_API = ("AssociateIamInstanceProfile", "ModifyInstanceMetadataOptions", "ModifySecurityGroupRules")
_ASKED_PER_INSTANCE = ("ImageId", "KeyName", "MaxCount", "MinCount")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who CloudTrail says it was: the userIdentity, the user agent, the address, and what else the record carries."""

    user: Mapping[str, Any]
    agent: str
    address: str = "198.51.100.24"
    beside: Mapping[str, Any] = field(default_factory=dict)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Trail:
    """Keeps the envelope of every call that changes something, or was refused to."""

    account: str
    region: str
    clock: Callable[[], datetime] = _now
    events: list[dict[str, Any]] = field(default_factory=list)

    def person(self, identity: Identity) -> Person:
        return Person(self, identity)

    def take(self) -> list[dict[str, Any]]:
        """The events since it was last asked."""
        taken, self.events = self.events, []
        return taken


class Person:
    """Somebody with boto3 at hand; whatever they change is in the trail."""

    def __init__(self, trail: Trail, identity: Identity) -> None:
        self._trail = trail
        self._identity = identity
        self._clients: dict[str, Any] = {}

    @property
    def region(self) -> str:
        return self._trail.region

    def client(self, service: str) -> Any:
        """A boto3 client whose calls are recorded."""
        if service not in self._clients:
            region = "us-east-1" if service in _GLOBAL else self._trail.region
            client = session().client(service, region_name=region)
            client.meta.events.register("before-parameter-build", self._remember)
            client.meta.events.register("after-call", self._record)
            self._clients[service] = client
        return self._clients[service]

    def sign_in(self, *, second_factor: bool) -> None:
        """Sign in to the console (AWS CloudTrail User Guide, "AWS Management Console sign-in events")."""
        self._trail.events.append(signed_in(self._trail, self._identity, second_factor=second_factor))

    def _remember(self, params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["said"] = dict(params)

    def _record(self, model: Any, parsed: Mapping[str, Any], context: Mapping[str, Any], **_: Any) -> None:
        if not model.name.startswith(READS):
            self._trail.events.append(envelope(self._trail, self._identity, model, said=context["said"], answer=parsed))


@cache
def session() -> Any:
    """One for all: the first client of a service takes a tenth of a second, each further one a tenth of that."""
    return boto3.Session()


def envelope(
    trail: Trail, identity: Identity, model: Any, *, said: Mapping[str, Any], answer: Mapping[str, Any]
) -> dict[str, Any]:
    """The EventBridge event for one call; `model` is botocore's description of the operation."""
    service = model.service_model.service_name
    source = _SOURCES.get(service, service)
    region = "us-east-1" if service in _GLOBAL else trail.region
    refused = answer.get("Error")
    record: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": dict(identity.user),
        "eventTime": f"{trail.clock():%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": _SPELLED.get((service, model.name), model.name),
        "awsRegion": region,
        "sourceIPAddress": identity.address,
        # S3 writes it in brackets.
        "userAgent": f"[{identity.agent}]" if source == "s3" else identity.agent,
        "requestParameters": _request(model, said, region) or None,
        "responseElements": None if refused else _response(model, answer) or None,
        "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": trail.account,
        "eventCategory": "Management",
        **identity.beside,
    }
    if refused:
        code = f"Client.{refused['Code']}" if service == "ec2" else refused["Code"]
        record |= {"errorCode": code, "errorMessage": refused.get("Message", "")}
    if named := _named(trail, record):
        record["resources"] = [{"accountId": trail.account, **named}]
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": ENVELOPE,
        "source": f"aws.{source}",
        "account": trail.account,
        "time": record["eventTime"],
        "region": region,
        "resources": [],
        "detail": record,
    }


def signed_in(trail: Trail, identity: Identity, *, second_factor: bool) -> dict[str, Any]:
    """The EventBridge event for somebody who signed in to the console."""
    record: dict[str, Any] = {
        "eventVersion": "1.08",
        "userIdentity": {**identity.user, "accessKeyId": ""},
        "eventTime": f"{trail.clock():%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "signin.amazonaws.com",
        "eventName": "ConsoleLogin",
        "awsRegion": "us-east-1",
        "sourceIPAddress": identity.address,
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
        "requestParameters": None,
        "responseElements": {"ConsoleLogin": "Success"},
        "additionalEventData": {
            "LoginTo": "https://console.aws.amazon.com/console/home",
            "MobileVersion": "No",
            "MFAUsed": "Yes" if second_factor else "No",
        },
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsConsoleSignIn",
        "managementEvent": True,
        "recipientAccountId": trail.account,
        "eventCategory": "Management",
    }
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": SIGN_IN,
        "source": "aws.signin",
        "account": trail.account,
        "time": record["eventTime"],
        "region": "us-east-1",
        "resources": [],
        "detail": record,
    }


def _named(trail: Trail, record: Mapping[str, Any]) -> dict[str, str]:
    """The resource that S3 and KMS name beside the parameters."""
    said = record["requestParameters"] or {}
    if "bucketName" in said:
        return {"type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{said['bucketName']}"}
    if record["eventSource"] == "kms.amazonaws.com":
        made = (record["responseElements"] or {}).get("keyMetadata", {})
        key = str(said.get("keyId") or made.get("keyId")).rpartition("/")[2]
        return {"type": "AWS::KMS::Key", "ARN": f"arn:aws:kms:{record['awsRegion']}:{trail.account}:key/{key}"}
    return {}


# --- what was asked and answered, as each service has it written ------------------------------------------------------


def _request(model: Any, said: Mapping[str, Any], region: str) -> dict[str, Any]:
    service = model.service_model.service_name
    if service == "s3":
        return _s3_request(model, said, region)
    if service != "ec2":
        lowered: dict[str, Any] = _lowered(model.input_shape, said)
        return lowered
    if model.name in _LATER_API:
        return {f"{model.name}Request": dict(said)}
    return _ec2_request(model, said)


def _response(model: Any, answer: Mapping[str, Any]) -> dict[str, Any]:
    service = model.service_model.service_name
    said = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    if service in ("s3", "s3control"):
        return {}
    if service == "ec2":
        if model.name in _LATER_API:
            return {f"{model.name}Response": _lowered(model.output_shape, said)}
        return {"_return": True, **(_items(model.output_shape, said) if model.output_shape else {})}
    if not model.output_shape:
        return {}
    lowered: dict[str, Any] = _lowered(model.output_shape, said)
    # RDS leaves out the one element of its answers.
    return next(iter(lowered.values())) if service == "rds" and len(lowered) == 1 else lowered


def _lowered(shape: Any, value: Any) -> Any:
    """Names as most services have them: the API's, with a small first letter; and no secret."""
    if shape.metadata.get("sensitive"):
        return HIDDEN
    if shape.type_name == "structure":
        return {_small(name): _lowered(shape.members[name], each) for name, each in value.items()}
    if shape.type_name == "list":
        return [_lowered(shape.member, each) for each in value]
    if isinstance(value, Mapping):  # a policy of IAM, which answers it quoted, and botocore has read it
        return quote(json.dumps(value))
    return _plain(value)


def _s3_request(model: Any, said: Mapping[str, Any], region: str) -> dict[str, Any]:
    """S3's bodies are XML, and CloudTrail writes that as it stands, beside the query."""
    bucket = said["Bucket"]
    request: dict[str, Any] = {"bucketName": bucket, "Host": f"{bucket}.s3.{region}.amazonaws.com"}
    if query := model.http["requestUri"].partition("?")[2]:
        request[query] = ""
    payload = model.input_shape.serialization.get("payload")
    if payload == "Policy":
        request["bucketPolicy"] = json.loads(said["Policy"])
    elif payload in said:
        shape = model.input_shape.members[payload]
        name = shape.serialization.get("name", payload)
        request[name] = {"xmlns": _S3_NAMESPACE, **_xml(shape, said[payload])}
    return request


def _xml(shape: Any, value: Any) -> Any:
    if shape.type_name == "structure":
        written: dict[str, Any] = {}
        for name, each in value.items():
            member = shape.members[name]
            written[member.serialization.get("name", name)] = _xml(member, each)
        return written
    if shape.type_name == "list":
        elements = [_xml(shape.member, each) for each in value]
        # An element that stands alone cannot be told from a list of one.
        inner = elements[0] if len(elements) == 1 else elements
        return inner if shape.serialization.get("flattened") else {shape.member.serialization["name"]: inner}
    return _plain(value)


def _ec2_request(model: Any, said: Mapping[str, Any]) -> dict[str, Any]:
    request: dict[str, Any] = {}
    if model.name == "RunInstances":
        per_instance = {_small(name): said[name] for name in _ASKED_PER_INSTANCE if name in said}
        request["instancesSet"] = {"items": [per_instance]}
        said = {name: value for name, value in said.items() if name not in _ASKED_PER_INSTANCE}
    for name, value in said.items():
        shape = model.input_shape.members[name]
        if name in _FIRST_API:
            called, element = _FIRST_API[name]
            elements = [{element: each} if element else _lowered(shape.member, each) for each in value]
            request[called] = {"items": elements}
        else:
            request[_small(shape.serialization.get("name", name))] = _items(shape, value)
    return request


def _items(shape: Any, value: Any) -> Any:
    """EC2's lists are objects with `items`."""
    if shape.type_name == "structure":
        return {
            _small(shape.members[name].serialization.get("name", name)): _items(shape.members[name], each)
            for name, each in value.items()
        }
    if shape.type_name == "list":
        return {"items": [_items(shape.member, each) for each in value]} if value else {}
    return HIDDEN if shape.metadata.get("sensitive") else _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value:%b %d, %Y, %I:%M:%S %p}"
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _small(name: str) -> str:
    return name[:1].lower() + name[1:]
