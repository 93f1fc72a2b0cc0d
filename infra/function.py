"""What every function is made of: the shared code, a role of its own, a log, and the variables it is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.announcements import Announcements
from infra.feed import Feed
from infra.finding_store import FindingStore
from infra.permissions import Calls, actions_on


@dataclass(frozen=True, slots=True)
class Ground:
    """What all functions stand on."""

    code: lambda_.Code
    findings: FindingStore
    announcements: Announcements
    log_retention: logs.RetentionDays
    key: kms.IKey | None


class FunctionBox(Construct):
    """A function that may do what its code declares to call, and nothing else.

    `calls` are the declarations of the modules that it runs: what they do to the table and the topic is allowed here,
    on these alone; for everything else the box that is built on this one names the resources.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  # the CDK's word
        *,
        name: str,
        does: str,
        handler: str,
        matrix: str,
        ground: Ground,
        calls: Iterable[Calls],
        timeout: Duration,
        told: Mapping[str, str] | None = None,
        by_index: bool = True,
        announces: bool = True,
        reserved_concurrency: int | None = None,
    ) -> None:
        super().__init__(scope, id)
        self.name = name
        self._ground = ground
        self._calls = list(calls)
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            retention=ground.log_retention,
            encryption_key=ground.key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Demarc: what the function that {does} may do",
            # The organization's file tells Demarc's own calls by this name.
            role_name=f"Demarc-{name}-{Stack.of(self).region}",
        )
        self.log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            description=f"Demarc: {does}",
            code=ground.code,
            handler=f"demarc.handlers.{handler}.handler",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            memory_size=512,
            timeout=timeout,
            reserved_concurrent_executions=reserved_concurrency,
            role=self.role,
            log_group=self.log_group,
            environment_encryption=ground.key,
            environment={
                "DEMARC_NAME": name,
                "DEMARC_TABLE": ground.findings.table.table_name,
                "DEMARC_TOPIC_ARN": ground.announcements.topic.topic_arn,
                "DEMARC_MATRIX": f"demarc/matrices/{matrix}.json",
                **(told or {}),
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
        ground.findings.grant(self.role, self._calls, by_index=by_index)
        if announces:
            ground.announcements.grant(self.role, self._calls)

    def consume(self, feed: Feed, *, batch: int, concurrency: int, wait: Duration | None = None) -> None:
        """Work off a queue; messages that failed are named in the answer, and only those come again."""
        self.function.add_event_source(
            sources.SqsEventSource(
                feed.queue,
                batch_size=batch,
                max_batching_window=wait,
                max_concurrency=concurrency,
                report_batch_item_failures=True,
            )
        )

    def allow_on(self, *feeds: Feed) -> None:
        """Allow what is declared, sending for the most part, on these queues."""
        queues = [feed.queue.queue_arn for feed in feeds]
        if actions := actions_on("sqs", self._calls):
            self.role.add_to_policy(iam.PolicyStatement(actions=actions, resources=queues))
        if self._ground.key:
            self._ground.key.grant(self.role, "kms:Decrypt", "kms:GenerateDataKey")
