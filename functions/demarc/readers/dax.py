"""Clusters of DynamoDB Accelerator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, every, pages, same, tags, the_one

_SOURCE = "dax.amazonaws.com"
# Where nobody ever used DAX, there is not even the role that it works in.
_GONE = (
    "ClusterNotFoundFault",
    "InvalidARNFault",
    "InvalidParameterValueException",
    "ServiceLinkedRoleNotFoundFault",
)


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    dax = clients("dax", resource.region)
    cluster = the_one(asked(dax, "describe_clusters", _GONE, ClusterNames=[resource.identifier]).get("Clusters"))
    if cluster.get("Status") == "deleting":
        raise ResourceGone
    return {
        **same(cluster, "ClusterName", "ClusterEndpointEncryptionType", "NodeType"),
        "SSESpecification": {"SSEEnabled": cluster.get("SSEDescription", {}).get("Status") == "ENABLED"},
    }


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = every(clients("dax", resource.region), "list_tags", "Tags", _GONE, ResourceName=resource.arn)
    # CloudFormation has these as an object; here they are as everywhere, so that owners are found alike.
    return {"Tags": tags(found)}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("dax", region), "describe_clusters", "Clusters", 100):
        yield [each["ClusterName"] for each in page]


_NAMED = ("requestParameters.clusterName",)

CLUSTER = Reader(
    type="AWS::DAX::Cluster",
    responder="data",
    arn="arn:{partition}:dax:{region}:{account}:cache/{identifier}",
    parts=(
        Part(
            gives=("ClusterName", "ClusterEndpointEncryptionType", "NodeType", "SSESpecification"),
            calls={"dax.DescribeClusters": "dax:DescribeClusters"},
            read=_read,
        ),
        Part(gives=("Tags",), calls={"dax.ListTags": "dax:ListTags"}, read=_tags),
    ),
    touches=(
        Touch(_SOURCE, ("CreateCluster", "DeleteCluster"), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("UpdateCluster", "IncreaseReplicationFactor", "DecreaseReplicationFactor"), _NAMED),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceName",), ("Tags",)),
    ),
    inventory=Inventory(calls={"dax.DescribeClusters": "dax:DescribeClusters"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (CLUSTER,)
