"""Permission sets of IAM Identity Center: what people may do in the accounts to which they are assigned.

In each account that it is provisioned to a permission set is a role that AWS keeps (`AWSReservedSSO_...`); what that
role may do is written here alone. They are the account's that has the instance of Identity Center. A delegated
administrator may read and change them too, which its own events tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

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
    ),
    # Not here: CreateAccountAssignment, DeleteAccountAssignment and ProvisionPermissionSet, which give to accounts and
    # people what a permission set is, and write nothing of it.
    touches=(
        Touch(_SOURCE, ("CreatePermissionSet",), ("responseElements.permissionSet.permissionSetArn",), EVERYTHING),
        Touch(_SOURCE, ("DeletePermissionSet",), _AT, EVERYTHING),
        Touch(_SOURCE, ("UpdatePermissionSet",), _AT, ("Description", "SessionDuration", "RelayStateType")),
        Touch(
            _SOURCE,
            ("AttachManagedPolicyToPermissionSet", "DetachManagedPolicyFromPermissionSet"),
            _AT,
            ("ManagedPolicies",),
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
            ("InlinePolicy",),
        ),
        Touch(
            _SOURCE,
            ("PutPermissionsBoundaryToPermissionSet", "DeletePermissionsBoundaryFromPermissionSet"),
            _AT,
            ("PermissionsBoundary",),
        ),
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
