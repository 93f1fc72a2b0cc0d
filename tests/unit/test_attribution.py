"""Whose it is: the first row that matches, and never silently nobody's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from demarc.core.attribution import attribute, exception_for, person_of, relation_of, with_attribution
from demarc.core.matrix import Person
from demarc.core.model import Actor, ActorKind, Control, Layer, Party, Relation, Resource, Severity, Tier
from demarc.core.snapshot import Snapshot
from tests.organizations import OWNED, SHARED, matrix_of, organization

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CONTROL = Control(
    id="bucket-is-logged",
    title="Buckets are logged",
    severity=Severity.MEDIUM,
    layer=Layer.DATA,
    resource_type="AWS::S3::Bucket",
    guidance="",
    references={},
    needs=(),
)


def bucket(name: str = "photos", *, account: str = SHARED, **tags: str) -> Snapshot:
    resource = Resource("AWS::S3::Bucket", name, account, "eu-west-1", f"arn:aws:s3:::{name}")
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    return Snapshot(resource, NOON, {"Tags": listed}, read=frozenset({"Tags"}))


def test_an_owner_tag_that_names_a_team_comes_first() -> None:
    owner = attribute(CONTROL, bucket("logs-1", owner="payments"), matrix_of()).owner

    assert (owner.team, owner.person, owner.row) == ("payments", "Jonas Weber", "tag:owner")


def test_a_second_owner_tag_is_asked_when_the_first_names_nobody() -> None:
    owner = attribute(CONTROL, bucket(owner="paymnts", team="payments"), matrix_of()).owner

    assert owner.row == "tag:team"


def test_the_first_assignment_that_matches_names_team_and_person() -> None:
    owner = attribute(CONTROL, bucket(workload="vault"), matrix_of()).owner

    assert (owner.team, owner.person, owner.email) == ("payments", "Aiko Tanaka", "aiko@example.com")
    assert owner.row == "assignment:vault"


def test_a_layer_of_the_same_workload_may_be_somebody_elses() -> None:
    network = replace(CONTROL, layer=Layer.NETWORK_CONFIGURATION)

    assert attribute(network, bucket(workload="vault"), matrix_of()).owner.team == "platform"


def test_an_assignment_may_go_by_arn() -> None:
    assert attribute(CONTROL, bucket("logs-2026"), matrix_of()).owner.row == "assignment:logs"


def test_what_no_row_claims_is_the_account_teams() -> None:
    owner = attribute(CONTROL, bucket(account=OWNED), matrix_of()).owner

    assert (owner.team, owner.row) == ("platform", f"account:{OWNED}")


@pytest.mark.parametrize("account", [SHARED, "999999999999"])
def test_what_nobody_claims_is_governances_and_says_so(account: str) -> None:
    owner = attribute(CONTROL, bucket(account=account), matrix_of()).owner

    assert (owner.team, owner.attribution_gap) == ("grc", True)
    assert "nobody claims it" in owner.because


def test_tags_that_could_not_be_read_leave_the_rows_that_need_none() -> None:
    blind = replace(bucket("logs-1"), read=frozenset(), unread={"Tags": "denied"})

    assert attribute(CONTROL, blind, matrix_of()).owner.row == "assignment:logs"


def test_the_party_follows_from_tier_and_layer() -> None:
    engine = attribute(replace(CONTROL, layer=Layer.RUNTIME), bucket(), matrix_of())

    assert (engine.tier, engine.party) == (Tier.PAAS, Party.SHARED)
    assert engine.line == "AWS publishes versions; we choose one."


@pytest.mark.parametrize(
    ("tags", "gap", "stray"),
    [
        ({"owner": "payments"}, False, None),
        ({"workload": "vault"}, False, None),
        ({}, True, None),
        ({"owner": "paymnts"}, True, "paymnts"),
    ],
)
def test_a_snapshot_knows_whether_anybody_claims_it(tags: dict[str, str], gap: bool, stray: str | None) -> None:
    seen = with_attribution(bucket(**tags), organization())

    assert (seen["Attribution.Gap"], seen["Attribution.UnknownOwnerTag"]) == (gap, stray)


@pytest.mark.parametrize(
    ("actor", "relation"),
    [
        (Actor(ActorKind.HUMAN, "jonas@example.com"), Relation.SAME_TEAM),
        (Actor(ActorKind.HUMAN, "AIKO@example.com"), Relation.SAME_TEAM),
        (Actor(ActorKind.HUMAN, "mara@example.com"), Relation.OTHER_TEAM),
        (Actor(ActorKind.HUMAN, "stranger@example.com"), Relation.UNKNOWN),
        (Actor(ActorKind.PIPELINE, "repo:example/shop"), Relation.PIPELINE),
        (Actor(ActorKind.ROLE_SESSION, "ci", role=f"arn:aws:iam::{SHARED}:role/deploy-shop"), Relation.PIPELINE),
        (
            Actor(ActorKind.HUMAN, "jonas@example.com", role=f"arn:aws:iam::{SHARED}:role/break-glass"),
            Relation.BREAK_GLASS,
        ),
        (Actor(ActorKind.ROOT, "root"), Relation.BREAK_GLASS),
        (Actor(ActorKind.AWS_SERVICE, "rds.amazonaws.com"), Relation.AWS),
        (Actor(ActorKind.ROLE_SESSION, "x", role=f"arn:aws:iam::{SHARED}:role/Demarc-data"), Relation.DEMARC),
        (Actor(ActorKind.UNKNOWN, ""), Relation.UNKNOWN),
    ],
)
def test_the_actor_stands_somehow_to_the_owner(actor: Actor, relation: Relation) -> None:
    owner = attribute(CONTROL, bucket(owner="payments"), matrix_of()).owner

    assert relation_of(actor, owner, organization()) is relation


def test_an_exception_covers_its_control_on_its_resources_until_it_expires() -> None:
    covered, other = bucket("logs-1").resource, bucket("photos").resource

    risk = exception_for(CONTROL, covered, organization(), NOON)

    assert risk is not None
    assert (risk.id, risk.approver) == ("RISK-1", "Helena Novak")
    assert exception_for(CONTROL, other, organization(), NOON) is None
    assert exception_for(replace(CONTROL, id="another"), covered, organization(), NOON) is None
    assert exception_for(CONTROL, covered, organization(), datetime(2027, 1, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize("name", ["jonas@example.com", "Jonas@Example.com", "jonas", "JONAS"])
def test_a_person_goes_by_their_address_and_their_id_in_any_case_of_letters(name: str) -> None:
    person = person_of(name, organization())

    assert person is not None
    assert person.name == "Jonas Weber"


@pytest.mark.parametrize("name", ["", "jon", "jonas@example.com.evil.example", "Jonas Weber", "payments"])
def test_a_name_that_is_only_like_it_is_nobodys(name: str) -> None:
    assert person_of(name, organization()) is None


def test_no_name_is_nobodys_even_where_somebody_has_no_address() -> None:
    people = {"olga": Person("olga", "Olga Berg", "", "payments")}

    assert person_of("", organization(people=people)) is None
