"""Clusters of containers, their services, the definitions of what runs in them, and the groups of machines below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.plaintext import secrets_in
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, page_by_page, pages, present, tags, the_one

_SOURCE = "ecs.amazonaws.com"
_GONE = ("ClusterNotFoundException", "ServiceNotFoundException", "InvalidParameterException", "ClientException")
_ENDED = ("DEPROVISIONING", "DRAINING", "INACTIVE")
_TAGGED = ("requestParameters.resourceArn",)
_TAGGING = Touch(_SOURCE, ("TagResource", "UntagResource"), _TAGGED, ("Tags",))


def _client(clients: Clients, resource: Resource) -> Any:
    return clients("ecs", resource.region)


def _tags(entries: Any) -> list[dict[str, str]]:
    return tags(entries, "key", "value")


def _cluster(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(
        _client(clients, resource),
        "describe_clusters",
        _GONE,
        clusters=[resource.identifier],
        include=["SETTINGS", "TAGS"],
    )
    cluster = the_one([each for each in found.get("clusters", ()) if each.get("status") not in _ENDED])
    return {
        "ClusterName": cluster["clusterName"],
        "ClusterSettings": [{"Name": each["name"], "Value": each.get("value")} for each in cluster.get("settings", ())],
        "Tags": _tags(cluster.get("tags")),
    }


def _clusters(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("ecs", region), "list_clusters", "clusterArns", 100):
        yield [arn.rpartition("/")[2] for arn in page]


CLUSTER = Reader(
    type="AWS::ECS::Cluster",
    responder="compute",
    arn="arn:{partition}:ecs:{region}:{account}:cluster/{identifier}",
    parts=(
        Part(
            gives=("ClusterName", "ClusterSettings", "Tags"),
            calls={"ecs.DescribeClusters": "ecs:DescribeClusters"},
            read=_cluster,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateCluster",), ("responseElements.cluster.clusterArn",), EVERYTHING),
        Touch(_SOURCE, ("DeleteCluster",), ("requestParameters.cluster",), EVERYTHING),
        Touch(
            _SOURCE,
            ("UpdateCluster", "UpdateClusterSettings", "PutClusterCapacityProviders"),
            ("requestParameters.cluster",),
            ("ClusterSettings",),
        ),
        _TAGGING,
    ),
    inventory=Inventory(calls={"ecs.ListClusters": "ecs:ListClusters"}, pages=_clusters),
)


def _service(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """Known by its cluster's name and its own."""
    cluster, _, name = resource.identifier.partition("/")
    if not name:
        raise ResourceGone
    found = asked(
        _client(clients, resource), "describe_services", _GONE, cluster=cluster, services=[name], include=["TAGS"]
    )
    service = the_one([each for each in found.get("services", ()) if each.get("status") not in _ENDED])
    network = service.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    return {
        "ServiceName": service["serviceName"],
        **present(
            LaunchType=service.get("launchType"),
            PlatformVersion=service.get("platformVersion"),
            EnableExecuteCommand=service.get("enableExecuteCommand"),
            TaskDefinition=service.get("taskDefinition"),
        ),
        "Tags": _tags(service.get("tags")),
        "Observed": present(
            AssignPublicIp=network.get("assignPublicIp"),
            TaskSetsPublic=sum(_is_public(each) for each in service.get("taskSets", ())),
        ),
    }


def _is_public(task_set: Mapping[str, Any]) -> bool:
    network = task_set.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    return bool(network.get("assignPublicIp") == "ENABLED")


