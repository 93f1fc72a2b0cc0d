"""The table of findings, laid out as the store says."""

from __future__ import annotations

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from demarc.stores.dynamodb import CALLS, TABLE, Index

# What DynamoDB does with a customer's key in the name of whoever calls it (DynamoDB Developer Guide, "DynamoDB
# encryption at rest": authorizing the use of a customer managed key), without its patterns.
_KEY_USES = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)


class FindingStore(Construct):
    """Findings and their history. Kept when the stack goes: they are evidence."""

    def __init__(self, scope: Construct, id: str, *, key: kms.IKey | None) -> None:  # noqa: A002  # the CDK's word
        super().__init__(scope, id)
        self.table = dynamodb.TableV2(
            self,
            "Table",
            partition_key=_text(TABLE.partition),
            sort_key=_text(TABLE.sort),
            global_secondary_indexes=[_index(index) for index in TABLE.indexes],
            billing=dynamodb.Billing.on_demand(),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=dynamodb.TableEncryptionV2.aws_managed_key(),
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        self._key = key
        if key:
            # TableV2 takes a customer's key only in a stack that names its Region; this one is deployed in any.
            table = cast(dynamodb.CfnGlobalTable, self.table.node.default_child)
            table.add_property_override("Replicas.0.SSESpecification.KMSMasterKeyId", key.key_arn)

    def grant_recording(self, role: iam.IRole) -> None:
        """Allow what recording and announcing call, on this table and its indexes."""
        role.add_to_principal_policy(
            iam.PolicyStatement(actions=sorted(set(CALLS.values())), resources=[self.table.table_arn])
        )
        if self._key:
            self._key.grant(role, *_KEY_USES)


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _index(index: Index) -> dynamodb.GlobalSecondaryIndexPropsV2:
    return dynamodb.GlobalSecondaryIndexPropsV2(
        index_name=index.name,
        partition_key=_text(index.partition),
        sort_key=_text(index.sort) if index.sort else None,
        projection_type=dynamodb.ProjectionType.ALL if index.whole else dynamodb.ProjectionType.KEYS_ONLY,
    )
