"""How long it takes to see, to answer and to mend: from the history, as numbers that CloudWatch reads."""

from __future__ import annotations

from datetime import UTC, datetime

from demarc.core.measures import measure
from tests.scenarios.world import World
from tests.simulation import deeds

SSH = "security-group-ssh-closed-to-the-world"


def test_from_the_change_to_the_mending_is_measured_from_the_history(world: World) -> None:
    group = deeds.make_group(world.cast.sam, "web", workload="booking")
    deeds.open_port(world.cast.sam, group)
    world.settle()
    world.wait(hours=1)
    world.workspace.press("lea.moreau", "acknowledge", world.findings(group)[SSH])
    world.wait(hours=2)
    deeds.close_port(world.cast.lea, group)
    world.settle()

    histories = [world.cloud.store.history(world.findings(group)[SSH].id)]
    now = datetime.now(UTC)
    figures = measure(histories, since=now.replace(month=1, day=1), now=now).overall

    assert figures.acknowledge.median is not None
    assert figures.resolve.median is not None
    assert 1 <= figures.acknowledge.median / 3600 < 2
    assert 3 <= figures.resolve.median / 3600 < 4


def test_every_step_and_every_run_of_the_chase_writes_its_metrics(world: World) -> None:
    group = deeds.make_group(world.cast.sam, "web", workload="booking")
    deeds.open_port(world.cast.sam, group)
    world.settle()
    deeds.close_port(world.cast.lea, group)
    world.settle()
    world.cloud.fire("Chaser")

    lines = [line for line in world.cloud.logged() if "_aws" in line]

    assert any(line.get("team") == "storefront" and "TimeToResolve" in line for line in lines)
    assert any(line.get("severity") == "high" and "TimeToDetect" in line for line in lines)
    assert any(line.get("layer") == "network-configuration" and "OpenFindings" in line for line in lines)
