"""Distributions: how viewers reach them, and how they reach what is behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, home_region
from demarc.readers.answers import asked, present, tags

_SOURCE = "cloudfront.amazonaws.com"
_GONE = ("NoSuchDistribution", "NoSuchResource", "InvalidArgument")


def _client(clients: Clients, resource: Resource) -> Any:
    return clients("cloudfront", home_region(resource.region))


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(_client(clients, resource), "get_distribution_config", _GONE, Id=resource.identifier)
    config = found["DistributionConfig"]
    certificate = config.get("ViewerCertificate", {})
    behaviours = [config["DefaultCacheBehavior"], *config.get("CacheBehaviors", {}).get("Items", ())]
    signers = [each.get("TrustedSigners", {}) for each in behaviours]
    return {
        "DistributionConfig": present(
            Enabled=config.get("Enabled"),
            DefaultRootObject=config.get("DefaultRootObject") or None,
            WebACLId=config.get("WebACLId") or None,
        ),
        "Observed": {
            "Logging": config.get("Logging", {}).get("Enabled", False),
            "ViewerProtocols": sorted({each["ViewerProtocolPolicy"] for each in behaviours}),
            "OriginGroups": config.get("OriginGroups", {}).get("Quantity", 0),
            "Origins": [_origin(each) for each in config.get("Origins", {}).get("Items", ())],
            "TrustedSigners": sum(each.get("Enabled", False) for each in signers),
            "OwnCertificate": not certificate.get("CloudFrontDefaultCertificate", False),
            **present(
                MinimumProtocolVersion=certificate.get("MinimumProtocolVersion"),
                SSLSupportMethod=certificate.get("SSLSupportMethod"),
            ),
        },
    }


def _origin(origin: Mapping[str, Any]) -> dict[str, Any]:
    """A bucket keeps to itself, a function has a URL, and anything else is reached as its protocols say."""
    own = origin.get("CustomOriginConfig", {})
    domain = origin["DomainName"]
    kind = "s3" if "S3OriginConfig" in origin else "lambda" if ".lambda-url." in domain else "custom"
    return {
        "DomainName": domain,
        "Kind": kind,
        "AccessControl": bool(origin.get("OriginAccessControlId")),
        **present(
            ProtocolPolicy=own.get("OriginProtocolPolicy"), Protocols=own.get("OriginSslProtocols", {}).get("Items")
        ),
    }


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(_client(clients, resource), "list_tags_for_resource", _GONE, Resource=resource.arn)
    return {"Tags": tags(found["Tags"].get("Items"))}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    if region != home_region(region):
        return
    client = clients("cloudfront", region)
    for page in client.get_paginator("list_distributions").paginate():
        yield [each["Id"] for each in page["DistributionList"].get("Items", ())]


_NAMED = ("requestParameters.id",)
_OBSERVED = tuple(
    f"Observed.{name}"
    for name in (
        *("Logging", "ViewerProtocols", "OriginGroups", "Origins", "TrustedSigners", "OwnCertificate"),
        *("MinimumProtocolVersion", "SSLSupportMethod"),
    )
)

DISTRIBUTION = Reader(
    type="AWS::CloudFront::Distribution",
    responder="network",
    arn="arn:{partition}:cloudfront::{account}:distribution/{identifier}",
    parts=(
        Part(
            gives=("DistributionConfig", *_OBSERVED),
            calls={"cloudfront.GetDistributionConfig": "cloudfront:GetDistributionConfig"},
            read=_read,
        ),
        Part(gives=("Tags",), calls={"cloudfront.ListTagsForResource": "cloudfront:ListTagsForResource"}, read=_tags),
    ),
    # CloudTrail puts the version of the API behind these names.
    touches=(
        Touch(
            _SOURCE,
            (
                *("CreateDistribution2020_05_31", "CreateDistributionWithTags2020_05_31"),
                "CopyDistribution2020_05_31",
            ),
            ("responseElements.distribution.id",),
            EVERYTHING,
        ),
        Touch(_SOURCE, ("DeleteDistribution2020_05_31",), _NAMED, EVERYTHING),
        Touch(
            _SOURCE,
            ("UpdateDistribution2020_05_31", "UpdateDistributionWithStagingConfig2020_05_31"),
            _NAMED,
            ("DistributionConfig", *_OBSERVED),
        ),
        Touch(
            _SOURCE,
            ("AssociateDistributionWebACL2020_05_31", "DisassociateDistributionWebACL2020_05_31"),
            _NAMED,
            ("DistributionConfig",),
        ),
        Touch(
            _SOURCE,
            ("TagResource2020_05_31", "UntagResource2020_05_31"),
            ("requestParameters.resource",),
            ("Tags",),
        ),
    ),
    regional=False,
    inventory=Inventory(calls={"cloudfront.ListDistributions": "cloudfront:ListDistributions"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (DISTRIBUTION,)
