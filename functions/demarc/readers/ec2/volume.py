"""EBS volumes: whether they are encrypted. What is in them is never looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, paged
from demarc.readers.answers import asked, same, the_one
from demarc.readers.ec2.asked import EC2, PAGE, TAGGED

_GONE = ("InvalidVolume.NotFound", "InvalidParameterValue", "InvalidVolumeID.Malformed")
_SAME = ("AvailabilityZone", "Encrypted", "KmsKeyId", "MultiAttachEnabled", "SnapshotId", "VolumeId", "VolumeType")
_ENDED = ("deleting", "deleted")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    ec2 = clients("ec2", resource.region)
    found = asked(ec2, "describe_volumes", _GONE, VolumeIds=[resource.identifier])
    volume = the_one([each for each in found.get("Volumes", ()) if each.get("State") not in _ENDED])
    return {
        **same(volume, *_SAME),
        "Tags": volume.get("Tags", []),
        "Observed": {"Attached": bool(volume.get("Attachments"))},
    }


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    return paged(clients("ec2", region), "describe_volumes", "Volumes", "VolumeId", size=PAGE)


_NAMED = ("requestParameters.volumeId",)
_ATTACHED = ("Observed.Attached",)

VOLUME = Reader(
    type="AWS::EC2::Volume",
    responder="data",
    arn="arn:{partition}:ec2:{region}:{account}:volume/{identifier}",
    parts=(
        Part(
            gives=(*_SAME, "Tags", *_ATTACHED),
            calls={"ec2.DescribeVolumes": "ec2:DescribeVolumes"},
            read=_read,
        ),
    ),
    # RunInstances and CreateReplaceRootVolumeTask make volumes that their records do not name: the sweep sees them.
    touches=(
        Touch(EC2, ("CreateVolume",), ("responseElements.volumeId",), EVERYTHING),
        Touch(EC2, ("CopyVolumes",), ("responseElements.volumeSet[].volumeId",), EVERYTHING),
        Touch(EC2, ("DeleteVolume", "RestoreVolumeFromRecycleBin"), _NAMED, EVERYTHING),
        Touch(EC2, ("AttachVolume", "DetachVolume"), _NAMED, _ATTACHED),
        Touch(EC2, ("ModifyVolume",), _NAMED, ("VolumeType", "MultiAttachEnabled")),
        Touch(EC2, ("ModifyVolumeAttribute",), _NAMED),
        Touch(EC2, ("CreateTags", "DeleteTags"), TAGGED, ("Tags",), "vol-"),
    ),
    inventory=Inventory(calls={"ec2.DescribeVolumes": "ec2:DescribeVolumes"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (VOLUME,)
