"""Workgroups of Athena: whether queries are measured, and what they leave is encrypted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, every, page_by_page, same, tags

_SOURCE = "athena.amazonaws.com"
_GONE = ("InvalidRequestException", "ResourceNotFoundException")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(clients("athena", resource.region), "get_work_group", _GONE, WorkGroup=resource.identifier)[
        "WorkGroup"
    ]
    asks = found.get("Configuration", {})
    sealed = asks.get("ResultConfiguration", {}).get("EncryptionConfiguration", {})
    return {
        "Name": found["Name"],
        **same(found, "State"),
        "WorkGroupConfiguration": {
            **same(asks, "EnforceWorkGroupConfiguration", "PublishCloudWatchMetricsEnabled"),
            "ResultConfiguration": {"EncryptionConfiguration": same(sealed, "EncryptionOption", "KmsKey")},
        },
    }


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    athena = clients("athena", resource.region)
    return {"Tags": tags(every(athena, "list_tags_for_resource", "Tags", _GONE, ResourceARN=resource.arn))}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in page_by_page(clients("athena", region), "list_work_groups", MaxResults=50):
        yield [each["Name"] for each in page.get("WorkGroups", ())]


WORK_GROUP = Reader(
    type="AWS::Athena::WorkGroup",
    responder="data",
    arn="arn:{partition}:athena:{region}:{account}:workgroup/{identifier}",
    parts=(
        Part(
            gives=("Name", "State", "WorkGroupConfiguration"),
            calls={"athena.GetWorkGroup": "athena:GetWorkGroup"},
            read=_read,
        ),
        Part(gives=("Tags",), calls={"athena.ListTagsForResource": "athena:ListTagsForResource"}, read=_tags),
    ),
    touches=(
        Touch(_SOURCE, ("CreateWorkGroup",), ("requestParameters.name",), EVERYTHING),
        Touch(_SOURCE, ("DeleteWorkGroup",), ("requestParameters.workGroup",), EVERYTHING),
        Touch(_SOURCE, ("UpdateWorkGroup",), ("requestParameters.workGroup",), ("State", "WorkGroupConfiguration")),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceARN",), ("Tags",)),
    ),
    inventory=Inventory(calls={"athena.ListWorkGroups": "athena:ListWorkGroups"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (WORK_GROUP,)
