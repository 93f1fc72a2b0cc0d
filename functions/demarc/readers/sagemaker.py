"""Notebooks, models, what serves them, and the jobs that watch how they do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone, cloudcontrol
from demarc.readers.answers import asked, every, pages, present, same, tags

_SOURCE = "sagemaker.amazonaws.com"
# What is not there is answered as a mistake in the request.
_GONE = ("ValidationException", "ResourceNotFound")
_TAGGED = ("requestParameters.resourceArn",)


def _client(clients: Clients, resource: Resource) -> Any:
    return clients("sagemaker", resource.region)


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    return {"Tags": tags(every(_client(clients, resource), "list_tags", "Tags", _GONE, ResourceArn=resource.arn))}


_TAGS = Part(gives=("Tags",), calls={"sagemaker.ListTags": "sagemaker:ListTags"}, read=_tags)
_TAGGING = Touch(_SOURCE, ("AddTags", "DeleteTags"), _TAGGED, ("Tags",))
_OF_NOTEBOOK = (
    "DirectInternetAccess",
    "KmsKeyId",
    "NotebookInstanceName",
    "PlatformIdentifier",
    "RootAccess",
    "SubnetId",
)


def _notebook(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(
        _client(clients, resource), "describe_notebook_instance", _GONE, NotebookInstanceName=resource.identifier
    )
    if found.get("NotebookInstanceStatus") == "Deleting":
        raise ResourceGone
    return same(found, *_OF_NOTEBOOK)


def _notebooks(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("sagemaker", region), "list_notebook_instances", "NotebookInstances", 100):
        yield [each["NotebookInstanceName"] for each in page]


_AT_NOTEBOOK = ("requestParameters.notebookInstanceName",)

NOTEBOOK_INSTANCE = Reader(
    type="AWS::SageMaker::NotebookInstance",
    responder="compute",
    arn="arn:{partition}:sagemaker:{region}:{account}:notebook-instance/{identifier}",
    parts=(
        Part(
            gives=_OF_NOTEBOOK,
            calls={"sagemaker.DescribeNotebookInstance": "sagemaker:DescribeNotebookInstance"},
            read=_notebook,
        ),
        _TAGS,
    ),
    touches=(
        Touch(_SOURCE, ("CreateNotebookInstance", "DeleteNotebookInstance"), _AT_NOTEBOOK, EVERYTHING),
        Touch(_SOURCE, ("UpdateNotebookInstance",), _AT_NOTEBOOK, ("PlatformIdentifier", "RootAccess")),
        Touch(
            _SOURCE,
            ("StartNotebookInstance", "StopNotebookInstance", "CreatePresignedNotebookInstanceUrl"),
            _AT_NOTEBOOK,
        ),
        _TAGGING,
    ),
    inventory=Inventory(calls={"sagemaker.ListNotebookInstances": "sagemaker:ListNotebookInstances"}, pages=_notebooks),
)


def _model(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(_client(clients, resource), "describe_model", _GONE, ModelName=resource.identifier)
    return {
        "ModelName": found["ModelName"],
        "EnableNetworkIsolation": found.get("EnableNetworkIsolation", False),
        "Observed": {"InVpc": bool(found.get("VpcConfig"))},
    }


def _models(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("sagemaker", region), "list_models", "Models", 100):
        yield [each["ModelName"] for each in page]


MODEL = Reader(
    type="AWS::SageMaker::Model",
    responder="compute",
    arn="arn:{partition}:sagemaker:{region}:{account}:model/{identifier}",
    parts=(
        Part(
            gives=("ModelName", "EnableNetworkIsolation", "Observed.InVpc"),
            calls={"sagemaker.DescribeModel": "sagemaker:DescribeModel"},
            read=_model,
        ),
        _TAGS,
    ),
    touches=(
        Touch(_SOURCE, ("CreateModel", "DeleteModel"), ("requestParameters.modelName",), EVERYTHING),
        _TAGGING,
    ),
    inventory=Inventory(calls={"sagemaker.ListModels": "sagemaker:ListModels"}, pages=_models),
)


def _endpoint_config(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(_client(clients, resource), "describe_endpoint_config", _GONE, EndpointConfigName=resource.identifier)
    counts = [each["InitialInstanceCount"] for each in found["ProductionVariants"] if "InitialInstanceCount" in each]
    return {
        "EndpointConfigName": found["EndpointConfigName"],
        **same(found, "KmsKeyId"),
        "Observed": present(FewestInstances=min(counts, default=None)),
    }


def _endpoint_configs(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("sagemaker", region), "list_endpoint_configs", "EndpointConfigs", 100):
        yield [each["EndpointConfigName"] for each in page]


ENDPOINT_CONFIG = Reader(
    type="AWS::SageMaker::EndpointConfig",
    responder="compute",
    arn="arn:{partition}:sagemaker:{region}:{account}:endpoint-config/{identifier}",
    parts=(
        Part(
            gives=("EndpointConfigName", "KmsKeyId", "Observed.FewestInstances"),
            calls={"sagemaker.DescribeEndpointConfig": "sagemaker:DescribeEndpointConfig"},
            read=_endpoint_config,
        ),
        _TAGS,
    ),
    touches=(
        Touch(
            _SOURCE,
            ("CreateEndpointConfig", "DeleteEndpointConfig"),
            ("requestParameters.endpointConfigName",),
            EVERYTHING,
        ),
        _TAGGING,
    ),
    inventory=Inventory(
        calls={"sagemaker.ListEndpointConfigs": "sagemaker:ListEndpointConfigs"}, pages=_endpoint_configs
    ),
)

_NETWORK = ("EnableInterContainerTrafficEncryption", "EnableNetworkIsolation")


def _network(job: Mapping[str, Any]) -> dict[str, bool]:
    """What a job says of its network; what it does not say is off."""
    config = job.get("NetworkConfig", {})
    return {name: config.get(name, False) for name in _NETWORK}


def _job_definition(kind: str) -> Reader:
    """The reader of one of the four kinds of definitions, whose calls differ by a word (`ModelBias`)."""
    words = "".join(f"_{each.lower()}" if each.isupper() else each for each in kind).removeprefix("_")
    describe, list_all = f"Describe{kind}JobDefinition", f"List{kind}JobDefinitions"

    def read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
        found = asked(
            _client(clients, resource), f"describe_{words}_job_definition", _GONE, JobDefinitionName=resource.identifier
        )
        machines = found.get("JobResources", {}).get("ClusterConfig", {})
        return {
            "JobDefinitionName": found["JobDefinitionName"],
            "JobResources": {"ClusterConfig": same(machines, "InstanceCount")},
            "NetworkConfig": _network(found),
        }

    def listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
        client = clients("sagemaker", region)
        for page in pages(client, f"list_{words}_job_definitions", "JobDefinitionSummaries", 100):
            yield [each["MonitoringJobDefinitionName"] for each in page]

    return Reader(
        type=f"AWS::SageMaker::{kind}JobDefinition",
        responder="compute",
        arn="arn:{partition}:sagemaker:{region}:{account}:" + words.replace("_", "-") + "-job-definition/{identifier}",
        parts=(
            Part(
                gives=("JobDefinitionName", "JobResources", "NetworkConfig"),
                calls={f"sagemaker.{describe}": f"sagemaker:{describe}"},
                read=read,
            ),
            _TAGS,
        ),
        touches=(
            Touch(
                _SOURCE,
                (f"Create{kind}JobDefinition", f"Delete{kind}JobDefinition"),
                ("requestParameters.jobDefinitionName",),
                EVERYTHING,
            ),
            _TAGGING,
        ),
        inventory=Inventory(calls={f"sagemaker.{list_all}": f"sagemaker:{list_all}"}, pages=listed),
    )


JOB_DEFINITIONS = tuple(map(_job_definition, ("DataQuality", "ModelBias", "ModelExplainability", "ModelQuality")))


def _schedule(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """A schedule names a definition, which is read by itself, or has one inside."""
    found = asked(
        _client(clients, resource), "describe_monitoring_schedule", _GONE, MonitoringScheduleName=resource.identifier
    )
    config = found.get("MonitoringScheduleConfig", {})
    inside = config.get("MonitoringJobDefinition")
    return {
        "MonitoringScheduleName": found["MonitoringScheduleName"],
        "MonitoringScheduleConfig": {
            **same(config, "MonitoringJobDefinitionName"),
            **present(MonitoringJobDefinition=None if inside is None else {"NetworkConfig": _network(inside)}),
        },
    }


def _schedules(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("sagemaker", region), "list_monitoring_schedules", "MonitoringScheduleSummaries", 100):
        yield [each["MonitoringScheduleName"] for each in page]


_AT_SCHEDULE = ("requestParameters.monitoringScheduleName",)

MONITORING_SCHEDULE = Reader(
    type="AWS::SageMaker::MonitoringSchedule",
    responder="compute",
    arn="arn:{partition}:sagemaker:{region}:{account}:monitoring-schedule/{identifier}",
    parts=(
        Part(
            gives=("MonitoringScheduleName", "MonitoringScheduleConfig"),
            calls={"sagemaker.DescribeMonitoringSchedule": "sagemaker:DescribeMonitoringSchedule"},
            read=_schedule,
        ),
        _TAGS,
    ),
    touches=(
        Touch(_SOURCE, ("CreateMonitoringSchedule", "DeleteMonitoringSchedule"), _AT_SCHEDULE, EVERYTHING),
        Touch(_SOURCE, ("UpdateMonitoringSchedule",), _AT_SCHEDULE, ("MonitoringScheduleConfig",)),
        Touch(_SOURCE, ("StartMonitoringSchedule", "StopMonitoringSchedule"), _AT_SCHEDULE),
        _TAGGING,
    ),
    inventory=Inventory(
        calls={"sagemaker.ListMonitoringSchedules": "sagemaker:ListMonitoringSchedules"}, pages=_schedules
    ),
)

_AT_DOMAIN = ("requestParameters.domainId",)

# Studio. Apps, profiles and images its handler also looks at, and nothing of them is kept.
DOMAIN = cloudcontrol.reader(
    "AWS::SageMaker::Domain",
    responder="compute",
    arn="arn:{partition}:sagemaker:{region}:{account}:domain/{identifier}",
    gives=(
        "DomainName",
        "AppNetworkAccessType",
        "AuthMode",
        "DomainSettings",
        "KmsKeyId",
        "SubnetIds",
        "VpcId",
        "Tags",
    ),
    reading=(
        *("sagemaker:DescribeApp", "sagemaker:DescribeDomain", "sagemaker:DescribeImage"),
        *("sagemaker:DescribeImageVersion", "sagemaker:DescribeUserProfile", "sagemaker:ListTags"),
    ),
    listing=("sagemaker:ListDomains", "sagemaker:ListTags"),
    touches=(
        Touch(_SOURCE, ("CreateDomain",), ("responseElements.domainArn",), EVERYTHING),
        Touch(_SOURCE, ("DeleteDomain",), _AT_DOMAIN, EVERYTHING),
        Touch(_SOURCE, ("UpdateDomain",), _AT_DOMAIN, ("AppNetworkAccessType", "DomainSettings", "SubnetIds", "VpcId")),
        _TAGGING,
    ),
)

READERS: tuple[Reader, ...] = (NOTEBOOK_INSTANCE, MODEL, ENDPOINT_CONFIG, *JOB_DEFINITIONS, MONITORING_SCHEDULE, DOMAIN)
