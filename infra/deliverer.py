"""The function that brings announcements to where teams talk: Slack, Microsoft Teams, webhooks, Amazon Q."""

from __future__ import annotations

import json
from collections.abc import Iterable

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from demarc.core.matrix import DestinationKind, Team
from infra.calls import DELIVER
from infra.feed import Feed
from infra.function import FunctionBox, Ground
from infra.permissions import actions_on, secrets

_TIMEOUT = Duration.minutes(2)

# Quiet hours hold a message for at most twelve hours at a time, and an outage of Slack is waited out for fourteen; each
# wait takes one delivery. What is left then is among the dead letters.
_DELIVERIES = 20
_KEPT = Duration.days(14)


class Deliverer(FunctionBox):
    """Announcements, queued, to the places of the teams that are told; what a channel has no time for waits there."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  # the CDK's word
        *,
        teams: Iterable[Team],
        slack_secret: str | None,
        pages_url: str | None,
        ground: Ground,
    ) -> None:
        told = {"DEMARC_SLACK_SECRET": slack_secret, "DEMARC_PAGES_URL": pages_url}
        places = [place for team in teams for place in team.destinations]
        super().__init__(
            scope,
            id,
            name="deliver",
            does="brings announcements to the teams' channels",
            handler="deliver",
            matrix="organization",
            ground=ground,
            calls=DELIVER,
            timeout=_TIMEOUT,
            told={name: value for name, value in told.items() if value},
            announces=False,
        )
        self.announcements = Feed(
            self, "Announcements", settled_within=_TIMEOUT, key=ground.key, deliveries=_DELIVERIES, kept=_KEPT
        )
        ground.announcements.topic.add_subscription(
            subscriptions.SqsSubscription(
                self.announcements.queue, dead_letter_queue=self.announcements.dead_letters, raw_message_delivery=False
            )
        )
        # Slack takes one message a second for a channel, so more at a time would only be told to wait.
        self.consume(self.announcements, batch=5, concurrency=2)
        # What has to wait stays in the queue, for as long as the function says.
        self.allow_on(self.announcements)
        self.function.add_environment("DEMARC_QUEUES", json.dumps({self.name: self.announcements.queue.queue_url}))
        names = {place.secret for place in places if place.secret} | ({slack_secret} if slack_secret else set())
        for statement in secrets(names, DELIVER, self):
            self.role.add_to_policy(statement)
        in_amazon_q = any(place.kind is DestinationKind.AMAZON_Q for place in places)
        self.chat = self._chat(ground.key) if in_amazon_q else None

    def _chat(self, key: kms.IKey | None) -> sns.Topic:
        """Where Amazon Q Developer listens: it takes only messages in its own form, which nobody else reads."""
        topic = sns.Topic(
            self,
            "ChatTopic",
            display_name="Demarc for Amazon Q",
            enforce_ssl=True,
            master_key=key or kms.Alias.from_alias_name(self, "SnsKey", "alias/aws/sns"),
        )
        self.role.add_to_policy(iam.PolicyStatement(actions=actions_on("sns", DELIVER), resources=[topic.topic_arn]))
        if key:
            key.grant(self.role, "kms:Decrypt", "kms:GenerateDataKey")
        self.function.add_environment("DEMARC_CHAT_TOPIC_ARN", topic.topic_arn)
        return topic


def is_wanted(teams: Iterable[Team], slack_secret: str | None) -> bool:
    """Whether anybody is told otherwise than by e-mail."""
    return bool(slack_secret) or any(team.destinations for team in teams)
