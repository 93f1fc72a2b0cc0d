"""`encryption=customer-managed`: one key of the customer's for everything that is kept, usable by whoever must."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.infrastructure.boxes import CONSTRUCTS
from tests.infrastructure.synthesis import Assembly, Resource


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def key_of(assembly: Assembly) -> tuple[dict[str, Any], Resource]:
    """The reference to the stack's one key, and the key."""
    ((name, key),) = assembly.resources("AWS::KMS::Key").items()
    return {"Fn::GetAtt": [name, "Arn"]}, key


def service_statements(assembly: Assembly, service: str) -> Iterator[dict[str, Any]]:
    _, key = key_of(assembly)
    for statement in key["Properties"]["KeyPolicy"]["Statement"]:
        if f"{service}." in str(statement["Principal"].get("Service")):
            yield statement


def test_by_default_no_key_has_to_be_paid_for(assembly: Assembly) -> None:
    assert assembly.resources("AWS::KMS::Key") == {}


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("AWS::SQS::Queue", "KmsMasterKeyId"),
        ("AWS::SNS::Topic", "KmsMasterKeyId"),
        ("AWS::Logs::LogGroup", "KmsKeyId"),
        ("AWS::Lambda::Function", "KmsKeyArn"),
    ],
)
def test_what_is_kept_or_on_its_way_is_under_the_customers_key(kind: str, field: str, with_own_key: Assembly) -> None:
    reference, _ = key_of(with_own_key)
    found = [each["Properties"].get(field) for each in with_own_key.resources(kind).values()]
    assert found == [reference] * len(found) != []


def test_findings_are_under_the_customers_key(with_own_key: Assembly) -> None:
    reference, _ = key_of(with_own_key)
    table = with_own_key.of("FindingsTable", "AWS::DynamoDB::GlobalTable")
    (replica,) = table["Replicas"]
    assert replica["SSESpecification"] == {"KMSMasterKeyId": reference}
    assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}


def test_the_key_rotates_and_outlives_the_stack(with_own_key: Assembly) -> None:
    _, key = key_of(with_own_key)
    assert key["Properties"]["EnableKeyRotation"] is True
    assert key["DeletionPolicy"] == key["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("service", ["events", "sns", "cloudwatch"])
def test_services_that_send_may_encrypt_with_the_key(service: str, with_own_key: Assembly) -> None:
    (allowed,) = service_statements(with_own_key, service)
    assert {action.removesuffix("*") for action in allowed["Action"]} == {"kms:Decrypt", "kms:GenerateDataKey"}


def test_cloudwatch_logs_may_look_at_the_key_and_use_it_for_this_accounts_log_groups(with_own_key: Assembly) -> None:
    """Without `Describe*` no log group can be made with the key, and the deployment fails."""
    (allowed,) = service_statements(with_own_key, "logs")
    assert {"kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*"} <= set(allowed["Action"])
    assert {"Ref": "AWS::Region"} in allowed["Principal"]["Service"]["Fn::Join"][1]
    context = allowed["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    assert {"Ref": "AWS::AccountId"} in context["Fn::Join"][1]


@pytest.mark.parametrize("name", [name for name in CONSTRUCTS if name != "answer"])
def test_a_role_may_have_done_with_the_key_what_its_calls_need_and_no_more(name: str, with_own_key: Assembly) -> None:
    """Consuming needs Decrypt, publishing GenerateDataKey, the table all uses of a symmetric key; nobody manages it."""
    reference, _ = key_of(with_own_key)
    actions = {
        action
        for statement in with_own_key.policy_of(f"{CONSTRUCTS[name]}Role")
        for action in listed(statement["Action"])
        if statement["Resource"] == reference
    }
    assert actions == {
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    }
