"""Hosted zones: whether what is asked of them is written down. Their events arrive in the home Region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, home_region
from demarc.readers.answers import asked, configured, pages, tags

_SOURCE = "route53.amazonaws.com"
_GONE = ("NoSuchHostedZone", "InvalidInput")


def _client(clients: Clients, resource: Resource) -> Any:
    return clients("route53", home_region(resource.region))


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    zone = asked(_client(clients, resource), "get_hosted_zone", _GONE, Id=resource.identifier)["HostedZone"]
    return {
        "Id": resource.identifier,
        "Name": zone["Name"],
        "Observed": {"Private": zone.get("Config", {}).get("PrivateZone", False)},
    }


def _logging(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    # That the zone is gone the other part says.
    route53 = _client(clients, resource)
    found = configured(route53, "list_query_logging_configs", _GONE, HostedZoneId=resource.identifier)
    groups = [each["CloudWatchLogsLogGroupArn"] for each in found.get("QueryLoggingConfigs", ())]
    return {"QueryLoggingConfig": {"CloudWatchLogsLogGroupArn": groups[0]}} if groups else {}


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(
        _client(clients, resource),
        "list_tags_for_resource",
        _GONE,
        ResourceType="hostedzone",
        ResourceId=resource.identifier,
    )
    return {"Tags": tags(found["ResourceTagSet"].get("Tags"))}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    if region != home_region(region):
        return
    for page in pages(clients("route53", region), "list_hosted_zones", "HostedZones", 100):
        yield [each["Id"].rpartition("/")[2] for each in page]


HOSTED_ZONE = Reader(
    type="AWS::Route53::HostedZone",
    responder="network",
    arn="arn:{partition}:route53:::hostedzone/{identifier}",
    parts=(
        Part(
            gives=("Id", "Name", "Observed.Private"),
            calls={"route53.GetHostedZone": "route53:GetHostedZone"},
            read=_read,
        ),
        Part(
            gives=("QueryLoggingConfig",),
            calls={"route53.ListQueryLoggingConfigs": "route53:ListQueryLoggingConfigs"},
            read=_logging,
        ),
        Part(gives=("Tags",), calls={"route53.ListTagsForResource": "route53:ListTagsForResource"}, read=_tags),
    ),
    # DeleteQueryLoggingConfig names no zone: the sweep sees it.
    touches=(
        Touch(_SOURCE, ("CreateHostedZone",), ("responseElements.hostedZone.id",), EVERYTHING, last=True),
        Touch(_SOURCE, ("DeleteHostedZone",), ("requestParameters.id",), EVERYTHING, last=True),
        Touch(
            _SOURCE,
            ("CreateQueryLoggingConfig",),
            ("requestParameters.hostedZoneId",),
            ("QueryLoggingConfig",),
            last=True,
        ),
        Touch(
            _SOURCE,
            (
                *("AssociateVPCWithHostedZone", "ChangeResourceRecordSets", "DisableHostedZoneDNSSEC"),
                *("DisassociateVPCFromHostedZone", "EnableHostedZoneDNSSEC", "CreateVPCAssociationAuthorization"),
                *("DeleteVPCAssociationAuthorization", "ActivateKeySigningKey", "CreateKeySigningKey"),
                *("DeactivateKeySigningKey", "DeleteKeySigningKey"),
            ),
            ("requestParameters.hostedZoneId",),
            last=True,
        ),
        Touch(_SOURCE, ("ChangeTagsForResource",), ("requestParameters.resourceId",), ("Tags",), "Z"),
    ),
    regional=False,
    inventory=Inventory(calls={"route53.ListHostedZones": "route53:ListHostedZones"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (HOSTED_ZONE,)
