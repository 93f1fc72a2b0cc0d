"""Changes of one group of layers on their way: EventBridge rules -> queue, and a queue for what cannot be settled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from demarc.readers import Reader
from infra.patterns import rules_for

# A message that failed this often is poison, or its cause is nothing that waiting mends; AWS advises at least five.
_DELIVERIES = 5


class ChangeFeed(Construct):
    """Every successful mutating call on some readers' types, queued; poison ends in the dead-letter queue."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  # the CDK's word
        *,
        readers: Iterable[Reader],
        settled_within: Duration,
        key: kms.IKey | None,
    ) -> None:
        super().__init__(scope, id)
        self.dead_letters = sqs.Queue(
            self, "DeadLetters", retention_period=Duration.days(14), enforce_ssl=True, **_sealed(key)
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            # Lambda wants six times the function's timeout, so that a batch is not delivered twice while it is retried.
            visibility_timeout=Duration.seconds(settled_within.to_seconds() * 6),
            retention_period=Duration.days(4),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=_DELIVERIES),
            enforce_ssl=True,
            **_sealed(key),
        )
        self.rules = [self._rule(rule.name, rule.pattern) for rule in rules_for(readers)]
        self._admit(self.queue, [rule.attr_arn for rule in self.rules])
        self._admit(self.dead_letters, [rule.attr_arn for rule in self.rules])

    def _rule(self, name: str, pattern: dict[str, Any]) -> events.CfnRule:
        """The L1 rule: the L2 cannot say `readOnly` is false or missing in one list."""
        return events.CfnRule(
            self,
            f"{name.title()}Rule",
            description=f"Changes of {name} for {self.node.scope.node.id if self.node.scope else name}",
            event_pattern=pattern,
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="queue",
                    arn=self.queue.queue_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=self.dead_letters.queue_arn),
                )
            ],
        )

    def _admit(self, queue: sqs.Queue, rules: list[str]) -> None:
        """Let EventBridge send, for these rules of this account only."""
        queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[queue.queue_arn],
                conditions={
                    "ArnEquals": {"aws:SourceArn": rules},
                    "StringEquals": {"aws:SourceAccount": Stack.of(self).account},
                },
            )
        )


def _sealed(key: kms.IKey | None) -> dict[str, Any]:
    """SQS's own encryption, or the customer's key; the AWS-managed KMS key would keep EventBridge out."""
    if key is None:
        return {"encryption": sqs.QueueEncryption.SQS_MANAGED}
    return {"encryption": sqs.QueueEncryption.KMS, "encryption_master_key": key}
