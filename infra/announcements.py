"""The topic that findings go out through, and who of the matrix hears what."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from demarc.announcers.sns import CALLS
from demarc.core.matrix import Team


class Announcements(Construct):
    """One topic; each team is subscribed by e-mail to what is its own, by the filter policy of its subscription."""

    def __init__(self, scope: Construct, id: str, *, teams: Iterable[Team], key: kms.IKey | None) -> None:  # noqa: A002
        super().__init__(scope, id)
        self._key = key
        self.topic = sns.Topic(
            self,
            "Topic",
            display_name="Demarc",
            enforce_ssl=True,
            master_key=key or kms.Alias.from_alias_name(self, "SnsKey", "alias/aws/sns"),
        )
        for address, owners in addressees(teams).items():
            self.topic.add_subscription(
                subscriptions.EmailSubscription(
                    address, filter_policy={"team": sns.SubscriptionFilter.string_filter(allowlist=owners)}
                )
            )

    def grant_announcing(self, role: iam.IRole) -> None:
        """Allow publishing to this topic, and nothing else of it."""
        role.add_to_principal_policy(
            iam.PolicyStatement(actions=sorted(set(CALLS.values())), resources=[self.topic.topic_arn])
        )
        if self._key:
            self._key.grant(role, "kms:Decrypt", "kms:GenerateDataKey")


def addressees(teams: Iterable[Team]) -> dict[str, list[str]]:
    """Address -> the teams that are reached there; SNS keeps one subscription, and so one filter, per address."""
    found: dict[str, list[str]] = {}
    for team in teams:
        found.setdefault(team.email, []).append(team.id)
    return found
