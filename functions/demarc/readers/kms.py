"""KMS keys: what they are and whether they work, who may use them, and whether their material is renewed.

A key is known by its id. An alias may be moved from one to another, and no call that changes a key takes one for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone, paged
from demarc.readers.answers import document, every, present, tags

Answer = Mapping[str, Any]

_KMS = "kms.amazonaws.com"
_GONE = ("NotFoundException",)

# Properties that the API and the CloudFormation schema call the same.
_SAME = ("Description", "Enabled", "KeySpec", "KeyUsage", "MultiRegion", "Origin")
# CloudFormation neither makes AWS's own keys nor says what state a key is in.
_OBSERVED = ("KeyManager", "KeyState")
_DATES = ("DeletionDate", "ValidTo")


def _asked(clients: Clients, resource: Resource, method: str, **parameters: Any) -> Answer:
    """What KMS answers about a key. One that waits for its deletion still answers; only then is it gone."""
    try:
        answer: Answer = getattr(clients("kms", resource.region), method)(KeyId=resource.identifier, **parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            raise ResourceGone from error
        raise
    return answer


def _key(clients: Clients, resource: Resource) -> Answer:
    key = _asked(clients, resource, "describe_key")["KeyMetadata"]
    replication = key.get("MultiRegionConfiguration", {})
    return {
        **{name: key[name] for name in _SAME if name in key},
        "Observed": {
            **{name: key[name] for name in _OBSERVED if name in key},
            **{name: key[name].isoformat() for name in _DATES if name in key},
            "MultiRegionKeyType": replication.get("MultiRegionKeyType"),
        },
    }


def _policy(clients: Clients, resource: Resource) -> Answer:
    return present(KeyPolicy=document(_asked(clients, resource, "get_key_policy", PolicyName="default").get("Policy")))


def _rotation(clients: Clients, resource: Resource) -> Answer:
    try:
        rotation = _asked(clients, resource, "get_key_rotation_status")
    except ClientError as error:
        # Keys whose material KMS cannot renew by itself: nothing is configured, as nothing can be.
        if error.response["Error"]["Code"] == "UnsupportedOperationException":
            return {}
        raise
    period = {"RotationPeriodInDays": rotation["RotationPeriodInDays"]} if "RotationPeriodInDays" in rotation else {}
    return {"EnableKeyRotation": rotation.get("KeyRotationEnabled", False), **period}


def _tags(clients: Clients, resource: Resource) -> Answer:
    kms = clients("kms", resource.region)
    listed = every(kms, "list_resource_tags", "Tags", _GONE, KeyId=resource.identifier)
    return {"Tags": tags(listed, "TagKey", "TagValue")}


def _grants(clients: Clients, resource: Resource) -> Answer:
    """Grants to principals of other accounts: the many that AWS's services make for ours are left out."""
    foreign = [
        {"GrantId": grant["GrantId"], "GranteePrincipal": grant["GranteePrincipal"], "Operations": grant["Operations"]}
        for page in _pages_of_grants(clients, resource)
        for grant in page.get("Grants", ())
        if _account_in(grant.get("GranteePrincipal", "")) not in ("", resource.account)
    ]
    return {"Observed": {"ForeignGrants": foreign}}


def _pages_of_grants(clients: Clients, resource: Resource) -> Iterator[Answer]:
    page = _asked(clients, resource, "list_grants", Limit=100)
    yield page
    while mark := page.get("NextMarker"):
        page = _asked(clients, resource, "list_grants", Limit=100, Marker=mark)
        yield page


def _account_in(principal: str) -> str:
    """The account in a principal's ARN; services and the ids of deleted users have none."""
    parts = principal.split(":", 5)
    return parts[4] if parts[0] == "arn" and len(parts) == 6 else ""


# The record's `resources[]` has the key's ARN also where the call names an alias, or CloudTrail omits the parameters.
_NAMED = ("resources[].ARN", "responseElements.keyId", "requestParameters.keyId")
_STATE = ("Enabled", "Observed.KeyState")
_ROTATION = ("EnableKeyRotation", "RotationPeriodInDays")


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    """AWS's own keys too: who manages a key is only said where it is read."""
    return paged(clients("kms", region), "list_keys", "Keys", "KeyId", size=1000)


KEY = Reader(
    type="AWS::KMS::Key",
    responder="data",
    arn="arn:{partition}:kms:{region}:{account}:key/{identifier}",
    parts=(
        Part(
            gives=(
                *_SAME,
                *(f"Observed.{name}" for name in (*_OBSERVED, *_DATES, "MultiRegionKeyType")),
            ),
            calls={"kms.DescribeKey": "kms:DescribeKey"},
            read=_key,
        ),
        Part(gives=("KeyPolicy",), calls={"kms.GetKeyPolicy": "kms:GetKeyPolicy"}, read=_policy),
        Part(gives=_ROTATION, calls={"kms.GetKeyRotationStatus": "kms:GetKeyRotationStatus"}, read=_rotation),
        Part(gives=("Observed.ForeignGrants",), calls={"kms.ListGrants": "kms:ListGrants"}, read=_grants),
        Part(gives=("Tags",), calls={"kms.ListResourceTags": "kms:ListResourceTags"}, read=_tags),
    ),
    touches=(
        # A replica is made by a CreateKey of its own, in its Region.
        Touch(_KMS, ("CreateKey",), ("responseElements.keyMetadata.arn", *_NAMED[:1]), EVERYTHING),
        Touch(_KMS, ("DeleteKey",), _NAMED[:1], EVERYTHING),
        Touch(_KMS, ("PutKeyPolicy",), _NAMED, ("KeyPolicy",)),
        Touch(_KMS, ("EnableKey", "DisableKey"), _NAMED, _STATE),
        Touch(_KMS, ("EnableKeyRotation", "DisableKeyRotation"), _NAMED, _ROTATION),
        # A key that waits for its deletion does not rotate, and says so.
        Touch(
            _KMS,
            ("ScheduleKeyDeletion", "CancelKeyDeletion"),
            _NAMED,
            (*_STATE, "Observed.DeletionDate", *_ROTATION),
        ),
        Touch(_KMS, ("ImportKeyMaterial", "DeleteImportedKeyMaterial"), _NAMED, (*_STATE, "Observed.ValidTo")),
        Touch(_KMS, ("DeleteExpiredKeyMaterial",), _NAMED[:1], (*_STATE, "Observed.ValidTo")),
        Touch(_KMS, ("CreateGrant", "RevokeGrant", "RetireGrant"), _NAMED, ("Observed.ForeignGrants",)),
        Touch(_KMS, ("UpdatePrimaryRegion",), _NAMED, ("Observed.MultiRegionKeyType",)),
        # What is set on a primary key, AWS sets on its replicas.
        Touch(_KMS, ("SynchronizeMultiRegionKey",), _NAMED[:1], _ROTATION),
        Touch(_KMS, ("UpdateKeyDescription",), _NAMED, ("Description",)),
        Touch(_KMS, ("TagResource", "UntagResource"), _NAMED, ("Tags",)),
        # These write what no control asks for; the key is looked at all the same: somebody is at work on it.
        Touch(_KMS, ("ReplicateKey", "RotateKeyOnDemand"), _NAMED),
        Touch(_KMS, ("CreateAlias", "UpdateAlias"), (*_NAMED[:2], "requestParameters.targetKeyId")),
        Touch(_KMS, ("DeleteAlias", "RotateKey"), _NAMED[:1]),
    ),
    inventory=Inventory(calls={"kms.ListKeys": "kms:ListKeys"}, pages=_listed),
)

READERS = (KEY,)
