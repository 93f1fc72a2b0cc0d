"""The same deed by different people: the owner stays, who did it and how they stand to the owner changes."""

from __future__ import annotations

import pytest

from demarc.core.model import Relation
from tests.scenarios.world import ACCOUNT, World
from tests.simulation import deeds
from tests.simulation.people import emergency, employee, pipeline, stranger
from tests.simulation.trail import Identity

SSH = "security-group-ssh-closed-to-the-world"
LEA = employee("lea.moreau@fjordline.example", account=ACCOUNT, console=True)
JONAS = employee("jonas.weber@fjordline.example", account=ACCOUNT)

DOERS = [
    (LEA, Relation.SAME_TEAM, "lea.moreau@fjordline.example (human, of your team) called", "through console"),
    (JONAS, Relation.OTHER_TEAM, "jonas.weber@fjordline.example (human, of another team) called", "through cli"),
    (
        pipeline("deploy-booking", "booking-build-9", account=ACCOUNT),
        Relation.PIPELINE,
        "booking-build-9 (a pipeline) called",
        "through terraform",
    ),
    (
        emergency("lea.moreau@fjordline.example", account=ACCOUNT),
        Relation.BREAK_GLASS,
        "lea.moreau@fjordline.example (human, break-glass access) called",
        "through cli",
    ),
    (stranger("backup", account=ACCOUNT), Relation.UNKNOWN, "backup (human, not known to the matrix) called", "sdk"),
]


@pytest.mark.parametrize(("identity", "relation", "who", "how"), DOERS, ids=[each[1].value for each in DOERS])
def test_whoever_opens_ssh_the_owner_is_told_who_it_was(
    world: World, identity: Identity, relation: Relation, who: str, how: str
) -> None:
    group = deeds.make_group(world.cast.sam, "web", workload="booking")
    world.settle()

    deeds.open_port(world.trail.person(identity), group)
    world.settle()

    cause = world.findings(group)[SSH].cause
    assert cause is not None
    assert (cause.relation, cause.set_it) == (relation, True)
    letter = world.letter("storefront", SSH)
    said = " ".join(letter.text.split())
    assert f"Set by {who} ec2:AuthorizeSecurityGroupIngress" in said
    assert how in said


def test_whoever_merely_touched_it_is_not_blamed(world: World) -> None:
    group = deeds.make_group(world.cast.sam, "web", workload="booking")
    deeds.open_port(world.cast.sam, group)
    world.trail.take()  # these events were lost
    world.cast.jonas.client("ec2").create_tags(Resources=[group], Tags=deeds.tags(seen="yes"))

    world.settle()

    cause = world.findings(group)[SSH].cause
    assert cause is not None
    assert (cause.actor.name, cause.set_it) == ("jonas.weber@fjordline.example", False)
    letter = world.letter("storefront", SSH)
    assert "Seen when jonas.weber@fjordline.example" in letter.text
    assert "Set by" not in letter.text


def test_an_event_that_comes_late_says_who_it_was_after_all(world: World) -> None:
    group = deeds.make_group(world.cast.sam, "web", workload="booking")
    deeds.open_port(world.cast.sam, group)
    late = world.trail.take()
    world.cast.jonas.client("ec2").create_tags(Resources=[group], Tags=deeds.tags(seen="yes"))
    world.settle()

    for envelope in late:
        world.cloud.put(envelope)
    world.settle()

    finding = world.findings(group)[SSH]
    assert finding.cause is not None
    assert (finding.cause.actor.name, finding.cause.set_it) == ("sam.achebe@fjordline.example", True)
