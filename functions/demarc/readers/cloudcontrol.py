"""Types without a call of their own in Demarc: AWS reads them for us, in the words of CloudFormation.

Cloud Control runs the read handler of a type with the caller's permissions, so the role needs those that the handler
declares (`handlers.read.permissions` in the type's CloudFormation schema), and the same goes for lists.

Cloud Control API User Guide, "Reading a resource" and "Discovering resources".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.arn import ArnShape
from demarc.core.model import Resource
from demarc.core.touch import Touch
from demarc.readers import UNREAD, Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, pages, same, tags, tags_of

_GONE = ("ResourceNotFoundException",)


def reader(
    resource_type: str,
    *,
    responder: str,
    arn: str,
    gives: tuple[str, ...],
    reading: tuple[str, ...],
    listing: tuple[str, ...],
    touches: tuple[Touch, ...],
    by_arn: bool = False,
) -> Reader:
    """A reader whose one call is Cloud Control's.

    Args:
        resource_type: a type whose schema has a read and a list handler, and one property as its primary identifier.
        responder: as in `Reader`.
        arn: as in `Reader`.
        gives: properties of the type, as its schema names them; whatever else AWS answers is not kept.
        reading: the IAM actions that the read handler takes.
        listing: the IAM actions that the list handler takes.
        touches: as in `Reader`.
        by_arn: whether the primary identifier is the ARN; events and findings have the id within it all the same.
    """
    shape = ArnShape.of(arn)

    def read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
        name = resource.arn if by_arn else resource.identifier
        client = clients("cloudcontrol", resource.region)
        found = asked(client, "get_resource", _GONE, TypeName=resource_type, Identifier=name)
        properties = _object(found.get("ResourceDescription", {}).get("Properties"))
        if properties is None:
            return {UNREAD: dict.fromkeys(gives, "Cloud Control answered without the properties")}
        kept = same(properties, *gives)
        return {**kept, "Tags": _tags(kept["Tags"])} if "Tags" in kept else kept

    def listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
        client = clients("cloudcontrol", region)
        for page in pages(client, "list_resources", "ResourceDescriptions", 100, TypeName=resource_type):
            names = [each["Identifier"] for each in page if each.get("Identifier")]
            yield [named.identifier for name in names if (named := shape.named(name))]

    return Reader(
        type=resource_type,
        responder=responder,
        arn=arn,
        parts=(Part(gives, {"cloudcontrol.GetResource": "cloudformation:GetResource"}, read, on_behalf=reading),),
        touches=touches,
        inventory=Inventory({"cloudcontrol.ListResources": "cloudformation:ListResources"}, listed, on_behalf=listing),
    )


def _object(text: str | None) -> dict[str, Any] | None:
    """The properties, which come as text; None where it is no JSON object."""
    try:
        found = json.loads(text or "")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _tags(found: Any) -> list[dict[str, str]]:
    """Some types have tags as a list, some as an object."""
    return tags_of(found) if isinstance(found, Mapping) else tags(found)
