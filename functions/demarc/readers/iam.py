"""Users, groups, roles, the policies that we manage and the providers that sign people in: what each is and has on it.

What is attached is named, not opened: a policy of ours is a resource of its own, and AWS's are known by their names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import DENIED, UNREAD, Clients, Inventory, Part, Reader, ResourceGone, home_region
from demarc.readers.answers import every

Answer = Mapping[str, Any]

_IAM = "iam.amazonaws.com"

# A name that IAM calls malformed names nothing either: it comes from an event, and events may be made up.
_NOT_THERE = ("NoSuchEntity", "InvalidInput", "ValidationError")


def _iam(clients: Clients, resource: Resource) -> Any:
    return clients("iam", home_region(resource.region))


def _asked(clients: Clients, resource: Resource, method: str, **named: str) -> Answer:
    """One answer about a resource; where IAM does not know its name, it is gone."""
    try:
        answer: Answer = getattr(_iam(clients, resource), method)(**named)
    except ClientError as error:
        if _is_missing(error):
            raise ResourceGone from error
        raise
    return answer


def _listed(clients: Clients, resource: Resource, method: str, key: str, **named: str) -> list[Any]:
    """All that a list about a resource has, from every page of it."""
    return every(_iam(clients, resource), method, key, _NOT_THERE, **named)


def _is_missing(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in _NOT_THERE


def _configured(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value is not None}


def _moment(time: datetime | None) -> str | None:
    return time.isoformat() if time else None


def _boundary(found: Answer) -> str | None:
    arn: str | None = found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return arn


# The most that IAM lists at once; it may answer with fewer and say that there are more.
_PAGE = 1000

# Where the roles are that AWS's services make for themselves. Nothing on them is anybody's to change but theirs.
_SERVICE_LINKED = "/aws-service-role/"


def _pages(clients: Clients, region: str, method: str, key: str, **asked: str) -> Iterator[Sequence[Answer]]:
    """What is in the account, in the one Region where that is told."""
    if region == home_region(region):
        pages = clients("iam", region).get_paginator(method).paginate(**asked, PaginationConfig={"PageSize": _PAGE})
        yield from (page.get(key, ()) for page in pages)


def _users(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in _pages(clients, region, "list_users", "Users"):
        yield [user["UserName"] for user in page]


def _roles(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in _pages(clients, region, "list_roles", "Roles"):
        yield [role["RoleName"] for role in page if not role["Path"].startswith(_SERVICE_LINKED)]


def _groups(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in _pages(clients, region, "list_groups", "Groups"):
        yield [group["GroupName"] for group in page]


def _providers(method: str, key: str) -> Callable[[Clients, str, str], Iterator[Sequence[str]]]:
    """Providers are few: IAM lists them without pages, as ARNs."""

    def listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
        if region == home_region(region):
            yield [provider["Arn"] for provider in getattr(clients("iam", region), method)().get(key, ())]

    return listed


def _policies(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    """The account's own; AWS's are known by their names and nobody's to change."""
    for page in _pages(clients, region, "list_policies", "Policies", Scope="Local"):
        yield [policy["Arn"] for policy in page]


# --- what users, groups and roles have in common ---------------------------------------------------------------------


def _inline_policies(kind: str) -> Part:
    """The policies written on a user, group or role itself, each of which is a call; `kind` is User, Group or Role."""

    def read(clients: Clients, resource: Resource) -> Answer:
        name = {f"{kind}Name": resource.identifier}
        policies = _listed(clients, resource, f"list_{kind.lower()}_policies", "PolicyNames", **name)
        return {"Policies": list(_documents(_iam(clients, resource), f"get_{kind.lower()}_policy", policies, name))}

    return Part(
        gives=("Policies",),
        calls={
            f"iam.List{kind}Policies": f"iam:List{kind}Policies",
            # Only where there are any.
            f"iam.Get{kind}Policy": f"iam:Get{kind}Policy",
        },
        read=read,
    )


