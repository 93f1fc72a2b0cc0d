"""Secrets: whether they are renewed and used, and who may read them. Their values are never asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, document, pages, present, same, tags

_SOURCE = "secretsmanager.amazonaws.com"
_GONE = ("ResourceNotFoundException", "ValidationException", "InvalidParameterException")
_DATES = ("LastAccessedDate", "LastChangedDate", "LastRotatedDate", "NextRotationDate", "CreatedDate")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(clients("secretsmanager", resource.region), "describe_secret", _GONE, SecretId=resource.arn)
    if found.get("DeletedDate"):
        raise ResourceGone
    rotation = found.get("RotationRules", {})
    return {
        **same(found, "Name", "KmsKeyId"),
        "Tags": tags(found.get("Tags")),
        "Observed": {
            **{name: found[name].isoformat() for name in _DATES if found.get(name)},
            **present(
                OwningService=found.get("OwningService"),
                RotationDays=rotation.get("AutomaticallyAfterDays"),
                RotationEnabled=found.get("RotationEnabled", False),
            ),
        },
    }


def _policy(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(clients("secretsmanager", resource.region), "get_resource_policy", _GONE, SecretId=resource.arn)
    return {"Observed": present(Policy=document(found.get("ResourcePolicy")))}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("secretsmanager", region), "list_secrets", "SecretList", 100):
        yield [each["ARN"].partition(":secret:")[2] for each in page]


# A secret may be called by its name; only the answer has the end that Secrets Manager put behind it.
_NAMED = ("responseElements.aRN", "requestParameters.secretId")
_ROTATION = ("Observed.RotationDays", "Observed.RotationEnabled", "Observed.NextRotationDate")
_OBSERVED = tuple(f"Observed.{name}" for name in _DATES)

SECRET = Reader(
    type="AWS::SecretsManager::Secret",
    responder="data",
    arn="arn:{partition}:secretsmanager:{region}:{account}:secret:{identifier!s}",
    parts=(
        Part(
            gives=(
                *("Name", "KmsKeyId", "Tags", *_OBSERVED, "Observed.OwningService"),
                *("Observed.RotationDays", "Observed.RotationEnabled"),
            ),
            calls={"secretsmanager.DescribeSecret": "secretsmanager:DescribeSecret"},
            read=_read,
        ),
        Part(
            gives=("Observed.Policy",),
            calls={"secretsmanager.GetResourcePolicy": "secretsmanager:GetResourcePolicy"},
            read=_policy,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateSecret", "DeleteSecret", "RestoreSecret"), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("UpdateSecret",), _NAMED, ("KmsKeyId", "Observed.LastChangedDate")),
        Touch(_SOURCE, ("PutSecretValue",), _NAMED, ("Observed.LastChangedDate",)),
        Touch(_SOURCE, ("RotateSecret", "CancelRotateSecret"), _NAMED, _ROTATION),
        Touch(_SOURCE, ("PutResourcePolicy", "DeleteResourcePolicy"), _NAMED, ("Observed.Policy",)),
        Touch(
            _SOURCE, ("ReplicateSecretToRegions", "RemoveRegionsFromReplication", "StopReplicationToReplica"), _NAMED
        ),
        Touch(_SOURCE, ("UpdateSecretVersionStage",), _NAMED),
        Touch(_SOURCE, ("TagResource", "UntagResource"), _NAMED[1:], ("Tags",)),
    ),
    inventory=Inventory(calls={"secretsmanager.ListSecrets": "secretsmanager:ListSecrets"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (SECRET,)
