"""Documents and parameters of Systems Manager that are ours, and how far managed instances are patched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import DENIED, UNREAD, Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, configured, document, page_by_page, pages, present, same, tags, the_one

_SOURCE = "ssm.amazonaws.com"
_GONE = ("InvalidDocument", "InvalidDocumentOperation", "ValidationException", "InvalidResourceId")


def _client(clients: Clients, resource: Resource) -> Any:
    return clients("ssm", resource.region)


def _document(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(_client(clients, resource), "describe_document", _GONE, Name=resource.identifier)["Document"]
    return {
        **same(found, "DocumentType", "Name"),
        "Tags": tags(found.get("Tags")),
        "Observed": present(Owner=found.get("Owner")),
    }


def _shared(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """Whom the document is given to: accounts by their ids, and `all` for everybody."""
    wanted = {"Name": resource.identifier, "PermissionType": "Share"}
    found = page_by_page(_client(clients, resource), "describe_document_permission", _GONE, **wanted)
    given = [each.lower() for page in found for each in page.get("AccountIds", ())]
    return {"Observed": {"SharedWith": sorted(given)}}


def _documents(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    own = [{"Key": "Owner", "Values": ["Self"]}]
    for page in pages(clients("ssm", region), "list_documents", "DocumentIdentifiers", 50, Filters=own):
        yield [each["Name"] for each in page]


_NAMED = ("requestParameters.name",)

DOCUMENT = Reader(
    type="AWS::SSM::Document",
    responder="compute",
    arn="arn:{partition}:ssm:{region}:{account}:document/{identifier}",
    parts=(
        Part(
            gives=("DocumentType", "Name", "Tags", "Observed.Owner"),
            calls={"ssm.DescribeDocument": "ssm:DescribeDocument"},
            read=_document,
        ),
        Part(
            gives=("Observed.SharedWith",),
            calls={"ssm.DescribeDocumentPermission": "ssm:DescribeDocumentPermission"},
            read=_shared,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateDocument", "DeleteDocument"), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("ModifyDocumentPermission",), _NAMED, ("Observed.SharedWith",)),
        Touch(_SOURCE, ("UpdateDocument", "UpdateDocumentDefaultVersion"), _NAMED),
        Touch(_SOURCE, ("AddTagsToResource", "RemoveTagsFromResource"), ("requestParameters.resourceId",), ("Tags",)),
    ),
    inventory=Inventory(calls={"ssm.ListDocuments": "ssm:ListDocuments"}, pages=_documents),
)


def _instance(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """Whether the instance is as Systems Manager was told to keep it; nothing where that was never asked."""
    its_own = [{"Key": "ResourceId", "Values": [resource.identifier], "Type": "EQUAL"}]
    client = _client(clients, resource)
    found = pages(client, "list_resource_compliance_summaries", "ResourceComplianceSummaryItems", Filters=its_own)
    summaries = [each for page in found for each in page]
    if not summaries:
        raise ResourceGone
    states = {each.get("ComplianceType"): each.get("Status") for each in summaries}
    return {"Observed": present(**{kind: states.get(kind) for kind in _KINDS})}


_KINDS = ("Patch", "Association")


def _instances(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    client = clients("ssm", region)
    for page in pages(client, "list_resource_compliance_summaries", "ResourceComplianceSummaryItems", 50):
        yield sorted({each["ResourceId"] for each in page})


_COMPLIANCE = {"ssm.ListResourceComplianceSummaries": "ssm:ListResourceComplianceSummaries"}

MANAGED_INSTANCE = Reader(
    # AWS Config's word for it, which is no type of CloudFormation's either.
    type="AWS::SSM::ManagedInstance",
    responder="compute",
    arn="arn:{partition}:ssm:{region}:{account}:managed-instance/{identifier}",
    parts=(Part(gives=("Observed.Patch", "Observed.Association"), calls=_COMPLIANCE, read=_instance),),
    touches=(
        Touch(
            _SOURCE,
            ("PutComplianceItems",),
            ("requestParameters.resourceId",),
            ("Observed.Patch", "Observed.Association"),
        ),
        Touch(_SOURCE, ("DeregisterManagedInstance",), ("requestParameters.instanceId",), EVERYTHING),
        Touch(_SOURCE, ("UpdateManagedInstanceRole",), ("requestParameters.instanceId",)),
    ),
    inventory=Inventory(calls=_COMPLIANCE, pages=_instances),
)


def _parameter(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """What a parameter is, without its value.

    No value is ever asked for: ssm:GetParameter on all that are there would let this role read every secret that
    somebody put into the wrong type, and IAM cannot allow it by type. Name and type say enough to ask the owner.
    """
    called = [{"Key": "Name", "Option": "Equals", "Values": _spellings(resource.identifier)}]
    listed = pages(_client(clients, resource), "describe_parameters", "Parameters", ParameterFilters=called)
    found = the_one([each for page in listed for each in page])
    # CloudFormation makes no SecureString, and has no word for it or its key.
    observed = present(Type=found.get("Type"), KeyId=found.get("KeyId"))
    seen: dict[str, Any] = {**same(found, "Name", "Tier"), "Observed": observed}
    # One of the standard tier cannot be shared (AWS Systems Manager User Guide, "Working with shared parameters").
    if found.get("Tier") != "Standard":
        try:
            observed |= present(Policy=_policy(clients, resource))
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ResourceNotFoundException":
                raise ResourceGone from error
            if code not in DENIED:
                raise
            seen[UNREAD] = {"Observed.Policy": f"{code}: ssm:GetResourcePolicies is not allowed"}
    return seen


def _spellings(identifier: str) -> list[str]:
    """A name within levels begins with a slash, one without may."""
    return [f"/{identifier}"] if "/" in identifier else [identifier, f"/{identifier}"]


def _policy(clients: Clients, resource: Resource) -> dict[str, Any] | None:
    """What its policies say, as one."""
    found = pages(_client(clients, resource), "get_resource_policies", "Policies", ResourceArn=resource.arn)
    policies = [document(each.get("Policy")) or {} for page in found for each in page]
    statements = [statement for each in policies for statement in _statements(each.get("Statement"))]
    return {"Statement": statements} if policies else None


def _statements(said: Any) -> list[Any]:
    return said if isinstance(said, list) else [said]


def _parameter_tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    client = _client(clients, resource)
    for name in _spellings(resource.identifier):
        wanted = {"ResourceType": "Parameter", "ResourceId": name}
        found = configured(client, "list_tags_for_resource", ("InvalidResourceId",), **wanted)
        if found:
            return {"Tags": tags(found.get("TagList"))}
    raise ResourceGone


def _parameters(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("ssm", region), "describe_parameters", "Parameters", 50):
        yield [each["Name"].removeprefix("/") for each in page]


_DESCRIBES = {"ssm.DescribeParameters": "ssm:DescribeParameters"}

PARAMETER = Reader(
    type="AWS::SSM::Parameter",
    responder="data",
    arn="arn:{partition}:ssm:{region}:{account}:parameter/{identifier!s}",
    parts=(
        Part(
            gives=("Name", "Tier", "Observed.Type", "Observed.KeyId", "Observed.Policy"),
            calls={**_DESCRIBES, "ssm.GetResourcePolicies": "ssm:GetResourcePolicies"},
            read=_parameter,
        ),
        Part(gives=("Tags",), calls={"ssm.ListTagsForResource": "ssm:ListTagsForResource"}, read=_parameter_tags),
    ),
    touches=(
        # Its record has no value either: CloudTrail writes in its place that it is hidden.
        Touch(_SOURCE, ("PutParameter",), _NAMED, ("Name", "Tier", "Observed.Type", "Observed.KeyId")),
        Touch(_SOURCE, ("DeleteParameter",), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("DeleteParameters",), ("requestParameters.names[]",), EVERYTHING),
        Touch(
            _SOURCE,
            ("PutResourcePolicy", "DeleteResourcePolicy"),
            ("requestParameters.resourceArn",),
            ("Observed.Policy",),
        ),
        Touch(_SOURCE, ("AddTagsToResource", "RemoveTagsFromResource"), ("requestParameters.resourceId",), ("Tags",)),
    ),
    inventory=Inventory(calls=_DESCRIBES, pages=_parameters),
)

READERS: tuple[Reader, ...] = (DOCUMENT, MANAGED_INSTANCE, PARAMETER)