def _documents(iam: Any, method: str, policies: list[str], name: Mapping[str, str]) -> Iterator[Answer]:
    for policy in policies:
        try:
            answer = getattr(iam, method)(PolicyName=policy, **name)
        except ClientError as error:
            if _is_missing(error):  # deleted since it was listed
                continue
            raise
        yield {"PolicyName": policy, "PolicyDocument": answer["PolicyDocument"]}


def _attached_policies(kind: str) -> Part:
    def read(clients: Clients, resource: Resource) -> Answer:
        name = {f"{kind}Name": resource.identifier}
        attached = _listed(clients, resource, f"list_attached_{kind.lower()}_policies", "AttachedPolicies", **name)
        return {"ManagedPolicyArns": [each["PolicyArn"] for each in attached]}

    operation = f"ListAttached{kind}Policies"
    return Part(gives=("ManagedPolicyArns",), calls={f"iam.{operation}": f"iam:{operation}"}, read=read)


# --- users -----------------------------------------------------------------------------------------------------------


def _user(clients: Clients, resource: Resource) -> Answer:
    user = _asked(clients, resource, "get_user", UserName=resource.identifier)["User"]
    found = {
        **{name: user[name] for name in ("UserName", "Path", "Arn")},
        "PermissionsBoundary": _boundary(user),
        "Tags": user.get("Tags", []),
        "Observed": _configured({"PasswordLastUsedAt": _moment(user.get("PasswordLastUsed"))}),
    }
    return _configured(found)


def _password(clients: Clients, resource: Resource) -> Answer:
    """Whether there is a password for the console: under `Observed`, as CloudFormation's word for it has it written."""
    try:
        profile = _iam(clients, resource).get_login_profile(UserName=resource.identifier)["LoginProfile"]
    except ClientError as error:
        # A user that is gone has no password either; whoever reads the user notices.
        if _is_missing(error):
            return {}
        raise
    return {"Observed": {"LoginProfile": {"CreatedAt": _moment(profile["CreateDate"])}}}


def _mfa_devices(clients: Clients, resource: Resource) -> Answer:
    devices = _listed(clients, resource, "list_mfa_devices", "MFADevices", UserName=resource.identifier)
    seen = [{"Kind": _kind(each["SerialNumber"]), "EnabledAt": _moment(each["EnableDate"])} for each in devices]
    return {"Observed": {"MfaDevices": seen}}


def _kind(serial: str) -> str:
    """What sort of device it is; its serial number, often a person's name, stays where it is."""
    if ":mfa/" in serial:
        return "virtual"
    return "passkey" if ":u2f/" in serial else "hardware"


def _access_keys(clients: Clients, resource: Resource) -> Answer:
    keys = _listed(clients, resource, "list_access_keys", "AccessKeyMetadata", UserName=resource.identifier)
    return {"Observed": {"AccessKeys": [_access_key(_iam(clients, resource), key) for key in keys]}}


def _access_key(iam: Any, key: Answer) -> Answer:
    used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
    found = {
        "AccessKeyId": key["AccessKeyId"],
        "Status": key["Status"],
        "CreatedAt": _moment(key["CreateDate"]),
        "LastUsedAt": _moment(used.get("LastUsedDate")),
    }
    return _configured(found)


# Whoever leaves the name out means themselves.
_CALLER = "userIdentity.userName"
_USER = ("requestParameters.userName",)
_USER_OR_CALLER = (*_USER, _CALLER)

