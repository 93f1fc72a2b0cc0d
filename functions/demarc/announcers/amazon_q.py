"""Findings to Amazon Q Developer in chat applications: a topic of its own, which its channels subscribe to.

It needs no token. It cannot change what it showed, but shows notifications with one thread id together. The attribute
`team` is there for a channel's filter policy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from demarc.core.chat.custom_notification import FINDINGS_PER_NOTIFICATION, digest_notification_of, notification_of
from demarc.core.chat.posted import Posted
from demarc.core.digest import Digest
from demarc.core.matrix import Destination, Organization
from demarc.core.model import Finding

# What publishing calls, and the IAM action the call needs.
CALLS: Mapping[str, str] = {"sns.Publish": "sns:Publish"}


class AmazonQ:
    """Publishes notifications in Amazon Q's form."""

    most = FINDINGS_PER_NOTIFICATION

    def __init__(self, client: Any, topic_arn: str, organization: Organization, *, pages: str | None = None) -> None:
        self._client = client
        self._topic_arn = topic_arn
        self._organization = organization
        self._pages = pages

    def post(
        self,
        to: Destination,  # noqa: ARG002  # the topic is the only one there is
        findings: Sequence[Finding],
        *,
        under: Posted | None = None,
        others: int = 0,  # noqa: ARG002
        note: str = "",
    ) -> Posted:
        thread = under.thread if under else findings[0].id
        self._publish(findings, thread, note)
        return Posted("", "", thread)

    def renew(self, to: Destination, posted: Posted, findings: Sequence[Finding], *, others: int = 0) -> None:
        """Nothing: what is shown cannot be changed."""

    def reply(self, to: Destination, posted: Posted, findings: Sequence[Finding]) -> None:  # noqa: ARG002
        self._publish(findings, posted.thread, "")

    def post_digest(self, to: Destination, digest: Digest) -> None:  # noqa: ARG002
        self._send(digest_notification_of(digest), [digest.team])

    def _publish(self, findings: Sequence[Finding], thread: str, note: str) -> None:
        notification = notification_of(findings, self._organization, thread=thread, pages=self._pages, note=note)
        teams = dict.fromkeys(team for each in findings for team in each.audience or (each.attribution.owner.team,))
        self._send(notification, list(teams))

    def _send(self, notification: Mapping[str, Any], teams: Sequence[str]) -> None:
        self._client.publish(
            TopicArn=self._topic_arn,
            Message=json.dumps(notification, ensure_ascii=False),
            MessageAttributes={"team": {"DataType": "String.Array", "StringValue": json.dumps(list(teams))}},
        )
