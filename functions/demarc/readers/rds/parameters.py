"""What groups of parameters have in common, whether they are for instances or for clusters.

Read are the parameters that some control asks about, with the value that holds, whoever set it: where nobody did, what
comes with the family may be right in one version and wrong in another (Amazon RDS User Guide, "Working with parameter
groups"). No other value is read; some hold whatever people put there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore import xform_name

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, every, pages, tags, the_one
from demarc.readers.rds.asked import RDS

GONE = ("DBParameterGroupNotFound", "DBClusterParameterGroupNotFound", "InvalidParameterValue")

_ASKED_ABOUT = (
    *("log_connections", "log_disconnections", "log_statement", "pgaudit.log", "rds.force_ssl", "rds.tls10"),
    *("rds.tls11", "require_secure_transport", "server_audit_logging", "shared_preload_libraries"),
    *("ssl_min_protocol_version", "tls_version"),
)
# The groups of DocumentDB and Neptune answer to the same calls, and are theirs.
_OF_OTHERS = ("docdb", "neptune")
_VERSION = re.compile(r"-?\d[\d.]*$")


def reader(kind: str, *, arn: str) -> Reader:
    """The reader of the groups for one kind of database.

    Args:
        kind: `DB` for instances, `DBCluster` for clusters, as the API's calls begin.
        arn: what its ARNs have before the name.
    """
    name, groups = f"{kind}ParameterGroupName", f"{kind}ParameterGroups"
    describe_groups, describe = f"Describe{groups}", f"Describe{kind}Parameters"

    def read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
        return _group(clients, resource, xform_name(describe_groups), groups, name)

    def values(clients: Clients, resource: Resource) -> Mapping[str, Any]:
        return _parameters(clients, resource, xform_name(describe), name)

    def listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
        for page in pages(clients("rds", region), xform_name(describe_groups), groups, 100):
            yield [each[name] for each in page if _is_of_rds(each)]

    # RDS folds names to lower case; its answer, where there is one, has the name as it is.
    recorded = f"d{name[1:]}"
    named = (f"responseElements.{recorded}", f"requestParameters.{recorded}")
    copied = (named[0], f"requestParameters.target{kind}ParameterGroupIdentifier")
    described = {f"rds.{describe_groups}": f"rds:{describe_groups}"}
    one = f"{kind}ParameterGroup"
    return Reader(
        type=f"AWS::RDS::{one}",
        responder="data",
        arn=f"arn:{{partition}}:rds:{{region}}:{{account}}:{arn}:{{identifier}}",
        parts=(
            Part(gives=(name, "Family", "Observed.Engine"), calls=described, read=read),
            Part(gives=("Observed.Parameters",), calls={f"rds.{describe}": f"rds:{describe}"}, read=values),
            Part(gives=("Tags",), calls={"rds.ListTagsForResource": "rds:ListTagsForResource"}, read=_tagged),
        ),
        touches=(
            Touch(RDS, (f"Create{one}", f"Delete{one}"), named, EVERYTHING),
            Touch(RDS, (f"Copy{one}",), copied, EVERYTHING),
            Touch(RDS, (f"Modify{one}", f"Reset{one}"), named, ("Observed.Parameters",)),
            Touch(RDS, ("AddTagsToResource", "RemoveTagsFromResource"), ("requestParameters.resourceName",), ("Tags",)),
        ),
        inventory=Inventory(calls=described, pages=listed),
    )


def _group(clients: Clients, resource: Resource, method: str, key: str, name: str) -> dict[str, Any]:
    """What a group is for.

    Raises:
        ResourceGone: if there is none, or it is another database's.
    """
    found = asked(clients("rds", resource.region), method, GONE, **{name: resource.identifier})
    one = the_one(found.get(key))
    if not _is_of_rds(one):
        raise ResourceGone
    family = str(one.get("DBParameterGroupFamily", ""))
    return {name: resource.identifier, "Family": family, "Observed": {"Engine": _VERSION.sub("", family)}}


def _parameters(clients: Clients, resource: Resource, method: str, name: str) -> dict[str, Any]:
    """The values that controls ask about, by their names with `_` for each dot, which a path has between its steps."""
    wanted = [{"Name": "parameter-name", "Values": list(_ASKED_ABOUT)}]
    asked_for = {name: resource.identifier, "Filters": wanted}
    found = every(clients("rds", resource.region), method, "Parameters", GONE, 100, **asked_for)
    return {
        "Observed": {
            "Parameters": {
                each["ParameterName"].replace(".", "_"): each["ParameterValue"]
                for each in found
                if each.get("ParameterName") in _ASKED_ABOUT and each.get("ParameterValue") is not None
            }
        }
    }


def _tagged(clients: Clients, resource: Resource) -> dict[str, Any]:
    """The tags of a group."""
    found = asked(clients("rds", resource.region), "list_tags_for_resource", GONE, ResourceName=resource.arn)
    return {"Tags": tags(found.get("TagList"))}


def _is_of_rds(found: Mapping[str, Any]) -> bool:
    """Whether a group is for a database of RDS."""
    return not str(found.get("DBParameterGroupFamily")).startswith(_OF_OTHERS)
