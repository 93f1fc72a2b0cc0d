"""Requests that were answered, by their signature, so that none is answered twice.

    pk                   sk        what
    nonce#<signature>    nonce     `expires`: when nobody need remember it any more (epoch seconds, the table's TTL)

DynamoDB deletes what has expired within days, not at once; remembering longer harms nobody, so no reader asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

# What remembering a request calls, and the IAM action the call needs.
CALLS: Mapping[str, str] = {"dynamodb.PutItem": "dynamodb:PutItem"}

# A request is good from five minutes before its timestamp to five minutes after (core.slack_request.TOLERANCE).
KEPT = timedelta(minutes=10)


class Replayed(Exception):
    """The same request came before."""


class NonceStore:
    """Remembers requests in the table of the findings."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def use(self, nonce: str, *, now: datetime) -> None:
        """Remember a request, once.

        Raises:
            Replayed: if it is remembered already.
        """
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": f"nonce#{nonce}"},
                    "sk": {"S": "nonce"},
                    "expires": {"N": str(int((now + KEPT).timestamp()))},
                },
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise Replayed("the request came before") from error
