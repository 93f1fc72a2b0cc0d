"""Guardrails of Bedrock: what is held back of what models are asked, and of what they answer.

The working draft is read. A version is a copy of it that can only be deleted, and callers say which one they mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import DENIED, UNREAD, Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, pages, present, tags

Answer = Mapping[str, Any]

_SOURCE = "bedrock.amazonaws.com"

# A name that Bedrock calls malformed names nothing: it comes from an event, and events may be made up.
_GONE = ("ResourceNotFoundException", "ValidationException")

# What is kept of filters, as the API spells it; what patterns and words say is not, since it may be about people.
_SIDES = ("inputAction", "outputAction", "inputEnabled", "outputEnabled")
_FILTER = ("type", "inputStrength", "outputStrength", *_SIDES)
_ENTITY = ("type", "action", *_SIDES)
_PATTERN = ("name", "action", *_SIDES)
_SET = ("Name", "KmsKeyArn", "ContentPolicyConfig", "SensitiveInformationPolicyConfig")


def _guardrail(clients: Clients, resource: Resource) -> Answer:
    client = clients("bedrock", resource.region)
    named = {"guardrailIdentifier": resource.identifier, "guardrailVersion": "DRAFT"}
    try:
        found = asked(client, "get_guardrail", _GONE, **named)
    except ClientError as error:
        said = error.response["Error"]
        # Amazon Bedrock User Guide, "Create a customer managed key for your guardrail": it is read with its key.
        if said["Code"] in DENIED and "kms:" in said.get("Message", ""):
            why = f"{said['Code']}: the guardrail's key does not let us decrypt (kms:Decrypt)"
            return {UNREAD: dict.fromkeys(("GuardrailId", *_SET), why)}
        raise
    if found["status"] == "DELETING":
        raise ResourceGone
    content, sensitive = found.get("contentPolicy", {}), found.get("sensitiveInformationPolicy", {})
    return {
        "GuardrailId": found["guardrailId"],
        "Name": found["name"],
        "ContentPolicyConfig": {"FiltersConfig": _spelt(content.get("filters"), _FILTER)},
        "SensitiveInformationPolicyConfig": {
            "PiiEntitiesConfig": _spelt(sensitive.get("piiEntities"), _ENTITY),
            "RegexesConfig": _spelt(sensitive.get("regexes"), _PATTERN),
        },
        **present(KmsKeyArn=found.get("kmsKeyArn")),
    }


def _spelt(entries: Sequence[Answer] | None, names: Sequence[str]) -> list[dict[str, Any]]:
    """Entries in CloudFormation's spelling, which begins with a capital where the API's does not."""
    return [{f"{name[0].upper()}{name[1:]}": each[name] for name in names if name in each} for each in entries or ()]


def _tags(clients: Clients, resource: Resource) -> Answer:
    found = asked(clients("bedrock", resource.region), "list_tags_for_resource", _GONE, resourceARN=resource.arn)
    return {"Tags": tags(found.get("tags"), "key", "value")}


def _guardrails(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("bedrock", region), "list_guardrails", "guardrails", 100):
        yield [each["id"] for each in page if each.get("status") != "DELETING"]


_NAMED = ("requestParameters.guardrailIdentifier",)

GUARDRAIL = Reader(
    type="AWS::Bedrock::Guardrail",
    responder="compute",
    arn="arn:{partition}:bedrock:{region}:{account}:guardrail/{identifier}",
    parts=(
        Part(gives=("GuardrailId", *_SET), calls={"bedrock.GetGuardrail": "bedrock:GetGuardrail"}, read=_guardrail),
        Part(
            gives=("Tags",),
            calls={"bedrock.ListTagsForResource": "bedrock:ListTagsForResource"},
            read=_tags,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateGuardrail",), ("responseElements.guardrailId",), EVERYTHING),
        # It deletes one version where it names one, which the record says and nothing here depends on.
        Touch(_SOURCE, ("DeleteGuardrail",), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("UpdateGuardrail",), _NAMED, _SET),
        # What the draft says counts from now on for whoever names the version.
        Touch(_SOURCE, ("CreateGuardrailVersion",), _NAMED),
        # Models, jobs and agents are tagged by the same calls; their ARNs are of other shapes.
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceARN",), ("Tags",)),
    ),
    inventory=Inventory(calls={"bedrock.ListGuardrails": "bedrock:ListGuardrails"}, pages=_guardrails),
)

READERS: tuple[Reader, ...] = (GUARDRAIL,)
