"""Snapshots of database instances: whether they are encrypted, and to whom they are given.

No type of CloudFormation's. Those that are made every day with the instance's backups cannot be given to anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, pages, present, tags, the_one
from demarc.readers.rds.asked import RDS, restorable_by

_GONE = ("DBSnapshotNotFound", "InvalidParameterValue")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    rds = clients("rds", resource.region)
    answer = asked(rds, "describe_db_snapshots", _GONE, DBSnapshotIdentifier=resource.identifier)
    found = the_one(answer.get("DBSnapshots"))
    return {
        "Tags": tags(found.get("TagList")),
        "Observed": present(
            Encrypted=found.get("Encrypted"), Engine=found.get("Engine"), SnapshotType=found.get("SnapshotType")
        ),
    }


def _shared(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    rds = clients("rds", resource.region)
    found = asked(rds, "describe_db_snapshot_attributes", _GONE, DBSnapshotIdentifier=resource.identifier)
    attributes = found["DBSnapshotAttributesResult"].get("DBSnapshotAttributes", ())
    return {"Observed": {"SharedWith": restorable_by(attributes)}}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    client = clients("rds", region)
    for page in pages(client, "describe_db_snapshots", "DBSnapshots", 100, SnapshotType="manual"):
        yield [each["DBSnapshotIdentifier"] for each in page]


_NAMED = ("responseElements.dBSnapshotIdentifier", "requestParameters.dBSnapshotIdentifier")

DB_SNAPSHOT = Reader(
    type="AWS::RDS::DBSnapshot",
    responder="data",
    arn="arn:{partition}:rds:{region}:{account}:snapshot:{identifier!s}",
    parts=(
        Part(
            gives=("Tags", "Observed.Encrypted", "Observed.Engine", "Observed.SnapshotType"),
            calls={"rds.DescribeDBSnapshots": "rds:DescribeDBSnapshots"},
            read=_read,
        ),
        Part(
            gives=("Observed.SharedWith",),
            calls={"rds.DescribeDBSnapshotAttributes": "rds:DescribeDBSnapshotAttributes"},
            read=_shared,
        ),
    ),
    touches=(
        Touch(RDS, ("CreateDBSnapshot", "DeleteDBSnapshot"), _NAMED, EVERYTHING),
        Touch(RDS, ("CopyDBSnapshot",), ("requestParameters.targetDBSnapshotIdentifier",), EVERYTHING),
        Touch(RDS, ("ModifyDBSnapshotAttribute",), _NAMED[1:], ("Observed.SharedWith",)),
        Touch(RDS, ("ModifyDBSnapshot",), _NAMED),
        Touch(RDS, ("AddTagsToResource", "RemoveTagsFromResource"), ("requestParameters.resourceName",), ("Tags",)),
    ),
    inventory=Inventory(calls={"rds.DescribeDBSnapshots": "rds:DescribeDBSnapshots"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (DB_SNAPSHOT,)
