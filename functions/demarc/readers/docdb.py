"""Clusters of DocumentDB, whose calls are RDS's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import present, same, tags
from demarc.readers.rds.asked import CLUSTER_CALLS, cluster, cluster_touches, clusters

_ENGINES = ("docdb",)
_SAME = (
    *("BackupRetentionPeriod", "DBClusterIdentifier", "DeletionProtection", "EngineVersion", "KmsKeyId"),
    *("StorageEncrypted",),
)


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = cluster(clients, resource, _ENGINES)
    return {
        **same(found, *_SAME),
        **present(
            EnableCloudwatchLogsExports=found.get("EnabledCloudwatchLogsExports"),
            DBClusterParameterGroupName=found.get("DBClusterParameterGroup"),
        ),
        "Tags": tags(found.get("TagList")),
        "Observed": {"Zones": len(found.get("DBClusterMembers", ()))},
    }


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    return clusters(clients, region, _ENGINES)


_RENAMED = ("EnableCloudwatchLogsExports", "DBClusterParameterGroupName")
_SETTLED = ("DBClusterIdentifier", "KmsKeyId", "StorageEncrypted")

DB_CLUSTER = Reader(
    type="AWS::DocDB::DBCluster",
    responder="data",
    arn="arn:{partition}:rds:{region}:{account}:cluster:{identifier}",
    parts=(Part(gives=(*_SAME, *_RENAMED, "Tags", "Observed.Zones"), calls=CLUSTER_CALLS, read=_read),),
    touches=cluster_touches([name for name in (*_SAME, *_RENAMED) if name not in _SETTLED]),
    inventory=Inventory(calls=CLUSTER_CALLS, pages=_listed),
)

READERS: tuple[Reader, ...] = (DB_CLUSTER,)
