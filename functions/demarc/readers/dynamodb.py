"""Tables: copies, encryption, and who of others may read them. What is in them is never looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, configured, document, every, pages, present, same, tags

_SOURCE = "dynamodb.amazonaws.com"
_GONE = ("ResourceNotFoundException", "ValidationException")


def _client(clients: Clients, resource: Resource) -> Any:
    return clients("dynamodb", resource.region)


def _table(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    table = asked(_client(clients, resource), "describe_table", _GONE, TableName=resource.identifier)["Table"]
    if table.get("TableStatus") == "DELETING":
        raise ResourceGone
    sealed = table.get("SSEDescription", {})
    return {
        **same(table, "TableName", "DeletionProtectionEnabled"),
        "BillingMode": table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
        "SSESpecification": present(
            SSEEnabled=sealed.get("Status") in ("ENABLED", "UPDATING"), KMSMasterKeyId=sealed.get("KMSMasterKeyArn")
        ),
    }


def _recovery(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    gone = (*_GONE, "TableNotFoundException")
    found = asked(_client(clients, resource), "describe_continuous_backups", gone, TableName=resource.identifier)
    recovery = found["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    enabled = recovery.get("PointInTimeRecoveryStatus") == "ENABLED"
    return {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": enabled}}


def _policy(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    client = _client(clients, resource)
    found = configured(client, "get_resource_policy", ("PolicyNotFoundException",), _GONE, ResourceArn=resource.arn)
    policy = document(found.get("Policy"))
    return {"ResourcePolicy": {"PolicyDocument": policy}} if policy else {}


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = every(_client(clients, resource), "list_tags_of_resource", "Tags", _GONE, ResourceArn=resource.arn)
    return {"Tags": tags(found)}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    return pages(clients("dynamodb", region), "list_tables", "TableNames", 100)


_NAMED = ("requestParameters.tableName",)
_TAGGED = ("requestParameters.resourceArn",)
_RECOVERY = ("PointInTimeRecoverySpecification",)

TABLE = Reader(
    type="AWS::DynamoDB::Table",
    responder="data",
    arn="arn:{partition}:dynamodb:{region}:{account}:table/{identifier}",
    parts=(
        Part(
            gives=("TableName", "DeletionProtectionEnabled", "BillingMode", "SSESpecification"),
            calls={"dynamodb.DescribeTable": "dynamodb:DescribeTable"},
            read=_table,
        ),
        Part(
            gives=_RECOVERY,
            calls={"dynamodb.DescribeContinuousBackups": "dynamodb:DescribeContinuousBackups"},
            read=_recovery,
        ),
        Part(
            gives=("ResourcePolicy",), calls={"dynamodb.GetResourcePolicy": "dynamodb:GetResourcePolicy"}, read=_policy
        ),
        Part(gives=("Tags",), calls={"dynamodb.ListTagsOfResource": "dynamodb:ListTagsOfResource"}, read=_tags),
    ),
    touches=(
        Touch(_SOURCE, ("CreateTable", "DeleteTable"), _NAMED, EVERYTHING),
        Touch(
            _SOURCE,
            ("RestoreTableFromBackup", "RestoreTableToPointInTime"),
            ("requestParameters.targetTableName",),
            EVERYTHING,
        ),
        Touch(_SOURCE, ("ImportTable",), ("requestParameters.tableCreationParameters.tableName",), EVERYTHING),
        Touch(_SOURCE, ("UpdateTable",), _NAMED, ("DeletionProtectionEnabled", "BillingMode", "SSESpecification")),
        # Of global tables as they were first made: their replicas have the table's name in every Region.
        Touch(_SOURCE, ("UpdateGlobalTableSettings",), ("requestParameters.globalTableName",), ("BillingMode",)),
        Touch(_SOURCE, ("UpdateContinuousBackups",), _NAMED, _RECOVERY),
        Touch(_SOURCE, ("PutResourcePolicy", "DeleteResourcePolicy"), _TAGGED, ("ResourcePolicy",)),
        Touch(_SOURCE, ("UpdateTimeToLive", "EnableKinesisStreamingDestination"), _NAMED),
        Touch(_SOURCE, ("ExportTableToPointInTime",), ("requestParameters.tableArn",)),
        Touch(_SOURCE, ("TagResource", "UntagResource"), _TAGGED, ("Tags",)),
    ),
    inventory=Inventory(calls={"dynamodb.ListTables": "dynamodb:ListTables"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (TABLE,)
