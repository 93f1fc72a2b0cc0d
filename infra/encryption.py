"""Whose keys what Demarc keeps is encrypted with: AWS's (no cost), or one of the customer's."""

from __future__ import annotations

from enum import StrEnum

from aws_cdk import RemovalPolicy
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
    for service in ("events", "cloudwatch", "logs"):
        key.grant_encrypt_decrypt(iam.ServicePrincipal(f"{service}.amazonaws.com"))
    return key
