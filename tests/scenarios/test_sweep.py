"""Everything is looked at again: what was there before Demarc came, and what no event said."""

from __future__ import annotations

import json
from typing import Any

from demarc.core.digest import digest_in
from demarc.core.model import Origin, Status
from tests.scenarios.calls import refused
from tests.scenarios.world import REGION, World
from tests.simulation import deeds

SSH = "security-group-ssh-closed-to-the-world"


def sweep(world: World) -> None:
    """Let the hour come in which everything is looked at; whatever was done since, no event said so."""
    world.trail.take()
    world.wait(hours=2)
    world.cloud.fire("SweeperRequestsSchedule")
    world.settle()


def report(world: World) -> dict[str, Any]:
    """What the last sweep said of itself."""
    return [line for line in world.cloud.logged() if line.get("message") == "swept"][-1]


def inhabited(world: World) -> str:
    """An account that was lived in before Demarc came; one of its security groups."""
    lea, sam = world.cast.lea, world.cast.sam
    deeds.make_bucket(world.cast.aiko, "fjordline-vault-photos", workload="payments")
    deeds.publish_bucket(world.cast.aiko, "fjordline-vault-photos")
    deeds.make_key(sam, "card data", workload="payments")
    deeds.run_instance(lea, tokens="optional", workload="booking")
    group = deeds.make_group(sam, "shell", workload="booking")
    deeds.open_port(sam, group)
    return group


def test_what_was_there_before_is_told_in_one_digest_per_team(world: World) -> None:
    group = inhabited(world)

    sweep(world)

    assert SSH in world.open_on(group)
    found = list(world.cloud.store.find())
    assert {"AWS::S3::Bucket", "AWS::KMS::Key", "AWS::EC2::Instance", "AWS::EC2::SecurityGroup"} <= {
        finding.resource.type for finding in found
    }
    assert {finding.transition.origin for finding in found if finding.transition} == {Origin.SWEEP}
    assert list(world.cloud.store.unannounced()) == []
    for team in world.cloud.mailboxes:
        owned = [finding for finding in found if finding.attribution.owner.team == team]
        digests = [digest_in(letter.body) for letter in world.letters(team)]
        assert [digest.counts.to_do for digest in digests] == ([len(owned)] if owned else []), team


def test_what_no_event_said_is_noticed_when_everything_is_looked_at(world: World) -> None:
    mended, deleted = inhabited(world), deeds.make_group(world.cast.sam, "other", workload="booking")
    deeds.open_port(world.cast.sam, deleted)
    sweep(world)
    world.all_letters()
    deeds.close_port(world.cast.lea, mended)
    deeds.delete_group(world.cast.lea, deleted)
    opened = deeds.make_group(world.cast.sam, "new", workload="booking")
    deeds.open_port(world.cast.sam, opened)

    sweep(world)

    told = {
        (facts["resource"]["identifier"], facts["status"])
        for facts in world.told("storefront")
        if facts["control"] == SSH
    }
    assert told == {(mended, "RESOLVED"), (deleted, "GONE"), (opened, "OPEN")}
    assert report(world)["gone"] == 1


def test_a_sweep_of_what_is_as_it_was_tells_nobody_anything(world: World) -> None:
    inhabited(world)
    sweep(world)
    world.all_letters()

    sweep(world)

    assert world.all_letters() == []
    said = report(world)
    assert (said["findings_opened"], said["findings_resolved"]) == (0, 0)
    # What the embedded AWS does not play it refuses.
    assert all("is not allowed" in reason for reason in said["refused"].values())
    assert said["judged"] == said["listed"] > 5


def test_evidence_resolves_what_somebody_had_only_acknowledged(world: World) -> None:
    group = inhabited(world)
    sweep(world)
    world.workspace.press("lea.moreau", "acknowledge", world.findings(group)[SSH])
    assert world.findings(group)[SSH].status is Status.ACKNOWLEDGED
    deeds.close_port(world.cast.lea, group)

    sweep(world)

    assert world.findings(group)[SSH].status is Status.RESOLVED


def test_a_sweep_that_aws_slows_down_loses_nothing(world: World) -> None:
    group = inhabited(world)

    with refused("ec2.DescribeSecurityGroups", "RequestLimitExceeded", times=6):
        sweep(world)

    assert SSH in world.open_on(group)
    assert world.cloud.dead_letters() == []
    said = report(world)
    assert said["judged"] == said["listed"]


def test_a_new_deployment_has_everything_looked_at_and_the_same_again_nothing(world: World) -> None:
    group = inhabited(world)
    world.trail.take()
    body = {
        "id": "e1",
        "detail-type": "CloudFormation Stack Status Change",
        "source": "aws.cloudformation",
        "region": REGION,
        "detail": {"stack-id": "arn:aws:cloudformation:stack", "status-details": {"status": "UPDATE_COMPLETE"}},
    }

    world.cloud.send("sweep", json.dumps(body))
    world.settle()

    assert SSH in world.open_on(group)
    report(world)
    world.cloud.send("sweep", json.dumps({**body, "id": "e2"}))
    world.settle()
    assert not any(line.get("message") == "swept" for line in world.cloud.logged())
