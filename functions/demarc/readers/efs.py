"""File systems of EFS, and the access points into them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, configured, document, pages, present, same, tags, the_one

_SOURCE = "elasticfilesystem.amazonaws.com"
_GONE = ("FileSystemNotFound", "BadRequest", "ValidationException")
_ENDED = ("deleting", "deleted")
_NO_POINT = ("AccessPointNotFound", "BadRequest", "ValidationException")


def _client(clients: Clients, resource: Resource) -> Any:
    return clients("efs", resource.region)


def _file_system(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(_client(clients, resource), "describe_file_systems", _GONE, FileSystemId=resource.identifier)
    system = the_one(found.get("FileSystems"))
    if system.get("LifeCycleState") in _ENDED:
        raise ResourceGone
    return {**same(system, "Encrypted", "FileSystemId", "KmsKeyId"), "Tags": tags(system.get("Tags"))}


def _policy(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = configured(
        _client(clients, resource),
        "describe_file_system_policy",
        ("PolicyNotFound",),
        _GONE,
        FileSystemId=resource.identifier,
    )
    return present(FileSystemPolicy=document(found.get("Policy")))


def _backup(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = configured(
        _client(clients, resource),
        "describe_backup_policy",
        ("PolicyNotFound",),
        _GONE,
        FileSystemId=resource.identifier,
    )
    return {"BackupPolicy": {"Status": found.get("BackupPolicy", {}).get("Status", "DISABLED")}}


def _file_systems(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("efs", region), "describe_file_systems", "FileSystems", 100):
        yield [each["FileSystemId"] for each in page]


_NAMED = ("requestParameters.fileSystemId",)
_DESCRIBED = {"efs.DescribeFileSystems": "elasticfilesystem:DescribeFileSystems"}

FILE_SYSTEM = Reader(
    type="AWS::EFS::FileSystem",
    responder="data",
    arn="arn:{partition}:elasticfilesystem:{region}:{account}:file-system/{identifier}",
    parts=(
        Part(gives=("Encrypted", "FileSystemId", "KmsKeyId", "Tags"), calls=_DESCRIBED, read=_file_system),
        Part(
            gives=("FileSystemPolicy",),
            calls={"efs.DescribeFileSystemPolicy": "elasticfilesystem:DescribeFileSystemPolicy"},
            read=_policy,
        ),
        Part(
            gives=("BackupPolicy",),
            calls={"efs.DescribeBackupPolicy": "elasticfilesystem:DescribeBackupPolicy"},
            read=_backup,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateFileSystem",), ("responseElements.fileSystemId",), EVERYTHING),
        Touch(_SOURCE, ("DeleteFileSystem",), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("PutFileSystemPolicy", "DeleteFileSystemPolicy"), _NAMED, ("FileSystemPolicy",)),
        Touch(_SOURCE, ("PutBackupPolicy",), _NAMED, ("BackupPolicy",)),
        Touch(
            _SOURCE,
            (
                *("UpdateFileSystem", "UpdateFileSystemProtection", "PutLifecycleConfiguration", "CreateMountTarget"),
                *("CreateTags", "DeleteTags"),
            ),
            _NAMED,
        ),
        Touch(_SOURCE, ("CreateReplicationConfiguration",), ("requestParameters.sourceFileSystemId",)),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceId",), ("Tags",), "fs-"),
    ),
    inventory=Inventory(calls=_DESCRIBED, pages=_file_systems),
)


def _access_point(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(_client(clients, resource), "describe_access_points", _NO_POINT, AccessPointId=resource.identifier)
    point = the_one(found.get("AccessPoints"))
    if point.get("LifeCycleState") in _ENDED:
        raise ResourceGone
    user = point.get("PosixUser", {})
    return {
        **same(point, "AccessPointId", "FileSystemId"),
        **present(PosixUser={name: str(user[name]) for name in ("Uid", "Gid") if name in user} or None),
        "RootDirectory": same(point.get("RootDirectory", {}), "Path"),
        "Tags": tags(point.get("Tags")),
    }


def _access_points(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("efs", region), "describe_access_points", "AccessPoints", 100):
        yield [each["AccessPointId"] for each in page]


_POINTS = {"efs.DescribeAccessPoints": "elasticfilesystem:DescribeAccessPoints"}

ACCESS_POINT = Reader(
    type="AWS::EFS::AccessPoint",
    responder="data",
    arn="arn:{partition}:elasticfilesystem:{region}:{account}:access-point/{identifier}",
    parts=(
        Part(
            gives=("AccessPointId", "FileSystemId", "PosixUser", "RootDirectory", "Tags"),
            calls=_POINTS,
            read=_access_point,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateAccessPoint",), ("responseElements.accessPointId",), EVERYTHING),
        Touch(_SOURCE, ("DeleteAccessPoint",), ("requestParameters.accessPointId",), EVERYTHING),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceId",), ("Tags",), "fsap-"),
    ),
    inventory=Inventory(calls=_POINTS, pages=_access_points),
)

READERS: tuple[Reader, ...] = (FILE_SYSTEM, ACCESS_POINT)
