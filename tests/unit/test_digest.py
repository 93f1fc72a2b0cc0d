"""What a team or governance is told now and then: counts that are right, the worst first, never too long to send."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from demarc.core.announcement import Announcement
from demarc.core.digest import (
    Digest,
    DigestKind,
    announcement_of_digest,
    digest_in,
    digest_of,
    digest_schema,
    summary_of,
)
from demarc.core.model import AcceptedRisk, Finding, Severity, Status
from demarc.core.wire import WireError
from tests.factories import BUCKET, NOON, OWNER, a_finding
from tests.lives import lives
from tests.organizations import organization

NOW = NOON + timedelta(days=4)
WEEK = NOW - timedelta(days=7)
ORGANIZATION = organization()
SCHEMA = Draft202012Validator(digest_schema())

RISK = AcceptedRisk("RISK-1", "it is the log bucket", "Helena Novak", NOW + timedelta(days=20))
PROPOSAL = AcceptedRisk("f1-2", "closes in May", "", NOW + timedelta(days=60), requested_by="Jonas Weber")
UNOWNED = replace(a_finding().attribution, owner=replace(OWNER, team="grc", attribution_gap=True))


def of(findings: Sequence[Finding], team: str | None = "payments", **changed: Any) -> Digest:
    kind = DigestKind.GOVERNANCE if team is None else DigestKind.WEEKLY
    facts: dict[str, Any] = {"kind": kind, "organization": ORGANIZATION, "since": WEEK, "now": NOW, "team": team}
    return digest_of(findings, **(facts | changed))


def told(findings: Sequence[Finding], team: str | None = "payments", **changed: Any) -> Announcement:
    return announcement_of_digest(of(findings, team, **changed))


def many(number: int, **changed: Any) -> list[Finding]:
    return [a_finding(id=f"f{each:04d}", **changed) for each in range(number)]


def test_every_finding_is_counted_for_what_it_is() -> None:
    counts = of(
        [
            a_finding(id="overdue"),
            a_finding(id="critical", severity=Severity.CRITICAL, due_at=NOW + timedelta(days=1), proposal=PROPOSAL),
            a_finding(id="known", status=Status.ACKNOWLEDGED, opened_at=WEEK - timedelta(days=1), due_at=NOW),
            a_finding(id="back", reopened=1, due_at=NOW),
            a_finding(id="accepted", status=Status.ACCEPTED, exception=RISK),
            a_finding(id="mended", status=Status.RESOLVED, resolved_at=NOON, drift=()),
            a_finding(id="deleted", status=Status.GONE, resolved_at=NOON),
            a_finding(id="mended-long-ago", status=Status.RESOLVED, resolved_at=WEEK, drift=()),
        ]
    ).counts

    assert counts.open == {Severity.CRITICAL: 1, Severity.HIGH: 3}
    assert (counts.to_do, counts.acknowledged, counts.overdue, counts.proposals) == (4, 1, 1, 1)
    assert (counts.accepted, counts.acceptances, counts.expiring) == (1, 1, 1)
    assert (counts.new, counts.reopened, counts.resolved) == (3, 1, 2)


def test_a_team_hears_of_its_own_findings_only() -> None:
    digest = of([a_finding(id="ours"), a_finding(id="theirs", team="platform")])

    assert digest.counts.to_do == 1
    assert [entry.finding for entry in digest.findings] == ["ours"]


def test_the_worst_is_first_and_of_the_same_the_soonest_due() -> None:
    digest = of(
        [
            a_finding(id="low", severity=Severity.LOW),
            a_finding(id="later", due_at=NOW),
            a_finding(id="sooner"),
            a_finding(id="critical", severity=Severity.CRITICAL, due_at=NOW),
        ]
    )

    assert [entry.finding for entry in digest.findings] == ["critical", "sooner", "later", "low"]


def test_what_a_digest_has_no_line_for_is_counted() -> None:
    text = told(many(13)).text

    assert "To do     13: 13 high" in text
    assert "\nand 3 more\n" in text


def test_an_exception_that_covers_many_findings_is_told_once() -> None:
    digest = of(many(5, status=Status.ACCEPTED, exception=RISK))

    assert [(expiry.id, expiry.findings) for expiry in digest.acceptances] == [("RISK-1", 5)]
    assert (digest.counts.accepted, digest.counts.acceptances) == (5, 1)


def test_the_next_acceptance_to_end_is_first_and_only_the_near_ones_are_soon() -> None:
    far = replace(RISK, id="RISK-0", expires=NOW + timedelta(days=31))
    digest = of(
        [
            a_finding(id="far", status=Status.ACCEPTED, exception=far),
            a_finding(id="near", status=Status.ACCEPTED, exception=RISK),
        ]
    )

    assert [expiry.id for expiry in digest.acceptances] == ["RISK-1", "RISK-0"]
    assert digest.counts.expiring == 1


def test_a_proposal_says_who_asks_and_until_when() -> None:
    flowing = " ".join(told([a_finding(proposal=PROPOSAL)]).text.split())

    assert "Waiting for a second person:" in flowing
    assert "Jonas Weber proposes to accept it until 06 March 2026, 12:00 UTC" in flowing


def test_a_finding_is_seen_to_by_whom_it_is_assigned() -> None:
    assert of([a_finding(assignee="Aiko Tanaka")]).findings[0].person == "Aiko Tanaka"


GOVERNED = [
    a_finding(id="overdue", team="platform"),
    a_finding(id="soon", due_at=NOW),
    a_finding(id="nobody", due_at=NOW, attribution=UNOWNED),
    a_finding(id="blind", due_at=NOW, control="demarc-reads-what-it-judges", title="Demarc may read what it judges"),
    a_finding(id="accepted", status=Status.ACCEPTED, exception=RISK),
]


def test_governance_reads_every_team_the_most_overdue_first() -> None:
    teams = of(GOVERNED, team=None).teams

    assert [(each.team, each.counts.overdue, each.counts.to_do) for each in teams] == [
        ("platform", 1, 1),
        ("payments", 0, 2),
        ("grc", 0, 1),
    ]


def test_governance_reads_a_team_that_has_nothing_and_one_that_left_the_matrix() -> None:
    teams = {each.team: each.counts.to_do for each in of([a_finding(team="dissolved")], team=None).teams}

    assert teams == {"payments": 0, "platform": 0, "grc": 0, "dissolved": 1}


def test_governance_reads_what_nobody_owns_and_what_could_not_be_looked_at() -> None:
    digest = of(GOVERNED, team=None)

    assert [entry.finding for entry in digest.attribution_gaps] == ["nobody"]
    assert [entry.finding for entry in digest.blind_spots] == ["blind"]
    assert (digest.team, digest.name) == ("grc", "Example")


def test_teams_add_up_to_all() -> None:
    digest = of(GOVERNED, team=None)

    assert sum(each.counts.to_do for each in digest.teams) == digest.counts.to_do
    assert sum(each.counts.accepted for each in digest.teams) == digest.counts.accepted


GOVERNANCE_TEXT = """\
GOVERNANCE DIGEST. Example: 4 to do, 1 overdue, 1 without an owner
29 December 2025, 12:00 UTC to 05 January 2026, 12:00 UTC

