"""Clusters of Redshift, and the groups of subnets they are in. What is asked of TLS is kept in a group of parameters,
which is read with the cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, every, pages, same, tags, the_one

_SOURCE = "redshift.amazonaws.com"
_GONE = ("ClusterNotFound", "ClusterNotFoundFault", "InvalidParameterValue")
_NO_PARAMETERS = ("ClusterParameterGroupNotFound", "ClusterParameterGroupNotFoundFault")
_SAME = (
    *("AllowVersionUpgrade", "AutomatedSnapshotRetentionPeriod", "ClusterIdentifier", "ClusterSubnetGroupName"),
    *("DBName", "Encrypted", "EnhancedVpcRouting", "KmsKeyId", "MasterUsername", "NodeType", "PubliclyAccessible"),
)


def _cluster(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    client = clients("redshift", resource.region)
    cluster = the_one(asked(client, "describe_clusters", _GONE, ClusterIdentifier=resource.identifier).get("Clusters"))
    if cluster.get("ClusterStatus") == "deleting":
        raise ResourceGone
    return cluster


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    cluster = _cluster(clients, resource)
    return {
        **same(cluster, *_SAME),
        "MultiAZ": str(cluster.get("MultiAZ", "")).lower() == "enabled",
        "Tags": tags(cluster.get("Tags")),
    }


def _parameters(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """What the cluster's first group of parameters says of TLS; a cluster has one group."""
    client = clients("redshift", resource.region)
    groups = [each["ParameterGroupName"] for each in _cluster(clients, resource).get("ClusterParameterGroups", ())]
    if not groups:
        return {}
    try:
        said = every(client, "describe_cluster_parameters", "Parameters", _NO_PARAMETERS, ParameterGroupName=groups[0])
    except ResourceGone:
        # The group was deleted; the cluster goes on.
        return {}
    required = [each.get("ParameterValue") for each in said if each["ParameterName"] == "require_ssl"]
    return {"Observed": {"RequireSsl": required[0] == "true"}} if required else {}


def _logging(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    client = clients("redshift", resource.region)
    found = asked(client, "describe_logging_status", _GONE, ClusterIdentifier=resource.identifier)
    return {"Observed": {"LoggingEnabled": found.get("LoggingEnabled", False)}}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("redshift", region), "describe_clusters", "Clusters", 100):
        yield [each["ClusterIdentifier"] for each in page]


_NAMED = ("requestParameters.clusterIdentifier",)
_DESCRIBED = {"redshift.DescribeClusters": "redshift:DescribeClusters"}

CLUSTER = Reader(
    type="AWS::Redshift::Cluster",
    responder="data",
    arn="arn:{partition}:redshift:{region}:{account}:cluster:{identifier}",
    parts=(
        Part(gives=(*_SAME, "MultiAZ", "Tags"), calls=_DESCRIBED, read=_read),
        Part(
            gives=("Observed.RequireSsl",),
            calls={**_DESCRIBED, "redshift.DescribeClusterParameters": "redshift:DescribeClusterParameters"},
            read=_parameters,
        ),
        Part(
            gives=("Observed.LoggingEnabled",),
            calls={"redshift.DescribeLoggingStatus": "redshift:DescribeLoggingStatus"},
            read=_logging,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateCluster", "DeleteCluster", "RestoreFromClusterSnapshot"), _NAMED, EVERYTHING),
        Touch(
            _SOURCE,
            ("ModifyCluster",),
            _NAMED,
            (
                *("AllowVersionUpgrade", "AutomatedSnapshotRetentionPeriod", "Encrypted", "EnhancedVpcRouting"),
                *("KmsKeyId", "MultiAZ", "NodeType", "PubliclyAccessible", "Observed.RequireSsl"),
            ),
        ),
        # A rename: looked for at once, and by the sweep.
        Touch(_SOURCE, ("ModifyCluster",), ("requestParameters.newClusterIdentifier",), EVERYTHING),
        Touch(_SOURCE, ("EnableLogging", "DisableLogging"), _NAMED, ("Observed.LoggingEnabled",)),
        Touch(
            _SOURCE,
            (
                *("EnableSnapshotCopy", "DisableSnapshotCopy", "ModifyClusterIamRoles", "RotateEncryptionKey"),
                *("PauseCluster", "ResumeCluster", "ResizeCluster", "AuthorizeEndpointAccess", "RevokeEndpointAccess"),
                # Parameters that were changed in the group, whose calls name no cluster, are in force after it.
                "RebootCluster",
            ),
            _NAMED,
        ),
        Touch(_SOURCE, ("CreateTags", "DeleteTags"), ("requestParameters.resourceName",), ("Tags",)),
    ),
    inventory=Inventory(calls=_DESCRIBED, pages=_listed),
)


def _subnet_group(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    client = clients("redshift", resource.region)
    found = asked(client, "describe_cluster_subnet_groups", _NO_GROUP, ClusterSubnetGroupName=resource.identifier)
    group = the_one(found.get("ClusterSubnetGroups"))
    subnets = group.get("Subnets", ())
    zones = {each.get("SubnetAvailabilityZone", {}).get("Name") for each in subnets}
    return {
        "ClusterSubnetGroupName": resource.identifier,
        "SubnetIds": sorted(each["SubnetIdentifier"] for each in subnets if "SubnetIdentifier" in each),
        "Tags": tags(group.get("Tags")),
        "Observed": {"Zones": len(zones - {None})},
    }


def _subnet_groups(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("redshift", region), "describe_cluster_subnet_groups", "ClusterSubnetGroups", 100):
        yield [each["ClusterSubnetGroupName"] for each in page]


_NO_GROUP = ("ClusterSubnetGroupNotFound", "ClusterSubnetGroupNotFoundFault", "InvalidParameterValue")
_AT_GROUP = ("requestParameters.clusterSubnetGroupName",)
_GROUPS = {"redshift.DescribeClusterSubnetGroups": "redshift:DescribeClusterSubnetGroups"}
_SUBNETS = ("SubnetIds", "Observed.Zones")

CLUSTER_SUBNET_GROUP = Reader(
    type="AWS::Redshift::ClusterSubnetGroup",
    responder="data",
    arn="arn:{partition}:redshift:{region}:{account}:subnetgroup:{identifier}",
    parts=(Part(gives=("ClusterSubnetGroupName", "Tags", *_SUBNETS), calls=_GROUPS, read=_subnet_group),),
    touches=(
        Touch(_SOURCE, ("CreateClusterSubnetGroup", "DeleteClusterSubnetGroup"), _AT_GROUP, EVERYTHING),
        Touch(_SOURCE, ("ModifyClusterSubnetGroup",), _AT_GROUP, _SUBNETS),
        Touch(_SOURCE, ("CreateTags", "DeleteTags"), ("requestParameters.resourceName",), ("Tags",)),
    ),
    inventory=Inventory(calls=_GROUPS, pages=_subnet_groups),
)

READERS: tuple[Reader, ...] = (CLUSTER, CLUSTER_SUBNET_GROUP)
