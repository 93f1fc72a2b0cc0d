"""Forms: what they ask, what they say beforehand, and what is made of what people write into them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.core import acts
from demarc.core.chat.slack_forms import FIRST, Incomplete, act_of, form_of, last_page, outcome_of, standing_of, whisper
from demarc.core.chat.slack_request import FORMS, Button, Caller, Press, Submission
from demarc.core.finding import fingerprint_of
from demarc.core.matrix import Acceptance, Organization, Person, Team
from demarc.core.model import AcceptedRisk, Finding, Origin, Severity, Status
from tests.factories import NOON, a_finding
from tests.organizations import organization

RISK = AcceptedRisk(
    "f1-2", "nobody can reach it", "Helena Novak", NOON + timedelta(days=30), "grc", "Jonas Weber", Origin.SLACK
)
STRICT = organization(acceptance=Acceptance(second_person=(Severity.HIGH,), approvers=("helena",), longest_days=90))
JONAS, AIKO, MARA, HELENA = (STRICT.people[each] for each in ("jonas", "aiko", "mara", "helena"))
REASON = "the bucket holds published pictures only"


def form(
    button: Button, by: Person = JONAS, finding: Finding | None = None, of: Organization = STRICT
) -> dict[str, Any]:
    return form_of(button, finding or a_finding(), by=by, organization=of, at=NOON)


def sent(button: Button, **fields: str | tuple[str, ...]) -> Submission:
    given_ = {name: value if isinstance(value, tuple) else (value,) for name, value in fields.items()}
    return Submission(Caller("U1"), button, "f1", 1, given_)


def done(asked: Press | Submission, by: Person, finding: Finding | None = None, of: Organization = STRICT) -> Finding:
    return act_of(asked, by=by, organization=of, at=NOON)(finding or a_finding())


def errors(asked: Submission) -> Mapping[str, str]:
    with pytest.raises(Incomplete) as incomplete:
        act_of(asked, by=JONAS, organization=STRICT, at=NOON)
    return incomplete.value.errors


def outcome(asked: Submission) -> tuple[set[str], Finding | None]:
    """The fields that are wrong, or what came of it."""
    try:
        return set(), done(asked, HELENA, a_finding(proposal=RISK))
    except Incomplete as incomplete:
        return set(incomplete.errors), None


def texts(value: Any) -> Iterator[str]:
    """Every text that is shown."""
    if isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for each in value.values():
            yield from texts(each)
    if isinstance(value, list | tuple):
        for each in value:
            yield from texts(each)


def inputs(view: Mapping[str, Any]) -> dict[str, Any]:
    return {block["block_id"]: block["element"] for block in view["blocks"] if block["type"] == "input"}


def excesses(view: Mapping[str, Any]) -> Iterator[str]:
    """What of a form is beyond a limit of Slack's."""
    if len(json.dumps(view)) > 250_000:
        yield "the form"
    if len(view["blocks"]) > 100 or len(view.get("private_metadata", "")) > 3_000:
        yield "the blocks or the metadata"
    yield from (name for name in ("title", "submit", "close") if name in view and len(view[name]["text"]) > 24)
    yield from (
        "a section" for block in view["blocks"] if block["type"] == "section" and not _is_told(block["text"], 3_000)
    )
    for element in inputs(view).values():
        groups = element.get("option_groups", ())
        if len(groups) > 100 or any(not 0 < len(group["options"]) <= 100 for group in groups):
            yield "a menu"
        for group in groups:
            yield from ("a label" for _ in [0] if not _is_told(group["label"], 75))
            yield from ("an option" for each in group["options"] if not _is_told(each["text"], 75))
            yield from ("a value" for each in group["options"] if not 0 < len(each["value"]) <= 150)


def _is_told(text: Mapping[str, Any], longest: int) -> bool:
    return text["type"] == "plain_text" and 0 < len(text["text"].encode("utf-16-le")) <= 2 * longest


def test_a_form_carries_the_finding_as_it_was_seen() -> None:
    view = form(Button.ACCEPT, finding=a_finding(revision=4))

    assert (view["callback_id"], view["private_metadata"]) == ("demarc:accept", "f1:4")


def test_a_form_says_what_it_is_about() -> None:
    shown = "\n".join(texts(form(Button.ACCEPT)))

    assert "Buckets are private" in shown
    assert "AWS::S3::Bucket photos, account 123456789012, eu-west-1" in shown
    assert "must be no public grant" in shown


def test_where_a_second_person_is_asked_for_the_form_says_so_beforehand() -> None:
    view = form(Button.ACCEPT)

    assert view["submit"]["text"] == "Propose"
    assert any("it waits for the word of Helena Novak" in text for text in texts(view))


def test_who_needs_no_second_person_hears_of_none() -> None:
    for by, of in ((HELENA, STRICT), (JONAS, organization())):
        view = form(Button.ACCEPT, by=by, of=of)

        assert view["submit"]["text"] == "Accept"
        assert not any("proposal" in text for text in texts(view))


