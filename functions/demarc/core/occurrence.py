"""What happened and is wrong by itself: which calls, whose, and what is known of them afterwards.

There is no state to read: the record is all there is. So what it says is kept as a snapshot of a resource that is none,
the stream of like calls by one actor; everything after that is as with any other resource. Counting is by event id, and
the rest is a set, so that events in any order and any number of deliveries lead to the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from demarc.core.arn import ArnShape
from demarc.core.cloudtrail import Step, compiled, reach, undated
from demarc.core.expectation import meets
from demarc.core.model import (
    OCCURRENCE,
    Actor,
    ActorKind,
    Change,
    Confidence,
    Control,
    Drift,
    Finding,
    Resource,
    Via,
)
from demarc.core.snapshot import OBSERVED, Snapshot

ARN = "arn:{partition}:demarc:{region}:{account}:occurrence/{identifier!s}"
_SHAPE = ArnShape.of(ARN)

# The last calls of a stream are known by their ids. Whatever comes twice does so within minutes, or within a day from
# EventBridge at the latest; a stream of more than these calls in that time is no less wrong for a count that is off.
_HEARD = 64

# Distinct calls and addresses that a finding tells of; what comes after the first twenty wakes nobody again.
_TOLD = 20

_LONGEST_NAME = 300
_CALLS = f"{OBSERVED}.Calls"


class OccurrenceIndex:
    """Which controls speak of a call; built once, looked up per event in constant time but for those on every call."""

    def __init__(self, controls: Iterable[Control] = ()) -> None:
        self._on_calls: dict[tuple[str, str], list[tuple[Control, _Where]]] = {}
        self._on_every_call: list[tuple[Control, _Where]] = []
        for control in controls:
            if control.occurrence is None:
                continue
            entry = (control, _Where(control.occurrence.where))
            if not control.occurrence.calls:
                self._on_every_call.append(entry)
            for name in dict.fromkeys(map(undated, control.occurrence.calls)):
                self._on_calls.setdefault((control.occurrence.source, name), []).append(entry)

    def knows(self, event_source: str, event_name: str) -> bool:
        """Whether some control names the call, in whichever version of the API."""
        return (event_source, undated(event_name)) in self._on_calls

    def found(self, fields: Mapping[str, Any], event_source: str, event_name: str) -> tuple[Control, ...]:
        """The controls by which the call of a record must not have been made as it was."""
        asked = (*self._on_calls.get((event_source, undated(event_name)), ()), *self._on_every_call)
        return tuple(control for control, where in asked if where.holds(fields))


class _Where:
    """What a record must say; of a path that names several values, one is enough."""

    def __init__(self, where: Mapping[str, Any]) -> None:
        self._asked = [(compiled(path), wanted) for path, wanted in where.items()]

    def holds(self, fields: Mapping[str, Any]) -> bool:
        return all(self._holds(wanted, fields, path) for path, wanted in self._asked)

    @staticmethod
    def _holds(wanted: Any, fields: Mapping[str, Any], path: tuple[Step, ...]) -> bool:
        return any(_is(wanted, value) for value in list(reach(fields, path)) or [None])


def _is(wanted: Any, value: Any) -> bool:
    """A control's own words of comparison, and `like`: shell-style patterns of a name, one of which matches."""
    if not isinstance(wanted, Mapping) or "like" not in wanted:
        return meets(wanted, value)
    others = {operator: operand for operator, operand in wanted.items() if operator != "like"}
    named = isinstance(value, str) and any(fnmatchcase(value, pattern) for pattern in wanted["like"])
    return named and meets(others, value)


def is_by_somebody(actor: Actor, via: Via, via_confidence: Confidence) -> bool:
    """Whether there is somebody to ask: not AWS acting of itself, or a service of it in somebody's name.

    CloudFormation does what it is told to, and so is a tool like any other.
    """
    by_service = via is Via.AWS_SERVICE and via_confidence is Confidence.HIGH
    return actor.kind is not ActorKind.AWS_SERVICE and not by_service


