"""EventBridge envelope or bare CloudTrail record -> the change it reports, or the stated reason why it reports none.

Shapes and field names are those of the AWS CloudTrail User Guide, "CloudTrail record contents" and "CloudTrail
userIdentity element". Everything in a record is untrusted text: it points at resources, the verdict comes from reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from demarc.core.actor import identify
from demarc.core.cloudtrail import (
    account_of,
    compiled,
    is_false,
    is_true,
    reach,
    shown,
    text_of,
    time_of,
    unwrapped,
)
from demarc.core.model import Change, Touched
from demarc.core.occurrence import OccurrenceIndex, is_by_somebody, stream_of
from demarc.core.touch import EVERYTHING, Pointer, TouchIndex

_NO_OCCURRENCES = OccurrenceIndex()


class Reason(StrEnum):
    """Why a record is not a change that Demarc judges."""

    REFUSED = "refused"
    DRY_RUN = "dry-run"
    READ_ONLY = "read-only"
    INSIGHT = "insight"
    NOT_CLOUDTRAIL = "not-cloudtrail"
    MALFORMED = "malformed"
    NO_OCCURRENCE = "no-occurrence"
    UNMAPPED = "unmapped"


@dataclass(frozen=True, slots=True)
class NoChange:
    """A record that calls for no judgement, and why; the names are None where the record has none."""

    reason: Reason
    detail: str
    event_id: str | None = None
    event_source: str | None = None
    event_name: str | None = None


def interpret(event: Any, touches: TouchIndex, occurrences: OccurrenceIndex = _NO_OCCURRENCES) -> Change | NoChange:
    """What an event says happened. Never raises: what cannot be understood is MALFORMED, with the detail.

    A call that a control says must not happen touches the stream of such calls (`core.occurrence`), whatever else it
    touches. One that failed did not happen, and one that only read changed nothing.
    """
    record = _open(event)
    if isinstance(record, NoChange):
        return record
    if not record.source or not record.name:
        missing = "eventName" if record.source else "eventSource"
        return record.no_change(Reason.MALFORMED, f"the record has no {missing}")
    if "eventTime" not in record.fields:
        return record.no_change(Reason.MALFORMED, "the record has no eventTime")
    for reason, ask in _ASKED_IN_ORDER:
        if detail := ask(record):
            return record.no_change(reason, detail)
    return _change(record, touches, occurrences)


# --- the record, out of its envelope ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Record:
    """A CloudTrail record, and the envelope that it came in (empty for a bare one)."""

    fields: dict[str, Any]
    envelope: dict[str, Any]
    source: str
    name: str

    @property
    def event_id(self) -> str | None:
        """The record's own id; for records older than that field, whatever else tells it from others."""
        fields = self.fields
        found = (fields.get("eventID"), fields.get("eventId"), self.envelope.get("id"), fields.get("requestID"))
        return next((each for each in found if isinstance(each, str) and each), None)

    @property
    def account(self) -> str | None:
        """The account that the record was delivered to; before that field existed, the caller's.

        A call across accounts is recorded twice, with one sharedEventID: for the caller and for the owner.
        """
        identity = self.fields.get("userIdentity")
        caller = identity.get("accountId") if isinstance(identity, dict) else None
        found = (self.fields.get("recipientAccountId"), caller, self.envelope.get("account"))
        return next((text for each in found if (text := account_of(each))), None)

    @property
    def region(self) -> str | None:
        return text_of(self.fields.get("awsRegion")) or text_of(self.envelope.get("region"))

    def no_change(self, reason: Reason, detail: str) -> NoChange:
        return NoChange(reason, detail, self.event_id, self.source or None, self.name or None)


def _open(event: Any) -> _Record | NoChange:
    if not isinstance(event, dict):
        return NoChange(Reason.MALFORMED, f"the event is not an object but {type(event).__name__}")
    if "detail-type" in event or _is_recorded(event.get("detail")):
        return _from_envelope(event)
    if _is_insight(event) or _is_recorded(event):
        return _record(event, {})
    return NoChange(Reason.MALFORMED, "neither an EventBridge envelope nor a CloudTrail record")


