"""Findings in one DynamoDB table.

    pk                           sk                        what
    account#type#identifier      finding#<id>              the finding as it is, with the attributes of the indexes
    account#type#identifier      revision#<id>#<number>    each revision it ever had
    account#type#identifier      observed#<Region>         the last observation of the resource: when, and what was seen

A global setting is one finding in every Region, so the Region is not in the partition key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from demarc.core.model import Finding, Resource, Severity, Status
from demarc.core.snapshot import Snapshot
from demarc.core.wire import from_wire, to_wire
from demarc.stores import Conflict, Known, Superseded
from demarc.stores.packing import packed, unpacked

# What a responder calls, and the IAM action each call needs. People who look at findings need dynamodb:Scan too.
CALLS: Mapping[str, str] = {
    "dynamodb.Query": "dynamodb:Query",
    "dynamodb.UpdateItem": "dynamodb:UpdateItem",
    "dynamodb.TransactWriteItems": "dynamodb:PutItem",
}

# A transaction takes 100 actions: the watermark, and two items per finding.
_FINDINGS_PER_TRANSACTION = 45


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index: its partition key, its sort key, and whether the whole item is in it."""

    name: str
    partition: str
    sort: str | None = None
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """The table's keys; every attribute named is a string."""

    partition: str
    sort: str
    indexes: tuple[Index, ...]


BY_TEAM = Index("by-team", partition="team", sort="status_due")
BY_ACCOUNT = Index("by-account", partition="account", sort="status_due")
BY_CONTROL = Index("by-control", partition="control", sort="status_due")
BY_FINDING = Index("by-finding", partition="finding_id", whole=False)
UNANNOUNCED = Index("unannounced", partition="unannounced", sort="observed_at")
TABLE = Table(partition="pk", sort="sk", indexes=(BY_TEAM, BY_ACCOUNT, BY_CONTROL, BY_FINDING, UNANNOUNCED))

_WAITING = "waiting"


