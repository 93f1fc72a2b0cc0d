"""Clusters of MemoryDB: who may ask them, over what, and what is left when they fall."""

from __future__ import annotations

from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Reader, cloudcontrol

_SOURCE = "memorydb.amazonaws.com"
_NAMED = ("requestParameters.clusterName",)

CLUSTER = cloudcontrol.reader(
    "AWS::MemoryDB::Cluster",
    responder="data",
    arn="arn:{partition}:memorydb:{region}:{account}:cluster/{identifier}",
    gives=(
        *("ClusterName", "ACLName", "AutoMinorVersionUpgrade", "Engine", "EngineVersion", "KmsKeyId"),
        *("SecurityGroupIds", "SnapshotRetentionLimit", "TLSEnabled", "Tags"),
    ),
    reading=("memorydb:DescribeClusters", "memorydb:ListTags"),
    listing=("memorydb:DescribeClusters",),
    touches=(
        Touch(_SOURCE, ("CreateCluster", "DeleteCluster"), _NAMED, EVERYTHING),
        Touch(
            _SOURCE,
            ("UpdateCluster",),
            _NAMED,
            ("ACLName", "Engine", "EngineVersion", "SecurityGroupIds", "SnapshotRetentionLimit"),
        ),
        Touch(_SOURCE, ("BatchUpdateCluster",), ("requestParameters.clusterNames[]",), ("EngineVersion",)),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceArn",), ("Tags",)),
    ),
)

READERS: tuple[Reader, ...] = (CLUSTER,)
