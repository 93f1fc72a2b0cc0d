"""The best-known breach of them all: a web server that hands out its role's credentials, and a role that may do all.

Neither is a breach alone. An attacker makes the web application ask the old metadata service (IMDSv1) for the role's
credentials, and the role opens every bucket. Two controls, on two layers, with two owners.
"""

from __future__ import annotations

import pytest

from demarc.core.model import Finding, Party, Relation, Status
from tests.scenarios.world import World
from tests.simulation import deeds

METADATA = "ec2-instance-metadata-needs-a-session-token"


@pytest.fixture
def breach(world: World) -> tuple[World, str]:
    """What Sam deployed on a Friday evening, and the instance's id."""
    sam = world.cast.sam
    deeds.make_role(sam, "booking-web", trusts={"Service": "ec2.amazonaws.com"})
    deeds.allow_role(sam, "booking-web", actions=["*"])
    deeds.make_instance_profile(sam, "booking-web")
    instance = deeds.run_instance(sam, tokens="optional", profile="booking-web", workload="booking")
    world.settle()
    return world, instance


def over_broad(world: World) -> dict[str, Finding]:
    """What is wrong with the role's own permissions."""
    findings = world.findings("booking-web")
    return {
        control: finding
        for control, finding in findings.items()
        if any(drift.path.startswith("Policies") for drift in finding.drift)
    }


def test_the_old_metadata_service_is_the_instances_teams(breach: tuple[World, str]) -> None:
    world, instance = breach

    finding = world.findings(instance)[METADATA]

    assert (finding.status, finding.layer.value) == (Status.OPEN, "operating-system")
    assert (finding.attribution.tier.value, finding.attribution.party) == ("iaas", Party.CUSTOMER)
    assert (finding.attribution.owner.team, finding.attribution.workload) == ("storefront", "booking")
    (drift,) = finding.drift
    assert (drift.path, drift.actual, drift.required) == ("MetadataOptions.HttpTokens", "optional", "required")


def test_the_role_that_may_do_everything_is_the_identity_teams(breach: tuple[World, str]) -> None:
    world, _ = breach

    findings = over_broad(world).values()

    assert {finding.status for finding in findings} == {Status.OPEN}
    assert {finding.layer.value for finding in findings} == {"identity"}
    assert {finding.attribution.owner.person for finding in findings} == {"Raj Patel"}
    assert {finding.severity.value for finding in findings} & {"critical", "high"}


def test_both_name_who_deployed_it_and_how_they_stand_to_each_owner(breach: tuple[World, str]) -> None:
    world, instance = breach

    metadata = world.findings(instance)[METADATA].cause
    role = next(iter(over_broad(world).values())).cause

    assert metadata is not None
    assert role is not None
    assert metadata.actor == role.actor
    assert metadata.actor.name == "sam.achebe@fjordline.example"
    assert (metadata.event_name, metadata.relation) == ("RunInstances", Relation.SAME_TEAM)
    assert (role.event_name, role.relation) == ("PutRolePolicy", Relation.OTHER_TEAM)


def test_each_team_is_told_its_own_half(breach: tuple[World, str]) -> None:
    world, instance = breach

    letter = world.letter("storefront", METADATA)
    security = world.told("security")

    assert {facts["resource"]["identifier"] for facts in letter.body["findings"]} == {instance}
    assert {facts["resource"]["identifier"] for facts in security} == {"booking-web"}
    assert f"aws ec2 modify-instance-metadata-options --region us-east-1 --instance-id {instance}" in letter.text


def test_mending_one_half_leaves_the_other_open(breach: tuple[World, str]) -> None:
    world, instance = breach
    wrong = over_broad(world).keys()
    deeds.require_tokens(world.cast.sam, instance)
    world.settle()
    assert world.findings(instance)[METADATA].status is Status.RESOLVED
    assert wrong <= world.open_on("booking-web")

    statement = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::fjordline-bookings/*"}
    world.cast.sam.client("iam").put_role_policy(
        RoleName="booking-web", PolicyName="work", PolicyDocument=deeds.policy(statement)
    )
    world.settle()

    assert {world.findings("booking-web")[control].status for control in wrong} == {Status.RESOLVED}
