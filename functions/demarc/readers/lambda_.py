"""Functions: who may call them, what they run on, and whether secrets lie open in their variables.

And versions of layers: who may take them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from demarc.core.model import Resource
from demarc.core.plaintext import secrets_in
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, configured, document, pages, present, same, tags_of, the_one

_SOURCE = "lambda.amazonaws.com"
_GONE = ("ResourceNotFoundException", "ValidationException", "InvalidParameterValueException")
_SAME = ("Architectures", "FunctionName", "PackageType", "Role", "Runtime")


def _configuration(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    function = asked(
        clients("lambda", resource.region),
        "get_function_configuration",
        _GONE,
        FunctionName=resource.identifier,
    )
    variables = function.get("Environment", {}).get("Variables", {})
    vpc = function.get("VpcConfig", {})
    return {
        **same(function, *_SAME),
        "Layers": [each["Arn"] for each in function.get("Layers", ())],
        "TracingConfig": same(function.get("TracingConfig", {}), "Mode"),
        **present(
            KmsKeyArn=function.get("KMSKeyArn"),
            DeadLetterConfig=same(function.get("DeadLetterConfig", {}), "TargetArn") or None,
            VpcConfig={"SubnetIds": vpc["SubnetIds"]} if vpc.get("SubnetIds") else None,
        ),
        "Observed": {"PlaintextSecrets": secrets_in(variables)},
    }


def _policy(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """The function's own policy; nothing where nobody but its account may call it."""
    found = configured(
        clients("lambda", resource.region),
        "get_policy",
        ("ResourceNotFoundException",),
        FunctionName=resource.identifier,
    )
    return {"Observed": present(Policy=document(found.get("Policy")))}


def _url(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = configured(
        clients("lambda", resource.region),
        "get_function_url_config",
        ("ResourceNotFoundException",),
        FunctionName=resource.identifier,
    )
    if not found:
        return {}
    origins = found.get("Cors", {}).get("AllowOrigins", [])
    return {"Observed": {"Url": {"AuthType": found.get("AuthType"), "AllowOrigins": origins}}}


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(clients("lambda", resource.region), "list_tags", _GONE, Resource=resource.arn)
    return {"Tags": tags_of(found.get("Tags"))}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("lambda", region), "list_functions", "Functions", 50):
        yield [each["FunctionName"] for each in page]


# A caller may name a function by its ARN, or by that of a version or an alias, whose own settings are not read.
_NAMED = ("requestParameters.functionName", "responseElements.functionName")
_CONFIGURED = (
    *(*_SAME, "DeadLetterConfig", "KmsKeyArn", "Layers", "TracingConfig", "VpcConfig"),
    "Observed.PlaintextSecrets",
)

FUNCTION = Reader(
    type="AWS::Lambda::Function",
    responder="compute",
    arn="arn:{partition}:lambda:{region}:{account}:function:{identifier}",
    parts=(
        Part(
            gives=_CONFIGURED,
            calls={"lambda.GetFunctionConfiguration": "lambda:GetFunctionConfiguration"},
            read=_configuration,
        ),
        Part(gives=("Observed.Policy",), calls={"lambda.GetPolicy": "lambda:GetPolicy"}, read=_policy),
        Part(
            gives=("Observed.Url",),
            calls={"lambda.GetFunctionUrlConfig": "lambda:GetFunctionUrlConfig"},
            read=_url,
        ),
        Part(gives=("Tags",), calls={"lambda.ListTags": "lambda:ListTags"}, read=_tags),
    ),
    # CloudTrail puts the version of the API behind most names: CreateFunction20150331.
    touches=(
        Touch(_SOURCE, ("CreateFunction20150331", "DeleteFunction20150331"), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("UpdateFunctionConfiguration20150331v2",), _NAMED, _CONFIGURED),
        Touch(_SOURCE, ("UpdateFunctionCode20150331v2",), _NAMED, ("Architectures", "PackageType")),
        Touch(_SOURCE, ("AddPermission20150331v2", "RemovePermission20150331v2"), _NAMED[:1], ("Observed.Policy",)),
        # The policy as a whole, in place of statement by statement.
        Touch(
            _SOURCE,
            ("PutResourcePolicy", "DeleteResourcePolicy"),
            ("requestParameters.resourceArn",),
            ("Observed.Policy",),
        ),
        Touch(
            _SOURCE,
            ("CreateFunctionUrlConfig", "DeleteFunctionUrlConfig", "UpdateFunctionUrlConfig"),
            _NAMED[:1],
            ("Observed.Url",),
        ),
        Touch(
            _SOURCE,
            (
                *("PutFunctionConcurrency20171031", "DeleteFunctionConcurrency20171031", "PublishVersion20150331"),
                *("CreateAlias20150331", "DeleteAlias20150331", "UpdateAlias20150331"),
                *("PutFunctionCodeSigningConfig", "DeleteFunctionCodeSigningConfig", "PutRuntimeManagementConfig"),
                *("PutFunctionEventInvokeConfig", "DeleteFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig"),
                "CreateEventSourceMapping20150331",
            ),
            _NAMED[:1],
        ),
        Touch(
            _SOURCE, ("TagResource20170331v2", "UntagResource20170331v2"), ("requestParameters.resource",), ("Tags",)
        ),
    ),
    inventory=Inventory(calls={"lambda.ListFunctions": "lambda:ListFunctions"}, pages=_listed),
)


