"""S3 buckets: each setting is a call of its own, so a part per setting and only those that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, paged
from demarc.readers.answers import asked, document, present

Answer = Mapping[str, Any]

_S3 = "s3.amazonaws.com"
_NAMED = ("requestParameters.bucketName",)
_GONE = ("InvalidBucketName", "NoSuchBucket")


def _setting(
    operation: str,
    action: str,
    *,
    gives: tuple[str, ...],
    shape: Callable[[Answer], Answer],
    absent: str = "",
) -> Part:
    """One call about a bucket. `absent` is the error code by which S3 says that nothing is configured."""
    method = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).removeprefix("_")

    def read(clients: Clients, resource: Resource) -> Answer:
        try:
            answer = asked(clients("s3", resource.region), method, _GONE, Bucket=resource.identifier)
        except ClientError as error:
            if absent and error.response["Error"]["Code"] == absent:
                return {}
            raise
        return shape(answer)

    return Part(gives=gives, calls={f"s3.{operation}": action}, read=read)


def _encryption(answer: Answer) -> Answer:
    rules = []
    for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]:
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        wanted = {name: default[name] for name in ("SSEAlgorithm", "KMSMasterKeyID") if name in default}
        rules.append({"ServerSideEncryptionByDefault": wanted, "BucketKeyEnabled": rule.get("BucketKeyEnabled", False)})
    return {"BucketEncryption": {"ServerSideEncryptionConfiguration": rules}}


def _versioning(answer: Answer) -> Answer:
    read: dict[str, Any] = {"Observed": {"MfaDelete": answer.get("MFADelete", "Disabled")}}
    if "Status" in answer:
        read["VersioningConfiguration"] = {"Status": answer["Status"]}
    return read


def _logging(answer: Answer) -> Answer:
    if "LoggingEnabled" not in answer:
        return {}
    target = answer["LoggingEnabled"]
    return {
        "LoggingConfiguration": {
            "DestinationBucketName": target["TargetBucket"],
            "LogFilePrefix": target.get("TargetPrefix", ""),
        }
    }


def _lifecycle(answer: Answer) -> Answer:
    """Whether rules run, and what they end: the rest of a rule has more forms than any control asks for."""
    found = answer.get("Rules", ())
    rules = [{"Id": rule.get("ID", ""), "Status": rule["Status"], **_ended_by(rule)} for rule in found]
    return {"LifecycleConfiguration": {"Rules": rules}}


def _ended_by(rule: Answer) -> Answer:
    ended: dict[str, Any] = {}
    if "Days" in rule.get("Expiration", {}):
        ended["ExpirationInDays"] = rule["Expiration"]["Days"]
    if "NoncurrentDays" in rule.get("NoncurrentVersionExpiration", {}):
        ended["NoncurrentVersionExpirationInDays"] = rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
    if "DaysAfterInitiation" in rule.get("AbortIncompleteMultipartUpload", {}):
        days = rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
        ended["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": days}
    if not ended:
        ended["ExpiredObjectDeleteMarker"] = rule.get("Expiration", {}).get("ExpiredObjectDeleteMarker", False)
    return ended


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    """The account's buckets that are in a Region; S3 narrows a list so only at the Region's own endpoint."""
    return paged(clients("s3", region), "list_buckets", "Buckets", "Name", size=1000, BucketRegion=region)


BUCKET = Reader(
    type="AWS::S3::Bucket",
    responder="data",
    arn="arn:{partition}:s3:::{identifier}",
    parts=(
        _setting(
            "GetPublicAccessBlock",
            "s3:GetBucketPublicAccessBlock",
            gives=("PublicAccessBlockConfiguration",),
            absent="NoSuchPublicAccessBlockConfiguration",
            shape=lambda answer: {"PublicAccessBlockConfiguration": answer["PublicAccessBlockConfiguration"]},
        ),
        _setting(
            "GetBucketPolicy",
            "s3:GetBucketPolicy",
            gives=("Observed.Policy",),
            absent="NoSuchBucketPolicy",
            shape=lambda answer: {"Observed": present(Policy=document(answer.get("Policy")))},
        ),
        _setting(
            "GetBucketAcl",
            "s3:GetBucketAcl",
            gives=("Observed.Grants", "Observed.OwnerId"),
            shape=lambda answer: {"Observed": {"Grants": answer.get("Grants", []), "OwnerId": answer["Owner"]["ID"]}},
        ),
        _setting(
            "GetBucketEncryption",
            "s3:GetEncryptionConfiguration",
            gives=("BucketEncryption",),
            absent="ServerSideEncryptionConfigurationNotFoundError",
            shape=_encryption,
        ),
        _setting(
            "GetBucketVersioning",
            "s3:GetBucketVersioning",
            gives=("VersioningConfiguration", "Observed.MfaDelete"),
            shape=_versioning,
        ),
        _setting("GetBucketLogging", "s3:GetBucketLogging", gives=("LoggingConfiguration",), shape=_logging),
        _setting(
            "GetBucketOwnershipControls",
            "s3:GetBucketOwnershipControls",
            gives=("OwnershipControls",),
            absent="OwnershipControlsNotFoundError",
            shape=lambda answer: {"OwnershipControls": {"Rules": answer["OwnershipControls"]["Rules"]}},
        ),
        _setting(
            "GetBucketLifecycleConfiguration",
            "s3:GetLifecycleConfiguration",
            gives=("LifecycleConfiguration",),
            absent="NoSuchLifecycleConfiguration",
            shape=_lifecycle,
        ),
        _setting(
            "GetBucketTagging",
            "s3:GetBucketTagging",
            gives=("Tags",),
            absent="NoSuchTagSet",
            shape=lambda answer: {"Tags": answer["TagSet"]},
        ),
    ),
    touches=(
        # Whoever asks the endpoint of us-east-1 may have a bucket made in any Region, and the call is recorded there.
        Touch(
            _S3,
            ("CreateBucket",),
            _NAMED,
            EVERYTHING,
            region="requestParameters.CreateBucketConfiguration.LocationConstraint",
        ),
        Touch(_S3, ("DeleteBucket",), _NAMED, EVERYTHING),
        Touch(
            _S3,
            ("PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock"),
            _NAMED,
            ("PublicAccessBlockConfiguration",),
        ),
        Touch(_S3, ("PutBucketPolicy", "DeleteBucketPolicy"), _NAMED, ("Observed.Policy",)),
        Touch(_S3, ("PutBucketAcl",), _NAMED, ("Observed.Grants",)),
        Touch(_S3, ("PutBucketEncryption", "DeleteBucketEncryption"), _NAMED, ("BucketEncryption",)),
        Touch(_S3, ("PutBucketVersioning",), _NAMED, ("VersioningConfiguration", "Observed.MfaDelete")),
        Touch(_S3, ("PutBucketLogging",), _NAMED, ("LoggingConfiguration",)),
        Touch(_S3, ("PutBucketOwnershipControls", "DeleteBucketOwnershipControls"), _NAMED, ("OwnershipControls",)),
        Touch(_S3, ("PutBucketLifecycle", "DeleteBucketLifecycle"), _NAMED, ("LifecycleConfiguration",)),
        Touch(_S3, ("PutBucketTagging", "DeleteBucketTagging"), _NAMED, ("Tags",)),
        # The only way to tag a bucket whose tags decide on access (PutBucketAbac).
        Touch(_S3, ("TagResource", "UntagResource"), ("requestParameters.resourceArn",), ("Tags",)),
        # These write what no control asks for yet; the bucket is looked at all the same: somebody is at work on it.
        Touch(
            _S3,
            (
                "PutAccelerateConfiguration",
                "PutBucketAbac",
                "PutBucketCors",
                "DeleteBucketCors",
                "PutBucketNotification",
                "PutBucketObjectLockConfiguration",
                "PutBucketReplication",
                "DeleteBucketReplication",
                "PutBucketRequestPayment",
                "PutBucketWebsite",
                "DeleteBucketWebsite",
            ),
            _NAMED,
        ),
    ),
    inventory=Inventory(calls={"s3.ListBuckets": "s3:ListAllMyBuckets"}, pages=_listed),
)

READERS = (BUCKET,)
