"""Servers of Transfer Family: by which protocols, from where, and whether it is written down. And its connectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
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
            (
                *("CreateUser", "DeleteUser", "UpdateUser", "ImportSshPublicKey", "DeleteSshPublicKey"),
                *("CreateAccess", "DeleteAccess", "UpdateAccess", "ImportHostKey", "DeleteHostKey"),
                *("CreateAgreement", "DeleteAgreement", "UpdateAgreement", "StartServer", "StopServer"),
            ),
            _NAMED,
        ),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.arn",), ("Tags",)),
    ),
    inventory=Inventory(calls={"transfer.ListServers": "transfer:ListServers"}, pages=_listed),
)


def _connector(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    client = clients("transfer", resource.region)
    found = asked(client, "describe_connector", _GONE, ConnectorId=resource.identifier)["Connector"]
    return {
        "ConnectorId": resource.identifier,
        **same(found, "AccessRole", "LoggingRole", "SecurityPolicyName"),
        "Tags": tags(found.get("Tags")),
    }


def _connectors(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("transfer", region), "list_connectors", "Connectors", 100):
        yield [each["ConnectorId"] for each in page if "ConnectorId" in each]


_AT_CONNECTOR = ("requestParameters.connectorId",)
_OF_CONNECTOR = ("AccessRole", "LoggingRole", "SecurityPolicyName")

CONNECTOR = Reader(
    type="AWS::Transfer::Connector",
    responder="data",
    arn="arn:{partition}:transfer:{region}:{account}:connector/{identifier}",
    parts=(
        Part(
            gives=("ConnectorId", "Tags", *_OF_CONNECTOR),
            calls={"transfer.DescribeConnector": "transfer:DescribeConnector"},
            read=_connector,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateConnector",), ("responseElements.connectorId",), EVERYTHING),
        Touch(_SOURCE, ("DeleteConnector",), _AT_CONNECTOR, EVERYTHING),
        Touch(_SOURCE, ("UpdateConnector",), _AT_CONNECTOR, _OF_CONNECTOR),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.arn",), ("Tags",)),
    ),
    inventory=Inventory(calls={"transfer.ListConnectors": "transfer:ListConnectors"}, pages=_connectors),
)

READERS: tuple[Reader, ...] = (SERVER, CONNECTOR)
