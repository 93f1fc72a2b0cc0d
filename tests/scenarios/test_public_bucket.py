"""The oldest breach there is: a bucket whose policy says `"Principal": "*"`."""

from __future__ import annotations

import json

import pytest

from demarc.core.model import Finding, Relation, Status
from tests.scenarios.world import World
from tests.simulation import deeds

PHOTOS = "fjordline-photos"
PUBLIC = "s3-bucket-is-not-publicly-readable"


@pytest.fixture
def published(world: World) -> World:
    """The shop's pipeline made a bucket and its news was read; then Jonas, of Payments, opened it."""
    deeds.make_bucket(world.cast.shop, PHOTOS, owner="storefront")
    world.settle()
    world.all_letters()
    deeds.publish_bucket(world.cast.jonas, PHOTOS)
    world.settle()
    return world


def public(world: World) -> Finding:
    return world.findings(PHOTOS)[PUBLIC]


def test_it_is_a_finding_of_the_team_whose_bucket_it_is_and_says_what_is_and_what_must_be(published: World) -> None:
    finding = public(published)

    assert (finding.status, finding.severity.value, finding.revision) == (Status.OPEN, "critical", 1)
    owner = finding.attribution.owner
    assert (owner.team, owner.person, owner.row) == ("storefront", "Lea Moreau", "tag:owner")
    (drift,) = finding.drift
    assert (drift.path, drift.actual["Principal"]) == ("Observed.Policy.Statement[1]", "*")
    assert "public" in drift.required


def test_it_names_who_did_it_and_how_they_stand_to_the_owner(published: World) -> None:
    findings = published.findings(PHOTOS)

    policy, block = findings[PUBLIC].cause, findings["s3-bucket-blocks-public-access"].cause

    assert policy is not None
    assert block is not None
    assert (policy.event_name, block.event_name) == ("PutBucketPolicy", "DeleteBucketPublicAccessBlock")
    assert policy.actor == block.actor
    assert policy.actor.name == "jonas.weber@fjordline.example"
    assert (policy.relation, policy.via.value, policy.set_it) == (Relation.OTHER_TEAM, "cli", True)


def test_the_owning_team_is_told_and_nobody_else(published: World) -> None:
    letter = published.letter("storefront", PUBLIC)

    assert letter.subject == f"[CRITICAL] Broken: Nobody outside can read a bucket: {PHOTOS} (and 2 more)"
    assert '"Principal": "*"' in letter.text
    assert "jonas.weber@fjordline.example (human, of another team) called" in letter.text
    assert f"put-public-access-block --bucket {PHOTOS}" in letter.text
    assert published.all_letters() == []


def test_the_fix_resolves_it_and_says_by_whom(published: World) -> None:
    published.letters("storefront")
    deeds.withdraw_bucket(published.cast.lea, PHOTOS)

    published.settle()

    finding = public(published)
    assert finding.status is Status.RESOLVED
    assert finding.resolved_by is not None
    assert finding.resolved_by.actor.name == "lea.moreau@fjordline.example"
    told = {facts["control"]: facts["status"] for facts in published.told("storefront")}
    assert told == {PUBLIC: "RESOLVED", "s3-bucket-blocks-public-access": "RESOLVED"}


def test_a_fix_by_half_resolves_only_that_half(published: World) -> None:
    s3 = published.cast.lea.client("s3")
    s3.put_bucket_policy(Bucket=PHOTOS, Policy=json.dumps(deeds.bucket_policy(PHOTOS)))

    published.settle()

    assert public(published).status is Status.RESOLVED
    assert "s3-bucket-blocks-public-access" in published.open_on(PHOTOS)


def test_opened_again_it_is_the_same_finding_with_its_history(published: World) -> None:
    deeds.withdraw_bucket(published.cast.lea, PHOTOS)
    published.settle()
    deeds.publish_bucket(published.cast.jonas, PHOTOS)
    published.settle()

    finding = public(published)

    assert (finding.status, finding.revision, finding.reopened) == (Status.OPEN, 3, 1)
    history = published.cloud.store.history(finding.id)
    assert [each.status for each in history] == [Status.OPEN, Status.RESOLVED, Status.OPEN]