To do     4: 4 high
Overdue   1
Since     5 new, 0 reopened, 0 resolved or gone
Accepted  1, by 1 acceptance, the next to end 25 January 2026, 12:00 UTC; 1
          within 30 days
Gaps      1 without an owner in the matrix, 1 about what could not be looked
          at

Team                             to do   overdue  accepted       new  resolved
Platform                             1         1         0         1         0
Payments                             2         0         1         3         0
Governance                           1         0         0         1         0

To do, the worst first:
"""


def test_governance_reads_a_page() -> None:
    assert told(GOVERNED, team=None).text.startswith(GOVERNANCE_TEXT)


def test_what_a_team_could_not_be_looked_at_is_among_what_it_has_to_do() -> None:
    text = told([each for each in GOVERNED if each.id == "blind"]).text

    assert "Demarc may read what it judges" in text
    assert "Could not be looked at" not in text


def test_a_baseline_says_that_it_is_told_once() -> None:
    announcement = told([a_finding()], kind=DigestKind.BASELINE)

    assert announcement.subject == "[FIRST LOOK] Payments: 1 to do, 1 overdue"
    assert "What was there before is told once, here" in announcement.text
    assert "\nSince" not in announcement.text


def test_that_there_is_nothing_is_told_too() -> None:
    announcement = told([])

    assert announcement.subject == "[WEEKLY DIGEST] Payments: nothing to do"
    assert of([]).is_empty


@pytest.mark.parametrize(
    "finding",
    [
        a_finding(opened_at=WEEK),
        a_finding(status=Status.ACCEPTED, exception=RISK),
        a_finding(status=Status.RESOLVED, resolved_at=NOON),
    ],
)
def test_a_digest_of_anything_is_not_empty(finding: Finding) -> None:
    assert not of([finding]).is_empty


def test_a_team_subscribes_to_its_digests_by_attributes() -> None:
    assert told([]).attributes == {
        "kind": "digest",
        "digest": "weekly",
        "team": "payments",
        "audience": ("payments",),
    }


def test_the_digest_of_a_day_is_the_same_digest_when_it_is_sent_again() -> None:
    assert of([]).id == of([], now=NOW + timedelta(hours=1)).id == "weekly-payments-2026-01-05"
    assert of([], id="of-the-first-week").id == "of-the-first-week"


DIGESTS = [of([]), of(GOVERNED), of(GOVERNED, team=None), of(many(30, proposal=PROPOSAL), kind=DigestKind.BASELINE)]


@pytest.mark.parametrize("digest", DIGESTS)
def test_every_body_is_as_its_schema_says(digest: Digest) -> None:
    body = json.loads(json.dumps(announcement_of_digest(digest).body))

    assert [error.message for error in SCHEMA.iter_errors(body)] == []
    assert not SCHEMA.is_valid({**body, "surprise": 1})


@pytest.mark.parametrize("digest", DIGESTS)
def test_a_body_is_read_back_as_the_digest(digest: Digest) -> None:
    assert digest_in(json.loads(json.dumps(announcement_of_digest(digest).body))) == digest


@pytest.mark.parametrize("body", [{}, {"schema": "demarc.findings/1"}, {"schema": "demarc.digest/1"}])
def test_another_body_is_no_digest(body: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        digest_in(body)


@given(st.lists(lives.map(lambda history: history[-1]), max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_findings_does_not_matter(findings: list[Finding], random: Any) -> None:
    distinct = [replace(finding, id=f"f{number}") for number, finding in enumerate(findings)]
    shuffled = random.sample(distinct, len(distinct))

    assert of(shuffled, team=None) == of(distinct, team=None)


@given(st.text(), st.text(), st.text())
def test_no_name_can_forge_a_subject_or_a_line(identifier: str, person: str, reason: str) -> None:
    risk = replace(RISK, reason=reason, approver=person)
    findings = [
        a_finding(resource=replace(BUCKET, identifier=identifier), assignee=person, proposal=replace(risk)),
        a_finding(id="f2", status=Status.ACCEPTED, exception=risk),
    ]

    announcement = told(findings, team=None)

    assert announcement.subject.isascii()
    assert announcement.subject.isprintable()
    assert 0 < len(announcement.subject) < 100
    assert all(line.isprintable() for line in announcement.text.split("\n"))
    assert all(len(line) <= 78 for line in announcement.text.split("\n"))


def as_published(announcement: Announcement) -> int:
    return len(json.dumps({"default": json.dumps(announcement.body), "email": announcement.text}).encode())


def test_however_much_there_is_the_message_fits_sns_and_every_count_is_told() -> None:
    team = ORGANIZATION.teams["payments"]
    crowd = {f"team-{number}": replace(team, id=f"team-{number}", name="ü" * 5_000) for number in range(2_000)}
    hostile = "\u2028😀" * 5_000
    findings = [
        a_finding(
            id=f"f{number}",
            title=hostile,
            resource=replace(BUCKET, identifier=hostile, account=hostile, region=hostile, type=hostile),
            team=f"team-{number % 2_000}",
            proposal=replace(PROPOSAL, requested_by=hostile),
        )
        for number in range(4_000)
    ]

    announcement = told(findings, team=None, organization=organization(teams={**ORGANIZATION.teams, **crowd}))
    digest = digest_in(announcement.body)

    assert as_published(announcement) < 256 * 1024
    assert digest.counts.to_do == digest.counts.proposals == 4_000
    assert len(digest.teams) + digest.teams_omitted == 2_003


def test_a_digest_that_fits_keeps_its_lines() -> None:
    assert len(digest_in(told(many(30)).body).findings) == 10


@pytest.mark.parametrize(
    ("findings", "team", "said"),
    [
        ([], "payments", "nothing to do"),
        ([a_finding(proposal=PROPOSAL)], "payments", "1 to do, 1 overdue, 1 waiting for a second person"),
        ([a_finding(attribution=UNOWNED, due_at=NOW)], None, "1 to do, 1 without an owner"),
    ],
)
def test_a_digest_can_be_said_in_one_line(findings: list[Finding], team: str | None, said: str) -> None:
    assert summary_of(of(findings, team)) == said
