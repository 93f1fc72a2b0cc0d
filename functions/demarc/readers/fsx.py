"""File systems of FSx, of whatever kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, pages, same, tags, the_one

_SOURCE = "fsx.amazonaws.com"
_GONE = ("FileSystemNotFound", "BadRequest")
# Where each kind keeps what is asked of it.
_KINDS = ("LustreConfiguration", "OntapConfiguration", "OpenZFSConfiguration", "WindowsConfiguration")
_OBSERVED = ("CopyTagsToBackups", "CopyTagsToVolumes", "DeploymentType", "AutomaticBackupRetentionDays")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(clients("fsx", resource.region), "describe_file_systems", _GONE, FileSystemIds=[resource.identifier])
    system = the_one(found.get("FileSystems"))
    if system.get("Lifecycle") == "DELETING":
        raise ResourceGone
    settings: Mapping[str, Any] = next((system[kind] for kind in _KINDS if kind in system), {})
    return {
        **same(system, "FileSystemType", "KmsKeyId", "StorageType"),
        "Tags": tags(system.get("Tags")),
        "Observed": {name: value for name, value in settings.items() if name in _OBSERVED},
    }


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("fsx", region), "describe_file_systems", "FileSystems", 100):
        yield [each["FileSystemId"] for each in page]


_NAMED = ("requestParameters.fileSystemId",)
_DESCRIBED = {"fsx.DescribeFileSystems": "fsx:DescribeFileSystems"}

FILE_SYSTEM = Reader(
    type="AWS::FSx::FileSystem",
    responder="data",
    arn="arn:{partition}:fsx:{region}:{account}:file-system/{identifier}",
    parts=(
        Part(
            gives=(
                *("FileSystemType", "KmsKeyId", "StorageType", "Tags"),
                *(f"Observed.{name}" for name in _OBSERVED),
            ),
            calls=_DESCRIBED,
            read=_read,
        ),
    ),
    touches=(
        Touch(
            _SOURCE,
            ("CreateFileSystem", "CreateFileSystemFromBackup"),
            ("responseElements.fileSystem.fileSystemId",),
            EVERYTHING,
        ),
        Touch(_SOURCE, ("DeleteFileSystem",), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("UpdateFileSystem",), _NAMED, tuple(f"Observed.{name}" for name in _OBSERVED)),
        Touch(_SOURCE, ("AssociateFileSystemAliases", "DisassociateFileSystemAliases"), _NAMED),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceARN",), ("Tags",)),
    ),
    inventory=Inventory(calls=_DESCRIBED, pages=_listed),
)

READERS: tuple[Reader, ...] = (FILE_SYSTEM,)
