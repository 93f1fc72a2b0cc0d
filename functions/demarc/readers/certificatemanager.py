"""Certificates of ACM: how long they still count, and how strong their keys are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, pages, present, same, tags

_SOURCE = "acm.amazonaws.com"
_GONE = ("ResourceNotFoundException", "InvalidArnException", "ValidationException")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(clients("acm", resource.region), "describe_certificate", _GONE, CertificateArn=resource.arn)
    certificate = found["Certificate"]
    return {
        **same(certificate, "DomainName", "KeyAlgorithm"),
        "Observed": present(
            InUse=bool(certificate.get("InUseBy")),
            NotAfter=certificate["NotAfter"].isoformat() if certificate.get("NotAfter") else None,
            Status=certificate.get("Status"),
            Kind=certificate.get("Type"),
        ),
    }


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(clients("acm", resource.region), "list_tags_for_certificate", _GONE, CertificateArn=resource.arn)
    return {"Tags": tags(found.get("Tags"))}


# Every kind of key: ACM lists those of RSA with 2,048 bits only, unless it is asked.
_KEYS = (*("RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"),)


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    every = {"keyTypes": list(_KEYS)}
    for page in pages(clients("acm", region), "list_certificates", "CertificateSummaryList", 1000, Includes=every):
        yield [each["CertificateArn"].rpartition("/")[2] for each in page]


_NAMED = ("requestParameters.certificateArn",)
_OBSERVED = ("Observed.InUse", "Observed.NotAfter", "Observed.Status", "Observed.Kind")

CERTIFICATE = Reader(
    type="AWS::CertificateManager::Certificate",
    responder="network",
    arn="arn:{partition}:acm:{region}:{account}:certificate/{identifier}",
    parts=(
        Part(
            gives=("DomainName", "KeyAlgorithm", *_OBSERVED),
            calls={"acm.DescribeCertificate": "acm:DescribeCertificate"},
            read=_read,
        ),
        Part(gives=("Tags",), calls={"acm.ListTagsForCertificate": "acm:ListTagsForCertificate"}, read=_tags),
    ),
    touches=(
        Touch(_SOURCE, ("RequestCertificate", "ImportCertificate"), ("responseElements.certificateArn",), EVERYTHING),
        Touch(_SOURCE, ("DeleteCertificate",), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("RenewCertificate",), _NAMED, ("Observed.NotAfter", "Observed.Status")),
        Touch(_SOURCE, ("RevokeCertificate",), _NAMED, ("Observed.Status",)),
        Touch(_SOURCE, ("UpdateCertificateOptions", "ExportCertificate", "ResendValidationEmail"), _NAMED),
        Touch(_SOURCE, ("AddTagsToCertificate", "RemoveTagsFromCertificate"), _NAMED, ("Tags",)),
    ),
    inventory=Inventory(calls={"acm.ListCertificates": "acm:ListCertificates"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (CERTIFICATE,)
