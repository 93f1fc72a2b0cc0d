"""Clusters of Kubernetes, and their groups of nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.change import EVERYTHING, Touch
from demarc.core.model import Resource
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
            ("requestParameters.clusterName",),
            ("Observed.EncryptedResources",),
        ),
        Touch(
            _SOURCE,
            (
                *("CreateAccessEntry", "DeleteAccessEntry", "UpdateAccessEntry", "AssociateAccessPolicy"),
                *("DisassociateAccessPolicy", "AssociateIdentityProviderConfig", "CreateAddon", "DeleteAddon"),
                *("CreatePodIdentityAssociation", "DeletePodIdentityAssociation", "CreateFargateProfile"),
            ),
            ("requestParameters.clusterName",),
        ),
        Touch(_SOURCE, ("TagResource", "UntagResource"), _TAGGED, ("Tags",)),
    ),
    inventory=Inventory(calls={"eks.ListClusters": "eks:ListClusters"}, pages=_clusters),
)


def _nodegroup(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """Known by its cluster's name and its own."""
    cluster, _, name = resource.identifier.partition("/")
    name = name.partition("/")[0]
    if not name:
        raise ResourceGone
    found = asked(_client(clients, resource), "describe_nodegroup", _GONE, clusterName=cluster, nodegroupName=name)[
        "nodegroup"
    ]
    if found.get("status") == "DELETING":
        raise ResourceGone
    access = found.get("remoteAccess", {})
    return {
        "ClusterName": found["clusterName"],
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


NODEGROUP = Reader(
    type="AWS::EKS::Nodegroup",
    responder="compute",
    # Its ARN ends with an id that no call takes.
    arn="arn:{partition}:eks:{region}:{account}:nodegroup/{identifier!s}",
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
        Touch(
            _SOURCE,
            ("CreateNodegroup", "DeleteNodegroup"),
            ("responseElements.nodegroup.nodegroupArn",),
            EVERYTHING,
        ),
    ),
    inventory=Inventory(
        calls={"eks.ListClusters": "eks:ListClusters", "eks.ListNodegroups": "eks:ListNodegroups"}, pages=_nodegroups
    ),
)

READERS: tuple[Reader, ...] = (CLUSTER, NODEGROUP)