def test_the_day_is_at_first_within_what_is_allowed() -> None:
    short = organization(acceptance=Acceptance(longest_days=7))

    assert inputs(form(Button.ACCEPT))["until"]["initial_date"] == "2026-01-31"
    assert inputs(form(Button.ACCEPT, of=short))["until"]["initial_date"] == "2026-01-08"


@pytest.mark.parametrize(
    ("button", "by", "finding"),
    [
        (Button.ACCEPT, MARA, a_finding()),
        (Button.ACCEPT, JONAS, a_finding(status=Status.RESOLVED)),
        (Button.ACCEPT, JONAS, a_finding(status=Status.ACCEPTED, exception=RISK)),
        (Button.DECLINE, HELENA, a_finding()),
        (Button.DECLINE, MARA, a_finding(proposal=RISK)),
        (Button.ASSIGN, JONAS, a_finding(status=Status.GONE)),
    ],
)
def test_a_form_that_could_only_be_refused_is_not_opened(button: Button, by: Person, finding: Finding) -> None:
    with pytest.raises(acts.Refused):
        form(button, by=by, finding=finding)


@pytest.mark.parametrize("finding", [a_finding(proposal=RISK), a_finding(status=Status.ACCEPTED, exception=RISK)])
def test_whoever_declines_reads_what(finding: Finding) -> None:
    assert any(
        "Jonas Weber: nobody can reach it (until 2026-01-31)" in text
        for text in texts(form(Button.DECLINE, HELENA, finding))
    )


def test_whom_to_assign_it_to_is_chosen_team_by_team_the_owners_first() -> None:
    groups = inputs(form(Button.ASSIGN))["whom"]["option_groups"]

    assert [group["label"]["text"] for group in groups] == ["Payments", "Platform", "Governance"]
    assert [option["value"] for option in groups[0]["options"]] == ["aiko", "jonas"]


def test_an_organization_of_any_size_fits_into_the_form() -> None:
    teams = {f"t{number}": Team(f"t{number}", "T" * 200, "t@example.com", "p0") for number in range(150)}
    people = {
        f"p{number}": Person(f"p{number}", "P" * 200, "p@example.com", f"t{number % 120}") for number in range(30_000)
    }

    view = form(Button.ASSIGN, of=organization(teams=teams, people=people))

    assert list(excesses(view)) == []


@given(title=st.text(min_size=1), identifier=st.text(min_size=1), actual=st.text(), because=st.text())
def test_whatever_a_resource_is_called_the_form_is_one_that_slack_takes(
    title: str, identifier: str, actual: str, because: str
) -> None:
    finding = a_finding()
    drift = replace(finding.drift[0], path=identifier * 50, actual=actual * 200)
    finding = replace(
        finding, title=title, drift=(drift,) * 30, resource=replace(finding.resource, identifier=identifier * 30)
    )
    proposed = replace(finding, proposal=replace(RISK, reason=f"{because} " * 400))

    for view in (
        form(Button.ACCEPT, finding=finding),
        form(Button.ASSIGN, finding=finding),
        form(Button.DECLINE, finding=proposed),
    ):
        assert list(excesses(view)) == []
    assert list(excesses(last_page(because * 5_000 or "."))) == []


def test_foreign_text_is_never_markup() -> None:
    finding = a_finding(title="<!channel> *everybody*")

    sections = [block["text"] for block in form(Button.ACCEPT, finding=finding)["blocks"] if block["type"] == "section"]

    assert {section["type"] for section in sections} == {"plain_text"}
    assert whisper("<!channel> & co")["text"] == "&lt;!channel&gt; &amp; co"
    assert whisper("<!channel>")["blocks"][0]["text"]["type"] == "plain_text"


def test_a_name_cannot_forge_a_line_of_the_form() -> None:
    finding = a_finding()
    finding = replace(finding, resource=replace(finding.resource, identifier="x\nIt is resolved."))
    proposed = replace(finding, proposal=replace(RISK, reason="x\nHelena Novak: approved"))

    for view in (form(Button.ACCEPT, finding=finding), form(Button.DECLINE, HELENA, proposed)):
        lines = [line for text in texts(view) for line in text.splitlines()]
        assert not any(line.startswith(("It is resolved", "Helena Novak: approved")) for line in lines)


def test_an_owner_alone_only_proposes() -> None:
    proposed = done(sent(Button.ACCEPT, why=REASON, until="2026-02-01"), JONAS)

    assert proposed.status is Status.OPEN
    assert proposed.proposal is not None
    assert proposed.proposal.reason == REASON
    assert proposed.audience == ("payments", "grc")


def test_a_risk_is_accepted_to_the_end_of_the_day() -> None:
    accepted = done(sent(Button.ACCEPT, why=REASON, until="2026-02-01"), HELENA)

    assert accepted.status is Status.ACCEPTED
    assert accepted.exception is not None
    assert accepted.exception.expires == datetime(2026, 2, 2, tzinfo=UTC)
    assert accepted.exception.origin is Origin.SLACK
    assert not accepted.exception.false_positive


