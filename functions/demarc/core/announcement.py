"""A finding as it is told: attributes to filter by, a body for machines, a text for the person who was just paged."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demarc.core.model import Cause, Drift, Finding, Party, Relation, Status
from demarc.core.wire import json_schema, to_wire

SCHEMA = "demarc.finding/1"

# SNS takes 256 KiB for a whole message, and the text travels with the body (SNS API Reference, Publish).
_DRIFTS_TOLD = 20
_VALUE_LENGTH = 1_000
_SUBJECT_LENGTH = 99
_WIDTH = 78

_RELATIONS = {
    Relation.SAME_TEAM: "of your team",
    Relation.OTHER_TEAM: "of another team",
    Relation.PIPELINE: "a pipeline",
    Relation.BREAK_GLASS: "break-glass access",
    Relation.AWS: "AWS itself",
    Relation.DEMARC: "Demarc",
    Relation.UNKNOWN: "not known to the matrix",
}
_OPERATORS = frozenset({"present", "absent", "at_least", "at_most", "one_of", "none_of"})
_HEADLINES = {Status.OPEN: "OPEN", Status.ACCEPTED: "ACCEPTED RISK", Status.RESOLVED: "RESOLVED", Status.GONE: "GONE"}
# A control's title says what must hold; whoever was just paged must not take it for what is.
_CLAIMS = {Status.OPEN: "Broken: ", Status.ACCEPTED: "Broken: ", Status.RESOLVED: "Holds again: ", Status.GONE: ""}


@dataclass(frozen=True, slots=True)
class Announcement:
    """What is published of one revision of a finding."""

    subject: str
    text: str
    body: Mapping[str, Any]
    attributes: Mapping[str, str]


def announcement_of(finding: Finding) -> Announcement:
    """Tell a finding. Everything that came from an event or a resource is untrusted: cleaned here, and bounded."""
    return Announcement(
        subject=_subject(finding), text=_text(finding), body=_body(finding), attributes=_attributes(finding)
    )


def _attributes(finding: Finding) -> dict[str, str]:
    """What subscriptions may filter by (SNS filter policies work on message attributes)."""
    return {
        "team": finding.attribution.owner.team,
        "severity": finding.severity.value,
        "status": finding.status.value,
        "party": finding.attribution.party.value,
        "layer": finding.layer.value,
        "account": finding.resource.account,
        "environment": finding.attribution.environment,
    }


def _subject(finding: Finding) -> str:
    """One ASCII line under 100 characters, as SNS asks for."""
    head = _HEADLINES[finding.status] if finding.status is not Status.OPEN else finding.severity.value.upper()
    line = clean(f"[{head}] {claim_of(finding)}: {finding.resource.identifier}")
    return line.encode("ascii", "replace").decode()[:_SUBJECT_LENGTH]


def _body(finding: Finding) -> dict[str, Any]:
    """Every fact of the finding under a versioned schema; `body_schema` describes it."""
    facts: dict[str, Any] = to_wire(finding)
    told = finding.drift[:_DRIFTS_TOLD]
    facts["drift"] = [_bounded(drift) for drift in told]
    facts["drift_omitted"] = len(finding.drift) - len(told)
    for inward in ("announced", "matrix_version"):
        del facts[inward]
    return {"schema": SCHEMA, **facts, "matrix_version": finding.matrix_version}


def _bounded(drift: Drift) -> dict[str, Any]:
    value: dict[str, Any] = to_wire(drift)
    for side in ("required", "actual"):
        text = json.dumps(value[side])
        if len(text) > _VALUE_LENGTH:
            value[side] = f"{text[:_VALUE_LENGTH]}... ({len(text)} characters)"
    value["because"] = shortened(drift.because, _VALUE_LENGTH)
    return value


def clean(text: str) -> str:
    """Text without control characters; a line break or an escape sequence in a name must not forge a message."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else " " for character in text)


def shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."


def claim_of(finding: Finding) -> str:
    """The control's title with whether it holds."""
    return f"{_CLAIMS[finding.status]}{finding.title}"


def _text(finding: Finding) -> str:
    return "\n".join(_paragraphs(finding))


