"""Domains of OpenSearch, and of Elasticsearch before it. Their events have the older source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, document, present, same, tags

_SOURCE = "es.amazonaws.com"
_GONE = ("ResourceNotFoundException", "ValidationException")
_SAME = ("DomainName", "EngineVersion", "IPAddressType")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    client = clients("opensearch", resource.region)
    domain = asked(client, "describe_domain", _GONE, DomainName=resource.identifier)["DomainStatus"]
    if domain.get("Deleted"):
        raise ResourceGone
    software, endpoint = domain.get("ServiceSoftwareOptions", {}), domain.get("DomainEndpointOptions", {})
    return {
        **same(domain, *_SAME),
        **present(AccessPolicies=document(domain.get("AccessPolicies"))),
        "AdvancedSecurityOptions": same(
            domain.get("AdvancedSecurityOptions", {}), "Enabled", "InternalUserDatabaseEnabled"
        ),
        "ClusterConfig": same(
            domain.get("ClusterConfig", {}),
            *("DedicatedMasterCount", "DedicatedMasterEnabled", "InstanceCount", "InstanceType"),
            "ZoneAwarenessEnabled",
        ),
        "DomainEndpointOptions": same(endpoint, "EnforceHTTPS", "TLSSecurityPolicy"),
        "EncryptionAtRestOptions": same(domain.get("EncryptionAtRestOptions", {}), "Enabled", "KmsKeyId"),
        "LogPublishingOptions": {
            kind: same(each, "Enabled", "CloudWatchLogsLogGroupArn")
            for kind, each in domain.get("LogPublishingOptions", {}).items()
        },
        "NodeToNodeEncryptionOptions": same(domain.get("NodeToNodeEncryptionOptions", {}), "Enabled"),
        "Observed": present(
            InVpc=bool(domain.get("VPCOptions", {}).get("VPCId")), UpdateAvailable=software.get("UpdateAvailable")
        ),
    }


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(clients("opensearch", resource.region), "list_tags", _GONE, ARN=resource.arn)
    return {"Tags": tags(found.get("TagList"))}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    # AWS answers with all names at once: a Region may have a hundred.
    yield [each["DomainName"] for each in clients("opensearch", region).list_domain_names().get("DomainNames", ())]


_NAMED = ("requestParameters.domainName",)
_CONFIGURED = (
    *("AccessPolicies", "AdvancedSecurityOptions", "ClusterConfig", "DomainEndpointOptions"),
    *("EncryptionAtRestOptions", "LogPublishingOptions", "NodeToNodeEncryptionOptions"),
)
_OBSERVED = ("Observed.InVpc", "Observed.UpdateAvailable")

DOMAIN = Reader(
    type="AWS::OpenSearchService::Domain",
    responder="data",
    arn="arn:{partition}:es:{region}:{account}:domain/{identifier}",
    parts=(
        Part(
            gives=(*_SAME, *_CONFIGURED, *_OBSERVED),
            calls={"opensearch.DescribeDomain": "es:DescribeDomain"},
            read=_read,
        ),
        Part(gives=("Tags",), calls={"opensearch.ListTags": "es:ListTags"}, read=_tags),
    ),
    touches=(
        Touch(
            _SOURCE,
            ("CreateDomain", "CreateElasticsearchDomain", "DeleteDomain", "DeleteElasticsearchDomain"),
            _NAMED,
            EVERYTHING,
        ),
        Touch(_SOURCE, ("UpdateDomainConfig", "UpdateElasticsearchDomainConfig"), _NAMED, _CONFIGURED),
        Touch(_SOURCE, ("CancelDomainConfigChange",), _NAMED, _CONFIGURED),
        Touch(
            _SOURCE,
            (
                *("StartServiceSoftwareUpdate", "StartElasticsearchServiceSoftwareUpdate", "UpgradeDomain"),
                *("UpgradeElasticsearchDomain", "CancelServiceSoftwareUpdate", "RollbackServiceSoftwareUpdate"),
                "CancelElasticsearchServiceSoftwareUpdate",
            ),
            _NAMED,
            ("EngineVersion", "Observed.UpdateAvailable"),
        ),
        Touch(_SOURCE, ("AuthorizeVpcEndpointAccess", "RevokeVpcEndpointAccess"), _NAMED),
        Touch(_SOURCE, ("AddTags", "RemoveTags"), ("requestParameters.aRN",), ("Tags",)),
    ),
    inventory=Inventory(calls={"opensearch.ListDomainNames": "es:ListDomainNames"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (DOMAIN,)
