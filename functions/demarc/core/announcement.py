"""Findings as they are told: attributes to filter by, a body for machines, a text for the person who was just paged."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demarc.core.model import STANDING, TO_DO, Act, Cause, Drift, Finding, Party, Relation, Severity, Status, Transition
from demarc.core.occurrence import is_occurrence
from demarc.core.wire import WireError, from_wire, json_schema, to_wire

SCHEMA = "demarc.findings/1"

# SNS takes 256 KiB for a whole message, and the text travels with the body (SNS API Reference, Publish).
_DRIFTS_TOLD = 20
_VALUE_LENGTH = 1_000
_TOGETHER = 80_000
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
_OPERATORS = frozenset({"present", "absent", "at_least", "at_most", "one_of", "none_of", "like"})
_STATUSES = {
    Status.OPEN: "OPEN",
    Status.ACKNOWLEDGED: "ACKNOWLEDGED",
    Status.ACCEPTED: "ACCEPTED RISK",
    Status.RESOLVED: "RESOLVED",
    Status.GONE: "GONE",
}
_WORST_FIRST = list(Severity)
_ACTS = {
    Act.MOVE: "YOURS NOW",
    Act.ASSIGN: "ASSIGNED",
    Act.PROPOSE: "APPROVAL ASKED",
    Act.DECLINE: "NOT ACCEPTED",
    Act.EXPIRE: "ACCEPTANCE EXPIRED",
    Act.REMIND: "REMINDER",
    Act.ESCALATE: "OVERDUE",
}
# A control's title says what must hold; whoever was just paged must not take it for what is.
_CLAIMS = {Status.RESOLVED: "Holds again: ", Status.GONE: ""}
_CLOSED = "Closed: "


@dataclass(frozen=True, slots=True)
class Announcement:
    """What is published at once. An attribute with several values is a tuple."""

    subject: str
    text: str
    body: Mapping[str, Any]
    attributes: Mapping[str, str | tuple[str, ...]]


def groups_of(findings: Iterable[Finding]) -> list[tuple[Finding, ...]]:
    """What is told in one message: the findings that the same teams are to hear of, as many as there is room for."""
    groups: dict[tuple[str, ...], list[list[Finding]]] = {}
    room: dict[tuple[str, ...], int] = {}
    for finding in findings:
        size = len(json.dumps(_facts(finding)))
        batches = groups.setdefault(finding.audience, [])
        if not batches or size > room[finding.audience]:
            batches.append([])
            room[finding.audience] = _TOGETHER
        batches[-1].append(finding)
        room[finding.audience] -= size
    return [tuple(batch) for batches in groups.values() for batch in batches]


def announcement_of(findings: Sequence[Finding]) -> Announcement:
    """Tell findings of one audience together, the worst first.

    Everything that came from an event or a resource is untrusted: cleaned here, and bounded.
    """
    ordered = sorted(findings, key=lambda finding: _WORST_FIRST.index(finding.severity))
    audience = tuple(dict.fromkeys(team for finding in ordered for team in _audience(finding)))
    return Announcement(
        subject=_subject(ordered),
        text=_text(ordered),
        body={"schema": SCHEMA, "audience": list(audience), "findings": [_facts(finding) for finding in ordered]},
        attributes={"audience": audience, **_attributes(ordered)},
    )


def findings_in(body: Mapping[str, Any]) -> tuple[Finding, ...]:
    """The findings that a body tells of; long values and drift beyond the first twenty are not all there.

    Raises:
        WireError: if it is no such body.
    """
    if body.get("schema") != SCHEMA or not isinstance(body.get("findings"), list):
        raise WireError(f"not a {SCHEMA}")
    told = [{name: value for name, value in facts.items() if name != "drift_omitted"} for facts in body["findings"]]
    return tuple(from_wire(Finding, facts) for facts in told)


def _audience(finding: Finding) -> tuple[str, ...]:
    # Revisions from before there was an audience speak to the owner's team.
    return finding.audience or (finding.attribution.owner.team,)


def _attributes(findings: Sequence[Finding]) -> dict[str, str | tuple[str, ...]]:
    """What subscriptions may filter by (SNS filter policies work on message attributes)."""
    each = [
        {
            "team": finding.attribution.owner.team,
            "severity": finding.severity.value,
            "status": finding.status.value,
            "act": finding.transition.act.value if finding.transition else "",
            "party": finding.attribution.party.value,
            "layer": finding.layer.value,
            "account": finding.resource.account,
            "environment": finding.attribution.environment,
        }
        for finding in findings
    ]
    return {name: _one_or_all(attributes[name] for attributes in each) for name in each[0] if each[0][name]}


def _one_or_all(values: Iterable[str]) -> str | tuple[str, ...]:
    distinct = tuple(dict.fromkeys(value for value in values if value))
    return distinct[0] if len(distinct) == 1 else distinct


def headline_of(finding: Finding) -> str:
    """In a word or two, what is new: the act where that says it, else the status."""
    transition = finding.transition
    if transition is None:
        return _STATUSES[finding.status]
    if transition.was in (Status.RESOLVED, Status.GONE):
        return "REOPENED"
    return _ACTS.get(transition.act, _STATUSES[finding.status])


def _subject(findings: Sequence[Finding]) -> str:
    """One ASCII line under 100 characters, as SNS asks for."""
    worst = findings[0]
    head = headline_of(worst)
    line = f"[{worst.severity.value.upper() if head == 'OPEN' else head}] "
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    line = clean(f"{line}{claim_of(worst)}: {worst.resource.identifier}")
    return shortened(line.encode("ascii", "replace").decode(), _SUBJECT_LENGTH - len(more)) + more


def _facts(finding: Finding) -> dict[str, Any]:
    """Every fact of a finding; `body_schema` describes it."""
    facts: dict[str, Any] = to_wire(finding)
    told = finding.drift[:_DRIFTS_TOLD]
    facts["drift"] = [_bounded(drift) for drift in told]
    facts["drift_omitted"] = len(finding.drift) - len(told)
    facts["audience"] = list(_audience(finding))
    del facts["announced"]
    return facts


def _bounded(drift: Drift) -> dict[str, Any]:
    value: dict[str, Any] = to_wire(drift)
    for side in ("required", "actual"):
        value[side] = _short_value(value[side])
    if value["was"]:
        value["was"]["value"] = _short_value(value["was"]["value"])
    value["because"] = shortened(drift.because, _VALUE_LENGTH)
    return value


def _short_value(value: Any) -> Any:
    text = json.dumps(value)
    return value if len(text) <= _VALUE_LENGTH else f"{text[:_VALUE_LENGTH]}... ({len(text)} characters)"


def clean(text: str) -> str:
    """Text without control characters; a line break or an escape sequence in a name must not forge a message."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else " " for character in text)


def shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."


def claim_of(finding: Finding) -> str:
    """The control's title with whether it holds."""
    if finding.status is Status.RESOLVED and is_occurrence(finding):
        return f"{_CLOSED}{finding.title}"
    return f"{_CLAIMS.get(finding.status, 'Broken: ')}{finding.title}"


def _text(findings: Sequence[Finding]) -> str:
    return "\n".join(_pages(findings))


def _pages(findings: Sequence[Finding]) -> Iterator[str]:
    if len(findings) > 1:
        yield f"{len(findings)} findings, the worst first"
        yield ""
    for number, finding in enumerate(findings, start=1):
        if number > 1:
            yield ""
            yield "-" * _WIDTH
            yield ""
        yield from _paragraphs(finding)


def _paragraphs(finding: Finding) -> Iterator[str]:
    attribution, owner = finding.attribution, finding.attribution.owner
    yield f"{headline_of(finding)} ({finding.severity}). {claim_of(finding)}"
    yield f"{clean(finding.resource.type)} {clean(finding.resource.identifier)}"
    yield f"account {finding.resource.account} ({attribution.environment}), {clean(finding.resource.region)}"
    yield ""
    yield from _wrapped("Whose", f"{owner.person}, team {owner.team}: {owner.because} [{owner.row}]")
    side = {Party.CUSTOMER: "ours", Party.SHARED: "shared with AWS", Party.PROVIDER: "AWS's"}[attribution.party]
    line = f"{finding.layer} of {attribution.tier} is {side}. {attribution.line} {attribution.division}"
    yield from _wrapped("The line", line.rstrip())
    yield from _steps(finding)
    yield ""
    yield from _state(finding)
    yield from _who(finding)
    if finding.status in TO_DO:
        yield ""
        yield from _wrapped("By when", f"{finding.due_at:%A %d %B %Y, %H:%M} UTC")
        # The command is not wrapped: it is there to be copied.
        yield f"{'How':<10}{clean(finding.guidance)}"
    requirements = "; ".join(f"{name}: {', '.join(ids)}" for name, ids in finding.references.items() if ids)
    if requirements:
        yield ""
        yield from _wrapped("Breaks" if finding.status in STANDING else "Serves", requirements)
    yield ""
    yield f"finding {finding.id}, revision {finding.revision}"
    yield f"control {finding.control}, matrix {finding.matrix_version}"


