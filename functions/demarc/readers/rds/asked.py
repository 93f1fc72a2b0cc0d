"""What the readers of RDS, and of the databases that share its API, have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, ResourceGone
from demarc.readers.answers import asked, pages, the_one

# The eventSource of all of RDS's calls, and of DocumentDB's and Neptune's, which are calls of RDS.
RDS = "rds.amazonaws.com"

# What is being deleted cannot be kept any more, and nothing of it can be changed.
ENDED = "deleting"

_NO_CLUSTER = ("DBClusterNotFoundFault", "InvalidParameterValue")
_NO_SNAPSHOT = ("DBClusterSnapshotNotFoundFault", "InvalidParameterValue")


def cluster(clients: Clients, resource: Resource, engines: Sequence[str]) -> Mapping[str, Any]:
    """A cluster, if its engine is one of these: RDS, DocumentDB and Neptune keep theirs under the same names.

    Raises:
        ResourceGone: if there is none, or it is another database's, which is read as such.
    """
    found = asked(
        clients("rds", resource.region), "describe_db_clusters", _NO_CLUSTER, DBClusterIdentifier=resource.identifier
    )
    one = the_one(found.get("DBClusters"))
    if one.get("Status") == ENDED or not is_of(one, engines):
        raise ResourceGone
    return one


def clusters(clients: Clients, region: str, engines: Sequence[str]) -> Iterator[Sequence[str]]:
    """The clusters with one of these engines."""
    for page in pages(clients("rds", region), "describe_db_clusters", "DBClusters", 100):
        yield [each["DBClusterIdentifier"] for each in page if each.get("Status") != ENDED and is_of(each, engines)]


def is_of(found: Mapping[str, Any], engines: Sequence[str]) -> bool:
    """Whether a cluster or snapshot has one of these engines."""
    return found.get("Engine") in engines


def snapshot(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """A snapshot of a cluster.

    Raises:
        ResourceGone: if there is none.
    """
    found = asked(
        clients("rds", resource.region),
        "describe_db_cluster_snapshots",
        _NO_SNAPSHOT,
        DBClusterSnapshotIdentifier=resource.identifier,
    )
    return the_one(found.get("DBClusterSnapshots"))


def restorable_by(attributes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Whom a snapshot is given to: accounts by their ids, and `all` for everybody."""
    return sorted(
        value for each in attributes if each["AttributeName"] == "restore" for value in each.get("AttributeValues", ())
    )


CLUSTER_CALLS: Mapping[str, str] = {"rds.DescribeDBClusters": "rds:DescribeDBClusters"}

# RDS folds names to lower case; its answer, where there is one, has the name as it is.
_NAMED = ("responseElements.dBClusterIdentifier", "requestParameters.dBClusterIdentifier")

# A blue/green deployment names its databases by ARN: each type finds its own.
BLUE = ("responseElements.blueGreenDeployment.source", "responseElements.source")
GREEN = ("responseElements.blueGreenDeployment.target", "responseElements.target")


def cluster_touches(modifiable: Sequence[str]) -> tuple[Touch, ...]:
    """The calls that change a cluster, whatever its engine; `modifiable` is what ModifyDBCluster writes."""
    return (
        Touch(
            RDS,
            (
                *("CreateDBCluster", "DeleteDBCluster", "PromoteReadReplicaDBCluster", "RestoreDBClusterFromS3"),
                *("RestoreDBClusterFromSnapshot", "RestoreDBClusterToPointInTime", "FailoverDBCluster"),
            ),
            _NAMED,
            EVERYTHING,
        ),
        Touch(RDS, ("ModifyDBCluster",), _NAMED, tuple(modifiable)),
        Touch(RDS, ("ModifyDBCluster",), ("requestParameters.newDBClusterIdentifier",), EVERYTHING),
        Touch(RDS, ("StartDBCluster", "StopDBCluster", "RebootDBCluster", "BacktrackDBCluster"), _NAMED),
        Touch(RDS, ("EnableHttpEndpoint", "DisableHttpEndpoint"), ("requestParameters.resourceArn",)),
        Touch(RDS, ("AddRoleToDBCluster", "RemoveRoleFromDBCluster"), _NAMED[1:]),
        Touch(RDS, ("SwitchoverBlueGreenDeployment",), BLUE, EVERYTHING),
        Touch(RDS, ("SwitchoverBlueGreenDeployment", "DeleteBlueGreenDeployment"), GREEN, EVERYTHING),
        # A member that is made or deleted makes a cluster span more zones or fewer.
        Touch(RDS, ("CreateDBInstance", "DeleteDBInstance"), _NAMED, ("Observed.Zones",)),
        Touch(RDS, ("AddTagsToResource", "RemoveTagsFromResource"), ("requestParameters.resourceName",), ("Tags",)),
    )