def stream_of(control: Control, actor: Actor, account: str, region: str) -> Resource:
    """The stream that a call belongs to: the same control, the same actor."""
    identifier = f"{control.id}/{_who(actor)}"
    return Resource(OCCURRENCE, identifier, account, region, _SHAPE.arn(identifier, account, region))


def _who(actor: Actor) -> str:
    """What an actor is known by the next time: a person by their own ARN, a program by its role's, since the sessions
    of programs are called anything.
    """
    named = actor.arn if actor.kind in (ActorKind.HUMAN, ActorKind.ROOT) else actor.role or actor.arn
    return (named or actor.name or "unknown")[:_LONGEST_NAME]


def control_of(resource: Resource) -> str:
    """The id of the control that a stream is about."""
    return resource.identifier.partition("/")[0]


def is_occurrence(thing: Resource | Finding) -> bool:
    """Whether it is about what happened, so that there is nothing to look at again."""
    resource = thing.resource if isinstance(thing, Finding) else thing
    return resource.type == OCCURRENCE


def recorded(
    resource: Resource, changes: Sequence[Change], before: Snapshot | None, *, closed: bool = False
) -> Snapshot:
    """What is known of a stream with these calls, as a snapshot.

    `Observed.Calls` are what is new in them; `First`, `Last` and `Count` are of the whole stream.

    Args:
        resource: the stream.
        changes: at least one, in any order; also those that are known already.
        before: what was known.
        closed: whether what was known is done with. Then nothing is new that is older than it.
    """
    known: Mapping[str, Any] = before.properties[OBSERVED] if before else {}
    heard: Mapping[str, str] = known.get("Heard", {})
    fresh = {_id_of(change): change for change in changes if _id_of(change) not in heard}
    times = [change.time for change in changes] + ([before.observed_at] if before else [])
    last = max(times)
    first = min([*(change.time.isoformat() for change in changes), *([known["First"]] if known else [])])
    news = [change for change in fresh.values() if not (closed and before and change.time < before.observed_at)]
    everything = {**heard, **{event_id: change.time.isoformat() for event_id, change in fresh.items()}}
    kept = sorted(everything.items(), key=lambda each: (each[1], each[0]))[-_HEARD:]
    observed = {
        "Calls": sorted({_told(change) for change in news}),
        "Count": known.get("Count", 0) + len(fresh),
        "First": first,
        "Last": last.isoformat(),
        "Heard": dict(kept),
    }
    read = frozenset({"Tags", *(f"{OBSERVED}.{name}" for name in observed)})
    return Snapshot(resource, last, {OBSERVED: observed}, read=read)


def _id_of(change: Change) -> str:
    return change.event_id or f"{change.time.isoformat()} {change.event_source} {change.event_name}"


def _told(change: Change) -> tuple[str, str]:
    """What was called, and who did that from where: as a finding tells it, and whenever it is the same again."""
    call = f"{change.event_source.removesuffix('.amazonaws.com')}:{change.event_name}"
    address = f" from {change.source_ip[:100]}" if change.source_ip else ""
    return call[:_LONGEST_NAME], f"{_who(change.actor)} called it{address}"


def happenings(snapshot: Snapshot) -> Iterator[Drift]:
    """What is new in a stream, as drift from nothing at all."""
    for call, by in snapshot[_CALLS] or ():
        yield Drift(_CALLS, required="none", actual=call, because=by)


def together(told: Sequence[Drift], news: Sequence[Drift]) -> tuple[Drift, ...]:
    """What a finding tells already, and what is new beside it; the same is told once."""
    room = max(_TOLD - len(told), 0)
    more = [each for each in news if each not in told]
    return tuple(sorted((*told, *more[:room]), key=lambda each: (str(each.actual), each.because)))
