"""Database Migration Service: what copies, between which databases, and how it reaches them. No passwords."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, document, pages, present, same, tags, the_one

_SOURCE = "dms.amazonaws.com"
_GONE = ("ResourceNotFoundFault", "InvalidParameterValueException")
_ENDED = "deleting"
_TAGGED = ("requestParameters.resourceArn",)


def _client(clients: Clients, resource: Resource) -> Any:
    return clients("dms", resource.region)


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(_client(clients, resource), "list_tags_for_resource", _GONE, ResourceArn=resource.arn)
    return {"Tags": tags(found.get("TagList"))}


_TAGS = Part(gives=("Tags",), calls={"dms.ListTagsForResource": "dms:ListTagsForResource"}, read=_tags)
_TAGGING = Touch(_SOURCE, ("AddTagsToResource", "RemoveTagsFromResource"), _TAGGED, ("Tags",))
_OF_INSTANCE = ("AutoMinorVersionUpgrade", "MultiAZ", "PubliclyAccessible", "ReplicationInstanceClass")


def _instance(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    chosen = [{"Name": "replication-instance-arn", "Values": [resource.arn]}]
    found = asked(_client(clients, resource), "describe_replication_instances", _GONE, Filters=chosen)
    instance = the_one(found.get("ReplicationInstances"))
    if instance.get("ReplicationInstanceStatus") == _ENDED:
        raise ResourceGone
    return {**same(instance, "ReplicationInstanceIdentifier", *_OF_INSTANCE)}


def _instances(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("dms", region), "describe_replication_instances", "ReplicationInstances", 100):
        yield [each["ReplicationInstanceArn"].rpartition(":")[2] for each in page]


_DESCRIBED_INSTANCES = {"dms.DescribeReplicationInstances": "dms:DescribeReplicationInstances"}
_AT_INSTANCE = ("requestParameters.replicationInstanceArn",)

REPLICATION_INSTANCE = Reader(
    type="AWS::DMS::ReplicationInstance",
    responder="data",
    arn="arn:{partition}:dms:{region}:{account}:rep:{identifier}",
    parts=(
        Part(gives=("ReplicationInstanceIdentifier", *_OF_INSTANCE), calls=_DESCRIBED_INSTANCES, read=_instance),
        _TAGS,
    ),
    touches=(
        Touch(
            _SOURCE,
            ("CreateReplicationInstance",),
            ("responseElements.replicationInstance.replicationInstanceArn",),
            EVERYTHING,
        ),
        Touch(_SOURCE, ("DeleteReplicationInstance",), _AT_INSTANCE, EVERYTHING),
        Touch(_SOURCE, ("ModifyReplicationInstance",), _AT_INSTANCE, _OF_INSTANCE),
        _TAGGING,
    ),
    inventory=Inventory(calls=_DESCRIBED_INSTANCES, pages=_instances),
)


def _endpoint(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    chosen = [{"Name": "endpoint-arn", "Values": [resource.arn]}]
    endpoint = the_one(asked(_client(clients, resource), "describe_endpoints", _GONE, Filters=chosen).get("Endpoints"))
    if endpoint.get("Status") == _ENDED:
        raise ResourceGone
    return {
        **same(endpoint, "EndpointIdentifier", "EngineName", "SslMode"),
        **present(EndpointType=endpoint.get("EndpointType", "").lower() or None),
        "Observed": present(
            IamAuthEnabled=endpoint.get("NeptuneSettings", {}).get("IamAuthEnabled"),
            MongoAuth=endpoint.get("MongoDbSettings", {}).get("AuthType"),
            RedisTls=endpoint.get("RedisSettings", {}).get("SslSecurityProtocol"),
        ),
    }


def _endpoints(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("dms", region), "describe_endpoints", "Endpoints", 100):
        yield [each["EndpointArn"].rpartition(":")[2] for each in page]


_DESCRIBED_ENDPOINTS = {"dms.DescribeEndpoints": "dms:DescribeEndpoints"}
_AT_ENDPOINT = ("requestParameters.endpointArn",)
_OF_ENDPOINT = ("SslMode", "Observed.IamAuthEnabled", "Observed.MongoAuth", "Observed.RedisTls")

ENDPOINT = Reader(
    type="AWS::DMS::Endpoint",
    responder="data",
    arn="arn:{partition}:dms:{region}:{account}:endpoint:{identifier}",
    parts=(
        Part(
            gives=("EndpointIdentifier", "EngineName", "EndpointType", *_OF_ENDPOINT),
            calls=_DESCRIBED_ENDPOINTS,
            read=_endpoint,
        ),
        _TAGS,
    ),
    touches=(
        Touch(_SOURCE, ("CreateEndpoint",), ("responseElements.endpoint.endpointArn",), EVERYTHING),
        Touch(_SOURCE, ("DeleteEndpoint",), _AT_ENDPOINT, EVERYTHING),
        Touch(_SOURCE, ("ModifyEndpoint",), _AT_ENDPOINT, _OF_ENDPOINT),
        _TAGGING,
    ),
    inventory=Inventory(calls=_DESCRIBED_ENDPOINTS, pages=_endpoints),
)

# The levels at which a part of a task is logged enough (DMS User Guide, "Logging task settings").
_PARTS = ("SOURCE_CAPTURE", "SOURCE_UNLOAD", "TARGET_APPLY", "TARGET_LOAD")


def _task(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    chosen = [{"Name": "replication-task-arn", "Values": [resource.arn]}]
    found = asked(_client(clients, resource), "describe_replication_tasks", _GONE, Filters=chosen)
    task = the_one(found.get("ReplicationTasks"))
    if task.get("Status") == _ENDED:
        raise ResourceGone
    logging = (document(task.get("ReplicationTaskSettings")) or {}).get("Logging", {})
    levels = {each["Id"]: each.get("Severity") for each in logging.get("LogComponents") or ()}
    return {
        **same(task, "MigrationType", "ReplicationTaskIdentifier"),
        "Observed": {
            "LoggingEnabled": logging.get("EnableLogging", False),
            "LogLevels": {name: levels[name] for name in _PARTS if name in levels},
        },
    }


def _tasks(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("dms", region), "describe_replication_tasks", "ReplicationTasks", 100):
        yield [each["ReplicationTaskArn"].rpartition(":")[2] for each in page]


_DESCRIBED_TASKS = {"dms.DescribeReplicationTasks": "dms:DescribeReplicationTasks"}
_AT_TASK = ("requestParameters.replicationTaskArn",)
_OF_TASK = ("Observed.LoggingEnabled", "Observed.LogLevels")

REPLICATION_TASK = Reader(
    type="AWS::DMS::ReplicationTask",
    responder="data",
    arn="arn:{partition}:dms:{region}:{account}:task:{identifier}",
    parts=(
        Part(gives=("MigrationType", "ReplicationTaskIdentifier", *_OF_TASK), calls=_DESCRIBED_TASKS, read=_task),
        _TAGS,
    ),
    touches=(
        Touch(
            _SOURCE, ("CreateReplicationTask",), ("responseElements.replicationTask.replicationTaskArn",), EVERYTHING
        ),
        Touch(_SOURCE, ("DeleteReplicationTask",), _AT_TASK, EVERYTHING),
        Touch(_SOURCE, ("ModifyReplicationTask",), _AT_TASK, _OF_TASK),
        Touch(_SOURCE, ("StartReplicationTask", "StopReplicationTask", "MoveReplicationTask"), _AT_TASK),
        _TAGGING,
    ),
    inventory=Inventory(calls=_DESCRIBED_TASKS, pages=_tasks),
)

READERS: tuple[Reader, ...] = (REPLICATION_INSTANCE, ENDPOINT, REPLICATION_TASK)
