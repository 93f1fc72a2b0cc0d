"""What is said to people who answer in Slack: the forms that open where a press is not enough, what came of it.

All text is `plain_text`, in which Slack sees neither links nor mentions nor emoji. Limits are those of Slack's Block
Kit reference: a title has 24 characters, an option and a group's label 75, a section 3,000, a menu 100 groups of 100.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

from demarc.core import acts
from demarc.core.announcement import claim_of, clean, shortened, spoken
from demarc.core.chat.block_kit import PREFIX, value_of
from demarc.core.chat.slack_request import Button, Press, Submission
from demarc.core.matrix import Organization, Person
from demarc.core.model import STANDING, Act, Finding, Origin, Status
from demarc.core.occurrence import is_occurrence

# The fields, by the id of their block.
WHY, UNTIL, VERDICT, WHOM = "why", "until", "verdict", "whom"

# Where a form says what is about none of its fields.
FIRST: Mapping[Button, str] = {
    Button.ACCEPT: WHY,
    Button.ACKNOWLEDGE: WHY,
    Button.DECLINE: WHY,
    Button.ASSIGN: WHOM,
}

_SHORTEST_REASON = 10
_LONGEST_REASON = 1_000
_USUAL_DAYS = 30
_DRIFTS_SHOWN = 5
_GROUPS = 100
_OPTIONS = 100
# A form of more than 250 KB is refused; an option has some 150 bytes.
_PEOPLE = 1_000
_FALSE_POSITIVE = "false-positive"

View = dict[str, Any]


class Incomplete(ValueError):
    """A form that cannot be taken as it is: `errors` says why, in words for whoever filled it in, field by field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors


def act_of(
    asked: Press | Submission, *, by: Person, organization: Organization, at: datetime
) -> Callable[[Finding], Finding]:
    """What somebody asks to be done to a finding: the finding as it is -> its next revision (`core.acts`).

    Raises:
        Incomplete: if a form lacks what it is for, or has what cannot be.
    """
    fields = asked.fields if isinstance(asked, Submission) else {}
    match asked.button:
        case Button.ACKNOWLEDGE:
            reason = _reason(fields) if isinstance(asked, Submission) else ""
            return partial(acts.acknowledge, by=by, origin=Origin.SLACK, at=at, reason=reason)
        case Button.ASSIGN:
            return partial(acts.assign, to=_person(fields, organization), by=by, origin=Origin.SLACK, at=at)
        case Button.APPROVE:
            return partial(acts.approve, by=by, organization=organization, origin=Origin.SLACK, at=at)
        case Button.DECLINE:
            reason = _reason(fields)
            return partial(acts.decline, by=by, organization=organization, origin=Origin.SLACK, at=at, reason=reason)
        case Button.ACCEPT:
            return _acceptance(fields, by=by, organization=organization, at=at)
        case Button.RECHECK:
            raise ValueError("looking again does nothing to a finding")


def form_of(button: Button, finding: Finding, *, by: Person, organization: Organization, at: datetime) -> View:
    """The form of a button, if what it is for could be done now.

    Raises:
        Refused: if it could not, whatever the form said.
    """
    match button:
        case Button.ACCEPT:
            soon = at + timedelta(hours=1)
            outcome = acts.accept(
                finding, by=by, reason="-", until=soon, organization=organization, origin=Origin.SLACK, at=at
            )
            return accept_form(finding, outcome, organization, at=at)
        case Button.ACKNOWLEDGE:
            acts.acknowledge(finding, by=by, origin=Origin.SLACK, at=at, reason="-")
            return close_form(finding)
        case Button.DECLINE:
            acts.decline(finding, by=by, organization=organization, origin=Origin.SLACK, at=at, reason="-")
            return decline_form(finding)
        case Button.ASSIGN:
            if finding.status not in STANDING:
                raise acts.Refused("There is nothing to be seen to any more.")
            return assign_form(finding, organization)
        case _:
            raise ValueError(f"{button} has no form")


def accept_form(finding: Finding, outcome: Finding, organization: Organization, *, at: datetime) -> View:
    """Why and until when a risk is accepted. `outcome` is what would come of it: a proposal is called one at once."""
    proposed = outcome.transition is not None and outcome.transition.act is Act.PROPOSE
    longest = organization.acceptance.longest_days
    days = min(_USUAL_DAYS, longest)
    return _view(
        finding,
        Button.ACCEPT,
        title="Propose to accept" if proposed else "Accept the risk",
        submit="Propose" if proposed else "Accept",
        blocks=[
            *_shown(finding),
            *([_section(_second_person(finding, organization))] if proposed else []),
            _why("Why is this acceptable?"),
            _input(
                UNTIL,
                f"Until which day? At most {longest} days from today; then it opens again by itself.",
                {"type": "datepicker", "initial_date": (at + timedelta(days=days)).date().isoformat()},
            ),
            _input(
                VERDICT,
                "Is the verdict wrong?",
                {"type": "checkboxes", "options": [_false_positive()]},
                optional=True,
            ),
        ],
    )


