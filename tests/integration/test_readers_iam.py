"""Users, groups, roles, policies of ours and providers, as they are read from AWS."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from demarc import readers
from demarc.aws import AwsClients
from demarc.core.change import interpret
from demarc.core.model import Change, Resource
from demarc.core.snapshot import Snapshot
from demarc.core.touch import TouchIndex
from demarc.readers import Gone, Part, Reader
from demarc.readers.iam import GROUP, MANAGED_POLICY, OIDC_PROVIDER, ROLE, SAML_PROVIDER, USER
from tests.integration.records import a_call
from tests.integration.schema import matches_cloudformation

REGION = "us-east-1"
ACCOUNT = "123456789012"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
THEN = datetime(2025, 6, 1, tzinfo=UTC)
POLICY_ARN = f"arn:aws:iam::{ACCOUNT}:policy/teams/read"
READS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
OWNER = [{"Key": "owner", "Value": "shop"}]

# What is read to begin with, and what IAM would say of it.
SAML_ARN = f"arn:aws:iam::{ACCOUNT}:saml-provider/okta"
OIDC_ARN = f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF"
NAMES = {
    USER.type: "ada",
    GROUP.type: "people",
    ROLE.type: "deploy",
    MANAGED_POLICY.type: POLICY_ARN,
    SAML_PROVIDER.type: SAML_ARN,
    OIDC_PROVIDER.type: OIDC_ARN,
}


def look(clients: Any, reader: Reader, *parts: Part, region: str = REGION) -> Snapshot | Gone:
    name = NAMES[reader.type]
    arn = reader.arn.format(partition="aws", account=ACCOUNT, identifier=name)
    needs = [prop for part in parts or reader.parts for prop in part.gives]
    return readers.read(
        reader, Resource(reader.type, name, ACCOUNT, region, arn), needs=needs, clients=clients, now=NOW
    )


def see(clients: Any, reader: Reader, *parts: Part, region: str = REGION) -> Snapshot:
    snapshot = look(clients, reader, *parts, region=region)
    assert isinstance(snapshot, Snapshot)
    return snapshot


@pytest.fixture(scope="module")
def client() -> Any:
    """A client whose answers are written by the test."""
    return AwsClients()("iam", REGION)


@pytest.fixture
def iam(clients: AwsClients) -> Any:
    return clients("iam", REGION)


@pytest.fixture
def user(iam: Any) -> None:
    iam.create_user(UserName="ada", Path="/people/", Tags=OWNER)


@pytest.fixture
def role(iam: Any) -> None:
    iam.create_role(RoleName="deploy", Path="/ci/", AssumeRolePolicyDocument=json.dumps(TRUST), Tags=OWNER)


@pytest.fixture
def policy(iam: Any) -> None:
    iam.create_policy(PolicyName="read", Path="/teams/", PolicyDocument=json.dumps(READS), Tags=OWNER)


# --- users -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("user")
def test_a_user_with_nothing_is_read_in_cloudformations_words(clients: AwsClients) -> None:
    snapshot = see(clients, USER)

    assert (snapshot["UserName"], snapshot["Path"]) == ("ada", "/people/")
    assert snapshot["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/people/ada"
    assert (snapshot["Policies"], snapshot["ManagedPolicyArns"]) == ([], [])
    assert snapshot["PermissionsBoundary"] is snapshot["Observed.LoginProfile"] is None
    assert (snapshot["Observed.MfaDevices"], snapshot["Observed.AccessKeys"]) == ([], [])
    assert snapshot.tags == {"owner": "shop"}
    matches_cloudformation(snapshot)


@pytest.mark.usefixtures("user", "policy")
def test_what_a_user_may_do_is_written_on_it_or_named(clients: AwsClients, iam: Any) -> None:
    iam.put_user_policy(UserName="ada", PolicyName="inline", PolicyDocument=json.dumps(READS))
    iam.attach_user_policy(UserName="ada", PolicyArn=POLICY_ARN)

    snapshot = see(clients, USER)

    assert snapshot["Policies"] == [{"PolicyName": "inline", "PolicyDocument": READS}]
    assert snapshot["ManagedPolicyArns"] == [POLICY_ARN]
    matches_cloudformation(snapshot)


@pytest.mark.usefixtures("user")
def test_that_there_is_a_password_is_known_and_the_password_is_not(clients: AwsClients, iam: Any) -> None:
    iam.create_login_profile(UserName="ada", Password="Correct-Horse-1")

    profile = see(clients, USER)["Observed.LoginProfile"]

    assert list(profile) == ["CreatedAt"]
    assert datetime.fromisoformat(profile["CreatedAt"]).tzinfo is not None


@pytest.mark.usefixtures("user")
def test_every_access_key_is_read_with_its_age_and_never_its_secret(clients: AwsClients, iam: Any) -> None:
    made = [iam.create_access_key(UserName="ada")["AccessKey"] for _ in range(2)]
    iam.update_access_key(UserName="ada", AccessKeyId=made[1]["AccessKeyId"], Status="Inactive")

    snapshot = see(clients, USER)

    keys = snapshot["Observed.AccessKeys"]
    assert [(key["AccessKeyId"], key["Status"]) for key in keys] == [
        (made[0]["AccessKeyId"], "Active"),
        (made[1]["AccessKeyId"], "Inactive"),
    ]
    assert all(datetime.fromisoformat(key["CreatedAt"]).tzinfo for key in keys)
    assert made[0]["SecretAccessKey"] not in json.dumps(snapshot.properties)


@pytest.mark.usefixtures("user")
def test_a_device_is_known_by_its_kind(clients: AwsClients, iam: Any) -> None:
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName="ada")["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(
        UserName="ada", SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321"
    )

    (device,) = see(clients, USER)["Observed.MfaDevices"]

    assert device["Kind"] == "virtual"
    assert "ada" not in json.dumps(device)


@pytest.mark.parametrize(
    ("serial", "kind"),
    [(f"arn:aws:iam::{ACCOUNT}:u2f/user/ada/key-EXAMPLE", "passkey"), ("GAHT12345678", "hardware")],
)
def test_a_passkey_and_a_token_are_told_apart(client: Any, serial: str, kind: str) -> None:
    with Stubber(client) as stubber:
        device = {"UserName": "ada", "SerialNumber": serial, "EnableDate": THEN}
        stubber.add_response("list_mfa_devices", {"MFADevices": [device], "IsTruncated": False}, {"UserName": "ada"})
        answer = part("Observed.MfaDevices").read(lambda *_: client, resource_of(USER))

    assert answer == {"Observed": {"MfaDevices": [{"Kind": kind, "EnabledAt": "2025-06-01T00:00:00+00:00"}]}}


def test_when_a_key_and_a_password_were_used_is_read(client: Any) -> None:
    key = {"UserName": "ada", "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "Status": "Active", "CreateDate": THEN}
    used = {"LastUsedDate": NOW, "ServiceName": "s3", "Region": REGION}
    with Stubber(client) as stubber:
        stubber.add_response("list_access_keys", {"AccessKeyMetadata": [key]}, {"UserName": "ada"})
        stubber.add_response("get_access_key_last_used", {"UserName": "ada", "AccessKeyLastUsed": used})
        keys = part("Observed.AccessKeys").read(lambda *_: client, resource_of(USER))
        stubber.add_response("get_user", {"User": described_user(PasswordLastUsed=NOW)}, {"UserName": "ada"})
        user = USER.parts[0].read(lambda *_: client, resource_of(USER))

    assert keys["Observed"]["AccessKeys"][0]["LastUsedAt"] == NOW.isoformat()
    assert user["Observed"] == {"PasswordLastUsedAt": NOW.isoformat()}


def resource_of(reader: Reader) -> Resource:
    return Resource(reader.type, NAMES[reader.type], ACCOUNT, REGION, "")


def part(prop: str, reader: Reader = USER) -> Part:
    return next(each for each in reader.parts if prop in each.gives)


def described_user(**more: Any) -> dict[str, Any]:
    arn = f"arn:aws:iam::{ACCOUNT}:user/ada"
    return {"Path": "/", "UserName": "ada", "UserId": "AIDAEXAMPLE1234567", "Arn": arn, "CreateDate": THEN, **more}


# --- roles -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("role", "policy")
def test_a_role_is_read_in_cloudformations_words(clients: AwsClients, iam: Any) -> None:
    iam.put_role_policy(RoleName="deploy", PolicyName="inline", PolicyDocument=json.dumps(READS))
    iam.attach_role_policy(RoleName="deploy", PolicyArn=POLICY_ARN)
    iam.put_role_permissions_boundary(RoleName="deploy", PermissionsBoundary=POLICY_ARN)
    iam.update_role(RoleName="deploy", Description="Deploys", MaxSessionDuration=7200)

    snapshot = see(clients, ROLE)

    assert (snapshot["RoleName"], snapshot["Path"], snapshot["Description"]) == ("deploy", "/ci/", "Deploys")
    assert snapshot["AssumeRolePolicyDocument"] == TRUST
    assert snapshot["Policies"] == [{"PolicyName": "inline", "PolicyDocument": READS}]
    assert snapshot["ManagedPolicyArns"] == [POLICY_ARN]
    assert (snapshot["PermissionsBoundary"], snapshot["MaxSessionDuration"]) == (POLICY_ARN, 7200)
    assert snapshot.tags == {"owner": "shop"}
    matches_cloudformation(snapshot)


@pytest.mark.usefixtures("role")
def test_a_bare_role_is_read_as_it_is(clients: AwsClients) -> None:
    snapshot = see(clients, ROLE)

    assert (snapshot["Policies"], snapshot["ManagedPolicyArns"], snapshot["PermissionsBoundary"]) == ([], [], None)
    matches_cloudformation(snapshot)


@pytest.mark.usefixtures("role")
def test_a_role_is_looked_for_where_iam_lives(clients: AwsClients) -> None:
    assert see(clients, ROLE, region="ap-southeast-2")["RoleName"] == "deploy"


def test_policies_on_further_pages_are_read_too(client: Any) -> None:
    name = {"RoleName": "deploy"}
    with Stubber(client) as stubber:
        stubber.add_response("list_role_policies", {"PolicyNames": ["a"], "IsTruncated": True, "Marker": "m"}, name)
        stubber.add_response(
            "list_role_policies", {"PolicyNames": ["b"], "IsTruncated": False}, {**name, "Marker": "m"}
        )
        for each in ("a", "b"):
            document = {**name, "PolicyName": each, "PolicyDocument": json.dumps(READS)}
            stubber.add_response("get_role_policy", document, {**name, "PolicyName": each})
        answer = part("Policies", ROLE).read(lambda *_: client, resource_of(ROLE))

    assert [each["PolicyName"] for each in answer["Policies"]] == ["a", "b"]


def test_an_inline_policy_that_went_meanwhile_is_not_there(client: Any) -> None:
    with Stubber(client) as stubber:
        stubber.add_response("list_role_policies", {"PolicyNames": ["a"], "IsTruncated": False})
        stubber.add_client_error("get_role_policy", "NoSuchEntity", http_status_code=404)
        answer = part("Policies", ROLE).read(lambda *_: client, resource_of(ROLE))

    assert answer == {"Policies": []}


def test_a_document_that_comes_encoded_is_a_document(client: Any) -> None:
    """IAM encodes documents as in a URL, and botocore takes that back."""
    with Stubber(client) as stubber:
        stubber.add_response("list_role_policies", {"PolicyNames": ["a"]})
        answer = {"RoleName": "deploy", "PolicyName": "a", "PolicyDocument": quote(json.dumps(READS))}
        stubber.add_response("get_role_policy", answer)
        (read,) = part("Policies", ROLE).read(lambda *_: client, resource_of(ROLE))["Policies"]

    assert read["PolicyDocument"] == READS


# --- policies of ours ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("policy")
def test_a_policy_is_read_with_the_document_that_is_in_force(clients: AwsClients, iam: Any) -> None:
    wider = {**READS, "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam.create_policy_version(PolicyArn=POLICY_ARN, PolicyDocument=json.dumps(wider), SetAsDefault=True)
    iam.create_policy_version(PolicyArn=POLICY_ARN, PolicyDocument=json.dumps(READS), SetAsDefault=False)

    snapshot = see(clients, MANAGED_POLICY)

    assert (snapshot["ManagedPolicyName"], snapshot["Path"], snapshot["PolicyArn"]) == ("read", "/teams/", POLICY_ARN)
    assert (snapshot["DefaultVersionId"], snapshot["PolicyDocument"]) == ("v2", wider)
    assert snapshot.tags == {"owner": "shop"}
    matches_cloudformation(snapshot)


@pytest.mark.usefixtures("policy", "role")
def test_how_often_a_policy_is_attached_is_read(clients: AwsClients, iam: Any) -> None:
    assert see(clients, MANAGED_POLICY)["AttachmentCount"] == 0

    iam.attach_role_policy(RoleName="deploy", PolicyArn=POLICY_ARN)

    assert see(clients, MANAGED_POLICY)["AttachmentCount"] == 1


def described_policy() -> dict[str, Any]:
    counts = {"AttachmentCount": 0, "PermissionsBoundaryUsageCount": 2}
    return {"PolicyName": "read", "Arn": POLICY_ARN, "Path": "/teams/", "DefaultVersionId": "v1", **counts}


def test_a_boundary_is_known_by_how_it_is_used(client: Any) -> None:
    version = {"VersionId": "v1", "Document": json.dumps(READS)}
    with Stubber(client) as stubber:
        stubber.add_response("get_policy", {"Policy": described_policy()}, {"PolicyArn": POLICY_ARN})
        stubber.add_response("get_policy_version", {"PolicyVersion": version})
        snapshot = see(lambda *_: client, MANAGED_POLICY)

    assert (snapshot["AttachmentCount"], snapshot["PermissionsBoundaryUsageCount"]) == (0, 2)
    matches_cloudformation(snapshot)


def test_a_policy_whose_document_may_not_be_read_is_unread_in_that_alone(client: Any) -> None:
    with Stubber(client) as stubber:
        stubber.add_response("get_policy", {"Policy": described_policy()})
        stubber.add_client_error("get_policy_version", "AccessDenied", http_status_code=403)
        snapshot = see(lambda *_: client, MANAGED_POLICY)

    assert set(snapshot.unread) == {"PolicyDocument"}
    assert "iam:GetPolicyVersion" in snapshot.unread["PolicyDocument"]
    assert snapshot["AttachmentCount"] == 0


def test_a_version_that_was_replaced_while_we_looked_is_looked_at_again(client: Any) -> None:
    with Stubber(client) as stubber:
        stubber.add_response("get_policy", {"Policy": described_policy()})
        stubber.add_client_error("get_policy_version", "NoSuchEntity", http_status_code=404)
        with pytest.raises(ClientError, match="NoSuchEntity"):
            look(lambda *_: client, MANAGED_POLICY)


# --- who signs people and machines in for us -------------------------------------------------------------------------


def test_a_provider_is_read_with_its_keys_and_without_its_metadata(client: Any) -> None:
    answer = {
        "SAMLProviderUUID": "ASPAEXAMPLE0123456789ABC",
        "SAMLMetadataDocument": "<EntityDescriptor/>" * 60,
        "ValidUntil": NOW,
        "AssertionEncryptionMode": "Required",
        "PrivateKeyList": [{"KeyId": "ASKAEXAMPLE0123456789ABC", "Timestamp": THEN}],
        "Tags": OWNER,
    }
    with Stubber(client) as stubber:
        stubber.add_response("get_saml_provider", answer, {"SAMLProviderArn": SAML_ARN})
        snapshot = see(lambda *_: client, SAML_PROVIDER)

    assert (snapshot["Arn"], snapshot["Name"], snapshot["AssertionEncryptionMode"]) == (SAML_ARN, "okta", "Required")
    assert snapshot["PrivateKeyList"] == [{"KeyId": "ASKAEXAMPLE0123456789ABC", "Timestamp": THEN.isoformat()}]
    assert snapshot["Observed.ValidUntil"] == NOW.isoformat()
    assert "EntityDescriptor" not in json.dumps(snapshot.properties)
    assert snapshot.tags == {"owner": "shop"}
    matches_cloudformation(snapshot)


def test_an_issuer_with_a_path_is_one_provider(clients: AwsClients, iam: Any) -> None:
    url = f"https://{OIDC_ARN.partition('oidc-provider/')[2]}"
    made = iam.create_open_id_connect_provider(Url=url, ClientIDList=["sts.amazonaws.com"])

    snapshot = see(clients, OIDC_PROVIDER)

    assert made["OpenIDConnectProviderArn"] == snapshot.resource.identifier == snapshot.resource.arn
    assert snapshot["Url"] == url.removeprefix("https://")
    assert snapshot["ClientIdList"] == ["sts.amazonaws.com"]
    matches_cloudformation(snapshot)


# --- calls, and what goes wrong with them ----------------------------------------------------------------------------

EVERY_PART = [
    pytest.param(reader, each, id=f"{reader.type}: {each.gives[0]}")
    for reader in readers.load(NAMES)
    for each in reader.parts
]


@pytest.mark.usefixtures("user", "role", "policy")
@pytest.mark.parametrize("reader", [USER, ROLE, MANAGED_POLICY], ids=lambda reader: reader.type)
def test_the_calls_made_are_those_declared(clients: AwsClients, iam: Any, calls: list[str], reader: Reader) -> None:
    iam.create_access_key(UserName="ada")
    iam.put_user_policy(UserName="ada", PolicyName="inline", PolicyDocument=json.dumps(READS))
    iam.put_role_policy(RoleName="deploy", PolicyName="inline", PolicyDocument=json.dumps(READS))
    calls.clear()

    see(clients, reader)

    assert sorted(calls) == sorted(call for each in reader.parts for call in each.calls)


@pytest.mark.usefixtures("user")
def test_only_what_is_asked_is_read(clients: AwsClients, calls: list[str]) -> None:
    calls.clear()

    see(clients, USER, part("Observed.MfaDevices"))

    assert sorted(calls) == ["iam.GetUser", "iam.ListMFADevices"]


@pytest.mark.parametrize("reader", [USER, ROLE, MANAGED_POLICY], ids=lambda reader: reader.type)
def test_what_is_not_there_is_gone(clients: AwsClients, reader: Reader) -> None:
    assert isinstance(look(clients, reader), Gone)


@pytest.mark.parametrize("code", ["NoSuchEntity", "ValidationError", "InvalidInput"])
@pytest.mark.parametrize(("reader", "each"), EVERY_PART)
def test_a_name_that_iam_does_not_know_is_gone_whichever_call_finds_out(
    client: Any, reader: Reader, each: Part, code: str
) -> None:
    with Stubber(client) as stubber:
        stubber.add_client_error(_method(each), code, http_status_code=400)
        if "Observed.LoginProfile" in each.gives:
            # There may be a user all the same; the call that asks for the user finds out.
            assert each.read(lambda *_: client, resource_of(reader)) == {}
            return
        with pytest.raises(readers.ResourceGone):
            each.read(lambda *_: client, resource_of(reader))


@pytest.mark.parametrize(("reader", "each"), EVERY_PART)
def test_a_refused_call_leaves_unread_what_it_would_have_answered(client: Any, reader: Reader, each: Part) -> None:
    alone = Reader(reader.type, reader.responder, reader.arn, (each,), ())
    with Stubber(client) as stubber:
        stubber.add_client_error(_method(each), "AccessDenied", http_status_code=403)
        snapshot = see(lambda *_: client, alone)

    assert set(snapshot.unread) == set(each.gives)


@pytest.mark.parametrize(("reader", "each"), EVERY_PART)
def test_a_throttled_call_rises(client: Any, reader: Reader, each: Part) -> None:
    alone = Reader(reader.type, reader.responder, reader.arn, (each,), ())
    with Stubber(client) as stubber:
        stubber.add_client_error(_method(each), "Throttling")
        with pytest.raises(ClientError, match="Throttling"):
            look(lambda *_: client, alone)


@pytest.mark.parametrize("code", ["AccessDenied", "Throttling"])
def test_an_inline_policy_that_may_not_be_read_is_not_left_out(client: Any, code: str) -> None:
    """Otherwise what is written in it would be taken for harmless."""
    with Stubber(client) as stubber:
        stubber.add_response("list_user_policies", {"PolicyNames": ["a"]})
        stubber.add_client_error("get_user_policy", code)
        with pytest.raises(ClientError, match=code):
            part("Policies").read(lambda *_: client, resource_of(USER))


def _method(each: Part) -> str:
    """The client's method for the first call of a part."""
    operation = next(iter(each.calls)).partition(".")[2]
    for shout, said in {"MFA": "Mfa", "SAML": "Saml", "OpenIDC": "OpenIdC"}.items():
        operation = operation.replace(shout, said)
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).removeprefix("_")


