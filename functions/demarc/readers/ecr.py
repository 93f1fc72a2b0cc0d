"""Repositories of container images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, configured, document, pages, present, tags, the_one

_SOURCE = "ecr.amazonaws.com"
_GONE = ("RepositoryNotFoundException", "InvalidParameterException", "ValidationException")


def _client(clients: Clients, resource: Resource) -> Any:
    return clients("ecr", resource.region)


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(_client(clients, resource), "describe_repositories", _GONE, repositoryNames=[resource.identifier])
    repository = the_one(found.get("repositories"))
    sealed = repository.get("encryptionConfiguration", {})
    return {
        "RepositoryName": repository["repositoryName"],
        **present(ImageTagMutability=repository.get("imageTagMutability")),
        "ImageScanningConfiguration": {
            "ScanOnPush": repository.get("imageScanningConfiguration", {}).get("scanOnPush", False)
        },
        "EncryptionConfiguration": present(EncryptionType=sealed.get("encryptionType"), KmsKey=sealed.get("kmsKey")),
    }


def _policy(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = configured(
        _client(clients, resource),
        "get_repository_policy",
        ("RepositoryPolicyNotFoundException",),
        _GONE,
        repositoryName=resource.identifier,
    )
    return present(RepositoryPolicyText=document(found.get("policyText")))


def _lifecycle(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = configured(
        _client(clients, resource),
        "get_lifecycle_policy",
        ("LifecyclePolicyNotFoundException",),
        _GONE,
        repositoryName=resource.identifier,
    )
    text = found.get("lifecyclePolicyText")
    return {"LifecyclePolicy": {"LifecyclePolicyText": text}} if text else {}


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(_client(clients, resource), "list_tags_for_resource", _GONE, resourceArn=resource.arn)
    return {"Tags": tags(found.get("tags"))}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("ecr", region), "describe_repositories", "repositories", 100):
        yield [each["repositoryName"] for each in page]


_NAMED = ("requestParameters.repositoryName",)
_DESCRIBED = {"ecr.DescribeRepositories": "ecr:DescribeRepositories"}

REPOSITORY = Reader(
    type="AWS::ECR::Repository",
    responder="compute",
    arn="arn:{partition}:ecr:{region}:{account}:repository/{identifier!s}",
    parts=(
        Part(
            gives=("RepositoryName", "ImageTagMutability", "ImageScanningConfiguration", "EncryptionConfiguration"),
            calls=_DESCRIBED,
            read=_read,
        ),
        Part(
            gives=("RepositoryPolicyText",),
            calls={"ecr.GetRepositoryPolicy": "ecr:GetRepositoryPolicy"},
            read=_policy,
        ),
        Part(
            gives=("LifecyclePolicy",),
            calls={"ecr.GetLifecyclePolicy": "ecr:GetLifecyclePolicy"},
            read=_lifecycle,
        ),
        Part(gives=("Tags",), calls={"ecr.ListTagsForResource": "ecr:ListTagsForResource"}, read=_tags),
    ),
    touches=(
        Touch(_SOURCE, ("CreateRepository", "DeleteRepository"), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("SetRepositoryPolicy", "DeleteRepositoryPolicy"), _NAMED, ("RepositoryPolicyText",)),
        Touch(_SOURCE, ("PutLifecyclePolicy", "DeleteLifecyclePolicy"), _NAMED, ("LifecyclePolicy",)),
        Touch(_SOURCE, ("PutImageScanningConfiguration",), _NAMED, ("ImageScanningConfiguration",)),
        Touch(_SOURCE, ("PutImageTagMutability",), _NAMED, ("ImageTagMutability",)),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceArn",), ("Tags",)),
    ),
    inventory=Inventory(calls=_DESCRIBED, pages=_listed),
)

READERS: tuple[Reader, ...] = (REPOSITORY,)