USER = Reader(
    type="AWS::IAM::User",
    responder="identity",
    regional=False,
    arn="arn:{partition}:iam::{account}:user/{identifier}",
    parts=(
        Part(
            gives=("UserName", "Path", "Arn", "PermissionsBoundary", "Tags", "Observed.PasswordLastUsedAt"),
            calls={"iam.GetUser": "iam:GetUser"},
            read=_user,
        ),
        Part(
            gives=("Observed.LoginProfile",),
            calls={"iam.GetLoginProfile": "iam:GetLoginProfile"},
            read=_password,
        ),
        Part(
            gives=("Observed.MfaDevices",),
            calls={"iam.ListMFADevices": "iam:ListMFADevices"},
            read=_mfa_devices,
        ),
        Part(
            gives=("Observed.AccessKeys",),
            calls={
                "iam.ListAccessKeys": "iam:ListAccessKeys",
                # Only where there are any.
                "iam.GetAccessKeyLastUsed": "iam:GetAccessKeyLastUsed",
            },
            read=_access_keys,
        ),
        _inline_policies("User"),
        _attached_policies("User"),
    ),
    # Not here: what is attached to, written on or taken from a group, which touches the group and names no user.
    # CreateVirtualMFADevice makes a device of nobody's, and DeleteVirtualMFADevice takes one that is nobody's any more.
    touches=(
        Touch(_IAM, ("CreateUser", "DeleteUser"), _USER, EVERYTHING),
        Touch(_IAM, ("UpdateUser",), _USER, ("UserName", "Path", "Arn")),
        # A rename, after which the user is known by another name.
        Touch(_IAM, ("UpdateUser",), ("requestParameters.newUserName",), EVERYTHING),
        Touch(_IAM, ("PutUserPolicy", "DeleteUserPolicy"), _USER, ("Policies",)),
        Touch(_IAM, ("AttachUserPolicy", "DetachUserPolicy"), _USER, ("ManagedPolicyArns",)),
        Touch(
            _IAM,
            ("PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary"),
            _USER,
            ("PermissionsBoundary",),
        ),
        Touch(_IAM, ("TagUser", "UntagUser"), _USER, ("Tags",)),
        Touch(
            _IAM,
            ("CreateLoginProfile", "UpdateLoginProfile", "DeleteLoginProfile", "ChangePassword"),
            (*_USER, "responseElements.loginProfile.userName", _CALLER),
            ("Observed.LoginProfile",),
        ),
        Touch(_IAM, ("EnableMFADevice", "DeactivateMFADevice"), _USER_OR_CALLER, ("Observed.MfaDevices",)),
        Touch(
            _IAM,
            ("CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey"),
            (*_USER, "responseElements.accessKey.userName", _CALLER),
            ("Observed.AccessKeys",),
        ),
        # These write what no control asks for yet; the user is looked at all the same: somebody is at work on it.
        Touch(
            _IAM,
            (
                *("AddUserToGroup", "RemoveUserFromGroup"),
                *("UploadSSHPublicKey", "UpdateSSHPublicKey", "DeleteSSHPublicKey"),
                *("UploadSigningCertificate", "UpdateSigningCertificate", "DeleteSigningCertificate"),
                *("CreateServiceSpecificCredential", "UpdateServiceSpecificCredential"),
                *("DeleteServiceSpecificCredential", "ResetServiceSpecificCredential"),
            ),
            _USER_OR_CALLER,
        ),
    ),
    inventory=Inventory(calls={"iam.ListUsers": "iam:ListUsers"}, pages=_users),
)

# --- groups ----------------------------------------------------------------------------------------------------------


def _group(clients: Clients, resource: Resource) -> Answer:
    """A group, which IAM lets nobody tag; who is in it is not asked."""
    group = _asked(clients, resource, "get_group", GroupName=resource.identifier)["Group"]
    return {name: group[name] for name in ("GroupName", "Path", "Arn")}


_GROUP = ("requestParameters.groupName",)

