"""Redshift without clusters: workgroups, which answer, and namespaces, which keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, pages, present, tags

_SOURCE = "redshift-serverless.amazonaws.com"
_GONE = ("ResourceNotFoundException", "ValidationException")
_ENDED = "DELETING"


def _client(clients: Clients, resource: Resource) -> Any:
    return clients("redshift-serverless", resource.region)


def _workgroup(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(_client(clients, resource), "get_workgroup", _GONE, workgroupName=resource.identifier)["workgroup"]
    if found.get("status") == _ENDED:
        raise ResourceGone
    asks = {each["parameterKey"]: each.get("parameterValue") for each in found.get("configParameters", ())}
    return {
        "WorkgroupName": found["workgroupName"],
        **present(
            EnhancedVpcRouting=found.get("enhancedVpcRouting"),
            NamespaceName=found.get("namespaceName"),
            PubliclyAccessible=found.get("publiclyAccessible"),
        ),
        "Observed": {"RequireSsl": asks.get("require_ssl") == "true", "Arn": found.get("workgroupArn")},
    }


def _workgroup_tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """Its ARN ends with an id, which its name does not tell."""
    client = _client(clients, resource)
    arn = asked(client, "get_workgroup", _GONE, workgroupName=resource.identifier)["workgroup"]["workgroupArn"]
    return {"Tags": tags(asked(client, "list_tags_for_resource", _GONE, resourceArn=arn).get("tags"), "key", "value")}


def _workgroups(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("redshift-serverless", region), "list_workgroups", "workgroups", 100):
        yield [each["workgroupName"] for each in page]


_TAGS = {"redshift-serverless.ListTagsForResource": "redshift-serverless:ListTagsForResource"}
_GET_WORKGROUP = {"redshift-serverless.GetWorkgroup": "redshift-serverless:GetWorkgroup"}
_AT_WORKGROUP = ("requestParameters.workgroupName",)

WORKGROUP = Reader(
    type="AWS::RedshiftServerless::Workgroup",
    responder="data",
    arn="arn:{partition}:redshift-serverless:{region}:{account}:workgroup/{identifier}",
    parts=(
        Part(
            gives=(
                *("WorkgroupName", "EnhancedVpcRouting", "NamespaceName", "PubliclyAccessible"),
                *("Observed.RequireSsl", "Observed.Arn"),
            ),
            calls=_GET_WORKGROUP,
            read=_workgroup,
        ),
        Part(gives=("Tags",), calls={**_GET_WORKGROUP, **_TAGS}, read=_workgroup_tags),
    ),
    touches=(
        Touch(_SOURCE, ("CreateWorkgroup", "DeleteWorkgroup"), _AT_WORKGROUP, EVERYTHING),
        Touch(
            _SOURCE,
            ("UpdateWorkgroup",),
            _AT_WORKGROUP,
            ("EnhancedVpcRouting", "PubliclyAccessible", "Observed.RequireSsl"),
        ),
    ),
    inventory=Inventory(
        calls={"redshift-serverless.ListWorkgroups": "redshift-serverless:ListWorkgroups"}, pages=_workgroups
    ),
)


def _namespace(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(_client(clients, resource), "get_namespace", _GONE, namespaceName=resource.identifier)["namespace"]
    if found.get("status") == _ENDED:
        raise ResourceGone
    return {
        "NamespaceName": found["namespaceName"],
        **present(
            AdminUsername=found.get("adminUsername"),
            DbName=found.get("dbName"),
            KmsKeyId=found.get("kmsKeyId"),
            LogExports=sorted(found.get("logExports", ())),
        ),
    }


def _namespace_tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    client = _client(clients, resource)
    arn = asked(client, "get_namespace", _GONE, namespaceName=resource.identifier)["namespace"]["namespaceArn"]
    return {"Tags": tags(asked(client, "list_tags_for_resource", _GONE, resourceArn=arn).get("tags"), "key", "value")}


def _namespaces(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("redshift-serverless", region), "list_namespaces", "namespaces", 100):
        yield [each["namespaceName"] for each in page]


_GET_NAMESPACE = {"redshift-serverless.GetNamespace": "redshift-serverless:GetNamespace"}
_AT_NAMESPACE = ("requestParameters.namespaceName",)

NAMESPACE = Reader(
    type="AWS::RedshiftServerless::Namespace",
    responder="data",
    arn="arn:{partition}:redshift-serverless:{region}:{account}:namespace/{identifier}",
    parts=(
        Part(
            gives=("NamespaceName", "AdminUsername", "DbName", "KmsKeyId", "LogExports"),
            calls=_GET_NAMESPACE,
            read=_namespace,
        ),
        Part(gives=("Tags",), calls={**_GET_NAMESPACE, **_TAGS}, read=_namespace_tags),
    ),
    touches=(
        Touch(_SOURCE, ("CreateNamespace", "DeleteNamespace"), _AT_NAMESPACE, EVERYTHING),
        Touch(_SOURCE, ("UpdateNamespace",), _AT_NAMESPACE, ("AdminUsername", "KmsKeyId", "LogExports")),
        Touch(_SOURCE, ("RestoreFromSnapshot", "RestoreFromRecoveryPoint"), _AT_NAMESPACE),
    ),
    inventory=Inventory(
        calls={"redshift-serverless.ListNamespaces": "redshift-serverless:ListNamespaces"}, pages=_namespaces
    ),
)

READERS: tuple[Reader, ...] = (WORKGROUP, NAMESPACE)
