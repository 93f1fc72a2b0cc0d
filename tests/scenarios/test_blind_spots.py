"""What Demarc may not read is never fine."""

from __future__ import annotations

import json

import pytest

from demarc.core.model import Status
from tests.scenarios.calls import refused
from tests.scenarios.world import World
from tests.simulation import deeds

PHOTOS = "fjordline-vault-photos"
BLIND = "demarc-reads-what-it-judges"
PUBLIC = "s3-bucket-is-not-publicly-readable"
READING_POLICIES = ("s3.GetBucketPolicy", "AccessDenied")


@pytest.fixture
def published(world: World) -> World:
    """Aiko's bucket is open to everybody, which is known, and then its policy is put right."""
    deeds.make_bucket(world.cast.aiko, PHOTOS)
    deeds.publish_bucket(world.cast.aiko, PHOTOS)
    world.settle()
    world.all_letters()
    policy = json.dumps(deeds.bucket_policy(PHOTOS))
    world.cast.aiko.client("s3").put_bucket_policy(Bucket=PHOTOS, Policy=policy)
    return world


def test_a_denied_read_is_a_finding_for_whoever_runs_demarc(published: World) -> None:
    with refused(*READING_POLICIES):
        published.settle()

    finding = published.findings(PHOTOS)[BLIND]

    assert finding.status is Status.OPEN
    assert (finding.attribution.owner.team, finding.attribution.owner.person) == ("platform", "Tomas Berg")
    assert "s3:GetBucketPolicy" in str(finding.drift)
    assert [facts["control"] for facts in published.told("platform")] == [BLIND]


def test_what_was_wrong_before_stays_wrong_until_it_was_seen_right(published: World) -> None:
    with refused(*READING_POLICIES):
        published.settle()

    assert published.findings(PHOTOS)[PUBLIC].status is Status.OPEN


def test_nothing_is_taken_for_right_that_was_never_read(world: World) -> None:
    deeds.make_bucket(world.cast.aiko, PHOTOS)
    with refused(*READING_POLICIES):
        world.settle()

    (judged,) = [line for line in world.cloud.logged() if line.get("message") == "judged"]

    assert judged["results"]["INSUFFICIENT_DATA"] >= 1
    assert "AccessDenied" in judged["unread"]["Observed.Policy"]
    assert BLIND in world.open_on(PHOTOS)


def test_sight_restored_settles_both(published: World) -> None:
    with refused(*READING_POLICIES):
        published.settle()
    tagged = {"TagSet": deeds.tags(seen="yes")}
    published.cast.aiko.client("s3").put_bucket_tagging(Bucket=PHOTOS, Tagging=tagged)

    published.settle()

    findings = published.findings(PHOTOS)
    assert (findings[BLIND].status, findings[PUBLIC].status) == (Status.RESOLVED, Status.RESOLVED)


def test_a_read_that_is_throttled_is_tried_again_until_it_answers(world: World) -> None:
    group = deeds.make_group(world.cast.sam, "web", workload="booking")
    deeds.open_port(world.cast.sam, group)
    for envelope in world.trail.take():
        world.cloud.put(envelope)

    with refused("ec2.DescribeSecurityGroups", "RequestLimitExceeded", times=1):
        failures = world.cloud.run()

    assert failures == 1
    assert "security-group-ssh-closed-to-the-world" in world.open_on(group)
    assert world.cloud.dead_letters() == []
