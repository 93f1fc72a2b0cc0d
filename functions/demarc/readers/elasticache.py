"""Caches: replication groups, and clusters that stand alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, pages, present, same, tags, the_one

_SOURCE = "elasticache.amazonaws.com"
_NO_GROUP = ("ReplicationGroupNotFoundFault", "InvalidParameterValue")
_NO_CLUSTER = ("CacheClusterNotFound", "InvalidParameterValue")
_TAGS = {"elasticache.ListTagsForResource": "elasticache:ListTagsForResource"}
_OF_GROUP = (
    *("AtRestEncryptionEnabled", "AutoMinorVersionUpgrade", "CacheNodeType", "Engine", "KmsKeyId"),
    *("ReplicationGroupId", "SnapshotRetentionLimit", "TransitEncryptionEnabled", "TransitEncryptionMode"),
)


def _client(clients: Clients, resource: Resource) -> Any:
    return clients("elasticache", resource.region)


def _tags(*gone: str) -> Any:
    def read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
        found = asked(_client(clients, resource), "list_tags_for_resource", gone, ResourceName=resource.arn)
        return {"Tags": tags(found.get("TagList"))}

    return read


def _group(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(
        _client(clients, resource), "describe_replication_groups", _NO_GROUP, ReplicationGroupId=resource.identifier
    )
    group = the_one(found.get("ReplicationGroups"))
    if group.get("Status") == "deleting":
        raise ResourceGone
    return {
        **same(group, *_OF_GROUP),
        "AutomaticFailoverEnabled": group.get("AutomaticFailover") in ("enabled", "enabling"),
        "MultiAZEnabled": group.get("MultiAZ") == "enabled",
        "UserGroupIds": group.get("UserGroupIds", []),
        # The token itself nobody answers with.
        "Observed": {"AuthTokenEnabled": group.get("AuthTokenEnabled", False)},
    }


def _groups(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    client = clients("elasticache", region)
    for page in pages(client, "describe_replication_groups", "ReplicationGroups", 100):
        yield [each["ReplicationGroupId"] for each in page]


_AT_GROUP = ("requestParameters.replicationGroupId",)
_TAGGED = ("requestParameters.resourceName",)
_MODIFIABLE = (
    *("AutoMinorVersionUpgrade", "AutomaticFailoverEnabled", "MultiAZEnabled", "SnapshotRetentionLimit"),
    *("TransitEncryptionEnabled", "TransitEncryptionMode", "UserGroupIds", "Observed.AuthTokenEnabled"),
)

REPLICATION_GROUP = Reader(
    type="AWS::ElastiCache::ReplicationGroup",
    responder="data",
    arn="arn:{partition}:elasticache:{region}:{account}:replicationgroup:{identifier}",
    parts=(
        Part(
            gives=(
                *_OF_GROUP,
                *("AutomaticFailoverEnabled", "MultiAZEnabled", "UserGroupIds", "Observed.AuthTokenEnabled"),
            ),
            calls={"elasticache.DescribeReplicationGroups": "elasticache:DescribeReplicationGroups"},
            read=_group,
        ),
        Part(gives=("Tags",), calls=_TAGS, read=_tags(*_NO_GROUP)),
    ),
    touches=(
        Touch(_SOURCE, ("CreateReplicationGroup", "DeleteReplicationGroup"), _AT_GROUP, EVERYTHING),
        Touch(_SOURCE, ("ModifyReplicationGroup",), _AT_GROUP, _MODIFIABLE),
        Touch(
            _SOURCE,
            (
                "DecreaseReplicaCount",
                "IncreaseReplicaCount",
                "ModifyReplicationGroupShardConfiguration",
                "TestFailover",
            ),
            _AT_GROUP,
        ),
        Touch(_SOURCE, ("AddTagsToResource", "RemoveTagsFromResource"), _TAGGED, ("Tags",)),
    ),
    inventory=Inventory(
        calls={"elasticache.DescribeReplicationGroups": "elasticache:DescribeReplicationGroups"}, pages=_groups
    ),
)


def _cluster(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(
        _client(clients, resource), "describe_cache_clusters", _NO_CLUSTER, CacheClusterId=resource.identifier
    )
    cluster = the_one(found.get("CacheClusters"))
    if cluster.get("CacheClusterStatus") == "deleting":
        raise ResourceGone
    return {
        **same(
            cluster,
            *("AutoMinorVersionUpgrade", "CacheNodeType", "CacheSubnetGroupName", "Engine", "EngineVersion"),
            *("SnapshotRetentionLimit", "TransitEncryptionEnabled"),
        ),
        "ClusterName": cluster["CacheClusterId"],
        "Observed": present(ReplicationGroupId=cluster.get("ReplicationGroupId")),
    }


def _clusters(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("elasticache", region), "describe_cache_clusters", "CacheClusters", 100):
        yield [each["CacheClusterId"] for each in page]


_AT_CLUSTER = ("requestParameters.cacheClusterId",)

CACHE_CLUSTER = Reader(
    type="AWS::ElastiCache::CacheCluster",
    responder="data",
    arn="arn:{partition}:elasticache:{region}:{account}:cluster:{identifier}",
    parts=(
        Part(
            gives=(
                *("AutoMinorVersionUpgrade", "CacheNodeType", "CacheSubnetGroupName", "Engine", "EngineVersion"),
                *("SnapshotRetentionLimit", "TransitEncryptionEnabled", "ClusterName", "Observed.ReplicationGroupId"),
            ),
            calls={"elasticache.DescribeCacheClusters": "elasticache:DescribeCacheClusters"},
            read=_cluster,
        ),
        Part(gives=("Tags",), calls=_TAGS, read=_tags(*_NO_CLUSTER)),
    ),
    touches=(
        Touch(_SOURCE, ("CreateCacheCluster", "DeleteCacheCluster"), _AT_CLUSTER, EVERYTHING),
        Touch(_SOURCE, ("ModifyCacheCluster",), _AT_CLUSTER, ("AutoMinorVersionUpgrade", "SnapshotRetentionLimit")),
        Touch(_SOURCE, ("RebootCacheCluster",), _AT_CLUSTER),
        Touch(_SOURCE, ("AddTagsToResource", "RemoveTagsFromResource"), _TAGGED, ("Tags",)),
    ),
    inventory=Inventory(
        calls={"elasticache.DescribeCacheClusters": "elasticache:DescribeCacheClusters"}, pages=_clusters
    ),
)

READERS: tuple[Reader, ...] = (REPLICATION_GROUP, CACHE_CLUSTER)
