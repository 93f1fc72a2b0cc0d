"""The topic that everything that is said goes out through, and who of the matrix hears what by e-mail."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from demarc.core.matrix import Team
from infra.permissions import Calls, actions_on


class Announcements(Construct):
    """One topic; each team is subscribed by e-mail to what is told to it: its own, and what is escalated to it."""

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
        for address, told in addressees(teams).items():
            self.topic.add_subscription(
                subscriptions.EmailSubscription(
                    address, filter_policy={"audience": sns.SubscriptionFilter.string_filter(allowlist=told)}
                )
            )

    def grant(self, role: iam.IRole, calls: Iterable[Calls]) -> None:
        """Allow what is declared, on this topic."""
        actions = actions_on("sns", calls)
        if not actions:
            return
        role.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=[self.topic.topic_arn]))
        if self._key:
            self._key.grant(role, "kms:Decrypt", "kms:GenerateDataKey")


def addressees(teams: Iterable[Team]) -> dict[str, list[str]]:
    """Address -> the teams that are reached there; SNS keeps one subscription, and so one filter, per address."""
    found: dict[str, list[str]] = {}
    for team in teams:
        found.setdefault(team.email, []).append(team.id)
    return found
