"""What the trails of an account record, taken together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.checks import needs, sharing
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


@needs(_TRAILS)
def some_trail_brings_every_change_here(snapshot: Snapshot) -> Iterator[Drift]:
    """That one trail logs every write of management events in this Region (NIST SP 800-53 AU-5, AU-12).

    Through it EventBridge hears of changes; what it leaves out, say the many calls to KMS, changes unheard.
    """
    trails = snapshot[_TRAILS] or []
    if not any(trail["IsLogging"] and _logs_every_write(trail) for trail in trails):
        state = {trail["Name"]: "leaves out changes" if trail["IsLogging"] else "does not log" for trail in trails}
        yield Drift(_TRAILS, "one trail that logs every change in this Region", state or "no trail at all")


def _logs_every_write(trail: Mapping[str, Any]) -> bool:
    if not trail["EventSelectors"] and not trail["AdvancedEventSelectors"]:
        return True
    basic = any(
        selector.get("IncludeManagementEvents", True)
        and selector.get("ReadWriteType", "All") in ("All", "WriteOnly")
        and not selector.get("ExcludeManagementEventSources")
        for selector in trail["EventSelectors"]
    )
    return basic or any(_selects_every_write(selector) for selector in trail["AdvancedEventSelectors"])


def _selects_every_write(selector: Mapping[str, Any]) -> bool:
    """An advanced selector of management events that filters by nothing but whether a call only reads."""
    fields = {field["Field"]: field.get("Equals") for field in selector["FieldSelectors"]}
    reading = fields.pop("readOnly", ["false"])
    return fields == {"eventCategory": ["Management"]} and reading == ["false"]


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


@needs(_TRAILS)
def some_trail_logs_objects(snapshot: Snapshot, *, reads: bool) -> Iterator[Drift]:
    """That one trail of all Regions logs who wrote, or who read, the objects of every bucket (CIS AWS 3.8, 3.9; AU-12).

    Args:
        snapshot: an account.
        reads: whether it is reads that should be logged; writes otherwise.
    """
    trails = [each for each in snapshot[_TRAILS] or () if each["IsMultiRegionTrail"] and each["IsLogging"]]
    if not any(_logs_objects(trail, reads=reads) for trail in trails):
        names = [trail["Name"] for trail in trails]
        required = f"one trail of all Regions that logs {'reads' if reads else 'writes'} of all objects"
        yield Drift(_TRAILS, required, names or "no such trail")


# What stands for every bucket of the account (CloudTrail API Reference, DataResource).
_EVERY_BUCKET = ("arn:aws:s3", "arn:aws-cn:s3", "arn:aws-us-gov:s3")


def _logs_objects(trail: Mapping[str, Any], *, reads: bool) -> bool:
    wanted = ("All", "ReadOnly" if reads else "WriteOnly")
    basic = any(
        selector.get("ReadWriteType", "All") in wanted and any(map(_is_every_object, selector.get("DataResources", ())))
        for selector in trail["EventSelectors"]
    )
    advanced = trail["AdvancedEventSelectors"]
    return basic or any(_selects_every_object(selector, reads=reads) for selector in advanced)


def _is_every_object(data: Mapping[str, Any]) -> bool:
    values = (value.rstrip(":") for value in data.get("Values", ()))
    return data.get("Type") == "AWS::S3::Object" and any(value in _EVERY_BUCKET for value in values)


def _selects_every_object(selector: Mapping[str, Any], *, reads: bool) -> bool:
    """An advanced selector of data events of S3 that filters by nothing but whether a call only reads."""
    fields = {field["Field"]: field.get("Equals") for field in selector["FieldSelectors"]}
    reading = fields.pop("readOnly", None)
    whole = fields == {"eventCategory": ["Data"], "resources.type": ["AWS::S3::Object"]}
    return whole and reading in (None, ["true" if reads else "false"])


_POLICY = "Observed.Policy"


@needs(_POLICY)
def nobody_outside_reads_the_store(snapshot: Snapshot, *, trusted: Sequence[str], organization: str) -> Iterator[Drift]:
    """Each statement that lets the public or a stranger at an event data store (NIST SP 800-53 AU-9, AC-3).

    Args:
        snapshot: an event data store.
        trusted: the organization's accounts.
        organization: the organization's id.
    """
    yield from sharing.with_the_public(snapshot, _POLICY)
    yield from sharing.with_strangers(snapshot, _POLICY, trusted=trusted, organization=organization)
