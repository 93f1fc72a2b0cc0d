"""Where findings were told: so that a later revision changes the message and answers in its thread, and none is double.

    pk               sk                      what
    message#<id>     <kind>:<channel>        revision told there, the message, its thread, what else is in it

Telling is claimed first and noted after, so that two workers do not both tell. Whoever dies in between leaves a claim
that runs out: then it is told again. So a message may come twice after a crash, and is never lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from demarc.core.chat.posted import Posted, Told

# What keeping messages calls, and the IAM action each call needs.
CALLS: Mapping[str, str] = {"dynamodb.UpdateItem": "dynamodb:UpdateItem"}

# Longer than the function may run.
CLAIM_HOLDS = timedelta(minutes=3)
# A finding that comes back after longer than this starts a new thread.
KEPT = timedelta(days=400)


class AlreadyTold(Exception):
    """This revision, or a later one, was told there; `told` is what is known."""

    def __init__(self, told: Told) -> None:
        super().__init__(f"revision {told.revision} was told")
        self.told = told


class Busy(Exception):
    """Somebody is telling this finding there at this moment."""


class MessageStore:
    """Keeps what was told where in the table of the findings. A destination is named by `core.chat.posted.key_of`."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def claim(self, finding: str, destination: str, revision: int, *, now: datetime) -> Told:
        """Take it on to tell a revision, until it is recorded or released; what was told there before.

        Raises:
            AlreadyTold, Busy: if it is not to be told by the caller now.
        """
        try:
            answer = self._client.update_item(
                **self._key(finding, destination),
                UpdateExpression="SET claimed_until = :until, expires = if_not_exists(expires, :expires)",
                ConditionExpression=(
                    "(attribute_not_exists(revision) OR revision < :revision)"
                    " AND (attribute_not_exists(claimed_until) OR claimed_until < :now)"
                ),
                ExpressionAttributeValues={
                    ":until": _number((now + CLAIM_HOLDS).timestamp()),
                    ":now": _number(now.timestamp()),
                    ":revision": _number(revision),
                    ":expires": _number((now + KEPT).timestamp()),
                },
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            response: Mapping[str, Any] = error.response
            told = _told(response.get("Item", {}))
            if told.revision >= revision:
                raise AlreadyTold(told) from error
            raise Busy(finding) from error
        return _told(answer["Attributes"])

    def release(self, finding: str, destination: str) -> None:
        """Give a claim back: it was not told."""
        self._client.update_item(**self._key(finding, destination), UpdateExpression="REMOVE claimed_until")

    def record(
        self,
        finding: str,
        destination: str,
        revision: int,
        *,
        posted: Posted,
        together: tuple[str, ...],
        others: int,
        now: datetime,
    ) -> None:
        """Note that a revision was told, and where; never takes back that a later one was."""
        try:
            self._client.update_item(
                **self._key(finding, destination),
                UpdateExpression=(
                    "SET revision = :revision, #channel = :channel, #message = :message, #thread = :thread,"
                    " #together = :together, #others = :others, expires = :expires REMOVE claimed_until"
                ),
                ConditionExpression="attribute_not_exists(revision) OR revision < :revision",
                ExpressionAttributeNames={f"#{name}": name for name in _NAMES},
                ExpressionAttributeValues={
                    ":revision": _number(revision),
                    ":channel": {"S": posted.channel},
                    ":message": {"S": posted.message},
                    ":thread": {"S": posted.thread},
                    ":together": {"L": [{"S": each} for each in together]},
                    ":others": _number(others),
                    ":expires": _number((now + KEPT).timestamp()),
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise

    def hold(self, finding: str, destination: str, revision: int, *, now: datetime) -> None:
        """Note that a revision waits: of several that do, only the latest need be told."""
        try:
            self._client.update_item(
                **self._key(finding, destination),
                UpdateExpression="SET held = :revision, expires = if_not_exists(expires, :expires)",
                ConditionExpression="attribute_not_exists(held) OR held < :revision",
                ExpressionAttributeValues={
                    ":revision": _number(revision),
                    ":expires": _number((now + KEPT).timestamp()),
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise

    def _key(self, finding: str, destination: str) -> dict[str, Any]:
        return {"TableName": self._table, "Key": {"pk": {"S": f"message#{finding}"}, "sk": {"S": destination}}}


_NAMES = ("channel", "message", "thread", "together", "others")


def _number(value: float) -> dict[str, str]:
    return {"N": str(int(value))}


def _told(item: Mapping[str, Any]) -> Told:
    posted = None
    if "thread" in item:
        posted = Posted(item["channel"]["S"], item["message"]["S"], item["thread"]["S"])
    return Told(
        revision=int(item.get("revision", {"N": "0"})["N"]),
        posted=posted,
        together=tuple(each["S"] for each in item.get("together", {"L": []})["L"]),
        others=int(item.get("others", {"N": "0"})["N"]),
        held=int(item.get("held", {"N": "0"})["N"]),
    )
