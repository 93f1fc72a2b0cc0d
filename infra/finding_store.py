"""The table of findings, laid out as the store says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from demarc.stores.dynamodb import TABLE, Index
from infra.permissions import Calls, actions_on

# When an item may go, in epoch seconds; findings and their history have none.
EXPIRES = "expires"

# What can be asked of an index too; everything else is done to the table.
_OF_INDEXES = frozenset({"dynamodb:Query", "dynamodb:Scan"})

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
            time_to_live_attribute=EXPIRES,
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        self._key = key
        if key:
            # TableV2 takes a customer's key only in a stack that names its Region; this one is deployed in any.
            table = cast(dynamodb.CfnGlobalTable, self.table.node.default_child)
            table.add_property_override("Replicas.0.SSESpecification.KMSMasterKeyId", key.key_arn)

    def grant(self, role: iam.IRole, calls: Iterable[Calls], *, by_index: bool) -> None:
        """Allow what is declared, on this table, and where `by_index` on its indexes."""
        table = self.table.table_arn
        indexes = [f"{table}/index/{index.name}" for index in TABLE.indexes] if by_index else []
        actions = actions_on("dynamodb", calls)
        asked = [action for action in actions if action in _OF_INDEXES]
        done = [action for action in actions if action not in _OF_INDEXES]
        for those, resources in ((asked, [table, *indexes]), (done, [table])):
            if those:
                role.add_to_principal_policy(iam.PolicyStatement(actions=those, resources=resources))
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
