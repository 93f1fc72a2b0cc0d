"""Connectors of MSK Connect. Known by the ends of their ARNs: a name and an id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.plaintext import secrets_in
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, pages, present, tags_of

_SOURCE = "kafkaconnect.amazonaws.com"
_GONE = ("NotFoundException", "BadRequestException")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(clients("kafkaconnect", resource.region), "describe_connector", _GONE, connectorArn=resource.arn)
    if found.get("connectorState") == "DELETING":
        raise ResourceGone
    logs = (found.get("logDelivery") or {}).get("workerLogDelivery") or {}
    callers = found.get("kafkaClusterClientAuthentication") or {}
    transit = found.get("kafkaClusterEncryptionInTransit") or {}
    return {
        **present(
            ConnectorName=found.get("connectorName"),
            KafkaConnectVersion=found.get("kafkaConnectVersion"),
            ServiceExecutionRoleArn=found.get("serviceExecutionRoleArn"),
        ),
        "KafkaClusterClientAuthentication": present(AuthenticationType=callers.get("authenticationType")),
        "KafkaClusterEncryptionInTransit": present(EncryptionType=transit.get("encryptionType")),
        "Observed": {
            "LogsSomewhere": any(each.get("enabled") for each in logs.values()),
            # Its configuration has how it signs in at the other end; of that only this is kept.
            "PlaintextSecrets": secrets_in(found.get("connectorConfiguration") or {}),
        },
    }


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    kafka = clients("kafkaconnect", resource.region)
    return {"Tags": tags_of(asked(kafka, "list_tags_for_resource", _GONE, resourceArn=resource.arn).get("tags"))}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("kafkaconnect", region), "list_connectors", "connectors", 100):
        arns = [each.get("connectorArn", "") for each in page]
        yield [end for arn in arns if (end := arn.partition(":connector/")[2])]


_NAMED = ("requestParameters.connectorArn", "responseElements.connectorArn")
_TAGGED = ("requestParameters.resourceArn",)

CONNECTOR = Reader(
    type="AWS::KafkaConnect::Connector",
    responder="data",
    arn="arn:{partition}:kafkaconnect:{region}:{account}:connector/{identifier!s}",
    parts=(
        Part(
            gives=(
                *("ConnectorName", "KafkaConnectVersion", "ServiceExecutionRoleArn"),
                *("KafkaClusterClientAuthentication", "KafkaClusterEncryptionInTransit"),
                *("Observed.LogsSomewhere", "Observed.PlaintextSecrets"),
            ),
            calls={"kafkaconnect.DescribeConnector": "kafkaconnect:DescribeConnector"},
            read=_read,
        ),
        Part(
            gives=("Tags",),
            calls={"kafkaconnect.ListTagsForResource": "kafkaconnect:ListTagsForResource"},
            read=_tags,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateConnector",), _NAMED[1:], EVERYTHING),
        Touch(_SOURCE, ("DeleteConnector",), _NAMED, EVERYTHING),
        # Everything else is settled when it is made.
        Touch(_SOURCE, ("UpdateConnector",), _NAMED, ("Observed.PlaintextSecrets",)),
        Touch(_SOURCE, ("TagResource", "UntagResource"), _TAGGED, ("Tags",)),
    ),
    inventory=Inventory(calls={"kafkaconnect.ListConnectors": "kafkaconnect:ListConnectors"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (CONNECTOR,)