def test_a_false_positive_covers_what_was_seen() -> None:
    ticked = sent(Button.ACCEPT, why=REASON, until="2026-02-01", verdict="false-positive")

    accepted = done(ticked, HELENA)

    assert accepted.exception is not None
    assert accepted.exception.drift == fingerprint_of(a_finding().drift)


def test_the_last_day_that_is_offered_is_one_that_is_taken() -> None:
    accepted = done(sent(Button.ACCEPT, why=REASON, until="2026-04-01"), HELENA)

    assert accepted.exception is not None
    assert accepted.exception.expires == NOON + timedelta(days=90)


@pytest.mark.parametrize(
    ("until", "said"),
    [
        ("2025-12-31", "past"),
        ("2026-04-02", "until 2026-04-01"),
        ("9999-12-31", "until 2026-04-01"),
        ("0001-01-01", "past"),
        ("", "Choose"),
        ("tomorrow", "Choose"),
    ],
)
def test_a_day_that_cannot_be_is_said_beside_the_day(until: str, said: str) -> None:
    found = errors(sent(Button.ACCEPT, why=REASON, until=until))

    assert found.keys() == {"until"}
    assert said in found["until"]


@pytest.mark.parametrize("why", ["", "   ok    ", "\n" * 40, "\u200b" * 40])
def test_a_reason_that_is_none_is_said_beside_the_reason(why: str) -> None:
    assert errors(sent(Button.ACCEPT, why=why, until="2026-02-01")).keys() == {"why"}
    assert errors(sent(Button.DECLINE, why=why)).keys() == {"why"}


def test_everything_that_is_wrong_is_said_at_once() -> None:
    assert errors(sent(Button.ACCEPT)).keys() == {"why", "until"}


@pytest.mark.parametrize("whom", ["", "nobody", "Jonas Weber"])
def test_it_is_assigned_only_to_people_of_the_matrix(whom: str) -> None:
    assert errors(sent(Button.ASSIGN, whom=whom)).keys() == {"whom"}


def test_a_reason_is_kept_on_one_line_without_control_characters() -> None:
    proposed = done(sent(Button.ACCEPT, why="because\nof\x1b[31m \ud800 reasons", until="2026-02-01"), JONAS)

    assert proposed.proposal is not None
    assert proposed.proposal.reason == "because of [31m reasons"


@given(fields=st.dictionaries(st.sampled_from(["why", "until", "verdict", "whom"]), st.lists(st.text()).map(tuple)))
def test_whatever_a_form_says_it_is_done_or_told_what_is_wrong(fields: dict[str, tuple[str, ...]]) -> None:
    for button in FORMS:
        wrong, after = outcome(Submission(Caller("U1"), button, "f1", 1, fields))
        assert wrong <= {"why", "until", "whom"}
        assert bool(wrong) != bool(after)


def test_every_form_has_a_field_to_be_refused_at() -> None:
    views = (form(Button.ACCEPT), form(Button.ASSIGN), form(Button.DECLINE, HELENA, a_finding(proposal=RISK)))

    assert FIRST.keys() == set(FORMS)
    for view in views:
        assert FIRST[Button(view["callback_id"].removeprefix("demarc:"))] in inputs(view)


@pytest.mark.parametrize(
    ("finding", "said"),
    [
        (a_finding(), "It is open, and due Sunday 04 January 2026, 12:00 UTC."),
        (
            a_finding(status=Status.ACKNOWLEDGED, acknowledged_by="Aiko Tanaka"),
            "It is acknowledged by Aiko Tanaka, and due Sunday 04 January 2026, 12:00 UTC.",
        ),
        (
            a_finding(status=Status.ACCEPTED, exception=RISK),
            "It is accepted until 31 January 2026, 12:00 UTC, by Helena Novak.",
        ),
        (a_finding(status=Status.RESOLVED), "It is resolved: seen right on 01 January 2026, 12:00 UTC."),
        (a_finding(status=Status.GONE), "The resource is gone since 01 January 2026, 12:00 UTC."),
    ],
)
def test_where_a_finding_stands_is_said_in_a_sentence(finding: Finding, said: str) -> None:
    assert standing_of(finding) == said


@pytest.mark.parametrize(
    ("asked", "by", "said"),
    [
        (sent(Button.ACCEPT, why=REASON, until="2026-02-01"), JONAS, "waits for the word of Helena Novak"),
        (sent(Button.ACCEPT, why=REASON, until="2026-02-01"), HELENA, "accepted until 02 February 2026"),
        (sent(Button.ASSIGN, whom="mara"), JONAS, "assigned to Mara Lindqvist"),
        (Press(Caller("U1"), Button.ACKNOWLEDGE, "f1", 1, "t", "u"), AIKO, "acknowledged by Aiko Tanaka"),
    ],
)
def test_what_came_of_it_is_said_to_whoever_did_it(asked: Press | Submission, by: Person, said: str) -> None:
    assert said in outcome_of(done(asked, by), STRICT)
