"""Snapshots of clusters, of whatever engine: whether they are encrypted, and to whom they are given.

No type of CloudFormation's. Those that are made every day with the cluster's backups cannot be given to anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, pages, present, tags
from demarc.readers.rds.asked import RDS, restorable_by, snapshot


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = snapshot(clients, resource)
    return {
        "Tags": tags(found.get("TagList")),
        "Observed": present(
            Encrypted=found.get("StorageEncrypted"), Engine=found.get("Engine"), SnapshotType=found.get("SnapshotType")
        ),
    }


def _shared(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(
        clients("rds", resource.region),
        "describe_db_cluster_snapshot_attributes",
        ("DBClusterSnapshotNotFoundFault", "InvalidParameterValue"),
        DBClusterSnapshotIdentifier=resource.identifier,
    )["DBClusterSnapshotAttributesResult"]
    return {"Observed": {"SharedWith": restorable_by(found.get("DBClusterSnapshotAttributes", ()))}}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    client = clients("rds", region)
    for page in pages(client, "describe_db_cluster_snapshots", "DBClusterSnapshots", 100, SnapshotType="manual"):
        yield [each["DBClusterSnapshotIdentifier"] for each in page]


_NAMED = ("responseElements.dBClusterSnapshotIdentifier", "requestParameters.dBClusterSnapshotIdentifier")

DB_CLUSTER_SNAPSHOT = Reader(
    type="AWS::RDS::DBClusterSnapshot",
    responder="data",
    arn="arn:{partition}:rds:{region}:{account}:cluster-snapshot:{identifier!s}",
    parts=(
        Part(
            gives=("Tags", "Observed.Encrypted", "Observed.Engine", "Observed.SnapshotType"),
            calls={"rds.DescribeDBClusterSnapshots": "rds:DescribeDBClusterSnapshots"},
            read=_read,
        ),
        Part(
            gives=("Observed.SharedWith",),
            calls={"rds.DescribeDBClusterSnapshotAttributes": "rds:DescribeDBClusterSnapshotAttributes"},
            read=_shared,
        ),
    ),
    touches=(
        Touch(RDS, ("CreateDBClusterSnapshot", "DeleteDBClusterSnapshot"), _NAMED, EVERYTHING),
        Touch(RDS, ("CopyDBClusterSnapshot",), ("requestParameters.targetDBClusterSnapshotIdentifier",), EVERYTHING),
        Touch(RDS, ("ModifyDBClusterSnapshotAttribute",), _NAMED[1:], ("Observed.SharedWith",)),
        Touch(RDS, ("AddTagsToResource", "RemoveTagsFromResource"), ("requestParameters.resourceName",), ("Tags",)),
    ),
    inventory=Inventory(calls={"rds.DescribeDBClusterSnapshots": "rds:DescribeDBClusterSnapshots"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (DB_CLUSTER_SNAPSHOT,)
