"""Parameters of Systems Manager, where moto does not answer as AWS does: their names, and whom they are shared with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from demarc import readers
from demarc.aws import AwsClients
from demarc.core.change import interpret
from demarc.core.model import Change
from demarc.core.snapshot import Snapshot
from demarc.core.touch import TouchIndex
from demarc.readers import Gone
from demarc.readers.ssm import PARAMETER
from tests.integration.records import a_call

REGION, ACCOUNT = "eu-west-1", "123456789012"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ARN = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/shop/key"


@cache
def client() -> Any:
    """A client whose answers are written by the test."""
    return AwsClients()("ssm", REGION)


def answered(described: Sequence[Any], *policies: str, identifier: str = "shop/key", refused: str = "") -> Any:
    """What is read of a parameter that AWS describes so, and that has these policies."""
    parameter = readers.resource_of(PARAMETER, identifier, ACCOUNT, REGION)
    with Stubber(client()) as stubber:
        stubber.add_response("describe_parameters", {"Parameters": described})
        if refused:
            stubber.add_client_error("get_resource_policies", refused)
        elif policies:
            listed = [{"PolicyId": "1", "PolicyHash": "2", "Policy": each} for each in policies]
            stubber.add_response("get_resource_policies", {"Policies": listed}, {"ResourceArn": ARN})
        stubber.add_response("list_tags_for_resource", {"TagList": []})
        needs = tuple(prop for part in PARAMETER.parts for prop in part.gives)
        return readers.read(PARAMETER, parameter, needs=needs, clients=lambda *_: client(), now=NOW)


def policy(*accounts: str) -> str:
    statements = [{"Effect": "Allow", "Principal": {"AWS": each}, "Action": "ssm:GetParameter"} for each in accounts]
    return json.dumps({"Version": "2012-10-17", "Statement": statements if len(accounts) > 1 else statements[0]})


def test_the_policies_of_an_advanced_parameter_are_read_as_one() -> None:
    described = {"Name": "/shop/key", "Type": "SecureString", "KeyId": "alias/shop", "Tier": "Advanced"}
    seen = answered([described], policy("111122223333", "444455556666"), policy("777788889999"))

    assert isinstance(seen, Snapshot)
    assert [each["Principal"]["AWS"] for each in seen["Observed.Policy.Statement"]] == [
        "111122223333",
        "444455556666",
        "777788889999",
    ]
    assert (seen["Observed.Type"], seen["Observed.KeyId"]) == ("SecureString", "alias/shop")


def test_a_standard_parameter_is_shared_with_nobody_and_nobody_is_asked() -> None:
    seen = answered([{"Name": "/shop/key", "Type": "String", "Tier": "Standard"}])

    assert isinstance(seen, Snapshot)
    assert seen["Observed.Policy"] is None
    assert not seen.unread


def test_policies_that_are_refused_are_unread_and_the_rest_is_read() -> None:
    described = {"Name": "/shop/key", "Type": "String", "Tier": "Advanced"}
    seen = answered([described], refused="AccessDeniedException")

    assert isinstance(seen, Snapshot)
    assert seen["Observed.Type"] == "String"
    assert list(seen.unread) == ["Observed.Policy"]


def test_policies_that_are_throttled_rise() -> None:
    with pytest.raises(ClientError, match="Throttling"):
        answered([{"Name": "/shop/key", "Tier": "Advanced"}], refused="ThrottlingException")


def test_a_parameter_that_is_not_there_is_gone() -> None:
    assert isinstance(answered([]), Gone)


def test_no_role_may_read_a_value() -> None:
    calls = {action for part in PARAMETER.parts for action in part.calls.values()}

    assert calls == {"ssm:DescribeParameters", "ssm:GetResourcePolicies", "ssm:ListTagsForResource"}


@pytest.mark.parametrize(
    ("name", "asked", "identifiers"),
    [
        ("PutParameter", {"name": "/shop/key", "value": "HIDDEN_DUE_TO_SECURITY_REASONS"}, ["shop/key"]),
        ("PutParameter", {"name": "key"}, ["key"]),
        ("DeleteParameters", {"names": ["/shop/key", "key"]}, ["key", "shop/key"]),
        ("PutResourcePolicy", {"resourceArn": ARN}, ["shop/key"]),
        ("AddTagsToResource", {"resourceType": "Parameter", "resourceId": "/shop/key"}, ["shop/key"]),
    ],
)
def test_a_parameter_is_the_same_by_its_name_and_by_its_arn(
    name: str, asked: dict[str, Any], identifiers: list[str]
) -> None:
    change = interpret(
        a_call("ssm", name, asked, awsRegion=REGION, recipientAccountId=ACCOUNT), TouchIndex.of((PARAMETER,))
    )

    assert isinstance(change, Change), change
    assert sorted(each.resource.identifier for each in change.touched) == identifiers
    assert {each.resource.arn for each in change.touched if "shop" in each.resource.identifier} <= {ARN}