class DynamoFindingStore:
    """Keeps findings in a table laid out as `TABLE`; the contract is `stores.FindingStore`."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def known(self, resource: Resource) -> Known:
        # `finding#` and `observed#` are neighbours: what was ever recorded of the resource, but for old revisions.
        items = self._query(
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": _partition(resource)},
                ":first": {"S": "finding#"},
                ":last": {"S": "observed#~"},
            },
            ConsistentRead=True,
        )
        findings: dict[str, Finding] = {}
        last = None
        for item in items:
            if item["sk"]["S"].startswith("finding#"):
                finding = _finding(item)
                findings[finding.id] = finding
            elif item["sk"]["S"] == _observation(resource) and "seen" in item:
                last = unpacked(item["seen"]["B"], resource)
        return Known(findings, last)

    def record(
        self, resource: Resource, observed_at: datetime, findings: Sequence[Finding], snapshot: Snapshot | None = None
    ) -> None:
        watermark = self._watermark(resource, observed_at, snapshot)
        if not findings:
            self._advance(watermark, resource)
            return
        for start in range(0, len(findings), _FINDINGS_PER_TRANSACTION):
            self._write(findings[start : start + _FINDINGS_PER_TRANSACTION], watermark)

    def amend(self, finding: Finding) -> None:
        self._write([finding])

    def _watermark(self, resource: Resource, observed_at: datetime, snapshot: Snapshot | None) -> dict[str, Any]:
        seen = {":seen": {"B": packed(snapshot)}} if snapshot else {}
        return {
            "TableName": self._table,
            "Key": {"pk": {"S": _partition(resource)}, "sk": {"S": _observation(resource)}},
            "UpdateExpression": f"SET last_observed = :at{', seen = :seen' if snapshot else ' REMOVE seen'}",
            "ConditionExpression": "attribute_not_exists(last_observed) OR last_observed <= :at",
            "ExpressionAttributeValues": {":at": {"S": to_wire(observed_at)}, **seen},
        }

    def _advance(self, watermark: Mapping[str, Any], resource: Resource) -> None:
        try:
            self._client.update_item(**watermark)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise Superseded(f"{resource.arn} was observed again meanwhile") from error

    def _write(self, findings: Sequence[Finding], watermark: Mapping[str, Any] | None = None) -> None:
        """Keep revisions of one resource's findings, with the watermark of the observation that led to them, if any."""
        arn = findings[0].resource.arn
        written = [(finding, _body(finding)) for finding in findings]
        actions: list[dict[str, Any]] = [{"Update": self._next_revision(finding, body)} for finding, body in written]
        actions += [{"Put": self._kept_revision(finding, body)} for finding, body in written]
        if watermark:
            actions.append({"Update": watermark})
        try:
            self._client.transact_write_items(TransactItems=actions)
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            reasons = error.response["CancellationReasons"]
            if watermark and _failed(reasons[-1]):
                raise Superseded(f"{arn} was observed again meanwhile") from error
            refused = [(finding, reason) for finding, reason in zip(findings, reasons, strict=False) if _failed(reason)]
            if not refused:
                raise
            if not all(_is_recorded(finding, reason) for finding, reason in refused):
                raise Conflict(f"findings of {arn} have another revision") from error

    def _next_revision(self, finding: Finding, body: str) -> dict[str, Any]:
        first = finding.revision == 1
        return {
            "TableName": self._table,
            "Key": _key(finding, f"finding#{finding.id}"),
            "UpdateExpression": (
                "SET body = :body, revision = :revision, announced = if_not_exists(announced, :none), finding_id = :id,"
                " team = :team, account = :account, control = :control, status_due = :status_due,"
                " observed_at = :observed_at, unannounced = :waiting"
            ),
            "ConditionExpression": "attribute_not_exists(pk)" if first else "revision = :previous",
            "ExpressionAttributeValues": {
                ":body": {"S": body},
                ":revision": {"N": str(finding.revision)},
                ":none": {"N": "0"},
                ":id": {"S": finding.id},
                ":team": {"S": finding.attribution.owner.team},
                ":account": {"S": finding.resource.account},
                ":control": {"S": finding.control},
                ":status_due": {"S": f"{finding.status}#{to_wire(finding.due_at)}"},
                ":observed_at": {"S": to_wire(finding.observed_at)},
                ":waiting": {"S": _WAITING},
            }
            | ({} if first else {":previous": {"N": str(finding.revision - 1)}}),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _kept_revision(self, finding: Finding, body: str) -> dict[str, Any]:
        key = _key(finding, f"revision#{finding.id}#{finding.revision:06d}")
        return {"TableName": self._table, "Item": {**key, "body": {"S": body}}}

    def mark_announced(self, finding: Finding) -> None:
        key = _key(finding, f"finding#{finding.id}")
        told = {":told": {"N": str(finding.revision)}}
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key,
                UpdateExpression="SET announced = :told REMOVE unannounced",
                ConditionExpression="revision = :told",
                ExpressionAttributeValues=told,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            # A later revision waits to be told, so the finding stays in the index; only the count may rise.
            self._raise_announced(key, told)

    def _raise_announced(self, key: Mapping[str, Any], told: Mapping[str, Any]) -> None:
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key,
                UpdateExpression="SET announced = :told",
                ConditionExpression="announced < :told",
                ExpressionAttributeValues=told,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise

    def unannounced(self) -> Iterator[Finding]:
        yield from map(
            _finding,
            self._query(
                IndexName=UNANNOUNCED.name,
                KeyConditionExpression="unannounced = :waiting",
                ExpressionAttributeValues={":waiting": {"S": _WAITING}},
            ),
        )

    def get(self, finding_id: str) -> Finding | None:
        partition = self._partition_of(finding_id)
        if partition is None:
            return None
        items = self._query(
            KeyConditionExpression="pk = :pk AND sk = :sk",
            ExpressionAttributeValues={":pk": partition, ":sk": {"S": f"finding#{finding_id}"}},
            ConsistentRead=True,
        )
        return next(map(_finding, items), None)

    def ids(self, beginning: str) -> Sequence[str]:
        # No key begins with it, so every one is looked at: 4,000 are a page, for less than 0.01 cent.
        items = self._scan(
            BY_FINDING,
            FilterExpression="begins_with(finding_id, :beginning)",
            ExpressionAttributeValues={":beginning": {"S": beginning}},
        )
        return sorted(item["finding_id"]["S"] for item in items)

    def history(self, finding_id: str) -> Sequence[Finding]:
        partition = self._partition_of(finding_id)
        if partition is None:
            return ()
        items = self._query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": partition, ":sk": {"S": f"revision#{finding_id}#"}},
        )
        return tuple(map(_finding, items))

    def _partition_of(self, finding_id: str) -> Mapping[str, Any] | None:
        items = self._query(
            IndexName=BY_FINDING.name,
            KeyConditionExpression="finding_id = :id",
            ExpressionAttributeValues={":id": {"S": finding_id}},
        )
        return next((item["pk"] for item in items), None)

    def find(
        self,
        *,
        team: str | None = None,
        status: Status | None = None,
        account: str | None = None,
        control: str | None = None,
        severity: Severity | None = None,
        since: datetime | None = None,
    ) -> Iterator[Finding]:
        given = [(BY_TEAM, team), (BY_CONTROL, control), (BY_ACCOUNT, account)]
        index, value = next(((index, value) for index, value in given if value is not None), (BY_TEAM, None))
        items = self._scan(index) if value is None else self._by(index, value, status, since)
        matching = [
            finding
            for finding in map(_finding, items)
            if team in (None, finding.attribution.owner.team)
            and status in (None, finding.status)
            and account in (None, finding.resource.account)
            and control in (None, finding.control)
            and severity in (None, finding.severity)
            and (since is None or finding.observed_at >= since)
        ]
        yield from sorted(matching, key=lambda finding: (finding.due_at, finding.id))

    def _by(
        self, index: Index, value: str, status: Status | None, since: datetime | None
    ) -> Iterator[Mapping[str, Any]]:
        condition = "#partition = :value" + (" AND begins_with(status_due, :status)" if status else "")
        values = {":value": {"S": value}} | ({":status": {"S": f"{status}#"}} if status else {})
        # What ended long ago is left where it is: it would otherwise be more to hold than all that stands.
        late = {"FilterExpression": "observed_at >= :since"} if since else {}
        return self._query(
            IndexName=index.name,
            KeyConditionExpression=condition,
            ExpressionAttributeNames={"#partition": index.partition},
            ExpressionAttributeValues=values | ({":since": {"S": to_wire(since)}} if since else {}),
            **late,
        )

    def _query(self, **request: Any) -> Iterator[Mapping[str, Any]]:
        return _pages(self._client.query, {"TableName": self._table, **request})

    def _scan(self, index: Index, **request: Any) -> Iterator[Mapping[str, Any]]:
        return _pages(self._client.scan, {"TableName": self._table, "IndexName": index.name, **request})


