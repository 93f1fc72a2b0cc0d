"""The organization's policies: what its accounts may do at most, and what is settled for all of them.

They are the management account's, whichever account asks. A delegated administrator may read and change them too, which
its own events tell; a sweep lists them where they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import UNREAD, Clients, Inventory, Part, Reader, home_region
from demarc.readers.answers import asked, configured, every, pages, same, tags

Answer = Mapping[str, Any]

_SOURCE = "organizations.amazonaws.com"

# An id that Organizations calls malformed is no policy's, and where there is no organization there are no policies.
_NO_ORGANIZATION = "AWSOrganizationsNotInUseException"
_GONE = ("PolicyNotFoundException", "TargetNotFoundException", "InvalidInputException", _NO_ORGANIZATION)

# Each kind of policy is listed by itself (AWS Organizations API Reference, "ListPolicies").
_KINDS = (
    *("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY", "DECLARATIVE_POLICY_EC2", "AISERVICES_OPT_OUT_POLICY"),
    *("BACKUP_POLICY", "TAG_POLICY", "CHATBOT_POLICY", "SECURITYHUB_POLICY", "INSPECTOR_POLICY", "GUARDDUTY_POLICY"),
    *("BEDROCK_POLICY", "S3_POLICY", "NETWORK_SECURITY_DIRECTOR_POLICY", "UPGRADE_ROLLOUT_POLICY"),
)

# What Organizations answers where a partition does not have that kind.
_NO_SUCH_KIND = ("InvalidInputException", "UnsupportedAPIEndpointException")


def _organizations(clients: Clients, resource: Resource) -> Any:
    return clients("organizations", home_region(resource.region))


def _policy(clients: Clients, resource: Resource) -> Answer:
    client = _organizations(clients, resource)
    policy = asked(client, "describe_policy", _GONE, PolicyId=resource.identifier)["Policy"]
    summary = policy.get("PolicySummary", {})
    found = same(summary, "Id", "Arn", "Name", "Description", "Type", "AwsManaged")
    try:
        content = json.loads(policy.get("Content") or "{}")
    except ValueError:
        content = None
    if not isinstance(content, dict):
        return {**found, UNREAD: {"Content": "it is not a JSON object"}}
    return {**found, "Content": content}


def _targets(clients: Clients, resource: Resource) -> Answer:
    client = _organizations(clients, resource)
    targets = every(client, "list_targets_for_policy", "Targets", _GONE, PolicyId=resource.identifier)
    return {"TargetIds": [each["TargetId"] for each in targets if "TargetId" in each]}


def _tags(clients: Clients, resource: Resource) -> Answer:
    client = _organizations(clients, resource)
    return {"Tags": tags(every(client, "list_tags_for_resource", "Tags", _GONE, ResourceId=resource.identifier))}


def _policies(clients: Clients, account: str, region: str) -> Iterator[Sequence[str]]:
    """The account's own, if it manages an organization; AWS's are everybody's, and nobody's to change."""
    if region != home_region(region):
        return
    client = clients("organizations", region)
    organization = configured(client, "describe_organization", (_NO_ORGANIZATION,)).get("Organization", {})
    if organization.get("MasterAccountId") != account:
        return
    for kind in _KINDS:
        yield from _of_kind(client, kind)


def _of_kind(client: Any, kind: str) -> Iterator[Sequence[str]]:
    try:
        for page in pages(client, "list_policies", "Policies", Filter=kind):
            yield [each["Id"] for each in page if not each.get("AwsManaged", False)]
    except ClientError as error:
        if error.response["Error"]["Code"] not in _NO_SUCH_KIND:
            raise


_AT = ("requestParameters.policyId",)

POLICY = Reader(
    type="AWS::Organizations::Policy",
    responder="identity",
    regional=False,
    arn="arn:{partition}:organizations::{account}:policy/*/*/{identifier}",
    parts=(
        Part(
            gives=("Id", "Arn", "Name", "Description", "Type", "AwsManaged", "Content"),
            calls={"organizations.DescribePolicy": "organizations:DescribePolicy"},
            read=_policy,
        ),
        Part(
            gives=("TargetIds",),
            calls={"organizations.ListTargetsForPolicy": "organizations:ListTargetsForPolicy"},
            read=_targets,
        ),
        Part(
            gives=("Tags",),
            calls={"organizations.ListTagsForResource": "organizations:ListTagsForResource"},
            read=_tags,
        ),
    ),
    # Not here, because the record names the root and no policy: EnablePolicyType and DisablePolicyType. Nor
    # CreateOrganizationalUnit, MoveAccount and the like, by which a policy reaches others, and stays as it is.
    touches=(
        Touch(_SOURCE, ("CreatePolicy",), ("responseElements.policy.policySummary.id",), EVERYTHING),
        Touch(_SOURCE, ("DeletePolicy",), _AT, EVERYTHING),
        Touch(_SOURCE, ("UpdatePolicy",), _AT, ("Name", "Description", "Content")),
        Touch(_SOURCE, ("AttachPolicy", "DetachPolicy"), _AT, ("TargetIds",)),
        # Accounts, units and roots are tagged by the same calls.
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceId",), ("Tags",), only="p-"),
    ),
    inventory=Inventory(
        calls={
            "organizations.DescribeOrganization": "organizations:DescribeOrganization",
            # Only in the management account.
            "organizations.ListPolicies": "organizations:ListPolicies",
        },
        pages=_policies,
    ),
)

READERS: tuple[Reader, ...] = (POLICY,)
