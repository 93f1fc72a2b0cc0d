"""Permission sets of IAM Identity Center: what people may do in the accounts to which they are assigned, and who is an
administrator by them.

In each account that it is provisioned to a permission set is a role that AWS keeps (`AWSReservedSSO_...`); what that
role may do is written here alone. They are the account's that has the instance of Identity Center. A delegated
administrator may read and change them too, which its own events tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from demarc.core import policy, privilege
from demarc.core.arn import partition_of
from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, configured, document, every, pages, present, same, tags

Answer = Mapping[str, Any]

_SOURCE = "sso.amazonaws.com"

# An ARN that Identity Center calls malformed names nothing: it comes from an event, and events may be made up.
_GONE = ("ResourceNotFoundException", "ValidationException")


def _sso(clients: Clients, resource: Resource) -> Any:
    return clients("sso-admin", resource.region)


def _named(resource: Resource) -> dict[str, str]:
    """A permission set as its API wants it named; `ssoins-.../ps-...` says of which instance it is."""
    instance, _, _ = resource.identifier.partition("/")
    prefix = f"arn:{partition_of(resource.region)}:sso:::"
    return {
        "InstanceArn": f"{prefix}instance/{instance}",
        "PermissionSetArn": f"{prefix}permissionSet/{resource.identifier}",
    }


def _permission_set(clients: Clients, resource: Resource) -> Answer:
    found = asked(_sso(clients, resource), "describe_permission_set", _GONE, **_named(resource))["PermissionSet"]
    return {
        **_named(resource),
        **same(found, "Name", "Description", "SessionDuration"),
        **present(RelayStateType=found.get("RelayState")),
    }


def _managed_policies(clients: Clients, resource: Resource) -> Answer:
    method, key = "list_managed_policies_in_permission_set", "AttachedManagedPolicies"
    attached = every(_sso(clients, resource), method, key, _GONE, **_named(resource))
    return {"ManagedPolicies": [each["Arn"] for each in attached if "Arn" in each]}


def _references(clients: Clients, resource: Resource) -> Answer:
    method, key = "list_customer_managed_policy_references_in_permission_set", "CustomerManagedPolicyReferences"
    found = every(_sso(clients, resource), method, key, _GONE, **_named(resource))
    return {key: [same(each, "Name", "Path") for each in found]}


def _inline_policy(clients: Clients, resource: Resource) -> Answer:
    method = "get_inline_policy_for_permission_set"
    found = asked(_sso(clients, resource), method, _GONE, **_named(resource))
    return present(InlinePolicy=document(found.get("InlinePolicy")))


def _boundary(clients: Clients, resource: Resource) -> Answer:
    """A permission set without a boundary is told as one that is not found; that it is gone another part tells."""
    method = "get_permissions_boundary_for_permission_set"
    found = configured(_sso(clients, resource), method, _GONE, **_named(resource)).get("PermissionsBoundary")
    return present(PermissionsBoundary=found or None)


def _tags(clients: Clients, resource: Resource) -> Answer:
    named = _named(resource)
    asked_for = {"InstanceArn": named["InstanceArn"], "ResourceArn": named["PermissionSetArn"]}
    return {"Tags": tags(every(_sso(clients, resource), "list_tags_for_resource", "Tags", _GONE, **asked_for))}


# Of how many accounts it is asked who is assigned there, a call each: Identity Center answers twenty calls a second
# (IAM Identity Center User Guide, "Quotas"), and a responder has a minute for all that it was handed.
MOST_ACCOUNTS = 200


def _administrators(clients: Clients, resource: Resource) -> Answer:
    """Who is assigned in which accounts, and in how many more it was not asked; nobody, where it makes none.

    So nothing is asked about the many that allow less than everything. People are ids here, as they are in the API.
    """
    accounts: list[str] = []
    if _makes_administrators(clients, resource):
        method = "list_accounts_for_provisioned_permission_set"
        accounts = every(_sso(clients, resource), method, "AccountIds", _GONE, **_named(resource))
    found: dict[tuple[str, str], list[str]] = {}
    for account in accounts[:MOST_ACCOUNTS]:
        for each in _assigned(clients, resource, account):
            found.setdefault((each.get("PrincipalType", ""), each.get("PrincipalId", "")), []).append(account)
    return {
        "Observed": {
            "Administrators": [
                {"PrincipalType": kind, "PrincipalId": identifier, "Accounts": where}
                for (kind, identifier), where in sorted(found.items())
            ],
            "UnaskedAccounts": len(accounts[MOST_ACCOUNTS:]),
        }
    }


def _makes_administrators(clients: Clients, resource: Resource) -> bool:
    attached = _managed_policies(clients, resource)["ManagedPolicies"]
    if any(arn.rpartition("/")[2] == privilege.ADMINISTRATOR for arn in attached):
        return True
    written = _inline_policy(clients, resource).get("InlinePolicy")
    if written is None:
        return False
    try:
        return any(privilege.full_administration(policy.parse(written)))
    except policy.PolicyUnreadable:
        # It may; who judges it is told that it makes no sense.
        return True


def _assigned(clients: Clients, resource: Resource, account: str) -> list[Any]:
    method, key = "list_account_assignments", "AccountAssignments"
    return every(_sso(clients, resource), method, key, _GONE, **_named(resource), AccountId=account)


def _permission_sets(clients: Clients, account: str, region: str) -> Iterator[Sequence[str]]:
    """Those of the instances that are the account's: members of an organization see its instance, and no more of it."""
    client = clients("sso-admin", region)
    for instances in pages(client, "list_instances", "Instances"):
        for instance in instances:
            if instance.get("OwnerAccountId") == account:
                yield from _of_instance(client, instance["InstanceArn"])


