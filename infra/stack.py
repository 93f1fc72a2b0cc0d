"""The diagram."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from demarc import readers
from demarc.authoring.compile import CompiledMatrix
from infra.announcements import Announcements
from infra.bundle import Bundle
from infra.encryption import Encryption, customer_key
from infra.finding_store import FindingStore
from infra.monitoring import Monitoring
from infra.responder import Responder


class DemarcStack(Stack):
    """CloudTrail's changes in, attributed findings out, for one account and Region."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  # the CDK's word
        *,
        matrix: CompiledMatrix,
        bundle: Bundle,
        encryption: Encryption,
        log_retention: logs.RetentionDays,
        operators: str,
        **settings: Any,
    ) -> None:
        super().__init__(scope, id, **settings)
        key = customer_key(self, encryption)
        code = lambda_.Code.from_asset(str(bundle.path), asset_hash=bundle.digest)

        findings = FindingStore(self, "Findings", key=key)
        announcements = Announcements(self, "Announcements", teams=matrix.organization.teams.values(), key=key)
        responders = [
            Responder(
                self,
                name.title(),
                name=name,
                readers=[reader for reader in readers.load() if reader.responder == name],
                code=code,
                findings=findings,
                announcements=announcements,
                log_retention=log_retention,
                key=key,
            )
            for name in sorted({reader.responder for reader in readers.load()})
        ]
        Monitoring(self, "Monitoring", watching=responders, announcements=announcements, operators=operators, key=key)

        CfnOutput(self, "FindingsTable", value=findings.table.table_name, description="demarc findings --table")
        CfnOutput(self, "Topic", value=announcements.topic.topic_arn, description="subscribe with a filter policy")
        CfnOutput(self, "MatrixVersion", value=matrix.version, description="the matrix that judges")
