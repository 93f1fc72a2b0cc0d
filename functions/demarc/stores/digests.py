"""Which weekly digests went out, in the table of the findings.

    pk                    sk        what
    digest#<ISO date>     <digest>  claimed_at, and sent once it was told; gone after some weeks

A digest is claimed, told, and noted as sent. Whoever claims it and dies before it was told leaves a claim that grows
old, and the next takes it over: a digest may be told twice, where the note was lost, but it is never lost itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from botocore.exceptions import ClientError

from demarc.core.wire import to_wire

CALLS: Mapping[str, str] = {"dynamodb.UpdateItem": "dynamodb:UpdateItem"}

# Longer than a function may run, so that nobody takes over from somebody who is still at it.
_CLAIM_HOLDS = timedelta(minutes=14)
_KEPT = timedelta(weeks=8)


class DigestStore(Protocol):
    """Who sends which digest of a week. `digest` names it within the week: its kind and team."""

    def claim(self, week: date, digest: str, at: datetime) -> bool:
        """Whether it is the caller's to send: nobody has sent it, and nobody is at it."""
        ...

    def sent(self, week: date, digest: str) -> None:
        """Note that it was told; nobody may claim it again."""
        ...


class DynamoDigestStore:
    """Keeps claims beside the findings."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def claim(self, week: date, digest: str, at: datetime) -> bool:
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(week, digest),
                UpdateExpression="SET claimed_at = :at, expires = :expires",
                ConditionExpression=(
                    "attribute_not_exists(claimed_at) OR (attribute_not_exists(sent) AND claimed_at <= :stale)"
                ),
                ExpressionAttributeValues={
                    ":at": {"S": to_wire(at)},
                    ":stale": {"S": to_wire(at - _CLAIM_HOLDS)},
                    ":expires": {"N": str(int((at + _KEPT).timestamp()))},
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def sent(self, week: date, digest: str) -> None:
        self._client.update_item(
            TableName=self._table,
            Key=_key(week, digest),
            UpdateExpression="SET sent = :yes",
            ExpressionAttributeValues={":yes": {"BOOL": True}},
        )


def _key(week: date, digest: str) -> dict[str, Any]:
    return {"pk": {"S": f"digest#{week.isoformat()}"}, "sk": {"S": digest}}
