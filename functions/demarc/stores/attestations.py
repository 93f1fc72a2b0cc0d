"""Attestations at rest, in the table of the findings; `core.attestation` says how they lie there.

Only people call this, from the command line with credentials of their own: no function may write an attestation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from demarc.core.attestation import GIVEN, Recorded, items_of, key_of, partition_of, recorded_of

# As many items as DynamoDB gives at once (API Reference, "BatchGetItem").
_BATCH = 100


class LaterGiven(Exception):
    """Somebody recorded another attestation at the same moment or later; `recorded` is that one."""

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(f"{recorded.recorder} recorded another at {recorded.at.isoformat()}")
        self.recorded = recorded


class AttestationStore:
    """What people attested, the last word and every one before."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def record(self, framework: str, requirement: str, recorded: Recorded) -> None:
        """Keep a word as the one that counts, and in the history; both or neither.

        Raises:
            LaterGiven: if it would take the place of one that was recorded later.
        """
        current, history = items_of(framework, requirement, recorded)
        try:
            self._client.transact_write_items(
                TransactItems=[
                    {
                        "Put": {
                            "TableName": self._table,
                            "Item": current,
                            "ConditionExpression": "attribute_not_exists(pk) OR recorded_at < :at",
                            "ExpressionAttributeValues": {":at": current["recorded_at"]},
                            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                        }
                    },
                    {"Put": {"TableName": self._table, "Item": history}},
                ]
            )
        except ClientError as error:
            reasons = error.response.get("CancellationReasons", [])
            if reasons and reasons[0].get("Code") == "ConditionalCheckFailed":
                raise LaterGiven(recorded_of(reasons[0]["Item"])) from error
            raise

    def last(self, framework: str, requirement: str) -> Recorded | None:
        """The word that counts; None if nobody has given one."""
        found = self._client.get_item(TableName=self._table, Key=key_of(framework, requirement), ConsistentRead=True)
        return recorded_of(found["Item"]) if "Item" in found else None

    def last_of(self, framework: str, requirements: Sequence[str]) -> dict[str, Recorded]:
        """The words that count for some requirements, by requirement; nothing of those for which nobody gave one."""
        found: dict[str, Recorded] = {}
        by_partition = {partition_of(framework, each)["S"]: each for each in requirements}
        keys = [key_of(framework, each) for each in by_partition.values()]
        while keys:
            asked, keys = keys[:_BATCH], keys[_BATCH:]
            answer = self._client.batch_get_item(RequestItems={self._table: {"Keys": asked, "ConsistentRead": True}})
            for item in answer["Responses"].get(self._table, ()):
                found[by_partition[item["pk"]["S"]]] = recorded_of(item)
            # What was too much for one answer is asked for again.
            keys += answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
        return found

    def history(self, framework: str, requirement: str) -> tuple[Recorded, ...]:
        """Every word that was given, the oldest first."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :given)",
            ExpressionAttributeValues={":pk": partition_of(framework, requirement), ":given": {"S": GIVEN}},
        )
        return tuple(recorded_of(item) for page in pages for item in page["Items"])
