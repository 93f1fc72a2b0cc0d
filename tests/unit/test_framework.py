"""Whose a requirement is, and what shows that it is met."""

from __future__ import annotations

from datetime import date

import pytest

from demarc.core.framework import (
    Attestation,
    Basis,
    Duty,
    Framework,
    Obligation,
    Proof,
    Requirement,
    Signature,
    Verification,
    coverage,
    proof_of,
    serving,
)
from demarc.core.model import Control, Layer, Party, Severity, Tier

TODAY = date(2026, 11, 26)
OURS = Duty("Review who may do what.", Verification.UNVERIFIED)
THEIRS = Duty("AWS guards the buildings.", Verification.PROVIDER_REPORT)


def obligation(
    party: Party, *, customer: Duty = OURS, team: str | None = None, signature: Signature | None = None
) -> Obligation:
    return Obligation(
        tier=Tier.IAAS,
        party=party,
        provider=None if party is Party.CUSTOMER else THEIRS,
        customer=None if party is Party.PROVIDER else customer,
        basis=Basis.INFERRED,
        team=team,
        signature=signature,
    )


def requirement(number: str, said: Obligation, *baselines: str) -> Requirement:
    return Requirement(number, number.partition("-")[0], {Tier.IAAS: said}, baselines=baselines)


def framework(*requirements: Requirement) -> Framework:
    return Framework(
        id="nist",
        name="NIST",
        version="5",
        families={"AC": "Access", "PE": "Physical"},
        baselines={"low": "Low"},
        requirements={each.id: each for each in requirements},
    )


def control(name: str, **references: tuple[str, ...]) -> Control:
    return Control(name, name, Severity.LOW, Layer.IDENTITY, "AWS::IAM::User", "", references, needs=())


def attested(until: date) -> Duty:
    return Duty("Train.", Verification.ATTESTATION, Attestation("helena", date(2026, 1, 1), until, "https://x"))


@pytest.mark.parametrize("party", [Party.SHARED, Party.CUSTOMER])
def test_a_duty_of_ours_that_a_control_names_is_verified_automatically(party: Party) -> None:
    assert proof_of(obligation(party), ("users-have-mfa",), TODAY) is Proof.CONTROLS


@pytest.mark.parametrize("party", [Party.SHARED, Party.CUSTOMER])
def test_a_duty_of_ours_that_nothing_verifies_is_said_to_be_unverified(party: Party) -> None:
    assert proof_of(obligation(party), (), TODAY) is Proof.UNVERIFIED


def test_a_control_on_our_resources_shows_nothing_of_awss_part() -> None:
    assert proof_of(obligation(Party.PROVIDER), ("users-have-mfa",), TODAY) is Proof.PROVIDER_REPORT


def test_a_report_of_awss_shows_nothing_of_our_part() -> None:
    shared = obligation(Party.SHARED)

    assert shared.provider == THEIRS
    assert proof_of(shared, (), TODAY) is Proof.UNVERIFIED


@pytest.mark.parametrize(
    ("until", "proof"),
    [
        (date(2026, 11, 27), Proof.ATTESTATION),
        (date(2026, 11, 26), Proof.ATTESTATION),
        (date(2026, 11, 25), Proof.STALE_ATTESTATION),
    ],
)
def test_an_attestation_counts_until_the_end_of_its_last_day(until: date, proof: Proof) -> None:
    assert proof_of(obligation(Party.CUSTOMER, customer=attested(until)), (), TODAY) is proof


def test_an_attestation_that_nobody_has_given_is_due() -> None:
    asked = obligation(Party.CUSTOMER, customer=Duty("Train.", Verification.ATTESTATION))

    assert proof_of(asked, (), TODAY) is Proof.STALE_ATTESTATION


def test_where_a_person_was_asked_for_a_control_does_not_answer_instead() -> None:
    stale = obligation(Party.CUSTOMER, customer=attested(date(2026, 1, 2)))

    assert proof_of(stale, ("users-have-mfa",), TODAY) is Proof.STALE_ATTESTATION


def test_controls_are_found_by_the_requirements_that_they_name() -> None:
    named = [control("b", nist=("AC-2", "AC-3")), control("a", nist=("AC-2",), cis=("AC-6",)), control("c", cis=("1",))]

    assert serving(named, "nist") == {"AC-2": ("a", "b"), "AC-3": ("b",)}


def test_every_requirement_counts_once_under_its_party_its_owner_and_its_proof() -> None:
    counted = coverage(
        framework(
            requirement("AC-1", obligation(Party.CUSTOMER, team="grc")),
            requirement("AC-2", obligation(Party.SHARED, team="security")),
            requirement("AC-3", obligation(Party.CUSTOMER)),
            requirement("PE-1", obligation(Party.PROVIDER)),
        ),
        tier=Tier.IAAS,
        baseline=None,
        serving={"AC-2": ("a",)},
        today=TODAY,
    )

    overall = counted.overall
    assert overall.requirements == sum(overall.parties.values()) == sum(overall.proofs.values()) == 4
    assert overall.parties == {Party.PROVIDER: 1, Party.CUSTOMER: 2, Party.SHARED: 1}
    assert (overall.assigned, overall.unassigned) == (2, 1)
    assert {proof: count for proof, count in overall.proofs.items() if count} == {
        Proof.CONTROLS: 1,
        Proof.PROVIDER_REPORT: 1,
        Proof.UNVERIFIED: 2,
    }
    assert {family: tally.requirements for family, tally in counted.families.items()} == {"AC": 3, "PE": 1}


def test_teams_have_what_is_ours_and_nobody_what_no_team_has() -> None:
    counted = coverage(
        framework(
            requirement("AC-1", obligation(Party.CUSTOMER)),
            requirement("AC-2", obligation(Party.SHARED, team="security")),
            requirement("PE-1", obligation(Party.PROVIDER)),
        ),
        tier=Tier.IAAS,
        baseline=None,
        serving={},
        today=TODAY,
    )

    assert [(team, tally.requirements) for team, tally in counted.teams.items()] == [("security", 1), (None, 1)]


def test_a_baseline_counts_only_what_is_in_it() -> None:
    low = requirement("AC-1", obligation(Party.CUSTOMER), "low")
    counted = coverage(
        framework(low, requirement("AC-2", obligation(Party.CUSTOMER))),
        tier=Tier.IAAS,
        baseline="low",
        serving={},
        today=TODAY,
    )

    assert [each.requirement for each in counted.judged] == [low]


def test_what_was_signed_otherwise_is_told_with_who_signed_it() -> None:
    signature = Signature("helena", date(2026, 10, 1), "row 41", was=Party.SHARED)
    counted = coverage(
        framework(
            requirement("AC-1", obligation(Party.CUSTOMER, signature=signature)),
            requirement("AC-2", obligation(Party.CUSTOMER)),
        ),
        tier=Tier.IAAS,
        baseline=None,
        serving={},
        today=TODAY,
    )

    assert counted.overall.signed == 1
    assert [(judged.requirement.id, signed) for judged, signed in counted.signed] == [("AC-1", signature)]