GROUP = Reader(
    type="AWS::IAM::Group",
    responder="identity",
    regional=False,
    arn="arn:{partition}:iam::{account}:group/{identifier}",
    parts=(
        Part(gives=("GroupName", "Path", "Arn"), calls={"iam.GetGroup": "iam:GetGroup"}, read=_group),
        _inline_policies("Group"),
        _attached_policies("Group"),
    ),
    # Not here: AddUserToGroup and RemoveUserFromGroup, which change what a user may do, and nothing on the group.
    touches=(
        Touch(_IAM, ("CreateGroup", "DeleteGroup"), _GROUP, EVERYTHING),
        Touch(_IAM, ("UpdateGroup",), _GROUP, ("GroupName", "Path", "Arn")),
        # A rename, after which the group is known by another name.
        Touch(_IAM, ("UpdateGroup",), ("requestParameters.newGroupName",), EVERYTHING),
        Touch(_IAM, ("PutGroupPolicy", "DeleteGroupPolicy"), _GROUP, ("Policies",)),
        Touch(_IAM, ("AttachGroupPolicy", "DetachGroupPolicy"), _GROUP, ("ManagedPolicyArns",)),
    ),
    inventory=Inventory(calls={"iam.ListGroups": "iam:ListGroups"}, pages=_groups),
)

# --- roles -----------------------------------------------------------------------------------------------------------


def _role(clients: Clients, resource: Resource) -> Answer:
    role = _asked(clients, resource, "get_role", RoleName=resource.identifier)["Role"]
    found = {
        **{name: role[name] for name in ("RoleName", "Path", "Arn", "AssumeRolePolicyDocument")},
        "Description": role.get("Description"),
        "MaxSessionDuration": role.get("MaxSessionDuration"),
        "PermissionsBoundary": _boundary(role),
        "Tags": role.get("Tags", []),
    }
    return _configured(found)


_ROLE = ("requestParameters.roleName",)

ROLE = Reader(
    type="AWS::IAM::Role",
    responder="identity",
    regional=False,
    arn="arn:{partition}:iam::{account}:role/{identifier}",
    parts=(
        Part(
            gives=(
                *("RoleName", "Path", "Arn", "Description", "AssumeRolePolicyDocument", "MaxSessionDuration"),
                *("PermissionsBoundary", "Tags"),
            ),
            calls={"iam.GetRole": "iam:GetRole"},
            read=_role,
        ),
        _inline_policies("Role"),
        _attached_policies("Role"),
    ),
    # Not here: CreateServiceLinkedRole and DeleteServiceLinkedRole, since those roles are AWS's from first to last, and
    # AddRoleToInstanceProfile, which writes nothing on the role.
    touches=(
        Touch(_IAM, ("CreateRole", "DeleteRole"), _ROLE, EVERYTHING),
        Touch(_IAM, ("AcquireRole",), ("responseElements.role.roleName",), EVERYTHING),
        Touch(_IAM, ("UpdateAssumeRolePolicy",), _ROLE, ("AssumeRolePolicyDocument",)),
        Touch(_IAM, ("UpdateRole", "UpdateRoleDescription"), _ROLE, ("Description", "MaxSessionDuration")),
        Touch(_IAM, ("PutRolePolicy", "DeleteRolePolicy"), _ROLE, ("Policies",)),
        Touch(_IAM, ("AttachRolePolicy", "DetachRolePolicy"), _ROLE, ("ManagedPolicyArns",)),
        Touch(
            _IAM,
            ("PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary"),
            _ROLE,
            ("PermissionsBoundary",),
        ),
        Touch(_IAM, ("TagRole", "UntagRole"), _ROLE, ("Tags",)),
    ),
    inventory=Inventory(calls={"iam.ListRoles": "iam:ListRoles"}, pages=_roles),
)

# --- policies of ours ------------------------------------------------------------------------------------------------

_SAME = ("Path", "Description", "DefaultVersionId", "AttachmentCount", "PermissionsBoundaryUsageCount", "IsAttachable")