def decline_form(finding: Finding) -> View:
    """Why a risk is not, or no longer, accepted."""
    risk = finding.proposal or finding.exception
    said = f"{risk.requested_by or risk.approver}: {clean(risk.reason)} (until {risk.expires:%Y-%m-%d})" if risk else ""
    return _view(
        finding,
        Button.DECLINE,
        title="Decline",
        submit="Decline",
        blocks=[*_shown(finding), *([_section(said)] if said else []), _why("Why should it not be accepted?")],
    )


def close_form(finding: Finding) -> View:
    """What came of something that happened: with that word it is closed."""
    return _view(
        finding,
        Button.ACKNOWLEDGE,
        title="Acknowledge",
        submit="Close",
        blocks=[
            *_shown(finding),
            _section("It happened, so there is nothing to look at again: your word closes it. The next time opens it."),
            _why("Why was it right, or what was done about it?"),
        ],
    )


def assign_form(finding: Finding, organization: Organization) -> View:
    """Who is to see to it: everybody of the matrix, team by team, the owner's first."""
    return _view(
        finding,
        Button.ASSIGN,
        title="Assign",
        submit="Assign",
        blocks=[
            *_shown(finding),
            _input(
                WHOM, "Who is to see to it?", {"type": "static_select", "option_groups": _people(finding, organization)}
            ),
        ],
    )


def last_page(text: str) -> View:
    """What a form turns into once it was sent: what came of it."""
    return {"type": "modal", "title": _plain("Demarc", 24), "close": _plain("Close", 24), "blocks": [_section(text)]}


def whisper(text: str) -> Mapping[str, Any]:
    """A message that only whoever pressed a button sees, under the message that stays as it is."""
    return {
        "response_type": "ephemeral",
        "replace_original": False,
        # For notifications and screen readers, which do not read blocks; there Slack still sees links and mentions.
        "text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
        "blocks": [_section(text)],
    }


def outcome_of(finding: Finding, organization: Organization) -> str:
    """What came of an act, to whoever did it."""
    act = finding.transition.act if finding.transition else None
    if act is Act.PROPOSE:
        return (
            f"You have proposed it. It waits for the word of {_approvers(organization)}, and is as it was until then."
        )
    if act is Act.ASSIGN:
        return f"It is assigned to {finding.assignee}, whose team is told."
    return standing_of(finding)


def standing_of(finding: Finding) -> str:
    """Where a finding stands, and by whom, in one sentence."""
    risk, due = finding.exception, f"due {finding.due_at:%A %d %B %Y, %H:%M} UTC"
    match finding.status:
        case Status.RESOLVED if is_occurrence(finding):
            return f"It is closed by {finding.acknowledged_by}, {finding.resolved_at:%d %B %Y, %H:%M} UTC."
        case Status.RESOLVED:
            return f"It is resolved: seen right on {finding.observed_at:%d %B %Y, %H:%M} UTC."
        case Status.GONE:
            return f"The resource is gone since {finding.observed_at:%d %B %Y, %H:%M} UTC."
        case Status.ACCEPTED if risk:
            return f"It is accepted until {risk.expires:%d %B %Y, %H:%M} UTC, by {risk.approver}."
        case Status.ACKNOWLEDGED:
            return f"It is acknowledged by {finding.acknowledged_by}, and {due}."
        case _:
            return f"It is open, and {due}."


def _acceptance(
    fields: Mapping[str, tuple[str, ...]], *, by: Person, organization: Organization, at: datetime
) -> Callable[[Finding], Finding]:
    """Accept, as the form says. Every field that is wrong is named at once."""
    errors: dict[str, str] = {}
    reason, until = "", at
    try:
        reason = _reason(fields)
    except Incomplete as incomplete:
        errors |= incomplete.errors
    try:
        until = _until(fields, organization.acceptance.longest_days, at)
    except Incomplete as incomplete:
        errors |= incomplete.errors
    if errors:
        raise Incomplete(errors)
    return partial(
        acts.accept,
        by=by,
        reason=reason,
        until=until,
        organization=organization,
        origin=Origin.SLACK,
        at=at,
        false_positive=_FALSE_POSITIVE in fields.get(VERDICT, ()),
    )


def _reason(fields: Mapping[str, tuple[str, ...]]) -> str:
    """The reason that a form gives, on one line."""
    reason = " ".join(clean("".join(fields.get(WHY, ()))).split())
    if len(reason) < _SHORTEST_REASON:
        raise Incomplete({WHY: f"Give a reason that somebody else understands: {_SHORTEST_REASON} characters or more."})
    return reason[:_LONGEST_REASON]


