"""Clusters of EMR that are still at work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import UNREAD, Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, configured, document, every, pages, present, same, tags

_SOURCE = "elasticmapreduce.amazonaws.com"
_GONE = ("InvalidRequestException", "ValidationException")
_ENDED = ("TERMINATING", "TERMINATED", "TERMINATED_WITH_ERRORS")
_ALIVE = ("STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING")
_ENCRYPTED = ("Observed.EncryptsAtRest", "Observed.EncryptsInTransit")


def _cluster(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(clients("emr", resource.region), "describe_cluster", _GONE, ClusterId=resource.identifier)["Cluster"]
    if found.get("Status", {}).get("State") in _ENDED:
        raise ResourceGone
    cluster: Mapping[str, Any] = found
    return cluster


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    cluster = _cluster(clients, resource)
    return {
        **same(cluster, "Name", "ReleaseLabel", "SecurityConfiguration"),
        "Tags": tags(cluster.get("Tags")),
        "Observed": present(MasterPublicDnsName=cluster.get("MasterPublicDnsName")),
    }


def _primary(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """Whether a primary node has a public address."""
    instances = every(
        clients("emr", resource.region),
        "list_instances",
        "Instances",
        _GONE,
        ClusterId=resource.identifier,
        InstanceGroupTypes=["MASTER"],
    )
    public = [each for each in instances if each.get("PublicIpAddress")]
    return {"Observed": {"PublicPrimaryNodes": len(public)}}


def _security(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """What the cluster's security configuration encrypts; nothing where it has none.

    It may be deleted while the cluster goes on by it: then nobody can tell any more what it said.
    """
    name = _cluster(clients, resource).get("SecurityConfiguration")
    if not name:
        return {"Observed": {"EncryptsAtRest": False, "EncryptsInTransit": False}}
    client = clients("emr", resource.region)
    found = configured(client, "describe_security_configuration", ("InvalidRequestException",), Name=name)
    if not found:
        return {UNREAD: dict.fromkeys(_ENCRYPTED, f"the security configuration {name} was deleted")}
    asked_for = (document(found.get("SecurityConfiguration")) or {}).get("EncryptionConfiguration", {})
    return {
        "Observed": {
            "EncryptsAtRest": asked_for.get("EnableAtRestEncryption", False),
            "EncryptsInTransit": asked_for.get("EnableInTransitEncryption", False),
        }
    }


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("emr", region), "list_clusters", "Clusters", ClusterStates=list(_ALIVE)):
        yield [each["Id"] for each in page]


_NAMED = ("requestParameters.clusterId", "requestParameters.jobFlowId")
_DESCRIBED = {"emr.DescribeCluster": "elasticmapreduce:DescribeCluster"}

CLUSTER = Reader(
    type="AWS::EMR::Cluster",
    responder="compute",
    arn="arn:{partition}:elasticmapreduce:{region}:{account}:cluster/{identifier}",
    parts=(
        Part(
            gives=("Name", "ReleaseLabel", "SecurityConfiguration", "Tags", "Observed.MasterPublicDnsName"),
            calls=_DESCRIBED,
            read=_read,
        ),
        Part(
            gives=("Observed.PublicPrimaryNodes",),
            calls={"emr.ListInstances": "elasticmapreduce:ListInstances"},
            read=_primary,
        ),
        Part(
            gives=_ENCRYPTED,
            calls={
                **_DESCRIBED,
                "emr.DescribeSecurityConfiguration": "elasticmapreduce:DescribeSecurityConfiguration",
            },
            read=_security,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("RunJobFlow",), ("responseElements.jobFlowId",), EVERYTHING),
        Touch(_SOURCE, ("TerminateJobFlows",), ("requestParameters.jobFlowIds[]",), EVERYTHING),
        Touch(
            _SOURCE,
            ("SetTerminationProtection", "SetVisibleToAllUsers"),
            ("requestParameters.jobFlowIds[]",),
        ),
        Touch(_SOURCE, ("ModifyCluster", "PutAutoTerminationPolicy"), _NAMED[:1]),
        Touch(_SOURCE, ("AddTags", "RemoveTags"), ("requestParameters.resourceId",), ("Tags",), "j-"),
    ),
    inventory=Inventory(calls={"emr.ListClusters": "elasticmapreduce:ListClusters"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (CLUSTER,)
