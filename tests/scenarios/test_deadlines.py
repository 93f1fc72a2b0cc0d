"""By when: reminded before, escalated after, each once; what was accepted comes back on its day; a digest a week."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from demarc.core.model import Finding, Status
from tests.scenarios.world import World
from tests.simulation import deeds

SSH = "security-group-ssh-closed-to-the-world"


@pytest.fixture
def group(world: World) -> str:
    """A group of storefront's, open to the world: to be mended within three days."""
    group = deeds.make_group(world.cast.sam, "web", workload="booking")
    deeds.open_port(world.cast.sam, group)
    world.settle()
    world.all_letters()
    return group


def chased(world: World, team: str, **time: float) -> list[tuple[str, str | None]]:
    """What a team was told of SSH, after a while in which the chase ran every quarter of an hour."""
    world.wait(**time)
    for _ in range(2):
        world.cloud.fire("Chaser")
    world.settle()
    return [
        (facts["transition"]["act"], facts["transition"]["to"]) for facts in world.told(team) if facts["control"] == SSH
    ]


def ssh(world: World, group: str) -> Finding:
    return world.findings(group)[SSH]


def test_the_owner_is_reminded_before_the_deadline_once_each(world: World, group: str) -> None:
    assert chased(world, "storefront", hours=1) == []
    assert chased(world, "storefront", hours=48) == [("reminded", "Lea Moreau")]
    assert chased(world, "storefront", hours=1) == []
    assert chased(world, "storefront", hours=19) == [("reminded", "Lea Moreau")]
    assert ssh(world, group).reminded == 2


def test_what_is_overdue_goes_up_the_chain_and_ends_with_governance(world: World, group: str) -> None:
    assert chased(world, "storefront", hours=73) == [("escalated", "Lea Moreau")]
    assert chased(world, "storefront", hours=1) == []
    assert chased(world, "storefront", hours=24) == [("escalated", "Sam Achebe")]
    assert ("escalated", "Helena Novak") in chased(world, "governance", hours=24)
    assert chased(world, "storefront", hours=48) == [("escalated", "Helena Novak")]
    assert chased(world, "storefront", days=7) == []


def test_whoever_acknowledged_it_is_chased_and_whoever_mended_it_is_not(world: World, group: str) -> None:
    world.workspace.press("lea.moreau", "acknowledge", ssh(world, group))
    world.settle()
    world.all_letters()
    assert chased(world, "storefront", hours=49) == [("reminded", "Lea Moreau")]

    deeds.close_port(world.cast.sam, group)
    world.settle()
    world.all_letters()

    assert chased(world, "storefront", days=5) == []


def test_an_acceptance_that_expires_opens_the_finding_and_tells_its_approver(world: World, group: str) -> None:
    finding = ssh(world, group)
    day = (datetime.now(UTC) + timedelta(days=10)).date().isoformat()
    why, until = {"value": "a vendor needs it until the migration is over"}, {"selected_date": day}
    world.workspace.submit("lea.moreau", "accept", finding, why=why, until=until)
    world.settle()
    world.workspace.press("ines.okafor", "approve", ssh(world, group))
    world.settle()
    assert ssh(world, group).status is Status.ACCEPTED
    world.all_letters()
    assert chased(world, "storefront", days=9) == []

    told = chased(world, "storefront", days=2)

    assert told == [("acceptance expired", "Ines Okafor")]
    opened = ssh(world, group)
    assert (opened.status, opened.reopened) == (Status.OPEN, 1)
    assert opened.due_at - opened.opened_at == timedelta(hours=72)
    assert SSH in {facts["control"] for facts in world.told("security")}


def test_once_a_week_each_team_and_governance_read_how_they_stand(world: World, group: str) -> None:
    monday = datetime(2026, 11, 30, 7, 10, tzinfo=UTC)
    world.wait(seconds=(monday - datetime.now(UTC)).total_seconds())
    for _ in range(3):
        world.cloud.fire("Chaser")
    world.settle()

    letters = {team: world.letters(team) for team in world.cloud.mailboxes}
    digests = {
        team: [letter.body["kind"] for letter in received if letter.body["schema"] == "demarc.digest/1"]
        for team, received in letters.items()
    }

    assert digests["storefront"] == ["weekly"]
    assert "governance" in digests["governance"]


def test_in_quiet_hours_a_channel_is_left_alone_and_reads_it_in_the_morning(world: World) -> None:
    evening = datetime(2026, 11, 24, 20, tzinfo=UTC)
    world.wait(seconds=(evening - datetime.now(UTC)).total_seconds())
    deeds.make_bucket(world.cast.importer, "import-2026-11")
    world.settle()
    assert world.findings("import-2026-11")
    assert world.workspace.in_channel("governance") == []

    world.wait(hours=12)
    world.settle()

    assert world.workspace.in_channel("governance") != []
    assert world.cloud.dead_letters() == []