def _paragraphs(finding: Finding) -> Iterator[str]:
    attribution, owner = finding.attribution, finding.attribution.owner
    yield f"{_HEADLINES[finding.status]} ({finding.severity}). {claim_of(finding)}"
    yield f"{clean(finding.resource.type)} {clean(finding.resource.identifier)}"
    yield f"account {finding.resource.account} ({attribution.environment}), {clean(finding.resource.region)}"
    yield ""
    yield from _wrapped("Whose", f"{owner.person}, team {owner.team}: {owner.because} [{owner.row}]")
    side = {Party.CUSTOMER: "ours", Party.SHARED: "shared with AWS", Party.PROVIDER: "AWS's"}[attribution.party]
    yield from _wrapped("The line", f"{finding.layer} of {attribution.tier} is {side}. {attribution.line}")
    yield ""
    yield from _state(finding)
    yield from _who(finding)
    if finding.status is Status.OPEN:
        yield ""
        yield from _wrapped("By when", f"{finding.due_at:%A %d %B %Y, %H:%M} UTC")
        # The command is not wrapped: it is there to be copied.
        yield f"{'How':<10}{clean(finding.guidance)}"
    requirements = "; ".join(f"{name}: {', '.join(ids)}" for name, ids in finding.references.items() if ids)
    if requirements:
        yield ""
        yield from _wrapped("Breaks" if finding.status is Status.OPEN else "Serves", requirements)
    yield ""
    yield f"finding {finding.id}, revision {finding.revision}"
    yield f"control {finding.control}, matrix {finding.matrix_version}"


def _state(finding: Finding) -> Iterator[str]:
    if finding.status is Status.RESOLVED:
        yield from _wrapped("Now", f"right again since {finding.resolved_at:%d %B %Y, %H:%M} UTC")
        return
    if finding.status is Status.GONE:
        yield from _wrapped("Now", "the resource is gone, and the finding with it")
        return
    if finding.exception:
        risk = finding.exception
        until = f"{risk.expires:%d %B %Y, %H:%M} UTC"
        yield from _wrapped("Accepted", f"{risk.id}: {risk.reason} ({risk.approver}, until {until})")
    for drift in finding.drift[:_DRIFTS_TOLD]:
        yield from _wrapped("Is", f"{clean(drift.path)} = {spoken(drift.actual)}")
        yield from _wrapped(
            "Must be", f"{spoken(drift.required)}{f' ({clean(drift.because)})' if drift.because else ''}"
        )
    if len(finding.drift) > _DRIFTS_TOLD:
        yield from _wrapped("", f"and {len(finding.drift) - _DRIFTS_TOLD} more")


def spoken(value: Any) -> str:
    """A required or an actual value in words: `{"at_least": 14}` is "at least 14"."""
    if isinstance(value, Mapping) and value and value.keys() <= _OPERATORS:
        return " and ".join(_asked(operator, operand) for operator, operand in value.items())
    if value is None:
        return "not set"
    if isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(each, str) for each in value):
        return shortened(clean(", ".join(value)), 300)
    return shortened(clean(value if isinstance(value, str) else json.dumps(value)), 300)


def _asked(operator: str, operand: Any) -> str:
    if operator in ("present", "absent"):
        return "present" if (operator == "present") is operand else "absent"
    return f"{operator.replace('_', ' ')} {spoken(operand)}"


def _who(finding: Finding) -> Iterator[str]:
    if finding.cause:
        yield from _wrapped("Set by" if finding.cause.set_it else "Seen when", _cause(finding.cause))
    if finding.resolved_by:
        yield from _wrapped("Mended by" if finding.resolved_by.set_it else "Seen when", _cause(finding.resolved_by))


def _cause(cause: Cause) -> str:
    name = clean(cause.actor.name) or "somebody"
    call = f"{cause.event_source.removesuffix('.amazonaws.com')}:{cause.event_name}"
    how = f"through {cause.via}" if cause.via.value != "unknown" else "by unknown means"
    when = f"{cause.time:%d %B %Y, %H:%M:%S} UTC"
    return clean(f"{name} ({_stands(cause)}) called {call} {how}, {when}")


def _stands(cause: Cause) -> str:
    """What the actor is, and what to the owner; a pipeline and AWS itself are that to everybody."""
    relation = _RELATIONS[cause.relation]
    return relation if cause.relation in (Relation.PIPELINE, Relation.AWS) else f"{cause.actor.kind}, {relation}"


def _wrapped(label: str, text: str) -> list[str]:
    return textwrap.wrap(
        clean(text), _WIDTH, initial_indent=f"{label:<10}", subsequent_indent=" " * 10, break_on_hyphens=False
    )


def body_schema() -> dict[str, Any]:
    """The JSON schema of a body, from the annotations of what is in it: a fact cannot be told and not described."""
    schema = json_schema(Finding)
    properties = {name: value for name, value in schema["properties"].items() if name != "announced"}
    properties |= {"schema": {"const": SCHEMA}, "drift_omitted": {"type": "integer", "minimum": 0}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA,
        "description": "One revision of a finding. The same id and revision again is a duplicate.",
        **schema,
        "properties": properties,
        "required": sorted(properties),
    }
