"""Proxies before databases: whether they take connections that nothing encrypts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, pages, same, tags, the_one
from demarc.readers.rds.asked import ENDED, RDS

_GONE = ("DBProxyNotFoundFault", "InvalidParameterValue")
_SAME = ("DBProxyArn", "DBProxyName", "DebugLogging", "EngineFamily", "RequireTLS", "RoleArn", "VpcId")


def _proxy(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    rds = clients("rds", resource.region)
    proxy = the_one(asked(rds, "describe_db_proxies", _GONE, DBProxyName=resource.identifier).get("DBProxies"))
    if proxy.get("Status") == ENDED:
        raise ResourceGone
    return proxy


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    return same(_proxy(clients, resource), *_SAME)


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    arn = _proxy(clients, resource)["DBProxyArn"]
    found = asked(clients("rds", resource.region), "list_tags_for_resource", _GONE, ResourceName=arn)
    return {"Tags": tags(found.get("TagList"))}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("rds", region), "describe_db_proxies", "DBProxies", 100):
        yield [each["DBProxyName"] for each in page]


_NAMED = ("requestParameters.dBProxyName",)
_DESCRIBED = {"rds.DescribeDBProxies": "rds:DescribeDBProxies"}

DB_PROXY = Reader(
    type="AWS::RDS::DBProxy",
    responder="data",
    # Its ARN ends with an id of its own, which no call takes: here it is known by its name, which is as unique.
    arn="arn:{partition}:rds:{region}:{account}:db-proxy:{identifier}",
    parts=(
        Part(gives=_SAME, calls=_DESCRIBED, read=_read),
        Part(gives=("Tags",), calls={**_DESCRIBED, "rds.ListTagsForResource": "rds:ListTagsForResource"}, read=_tags),
    ),
    touches=(
        Touch(RDS, ("CreateDBProxy", "DeleteDBProxy"), _NAMED, EVERYTHING),
        Touch(RDS, ("ModifyDBProxy",), _NAMED, ("DebugLogging", "RequireTLS", "RoleArn")),
        Touch(RDS, ("RegisterDBProxyTargets", "DeregisterDBProxyTargets", "ModifyDBProxyTargetGroup"), _NAMED),
    ),
    inventory=Inventory(calls=_DESCRIBED, pages=_listed),
)

READERS: tuple[Reader, ...] = (DB_PROXY,)
