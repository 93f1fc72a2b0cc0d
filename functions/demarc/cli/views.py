"""Teams, the line and the assignments as `demarc matrix show` tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demarc.cli.failures import Unusable
from demarc.cli.matrices import Shown
from demarc.cli.terminal import fact, headline, say, table
from demarc.cli.told import SIDES
from demarc.core.matrix import Assignment, Team
from demarc.core.model import Layer, Tier
from demarc.core.wire import to_wire

if TYPE_CHECKING:
    from demarc.authoring.compile import CompiledMatrix


def teams(rules: CompiledMatrix, resource_type: str | None) -> Shown:
    if resource_type:
        raise Unusable("teams are not told by type. Leave --type out")
    organization = rules.organization
    rows = [_team(team, rules) for team in organization.teams.values()]
    return Shown(rows, lambda: _tell_teams(rows))


def _team(team: Team, rules: CompiledMatrix) -> dict[str, Any]:
    organization = rules.organization
    return {
        "team": team.id,
        "name": team.name,
        "accountable": organization.people[team.accountable].name,
        "email": team.email,
        "channel": team.channel,
        "people": [
            {"id": each.id, "name": each.name, "email": each.email}
            for each in organization.people.values()
            if each.team == team.id
        ],
        "accounts": [each.id for each in organization.accounts.values() if each.team == team.id],
        "workloads": [each.id for each in organization.workloads.values() if each.team == team.id],
        "governance": team.id == organization.governance,
    }


def _tell_teams(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        headline(row["team"], row["name"])
        fact("answers", row["accountable"] + (", also for what nobody claims" if row["governance"] else ""))
        fact("reach", ", ".join(filter(None, (row["email"], row["channel"]))))
        fact("people", ", ".join(each["name"] for each in row["people"]))
        for label, names in (("account", row["accounts"]), ("runs", row["workloads"])):
            if names:
                fact(label, ", ".join(names))
        say()


def responsibility(rules: CompiledMatrix, resource_type: str | None) -> Shown:
    tiers, lines = rules.responsibility.tiers, rules.responsibility.lines
    chosen = [tiers[resource_type]] if resource_type else list(Tier)
    rows = [
        {"layer": layer, "tier": tier, "party": lines[tier][layer].party, "reason": lines[tier][layer].reason}
        for layer in Layer
        for tier in chosen
    ]
    if resource_type:
        return Shown(rows, lambda: _tell_lines_of(resource_type, rows))
    return Shown(rows, lambda: _tell_lines(rows, rules))


def _tell_lines_of(resource_type: str, rows: list[dict[str, Any]]) -> None:
    headline(resource_type, f"is consumed as {rows[0]['tier']}")
    table(("layer", "whose", "because"), [(row["layer"], SIDES[row["party"]], row["reason"]) for row in rows])


def _tell_lines(rows: list[dict[str, Any]], rules: CompiledMatrix) -> None:
    sides = {(row["layer"], row["tier"]): SIDES[row["party"]] for row in rows}
    table(("layer", *Tier), [(layer, *(sides[layer, tier] for tier in Tier)) for layer in Layer])
    say()
    for tier in Tier:
        types = sorted(each for each, said in rules.responsibility.tiers.items() if said is tier)
        fact(tier, ", ".join(types) or "no type that is judged")


def assignments(rules: CompiledMatrix, resource_type: str | None) -> Shown:
    organization = rules.organization
    chosen = [
        row for row in organization.assignments if not (resource_type and row.types) or resource_type in row.types
    ]
    rows = [{"position": organization.assignments.index(row) + 1, **to_wire(row)} for row in chosen]
    return Shown(rows, lambda: _tell_assignments(rows, chosen, rules))


def _tell_assignments(rows: list[dict[str, Any]], chosen: list[Assignment], rules: CompiledMatrix) -> None:
    organization = rules.organization
    say(
        f"First the tag {' or '.join(organization.owner_tags)}, where its value is a team. Then the first that matches:"
    )
    say()
    for number, row in zip((row["position"] for row in rows), chosen, strict=True):
        person = organization.people[row.person or organization.teams[row.team].accountable]
        headline(f"{number}. {row.id}", f"{person.name}, team {row.team}")
        fact("matches", _matches(row))
        fact("because", row.because)
    say()
    say(
        f"Then the team that has the account. Else nobody: {organization.governance} answers, and the gap is a finding."
    )


def _matches(row: Assignment) -> str:
    parts = [
        *(f"control {each}" for each in row.controls),
        *(f"layer {each}" for each in row.layers),
        *(f"workload {each}" for each in row.workloads),
        *(f"account {each}" for each in row.accounts),
        *row.types,
        *row.arns,
        *(f"tag {key}={value}" for key, value in row.tags.items()),
    ]
    return ", ".join(parts) or "everything"
