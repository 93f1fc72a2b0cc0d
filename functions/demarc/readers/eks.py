"""Clusters of Kubernetes, their groups of nodes, and whom of IAM they let in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, pages, present, tags_of

_SOURCE = "eks.amazonaws.com"
_GONE = ("ResourceNotFoundException", "InvalidParameterException", "InvalidRequestException")
_LOGS = {
    "api": "LogsApi",
    "audit": "LogsAudit",
    "authenticator": "LogsAuthenticator",
    "controllerManager": "LogsControllerManager",
    "scheduler": "LogsScheduler",
}


def _client(clients: Clients, resource: Resource) -> Any:
    return clients("eks", resource.region)


def _cluster(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    cluster = asked(_client(clients, resource), "describe_cluster", _GONE, name=resource.identifier)["cluster"]
    if cluster.get("status") == "DELETING":
        raise ResourceGone
    network = cluster.get("resourcesVpcConfig", {})
    logged = {
        kind
        for each in cluster.get("logging", {}).get("clusterLogging", ())
        if each.get("enabled")
        for kind in each.get("types", ())
    }
    sealed = [resource for each in cluster.get("encryptionConfig", ()) for resource in each.get("resources", ())]
    return {
        "Name": cluster["name"],
        **present(Version=cluster.get("version"), RoleArn=cluster.get("roleArn")),
        "AccessConfig": present(AuthenticationMode=cluster.get("accessConfig", {}).get("authenticationMode")),
        "ResourcesVpcConfig": present(
            EndpointPrivateAccess=network.get("endpointPrivateAccess"),
            EndpointPublicAccess=network.get("endpointPublicAccess"),
            PublicAccessCidrs=network.get("publicAccessCidrs"),
        ),
        "Tags": tags_of(cluster.get("tags")),
        "Observed": {
            "EncryptedResources": sorted(sealed),
            **{f"Logs{kind[0].upper()}{kind[1:]}": kind in logged for kind in _LOGS},
        },
    }


def _clusters(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    return pages(clients("eks", region), "list_clusters", "clusters", 100)


_NAMED = ("requestParameters.name",)
# What a path of the API has is written as the path has it, where it is a cluster's name.
_AT_CLUSTER = (*_NAMED, "requestParameters.clusterName")
_LOGGED = tuple(f"Observed.{name}" for name in _LOGS.values())
_TAGGED = ("requestParameters.resourceArn",)

CLUSTER = Reader(
    type="AWS::EKS::Cluster",
    responder="compute",
    arn="arn:{partition}:eks:{region}:{account}:cluster/{identifier}",
    parts=(
        Part(
            gives=(
                *("Name", "Version", "RoleArn", "AccessConfig", "ResourcesVpcConfig", "Tags"),
                *("Observed.EncryptedResources", *_LOGGED),
            ),
            calls={"eks.DescribeCluster": "eks:DescribeCluster"},
            read=_cluster,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateCluster", "DeleteCluster"), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("UpdateClusterConfig",), _NAMED, ("AccessConfig", "ResourcesVpcConfig", *_LOGGED)),
        Touch(_SOURCE, ("UpdateClusterVersion",), _NAMED, ("Version",)),
        Touch(
            _SOURCE,
            ("AssociateEncryptionConfig",),
            _AT_CLUSTER,
            ("Observed.EncryptedResources",),
        ),
        Touch(
            _SOURCE,
            (
                *("AssociateIdentityProviderConfig", "CreateAddon", "DeleteAddon"),
                *("DisassociateIdentityProviderConfig", "UpdateAddon", "UpdatePodIdentityAssociation"),
                *("CreatePodIdentityAssociation", "DeletePodIdentityAssociation", "CreateFargateProfile"),
                "DeleteFargateProfile",
            ),
            _AT_CLUSTER,
        ),
        Touch(_SOURCE, ("TagResource", "UntagResource"), _TAGGED, ("Tags",)),
    ),
    inventory=Inventory(calls={"eks.ListClusters": "eks:ListClusters"}, pages=_clusters),
)


def _nodegroup(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """Known by its cluster's name and its own."""
    cluster, _, name = resource.identifier.partition("/")
    if not name:
        raise ResourceGone
    found = asked(_client(clients, resource), "describe_nodegroup", _GONE, clusterName=cluster, nodegroupName=name)[
        "nodegroup"
    ]
    if found.get("status") == "DELETING":
        raise ResourceGone
    access = found.get("remoteAccess", {})
    return {
        "ClusterName": cluster,
        "NodegroupName": found["nodegroupName"],
        **present(AmiType=found.get("amiType"), Version=found.get("version")),
        "Observed": {
            "SshKey": bool(access.get("ec2SshKey")),
            "SshFromAnywhere": bool(access.get("ec2SshKey")) and not access.get("sourceSecurityGroups"),
        },
        "Tags": tags_of(found.get("tags")),
    }


