"""What somebody attested is attested until its last day, and then it is a finding for whoever answers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from demarc.core.attestation import Recorded
from demarc.core.framework import Attestation
from demarc.core.model import Finding, Status
from demarc.stores.attestations import AttestationStore
from tests.infrastructure.synthesis import Assembly
from tests.scenarios.stack import STACK, as_a_stack
from tests.scenarios.world import World

NIST, FRESH = "nist-800-53-r5", "governance-attestation-is-fresh"
TRAINING, DEVICES = f"{STACK}/{NIST}/AT-2", f"{STACK}/{NIST}/PE-17"


@pytest.fixture
def attesting(world: World, assembly: Assembly) -> World:
    as_a_stack(world, assembly)
    return world


def look(world: World) -> None:
    world.cloud.fire("VisibilityChangesAttestations")
    world.settle()


def attest(world: World, until: date) -> None:
    """As `demarc attest PE-17` records it."""
    table = world.cloud.functions[0].environment["DEMARC_TABLE"]
    word = Attestation("raj.patel", until, until, "https://wiki.fjordline.example/security/managed-devices")
    store = AttestationStore(world.cloud.client("dynamodb"), table)
    store.record(NIST, "PE-17", Recorded(word, datetime.now(UTC), "Raj Patel"))


def finding(world: World, requirement: str) -> Finding | None:
    return world.findings(requirement).get(FRESH)


def test_what_nobody_attested_is_a_finding_for_whoever_the_signed_matrix_says_answers(attesting: World) -> None:
    look(attesting)

    found = finding(attesting, DEVICES)
    assert found
    assert found.status is Status.OPEN
    assert found.attribution.owner.team == "security"
    assert found.attribution.owner.person == "Raj Patel"
    assert FRESH in {facts["control"] for facts in attesting.told("security")}


def test_a_word_resolves_it_and_its_last_day_opens_it_again(attesting: World) -> None:
    look(attesting)
    attest(attesting, datetime.now(UTC).date() + timedelta(days=30))
    look(attesting)
    resolved = finding(attesting, DEVICES)

    attesting.wait(days=31)
    look(attesting)
    again = finding(attesting, DEVICES)

    assert resolved
    assert again
    assert resolved.status is Status.RESOLVED
    assert (again.status, again.reopened) == (Status.OPEN, 1)


def test_what_was_signed_counts_until_its_last_day(attesting: World) -> None:
    look(attesting)
    assert finding(attesting, TRAINING) is None

    attesting.wait(days=365)
    look(attesting)

    found = finding(attesting, TRAINING)
    assert found
    assert found.status is Status.OPEN
    assert "2027-09-14" in str(found.drift[0].actual)
