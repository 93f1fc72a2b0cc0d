"""A finding as it is told: what an owner who was just paged needs, and nothing that an attacker put there."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from demarc.core.announcement import announcement_of, body_schema, findings_in, groups_of, spoken
from demarc.core.model import (
    Act,
    Actor,
    ActorKind,
    Drift,
    Finding,
    Origin,
    Relation,
    Severity,
    Status,
    Transition,
    Was,
)
from demarc.core.wire import WireError
from tests.factories import BUCKET, NOON, a_cause, a_finding

EVERYTHING = [
    "OPEN (high). Broken: Buckets are private",
    "Jonas Weber, team payments: the tag owner names the team",
    "data of paas is ours. AWS stores it; who may read it is ours.",
    "Must be   no public grant",
    "everybody may read it",
    "jonas@example.com (human, of your team) called s3:PutBucketPolicy through console",
    "Sunday 04 January 2026, 12:00 UTC",
    "aws s3api delete-bucket-policy --bucket photos",
    "nist-800-53-r5: AC-3",
    "finding f1, revision 1",
]


@pytest.mark.parametrize("fact", EVERYTHING)
def test_the_text_says_what_an_owner_needs(fact: str) -> None:
    flowing = " ".join(announcement_of([a_finding()]).text.split())

    assert " ".join(fact.split()) in flowing


@pytest.mark.parametrize(("set_it", "label"), [(True, "Set by"), (False, "Seen when")])
def test_nobody_is_blamed_for_what_they_only_touched(set_it: bool, label: str) -> None:
    assert f"\n{label}" in announcement_of([a_finding(cause=a_cause(set_it=set_it))]).text


def test_a_resolved_finding_says_who_mended_it_and_asks_for_nothing() -> None:
    mended = a_finding(
        status=Status.RESOLVED,
        drift=(),
        resolved_at=NOON,
        resolved_by=a_cause(actor=Actor(ActorKind.PIPELINE, "repo:shop"), relation=Relation.PIPELINE),
    )

    text = announcement_of([mended]).text

    assert text.startswith("RESOLVED (high)")
    assert "Mended by repo:shop (a pipeline)" in text
    assert "By when" not in text


def test_subscriptions_may_filter_by_who_is_to_hear_and_by_what_it_is() -> None:
    assert announcement_of([a_finding()]).attributes == {
        "audience": ("payments",),
        "team": "payments",
        "severity": "high",
        "status": "OPEN",
        "party": "customer",
        "layer": "data",
        "account": "123456789012",
        "environment": "production",
    }


def test_the_body_names_its_schema_and_what_makes_it_a_duplicate() -> None:
    body = announcement_of([a_finding(revision=4)]).body

    (told,) = body["findings"]
    assert (body["schema"], told["id"], told["revision"]) == ("demarc.findings/1", "f1", 4)


def test_the_body_says_nothing_of_how_far_it_was_told() -> None:
    assert announcement_of([a_finding()]).body == announcement_of([a_finding(announced=1)]).body


@given(st.text(), st.text())
def test_no_name_can_forge_a_subject_or_a_line(identifier: str, person: str) -> None:
    resource = replace(BUCKET, identifier=identifier)
    cause = a_cause(actor=Actor(ActorKind.HUMAN, person))

    told = announcement_of([a_finding(resource=resource, cause=cause)])

    assert told.subject.isascii()
    assert told.subject.isprintable()
    assert 0 < len(told.subject) < 100
    assert len(told.text.splitlines()) == told.text.count("\n") + 1
    assert all(character.isprintable() or character == "\n" for character in told.text)


@pytest.mark.parametrize("size", [1, 400])
def test_however_much_drifted_the_message_fits_sns(size: int) -> None:
    drift = tuple(Drift(f"Rules[{number}]", "x" * 5_000, ["y" * 5_000], "z" * 5_000) for number in range(size))

    told = announcement_of([a_finding(drift=drift)])

    message = json.dumps({"default": json.dumps(told.body), "email": told.text})
    assert len(message.encode()) < 200_000
    (facts,) = told.body["findings"]
    assert len(facts["drift"]) + facts["drift_omitted"] == size


SPOKEN: list[tuple[Any, str]] = [
    ({"at_least": 14}, "at least 14"),
    ({"at_least": 1, "at_most": 90}, "at least 1 and at most 90"),
    ({"one_of": ["a", "b"]}, "one of a, b"),
    ({"present": True}, "present"),
    ({"absent": True}, "absent"),
    (None, "not set"),
    (True, "true"),
    ("Enabled", "Enabled"),
    ({"a": 1}, '{"a": 1}'),
]


@pytest.mark.parametrize(("value", "said"), SPOKEN)
def test_values_are_said_in_words(value: Any, said: str) -> None:
    assert spoken(value) == said


@pytest.mark.parametrize("status", list(Status))
def test_every_status_can_be_told(status: Status) -> None:
    finding: Finding = a_finding(status=status, resolved_at=NOON)

    assert announcement_of([finding]).attributes["status"] == status.value


SCHEMA = Draft202012Validator(body_schema())


@pytest.mark.parametrize(
    "finding",
    [
        a_finding(),
        a_finding(cause=None, security_hub=()),
        a_finding(status=Status.RESOLVED, drift=(), resolved_at=NOON, resolved_by=a_cause()),
        a_finding(drift=tuple(Drift(f"Rules[{number}]", True, None) for number in range(30))),
    ],
)
def test_every_body_is_as_its_schema_says(finding: Finding) -> None:
    assert [error.message for error in SCHEMA.iter_errors(announcement_of([finding]).body)] == []


def test_the_schema_refuses_what_it_does_not_describe() -> None:
    assert not SCHEMA.is_valid({**announcement_of([a_finding()]).body, "surprise": 1})


# --- several at once, and what was said -------------------------------------------------------------------------------

WORSE = a_finding(id="f2", severity=Severity.CRITICAL, title="Buckets are encrypted")


def test_findings_of_one_audience_are_told_together_the_worst_first() -> None:
    (group,) = groups_of([a_finding(), WORSE])
    told = announcement_of(group)

    assert told.subject == "[CRITICAL] Broken: Buckets are encrypted: photos (and 1 more)"
    assert [facts["id"] for facts in told.body["findings"]] == ["f2", "f1"]
    assert told.attributes["severity"] == ("critical", "high")
    assert told.text.index("Buckets are encrypted") < told.text.index("Buckets are private")


def test_findings_of_different_audiences_are_told_apart() -> None:
    groups = groups_of([a_finding(audience=("payments",)), a_finding(id="f2", audience=("platform", "payments"))])

    assert [[finding.id for finding in group] for group in groups] == [["f1"], ["f2"]]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 30), st.integers(1, 25))
def test_however_many_findings_there_are_each_is_told_once_and_each_message_fits(many: int, drifts: int) -> None:
    drift = tuple(Drift(f"Rules[{number}]", "x" * 900, "y" * 900, "z" * 900) for number in range(drifts))
    groups = groups_of(a_finding(id=f"f{number}", drift=drift) for number in range(many))

    for group in groups:
        told = announcement_of(group)
        message = json.dumps({"default": json.dumps(told.body), "email": told.text})
        assert len(message.encode()) < 250_000
    assert sorted(finding.id for group in groups for finding in group) == sorted(f"f{number}" for number in range(many))


def test_a_body_reads_back_as_the_findings_it_tells() -> None:
    body = json.loads(json.dumps(announcement_of([a_finding()]).body))

    assert findings_in(body) == (a_finding(audience=("payments",)),)


@pytest.mark.parametrize("body", [{}, {"schema": "demarc.findings/1"}, {"schema": "demarc.digest/1", "findings": []}])
def test_what_is_no_such_body_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        findings_in(body)


def test_a_drift_says_what_was_is_and_must_be() -> None:
    drift = Drift("VersioningConfiguration.Status", "Enabled", "Suspended", was=Was("Enabled", NOON))

    lines = announcement_of([a_finding(drift=(drift,))]).text.splitlines()

    at = lines.index("Was       Enabled on 01 January 2026, 12:00 UTC")
    assert lines[at + 1 : at + 3] == ["Is        VersioningConfiguration.Status = Suspended", "Must be   Enabled"]


SAID: list[tuple[Transition, str, str]] = [
    (Transition(Act.REMIND, Origin.SCHEDULE, "Demarc", NOON, was=Status.OPEN, to="Jonas Weber"), "REMINDER", "Jonas"),
    (Transition(Act.ESCALATE, Origin.SCHEDULE, "Demarc", NOON, was=Status.OPEN, to="Mara"), "OVERDUE", "Mara"),
    (Transition(Act.PROPOSE, Origin.SLACK, "Aiko", NOON, was=Status.OPEN, reason="known"), "APPROVAL ASKED", "known"),
    (Transition(Act.MOVE, Origin.SWEEP, "Demarc", NOON, was=Status.OPEN), "YOURS NOW", "sweep"),
    (Transition(Act.BROKEN, Origin.CHANGE, "Sam", NOON, was=Status.RESOLVED), "REOPENED", ""),
]


@pytest.mark.parametrize(("transition", "headline", "news"), SAID)
def test_what_is_new_comes_first(transition: Transition, headline: str, news: str) -> None:
    told = announcement_of([a_finding(transition=transition)])

    assert told.text.startswith(f"{headline} (high)")
    assert told.subject.startswith(f"[{headline}]")
    assert news in told.text
