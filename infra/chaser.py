"""The function that watches the clock: reminders, escalations, expiries, digests, and the figures of what is open."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from infra.calls import CHASE
from infra.function import FunctionBox, Ground

EVERY = Duration.minutes(15)


class Chaser(FunctionBox):
    """Goes through the findings that stand, a few times an hour.

    It needs no queue: a run that failed or never came is made up for by the next, and two alarms watch that one comes.
    """

    def __init__(self, scope: Construct, id: str, *, ground: Ground) -> None:  # noqa: A002  # the CDK's word
        super().__init__(
            scope,
            id,
            name="chase",
            does="follows findings up",
            handler="chase",
            matrix="organization",
            ground=ground,
            calls=CHASE,
            # Shorter than the time between two runs, so that there is one at a time.
            timeout=Duration.minutes(10),
        )
        self.rule = events.Rule(
            self,
            "Rule",
            description="Demarc follows findings up",
            schedule=events.Schedule.rate(EVERY),
            # What was not started within that time is what the next run does.
            targets=[targets.LambdaFunction(self.function, max_event_age=EVERY, retry_attempts=1)],
        )
