"""Whose it is: by tag, by assignment, by nobody's word at all; and why."""

from __future__ import annotations

import pytest

from demarc.core.model import Status
from tests.scenarios.world import World
from tests.simulation import deeds

GAP = "governance-resource-has-an-owner"
STRAY = "governance-owner-tag-names-a-team"


@pytest.fixture
def orphan(world: World) -> World:
    deeds.make_bucket(world.cast.importer, "import")
    world.settle()
    return world


def test_what_nobody_claims_is_governances_and_says_so(orphan: World) -> None:
    owners = {finding.attribution.owner for finding in orphan.findings("import").values()}

    (owner,) = owners
    assert (owner.team, owner.row, owner.attribution_gap) == ("governance", "governance", True)
    assert "nobody claims it" in owner.because


def test_that_nobody_claims_it_is_itself_a_finding(orphan: World) -> None:
    finding = orphan.findings("import")[GAP]

    assert finding.status is Status.OPEN
    assert finding.cause is not None
    assert (finding.cause.actor.name, finding.cause.relation.value) == ("data-import", "unknown")
    assert GAP in {facts["control"] for facts in orphan.told("governance")}


def test_a_tag_moves_what_is_wrong_to_its_team_and_ends_the_gap(orphan: World) -> None:
    orphan.all_letters()
    tagged = {"TagSet": deeds.tags(owner="platform")}
    orphan.cast.mara.client("s3").put_bucket_tagging(Bucket="import", Tagging=tagged)

    orphan.settle()

    findings = orphan.findings("import")
    assert findings[GAP].status is Status.RESOLVED
    assert {each.attribution.owner.team for each in findings.values() if each.status is Status.OPEN} == {"platform"}
    told = {facts["control"] for facts in orphan.told("platform")}
    assert told == orphan.open_on("import")


def test_a_misspelt_owner_is_a_finding_that_shows_the_spelling(world: World) -> None:
    deeds.make_bucket(world.cast.jonas, "receipts", owner="paymnts")
    world.settle()

    findings = world.findings("receipts")

    assert {GAP, STRAY} <= findings.keys()
    (drift,) = findings[STRAY].drift
    assert drift.actual == "paymnts"
    assert findings[STRAY].attribution.owner.team == "governance"
    assert world.letters("payments") == []


def test_a_misspelt_owner_that_an_assignment_makes_up_for_is_told_to_the_right_team(world: World) -> None:
    deeds.make_bucket(world.cast.jonas, "fjordline-vault-receipts", owner="paymnts")
    world.settle()

    finding = world.findings("fjordline-vault-receipts")[STRAY]

    assert (finding.attribution.owner.team, finding.attribution.owner.person) == ("payments", "Aiko Tanaka")
    assert GAP not in world.findings("fjordline-vault-receipts")


def test_one_resource_may_have_owners_by_layer(world: World) -> None:
    deeds.make_database(world.cast.vault, "card-vault", workload="card-vault")
    world.settle()

    findings = world.findings("card-vault")

    network = findings["rds-instance-is-not-public"].attribution.owner
    data = findings["rds-instance-storage-is-encrypted"].attribution.owner
    assert (network.team, network.row) == ("platform", "assignment:card-vault-network")
    assert (data.team, data.row) == ("payments", "assignment:card-vault")
    assert not any("correct horse" in letter.text + str(letter.body) for letter in world.all_letters())


def test_an_accepted_risk_is_recorded_with_who_accepted_it_and_is_nobodys_alarm(world: World) -> None:
    deeds.make_bucket(world.cast.aiko, "fjordline-vault-access-logs")
    world.settle()

    finding = world.findings("fjordline-vault-access-logs")["s3-bucket-access-is-logged"]

    assert finding.status is Status.ACCEPTED
    assert finding.exception is not None
    assert (finding.exception.id, finding.exception.approver) == ("RISK-2026-014", "Helena Novak")
