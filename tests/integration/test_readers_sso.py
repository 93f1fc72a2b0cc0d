"""Permission sets of IAM Identity Center, as they are read and listed.

The answers are written down, since moto gives permission sets ARNs of instances.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
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
from demarc.readers import Gone, Part
from demarc.readers.sso import MOST_ACCOUNTS, PERMISSION_SET
from tests.integration.records import a_call
from tests.integration.schema import matches_cloudformation

ACCOUNT, OTHER, REGION = "123456789012", "210987654321", "eu-west-1"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
IDENTIFIER = "ssoins-0123456789abcdef/ps-0123456789abcdef"
INSTANCE = "arn:aws:sso:::instance/ssoins-0123456789abcdef"
ARN = f"arn:aws:sso:::permissionSet/{IDENTIFIER}"
NAMED = {"InstanceArn": INSTANCE, "PermissionSetArn": ARN}
READS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
RESOURCE = readers.resource_of(PERMISSION_SET, IDENTIFIER, ACCOUNT, REGION)


@pytest.fixture(scope="module")
def client() -> Any:
    return AwsClients()("sso-admin", REGION)


@pytest.fixture
def stubber(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stubber:
        yield stubber


def answer(client: Any, prop: str) -> Any:
    return part(prop).read(lambda *_: client, RESOURCE)


def part(prop: str) -> Part:
    return next(each for each in PERMISSION_SET.parts if prop in each.gives)


def listed(client: Any) -> list[str]:
    assert PERMISSION_SET.inventory
    return [each for page in PERMISSION_SET.inventory.pages(lambda *_: client, ACCOUNT, REGION) for each in page]


# --- read ------------------------------------------------------------------------------------------------------------


def test_a_permission_set_is_read_in_cloudformations_words(client: Any, stubber: Stubber) -> None:
    described = {"Name": "operators", "PermissionSetArn": ARN, "SessionDuration": "PT8H", "RelayState": "https://a.b"}
    attached = [{"Name": "ReadOnlyAccess", "Arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]
    references = [{"Name": "team", "Path": "/"}]
    boundary = {"ManagedPolicyArn": "arn:aws:iam::aws:policy/PowerUserAccess"}
    tags = {"InstanceArn": INSTANCE, "ResourceArn": ARN}
    answers: list[tuple[str, Any, Any]] = [
        ("describe_permission_set", {"PermissionSet": described}, NAMED),
        ("list_managed_policies_in_permission_set", {"AttachedManagedPolicies": attached}, NAMED),
        (
            "list_customer_managed_policy_references_in_permission_set",
            {"CustomerManagedPolicyReferences": references},
            NAMED,
        ),
        ("get_inline_policy_for_permission_set", {"InlinePolicy": json.dumps(READS)}, NAMED),
        ("get_permissions_boundary_for_permission_set", {"PermissionsBoundary": boundary}, NAMED),
        ("list_tags_for_resource", {"Tags": [{"Key": "owner", "Value": "shop"}]}, tags),
    ]
    found: dict[str, Any] = {}
    of_itself = [each for each in PERMISSION_SET.parts if "Observed.Administrators" not in each.gives]
    for each, (method, said, asked) in zip(of_itself, answers, strict=True):
        stubber.add_response(method, said, asked)
        found |= each.read(lambda *_: client, RESOURCE)

    snapshot = Snapshot(RESOURCE, NOW, found, read=frozenset(found))
    assert found["PermissionSetArn"] == RESOURCE.arn == ARN
    assert (found["Name"], found["SessionDuration"], found["RelayStateType"]) == ("operators", "PT8H", "https://a.b")
    assert found["ManagedPolicies"] == ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
    assert (found["CustomerManagedPolicyReferences"], found["InlinePolicy"]) == (references, READS)
    assert found["PermissionsBoundary"] == boundary
    assert snapshot.tags == {"owner": "shop"}
    matches_cloudformation(snapshot)


def test_what_is_not_set_is_not_configured(client: Any, stubber: Stubber) -> None:
    stubber.add_response("get_inline_policy_for_permission_set", {}, NAMED)
    stubber.add_client_error("get_permissions_boundary_for_permission_set", "ResourceNotFoundException")

    assert (answer(client, "InlinePolicy"), answer(client, "PermissionsBoundary")) == ({}, {})


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "ValidationException"])
def test_a_name_that_identity_center_does_not_know_is_gone(client: Any, stubber: Stubber, code: str) -> None:
    stubber.add_client_error("describe_permission_set", code)
    stubber.add_client_error("list_tags_for_resource", code)

    seen = readers.read(PERMISSION_SET, RESOURCE, needs=("Name",), clients=lambda *_: client, now=NOW)

    assert isinstance(seen, Gone)


# --- who is an administrator by it -----------------------------------------------------------------------------------

ACCOUNTS, ASSIGNMENTS = "list_accounts_for_provisioned_permission_set", "list_account_assignments"
ADMINISTRATOR = [{"Name": "AdministratorAccess", "Arn": "arn:aws:iam::aws:policy/AdministratorAccess"}]
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def makes_administrators(stubber: Stubber) -> None:
    stubber.add_response("list_managed_policies_in_permission_set", {"AttachedManagedPolicies": ADMINISTRATOR}, NAMED)


def assigned_in(account: str, *principals: str) -> dict[str, Any]:
    """Assignments as they are listed: `USER/u-1`."""
    return {
        "AccountAssignments": [
            {"AccountId": account, "PermissionSetArn": ARN, "PrincipalType": kind, "PrincipalId": identifier}
            for kind, _, identifier in (each.partition("/") for each in principals)
        ]
    }


def administrators(client: Any) -> Any:
    return answer(client, "Observed.Administrators")["Observed"]


def test_administrators_are_seen_in_every_account_and_on_every_page(client: Any, stubber: Stubber) -> None:
    here, there = {**NAMED, "AccountId": ACCOUNT}, {**NAMED, "AccountId": OTHER}
    makes_administrators(stubber)
    stubber.add_response(ACCOUNTS, {"AccountIds": [ACCOUNT], "NextToken": "more"}, NAMED)
    stubber.add_response(ACCOUNTS, {"AccountIds": [OTHER]}, {**NAMED, "NextToken": "more"})
    stubber.add_response(ASSIGNMENTS, {**assigned_in(ACCOUNT, "GROUP/g-1"), "NextToken": "more"}, here)
    stubber.add_response(ASSIGNMENTS, assigned_in(ACCOUNT, "USER/u-1"), {**here, "NextToken": "more"})
    stubber.add_response(ASSIGNMENTS, assigned_in(OTHER, "GROUP/g-1"), there)

    seen = administrators(client)

    assert seen["Administrators"] == [
        {"PrincipalType": "GROUP", "PrincipalId": "g-1", "Accounts": [ACCOUNT, OTHER]},
        {"PrincipalType": "USER", "PrincipalId": "u-1", "Accounts": [ACCOUNT]},
    ]
    assert seen["UnaskedAccounts"] == 0


@pytest.mark.parametrize("written", [json.dumps(EVERYTHING), '{"Statement": [{"Effect": "Maybe"}]}'])
def test_whoever_is_assigned_what_an_inline_policy_may_make_an_administrator_is_seen(
    written: str, client: Any, stubber: Stubber
) -> None:
    stubber.add_response("list_managed_policies_in_permission_set", {"AttachedManagedPolicies": []}, NAMED)
    stubber.add_response("get_inline_policy_for_permission_set", {"InlinePolicy": written}, NAMED)
    stubber.add_response(ACCOUNTS, {"AccountIds": [ACCOUNT]}, NAMED)
    stubber.add_response(ASSIGNMENTS, assigned_in(ACCOUNT, "USER/u-1"), {**NAMED, "AccountId": ACCOUNT})

    assert [each["PrincipalId"] for each in administrators(client)["Administrators"]] == ["u-1"]


def test_of_what_makes_no_administrators_no_account_is_asked(client: Any, stubber: Stubber) -> None:
    stubber.add_response("list_managed_policies_in_permission_set", {"AttachedManagedPolicies": []}, NAMED)
    stubber.add_response("get_inline_policy_for_permission_set", {"InlinePolicy": json.dumps(READS)}, NAMED)

    assert administrators(client) == {"Administrators": [], "UnaskedAccounts": 0}


def test_accounts_beyond_the_most_that_are_asked_are_counted(client: Any, stubber: Stubber) -> None:
    accounts = [f"{number:012d}" for number in range(MOST_ACCOUNTS + 3)]
    makes_administrators(stubber)
    stubber.add_response(ACCOUNTS, {"AccountIds": accounts}, NAMED)
    for account in accounts[:MOST_ACCOUNTS]:
        stubber.add_response(ASSIGNMENTS, assigned_in(account, "GROUP/g-1"), {**NAMED, "AccountId": account})

    seen = administrators(client)

    (group,) = seen["Administrators"]
    assert (group["Accounts"], seen["UnaskedAccounts"]) == (accounts[:MOST_ACCOUNTS], 3)


def test_administrators_of_whom_some_may_not_be_seen_are_unread(client: Any, stubber: Stubber) -> None:
    makes_administrators(stubber)
    stubber.add_response(ACCOUNTS, {"AccountIds": [ACCOUNT]}, NAMED)
    stubber.add_client_error(ASSIGNMENTS, "AccessDeniedException")
    alone = replace(PERMISSION_SET, parts=(part("Observed.Administrators"),))

    seen = readers.read(alone, RESOURCE, needs=("Observed.Administrators",), clients=lambda *_: client, now=NOW)

    assert isinstance(seen, Snapshot)
    assert set(seen.unread) == {"Observed.Administrators", "Observed.UnaskedAccounts"}


# --- listed ----------------------------------------------------------------------------------------------------------


def test_permission_sets_of_the_accounts_own_instance_are_listed(client: Any, stubber: Stubber) -> None:
    stubber.add_response("list_instances", {"Instances": [{"InstanceArn": INSTANCE, "OwnerAccountId": ACCOUNT}]})
    asked = {"InstanceArn": INSTANCE}
    stubber.add_response("list_permission_sets", {"PermissionSets": [ARN], "NextToken": "more"}, asked)
    stubber.add_response("list_permission_sets", {"PermissionSets": [f"{ARN}0"]}, {**asked, "NextToken": "more"})

    assert listed(client) == [IDENTIFIER, f"{IDENTIFIER}0"]


def test_an_instance_that_is_only_seen_is_left_to_its_owner(client: Any, stubber: Stubber) -> None:
    stubber.add_response("list_instances", {"Instances": [{"InstanceArn": INSTANCE, "OwnerAccountId": OTHER}]})

    assert listed(client) == []


def test_an_instance_without_permission_sets_has_none(client: Any, stubber: Stubber) -> None:
    stubber.add_response("list_instances", {"Instances": [{"InstanceArn": INSTANCE, "OwnerAccountId": ACCOUNT}]})
    stubber.add_client_error("list_permission_sets", "ValidationException")

    assert listed(client) == []


def test_a_list_that_is_refused_is_not_taken_for_an_empty_one(client: Any, stubber: Stubber) -> None:
    stubber.add_response("list_instances", {"Instances": [{"InstanceArn": INSTANCE, "OwnerAccountId": ACCOUNT}]})
    stubber.add_client_error("list_permission_sets", "AccessDeniedException")

    with pytest.raises(ClientError, match="AccessDeniedException"):
        listed(client)


# --- touched ---------------------------------------------------------------------------------------------------------

ADMINISTRATORS = ("Observed.Administrators", "Observed.UnaskedAccounts")


@pytest.mark.parametrize(
    ("name", "asked", "answered", "sets"),
    [
        ("CreatePermissionSet", {"name": "operators"}, {"permissionSet": {"permissionSetArn": ARN}}, ("*",)),
        ("PutInlinePolicyToPermissionSet", {"permissionSetArn": ARN}, None, ("InlinePolicy", *ADMINISTRATORS)),
        ("AttachManagedPolicyToPermissionSet", {"permissionSetArn": ARN}, None, ("ManagedPolicies", *ADMINISTRATORS)),
        ("DeletePermissionsBoundaryFromPermissionSet", {"permissionSetArn": ARN}, None, ("PermissionsBoundary",)),
        ("TagResource", {"instanceArn": INSTANCE, "resourceArn": ARN, "tags": []}, None, ("Tags",)),
        (
            "CreateAccountAssignment",
            {"permissionSetArn": ARN, "targetId": ACCOUNT, "principalType": "USER", "principalId": "u-1"},
            {"accountAssignmentCreationStatus": {"status": "IN_PROGRESS"}},
            ADMINISTRATORS,
        ),
    ],
)
def test_calls_name_the_permission_set(name: str, asked: Any, answered: Any, sets: tuple[str, ...]) -> None:
    change = interpreted(name, asked, answered)

    assert isinstance(change, Change)
    assert [(each.resource, each.sets) for each in change.touched] == [(RESOURCE, sets)]


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("TagResource", {"instanceArn": INSTANCE, "resourceArn": INSTANCE, "tags": []}),
        ("ProvisionPermissionSet", {"permissionSetArn": ARN, "targetId": ACCOUNT}),
    ],
)
def test_what_is_done_around_it_touches_no_permission_set(name: str, asked: Any) -> None:
    assert not isinstance(interpreted(name, asked), Change)


def interpreted(name: str, asked: Any, answered: Any = None) -> Any:
    return interpret(
        a_call("sso", name, asked, answered, awsRegion=REGION, recipientAccountId=ACCOUNT),
        TouchIndex.of((PERMISSION_SET,)),
    )