def _pages(call: Any, request: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
    while True:
        page = call(**request)
        yield from page["Items"]
        if not page.get("LastEvaluatedKey"):
            return
        request = {**request, "ExclusiveStartKey": page["LastEvaluatedKey"]}


def _partition(resource: Resource) -> str:
    return f"{resource.account}#{resource.type}#{resource.identifier}"


def _observation(resource: Resource) -> str:
    return f"observed#{resource.region}"


def _key(finding: Finding, sort: str) -> dict[str, Any]:
    return {"pk": {"S": _partition(finding.resource)}, "sk": {"S": sort}}


def _body(finding: Finding) -> str:
    """The finding without what changes on its own: how far it was announced is an attribute beside it."""
    return json.dumps(to_wire(replace(finding, announced=0)), separators=(",", ":"), sort_keys=True)


def _finding(item: Mapping[str, Any]) -> Finding:
    finding = from_wire(Finding, json.loads(item["body"]["S"]))
    return replace(finding, announced=int(item["announced"]["N"])) if "announced" in item else finding


def _failed(reason: Mapping[str, Any]) -> bool:
    return reason.get("Code") == "ConditionalCheckFailed"


def _is_recorded(finding: Finding, reason: Mapping[str, Any]) -> bool:
    """Whether the very same revision is in the table already: an earlier try got through and its answer was lost."""
    body = reason.get("Item", {}).get("body", {}).get("S")
    return body is not None and body == _body(finding)
