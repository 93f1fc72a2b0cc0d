"""Requirements of frameworks that people attest: whether somebody's word for one is there, and until when it counts.

No type of CloudFormation's. The identifier is the stack that Demarc is deployed as, the framework and the number of the
requirement: `Demarc/nist-800-53-r5/AT-2`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from demarc.core.attestation import key_of, recorded_of
from demarc.core.model import Resource
from demarc.readers import UNREAD, Clients, Part, Reader, ResourceGone
from demarc.readers.stack import LISTED, made, table_of

_ATTESTATION = "Observed.Attestation"


def _attestation(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    stack, _, rest = resource.identifier.partition("/")
    framework, _, requirement = rest.partition("/")
    if not requirement:
        raise ResourceGone
    table = table_of(made(clients, resource.region, stack))
    if table is None:
        return {UNREAD: {_ATTESTATION: "the stack has no table"}}
    found = clients("dynamodb", resource.region).get_item(TableName=table, Key=key_of(framework, requirement))
    if "Item" not in found:
        return {}
    word = recorded_of(found["Item"]).attestation
    attestation = {
        "By": word.by,
        "Given": word.given.isoformat(),
        "Until": word.until.isoformat(),
        "Evidence": word.evidence,
    }
    return {"Observed": {"Attestation": attestation}}


REQUIREMENT = Reader(
    type="Demarc::Framework::Requirement",
    responder="visibility",
    arn="arn:{partition}:demarc:{region}:{account}:requirement/{identifier}",
    parts=(Part(gives=(_ATTESTATION,), calls={**LISTED, "dynamodb.GetItem": "dynamodb:GetItem"}, read=_attestation),),
    # Nothing happens when a word runs out, so it is looked at by the clock; and whoever gives one asks for a look.
    touches=(),
    # Nor is it listed: which requirements are attested is written in the matrix, and the deployment names them.
)

READERS = (REQUIREMENT,)
