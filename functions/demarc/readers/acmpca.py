"""Private certificate authorities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, configured, document, every, pages, present, same, tags

_SOURCE = "acm-pca.amazonaws.com"
_GONE = ("ResourceNotFoundException", "InvalidArnException", "ValidationException")


def _client(clients: Clients, resource: Resource) -> Any:
    return clients("acm-pca", resource.region)


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(
        _client(clients, resource),
        "describe_certificate_authority",
        _GONE,
        CertificateAuthorityArn=resource.arn,
    )["CertificateAuthority"]
    if found.get("Status") == "DELETED":
        raise ResourceGone
    revocation = found.get("RevocationConfiguration", {})
    return {
        **same(found, "Type", "UsageMode"),
        "Observed": present(
            Status=found.get("Status"),
            Revocable=any(
                revocation.get(kind, {}).get("Enabled") for kind in ("CrlConfiguration", "OcspConfiguration")
            ),
        ),
    }


def _policy(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = configured(
        _client(clients, resource), "get_policy", ("ResourceNotFoundException",), ResourceArn=resource.arn
    )
    return {"Observed": present(Policy=document(found.get("Policy")))}


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    client = _client(clients, resource)
    return {"Tags": tags(every(client, "list_tags", "Tags", _GONE, CertificateAuthorityArn=resource.arn))}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("acm-pca", region), "list_certificate_authorities", "CertificateAuthorities", 100):
        yield [each["Arn"].rpartition("/")[2] for each in page if each.get("Status") != "DELETED"]


_NAMED = ("requestParameters.certificateAuthorityArn",)
_OBSERVED = ("Observed.Status", "Observed.Revocable")

CERTIFICATE_AUTHORITY = Reader(
    type="AWS::ACMPCA::CertificateAuthority",
    responder="identity",
    arn="arn:{partition}:acm-pca:{region}:{account}:certificate-authority/{identifier}",
    parts=(
        Part(
            gives=("Type", "UsageMode", *_OBSERVED),
            calls={"acm-pca.DescribeCertificateAuthority": "acm-pca:DescribeCertificateAuthority"},
            read=_read,
        ),
        Part(gives=("Observed.Policy",), calls={"acm-pca.GetPolicy": "acm-pca:GetPolicy"}, read=_policy),
        Part(gives=("Tags",), calls={"acm-pca.ListTags": "acm-pca:ListTags"}, read=_tags),
    ),
    touches=(
        Touch(_SOURCE, ("CreateCertificateAuthority",), ("responseElements.certificateAuthorityArn",), EVERYTHING),
        Touch(_SOURCE, ("DeleteCertificateAuthority", "RestoreCertificateAuthority"), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("UpdateCertificateAuthority", "ImportCertificateAuthorityCertificate"), _NAMED, _OBSERVED),
        Touch(_SOURCE, ("PutPolicy", "DeletePolicy"), ("requestParameters.resourceArn",), ("Observed.Policy",)),
        Touch(_SOURCE, ("CreatePermission", "DeletePermission", "RevokeCertificate"), _NAMED),
        Touch(_SOURCE, ("TagCertificateAuthority", "UntagCertificateAuthority"), _NAMED, ("Tags",)),
    ),
    inventory=Inventory(
        calls={"acm-pca.ListCertificateAuthorities": "acm-pca:ListCertificateAuthorities"}, pages=_listed
    ),
)

READERS: tuple[Reader, ...] = (CERTIFICATE_AUTHORITY,)
