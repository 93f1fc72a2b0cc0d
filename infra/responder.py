"""The function that judges one group of layers."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from constructs import Construct

from demarc.readers import Reader
from infra.announcements import Announcements
from infra.change_feed import ChangeFeed
from infra.finding_store import FindingStore
from infra.permissions import acknowledgments, reading

_TIMEOUT = Duration.seconds(60)


class Responder(Construct):
    """Changes in, findings out, for the readers of one group; its role may read that group's services only."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  # the CDK's word
        *,
        name: str,
        readers: Sequence[Reader],
        code: lambda_.Code,
        findings: FindingStore,
        announcements: Announcements,
        log_retention: logs.RetentionDays,
        key: kms.IKey | None,
    ) -> None:
        super().__init__(scope, id)
        self.name = name
        self.changes = ChangeFeed(self, "Changes", readers=readers, settled_within=_TIMEOUT, key=key)
        self.log_group = logs.LogGroup(
            self, "Logs", retention=log_retention, encryption_key=key, removal_policy=RemovalPolicy.DESTROY
        )
        self.role = self._role(readers)
        self.function = lambda_.Function(
            self,
            "Function",
            description=f"Demarc: judges changes of the {name} layers",
            code=code,
            handler="demarc.handlers.respond.handler",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            memory_size=512,
            timeout=_TIMEOUT,
            role=self.role,
            log_group=self.log_group,
            environment_encryption=key,
            environment={
                "DEMARC_RESPONDER": name,
                "DEMARC_TABLE": findings.table.table_name,
                "DEMARC_TOPIC_ARN": announcements.topic.topic_arn,
                "DEMARC_MATRIX": f"demarc/matrices/{name}.json",
                "POWERTOOLS_SERVICE_NAME": "demarc",
                "POWERTOOLS_METRICS_NAMESPACE": "Demarc",
                "POWERTOOLS_LOG_LEVEL": "INFO",
            },
        )
        Validations.of(self.function).acknowledge(
            Acknowledgment(
                id="AwsSolutions::AwsSolutions-L1",
                reason="Python 3.13 is supported until 2029; the bundle's bytecode and its tests are for that version",
            )
        )
        self.function.add_event_source(
            sources.SqsEventSource(
                self.changes.queue,
                batch_size=10,
                # Changes come in bursts: a second's wait lets calls on the same resource be judged with one reading.
                max_batching_window=Duration.seconds(1),
                # A storm must not use up the account's concurrency; what waits is seen by the alarm on message age.
                max_concurrency=10,
                report_batch_item_failures=True,
            )
        )
        findings.grant_recording(self.role)
        announcements.grant_announcing(self.role)

    def _role(self, readers: Sequence[Reader]) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Demarc: what the {self.name} responder may read",
            # The organization's file tells Demarc's own calls by this name.
            role_name=f"Demarc-{self.name}-{Stack.of(self).region}",
        )
        calls = [part.calls for reader in readers for part in reader.parts]
        for statement in reading(calls, Stack.of(self)):
            role.add_to_policy(statement)
        Validations.of(role).acknowledge(*acknowledgments(calls))
        self.log_group.grant_write(role)
        return role
