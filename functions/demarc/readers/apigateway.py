"""Stages of REST APIs. Known by the id of their API and their name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, pages, present, tags_of

_SOURCE = "apigateway.amazonaws.com"
_FIREWALL = "wafv2.amazonaws.com"
_GONE = ("NotFoundException", "BadRequestException")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    api, _, name = resource.identifier.partition("/stages/")
    if not name:
        raise ResourceGone
    stage = asked(clients("apigateway", resource.region), "get_stage", _GONE, restApiId=api, stageName=name)
    everything = stage.get("methodSettings", {}).get("*/*", {})
    return {
        "RestApiId": api,
        "StageName": stage["stageName"],
        **present(ClientCertificateId=stage.get("clientCertificateId")),
        "TracingEnabled": stage.get("tracingEnabled", False),
        "CacheClusterEnabled": stage.get("cacheClusterEnabled", False),
        **present(AccessLogSetting=_destination(stage.get("accessLogSettings", {}))),
        "Tags": tags_of(stage.get("tags")),
        "Observed": present(
            LoggingLevel=everything.get("loggingLevel", "OFF"),
            CachingEnabled=everything.get("cachingEnabled", False),
            CacheDataEncrypted=everything.get("cacheDataEncrypted", False),
            WebAclArn=stage.get("webAclArn"),
        ),
    }


def _destination(settings: Mapping[str, Any]) -> dict[str, str] | None:
    return {"DestinationArn": settings["destinationArn"]} if settings.get("destinationArn") else None


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    """Stages are listed by API."""
    client = clients("apigateway", region)
    for apis in pages(client, "get_rest_apis", "items", 500):
        for api in apis:
            stages = client.get_stages(restApiId=api["id"]).get("item", ())
            yield [f"{api['id']}/stages/{each['stageName']}" for each in stages]


_OBSERVED = tuple(f"Observed.{name}" for name in ("LoggingLevel", "CachingEnabled", "CacheDataEncrypted", "WebAclArn"))
_SET = ("AccessLogSetting", "CacheClusterEnabled", "ClientCertificateId", "TracingEnabled", *_OBSERVED)

STAGE = Reader(
    type="AWS::ApiGateway::Stage",
    responder="network",
    arn="arn:{partition}:apigateway:{region}::/restapis/{identifier!s}",
    parts=(
        Part(
            gives=("RestApiId", "StageName", "Tags", *_SET),
            calls={"apigateway.GetStage": "apigateway:GET"},
            read=_read,
        ),
    ),
    touches=(
        Touch(
            _SOURCE,
            ("CreateStage", "DeleteStage", "UpdateStage", "CreateDeployment"),
            ("requestParameters.restApiId",),
            EVERYTHING,
            also="requestParameters.stageName",
            joined="/stages/",
        ),
        *(
            Touch(
                _SOURCE,
                (call,),
                ("requestParameters.restApiId",),
                EVERYTHING,
                also=f"requestParameters.{body}.stageName",
                joined="/stages/",
            )
            # What a call has in its body may be recorded under a name of its own.
            for call, body in (("CreateDeployment", "createDeploymentInput"), ("CreateStage", "createStageInput"))
        ),
        Touch(
            _FIREWALL,
            ("AssociateWebACL", "DisassociateWebACL"),
            ("requestParameters.resourceArn",),
            ("Observed.WebAclArn",),
        ),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceArn",), ("Tags",)),
    ),
    inventory=Inventory(
        calls={"apigateway.GetRestApis": "apigateway:GET", "apigateway.GetStages": "apigateway:GET"}, pages=_listed
    ),
)

READERS: tuple[Reader, ...] = (STAGE,)
