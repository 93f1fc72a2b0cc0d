"""Whose keys what Demarc keeps is encrypted with: AWS's (no monthly fee), or one of the customer's."""

from __future__ import annotations

from enum import StrEnum

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct


class Encryption(StrEnum):
    """The context value `encryption`."""

    AWS_MANAGED = "aws-managed"
    CUSTOMER_MANAGED = "customer-managed"


def customer_key(scope: Construct, encryption: Encryption) -> kms.Key | None:
    """The customer's key for table, queues, topics and logs; None where AWS's own keys are chosen."""
    if encryption is Encryption.AWS_MANAGED:
        return None
    key = kms.Key(
        scope,
        "Key",
        description="Demarc: findings, events on their way, announcements and logs",
        enable_key_rotation=True,
        # What was encrypted stays readable for whoever keeps the table.
        removal_policy=RemovalPolicy.RETAIN,
    )
    # What EventBridge needs for a queue under a customer's key, and a CloudWatch alarm for a topic under one
    # (SQS Developer Guide, "Key management"; SNS Developer Guide, "Managing encryption keys and costs").
    for service in ("events", "cloudwatch"):
        key.grant(iam.ServicePrincipal(f"{service}.amazonaws.com"), "kms:Decrypt", "kms:GenerateDataKey*")
    key.add_to_resource_policy(_logging(Stack.of(scope)))
    return key


def _logging(stack: Stack) -> iam.PolicyStatement:
    """CloudWatch Logs looks at the key before it takes it, and names the log group whenever it uses it.

    CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS Key Management Service".
    """
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
        actions=["kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
        resources=["*"],
        conditions={
            "ArnLike": {
                "kms:EncryptionContext:aws:logs:arn": stack.format_arn(
                    service="logs", resource="log-group", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
                )
            }
        },
    )
