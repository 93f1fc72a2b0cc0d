"""Clusters of Aurora, and those of RDS in several zones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import present, same, tags
from demarc.readers.rds.asked import CLUSTER_CALLS, cluster, cluster_touches, clusters

_ENGINES = ("aurora", "aurora-mysql", "aurora-postgresql", "mysql", "postgres")
_SAME = (
    *("AutoMinorVersionUpgrade", "BackupRetentionPeriod", "BacktrackWindow", "CopyTagsToSnapshot", "DatabaseName"),
    *("DBClusterIdentifier", "DeletionProtection", "Engine", "EngineMode", "EngineVersion", "KmsKeyId"),
    *("MasterUsername", "PubliclyAccessible", "StorageEncrypted"),
)


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = cluster(clients, resource, _ENGINES)
    return {
        **same(found, *_SAME),
        **present(
            EnableIAMDatabaseAuthentication=found.get("IAMDatabaseAuthenticationEnabled"),
            EnableCloudwatchLogsExports=found.get("EnabledCloudwatchLogsExports"),
            DBClusterParameterGroupName=found.get("DBClusterParameterGroup"),
        ),
        "Tags": tags(found.get("TagList")),
        "Observed": {"Zones": _zones(found), "MultiAZ": found.get("MultiAZ", False)},
    }


def _zones(found: Mapping[str, Any]) -> int:
    """In how many zones an instance of it can take over; the zones of its storage are always three."""
    return len(found.get("DBClusterMembers", ()))


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    return clusters(clients, region, _ENGINES)


_RENAMED = ("EnableIAMDatabaseAuthentication", "EnableCloudwatchLogsExports", "DBClusterParameterGroupName")
_SETTLED = (
    "DBClusterIdentifier",
    "DatabaseName",
    "Engine",
    "EngineMode",
    "KmsKeyId",
    "MasterUsername",
    "StorageEncrypted",
)
_MODIFIABLE = tuple(name for name in (*_SAME, *_RENAMED) if name not in _SETTLED)

DB_CLUSTER = Reader(
    type="AWS::RDS::DBCluster",
    responder="data",
    arn="arn:{partition}:rds:{region}:{account}:cluster:{identifier}",
    parts=(
        Part(gives=(*_SAME, *_RENAMED, "Tags", "Observed.Zones", "Observed.MultiAZ"), calls=CLUSTER_CALLS, read=_read),
    ),
    touches=cluster_touches(_MODIFIABLE),
    inventory=Inventory(calls=CLUSTER_CALLS, pages=_listed),
)

READERS: tuple[Reader, ...] = (DB_CLUSTER,)
