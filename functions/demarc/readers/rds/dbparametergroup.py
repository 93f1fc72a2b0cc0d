"""Groups of parameters of database instances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.change import EVERYTHING, Touch
from demarc.core.model import Resource
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import pages
from demarc.readers.rds.asked import RDS
from demarc.readers.rds.parameters import group, names, parameters, tagged

_NAME = "DBParameterGroupName"


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    return group(clients, resource, "describe_db_parameter_groups", "DBParameterGroups", _NAME)


def _parameters(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    return parameters(clients, resource, "describe_db_parameters", _NAME)


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("rds", region), "describe_db_parameter_groups", "DBParameterGroups", 100):
        yield names(page, _NAME)


# RDS folds names to lower case; its answer, where there is one, has the name as it is.
_NAMED = ("responseElements.dBParameterGroupName", "requestParameters.dBParameterGroupName")
_DESCRIBED = {"rds.DescribeDBParameterGroups": "rds:DescribeDBParameterGroups"}

DB_PARAMETER_GROUP = Reader(
    type="AWS::RDS::DBParameterGroup",
    responder="data",
    arn="arn:{partition}:rds:{region}:{account}:pg:{identifier}",
    parts=(
        Part(gives=(_NAME, "Family", "Observed.Engine"), calls=_DESCRIBED, read=_read),
        Part(
            gives=("Observed.Parameters",),
            calls={"rds.DescribeDBParameters": "rds:DescribeDBParameters"},
            read=_parameters,
        ),
        Part(gives=("Tags",), calls={"rds.ListTagsForResource": "rds:ListTagsForResource"}, read=tagged),
    ),
    touches=(
        Touch(RDS, ("CreateDBParameterGroup", "DeleteDBParameterGroup"), _NAMED, EVERYTHING),
        Touch(
            RDS,
            ("CopyDBParameterGroup",),
            (_NAMED[0], "requestParameters.targetDBParameterGroupIdentifier"),
            EVERYTHING,
        ),
        Touch(RDS, ("ModifyDBParameterGroup", "ResetDBParameterGroup"), _NAMED, ("Observed.Parameters",)),
        Touch(RDS, ("AddTagsToResource", "RemoveTagsFromResource"), ("requestParameters.resourceName",), ("Tags",)),
    ),
    inventory=Inventory(calls=_DESCRIBED, pages=_listed),
)

READERS: tuple[Reader, ...] = (DB_PARAMETER_GROUP,)
