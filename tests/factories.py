"""Findings for tests: complete, and different only in what a test says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from demarc.core.model import (
    Actor,
    ActorKind,
    Attribution,
    Cause,
    Compliance,
    Confidence,
    Drift,
    Finding,
    Layer,
    Owner,
    Party,
    Relation,
    Resource,
    Severity,
    Status,
    Tier,
    Via,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BUCKET = Resource("AWS::S3::Bucket", "photos", "123456789012", "eu-west-1", "arn:aws:s3:::photos")
OWNER = Owner(
    "payments", "Jonas Weber", "payments@example.com", "#payments", "tag:owner", "the tag owner names the team"
)


def a_cause(**changes: Any) -> Cause:
    cause = Cause(
        event_id="e1",
        event_source="s3.amazonaws.com",
        event_name="PutBucketPolicy",
        time=NOON - timedelta(seconds=20),
        actor=Actor(ActorKind.HUMAN, "jonas@example.com", confidence=Confidence.HIGH, because="the session's name"),
        via=Via.CONSOLE,
        via_confidence=Confidence.HIGH,
        relation=Relation.SAME_TEAM,
        set_it=True,
    )
    return replace(cause, **changes)


def a_finding(**changes: Any) -> Finding:
    """A finding; `team` is a shorthand for its owner's."""
    team = changes.pop("team", OWNER.team)
    finding = Finding(
        id="f1",
        control="s3-bucket-is-private",
        title="Buckets are private",
        severity=Severity.HIGH,
        layer=Layer.DATA,
        compliance=Compliance.NON_COMPLIANT,
        status=Status.OPEN,
        resource=BUCKET,
        attribution=Attribution(
            tier=Tier.PAAS,
            party=Party.CUSTOMER,
            line="AWS stores it; who may read it is ours.",
            owner=replace(OWNER, team=team),
            workload=None,
            environment="production",
        ),
        drift=(Drift("Observed.Policy.Statement[0]", "no public grant", {"Principal": "*"}, "everybody may read it"),),
        guidance="aws s3api delete-bucket-policy --bucket photos",
        references={"nist-800-53-r5": ("AC-3",)},
        security_hub=("S3.2",),
        opened_at=NOON,
        observed_at=NOON,
        due_at=NOON + timedelta(hours=72),
        matrix_version="0123456789ab",
        revision=1,
        cause=a_cause(),
    )
    return replace(finding, **changes)


def next_revision(finding: Finding, **changes: Any) -> Finding:
    return replace(finding, revision=finding.revision + 1, **changes)