def _policy(clients: Clients, resource: Resource) -> Answer:
    policy = _asked(clients, resource, "get_policy", PolicyArn=resource.identifier)["Policy"]
    found: dict[str, Any] = {
        "PolicyArn": policy["Arn"],
        "ManagedPolicyName": policy["PolicyName"],
        **{name: policy.get(name) for name in _SAME},
        "Tags": policy.get("Tags", []),
    }
    # A version that is gone was replaced a moment ago: the error rises, and the queue has the policy read anew.
    try:
        version = _iam(clients, resource).get_policy_version(
            PolicyArn=resource.identifier, VersionId=policy["DefaultVersionId"]
        )
        found["PolicyDocument"] = version["PolicyVersion"]["Document"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in DENIED:
            raise
        found[UNREAD] = {"PolicyDocument": f"{code}: iam:GetPolicyVersion is not allowed"}
    return _configured(found)


_POLICY = ("requestParameters.policyArn",)

MANAGED_POLICY = Reader(
    type="AWS::IAM::ManagedPolicy",
    responder="identity",
    regional=False,
    arn="{identifier}",
    parts=(
        Part(
            gives=("PolicyArn", "ManagedPolicyName", *_SAME, "PolicyDocument", "Tags"),
            calls={"iam.GetPolicy": "iam:GetPolicy", "iam.GetPolicyVersion": "iam:GetPolicyVersion"},
            read=_policy,
        ),
    ),
    # Not here, because the record does not name the policy: DeleteUserPermissionsBoundary and
    # DeleteRolePermissionsBoundary, and the deletion of whatever it was a boundary of. AWS's own policies are named by
    # the same calls, and are nobody's to change.
    touches=(
        Touch(_IAM, ("CreatePolicy",), ("responseElements.policy.arn",), EVERYTHING),
        Touch(_IAM, ("DeletePolicy",), _POLICY, EVERYTHING),
        Touch(
            _IAM,
            ("CreatePolicyVersion", "SetDefaultPolicyVersion"),
            _POLICY,
            ("DefaultVersionId", "PolicyDocument"),
        ),
        # Only versions that are not the default can be deleted.
        Touch(_IAM, ("DeletePolicyVersion",), _POLICY),
        Touch(
            _IAM,
            (
                *("AttachGroupPolicy", "AttachRolePolicy", "AttachUserPolicy"),
                *("DetachGroupPolicy", "DetachRolePolicy", "DetachUserPolicy"),
            ),
            _POLICY,
            ("AttachmentCount",),
        ),
        Touch(
            _IAM,
            ("CreateRole", "CreateUser", "PutRolePermissionsBoundary", "PutUserPermissionsBoundary"),
            ("requestParameters.permissionsBoundary",),
            ("PermissionsBoundaryUsageCount",),
        ),
        Touch(_IAM, ("TagPolicy", "UntagPolicy"), _POLICY, ("Tags",)),
    ),
    inventory=Inventory(calls={"iam.ListPolicies": "iam:ListPolicies"}, pages=_policies),
)

# --- who signs people and machines in for us -------------------------------------------------------------------------


def _saml_provider(clients: Clients, resource: Resource) -> Answer:
    """What a provider's metadata says is kept by IAM; until when it counts, and how assertions come, is kept here."""
    provider = _asked(clients, resource, "get_saml_provider", SAMLProviderArn=resource.identifier)
    keys = [
        {"KeyId": key.get("KeyId"), "Timestamp": _moment(key.get("Timestamp"))}
        for key in provider.get("PrivateKeyList", ())
    ]
    found = {
        "Arn": resource.identifier,
        "Name": resource.identifier.rpartition("/")[2],
        "SamlProviderUUID": provider.get("SAMLProviderUUID"),
        "AssertionEncryptionMode": provider.get("AssertionEncryptionMode"),
        "PrivateKeyList": [_configured(key) for key in keys],
        "Tags": provider.get("Tags", []),
        "Observed": _configured({"ValidUntil": _moment(provider.get("ValidUntil"))}),
    }
    return _configured(found)


# The provider's ARN is its identifier, as CloudFormation has it; without one the record names none.
_SAML_PROVIDER = ("requestParameters.sAMLProviderArn",)

SAML_PROVIDER = Reader(
    type="AWS::IAM::SAMLProvider",
    responder="identity",
    regional=False,
    arn="{identifier}",
    parts=(
        Part(
            gives=(
                *("Arn", "Name", "SamlProviderUUID", "AssertionEncryptionMode", "PrivateKeyList", "Tags"),
                "Observed.ValidUntil",
            ),
            calls={"iam.GetSAMLProvider": "iam:GetSAMLProvider"},
            read=_saml_provider,
        ),
    ),
    touches=(
        Touch(_IAM, ("CreateSAMLProvider",), ("responseElements.sAMLProviderArn",), EVERYTHING),
        Touch(_IAM, ("DeleteSAMLProvider",), _SAML_PROVIDER, EVERYTHING),
        Touch(
            _IAM,
            ("UpdateSAMLProvider",),
            _SAML_PROVIDER,
            ("AssertionEncryptionMode", "PrivateKeyList", "Observed.ValidUntil"),
        ),
        Touch(_IAM, ("TagSAMLProvider", "UntagSAMLProvider"), _SAML_PROVIDER, ("Tags",)),
    ),
    inventory=Inventory(
        calls={"iam.ListSAMLProviders": "iam:ListSAMLProviders"},
        pages=_providers("list_saml_providers", "SAMLProviderList"),
    ),
)


def _oidc_provider(clients: Clients, resource: Resource) -> Answer:
    name = {"OpenIDConnectProviderArn": resource.identifier}
    provider = _asked(clients, resource, "get_open_id_connect_provider", **name)
    found = {
        "Arn": resource.identifier,
        # Without its scheme: IAM takes none but https.
        "Url": provider.get("Url"),
        "ClientIdList": provider.get("ClientIDList", []),
        "ThumbprintList": provider.get("ThumbprintList", []),
        "Tags": provider.get("Tags", []),
    }
    return _configured(found)


_OIDC_PROVIDER = ("requestParameters.openIDConnectProviderArn",)

OIDC_PROVIDER = Reader(
    type="AWS::IAM::OIDCProvider",
    responder="identity",
    regional=False,
    # Its name is its issuer, which has slashes that are no path: the ARN is the identifier.
    arn="{identifier}",
    parts=(
        Part(
            gives=("Arn", "Url", "ClientIdList", "ThumbprintList", "Tags"),
            calls={"iam.GetOpenIDConnectProvider": "iam:GetOpenIDConnectProvider"},
            read=_oidc_provider,
        ),
    ),
    touches=(
        Touch(_IAM, ("CreateOpenIDConnectProvider",), ("responseElements.openIDConnectProviderArn",), EVERYTHING),
        Touch(_IAM, ("DeleteOpenIDConnectProvider",), _OIDC_PROVIDER, EVERYTHING),
        Touch(
            _IAM,
            ("AddClientIDToOpenIDConnectProvider", "RemoveClientIDFromOpenIDConnectProvider"),
            _OIDC_PROVIDER,
            ("ClientIdList",),
        ),
        Touch(_IAM, ("UpdateOpenIDConnectProviderThumbprint",), _OIDC_PROVIDER, ("ThumbprintList",)),
        Touch(_IAM, ("TagOpenIDConnectProvider", "UntagOpenIDConnectProvider"), _OIDC_PROVIDER, ("Tags",)),
    ),
    inventory=Inventory(
        calls={"iam.ListOpenIDConnectProviders": "iam:ListOpenIDConnectProviders"},
        pages=_providers("list_open_id_connect_providers", "OpenIDConnectProviderList"),
    ),
)

READERS: tuple[Reader, ...] = (USER, GROUP, ROLE, MANAGED_POLICY, SAML_PROVIDER, OIDC_PROVIDER)
