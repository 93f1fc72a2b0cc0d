"""Messages of our own into queues of our own: resources to look at, and what is left of a sweep."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

# What sending calls, and the IAM action the call needs.
CALLS: Mapping[str, str] = {"sqs.SendMessageBatch": "sqs:SendMessage"}

# Amazon SQS Developer Guide, "Message quotas": ten messages a batch, and fifteen minutes that one can be held back.
BATCH = 10
LONGEST_DELAY = 900


class NotSent(Exception):
    """SQS took some messages of a batch and refused others; whoever sends again may send some twice."""


@dataclass(frozen=True, slots=True)
class Message:
    """A body as JSON-able data, and the seconds that the queue holds it back."""

    body: Mapping[str, Any]
    delay: int = 0


def send(client: Any, queue: str, messages: Iterable[Message]) -> None:
    """Send messages to a queue, ten at a time.

    Args:
        client: botocore's, of SQS.
        queue: its URL.
        messages: in the order in which they are sent, which is not that in which they arrive.

    Raises:
        NotSent: if SQS refused some of them.
    """
    remaining = iter(messages)
    while batch := list(islice(remaining, BATCH)):
        entries = [
            {
                "Id": str(number),
                "MessageBody": json.dumps(message.body, separators=(",", ":")),
                "DelaySeconds": min(max(message.delay, 0), LONGEST_DELAY),
            }
            for number, message in enumerate(batch)
        ]
        answer = client.send_message_batch(QueueUrl=queue, Entries=entries)
        if failed := answer.get("Failed"):
            codes = ", ".join(sorted({each["Code"] for each in failed}))
            raise NotSent(f"{len(failed)} of {len(batch)} messages were not taken: {codes}")
