"""Multi-Region access points of S3. All of them are kept in one Region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, page_by_page, same

_SOURCE = "s3.amazonaws.com"
_GONE = ("NoSuchMultiRegionAccessPoint", "InvalidRequest", "MalformedXML")
# Amazon S3 User Guide, "Managing Multi-Region Access Points": every request about them goes here.
_KEPT_IN = "us-west-2"
_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    control = clients("s3control", _KEPT_IN)
    found = asked(
        control, "get_multi_region_access_point", _GONE, AccountId=resource.account, Name=resource.identifier
    )["AccessPoint"]
    if found.get("Status") == "DELETING":
        raise ResourceGone
    return {
        **same(found, "Alias", "Name"),
        "PublicAccessBlockConfiguration": same(found.get("PublicAccessBlock", {}), *_BLOCKS),
        "Regions": [same(each, "Bucket") for each in found.get("Regions", ())],
    }


def _listed(clients: Clients, account: str, region: str) -> Iterator[Sequence[str]]:
    if region != _KEPT_IN:
        return
    control = clients("s3control", region)
    for page in page_by_page(control, "list_multi_region_access_points", AccountId=account, MaxResults=100):
        yield [each["Name"] for each in page.get("AccessPoints", ())]


MULTI_REGION_ACCESS_POINT = Reader(
    type="AWS::S3::MultiRegionAccessPoint",
    responder="data",
    # Its ARN has the alias that S3 chose; people and calls know it by its name.
    arn="arn:{partition}:s3::{account}:accesspoint/{identifier}",
    parts=(
        Part(
            gives=("Alias", "Name", "PublicAccessBlockConfiguration", "Regions"),
            calls={"s3control.GetMultiRegionAccessPoint": "s3:GetMultiRegionAccessPoint"},
            read=_read,
        ),
    ),
    touches=(
        Touch(
            _SOURCE,
            ("CreateMultiRegionAccessPoint", "DeleteMultiRegionAccessPoint", "PutMultiRegionAccessPointPolicy"),
            ("requestParameters.details.name",),
            EVERYTHING,
        ),
    ),
    inventory=Inventory(
        calls={"s3control.ListMultiRegionAccessPoints": "s3:ListMultiRegionAccessPoints"}, pages=_listed
    ),
)

READERS: tuple[Reader, ...] = (MULTI_REGION_ACCESS_POINT,)