def _of_layer(resource: Resource) -> tuple[str, int]:
    name, _, version = resource.identifier.rpartition(":")
    if not name or not version.isdecimal():
        raise ResourceGone
    return name, int(version)


def _layer(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """Looked for in the list of its layer's versions: whoever may get one may download what is in it."""
    name, version = _of_layer(resource)
    try:
        found = [
            each
            for page in pages(
                clients("lambda", resource.region), "list_layer_versions", "LayerVersions", 50, LayerName=name
            )
            for each in page
        ]
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            raise ResourceGone from error
        raise
    one = the_one([each for each in found if each.get("Version") == version])
    return {"LayerName": name, **same(one, "CompatibleArchitectures", "CompatibleRuntimes")}


def _policy_of_layer(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """The version's own policy; nothing where only its account may use it."""
    name, version = _of_layer(resource)
    found = configured(
        clients("lambda", resource.region),
        "get_layer_version_policy",
        ("ResourceNotFoundException",),
        LayerName=name,
        VersionNumber=version,
    )
    return {"Observed": present(Policy=document(found.get("Policy")))}


def _layers(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    """Every version: each is shared on its own, and the old ones stay shared."""
    client = clients("lambda", region)
    for layers in pages(client, "list_layers", "Layers", 50):
        for name in (each["LayerName"] for each in layers):
            for page in pages(client, "list_layer_versions", "LayerVersions", 50, LayerName=name):
                yield [f"{name}:{each['Version']}" for each in page]


_LAYER, _NUMBER = ("requestParameters.layerName",), "requestParameters.versionNumber"

LAYER_VERSION = Reader(
    type="AWS::Lambda::LayerVersion",
    responder="compute",
    arn="arn:{partition}:lambda:{region}:{account}:layer:{identifier!s}",
    parts=(
        Part(
            gives=("LayerName", "CompatibleArchitectures", "CompatibleRuntimes"),
            calls={"lambda.ListLayerVersions": "lambda:ListLayerVersions"},
            read=_layer,
        ),
        Part(
            gives=("Observed.Policy",),
            calls={"lambda.GetLayerVersionPolicy": "lambda:GetLayerVersionPolicy"},
            read=_policy_of_layer,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("PublishLayerVersion20181031",), ("responseElements.layerVersionArn",), EVERYTHING),
        Touch(_SOURCE, ("DeleteLayerVersion20181031",), _LAYER, EVERYTHING, also=_NUMBER, joined=":"),
        Touch(
            _SOURCE,
            ("AddLayerVersionPermission20181031", "RemoveLayerVersionPermission20181031"),
            _LAYER,
            ("Observed.Policy",),
            also=_NUMBER,
            joined=":",
        ),
    ),
    inventory=Inventory(
        calls={"lambda.ListLayers": "lambda:ListLayers", "lambda.ListLayerVersions": "lambda:ListLayerVersions"},
        pages=_layers,
    ),
)

READERS: tuple[Reader, ...] = (FUNCTION, LAYER_VERSION)
