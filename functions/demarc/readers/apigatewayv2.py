"""HTTP and WebSocket APIs: whether each of their routes asks who calls, and whether their stages are logged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, every, pages, same, tags_of

_SOURCE = "apigateway.amazonaws.com"
_GONE = ("NotFoundException", "BadRequestException")
_GET = "apigateway:GET"


def _client(clients: Clients, resource: Resource) -> Any:
    return clients("apigatewayv2", resource.region)


def _api(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    api = asked(_client(clients, resource), "get_api", _GONE, ApiId=resource.identifier)
    return {
        **same(api, "ApiId", "Name", "ProtocolType", "DisableExecuteApiEndpoint"),
        "Tags": tags_of(api.get("Tags")),
    }


def _routes(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    client = _client(clients, resource)
    found = every(client, "get_routes", "Items", _GONE, 500, ApiId=resource.identifier)
    return {"Observed": {"Routes": [same(each, "RouteKey", "AuthorizationType") for each in found]}}


def _integrations(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """Connections into a VPC; those over the internet are HTTPS or what their own address says."""
    client = _client(clients, resource)
    found = every(client, "get_integrations", "Items", _GONE, 500, ApiId=resource.identifier)
    private = [each for each in found if each.get("ConnectionType") == "VPC_LINK"]
    return {"Observed": {"PrivateWithoutTls": sum(not each.get("TlsConfig") for each in private)}}


def _stages(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    client = _client(clients, resource)
    found = every(client, "get_stages", "Items", _GONE, 500, ApiId=resource.identifier)
    stages = [
        {"StageName": each["StageName"], "Logged": bool(each.get("AccessLogSettings", {}).get("DestinationArn"))}
        for each in found
    ]
    return {"Observed": {"Stages": stages}}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("apigatewayv2", region), "get_apis", "Items"):
        yield [each["ApiId"] for each in page]


_NAMED = ("requestParameters.apiId",)

API = Reader(
    type="AWS::ApiGatewayV2::Api",
    responder="network",
    arn="arn:{partition}:apigateway:{region}::/apis/{identifier}",
    parts=(
        Part(
            gives=("ApiId", "Name", "ProtocolType", "DisableExecuteApiEndpoint", "Tags"),
            calls={"apigatewayv2.GetApi": _GET},
            read=_api,
        ),
        Part(gives=("Observed.Routes",), calls={"apigatewayv2.GetRoutes": _GET}, read=_routes),
        Part(gives=("Observed.PrivateWithoutTls",), calls={"apigatewayv2.GetIntegrations": _GET}, read=_integrations),
        Part(gives=("Observed.Stages",), calls={"apigatewayv2.GetStages": _GET}, read=_stages),
    ),
    # CreateStage, DeleteStage and UpdateStage of REST APIs have the same names, and another parameter.
    touches=(
        Touch(_SOURCE, ("CreateApi", "ImportApi"), ("responseElements.apiId",), EVERYTHING),
        Touch(_SOURCE, ("DeleteApi",), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("UpdateApi", "ReimportApi"), _NAMED, ("DisableExecuteApiEndpoint", "Observed.Routes")),
        Touch(_SOURCE, ("CreateRoute", "DeleteRoute", "UpdateRoute"), _NAMED, ("Observed.Routes",)),
        Touch(
            _SOURCE,
            ("CreateIntegration", "DeleteIntegration", "UpdateIntegration"),
            _NAMED,
            ("Observed.PrivateWithoutTls",),
        ),
        Touch(_SOURCE, ("CreateStage", "DeleteStage", "UpdateStage"), _NAMED, ("Observed.Stages",)),
        Touch(_SOURCE, ("DeleteAccessLogSettings",), _NAMED, ("Observed.Stages",)),
        Touch(_SOURCE, ("CreateAuthorizer", "DeleteAuthorizer", "UpdateAuthorizer", "DeleteCorsConfiguration"), _NAMED),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceArn",), ("Tags",)),
    ),
    inventory=Inventory(calls={"apigatewayv2.GetApis": _GET}, pages=_listed),
)

READERS: tuple[Reader, ...] = (API,)
