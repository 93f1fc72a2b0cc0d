"""Groups of options: what an engine does beyond the database, such as native encryption of Oracle's connections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, pages, present, same, tags, the_one
from demarc.readers.rds.asked import RDS

_GONE = ("OptionGroupNotFoundFault", "InvalidParameterValue")
_SAME = ("EngineName", "MajorEngineVersion", "OptionGroupDescription", "OptionGroupName")

# The settings that controls ask about. Others may hold passwords (OEM_AGENT), and none of them is read.
_ASKED_ABOUT = (
    *("SQLNET.ALLOW_WEAK_CRYPTO", "SQLNET.ALLOW_WEAK_CRYPTO_CLIENTS", "SQLNET.CRYPTO_CHECKSUM_TYPES_SERVER"),
    *("SQLNET.ENCRYPTION_SERVER", "SQLNET.ENCRYPTION_TYPES_SERVER", "SQLNET.SSL_VERSION"),
)


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    rds = clients("rds", resource.region)
    found = asked(rds, "describe_option_groups", _GONE, OptionGroupName=resource.identifier)
    one = the_one(found.get("OptionGroupsList"))
    return {**same(one, *_SAME), "OptionConfigurations": [_option(each) for each in one.get("Options", ())]}


def _option(option: Mapping[str, Any]) -> dict[str, Any]:
    """What nobody set holds the default that AWS tells with it."""
    settings = [
        present(Name=each["Name"], Value=each.get("Value") or each.get("DefaultValue"))
        for each in option.get("OptionSettings", ())
        if each.get("Name") in _ASKED_ABOUT
    ]
    return {**same(option, "OptionName", "OptionVersion", "Port"), "OptionSettings": settings}


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    rds = clients("rds", resource.region)
    return {"Tags": tags(asked(rds, "list_tags_for_resource", _GONE, ResourceName=resource.arn).get("TagList"))}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("rds", region), "describe_option_groups", "OptionGroupsList", 100):
        yield [each["OptionGroupName"] for each in page]


_NAMED = ("responseElements.optionGroupName", "requestParameters.optionGroupName")
_DESCRIBED = {"rds.DescribeOptionGroups": "rds:DescribeOptionGroups"}

OPTION_GROUP = Reader(
    type="AWS::RDS::OptionGroup",
    responder="data",
    # AWS's own have a colon in their names: default:mysql-8-0.
    arn="arn:{partition}:rds:{region}:{account}:og:{identifier!s}",
    parts=(
        Part(gives=(*_SAME, "OptionConfigurations"), calls=_DESCRIBED, read=_read),
        Part(gives=("Tags",), calls={"rds.ListTagsForResource": "rds:ListTagsForResource"}, read=_tags),
    ),
    touches=(
        Touch(RDS, ("CreateOptionGroup", "DeleteOptionGroup"), _NAMED, EVERYTHING),
        Touch(RDS, ("CopyOptionGroup",), (_NAMED[0], "requestParameters.targetOptionGroupIdentifier"), EVERYTHING),
        Touch(RDS, ("ModifyOptionGroup",), _NAMED, ("OptionConfigurations",)),
        Touch(RDS, ("AddTagsToResource", "RemoveTagsFromResource"), ("requestParameters.resourceName",), ("Tags",)),
    ),
    inventory=Inventory(calls=_DESCRIBED, pages=_listed),
)

READERS: tuple[Reader, ...] = (OPTION_GROUP,)
