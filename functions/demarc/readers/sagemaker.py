"""Notebooks, models and what serves them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.change import EVERYTHING, Touch
from demarc.core.model import Resource
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, pages, present, same, tags

_SOURCE = "sagemaker.amazonaws.com"
# What is not there is answered as a mistake in the request.
_GONE = ("ValidationException", "ResourceNotFound")
_TAGGED = ("requestParameters.resourceArn",)


def _client(clients: Clients, resource: Resource) -> Any:
    return clients("sagemaker", resource.region)


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    return {"Tags": tags(asked(_client(clients, resource), "list_tags", _GONE, ResourceArn=resource.arn)["Tags"])}


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

READERS: tuple[Reader, ...] = (NOTEBOOK_INSTANCE, MODEL, ENDPOINT_CONFIG)
