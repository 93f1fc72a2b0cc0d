"""What is deleted ends its findings, and is told to be gone: silence would look like neglect."""

from __future__ import annotations

from demarc.core.model import Status
from tests.scenarios.world import World
from tests.simulation import deeds


def test_a_deleted_resource_ends_its_findings_as_gone(world: World) -> None:
    group = deeds.make_group(world.cast.sam, "web", workload="booking")
    deeds.open_port(world.cast.sam, group)
    world.settle()
    opened = world.open_on(group)
    world.all_letters()
    deeds.delete_group(world.cast.lea, group)

    world.settle()

    findings = world.findings(group).values()
    assert {finding.control for finding in findings} == opened
    assert {finding.status for finding in findings} == {Status.GONE}
    assert {finding.resolved_by.actor.name for finding in findings if finding.resolved_by} == {
        "lea.moreau@fjordline.example"
    }
    told = world.told("storefront")
    assert {(facts["control"], facts["status"]) for facts in told} == {(control, "GONE") for control in opened}


def test_a_finding_that_was_resolved_before_stays_resolved(world: World) -> None:
    group = deeds.make_group(world.cast.sam, "web", workload="booking")
    deeds.open_port(world.cast.sam, group)
    world.settle()
    deeds.close_port(world.cast.sam, group)
    world.settle()
    deeds.delete_group(world.cast.sam, group)

    world.settle()

    assert {finding.status for finding in world.findings(group).values()} == {Status.RESOLVED}


def test_what_was_made_and_deleted_before_anybody_looked_was_never_wrong(world: World) -> None:
    group = deeds.make_group(world.cast.sam, "web", workload="booking")
    deeds.open_port(world.cast.sam, group)
    deeds.delete_group(world.cast.sam, group)

    world.settle()

    assert world.findings(group) == {}
    assert world.all_letters() == []
