"""Functions: who may call them, what they run on, and whether secrets lie open in their variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.change import EVERYTHING, Touch
from demarc.core.model import Resource
from demarc.core.plaintext import secrets_in
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, configured, document, pages, present, same, tags_of

_SOURCE = "lambda.amazonaws.com"
_GONE = ("ResourceNotFoundException", "ValidationException", "InvalidParameterValueException")
_SAME = ("Architectures", "FunctionName", "KmsKeyArn", "PackageType", "Role", "Runtime")


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
    return {"Tags": tags_of(found["Tags"])}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("lambda", region), "list_functions", "Functions", 50):
        yield [each["FunctionName"] for each in page]


# A caller may name a function by its ARN, or by that of a version or an alias, whose own settings are not read.
_NAMED = ("requestParameters.functionName", "responseElements.functionName")
_CONFIGURED = (*_SAME, "DeadLetterConfig", "Layers", "TracingConfig", "VpcConfig", "Observed.PlaintextSecrets")

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

READERS: tuple[Reader, ...] = (FUNCTION,)
