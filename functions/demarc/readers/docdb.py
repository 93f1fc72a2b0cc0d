"""Clusters of DocumentDB, whose calls are RDS's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import pages, present, same, tags
from demarc.readers.rds.asked import CLUSTER_CALLS, RDS, cluster, cluster_touches, clusters

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


def _tls(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """What the cluster's group of parameters says of TLS, and how many instances still do what it said before."""
    found = cluster(clients, resource, _ENGINES)
    group, rds = found.get("DBClusterParameterGroup", ""), clients("rds", resource.region)
    listed = pages(rds, "describe_db_cluster_parameters", "Parameters", 100, DBClusterParameterGroupName=group)
    said = {each.get("ParameterName"): each.get("ParameterValue") for page in listed for each in page}
    pending = [each.get("DBClusterParameterGroupStatus") != "in-sync" for each in found.get("DBClusterMembers", ())]
    return {"Observed": {**present(Tls=said.get("tls")), "OutOfSync": sum(pending)}}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    return clusters(clients, region, _ENGINES)


_RENAMED = ("EnableCloudwatchLogsExports", "DBClusterParameterGroupName")
_SETTLED = ("DBClusterIdentifier", "KmsKeyId", "StorageEncrypted")
_TLS = ("Observed.Tls", "Observed.OutOfSync")

DB_CLUSTER = Reader(
    type="AWS::DocDB::DBCluster",
    responder="data",
    arn="arn:{partition}:rds:{region}:{account}:cluster:{identifier}",
    parts=(
        Part(gives=(*_SAME, *_RENAMED, "Tags", "Observed.Zones"), calls=CLUSTER_CALLS, read=_read),
        Part(
            gives=_TLS,
            calls={**CLUSTER_CALLS, "rds.DescribeDBClusterParameters": "rds:DescribeDBClusterParameters"},
            read=_tls,
        ),
    ),
    # A change in the group, whose calls name no cluster, is in force once an instance was started again.
    touches=(
        *cluster_touches([name for name in (*_SAME, *_RENAMED, *_TLS) if name not in _SETTLED]),
        Touch(RDS, ("RebootDBInstance",), ("responseElements.dBClusterIdentifier",), _TLS),
    ),
    inventory=Inventory(calls=CLUSTER_CALLS, pages=_listed),
)

READERS: tuple[Reader, ...] = (DB_CLUSTER,)