def _from_envelope(envelope: dict[str, Any]) -> _Record | NoChange:
    """The detail decides, not its label: a replay may carry a record under any detail-type."""
    kind, detail = envelope.get("detail-type"), envelope.get("detail")
    if isinstance(detail, dict) and (_is_recorded(detail) or _is_insight(detail) or _is_cloudtrail(kind)):
        return _record(detail, envelope)
    event_id = text_of(envelope.get("id"))
    if _is_cloudtrail(kind):
        return NoChange(Reason.MALFORMED, "the envelope's detail is not an object", event_id)
    return NoChange(Reason.NOT_CLOUDTRAIL, f"the detail-type is {shown(kind)}", event_id)


def _record(fields: dict[str, Any], envelope: dict[str, Any]) -> _Record | NoChange:
    source = text_of(fields.get("eventSource")) or ""
    name = text_of(fields.get("eventName")) or ""
    record = _Record(fields, envelope, source, name)
    if _is_insight(fields) or envelope.get("detail-type") == "AWS Insight via CloudTrail":
        return record.no_change(Reason.INSIGHT, "CloudTrail Insights tells of an unusual rate, not of a call")
    return record


def _is_cloudtrail(detail_type: Any) -> bool:
    """API calls, service events, console actions, insights and both spellings of sign-in end alike."""
    return isinstance(detail_type, str) and detail_type.endswith(" via CloudTrail")


def _is_recorded(fields: Any) -> bool:
    """Whether this has what the CloudTrail record of a call has: its version, or where and what was called."""
    return isinstance(fields, dict) and (
        "eventVersion" in fields or ("eventSource" in fields and "eventName" in fields)
    )


def _is_insight(fields: dict[str, Any]) -> bool:
    return fields.get("eventType") == "AwsCloudTrailInsight" or "insightDetails" in fields


# --- why a call changed nothing --------------------------------------------------------------------------------------

# EC2's answer to a dry run that would have been allowed is an error of its own.
_DRY_RUN_CODES = ("Client.DryRunOperation", "DryRunOperation")

_READING = (
    *("Get", "List", "Describe", "Head", "Lookup", "Search", "BatchGet", "BatchDescribe", "Query", "Scan", "Select"),
    *("View", "Read", "Simulate", "Preview", "Filter", "Estimate"),
)

_DRY_RUN_PATH = compiled("requestParameters.dryRun")


def _dry_run(record: _Record) -> str | None:
    code = record.fields.get("errorCode")
    if isinstance(code, str) and code in _DRY_RUN_CODES:
        return "nothing was done, as the caller asked"
    asked = next(reach(record.fields, _DRY_RUN_PATH), None)
    return "the caller asked that nothing be done" if is_true(asked) else None


def _refusal(record: _Record) -> str | None:
    """AWS's words for a failed call. Some services report failure in their answer, without errorCode."""
    error = record.fields.get("errorCode") or record.fields.get("errorMessage")
    if error:
        return shown(error)
    for answer in (record.fields.get("responseElements"), record.fields.get("serviceEventDetails")):
        if isinstance(answer, dict) and (failure := _failure_in(unwrapped(answer), record.name)):
            return failure
    return None


def _failure_in(answer: dict[str, Any], name: str) -> str | None:
    for key in ("_return", "return"):
        if is_false(answer.get(key)):
            return "the answer says that it was not done"
    for key in ("errorCode", "ErrorCode", "error", "Error", "errorMessage", "ErrorMessage"):
        if answer.get(key):
            return shown(answer[key])
    # ConsoleLogin and its kin answer {"ConsoleLogin": "Failure"}.
    return f"{name}: Failure" if answer.get(name) == "Failure" else None


