"""Groups of parameters of clusters of databases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.change import EVERYTHING, Touch
from demarc.core.model import Resource
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import pages
from demarc.readers.rds.asked import RDS
from demarc.readers.rds.parameters import group, names, parameters, tagged

_NAME = "DBClusterParameterGroupName"


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    return group(clients, resource, "describe_db_cluster_parameter_groups", "DBClusterParameterGroups", _NAME)


def _parameters(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    return parameters(clients, resource, "describe_db_cluster_parameters", _NAME)


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("rds", region), "describe_db_cluster_parameter_groups", "DBClusterParameterGroups", 100):
        yield names(page, _NAME)


# RDS folds names to lower case; its answer, where there is one, has the name as it is.
_NAMED = ("responseElements.dBClusterParameterGroupName", "requestParameters.dBClusterParameterGroupName")
_DESCRIBED = {"rds.DescribeDBClusterParameterGroups": "rds:DescribeDBClusterParameterGroups"}

DB_CLUSTER_PARAMETER_GROUP = Reader(
    type="AWS::RDS::DBClusterParameterGroup",
    responder="data",
    arn="arn:{partition}:rds:{region}:{account}:cluster-pg:{identifier}",
    parts=(
        Part(gives=(_NAME, "Family", "Observed.Engine"), calls=_DESCRIBED, read=_read),
        Part(
            gives=("Observed.Parameters",),
            calls={"rds.DescribeDBClusterParameters": "rds:DescribeDBClusterParameters"},
            read=_parameters,
        ),
        Part(gives=("Tags",), calls={"rds.ListTagsForResource": "rds:ListTagsForResource"}, read=tagged),
    ),
    touches=(
        Touch(RDS, ("CreateDBClusterParameterGroup", "DeleteDBClusterParameterGroup"), _NAMED, EVERYTHING),
        Touch(
            RDS,
            ("CopyDBClusterParameterGroup",),
            (_NAMED[0], "requestParameters.targetDBClusterParameterGroupIdentifier"),
            EVERYTHING,
        ),
        Touch(RDS, ("ModifyDBClusterParameterGroup", "ResetDBClusterParameterGroup"), _NAMED, ("Observed.Parameters",)),
        Touch(RDS, ("AddTagsToResource", "RemoveTagsFromResource"), ("requestParameters.resourceName",), ("Tags",)),
    ),
    inventory=Inventory(calls=_DESCRIBED, pages=_listed),
)

READERS: tuple[Reader, ...] = (DB_CLUSTER_PARAMETER_GROUP,)
