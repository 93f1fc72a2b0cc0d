"""Access points of S3: whether they keep the public out, and from where they may be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, configured, document, page_by_page, present, same, tags

_SOURCE = "s3.amazonaws.com"
_GONE = ("NoSuchAccessPoint", "InvalidRequest", "InvalidAccessPoint", "MalformedXML")
_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    control = clients("s3control", resource.region)
    found = asked(control, "get_access_point", _GONE, AccountId=resource.account, Name=resource.identifier)
    return {
        **same(found, "Bucket", "Name", "NetworkOrigin"),
        "PublicAccessBlockConfiguration": same(found.get("PublicAccessBlockConfiguration", {}), *_BLOCKS),
        **present(VpcConfiguration=same(found.get("VpcConfiguration", {}), "VpcId") or None),
    }


def _policy(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = configured(
        clients("s3control", resource.region),
        "get_access_point_policy",
        ("NoSuchAccessPointPolicy",),
        _GONE,
        AccountId=resource.account,
        Name=resource.identifier,
    )
    return present(Policy=document(found.get("Policy")))


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    control = clients("s3control", resource.region)
    found = asked(control, "list_tags_for_resource", _GONE, AccountId=resource.account, ResourceArn=resource.arn)
    return {"Tags": tags(found.get("Tags"))}


def _listed(clients: Clients, account: str, region: str) -> Iterator[Sequence[str]]:
    for page in page_by_page(clients("s3control", region), "list_access_points", AccountId=account, MaxResults=1000):
        yield [each["Name"] for each in page.get("AccessPointList", ())]


_NAMED = ("requestParameters.name",)

ACCESS_POINT = Reader(
    type="AWS::S3::AccessPoint",
    responder="data",
    arn="arn:{partition}:s3:{region}:{account}:accesspoint/{identifier}",
    parts=(
        Part(
            gives=("Bucket", "Name", "NetworkOrigin", "PublicAccessBlockConfiguration", "VpcConfiguration"),
            calls={"s3control.GetAccessPoint": "s3:GetAccessPoint"},
            read=_read,
        ),
        Part(gives=("Policy",), calls={"s3control.GetAccessPointPolicy": "s3:GetAccessPointPolicy"}, read=_policy),
        Part(gives=("Tags",), calls={"s3control.ListTagsForResource": "s3:ListTagsForResource"}, read=_tags),
    ),
    touches=(
        Touch(_SOURCE, ("CreateAccessPoint", "DeleteAccessPoint"), _NAMED, EVERYTHING),
        # Access points to what is no bucket: volumes, and copies of buckets. Their names are of the same kind.
        Touch(
            "fsx.amazonaws.com", ("CreateAndAttachS3AccessPoint", "DetachAndDeleteS3AccessPoint"), _NAMED, EVERYTHING
        ),
        Touch("backup.amazonaws.com", ("CreateBackupAccessPoint",), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceArn",), ("Tags",)),
        Touch(_SOURCE, ("PutAccessPointPolicy", "DeleteAccessPointPolicy"), _NAMED, ("Policy",)),
    ),
    inventory=Inventory(calls={"s3control.ListAccessPoints": "s3:ListAccessPoints"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (ACCESS_POINT,)
