"""A finding from opened to resolved: what is worth telling, and whose doing it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from demarc.core.acts import acknowledge
from demarc.core.attribution import attribute
from demarc.core.finding import decide, gone, guidance_for
from demarc.core.model import (
    AcceptedRisk,
    Act,
    Actor,
    ActorKind,
    Change,
    Compliance,
    Confidence,
    Control,
    Drift,
    Evaluation,
    Finding,
    Layer,
    Occasion,
    Origin,
    Relation,
    Resource,
    Severity,
    Status,
    Touched,
    Transition,
    Via,
    Was,
    finding_id,
)
from demarc.core.snapshot import Snapshot
from tests.organizations import OWNED, matrix_of, organization

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BUCKET = Resource("AWS::S3::Bucket", "photos", OWNED, "eu-west-1", "arn:aws:s3:::photos")
CONTROL = Control(
    id="bucket-is-versioned",
    title="Buckets are versioned",
    severity=Severity.HIGH,
    layer=Layer.DATA,
    resource_type="AWS::S3::Bucket",
    guidance="aws s3api put-bucket-versioning --bucket {identifier}",
    references={"nist-800-53-r5": ("CP-9",)},
    needs=("VersioningConfiguration",),
)
OFF = Drift("VersioningConfiguration.Status", "Enabled", "Suspended")
SUSPENDED = {"VersioningConfiguration": {"Status": "Suspended"}}
BROKEN = Evaluation(CONTROL, Compliance.NON_COMPLIANT, (OFF,))
FINE = Evaluation(CONTROL, Compliance.COMPLIANT)
RISK = AcceptedRisk("RISK-1", "known", "Helena Novak", NOON + timedelta(days=30))


def change(name: str, *sets: str, who: str = "jonas@example.com", at: datetime = NOON) -> Change:
    return Change(
        event_id=f"{name}-{at.isoformat()}",
        event_source="s3.amazonaws.com",
        event_name=name,
        time=at,
        account=OWNED,
        region="eu-west-1",
        actor=Actor(ActorKind.HUMAN, who),
        via=Via.CONSOLE,
        via_confidence=Confidence.HIGH,
        touched=(Touched(BUCKET, sets),),
    )


def decided(
    previous: Finding | None,
    evaluation: Evaluation,
    *changes: Change,
    at: datetime = NOON,
    exception: AcceptedRisk | None = None,
    resource: Resource = BUCKET,
    before: Snapshot | None = None,
    team: str = "",
    occasion: Occasion = Occasion(),
) -> Finding | None:
    tags = [{"Key": "owner", "Value": team}]
    seen = Snapshot(resource, at, {**SUSPENDED, "Tags": tags}, read=frozenset({"Tags", "VersioningConfiguration"}))
    return decide(
        previous,
        evaluation,
        snapshot=seen,
        before=before,
        attribution=attribute(evaluation.control, seen, matrix_of()),
        exception=exception,
        changes=changes,
        organization=organization(),
        matrix_version="test",
        occasion=occasion,
    )


def opened(*changes: Change) -> Finding:
    finding = decided(None, BROKEN, *changes)
    assert finding is not None
    return finding


def test_a_control_that_does_not_hold_opens_a_finding_with_owner_and_deadline() -> None:
    finding = opened()

    assert (finding.status, finding.revision, finding.announced) == (Status.OPEN, 1, 0)
    assert finding.attribution.owner.team == "platform"
    assert finding.due_at == NOON + timedelta(hours=72)


@pytest.mark.parametrize("compliance", [Compliance.COMPLIANT, Compliance.NOT_APPLICABLE, Compliance.INSUFFICIENT_DATA])
def test_anything_else_opens_nothing(compliance: Compliance) -> None:
    assert decided(None, Evaluation(CONTROL, compliance)) is None


def test_the_same_again_is_not_worth_telling() -> None:
    assert decided(opened(), BROKEN, at=NOON + timedelta(hours=1)) is None


def test_a_new_drift_is_a_new_revision_under_the_same_deadline() -> None:
    worse = replace(BROKEN, drift=(OFF, Drift("VersioningConfiguration.Mfa", True, None)))

    finding = decided(opened(), worse, at=NOON + timedelta(hours=1))

    assert finding is not None
    assert (finding.revision, finding.opened_at, finding.due_at) == (2, NOON, NOON + timedelta(hours=72))


def test_what_is_right_again_resolves_and_says_with_which_change() -> None:
    fix = change("PutBucketVersioning", "VersioningConfiguration", who="aiko@example.com")

    finding = decided(opened(change("PutBucketVersioning", "VersioningConfiguration")), FINE, fix)

    assert finding is not None
    assert (finding.status, finding.revision, finding.resolved_at) == (Status.RESOLVED, 2, NOON)
    assert finding.cause is not None
    assert finding.cause.actor.name == "jonas@example.com"
    assert finding.resolved_by is not None
    assert finding.resolved_by.actor.name == "aiko@example.com"


def test_no_verdict_changes_nothing() -> None:
    assert decided(opened(), Evaluation(CONTROL, Compliance.INSUFFICIENT_DATA)) is None


def test_a_resolved_finding_stays_resolved_without_another_word() -> None:
    resolved = decided(opened(), FINE)

    assert resolved is not None
    assert decided(resolved, FINE) is None


def test_a_reopened_finding_keeps_its_id_and_counts() -> None:
    resolved = decided(opened(), FINE)
    later = NOON + timedelta(days=2)

    again = decided(resolved, BROKEN, at=later)

    assert again is not None
    assert (again.id, again.status, again.revision, again.reopened) == (opened().id, Status.OPEN, 3, 1)
    assert (again.opened_at, again.resolved_at) == (later, None)


def test_an_accepted_risk_is_recorded_and_not_open() -> None:
    finding = decided(None, BROKEN, exception=RISK)

    assert finding is not None
    assert (finding.status, finding.exception) == (Status.ACCEPTED, RISK)


def test_an_accepted_risk_that_expired_opens_again() -> None:
    accepted = decided(None, BROKEN, exception=RISK)

    finding = decided(accepted, BROKEN, at=RISK.expires)

    assert finding is not None
    assert (finding.status, finding.revision) == (Status.OPEN, 2)


def test_a_resource_that_is_gone_ends_its_findings_but_not_those_that_ended() -> None:
    closed = gone(opened(), changes=[change("DeleteBucket", "*")], organization=organization(), observed_at=NOON)

    assert closed is not None
    assert (closed.status, closed.revision) == (Status.GONE, 2)
    assert gone(closed, changes=[], organization=organization(), observed_at=NOON) is None


def test_a_change_that_writes_what_drifted_set_it() -> None:
    cause = opened(change("PutBucketVersioning", "VersioningConfiguration")).cause

    assert cause is not None
    assert (cause.set_it, cause.relation) == (True, Relation.OTHER_TEAM)


def test_a_change_that_writes_something_else_only_noticed_it() -> None:
    cause = opened(change("PutBucketTagging", "Tags")).cause

    assert cause is not None
    assert cause.set_it is False


def test_among_several_changes_the_latest_that_writes_what_drifted_is_shown() -> None:
    culprit = change("PutBucketVersioning", "VersioningConfiguration")
    tagger = change("PutBucketTagging", "Tags", who="mara@example.com", at=NOON + timedelta(seconds=5))

    cause = opened(tagger, culprit).cause

    assert cause is not None
    assert cause.event_name == "PutBucketVersioning"


def test_creation_writes_everything() -> None:
    cause = opened(change("CreateBucket", "*")).cause

    assert cause is not None
    assert cause.set_it is True


def test_a_change_that_only_noticed_does_not_take_the_place_of_the_one_that_set_it() -> None:
    first = opened(change("PutBucketVersioning", "VersioningConfiguration"))
    worse = replace(BROKEN, drift=(OFF, Drift("VersioningConfiguration.Mfa", True, None)))

    finding = decided(first, worse, change("PutBucketTagging", "Tags", who="mara@example.com"))

    assert finding is not None
    assert finding.cause == first.cause


@pytest.mark.parametrize("ids", [("a", "b"), ("b", "a")])
def test_of_two_calls_in_the_same_second_the_one_that_names_what_it_writes_came_after_creation(
    ids: tuple[str, str],
) -> None:
    created = replace(change("CreateBucket", "*", who="pipeline"), event_id=ids[0])
    suspended = replace(change("PutBucketVersioning", "VersioningConfiguration"), event_id=ids[1])

    cause = opened(created, suspended).cause

    assert cause is not None
    assert cause.event_name == "PutBucketVersioning"


SOONER, LATER = NOON - timedelta(minutes=1), NOON + timedelta(minutes=1)


def test_whoever_set_it_is_told_when_their_event_comes_late() -> None:
    noticed = opened(change("PutBucketTagging", "Tags", who="tagger", at=SOONER))

    finding = decided(noticed, BROKEN, change("PutBucketVersioning", "VersioningConfiguration", at=SOONER), at=LATER)

    assert finding is not None
    assert finding.cause is not None
    assert (finding.revision, finding.cause.event_name, finding.cause.set_it) == (2, "PutBucketVersioning", True)
    assert finding.observed_at == NOON


def test_the_last_who_set_it_is_told_when_their_event_comes_late() -> None:
    first = opened(change("CreateBucket", "*", who="pipeline", at=SOONER - timedelta(minutes=1)))

    finding = decided(first, BROKEN, change("PutBucketVersioning", "VersioningConfiguration", at=SOONER), at=LATER)

    assert finding is not None
    assert finding.cause is not None
    assert finding.cause.actor.name == "jonas@example.com"


@pytest.mark.parametrize(
    ("who", "at"),
    [
        ("somebody", LATER),  # after the drift was seen
        ("somebody", SOONER - timedelta(minutes=1)),  # before the one that is known
        ("pipeline", NOON),  # the same
    ],
)
def test_an_event_that_tells_nothing_new_of_who_set_it_is_no_news(who: str, at: datetime) -> None:
    finding = opened(change("CreateBucket", "*", who="pipeline", at=SOONER))

    assert decided(finding, BROKEN, change("PutBucketVersioning", "VersioningConfiguration", who=who, at=at)) is None


def test_the_fix_names_the_resource_quoted_for_a_shell() -> None:
    evil = replace(BUCKET, identifier="a; rm -rf {arn}")

    assert guidance_for(CONTROL, evil) == "aws s3api put-bucket-versioning --bucket 'a; rm -rf {arn}'"


def test_a_setting_of_the_whole_account_is_one_finding_in_every_region() -> None:
    once = replace(CONTROL, regional=False)
    elsewhere = replace(BUCKET, region="us-east-1")

    assert finding_id(once, BUCKET) == finding_id(once, elsewhere)
    assert finding_id(CONTROL, BUCKET) != finding_id(CONTROL, elsewhere)


# --- before and after -------------------------------------------------------------------------------------------------


def last_seen(properties: dict[str, Any], *, at: datetime = SOONER) -> Snapshot:
    return Snapshot(BUCKET, at, properties, read=frozenset({"Tags", "VersioningConfiguration"}))


def test_a_drift_says_what_was_there_when_the_resource_was_last_read() -> None:
    before = last_seen({"VersioningConfiguration": {"Status": "Enabled"}})

    finding = decided(None, BROKEN, before=before)

    assert finding is not None
    assert finding.drift[0].was == Was("Enabled", SOONER)


def test_nothing_is_said_of_before_where_nobody_had_looked() -> None:
    unread = Snapshot(BUCKET, SOONER, {}, read=frozenset({"Tags"}), unread={"VersioningConfiguration": "denied"})

    for before in (None, unread):
        finding = decided(None, BROKEN, before=before)
        assert finding is not None
        assert finding.drift[0].was is None


def test_what_was_before_is_not_forgotten_when_the_finding_changes() -> None:
    first = decided(None, BROKEN, before=last_seen({"VersioningConfiguration": {"Status": "Enabled"}}))
    worse = replace(BROKEN, drift=(OFF, Drift("VersioningConfiguration.Mfa", True, None)))

    second = decided(first, worse, before=last_seen(SUSPENDED, at=NOON), at=LATER)

    assert second is not None
    assert [drift.was for drift in second.drift] == [Was("Enabled", SOONER), Was(None, NOON)]


def test_a_change_did_not_bring_about_what_was_seen_before_it() -> None:
    """A control is new, say: the bucket was read as it is before the change was made."""
    finding = decided(
        None,
        BROKEN,
        change("PutBucketVersioning", "VersioningConfiguration", at=NOON),
        before=last_seen(SUSPENDED),
    )

    assert finding is not None
    assert finding.cause is not None
    assert finding.cause.set_it is False


def test_a_change_that_is_heard_of_after_what_it_did_was_seen_still_did_it() -> None:
    finding = decided(
        None,
        BROKEN,
        change("PutBucketVersioning", "VersioningConfiguration", at=SOONER),
        before=last_seen(SUSPENDED, at=NOON),
        at=LATER,
    )

    assert finding is not None
    assert finding.cause is not None
    assert finding.cause.set_it is True


# --- how it came about ------------------------------------------------------------------------------------------------


def test_a_finding_of_a_change_is_the_doing_of_whoever_made_it() -> None:
    made = opened(change("PutBucketVersioning", "VersioningConfiguration")).transition

    assert made == Transition(Act.BROKEN, Origin.CHANGE, "jonas@example.com", NOON)


def test_what_a_sweep_saw_nobody_is_named_for() -> None:
    finding = decided(None, BROKEN, occasion=Occasion(Origin.SWEEP))

    assert finding is not None
    assert finding.transition == Transition(Act.BROKEN, Origin.SWEEP, "Demarc", NOON)


def test_a_finding_whose_resource_goes_to_another_team_waits_for_that_team() -> None:
    first = acknowledge(opened(), by=organization().people["mara"], origin=Origin.CLI, at=NOON)

    moved = decided(first, BROKEN, team="payments", at=LATER)

    assert moved is not None
    assert moved.transition is not None
    assert (moved.status, moved.transition.act, moved.acknowledged_by) == (Status.OPEN, Act.MOVE, None)
    assert moved.audience == ("payments", "platform")


def test_what_was_acknowledged_stays_so_while_more_drifts() -> None:
    first = acknowledge(opened(), by=organization().people["mara"], origin=Origin.CLI, at=NOON)
    worse = replace(BROKEN, drift=(OFF, Drift("VersioningConfiguration.Mfa", True, None)))

    second = decided(first, worse, at=LATER)

    assert second is not None
    assert (second.status, second.acknowledged_by) == (Status.ACKNOWLEDGED, "Mara Lindqvist")


def test_an_exception_that_is_taken_out_of_the_matrix_opens_the_finding_and_tells_its_approver() -> None:
    accepted = decided(None, BROKEN, exception=replace(RISK, approver_team="grc"))

    again = decided(accepted, BROKEN, at=LATER)

    assert again is not None
    assert again.transition is not None
    assert (again.status, again.reopened, again.audience) == (Status.OPEN, 1, ("platform", "grc"))
    assert again.transition.reason == "RISK-1 is not in the matrix any more"


def test_an_exception_written_later_accepts_what_is_open() -> None:
    accepted = decided(opened(), BROKEN, exception=RISK, at=LATER)

    assert accepted is not None
    assert accepted.transition is not None
    assert (accepted.status, accepted.transition.origin) == (Status.ACCEPTED, Origin.MATRIX)


def test_an_entry_that_others_moved_in_its_list_is_the_same_drift() -> None:
    at_first = replace(BROKEN, drift=(Drift("Rules[0].Port", "closed", 22),))
    after = replace(BROKEN, drift=(Drift("Rules[3].Port", "closed", 22),))

    assert decided(decided(None, at_first), after, change("PutRules", "Rules", at=LATER), at=LATER) is None
