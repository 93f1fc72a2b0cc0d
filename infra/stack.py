"""The diagram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from demarc import readers
from demarc.authoring.compile import CompiledMatrix
from demarc.core.model import OCCURRENCE
from infra.announcements import Announcements
from infra.answerer import Answerer
from infra.bundle import Bundle
from infra.chaser import Chaser
from infra.deliverer import Deliverer, is_wanted
from infra.encryption import Encryption, customer_key
from infra.finding_store import FindingStore
from infra.function import Ground
from infra.monitoring import Monitoring
from infra.responder import Responder
from infra.sweeper import Sweeper


@dataclass(frozen=True, slots=True)
class Choices:
    """What differs between deployments; the context values of cdk.json.

    `sweep` is a schedule expression of EventBridge. `slack_secret` names the Secrets Manager secret of the Slack app,
    and without one there are no buttons; `answers_at_once` bounds how many are answered at a time, 0 not at all.
    `pages_url` is where docs/controls.md is published, for messages to link to.
    """

    encryption: Encryption
    log_retention: logs.RetentionDays
    operators: str
    sweep: str
    slack_secret: str | None
    answers_at_once: int
    pages_url: str | None


class DemarcStack(Stack):
    """CloudTrail's changes in, attributed findings out and followed up, for one account and Region."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  # the CDK's word
        *,
        matrix: CompiledMatrix,
        bundle: Bundle,
        choices: Choices,
        **settings: Any,
    ) -> None:
        super().__init__(scope, id, **settings)
        teams = list(matrix.organization.teams.values())
        key = customer_key(self, choices.encryption)

        findings = FindingStore(self, "Findings", key=key)
        announcements = Announcements(self, "Announcements", teams=teams, key=key)
        ground = Ground(
            code=lambda_.Code.from_asset(str(bundle.path), asset_hash=bundle.digest),
            findings=findings,
            announcements=announcements,
            log_retention=choices.log_retention,
            key=key,
        )
        known = readers.load()
        (happened,) = readers.load((OCCURRENCE,))
        responders = [
            Responder(
                self,
                name.title(),
                name=name,
                readers=[reader for reader in known if reader.responder == name],
                occurrences=matrix.controls[OCCURRENCE] if name == happened.responder else (),
                attested=matrix.attested,
                ground=ground,
            )
            for name in sorted({reader.responder for reader in known})
        ]
        sweeper = Sweeper(self, "Sweeper", readers=known, responders=responders, schedule=choices.sweep, ground=ground)
        chaser = Chaser(self, "Chaser", ground=ground)
        deliverer = (
            Deliverer(
                self,
                "Deliverer",
                teams=teams,
                slack_secret=choices.slack_secret,
                pages_url=choices.pages_url,
                ground=ground,
            )
            if is_wanted(teams, choices.slack_secret)
            else None
        )
        answerer = (
            Answerer(
                self,
                "Answerer",
                responders=responders,
                slack_secret=choices.slack_secret,
                at_once=choices.answers_at_once,
                ground=ground,
            )
            if choices.slack_secret
            else None
        )
        Monitoring(
            self,
            "Monitoring",
            responders=responders,
            sweeper=sweeper,
            chaser=chaser,
            deliverer=deliverer,
            answerer=answerer,
            announcements=announcements,
            teams=teams,
            operators=choices.operators,
            key=key,
        )

        # The command line finds these by name (`demarc --stack`).
        said = {
            "FindingsTable": (findings.table.table_name, "findings and their history"),
            "Topic": (announcements.topic.topic_arn, "subscribe with a filter policy"),
            "MatrixVersion": (matrix.version, "the matrix that judges"),
            "SweepQueue": (sweeper.requests.queue.queue_url, "sweeps are asked for here"),
        }
        for responder in responders:
            queue = responder.changes.queue.queue_url
            said[f"Queue{responder.name.title()}"] = (queue, f"what the {responder.name} responder is to look at")
        if deliverer and deliverer.chat:
            said["ChatTopic"] = (deliverer.chat.topic_arn, "for Amazon Q Developer in chat applications")
        if answerer:
            said["AnswerUrl"] = (answerer.url.url, "the Request URL of the Slack app's interactivity")
        for name, (value, description) in said.items():
            CfnOutput(self, name, value=value, description=description)
