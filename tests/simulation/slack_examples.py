"""Messages to look at: a bucket opened to everybody, what happens to it, and many findings of one change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from demarc.core.chat.block_kit import Style, message_of, reply_of
from demarc.core.matrix import Organization, Person
from demarc.core.model import (
    AcceptedRisk,
    Act,
    Actor,
    ActorKind,
    Attribution,
    Confidence,
    Drift,
    Finding,
    Origin,
    Owner,
    Party,
    Relation,
    Resource,
    Severity,
    Status,
    Tier,
    Transition,
    Via,
    Was,
)
from tests.factories import a_cause, a_finding
from tests.organizations import organization

OPENED = datetime(2026, 11, 24, 9, 15, 21, tzinfo=UTC)
PEOPLE = {"U0AIKO": "Aiko Tanaka", "U0HELENA": "Helena Novak"}


def _organization() -> Organization:
    here = organization()
    called = {"aiko": "U0AIKO", "helena": "U0HELENA"}
    people = {
        each.id: Person(each.id, each.name, each.email, each.team, called.get(each.id)) for each in here.people.values()
    }
    return replace(here, people=people)


STYLE = Style(_organization(), "https://github.com/example/demarc/blob/main/docs/controls.md")

BUCKET = Resource(
    "AWS::S3::Bucket",
    "fjordline-vault-statements",
    "123456789012",
    "eu-west-1",
    "arn:aws:s3:::fjordline-vault-statements",
)
CAUSE = a_cause(
    event_id="5f2b8c1e-0a4d-4f6b-9c3e-7d1a2b3c4d5e",
    time=OPENED - timedelta(seconds=19),
    actor=Actor(ActorKind.HUMAN, "lea.moreau@fjordline.example", confidence=Confidence.HIGH),
    via=Via.CLI,
    via_confidence=Confidence.MEDIUM,
    relation=Relation.OTHER_TEAM,
)
FINDING = a_finding(
    id="5501e83468c836489d390133",
    control="s3-bucket-is-not-publicly-readable",
    title="Nobody outside can read a bucket",
    severity=Severity.CRITICAL,
    resource=BUCKET,
    attribution=Attribution(
        tier=Tier.PAAS,
        party=Party.CUSTOMER,
        line=(
            "AWS keeps the service durable and offers encryption;"
            " who may read the data and how it is kept are our settings."
        ),
        owner=Owner(
            "payments",
            "Aiko Tanaka",
            "aiko.tanaka@fjordline.example",
            "#payments",
            "assignment:vault-buckets-by-name",
            "buckets of the card vault carry its name",
        ),
        workload=None,
        environment="production",
    ),
    drift=(
        Drift(
            "Observed.Policy.Statement[0]",
            "no grant to the public",
            {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"]},
            "everybody on the internet is granted s3:GetObject",
            Was(None, OPENED - timedelta(days=2)),
        ),
    ),
    guidance=(
        "aws s3api put-public-access-block --bucket fjordline-vault-statements --region eu-west-1"
        " --public-access-block-configuration"
        " BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"
    ),
    references={"nist-800-53-r5": ("AC-3", "AC-6", "AC-21"), "pci-dss-4.0.1": ("1.4.4",)},
    opened_at=OPENED,
    observed_at=OPENED,
    due_at=OPENED + timedelta(hours=24),
    cause=CAUSE,
)


def _step(finding: Finding, act: Act, by: str, hours: float, **changes: Any) -> Finding:
    to, reason, origin = changes.pop("to", None), changes.pop("why", ""), changes.pop("origin", Origin.SCHEDULE)
    transition = Transition(act, origin, by, OPENED + timedelta(hours=hours), finding.status, reason, to)
    return replace(finding, revision=finding.revision + 1, transition=transition, **changes)


def life() -> Iterator[Finding]:
    """The revisions of one finding, as they come."""
    yield FINDING
    said = {"origin": Origin.SLACK, "why": "rolling it back with the release"}
    at = OPENED + timedelta(hours=1)
    taken = {"status": Status.ACKNOWLEDGED, "acknowledged_by": "Aiko Tanaka", "acknowledged_at": at}
    yield (now := _step(FINDING, Act.ACKNOWLEDGE, "Aiko Tanaka", 1, **said, **taken))
    yield (now := _step(now, Act.REMIND, "Demarc", 20, to="Aiko Tanaka", why="4 hours are left", reminded=1))
    yield (now := _step(now, Act.ESCALATE, "Demarc", 25, to="Helena Novak", why="nobody has mended it", escalated=1))
    risk = AcceptedRisk(
        "RISK-7", "the statements are published on purpose until the audit is over", "", OPENED + timedelta(days=30),
        requested_by="Aiko Tanaka", origin=Origin.SLACK,
    )  # fmt: skip
    yield (now := _step(now, Act.PROPOSE, "Aiko Tanaka", 26, origin=Origin.SLACK, why=risk.reason, proposal=risk))
    accepted = replace(risk, approver="Helena Novak")
    yield (
        now := _step(
            now,
            Act.ACCEPT,
            "Helena Novak",
            27,
            origin=Origin.SLACK,
            why=risk.reason,
            proposal=None,
            exception=accepted,
            status=Status.ACCEPTED,
        )
    )
    yield (
        now := _step(
            now,
            Act.EXPIRE,
            "Demarc",
            30 * 24,
            to="Helena Novak",
            exception=None,
            status=Status.OPEN,
            acknowledged_by=None,
        )
    )
    mended = replace(
        CAUSE, event_name="PutPublicAccessBlock", relation=Relation.SAME_TEAM, time=OPENED + timedelta(days=31)
    )
    yield (
        now := _step(
            now,
            Act.RIGHT,
            "aiko.tanaka@fjordline.example",
            31 * 24,
            origin=Origin.CHANGE,
            status=Status.RESOLVED,
            drift=(),
            resolved_at=OPENED + timedelta(days=31),
            resolved_by=replace(mended, actor=replace(CAUSE.actor, name="aiko.tanaka@fjordline.example")),
        )
    )
    yield _step(
        now,
        Act.BROKEN,
        "lea.moreau@fjordline.example",
        40 * 24,
        origin=Origin.CHANGE,
        status=Status.OPEN,
        drift=FINDING.drift,
        reopened=1,
        resolved_at=None,
        resolved_by=None,
        cause=replace(CAUSE, time=OPENED + timedelta(days=40)),
    )


def burst(count: int = 7) -> tuple[Finding, ...]:
    """Findings of one change."""
    titles = (
        ("s3-bucket-is-not-publicly-readable", "Nobody outside can read a bucket", Severity.CRITICAL),
        ("s3-bucket-is-encrypted-on-the-way", "Buckets are spoken to over TLS only", Severity.MEDIUM),
        ("s3-bucket-keeps-versions", "Buckets keep earlier versions", Severity.LOW),
    )
    return tuple(
        replace(FINDING, id=f"{number:024x}", control=titles[number % 3][0], title=titles[number % 3][1])
        if number % 3 == 0
        else replace(
            FINDING,
            id=f"{number:024x}",
            control=titles[number % 3][0],
            title=titles[number % 3][1],
            severity=titles[number % 3][2],
            drift=(Drift("VersioningConfiguration.Status", "Enabled", "Suspended", "", Was("Enabled", OPENED)),),
        )
        for number in range(count)
    )


def examples() -> Iterator[dict[str, Any]]:
    """One finding as it is opened, then what is said in its thread, then as it looks in the end, then many at once."""
    revisions = list(life())
    for finding in (revisions[0], revisions[4], revisions[5], revisions[7]):
        shown = message_of([finding], STYLE)
        yield {"text": shown.text, "blocks": list(shown.blocks)}
        if finding is revisions[0]:
            for each in revisions[1:]:
                answer = reply_of([each], STYLE)
                yield {"text": answer.text, "blocks": list(answer.blocks), "thread": "1"}
    shown = message_of(burst()[:5], STYLE, others=2)
    yield {"text": shown.text, "blocks": list(shown.blocks)}