def _of_instance(client: Any, arn: str) -> Iterator[Sequence[str]]:
    try:
        for page in pages(client, "list_permission_sets", "PermissionSets", InstanceArn=arn):
            yield [each.rpartition(":permissionSet/")[2] for each in page]
    except ClientError as error:
        # An account's own instance has no permission sets, and calls the question malformed (IAM Identity Center User
        # Guide, "Account instances of IAM Identity Center"). One that is gone since it was listed has none either.
        if error.response["Error"]["Code"] not in _GONE:
            raise


_AT = ("requestParameters.permissionSetArn",)
_ADMINISTRATORS = ("Observed.Administrators", "Observed.UnaskedAccounts")


def _part(read: Any, *gives: str, operation: str) -> Part:
    return Part(gives=gives, calls={f"sso-admin.{operation}": f"sso:{operation}"}, read=read)


PERMISSION_SET = Reader(
    type="AWS::SSO::PermissionSet",
    responder="identity",
    arn="arn:{partition}:sso:::permissionSet/{identifier!s}",
    parts=(
        _part(
            _permission_set,
            *("InstanceArn", "PermissionSetArn", "Name", "Description", "SessionDuration", "RelayStateType"),
            operation="DescribePermissionSet",
        ),
        _part(_managed_policies, "ManagedPolicies", operation="ListManagedPoliciesInPermissionSet"),
        _part(
            _references,
            "CustomerManagedPolicyReferences",
            operation="ListCustomerManagedPolicyReferencesInPermissionSet",
        ),
        _part(_inline_policy, "InlinePolicy", operation="GetInlinePolicyForPermissionSet"),
        _part(_boundary, "PermissionsBoundary", operation="GetPermissionsBoundaryForPermissionSet"),
        _part(_tags, "Tags", operation="ListTagsForResource"),
        Part(
            gives=_ADMINISTRATORS,
            calls={
                f"sso-admin.{operation}": f"sso:{operation}"
                for operation in (
                    "ListManagedPoliciesInPermissionSet",
                    "GetInlinePolicyForPermissionSet",
                    # Only of one that makes administrators.
                    "ListAccountsForProvisionedPermissionSet",
                    "ListAccountAssignments",
                )
            },
            read=_administrators,
        ),
    ),
    # Not here: ProvisionPermissionSet, which gives to accounts what a permission set is, and writes nothing of it.
    touches=(
        Touch(_SOURCE, ("CreatePermissionSet",), ("responseElements.permissionSet.permissionSetArn",), EVERYTHING),
        Touch(_SOURCE, ("DeletePermissionSet",), _AT, EVERYTHING),
        Touch(_SOURCE, ("UpdatePermissionSet",), _AT, ("Description", "SessionDuration", "RelayStateType")),
        Touch(
            _SOURCE,
            ("AttachManagedPolicyToPermissionSet", "DetachManagedPolicyFromPermissionSet"),
            _AT,
            ("ManagedPolicies", *_ADMINISTRATORS),
        ),
        Touch(
            _SOURCE,
            (
                "AttachCustomerManagedPolicyReferenceToPermissionSet",
                "DetachCustomerManagedPolicyReferenceFromPermissionSet",
            ),
            _AT,
            ("CustomerManagedPolicyReferences",),
        ),
        Touch(
            _SOURCE,
            ("PutInlinePolicyToPermissionSet", "DeleteInlinePolicyFromPermissionSet"),
            _AT,
            ("InlinePolicy", *_ADMINISTRATORS),
        ),
        Touch(
            _SOURCE,
            ("PutPermissionsBoundaryToPermissionSet", "DeletePermissionsBoundaryFromPermissionSet"),
            _AT,
            ("PermissionsBoundary",),
        ),
        # Both answer before it is done. What is not there yet when it is looked at, the sweep sees.
        Touch(_SOURCE, ("CreateAccountAssignment", "DeleteAccountAssignment"), _AT, _ADMINISTRATORS),
        # Instances and applications are tagged by the same calls; their ARNs are of another shape.
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceArn",), ("Tags",)),
    ),
    inventory=Inventory(
        calls={
            "sso-admin.ListInstances": "sso:ListInstances",
            # Only where an instance is the account's.
            "sso-admin.ListPermissionSets": "sso:ListPermissionSets",
        },
        pages=_permission_sets,
    ),
)

READERS: tuple[Reader, ...] = (PERMISSION_SET,)
