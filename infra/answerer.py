"""The function that Slack's buttons reach."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.calls import ANSWER
from infra.function import FunctionBox, Ground
from infra.permissions import secrets
from infra.responder import Responder
from infra.sweeper import queues_of


class Answerer(FunctionBox):
    """Acknowledge, accept, assign, look again: what people of the matrix ask for from Slack.

    Its URL is open to the internet, since Slack signs its requests its own way and not AWS's: the function itself
    verifies the signature, and answers nothing else. How many run at once is bounded, so that strangers who call it
    cost little and take no concurrency from anybody.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  # the CDK's word
        *,
        responders: Sequence[Responder],
        slack_secret: str,
        at_once: int,
        ground: Ground,
    ) -> None:
        super().__init__(
            scope,
            id,
            name="answer",
            does="answers what people ask for from Slack",
            handler="answer",
            matrix="organization",
            ground=ground,
            calls=ANSWER,
            # Slack waits three seconds; what takes longer is done all the same.
            timeout=Duration.seconds(15),
            told={"DEMARC_SLACK_SECRET": slack_secret, "DEMARC_QUEUES": queues_of(responders)},
            reserved_concurrency=at_once or None,
        )
        self.allow_on(*(responder.changes for responder in responders))
        for statement in secrets({slack_secret}, ANSWER, self):
            self.role.add_to_policy(statement)
        self.url = self.function.add_function_url(auth_type=lambda_.FunctionUrlAuthType.NONE)
