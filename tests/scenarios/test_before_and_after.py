"""What it was, what it is, what it must be, and who moved it away from right: without AWS Config."""

from __future__ import annotations

from demarc.core.model import Act, Origin, Status
from tests.scenarios.world import World
from tests.simulation import deeds

METADATA = "ec2-instance-metadata-needs-a-session-token"
SSH = "security-group-ssh-closed-to-the-world"


def test_a_drift_says_what_was_there_before_and_who_changed_it(world: World) -> None:
    instance = deeds.run_instance(world.cast.sam, tokens="required", workload="booking")
    world.settle()
    world.all_letters()

    deeds.require_tokens(world.cast.aiko, instance, tokens="optional")
    world.settle()

    (drift,) = world.findings(instance)[METADATA].drift
    assert drift.was is not None
    assert (drift.was.value, drift.actual, drift.required) == ("required", "optional", "required")
    cause = world.findings(instance)[METADATA].cause
    assert cause is not None
    assert (cause.actor.name, cause.set_it) == ("aiko.tanaka@fjordline.example", True)
    text = world.letter("storefront", METADATA).text
    assert text.index("Was       required on") < text.index("Is        MetadataOptions.HttpTokens = optional")


def test_an_entry_of_a_list_was_there_before_or_it_was_not(world: World) -> None:
    group = deeds.make_group(world.cast.sam, "web", workload="booking")
    world.settle()
    deeds.open_port(world.cast.sam, group)
    world.settle()

    drifts = world.findings(group)[SSH].drift

    assert drifts
    assert all(drift.was and drift.was.value is None for drift in drifts)
    assert "Was       not there on" in world.letter("storefront", SSH).text


def test_what_was_so_already_nobody_is_blamed_for(world: World) -> None:
    """The group was open, and known to be; somebody writes the same property again, and a control is new to Demarc."""
    group = deeds.make_group(world.cast.sam, "web", workload="booking")
    deeds.open_port(world.cast.sam, group)
    world.settle()
    finding = world.findings(group)[SSH]

    deeds.open_port(world.cast.jonas, group, 8443)
    world.settle()

    after = world.findings(group)[SSH]
    assert after.cause == finding.cause
    assert after.revision == finding.revision


def test_the_history_says_each_step_and_whose_it_was(world: World) -> None:
    group = deeds.make_group(world.cast.sam, "web", workload="booking")
    deeds.open_port(world.cast.jonas, group)
    world.settle()
    world.workspace.press("lea.moreau", "acknowledge", world.findings(group)[SSH])
    world.settle()
    deeds.close_port(world.cast.lea, group)
    world.settle()
    deeds.open_port(world.cast.sam, group)
    world.settle()

    steps = [revision.transition for revision in world.cloud.store.history(world.findings(group)[SSH].id)]

    assert [(step.act, step.origin, step.by) for step in steps if step] == [
        (Act.BROKEN, Origin.CHANGE, "jonas.weber@fjordline.example"),
        (Act.ACKNOWLEDGE, Origin.SLACK, "Lea Moreau"),
        (Act.RIGHT, Origin.CHANGE, "lea.moreau@fjordline.example"),
        (Act.BROKEN, Origin.CHANGE, "sam.achebe@fjordline.example"),
    ]
    finding = world.findings(group)[SSH]
    assert (finding.status, finding.reopened, finding.acknowledged_by) == (Status.OPEN, 1, None)
