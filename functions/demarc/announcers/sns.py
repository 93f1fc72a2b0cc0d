"""Findings to an SNS topic: JSON for machines, readable text for e-mail, attributes to filter by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from demarc.core.announcement import Announcement

# What announcing calls, and the IAM action the call needs.
CALLS: Mapping[str, str] = {"sns.Publish": "sns:Publish"}


class SnsAnnouncer:
    """Publishes to one topic; who gets what is decided by the filter policies of its subscriptions."""

    def __init__(self, client: Any, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def announce(self, announcement: Announcement) -> None:
        body = json.dumps(announcement.body, separators=(",", ":"), sort_keys=True)
        self._client.publish(
            TopicArn=self._topic_arn,
            Subject=announcement.subject,
            MessageStructure="json",
            Message=json.dumps({"default": body, "email": announcement.text}),
            MessageAttributes={name: _attribute(value) for name, value in announcement.attributes.items()},
        )


def _attribute(value: str | tuple[str, ...]) -> dict[str, str]:
    """A filter policy matches a list when it matches one of its members."""
    if isinstance(value, str):
        return {"DataType": "String", "StringValue": value}
    return {"DataType": "String.Array", "StringValue": json.dumps(value)}
