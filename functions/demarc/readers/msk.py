"""Clusters of MSK. Known by the ends of their ARNs: a name and an id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, configured, document, pages, present, tags_of

_SOURCE = "kafka.amazonaws.com"
_GONE = ("NotFoundException", "BadRequestException")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(clients("kafka", resource.region), "describe_cluster_v2", _GONE, ClusterArn=resource.arn)
    cluster = found["ClusterInfo"]
    if cluster.get("State") == "DELETING":
        raise ResourceGone
    kept = cluster.get("Provisioned", {})
    transit = kept.get("EncryptionInfo", {}).get("EncryptionInTransit", {})
    access = kept.get("BrokerNodeGroupInfo", {}).get("ConnectivityInfo", {}).get("PublicAccess", {})
    unauthenticated = kept.get("ClientAuthentication", {}).get("Unauthenticated", {}).get("Enabled")
    logs = kept.get("LoggingInfo", {}).get("BrokerLogs", {})
    return {
        "ClusterName": cluster["ClusterName"],
        **present(EnhancedMonitoring=kept.get("EnhancedMonitoring")),
        "Tags": tags_of(cluster.get("Tags")),
        "Observed": present(
            Kind=cluster.get("ClusterType"),
            InCluster=transit.get("InCluster"),
            ClientBroker=transit.get("ClientBroker"),
            PublicAccess=access.get("Type"),
            # AWS leaves it out where nobody chose: then callers need no name.
            Unauthenticated=unauthenticated,
            LogsSomewhere=any(each.get("Enabled") for each in logs.values()),
        ),
    }


def _policy(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = configured(
        clients("kafka", resource.region), "get_cluster_policy", ("NotFoundException",), ClusterArn=resource.arn
    )
    return {"Observed": present(Policy=document(found.get("Policy")))}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("kafka", region), "list_clusters_v2", "ClusterInfoList", 100):
        yield [each["ClusterArn"].partition(":cluster/")[2] for each in page]


_NAMED = ("requestParameters.clusterArn",)
_OBSERVED = tuple(
    f"Observed.{name}"
    for name in ("Kind", "InCluster", "ClientBroker", "PublicAccess", "Unauthenticated", "LogsSomewhere")
)

CLUSTER = Reader(
    type="AWS::MSK::Cluster",
    responder="data",
    arn="arn:{partition}:kafka:{region}:{account}:cluster/{identifier!s}",
    parts=(
        Part(
            gives=("ClusterName", "EnhancedMonitoring", "Tags", *_OBSERVED),
            calls={"kafka.DescribeClusterV2": "kafka:DescribeClusterV2"},
            read=_read,
        ),
        Part(gives=("Observed.Policy",), calls={"kafka.GetClusterPolicy": "kafka:GetClusterPolicy"}, read=_policy),
    ),
    touches=(
        Touch(_SOURCE, ("CreateCluster", "CreateClusterV2"), ("responseElements.clusterArn",), EVERYTHING),
        Touch(_SOURCE, ("DeleteCluster",), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("UpdateSecurity", "UpdateConnectivity"), _NAMED, _OBSERVED),
        Touch(_SOURCE, ("UpdateMonitoring",), _NAMED, ("EnhancedMonitoring", "Observed.LogsSomewhere")),
        Touch(_SOURCE, ("PutClusterPolicy", "DeleteClusterPolicy"), _NAMED, ("Observed.Policy",)),
        Touch(
            _SOURCE,
            (
                *("UpdateClusterConfiguration", "UpdateClusterKafkaVersion", "BatchAssociateScramSecret"),
                *("BatchDisassociateScramSecret", "RejectClientVpcConnection"),
            ),
            _NAMED,
        ),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceArn",), ("Tags",)),
    ),
    inventory=Inventory(calls={"kafka.ListClustersV2": "kafka:ListClustersV2"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (CLUSTER,)
