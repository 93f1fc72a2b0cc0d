"""Pools of users, and of identities that AWS gives its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, pages, present, same, tags_of

_USERS, _IDENTITIES = "cognito-idp.amazonaws.com", "cognito-identity.amazonaws.com"
_GONE = ("ResourceNotFoundException", "InvalidParameterException", "ValidationException")
_PASSWORD = ("MinimumLength", "RequireLowercase", "RequireNumbers", "RequireSymbols", "RequireUppercase")


def _user_pool(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(clients("cognito-idp", resource.region), "describe_user_pool", _GONE, UserPoolId=resource.identifier)
    pool = found["UserPool"]
    add_ons = pool.get("UserPoolAddOns", {})
    return {
        "UserPoolId": pool["Id"],
        "UserPoolName": pool["Name"],
        **present(DeletionProtection=pool.get("DeletionProtection"), MfaConfiguration=pool.get("MfaConfiguration")),
        "Policies": {"PasswordPolicy": same(pool.get("Policies", {}).get("PasswordPolicy", {}), *_PASSWORD)},
        "UserPoolAddOns": same(add_ons, "AdvancedSecurityMode"),
        "Tags": tags_of(pool.get("UserPoolTags")),
        "Observed": present(
            CustomAuthMode=add_ons.get("AdvancedSecurityAdditionalFlows", {}).get("CustomAuthMode"),
            SelfSignUp=not pool.get("AdminCreateUserConfig", {}).get("AllowAdminCreateUserOnly", False),
        ),
    }


def _user_pools(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("cognito-idp", region), "list_user_pools", "UserPools", 60):
        yield [each["Id"] for each in page]


_AT_POOL = ("requestParameters.userPoolId",)
_OF_POOL = ("DeletionProtection", "MfaConfiguration", "Policies", "UserPoolAddOns")
_OBSERVED = ("Observed.CustomAuthMode", "Observed.SelfSignUp")

USER_POOL = Reader(
    type="AWS::Cognito::UserPool",
    responder="identity",
    arn="arn:{partition}:cognito-idp:{region}:{account}:userpool/{identifier}",
    parts=(
        Part(
            gives=("UserPoolId", "UserPoolName", "Tags", *_OF_POOL, *_OBSERVED),
            calls={"cognito-idp.DescribeUserPool": "cognito-idp:DescribeUserPool"},
            read=_user_pool,
        ),
    ),
    touches=(
        Touch(_USERS, ("CreateUserPool",), ("responseElements.userPool.id",), EVERYTHING),
        # The replica's ARN has the Region that it is in.
        Touch(
            _USERS,
            ("CreateUserPoolReplica", "DeleteUserPoolReplica"),
            ("responseElements.userPoolReplica.userPoolArn",),
            EVERYTHING,
        ),
        Touch(_USERS, ("DeleteUserPool",), _AT_POOL, EVERYTHING),
        Touch(_USERS, ("UpdateUserPool",), _AT_POOL, (*_OF_POOL, *_OBSERVED)),
        Touch(_USERS, ("SetUserPoolMfaConfig",), _AT_POOL, ("MfaConfiguration",)),
        Touch(
            _USERS,
            (
                *("CreateUserPoolClient", "DeleteUserPoolClient", "UpdateUserPoolClient", "SetRiskConfiguration"),
                *("CreateIdentityProvider", "DeleteIdentityProvider", "UpdateIdentityProvider"),
                *("AddUserPoolClientSecret", "DeleteUserPoolClientSecret"),
            ),
            _AT_POOL,
        ),
        Touch(_USERS, ("TagResource", "UntagResource"), ("requestParameters.resourceArn",), ("Tags",)),
    ),
    inventory=Inventory(calls={"cognito-idp.ListUserPools": "cognito-idp:ListUserPools"}, pages=_user_pools),
)


def _identity_pool(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    client = clients("cognito-identity", resource.region)
    pool = asked(client, "describe_identity_pool", _GONE, IdentityPoolId=resource.identifier)
    return {
        "Id": pool["IdentityPoolId"],
        "IdentityPoolName": pool["IdentityPoolName"],
        "AllowUnauthenticatedIdentities": pool["AllowUnauthenticatedIdentities"],
        "AllowClassicFlow": pool.get("AllowClassicFlow", False),
        "Tags": tags_of(pool.get("IdentityPoolTags")),
    }


def _identity_pools(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("cognito-identity", region), "list_identity_pools", "IdentityPools", 60):
        yield [each["IdentityPoolId"] for each in page]


_AT_IDENTITIES = ("requestParameters.identityPoolId",)
_ALLOWED = ("AllowUnauthenticatedIdentities", "AllowClassicFlow")

IDENTITY_POOL = Reader(
    type="AWS::Cognito::IdentityPool",
    responder="identity",
    arn="arn:{partition}:cognito-identity:{region}:{account}:identitypool/{identifier!s}",
    parts=(
        Part(
            gives=("Id", "IdentityPoolName", "Tags", *_ALLOWED),
            calls={"cognito-identity.DescribeIdentityPool": "cognito-identity:DescribeIdentityPool"},
            read=_identity_pool,
        ),
    ),
    touches=(
        Touch(_IDENTITIES, ("CreateIdentityPool",), ("responseElements.identityPoolId",), EVERYTHING),
        Touch(_IDENTITIES, ("DeleteIdentityPool",), _AT_IDENTITIES, EVERYTHING),
        Touch(_IDENTITIES, ("UpdateIdentityPool",), _AT_IDENTITIES, _ALLOWED),
        Touch(_IDENTITIES, ("SetIdentityPoolRoles", "SetPrincipalTagAttributeMap"), _AT_IDENTITIES),
        Touch(_IDENTITIES, ("TagResource", "UntagResource"), ("requestParameters.resourceArn",), ("Tags",)),
    ),
    inventory=Inventory(
        calls={"cognito-identity.ListIdentityPools": "cognito-identity:ListIdentityPools"}, pages=_identity_pools
    ),
)

READERS: tuple[Reader, ...] = (USER_POOL, IDENTITY_POOL)