def _person(fields: Mapping[str, tuple[str, ...]], organization: Organization) -> Person:
    for chosen in fields.get(WHOM, ()):
        if chosen in organization.people:
            return organization.people[chosen]
    raise Incomplete({WHOM: "Choose somebody from the list."})


def _until(fields: Mapping[str, tuple[str, ...]], longest_days: int, at: datetime) -> datetime:
    """The end of the last day, which counts whole, as in the matrix: midnight UTC."""
    try:
        day = date.fromisoformat("".join(fields.get(UNTIL, ())))
    except ValueError:
        raise Incomplete({UNTIL: "Choose the last day on which the risk is accepted."}) from None
    latest = at + timedelta(days=longest_days)
    if day < at.date():
        raise Incomplete({UNTIL: "That day is past."})
    if day > latest.date():
        raise Incomplete({UNTIL: f"A risk is accepted for {longest_days} days at most: until {latest:%Y-%m-%d}."})
    return min(datetime.combine(day + timedelta(days=1), time.min, tzinfo=UTC), latest)


def _second_person(finding: Finding, organization: Organization) -> str:
    return (
        f"The risk of a {finding.severity} finding is not for team {finding.attribution.owner.team} to accept alone. "
        f"What you send is a proposal: it waits for the word of {_approvers(organization)}."
    )


def _approvers(organization: Organization) -> str:
    return (
        " or ".join(person.name for person in acts.approvers(organization)) or "nobody (the matrix names no approver)"
    )


def _shown(finding: Finding) -> Iterator[Mapping[str, Any]]:
    """What it is about, as it is now: whoever agrees to something has it before their eyes."""
    resource = finding.resource
    lines = [claim_of(finding), f"{resource.type} {resource.identifier}, account {resource.account}, {resource.region}"]
    lines += [
        f"{drift.path} = {spoken(drift.actual)}; must be {spoken(drift.required)}"
        for drift in finding.drift[:_DRIFTS_SHOWN]
    ]
    if len(finding.drift) > _DRIFTS_SHOWN:
        lines.append(f"and {len(finding.drift) - _DRIFTS_SHOWN} more")
    yield _section("\n".join(shortened(clean(line), 400) for line in lines))


def _people(finding: Finding, organization: Organization) -> list[dict[str, Any]]:
    teams: dict[str, list[Person]] = {finding.attribution.owner.team: []}
    for person in organization.people.values():
        teams.setdefault(person.team, []).append(person)
    groups: list[dict[str, Any]] = []
    room = _PEOPLE
    for team, members in teams.items():
        shown = sorted(members, key=lambda person: person.name)[: min(_OPTIONS, room)]
        room -= len(shown)
        if shown and len(groups) < _GROUPS:
            name = organization.teams[team].name if team in organization.teams else team
            groups.append({"label": _plain(name, 75), "options": [_option(person.name, person.id) for person in shown]})
    return groups


def _view(finding: Finding, button: Button, *, title: str, submit: str, blocks: Sequence[Mapping[str, Any]]) -> View:
    return {
        "type": "modal",
        "callback_id": f"{PREFIX}{button}",
        "private_metadata": value_of(finding),
        "title": _plain(title, 24),
        "submit": _plain(submit, 24),
        "close": _plain("Cancel", 24),
        "blocks": list(blocks),
    }


def _why(label: str) -> dict[str, Any]:
    bounds = {"min_length": _SHORTEST_REASON, "max_length": _LONGEST_REASON}
    return _input(WHY, label, {"type": "plain_text_input", "multiline": True, **bounds})


def _input(name: str, label: str, element: Mapping[str, Any], *, optional: bool = False) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": name,
        "label": _plain(label, 2_000),
        "element": {"action_id": name, **element},
        "optional": optional,
    }


def _false_positive() -> dict[str, Any]:
    meant = "Covers only what is shown above; anything else opens it again."
    return {**_option("Yes, this is a false positive", _FALSE_POSITIVE), "description": _plain(meant, 75)}


def _option(text: str, value: str) -> dict[str, Any]:
    return {"text": _plain(text, 75), "value": value}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _plain(text, 3_000)}


def _plain(text: str, longest: int) -> dict[str, Any]:
    """Text without control characters but line breaks, cut as Slack counts it: in JavaScript's characters."""
    cleaned = "\n".join(clean(line) for line in text.split("\n"))
    room = longest if max(cleaned, default="") <= "\uffff" else longest // 2
    return {"type": "plain_text", "text": shortened(cleaned, room), "emoji": False}
