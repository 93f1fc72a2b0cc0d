"""A workload's obligations as `demarc matrix show --workload` tells them: by layer, whose, who, and what shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from demarc.cli.failures import Unusable
from demarc.cli.matrices import Shown
from demarc.cli.terminal import fact, headline, say, table
from demarc.cli.told import SIDES, counted, meant
from demarc.cli.told import owner_of as told
from demarc.core.attribution import owner_of
from demarc.core.framework import Verification
from demarc.core.matrix import Line, Organization, Workload
from demarc.core.model import Control, Layer, Owner, Party, Resource, Severity, Tier

if TYPE_CHECKING:
    from demarc.authoring.compile import CompiledMatrix

_SHOWN_BY = {
    Verification.PROVIDER_REPORT: "AWS's reports, in AWS Artifact",
    Verification.UNVERIFIED: "nothing that Demarc looks at",
}
_NOTE = (
    "Owners are those that can be named without looking at a resource: an owner tag or an ARN may name another. "
    "Controls are those on the layer for the services' types; whether they hold is what findings tell."
)


@dataclass(frozen=True)
class _Obligation:
    """One layer of what a workload consumes as one tier."""

    layer: Layer
    tier: Tier
    services: tuple[str, ...]
    line: Line
    controls: tuple[str, ...]
    owners: tuple[Owner, ...]

    @property
    def verified(self) -> Verification:
        if self.line.party is Party.PROVIDER:
            return Verification.PROVIDER_REPORT
        return Verification.CONTROLS if self.controls else Verification.UNVERIFIED


def workload_in_full(workload_id: str, rules: CompiledMatrix) -> Shown:
    """Every obligation of one workload.

    Raises:
        Unusable: if there is no such workload.
    """
    workloads = rules.organization.workloads
    if workload_id not in workloads:
        raise Unusable(f"there is no workload {workload_id!r}. {meant(workload_id, workloads)}")
    workload = workloads[workload_id]
    obligations = list(_obligations(workload, rules))
    return Shown(
        [_row(workload, each) for each in obligations],
        lambda: _tell(workload, obligations, rules),
    )


def _obligations(workload: Workload, rules: CompiledMatrix) -> Iterator[_Obligation]:
    tiers: dict[Tier, list[str]] = {}
    for service, tier in workload.services.items():
        tiers.setdefault(tier, []).append(service)
    for layer in Layer:
        for tier in Tier:
            if tier not in tiers and not (tier is workload.tier and not tiers):
                continue
            services = tuple(tiers.get(tier, ()))
            controls = list(_controls_on(layer, services, rules))
            line = rules.responsibility.lines[tier][layer]
            ours = line.party is not Party.PROVIDER
            owners = tuple(_owners(workload, layer, controls, rules.organization)) if ours else ()
            yield _Obligation(layer, tier, services, line, tuple(sorted({each.id for each in controls})), owners)


def _controls_on(layer: Layer, services: tuple[str, ...], rules: CompiledMatrix) -> Iterator[Control]:
    wanted = {service.casefold() for service in services}
    for resource_type, controls in rules.controls.items():
        if resource_type.split("::")[1].casefold() in wanted:
            yield from (control for control in controls if control.layer is layer)


def _owners(workload: Workload, layer: Layer, controls: list[Control], organization: Organization) -> Iterator[Owner]:
    """Who answers for controls on a layer of a workload; where there are none, whoever would."""
    account = workload.accounts[0] if workload.accounts else "?"
    tags = {organization.workload_tag: workload.id}
    found: dict[tuple[str, str], Owner] = {}
    for control in controls or [Control("?", "", Severity.LOW, layer, "?", "", {}, needs=())]:
        resource = Resource(control.resource_type, identifier="?", account=account, region="?", arn="?")
        owner = owner_of(resource, tags, organization, control=control, workload=workload)
        found.setdefault((owner.team, owner.person), owner)
    yield from found.values()


def _row(workload: Workload, each: _Obligation) -> dict[str, Any]:
    return {
        "workload": workload.id,
        "layer": each.layer,
        "tier": each.tier,
        "services": each.services,
        "party": each.line.party,
        "reason": each.line.reason,
        "owners": each.owners,
        "verified": each.verified,
        "controls": each.controls,
    }


def _tell(workload: Workload, obligations: list[_Obligation], rules: CompiledMatrix) -> None:
    team = rules.organization.teams[workload.team]
    headline(workload.id, f"{workload.name}, run by {team.name}")
    for tier, services in _by_tier(workload).items():
        fact(tier, ", ".join(services) or "the whole of it; no service is named")
    say()
    rows = [
        (each.layer, each.tier, SIDES[each.line.party], _who(each), _shown_by(each), each.line.reason)
        for each in obligations
    ]
    table(("layer", "tier", "whose", "who", "shown by", "because"), rows, whole=(0, 1, 2))
    say()
    fact("note", _NOTE)


def _by_tier(workload: Workload) -> Mapping[Tier, list[str]]:
    if not workload.services:
        return {workload.tier: []}
    tiers = sorted(set(workload.services.values()))
    return {tier: [service for service, said in workload.services.items() if said is tier] for tier in tiers}


def _who(each: _Obligation) -> str:
    if each.line.party is Party.PROVIDER:
        return "AWS"
    return "; ".join(f"nobody: {owner.team} answers" if owner.attribution_gap else told(owner) for owner in each.owners)


def _shown_by(each: _Obligation) -> str:
    return _SHOWN_BY.get(each.verified) or counted(len(each.controls), "control")
