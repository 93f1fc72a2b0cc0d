"""Servers of Transfer Family: by which protocols, from where, and whether it is written down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.change import EVERYTHING, Touch
from demarc.core.model import Resource
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, pages, same, tags

_SOURCE = "transfer.amazonaws.com"
_GONE = ("ResourceNotFoundException", "InvalidRequestException")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(clients("transfer", resource.region), "describe_server", _GONE, ServerId=resource.identifier)[
        "Server"
    ]
    return {
        "ServerId": found["ServerId"],
        **same(found, "EndpointType", "LoggingRole", "Protocols", "SecurityPolicyName"),
        "StructuredLogDestinations": found.get("StructuredLogDestinations", []),
        "Tags": tags(found.get("Tags")),
        "Observed": {"Logged": bool(found.get("LoggingRole") or found.get("StructuredLogDestinations"))},
    }


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("transfer", region), "list_servers", "Servers", 100):
        yield [each["ServerId"] for each in page]


_NAMED = ("requestParameters.serverId",)
_SET = (
    *("EndpointType", "LoggingRole", "Protocols", "SecurityPolicyName", "StructuredLogDestinations"),
    "Observed.Logged",
)

SERVER = Reader(
    type="AWS::Transfer::Server",
    responder="data",
    arn="arn:{partition}:transfer:{region}:{account}:server/{identifier}",
    parts=(
        Part(
            gives=("ServerId", "Tags", *_SET), calls={"transfer.DescribeServer": "transfer:DescribeServer"}, read=_read
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateServer",), ("responseElements.serverId",), EVERYTHING),
        Touch(_SOURCE, ("DeleteServer",), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("UpdateServer",), _NAMED, _SET),
        Touch(
            _SOURCE,
            ("CreateUser", "DeleteUser", "UpdateUser", "ImportSshPublicKey", "StartServer", "StopServer"),
            _NAMED,
        ),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.arn",), ("Tags",)),
    ),
    inventory=Inventory(calls={"transfer.ListServers": "transfer:ListServers"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (SERVER,)