def _read_only(record: _Record) -> str | None:
    """By CloudTrail's own word; records older than that word are told by the name of the call."""
    said = record.fields.get("readOnly")
    if said is not None:
        return "the record says that it only read" if is_true(said) else None
    word = reading_word(record.name)
    return f"calls that begin with {word} only read" if word else None


def reading_word(event_name: str) -> str | None:
    """The word at the start of a call's name that says it only reads (`Describe`); None where it changes something."""
    for word in _READING:
        if event_name.startswith(word) and not event_name[len(word) : len(word) + 1].islower():
            return word
    return None


# In this order: a dry run is answered with an error, and a failed read was above all refused.
_ASKED_IN_ORDER: tuple[tuple[Reason, Callable[[_Record], str | None]], ...] = (
    (Reason.DRY_RUN, _dry_run),
    (Reason.REFUSED, _refusal),
    (Reason.READ_ONLY, _read_only),
)


# --- what was touched ------------------------------------------------------------------------------------------------


def _change(record: _Record, touches: TouchIndex, occurrences: OccurrenceIndex) -> Change | NoChange:
    pointers = touches.pointers(record.source, record.name)
    found = occurrences.found(record.fields, record.source, record.name)
    if not pointers and not found:
        if occurrences.knows(record.source, record.name):
            return record.no_change(Reason.NO_OCCURRENCE, "no control minds the call as it was made")
        return record.no_change(Reason.UNMAPPED, "the call touches no resource type that is read")
    account, region, time = record.account, record.region, time_of(record.fields["eventTime"])
    if account is None or region is None or time is None:
        missing = "readable eventTime" if time is None else "account" if account is None else "awsRegion"
        return record.no_change(Reason.MALFORMED, f"the record has no {missing}")
    touched = _touched(record, pointers, account, region)
    actor, via, via_confidence = identify(record.fields)
    if found and is_by_somebody(actor, via, via_confidence):
        streams = (stream_of(control, actor, account, region) for control in found)
        touched += tuple(Touched(stream, EVERYTHING) for stream in streams)
    if not touched:
        if not pointers:
            return record.no_change(Reason.NO_OCCURRENCE, "AWS did it of itself or through one of its services")
        return record.no_change(Reason.UNMAPPED, _why_unnamed(record, pointers))
    return Change(
        event_id=record.event_id or "",
        event_source=record.source,
        event_name=record.name,
        time=time,
        account=account,
        region=region,
        actor=actor,
        via=via,
        via_confidence=via_confidence,
        touched=touched,
        source_ip=text_of(record.fields.get("sourceIPAddress")),
    )


def _touched(record: _Record, pointers: Iterable[Pointer], account: str, region: str) -> tuple[Touched, ...]:
    """Every resource once, with all that the call writes of it."""
    found: dict[tuple[str, str, str, str], Touched] = {}
    for pointer in pointers:
        for resource in pointer.resources(record.fields, account, region):
            before = found.get(resource.key)
            kept = before.resource if before else resource
            found[resource.key] = Touched(kept, _merged(before.sets if before else (), pointer.sets))
    return tuple(found.values())


def _merged(some: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    both = tuple(dict.fromkeys((*some, *more)))
    return EVERYTHING if "*" in both else both


def _why_unnamed(record: _Record, pointers: Sequence[Pointer]) -> str:
    """Which types the call may touch, and why the record does not say which resource."""
    types = ", ".join(dict.fromkeys(pointer.type for pointer in pointers))
    sections = dict.fromkeys(path[0].name for pointer in pointers for path in pointer.paths if path)
    lost = [f"{section} {why}" for section in sections if (why := _loss(record.fields.get(section)))]
    return f"the record names no {types}" + (f": {', '.join(lost)}" if lost else "")


def _loss(section: Any) -> str | None:
    """CloudTrail writes null for nothing to tell, and `omitted` for fields over its size limit."""
    if not section:
        return "is empty"
    if isinstance(section, dict) and is_true(section.get("omitted")):
        return "was omitted by CloudTrail"
    return None
