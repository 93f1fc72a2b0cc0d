"""Documents of Systems Manager that are ours, and how far managed instances are patched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.change import EVERYTHING, Touch
from demarc.core.model import Resource
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, pages, present, same, tags

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
    found = asked(
        _client(clients, resource),
        "describe_document_permission",
        _GONE,
        Name=resource.identifier,
        PermissionType="Share",
    )
    return {"Observed": {"SharedWith": sorted(each.lower() for each in found.get("AccountIds", ()))}}


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
    found = asked(
        _client(clients, resource),
        "list_resource_compliance_summaries",
        _GONE,
        Filters=[{"Key": "ResourceId", "Values": [resource.identifier], "Type": "EQUAL"}],
    )
    summaries = found["ResourceComplianceSummaryItems"]
    if not summaries:
        raise ResourceGone
    return {
        "Observed": {each["ComplianceType"]: each["Status"] for each in summaries if each["ComplianceType"] in _KINDS}
    }


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
    ),
    inventory=Inventory(calls=_COMPLIANCE, pages=_instances),
)

READERS: tuple[Reader, ...] = (DOCUMENT, MANAGED_INSTANCE)
