"""EBS snapshots of ours: whether they are encrypted, and to whom they are given. No type of CloudFormation's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, present, the_one
from demarc.readers.ec2.asked import EC2, PAGE, TAGGED

_GONE = ("InvalidSnapshot.NotFound", "InvalidSnapshotID.Malformed", "InvalidParameterValue")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    ec2 = clients("ec2", resource.region)
    snapshot = the_one(asked(ec2, "describe_snapshots", _GONE, SnapshotIds=[resource.identifier]).get("Snapshots"))
    return {
        "Tags": snapshot.get("Tags", []),
        "Observed": present(
            Encrypted=snapshot.get("Encrypted"), OwnerId=snapshot.get("OwnerId"), VolumeId=snapshot.get("VolumeId")
        ),
    }


def _shared(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """Whom the snapshot is given to: accounts by their ids, and `all` for everybody."""
    ec2 = clients("ec2", resource.region)
    found = asked(
        ec2,
        "describe_snapshot_attribute",
        _GONE,
        SnapshotId=resource.identifier,
        Attribute="createVolumePermission",
    )
    given = [each.get("UserId") or each.get("Group") for each in found.get("CreateVolumePermissions", ())]
    return {"Observed": {"SharedWith": sorted(each for each in given if each)}}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    pages = clients("ec2", region).get_paginator("describe_snapshots")
    for page in pages.paginate(OwnerIds=["self"], PaginationConfig={"PageSize": PAGE}):
        yield [each["SnapshotId"] for each in page.get("Snapshots", ())]


_NAMED = ("requestParameters.snapshotId",)

SNAPSHOT = Reader(
    type="AWS::EC2::Snapshot",
    responder="data",
    arn="arn:{partition}:ec2:{region}:{account}:snapshot/{identifier}",
    parts=(
        Part(
            gives=("Tags", "Observed.Encrypted", "Observed.OwnerId", "Observed.VolumeId"),
            calls={"ec2.DescribeSnapshots": "ec2:DescribeSnapshots"},
            read=_read,
        ),
        Part(
            gives=("Observed.SharedWith",),
            calls={"ec2.DescribeSnapshotAttribute": "ec2:DescribeSnapshotAttribute"},
            read=_shared,
        ),
    ),
    touches=(
        Touch(EC2, ("CreateSnapshot", "CopySnapshot"), ("responseElements.snapshotId",), EVERYTHING),
        # Of all volumes of an instance at once.
        Touch(EC2, ("CreateSnapshots",), ("responseElements.snapshotSet[].snapshotId",), EVERYTHING),
        Touch(EC2, ("DeleteSnapshot", "RestoreSnapshotFromRecycleBin"), _NAMED, EVERYTHING),
        Touch(EC2, ("ModifySnapshotAttribute", "ResetSnapshotAttribute"), _NAMED, ("Observed.SharedWith",)),
        Touch(EC2, ("LockSnapshot", "UnlockSnapshot", "ModifySnapshotTier", "RestoreSnapshotTier"), _NAMED),
        Touch(EC2, ("CreateTags", "DeleteTags"), TAGGED, ("Tags",), "snap-"),
    ),
    inventory=Inventory(calls={"ec2.DescribeSnapshots": "ec2:DescribeSnapshots"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (SNAPSHOT,)