# --- what touches them -----------------------------------------------------------------------------------------------

USER_ARN = f"arn:aws:iam::{ACCOUNT}:user/people/grace"
TOUCHED = [
    ("CreateUser", {"userName": "ada"}, [("User", "ada")]),
    ("UpdateUser", {"userName": "ada", "newUserName": "lovelace"}, [("User", "ada"), ("User", "lovelace")]),
    ("AddUserToGroup", {"userName": "ada", "groupName": "admin"}, [("User", "ada")]),
    ("DeactivateMFADevice", {"userName": "ada", "serialNumber": "GAHT1"}, [("User", "ada")]),
    ("DeactivateMFADevice", {"serialNumber": "GAHT1"}, [("User", "grace")]),
    ("ChangePassword", None, [("User", "grace")]),
    ("DeleteAccessKey", {"accessKeyId": "AKIA1"}, [("User", "grace")]),
    ("DeleteAccessKey", {"accessKeyId": "AKIA1", "userName": "ada"}, [("User", "ada")]),
    (
        "AttachUserPolicy",
        {"userName": "ada", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
        [("User", "ada")],
    ),
    (
        "AttachUserPolicy",
        {"userName": "ada", "policyArn": POLICY_ARN},
        [("ManagedPolicy", POLICY_ARN), ("User", "ada")],
    ),
    (
        "AttachGroupPolicy",
        {"groupName": "admin", "policyArn": POLICY_ARN},
        [("Group", "admin"), ("ManagedPolicy", POLICY_ARN)],
    ),
    (
        "DetachGroupPolicy",
        {"groupName": "admin", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
        [("Group", "admin")],
    ),
    ("PutGroupPolicy", {"groupName": "admin", "policyName": "p", "policyDocument": "{}"}, [("Group", "admin")]),
    ("UpdateGroup", {"groupName": "admin", "newGroupName": "owners"}, [("Group", "admin"), ("Group", "owners")]),
    ("UpdateSAMLProvider", {"sAMLProviderArn": SAML_ARN}, [("SAMLProvider", SAML_ARN)]),
    (
        "AddClientIDToOpenIDConnectProvider",
        {"openIDConnectProviderArn": OIDC_ARN, "clientID": "sts.amazonaws.com"},
        [("OIDCProvider", OIDC_ARN)],
    ),
    ("UpdateAssumeRolePolicy", {"roleName": "deploy", "policyDocument": "{}"}, [("Role", "deploy")]),
    (
        "PutRolePermissionsBoundary",
        {"roleName": "deploy", "permissionsBoundary": POLICY_ARN},
        [("ManagedPolicy", POLICY_ARN), ("Role", "deploy")],
    ),
    ("SetDefaultPolicyVersion", {"policyArn": POLICY_ARN, "versionId": "v1"}, [("ManagedPolicy", POLICY_ARN)]),
    ("TagPolicy", {"policyArn": POLICY_ARN, "tags": []}, [("ManagedPolicy", POLICY_ARN)]),
]


def interpreted(name: str, asked: Any, answered: Any = None) -> Any:
    grace = {"type": "IAMUser", "userName": "grace", "arn": USER_ARN, "accountId": ACCOUNT}
    where = {"awsRegion": REGION, "recipientAccountId": ACCOUNT, "userIdentity": grace}
    return interpret(a_call("iam", name, asked, answered, **where), TouchIndex.of(readers.load(NAMES)))


def touched(change: Any) -> list[tuple[str, str]]:
    assert isinstance(change, Change), change
    return sorted((each.resource.type.rpartition(":")[2], each.resource.identifier) for each in change.touched)


@pytest.mark.parametrize(("name", "asked", "resources"), TOUCHED)
def test_calls_name_what_they_touch(name: str, asked: Any, resources: list[tuple[str, str]]) -> None:
    assert touched(interpreted(name, asked)) == resources


def test_what_is_made_without_a_name_is_named_by_the_answer() -> None:
    key = interpreted("CreateAccessKey", None, {"accessKey": {"accessKeyId": "AKIA1", "userName": "ada"}})
    policy = interpreted("CreatePolicy", {"policyName": "read"}, {"policy": {"arn": POLICY_ARN, "policyName": "read"}})

    saml = interpreted("CreateSAMLProvider", {"name": "okta"}, {"sAMLProviderArn": SAML_ARN})
    oidc = interpreted("CreateOpenIDConnectProvider", {"url": "u"}, {"openIDConnectProviderArn": OIDC_ARN})

    assert touched(key) == [("User", "ada")]
    assert touched(saml) == [("SAMLProvider", SAML_ARN)]
    assert touched(oidc) == [("OIDCProvider", OIDC_ARN)]
    assert touched(policy) == [("ManagedPolicy", POLICY_ARN)]


def test_what_is_of_aws_touches_nothing_of_ours() -> None:
    made = interpreted("CreateServiceLinkedRole", {"aWSServiceName": "support.amazonaws.com"})

    assert not isinstance(made, Change)