def _steps(finding: Finding) -> Iterator[str]:
    """What was said and done about it, apart from what was seen."""
    told = finding.transition and said(finding.transition)
    if told:
        yield ""
        yield from _wrapped("News", told)
    if finding.status is Status.ACKNOWLEDGED and finding.acknowledged_at:
        yield from _wrapped("At it", f"{finding.acknowledged_by}, since {finding.acknowledged_at:%d %B %Y, %H:%M} UTC")
    if finding.assignee:
        yield from _wrapped("Assigned", finding.assignee)
    if finding.proposal:
        risk = finding.proposal
        yield from _wrapped(
            "Proposed", f"{risk.requested_by}: {risk.reason} (until {risk.expires:%d %B %Y, %H:%M} UTC)"
        )
    if finding.reopened:
        yield from _wrapped(
            "Before", f"it was open {finding.reopened} time{'s' if finding.reopened > 1 else ''} before"
        )


def said(transition: Transition) -> str:
    """What led to a revision as a sentence, or nothing where it was merely seen."""
    if transition.act in (Act.BROKEN, Act.RIGHT, Act.GONE):
        return ""
    to = f" ({transition.to})" if transition.to else ""
    why = f": {transition.reason}" if transition.reason else ""
    return f"{transition.act}{to} by {transition.by}, {transition.at:%d %B %Y, %H:%M} UTC, {transition.origin}{why}"


def _state(finding: Finding) -> Iterator[str]:
    if finding.status is Status.RESOLVED and is_occurrence(finding):
        yield from _wrapped("Now", f"closed by {finding.acknowledged_by}, {finding.resolved_at:%d %B %Y, %H:%M} UTC")
        yield from _wrapped("Why", finding.reason)
        return
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
        if is_occurrence(finding):
            yield from _wrapped("Happened", f"{spoken(drift.actual)}: {drift.because}")
            continue
        if drift.was:
            yield from _wrapped("Was", was_of(drift))
        yield from _wrapped("Is", f"{clean(drift.path)} = {spoken(drift.actual)}")
        yield from _wrapped(
            "Must be", f"{spoken(drift.required)}{f' ({clean(drift.because)})' if drift.because else ''}"
        )
    if len(finding.drift) > _DRIFTS_TOLD:
        yield from _wrapped("", f"and {len(finding.drift) - _DRIFTS_TOLD} more")


def was_of(drift: Drift) -> str:
    """What was there before a drift, in words; nothing where nobody had looked."""
    if drift.was is None:
        return ""
    when = f"{drift.was.at:%d %B %Y, %H:%M} UTC"
    if drift.was.value == drift.actual:
        return f"the same on {when}, when it was last read"
    entry = "[" in drift.path or isinstance(drift.actual, Mapping)
    value = "not there" if drift.was.value is None and entry else spoken(drift.was.value)
    return f"{value} on {when}"


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
    return clean(f"{name} ({standing_of(cause)}) called {call} {how}, {when}")


def standing_of(cause: Cause) -> str:
    """What the actor is, and what to the owner; a pipeline and AWS itself are that to everybody."""
    relation = _RELATIONS[cause.relation]
    return (
        relation
        if cause.relation in (Relation.PIPELINE, Relation.AWS)
        else f"{cause.actor.kind.replace('-', ' ')}, {relation}"
    )


def _wrapped(label: str, text: str) -> list[str]:
    return textwrap.wrap(
        clean(text), _WIDTH, initial_indent=f"{label:<10}", subsequent_indent=" " * 10, break_on_hyphens=False
    )


def body_schema() -> dict[str, Any]:
    """The JSON schema of a body, from the annotations of what is in it: a fact cannot be told and not described."""
    finding = json_schema(Finding)
    properties = {name: value for name, value in finding["properties"].items() if name != "announced"}
    properties["drift_omitted"] = {"type": "integer", "minimum": 0}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA,
        "description": "Revisions of findings. The same id and revision again is a duplicate.",
        "type": "object",
        "properties": {
            "schema": {"const": SCHEMA},
            "audience": {"type": "array", "items": {"type": "string"}},
            "findings": {
                "type": "array",
                "minItems": 1,
                "items": {**finding, "properties": properties, "required": sorted(properties)},
            },
        },
        "required": ["schema", "audience", "findings"],
        "additionalProperties": False,
    }
