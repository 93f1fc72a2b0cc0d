"""A queue that a function works off, and one for what cannot be settled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

# A message that failed this often is poison, or its cause is nothing that waiting mends; AWS advises at least five.
_DELIVERIES = 5
_KEPT = Duration.days(4)


class Feed(Construct):
    """Messages on their way to a function; poison ends in the dead-letter queue."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  # the CDK's word
        *,
        settled_within: Duration,
        key: kms.IKey | None,
        deliveries: int = _DELIVERIES,
        kept: Duration = _KEPT,
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
            retention_period=kept,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=deliveries),
            enforce_ssl=True,
            **_sealed(key),
        )

    def _rule(
        self,
        id: str,  # noqa: A002  # the CDK's word
        *,
        description: str,
        pattern: Mapping[str, Any] | None = None,
        schedule: str | None = None,
        message: str | None = None,
    ) -> events.CfnRule:
        """A rule into this queue, by a pattern of events or by the clock; `message` is sent in place of the event.

        The L1 rule: the L2 cannot say `readOnly` is false or missing in one list.
        """
        return events.CfnRule(
            self,
            id,
            description=description,
            event_pattern=pattern,
            schedule_expression=schedule,
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="queue",
                    arn=self.queue.queue_arn,
                    input=message,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=self.dead_letters.queue_arn),
                )
            ],
        )

    def _admit(self, rules: Sequence[events.CfnRule]) -> None:
        """Let EventBridge send, for these rules of this account only."""
        for queue in (self.queue, self.dead_letters):
            queue.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal("events.amazonaws.com")],
                    actions=["sqs:SendMessage"],
                    resources=[queue.queue_arn],
                    conditions={
                        "ArnEquals": {"aws:SourceArn": [rule.attr_arn for rule in rules]},
                        "StringEquals": {"aws:SourceAccount": Stack.of(self).account},
                    },
                )
            )


def _sealed(key: kms.IKey | None) -> dict[str, Any]:
    """SQS's own encryption, or the customer's key; the AWS-managed KMS key would keep EventBridge out."""
    if key is None:
        return {"encryption": sqs.QueueEncryption.SQS_MANAGED}
    return {"encryption": sqs.QueueEncryption.KMS, "encryption_master_key": key}
