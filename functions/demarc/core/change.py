"""EventBridge envelope or bare CloudTrail record -> the change it reports, or the stated reason why it reports none.

Shapes and field names are those of the AWS CloudTrail User Guide, "CloudTrail record contents" and "CloudTrail
userIdentity element". Everything in a record is untrusted text: it points at resources, the verdict comes from reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import unquote

from demarc.core.actor import identify
from demarc.core.arn import REGION, ArnShape, Named
from demarc.core.cloudtrail import (
    Step,
    account_of,
    compiled,
    is_false,
    is_true,
    reach,
    shown,
    text_of,
    time_of,
    undated,
    unwrapped,
)
from demarc.core.model import Change, Resource, Touched
from demarc.core.occurrence import OccurrenceIndex, is_by_somebody, stream_of

EVERYTHING = ("*",)
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


@dataclass(frozen=True, slots=True)
class Touch:
    """API calls that touch a resource type, where they name it, and what they write.

    `at` lists paths into the record, tried in order; the first that yields anything wins. A path is dotted, its names
    are matched whatever the case of their first letter, EC2's `XyzRequest`/`XyzResponse` wrappers are looked through,
    and `[]` means every element, whether CloudTrail wrote a list, `{"items": [...]}`, `{"member": [...]}` or one
    object. The path `account` is the account the record belongs to. Where no path yields anything, the record's own
    `resources[]` of that type are taken: they survive when CloudTrail omits the parameters.
    `only` is a prefix that the identifier must have (tagging calls name resources of many types). An ARN of another
    type yields nothing, so calls that take any ARN need no prefix.
    `region` is the path to the Region of what is touched, for calls that are sent to another one.
    `also` is the path to what the name goes on with, after `joined`: a stage's name after its API's id, the number of
    a layer's version after the layer's name.
    `before` is what such a name begins with, by what the record has at the path `by`: a web ACL's scope.
    `last` says that the name is what follows the last slash of the value (a queue's URL).
    `sets` are the snapshot properties the call writes: what drifted elsewhere is not this call's doing.
    """

    event_source: str
    event_names: tuple[str, ...]
    at: tuple[str, ...]
    sets: tuple[str, ...] = ()
    only: str = ""
    region: str = ""
    last: bool = False
    also: str = ""
    joined: str = "/"
    by: str = ""
    before: Mapping[str, str] = field(default_factory=dict)


class Touchable(Protocol):
    """A resource type as events see it: its touches and the shape of its ARN (see `readers.Reader`)."""

    @property
    def type(self) -> str: ...

    @property
    def arn(self) -> str: ...

    @property
    def touches(self) -> tuple[Touch, ...]: ...


class TouchIndex:
    """Which touches answer an (eventSource, eventName); built once, looked up per event in constant time."""

    def __init__(self, types: Iterable[Touchable]) -> None:
        found: dict[tuple[str, str], list[_Pointer]] = {}
        for touchable in types:
            shape = ArnShape.of(touchable.arn)
            for touch in touchable.touches:
                pointer = _Pointer.of(touchable.type, shape, touch)
                for name in dict.fromkeys(map(undated, touch.event_names)):
                    found.setdefault((touch.event_source, name), []).append(pointer)
        self._pointers = {call: tuple(pointers) for call, pointers in found.items()}

    def pointers(self, event_source: str, event_name: str) -> tuple[_Pointer, ...]:
        """What to look for in the record of a call; nothing for a call that touches no type we know.

        A call in another version of the API is the same call, whichever of them the touch was written for.
        """
        return self._pointers.get((event_source, undated(event_name)), ())


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


def _touched(record: _Record, pointers: Iterable[_Pointer], account: str, region: str) -> tuple[Touched, ...]:
    """Every resource once, with all that the call writes of it."""
    found: dict[tuple[str, str, str, str], Touched] = {}
    for pointer in pointers:
        for resource in pointer.resources(record, account, region):
            before = found.get(resource.key)
            kept = before.resource if before else resource
            found[resource.key] = Touched(kept, _merged(before.sets if before else (), pointer.sets))
    return tuple(found.values())


def _merged(some: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    both = tuple(dict.fromkeys((*some, *more)))
    return EVERYTHING if "*" in both else both


def _why_unnamed(record: _Record, pointers: Sequence[_Pointer]) -> str:
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


@dataclass(frozen=True, slots=True)
class _Pointer:
    """One touch of one type, ready to be followed into a record. An empty path is the record's account."""

    type: str
    shape: ArnShape
    paths: tuple[tuple[Step, ...], ...]
    sets: tuple[str, ...]
    only: str
    region: tuple[Step, ...]
    last: bool
    also: tuple[Step, ...]
    joined: str
    by: tuple[Step, ...]
    before: Mapping[str, str]

    @classmethod
    def of(cls, type_: str, shape: ArnShape, touch: Touch) -> _Pointer:
        paths = tuple(() if path == "account" else compiled(path) for path in touch.at)
        region = compiled(touch.region) if touch.region else ()
        also = compiled(touch.also) if touch.also else ()
        by = compiled(touch.by) if touch.by else ()
        return cls(
            type_, shape, paths, touch.sets, touch.only, region, touch.last, also, touch.joined, by, touch.before
        )

    def resources(self, record: _Record, account: str, region: str) -> Iterator[Resource]:
        region = self._region(record) or region
        for named in self._named(record, account):
            arn = named.arn or self.shape.arn(named.identifier, named.account or account, named.region or region)
            owner = named.account or _owner(record, arn) or account
            if owner != account and not named.arn:
                arn = self.shape.arn(named.identifier, owner, region)
            yield Resource(self.type, named.identifier, owner, named.region or region, arn)

    def _region(self, record: _Record) -> str | None:
        """The Region that the call itself names, where it does."""
        said = text_of(next(reach(record.fields, self.region), None)) if self.region else None
        return said if said and REGION.fullmatch(said) else None

    def _named(self, record: _Record, account: str) -> Sequence[Named]:
        for path in self.paths:
            values = self._joined(reach(record.fields, path), record) if path else (account,)
            if found := self._accepted(values):
                return found
        return self._accepted(each.get("ARN") for each in _listed(record) if each.get("type") == self.type)

    def _accepted(self, values: Iterable[Any]) -> list[Named]:
        texts = (self._name_in(_name_of(value)) for value in values)
        found = (self.shape.named(text) for text in texts if text)
        return [named for named in found if named and self._fits(named)]

    def _joined(self, values: Iterable[Any], record: _Record) -> Iterator[Any]:
        """The values as they are, or each with what else the record has of the name; without that there is none."""
        if not self.also:
            yield from values
            return
        rest = next(reach(record.fields, self.also), None)
        rest = str(rest) if type(rest) is int else _name_of(rest)
        before = self._before(record)
        for value in values:
            if rest and before is not None and (first := _name_of(value)):
                yield f"{before}{first}{self.joined}{rest}"

    def _before(self, record: _Record) -> str | None:
        """What the name begins with; None where the record does not say it, or has something that nobody knows."""
        if not self.by:
            return ""
        return self.before.get(text_of(next(reach(record.fields, self.by), None)) or "")

    def _name_in(self, text: str | None) -> str | None:
        return text.rpartition("/")[2] if text and self.last and not text.startswith("arn:") else text

    def _fits(self, named: Named) -> bool:
        return not self.only or named.identifier.startswith(self.only) or (named.arn or "").startswith(self.only)


def _name_of(value: Any) -> str | None:
    """A value as a name. What a service takes in the address of a call, it may record as it stood there: MSK and EKS
    have `arn%3Aaws%3A...` (Amazon MSK Developer Guide, "Log API calls with AWS CloudTrail").
    """
    text = text_of(value)
    return text_of(unquote(text)) if text and text.lower().startswith("arn%3a") else text


def _owner(record: _Record, arn: str) -> str | None:
    """The account that CloudTrail says a resource belongs to: not the caller's, where a policy lets others in."""
    return next((account_of(each.get("accountId")) for each in _listed(record) if each.get("ARN") == arn), None)


def _listed(record: _Record) -> list[dict[str, Any]]:
    listed = record.fields.get("resources")
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