def _nodegroups(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    eks = clients("eks", region)
    for names in pages(eks, "list_clusters", "clusters", 100):
        for cluster in names:
            for page in pages(eks, "list_nodegroups", "nodegroups", 100, clusterName=cluster):
                yield [f"{cluster}/{name}" for name in page]


_NODEGROUP = "requestParameters.nodegroupName"

NODEGROUP = Reader(
    type="AWS::EKS::Nodegroup",
    responder="compute",
    # Its ARN ends with an id that no call takes.
    arn="arn:{partition}:eks:{region}:{account}:nodegroup/{identifier!s}/*",
    parts=(
        Part(
            gives=(
                *("ClusterName", "NodegroupName", "AmiType", "Version", "Tags"),
                *("Observed.SshKey", "Observed.SshFromAnywhere"),
            ),
            calls={"eks.DescribeNodegroup": "eks:DescribeNodegroup"},
            read=_nodegroup,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateNodegroup", "DeleteNodegroup"), _AT_CLUSTER, EVERYTHING, also=_NODEGROUP),
        Touch(_SOURCE, ("UpdateNodegroupVersion",), _AT_CLUSTER, ("Version",), also=_NODEGROUP),
        Touch(_SOURCE, ("TagResource", "UntagResource"), _TAGGED, ("Tags",)),
    ),
    inventory=Inventory(
        calls={"eks.ListClusters": "eks:ListClusters", "eks.ListNodegroups": "eks:ListNodegroups"}, pages=_nodegroups
    ),
)


def _named(resource: Resource) -> dict[str, str]:
    """A cluster and a principal, as every call on access entries takes them."""
    cluster, _, principal = resource.identifier.partition("/")
    if not principal:
        raise ResourceGone
    return {"clusterName": cluster, "principalArn": principal}


def _entry(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    named = _named(resource)
    found = asked(_client(clients, resource), "describe_access_entry", _GONE, **named).get("accessEntry") or {}
    return {
        "ClusterName": named["clusterName"],
        "PrincipalArn": named["principalArn"],
        **present(KubernetesGroups=found.get("kubernetesGroups"), Type=found.get("type")),
        "Tags": tags_of(found.get("tags")),
    }


def _policies(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """AWS's own policies of Kubernetes, each with where it holds: in the cluster, or in some namespaces."""
    try:
        found = [
            each
            for page in pages(
                _client(clients, resource),
                "list_associated_access_policies",
                "associatedAccessPolicies",
                100,
                **_named(resource),
            )
            for each in page
        ]
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            raise ResourceGone from error
        raise
    return {"AccessPolicies": [_policy(each) for each in found]}


def _policy(found: Mapping[str, Any]) -> dict[str, Any]:
    scope = found.get("accessScope") or {}
    return {
        **present(PolicyArn=found.get("policyArn")),
        "AccessScope": present(Type=scope.get("type"), Namespaces=scope.get("namespaces")),
    }


def _entries(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    eks = clients("eks", region)
    for names in pages(eks, "list_clusters", "clusters", 100):
        for cluster in names:
            yield from _entries_of(eks, cluster)


def _entries_of(eks: Any, cluster: str) -> Iterator[Sequence[str]]:
    """None where the cluster goes by its ConfigMap alone, which EKS refuses as an invalid request."""
    try:
        for page in pages(eks, "list_access_entries", "accessEntries", 100, clusterName=cluster):
            yield [f"{cluster}/{principal}" for principal in page]
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise


_PRINCIPAL = "requestParameters.principalArn"

ACCESS_ENTRY = Reader(
    type="AWS::EKS::AccessEntry",
    responder="compute",
    # Known by what the calls take, the cluster and the principal; its ARN has the principal in other words, and an id.
    arn="arn:{partition}:eks:{region}:{account}:access-entry/{identifier!s}",
    parts=(
        Part(
            gives=("ClusterName", "PrincipalArn", "KubernetesGroups", "Type", "Tags"),
            calls={"eks.DescribeAccessEntry": "eks:DescribeAccessEntry"},
            read=_entry,
        ),
        Part(
            gives=("AccessPolicies",),
            calls={"eks.ListAssociatedAccessPolicies": "eks:ListAssociatedAccessPolicies"},
            read=_policies,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateAccessEntry", "DeleteAccessEntry"), _AT_CLUSTER, EVERYTHING, also=_PRINCIPAL),
        Touch(_SOURCE, ("UpdateAccessEntry",), _AT_CLUSTER, ("KubernetesGroups",), also=_PRINCIPAL),
        Touch(
            _SOURCE,
            ("AssociateAccessPolicy", "DisassociateAccessPolicy"),
            _AT_CLUSTER,
            ("AccessPolicies",),
            also=_PRINCIPAL,
        ),
    ),
    inventory=Inventory(
        calls={"eks.ListClusters": "eks:ListClusters", "eks.ListAccessEntries": "eks:ListAccessEntries"},
        pages=_entries,
    ),
)

READERS: tuple[Reader, ...] = (CLUSTER, NODEGROUP, ACCESS_ENTRY)
