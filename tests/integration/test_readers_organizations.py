"""The organization's policies, as they are read and listed: in the account that manages it, and elsewhere."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from demarc import readers
from demarc.aws import AwsClients
from demarc.core.change import interpret
from demarc.core.model import Change
from demarc.core.provider import kept_by_provider
from demarc.core.snapshot import Snapshot
from demarc.core.touch import TouchIndex
from demarc.readers import Gone
from demarc.readers.organizations import POLICY
from tests.integration.records import a_call

ACCOUNT, MEMBER, REGION = "123456789012", "210987654321", "us-east-1"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
DENIES = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "organizations:*", "Resource": "*"}]}


@pytest.fixture(scope="module")
def client() -> Any:
    """A client whose answers are written by the test."""
    return AwsClients()("organizations", REGION)


@pytest.fixture
def organizations(clients: AwsClients) -> Any:
    client = clients("organizations", REGION)
    client.create_organization(FeatureSet="ALL")
    return client


def a_policy(organizations: Any, kind: str = "SERVICE_CONTROL_POLICY") -> str:
    made = organizations.create_policy(Name=kind, Description="", Type=kind, Content=json.dumps(DENIES))
    return str(made["Policy"]["PolicySummary"]["Id"])


def look(clients: Any, identifier: str, region: str = REGION, needs: tuple[str, ...] = ("Content",)) -> Snapshot | Gone:
    resource = readers.resource_of(POLICY, identifier, ACCOUNT, region)
    return readers.read(POLICY, resource, needs=needs, clients=clients, now=NOW)


def listed(clients: Any, account: str = ACCOUNT) -> list[str]:
    assert POLICY.inventory
    return [each for page in POLICY.inventory.pages(clients, account, REGION) for each in page]


# --- read ------------------------------------------------------------------------------------------------------------


def test_where_a_policy_is_attached_is_read(clients: AwsClients, organizations: Any) -> None:
    policy = a_policy(organizations)
    root = organizations.list_roots()["Roots"][0]["Id"]
    organizations.attach_policy(PolicyId=policy, TargetId=root)

    snapshot = look(clients, policy, needs=("TargetIds",))

    assert isinstance(snapshot, Snapshot)
    assert snapshot["TargetIds"] == [root]


def test_a_policy_is_looked_for_where_organizations_lives(clients: AwsClients, organizations: Any) -> None:
    snapshot = look(clients, a_policy(organizations), "ap-southeast-2")

    assert isinstance(snapshot, Snapshot)
    assert snapshot["Content"] == DENIES


@pytest.mark.parametrize(
    "code", ["PolicyNotFoundException", "InvalidInputException", "AWSOrganizationsNotInUseException"]
)
def test_what_organizations_does_not_know_is_gone(client: Any, code: str) -> None:
    with Stubber(client) as stubber:
        stubber.add_client_error("describe_policy", code)
        with pytest.raises(readers.ResourceGone):
            POLICY.parts[0].read(lambda *_: client, readers.resource_of(POLICY, "p-0123abcd", ACCOUNT, REGION))


@pytest.mark.parametrize("content", ["not JSON", "[]"])
def test_a_policy_that_is_no_object_is_not_taken_for_an_empty_one(client: Any, content: str) -> None:
    summary = {"Id": "p-0123abcd", "Type": "TAG_POLICY", "AwsManaged": False}
    with Stubber(client) as stubber:
        stubber.add_response("describe_policy", {"Policy": {"PolicySummary": summary, "Content": content}})
        stubber.add_response("list_tags_for_resource", {"Tags": []})
        snapshot = look(lambda *_: client, "p-0123abcd")

    assert isinstance(snapshot, Snapshot)
    assert set(snapshot.unread) == {"Content"}
    assert snapshot["Type"] == "TAG_POLICY"


def test_the_policy_that_allows_everything_to_begin_with_is_aws_s(client: Any) -> None:
    summary = {"Id": "p-FullAWSAccess", "Name": "FullAWSAccess", "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": True}
    with Stubber(client) as stubber:
        stubber.add_response("describe_policy", {"Policy": {"PolicySummary": summary, "Content": "{}"}})
        stubber.add_response("list_tags_for_resource", {"Tags": []})
        snapshot = look(lambda *_: client, "p-FullAWSAccess")

    assert isinstance(snapshot, Snapshot)
    assert kept_by_provider(snapshot)


# --- listed ----------------------------------------------------------------------------------------------------------


def test_policies_of_every_kind_are_listed(clients: AwsClients, organizations: Any) -> None:
    """moto knows some of the kinds, and what it calls those that it does not know is what AWS calls them."""
    kinds = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY", "AISERVICES_OPT_OUT_POLICY", "TAG_POLICY")
    made = {a_policy(organizations, kind) for kind in kinds}

    assert made <= set(listed(clients))


def test_a_member_lists_nothing_since_they_are_the_management_accounts(
    clients: AwsClients, organizations: Any, calls: list[str]
) -> None:
    a_policy(organizations)
    calls.clear()

    assert listed(clients, MEMBER) == []
    assert calls == ["organizations.DescribeOrganization"]


def test_without_an_organization_there_are_none(clients: AwsClients) -> None:
    assert listed(clients) == []


def test_policies_of_aws_are_not_listed(client: Any) -> None:
    policies = [{"Id": "p-FullAWSAccess", "AwsManaged": True}, {"Id": "p-0123abcd", "AwsManaged": False}]
    with Stubber(client) as stubber:
        stubber.add_response("describe_organization", {"Organization": {"MasterAccountId": ACCOUNT}})
        stubber.add_response("list_policies", {"Policies": policies}, {"Filter": "SERVICE_CONTROL_POLICY"})
        assert POLICY.inventory
        first = next(POLICY.inventory.pages(lambda *_: client, ACCOUNT, REGION))

    assert first == ["p-0123abcd"]


def test_a_list_that_is_refused_is_not_taken_for_an_empty_one(client: Any) -> None:
    with Stubber(client) as stubber:
        stubber.add_response("describe_organization", {"Organization": {"MasterAccountId": ACCOUNT}})
        stubber.add_client_error("list_policies", "AccessDeniedException")
        with pytest.raises(ClientError, match="AccessDeniedException"):
            listed(lambda *_: client)


# --- touched ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "asked", "answered", "sets"),
    [
        ("CreatePolicy", {"name": "stay"}, {"policy": {"policySummary": {"id": "p-0123abcd"}}}, ("*",)),
        ("UpdatePolicy", {"policyId": "p-0123abcd"}, None, ("Name", "Description", "Content")),
        ("AttachPolicy", {"policyId": "p-0123abcd", "targetId": "r-ab12"}, None, ("TargetIds",)),
        ("DetachPolicy", {"policyId": "p-0123abcd", "targetId": "r-ab12"}, None, ("TargetIds",)),
        ("TagResource", {"resourceId": "p-0123abcd", "tags": []}, None, ("Tags",)),
    ],
)
def test_calls_name_the_policy(name: str, asked: Any, answered: Any, sets: tuple[str, ...]) -> None:
    change = interpreted(name, asked, answered)

    assert isinstance(change, Change)
    assert [(each.resource.identifier, each.sets) for each in change.touched] == [("p-0123abcd", sets)]
    assert change.touched[0].resource.account == ACCOUNT


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("DisablePolicyType", {"rootId": "r-ab12", "policyType": "SERVICE_CONTROL_POLICY"}),
        ("TagResource", {"resourceId": "r-ab12", "tags": []}),
    ],
)
def test_what_is_done_to_a_root_touches_no_policy(name: str, asked: Any) -> None:
    assert not isinstance(interpreted(name, asked), Change)


def interpreted(name: str, asked: Any, answered: Any = None) -> Any:
    return interpret(
        a_call("organizations", name, asked, answered, awsRegion=REGION, recipientAccountId=ACCOUNT),
        TouchIndex.of((POLICY,)),
    )