def _services(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    """Services are listed by cluster, and ARNs of the longer form name theirs."""
    ecs = clients("ecs", region)
    for names in pages(ecs, "list_clusters", "clusterArns", 100):
        for cluster in names:
            for page in pages(ecs, "list_services", "serviceArns", 100, cluster=cluster):
                yield [f"{cluster.rpartition('/')[2]}/{arn.rpartition('/')[2]}" for arn in page]


_OF_SERVICE = ("Observed.AssignPublicIp", "Observed.TaskSetsPublic")
_AT_SERVICE = ("responseElements.service.serviceArn",)
_AT_TASK_SET = ("responseElements.taskSet.serviceArn",)

SERVICE = Reader(
    type="AWS::ECS::Service",
    responder="compute",
    arn="arn:{partition}:ecs:{region}:{account}:service/{identifier!s}",
    parts=(
        Part(
            gives=(
                *("ServiceName", "LaunchType", "PlatformVersion", "EnableExecuteCommand", "TaskDefinition", "Tags"),
                *_OF_SERVICE,
            ),
            calls={"ecs.DescribeServices": "ecs:DescribeServices"},
            read=_service,
        ),
    ),
    touches=(
        Touch(
            _SOURCE,
            ("CreateService", "DeleteService", "CreateExpressGatewayService", "DeleteExpressGatewayService"),
            _AT_SERVICE,
            EVERYTHING,
        ),
        Touch(
            _SOURCE,
            ("UpdateService", "UpdateExpressGatewayService"),
            _AT_SERVICE,
            ("EnableExecuteCommand", "PlatformVersion", "TaskDefinition", *_OF_SERVICE),
        ),
        Touch(
            _SOURCE,
            ("CreateTaskSet", "DeleteTaskSet", "UpdateTaskSet"),
            _AT_TASK_SET,
            ("Observed.TaskSetsPublic",),
        ),
        # What the primary task set has becomes the service's.
        Touch(
            _SOURCE,
            ("UpdateServicePrimaryTaskSet",),
            _AT_TASK_SET,
            ("PlatformVersion", "TaskDefinition", *_OF_SERVICE),
        ),
        _TAGGING,
    ),
    inventory=Inventory(
        calls={"ecs.ListClusters": "ecs:ListClusters", "ecs.ListServices": "ecs:ListServices"}, pages=_services
    ),
)


def _definition(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(
        _client(clients, resource),
        "describe_task_definition",
        _GONE,
        taskDefinition=resource.identifier,
        include=["TAGS"],
    )
    definition = found["taskDefinition"]
    if definition.get("status") != "ACTIVE":
        raise ResourceGone
    volumes = [
        each["efsVolumeConfiguration"] for each in definition.get("volumes", ()) if "efsVolumeConfiguration" in each
    ]
    windows = definition.get("runtimePlatform", {}).get("operatingSystemFamily", "").startswith("WINDOWS")
    return {
        **present(
            Family=definition.get("family"),
            NetworkMode=definition.get("networkMode"),
            PidMode=definition.get("pidMode"),
        ),
        "Tags": _tags(found.get("tags")),
        "Observed": {
            "Containers": [_container(each) for each in definition.get("containerDefinitions", ())],
            "OpenEfsVolumes": sum(each.get("transitEncryption") != "ENABLED" for each in volumes if each),
            "Windows": windows,
        },
    }


def _container(container: Mapping[str, Any]) -> dict[str, Any]:
    """As much of a container as is judged: of its variables only which look like secrets, without their values."""
    variables = {each["name"]: each.get("value", "") for each in container.get("environment", ())}
    return {
        "Name": container["name"],
        "Privileged": container.get("privileged", False),
        "ReadonlyRootFilesystem": container.get("readonlyRootFilesystem", False),
        "User": container.get("user"),
        "LogDriver": container.get("logConfiguration", {}).get("logDriver"),
        "PlaintextSecrets": secrets_in(variables),
    }


def _definitions(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("ecs", region), "list_task_definitions", "taskDefinitionArns", 100, status="ACTIVE"):
        yield [arn.rpartition("/")[2] for arn in page]


_AT_DEFINITION = ("responseElements.taskDefinition.taskDefinitionArn",)

TASK_DEFINITION = Reader(
    type="AWS::ECS::TaskDefinition",
    responder="compute",
    arn="arn:{partition}:ecs:{region}:{account}:task-definition/{identifier!s}",
    parts=(
        Part(
            gives=(
                *("Family", "NetworkMode", "PidMode", "Tags"),
                *("Observed.Containers", "Observed.OpenEfsVolumes", "Observed.Windows"),
            ),
            calls={"ecs.DescribeTaskDefinition": "ecs:DescribeTaskDefinition"},
            read=_definition,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("RegisterTaskDefinition", "DeregisterTaskDefinition"), _AT_DEFINITION, EVERYTHING),
        Touch(_SOURCE, ("DeleteTaskDefinitions",), ("requestParameters.taskDefinitions[]",), EVERYTHING),
        _TAGGING,
    ),
    inventory=Inventory(calls={"ecs.ListTaskDefinitions": "ecs:ListTaskDefinitions"}, pages=_definitions),
)


def _capacity_provider(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(
        _client(clients, resource),
        "describe_capacity_providers",
        _GONE,
        capacityProviders=[resource.identifier],
        include=["TAGS"],
    )
    provider = the_one([each for each in found.get("capacityProviders", ()) if _is_a_group(each)])
    group = provider["autoScalingGroupProvider"]
    return {
        "Name": resource.identifier,
        "AutoScalingGroupProvider": present(
            AutoScalingGroupArn=group.get("autoScalingGroupArn"),
            ManagedTerminationProtection=group.get("managedTerminationProtection", "DISABLED"),
        ),
        "Tags": _tags(provider.get("tags")),
    }


def _is_a_group(provider: Mapping[str, Any]) -> bool:
    """Whether instances of ours are behind it: those of Fargate are AWS's, and so are instances that AWS manages."""
    return provider.get("status") != "INACTIVE" and "autoScalingGroupProvider" in provider


def _capacity_providers(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in page_by_page(clients("ecs", region), "describe_capacity_providers", mark="nextToken"):
        yield [each["name"] for each in page.get("capacityProviders", ()) if _is_a_group(each)]


_PROVIDERS = {"ecs.DescribeCapacityProviders": "ecs:DescribeCapacityProviders"}

CAPACITY_PROVIDER = Reader(
    type="AWS::ECS::CapacityProvider",
    responder="compute",
    arn="arn:{partition}:ecs:{region}:{account}:capacity-provider/{identifier}",
    parts=(Part(gives=("Name", "AutoScalingGroupProvider", "Tags"), calls=_PROVIDERS, read=_capacity_provider),),
    touches=(
        Touch(_SOURCE, ("CreateCapacityProvider",), ("requestParameters.name",), EVERYTHING),
        Touch(_SOURCE, ("DeleteCapacityProvider",), ("requestParameters.capacityProvider",), EVERYTHING),
        Touch(_SOURCE, ("UpdateCapacityProvider",), ("requestParameters.name",), ("AutoScalingGroupProvider",)),
        _TAGGING,
    ),
    inventory=Inventory(calls=_PROVIDERS, pages=_capacity_providers),
)

READERS: tuple[Reader, ...] = (CLUSTER, SERVICE, TASK_DEFINITION, CAPACITY_PROVIDER)
