"""GraphQL APIs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, pages, present, tags_of

_SOURCE = "appsync.amazonaws.com"
_GONE = ("NotFoundException", "BadRequestException")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(clients("appsync", resource.region), "get_graphql_api", _GONE, apiId=resource.identifier)
    api = found["graphqlApi"]
    more = [each.get("authenticationType") for each in api.get("additionalAuthenticationProviders", ())]
    return {
        "ApiId": api["apiId"],
        "Name": api["name"],
        **present(AuthenticationType=api.get("authenticationType"), Visibility=api.get("visibility")),
        "LogConfig": present(FieldLogLevel=api.get("logConfig", {}).get("fieldLogLevel")),
        "Tags": tags_of(api.get("tags")),
        "Observed": {"AuthenticationTypes": sorted(filter(None, {api.get("authenticationType"), *more}))},
    }


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("appsync", region), "list_graphql_apis", "graphqlApis", 25):
        yield [each["apiId"] for each in page]


_NAMED = ("requestParameters.apiId",)

GRAPHQL_API = Reader(
    type="AWS::AppSync::GraphQLApi",
    responder="network",
    arn="arn:{partition}:appsync:{region}:{account}:apis/{identifier}",
    parts=(
        Part(
            gives=(
                *("ApiId", "Name", "AuthenticationType", "Visibility", "LogConfig", "Tags"),
                "Observed.AuthenticationTypes",
            ),
            calls={"appsync.GetGraphqlApi": "appsync:GetGraphqlApi"},
            read=_read,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateGraphqlApi",), ("responseElements.graphqlApi.apiId",), EVERYTHING),
        Touch(_SOURCE, ("DeleteGraphqlApi",), _NAMED, EVERYTHING),
        Touch(
            _SOURCE,
            ("UpdateGraphqlApi",),
            _NAMED,
            ("AuthenticationType", "LogConfig", "Observed.AuthenticationTypes"),
        ),
        Touch(_SOURCE, ("CreateApiKey", "DeleteApiKey", "UpdateApiKey", "StartSchemaCreation"), _NAMED),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceArn",), ("Tags",)),
    ),
    inventory=Inventory(calls={"appsync.ListGraphqlApis": "appsync:ListGraphqlApis"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (GRAPHQL_API,)
