"""Machine images of ours: to whom they are given, and whether they are encrypted. No type of CloudFormation's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, present, the_one
from demarc.readers.ec2.asked import EC2, PAGE, TAGGED

_GONE = ("InvalidAMIID.NotFound", "InvalidAMIID.Malformed", "InvalidAMIID.Unavailable")
_ENDED = ("deregistered", "invalid")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    ec2 = clients("ec2", resource.region)
    found = asked(ec2, "describe_images", _GONE, ImageIds=[resource.identifier])
    image = the_one([each for each in found.get("Images", ()) if each.get("State") not in _ENDED])
    disks = [each["Ebs"] for each in image.get("BlockDeviceMappings", ()) if "Ebs" in each]
    return {
        "Tags": image.get("Tags", []),
        "Observed": present(
            Public=image.get("Public"),
            OwnerId=image.get("OwnerId"),
            ImdsSupport=image.get("ImdsSupport"),
            Encrypted=all(each.get("Encrypted", False) for each in disks) if disks else None,
        ),
    }


def _shared(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """Whom the image is given to: accounts by their ids, organizations by their ARNs, and `all` for everybody."""
    ec2 = clients("ec2", resource.region)
    found = asked(ec2, "describe_image_attribute", _GONE, ImageId=resource.identifier, Attribute="launchPermission")
    names = ("UserId", "Group", "OrganizationArn", "OrganizationalUnitArn")
    given = [each[name] for each in found.get("LaunchPermissions", ()) for name in names if each.get(name)]
    return {"Observed": {"SharedWith": sorted(given)}}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    pages = clients("ec2", region).get_paginator("describe_images")
    for page in pages.paginate(Owners=["self"], PaginationConfig={"PageSize": PAGE}):
        yield [each["ImageId"] for each in page.get("Images", ())]


_NAMED = ("requestParameters.imageId",)

IMAGE = Reader(
    type="AWS::EC2::Image",
    responder="compute",
    arn="arn:{partition}:ec2:{region}:{account}:image/{identifier}",
    parts=(
        Part(
            gives=("Tags", "Observed.Public", "Observed.OwnerId", "Observed.ImdsSupport", "Observed.Encrypted"),
            calls={"ec2.DescribeImages": "ec2:DescribeImages"},
            read=_read,
        ),
        Part(
            gives=("Observed.SharedWith",),
            calls={"ec2.DescribeImageAttribute": "ec2:DescribeImageAttribute"},
            read=_shared,
        ),
    ),
    touches=(
        Touch(
            EC2,
            ("CreateImage", "CopyImage", "CreateRestoreImageTask", "RegisterImage"),
            ("responseElements.imageId",),
            EVERYTHING,
        ),
        Touch(EC2, ("DeregisterImage", "RestoreImageFromRecycleBin"), _NAMED, EVERYTHING),
        Touch(
            EC2,
            ("ModifyImageAttribute", "ResetImageAttribute", "CancelImageLaunchPermission"),
            _NAMED,
            ("Observed.SharedWith", "Observed.Public", "Observed.ImdsSupport"),
        ),
        Touch(
            EC2,
            (
                *("DisableImage", "EnableImage", "DisableImageDeprecation", "EnableImageDeprecation"),
                *("DisableImageDeregistrationProtection", "EnableImageDeregistrationProtection"),
                # A copy of it as a file in a bucket.
                *("CreateStoreImageTask", "ExportImage"),
            ),
            _NAMED,
        ),
        Touch(EC2, ("CreateTags", "DeleteTags"), TAGGED, ("Tags",), "ami-"),
    ),
    inventory=Inventory(calls={"ec2.DescribeImages": "ec2:DescribeImages"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (IMAGE,)
