"""Detectors of GuardDuty: whether they are on, and for what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, pages, tags_of

_SOURCE = "guardduty.amazonaws.com"
_GONE = ("BadRequestException", "ResourceNotFoundException")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(clients("guardduty", resource.region), "get_detector", _GONE, DetectorId=resource.identifier)
    features = found.get("Features", ())
    on = {each["Name"]: each.get("Status") == "ENABLED" for each in features}
    agents = {
        more["Name"]: more.get("Status") == "ENABLED"
        for each in features
        for more in each.get("AdditionalConfiguration", ())
        if each["Name"] == "RUNTIME_MONITORING"
    }
    return {
        "Enable": found.get("Status") == "ENABLED",
        "FindingPublishingFrequency": found.get("FindingPublishingFrequency", "SIX_HOURS"),
        "Tags": tags_of(found.get("Tags")),
        "Observed": {"Features": on, "Agents": agents},
    }


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    return pages(clients("guardduty", region), "list_detectors", "DetectorIds", 50)


_NAMED = ("requestParameters.detectorId",)
_SET = ("Enable", "FindingPublishingFrequency", "Observed.Features", "Observed.Agents")

DETECTOR = Reader(
    type="AWS::GuardDuty::Detector",
    responder="visibility",
    arn="arn:{partition}:guardduty:{region}:{account}:detector/{identifier}",
    parts=(Part(gives=(*_SET, "Tags"), calls={"guardduty.GetDetector": "guardduty:GetDetector"}, read=_read),),
    touches=(
        Touch(_SOURCE, ("CreateDetector",), ("responseElements.detectorId",), EVERYTHING),
        Touch(_SOURCE, ("DeleteDetector",), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("UpdateDetector", "UpdateMemberDetectors"), _NAMED, _SET),
        Touch(
            _SOURCE,
            (
                *("CreateFilter", "DeleteFilter", "UpdateFilter", "CreateIPSet", "DeleteIPSet", "UpdateIPSet"),
                *("DisassociateFromAdministratorAccount", "DisassociateMembers", "DeleteMembers"),
                *("StopMonitoringMembers", "UpdateOrganizationConfiguration", "DeletePublishingDestination"),
                "UpdateMalwareScanSettings",
            ),
            _NAMED,
        ),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceArn",), ("Tags",)),
    ),
    inventory=Inventory(calls={"guardduty.ListDetectors": "guardduty:ListDetectors"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (DETECTOR,)
