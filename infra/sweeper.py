"""The function that has everything looked at again: every day, after a deployment, and when somebody asks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from aws_cdk import Duration, Stack, Validations
from aws_cdk import aws_kms as kms
from constructs import Construct

from demarc.readers import Reader
from infra.calls import SWEEP
from infra.feed import Feed
from infra.function import FunctionBox, Ground
from infra.permissions import acknowledgments, reading
from infra.responder import Responder

_TIMEOUT = Duration.minutes(5)


class SweepFeed(Feed):
    """Sweeps that are asked for, and what is left of those that are on their way."""

    def __init__(self, scope: Construct, id: str, *, schedule: str, key: kms.IKey | None) -> None:  # noqa: A002
        super().__init__(scope, id, settled_within=_TIMEOUT, key=key)
        self.rules = [
            self._rule("ScheduleRule", description="Demarc looks at everything again", schedule=schedule),
            self._rule(
                "DeployedRule",
                description="Demarc looks at everything after a deployment, since the matrix may have changed",
                pattern={
                    "source": ["aws.cloudformation"],
                    "detail-type": ["CloudFormation Stack Status Change"],
                    "detail": {
                        "stack-id": [Stack.of(self).stack_id],
                        "status-details": {"status": ["CREATE_COMPLETE", "UPDATE_COMPLETE"]},
                    },
                },
            ),
        ]
        self._admit(self.rules)


class Sweeper(FunctionBox):
    """Lists what there is and has the responders look at it; its role lists, and reads no settings."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  # the CDK's word
        *,
        readers: Iterable[Reader],
        responders: Sequence[Responder],
        schedule: str,
        ground: Ground,
    ) -> None:
        super().__init__(
            scope,
            id,
            name="sweep",
            does="has every resource looked at again",
            handler="sweep",
            matrix="organization",
            ground=ground,
            calls=SWEEP,
            timeout=_TIMEOUT,
            told={"DEMARC_QUEUES": queues_of(responders)},
        )
        self.requests = SweepFeed(self, "Requests", schedule=schedule, key=ground.key)
        # One piece of one sweep at a time: its pace is what keeps it under the limits of AWS's APIs.
        self.consume(self.requests, batch=1, concurrency=2)
        self.allow_on(self.requests, *(responder.changes for responder in responders))
        self.function.add_environment("DEMARC_SWEEP_QUEUE", self.requests.queue.queue_url)
        lists = [action for reader in readers if reader.inventory for action in reader.inventory.actions]
        for statement in reading(lists, Stack.of(self)):
            self.role.add_to_policy(statement)
        Validations.of(self.role).acknowledge(*acknowledgments(lists))


def queues_of(responders: Iterable[Responder]) -> str:
    """DEMARC_QUEUES: the responders' names and the addresses of their queues."""
    return json.dumps({responder.name: responder.changes.queue.queue_url for responder in responders})
