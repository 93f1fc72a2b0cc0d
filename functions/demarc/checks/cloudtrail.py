"""What the trails of an account record, taken together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from demarc.checks import needs
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot

_TRAILS = "Observed.Trails"


@needs(_TRAILS)
def some_trail_logs_management_events_everywhere(snapshot: Snapshot) -> Iterator[Drift]:
    """That one trail of all Regions logs reads and writes of management events (CIS AWS 3.1, NIST SP 800-53 AU-2).

    EventBridge hears of API calls only through a trail, so that without one Demarc is deaf as well.
    """
    trails = snapshot[_TRAILS] or []
    if any(trail["IsMultiRegionTrail"] and trail["IsLogging"] and _logs_management(trail) for trail in trails):
        return
    state = {trail["Name"]: _shortcoming(trail) for trail in trails}
    yield Drift(_TRAILS, "one trail of all Regions that logs all management events", state or "no trail at all")


def _shortcoming(trail: Mapping[str, Any]) -> str:
    if not trail["IsMultiRegionTrail"]:
        return "one Region only"
    if not trail["IsLogging"]:
        return "does not log"
    return "leaves out management events"


def _logs_management(trail: Mapping[str, Any]) -> bool:
    if not trail["EventSelectors"] and not trail["AdvancedEventSelectors"]:
        # Without selectors a trail logs all management events (CloudTrail User Guide, "Logging management events").
        return True
    basic = any(
        selector.get("IncludeManagementEvents", True) and selector.get("ReadWriteType", "All") == "All"
        for selector in trail["EventSelectors"]
    )
    return basic or any(_selects_all_management(selector) for selector in trail["AdvancedEventSelectors"])


def _selects_all_management(selector: Mapping[str, Any]) -> bool:
    """An advanced selector of management events that filters by nothing else (a `readOnly` field would halve it)."""
    fields = {field["Field"]: field for field in selector["FieldSelectors"]}
    return fields.keys() == {"eventCategory"} and fields["eventCategory"].get("Equals") == ["Management"]
