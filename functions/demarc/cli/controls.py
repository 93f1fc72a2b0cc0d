"""Controls as `demarc matrix show` tells them: all with their owners, or one in full."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demarc.cli.failures import Unusable
from demarc.cli.matrices import Shown
from demarc.cli.owners import attributed
from demarc.cli.terminal import fact, headline, say, table
from demarc.cli.told import SIDES, counted, line_of, meant, owner_of
from demarc.core.announcement import spoken
from demarc.core.matrix import Matrix
from demarc.core.model import OCCURRENCE, Attribution, Control, Owner, Resource
from demarc.core.wire import to_wire

if TYPE_CHECKING:
    from demarc.authoring.compile import CompiledMatrix
    from demarc.authoring.written import WrittenControl

_EVERY_TYPE = "every type"
_UNCLAIMED = "unclaimed"
_UNCLAIMED_MEANS = (
    "unclaimed: no row names an owner before the resource is looked at. Its owner tag, its workload or its ARN may; "
    "if none does, governance answers and the gap is a finding."
)
_NAMED = 3


@dataclass(frozen=True)
class _Duty:
    """A control on a resource type, and whose it is in each account, as far as the matrix alone can say."""

    control: Control
    anywhere: Attribution
    attributions: Mapping[str, Attribution]

    @property
    def owners(self) -> dict[str, Owner | None]:
        """By account id; None where no row names one."""
        return {
            account: None if attribution.owner.attribution_gap else attribution.owner
            for account, attribution in self.attributions.items()
        }


def _duty(control: Control, rules: CompiledMatrix, matrix: Matrix) -> _Duty:
    nameless = Resource(control.resource_type, identifier="?", account="?", region="?", arn="?")
    there = {each: replace(nameless, account=each) for each in rules.organization.accounts}
    return _Duty(
        control,
        anywhere=attributed(control, nameless, matrix),
        attributions={account: attributed(control, resource, matrix) for account, resource in there.items()},
    )


def controls(rules: CompiledMatrix, resource_type: str | None) -> Shown:
    matrix = rules.matrix()
    types = [resource_type] if resource_type else sorted(rules.controls)
    duties = [_duty(control, rules, matrix) for each in types for control in rules.controls[each]]
    rows = [
        {
            "control": duty.control.id,
            "title": duty.control.title,
            "type": duty.control.resource_type,
            "severity": duty.control.severity,
            "layer": duty.control.layer,
            "tier": duty.anywhere.tier,
            "party": duty.anywhere.party,
            "security_hub": duty.control.security_hub,
            "owners": duty.owners,
        }
        for duty in duties
    ]
    return Shown(rows, lambda: _tell_controls(duties, rules))


def _tell_controls(duties: list[_Duty], rules: CompiledMatrix) -> None:
    unclaimed = False
    for section, listed in _sections(duties).items():
        headline(section, f"{_tiers(listed)}{counted(len(listed), 'control')}")
        for owners, controls in _by_owners(listed, rules).items():
            unclaimed = unclaimed or _UNCLAIMED in owners
            fact("owner", owners)
            rows = [
                ("", each.severity, each.id, each.layer, SIDES[listed[each.id][0].anywhere.party]) for each in controls
            ]
            table([""] * 5, rows, whole=(2,))
        say()
    if unclaimed:
        say(_UNCLAIMED_MEANS)


def _sections(duties: list[_Duty]) -> dict[str, dict[str, list[_Duty]]]:
    """Duties by type and control; those on every type together and first, so that they are not told for each."""
    types = {duty.control.resource_type for duty in duties} - {OCCURRENCE}
    on: dict[str, set[str]] = {}
    for duty in duties:
        on.setdefault(duty.control.id, set()).add(duty.control.resource_type)
    sections: dict[str, dict[str, list[_Duty]]] = {_EVERY_TYPE: {}}
    for duty in duties:
        everywhere = len(types) > 1 and on[duty.control.id] == types
        section = _EVERY_TYPE if everywhere else duty.control.resource_type
        sections.setdefault(section, {}).setdefault(duty.control.id, []).append(duty)
    return {section: listed for section, listed in sections.items() if listed}


def _tiers(listed: Mapping[str, list[_Duty]]) -> str:
    tiers = {duty.anywhere.tier for same in listed.values() for duty in same}
    return f"{next(iter(tiers))}, " if len(tiers) == 1 else ""


def _by_owners(listed: Mapping[str, list[_Duty]], rules: CompiledMatrix) -> dict[str, list[Control]]:
    """Controls with the same owners together, so that these are told once."""
    by_owners: dict[str, list[Control]] = {}
    for same in listed.values():
        by_owners.setdefault(_owners_of(same, rules), []).append(same[0].control)
    return by_owners


def _owners_of(same: list[_Duty], rules: CompiledMatrix) -> str:
    """The owners of one control; where they are not the same on every type it has, whoever owns the resource."""
    said = {_owners_text(duty, rules) for duty in same}
    return said.pop() if len(said) == 1 else "whoever owns the resource"


def _owners_text(duty: _Duty, rules: CompiledMatrix) -> str:
    """Owners and, where they are not the same everywhere, in which accounts; the one with most comes first."""
    where: dict[str, list[str]] = {}
    for account, owner in duty.owners.items():
        who = owner_of(owner) if owner else _UNCLAIMED
        where.setdefault(who, []).append(rules.organization.accounts[account].name)
    if len(where) == 1:
        return next(iter(where))
    most_first = sorted(where.items(), key=lambda each: (each[0] == _UNCLAIMED, -len(each[1]), each[0]))
    return "; ".join(f"{who} in {_some(names)}" for who, names in most_first)


def _some(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= _NAMED else counted(len(names), "account")


# --- one control ----------------------------------------------------------------------------------------------------


def control_in_full(control_id: str, rules: CompiledMatrix, root: Path) -> Shown:
    """Everything that is written about one control, and whose it is on each type.

    Raises:
        Unusable: if there is no such control.
    """
    from demarc.authoring.written import read_matrix

    written = {control.row.id: control for control in read_matrix(root).controls}
    if control_id not in written:
        raise Unusable(f"there is no control {control_id!r}. {meant(control_id, written)}")
    matrix = rules.matrix()
    compiled = [control for rows in rules.controls.values() for control in rows if control.id == control_id]
    duties = [_duty(control, rules, matrix) for control in compiled]
    chosen = written[control_id]
    place = f"{root.parent / chosen.source.file}:{chosen.source.line_of((chosen.index,))}"
    rows = [_full(duty, chosen, rules, place) for duty in duties]
    return Shown(rows, lambda: _tell_in_full(duties, chosen, rules, place))


def _full(duty: _Duty, written: WrittenControl, rules: CompiledMatrix, place: str) -> dict[str, Any]:
    return {
        **to_wire(duty.control),
        "why": written.row.why,
        "written_at": place,
        "tier": duty.anywhere.tier,
        "party": duty.anywhere.party,
        "line": duty.anywhere.line,
        "division": duty.anywhere.division,
        "owners": duty.owners,
        "exceptions": [each for each in rules.organization.exceptions if each.control == duty.control.id],
    }


def _tell_in_full(duties: list[_Duty], written: WrittenControl, rules: CompiledMatrix, place: str) -> None:
    control = duties[0].control
    headline(control.id, control.title)
    fact("about", f"{control.resource_type if len(duties) == 1 else _EVERY_TYPE}, {control.severity}")
    if control.occurrence:
        service = control.occurrence.source.partition(".")[0]
        calls = ", ".join(f"{service}:{name}" for name in control.occurrence.calls)
        fact("never", calls or "any call that changes something")
        _tell_each("where", [f"{path} is {spoken(wanted)}" for path, wanted in control.occurrence.where.items()])
    for label, paths in (("where", control.when), ("needs", control.require)):
        _tell_each(label, [f"{path} is {spoken(wanted)}" for path, wanted in paths.items()])
    if control.check:
        given = ", ".join(f"{name}={spoken(value)}" for name, value in control.parameters.items())
        fact("check", f"demarc.checks.{control.check}({given})")
    fact("why", written.row.why)
    fact("fix", control.guidance)
    lines = _lines_text(duties)
    if len(duties) == 1 and duties[0].anywhere.division:
        lines.append(duties[0].anywhere.division)
    _tell_each("line", lines)
    fact("owner", _owners_of(duties, rules))
    for risk in rules.organization.exceptions:
        if risk.control == control.id:
            last = risk.expires - timedelta(days=1)
            by = rules.organization.people[risk.approver].name
            fact("except", f"{risk.resource} until {last:%Y-%m-%d}, approved by {by}: {risk.reason} [{risk.id}]")
    served = [f"{framework} {', '.join(ids)}" for framework, ids in control.references.items() if ids]
    _tell_each("serves", served + [f"Security Hub {each}" for each in control.security_hub])
    fact("from", place)


def _tell_each(label: str, sentences: Iterable[str]) -> None:
    for number, sentence in enumerate(sentences):
        fact("" if number else label, sentence)


def _lines_text(duties: list[_Duty]) -> list[str]:
    """Where the line runs, with the tiers for which it runs alike in one sentence."""
    alike: dict[str, list[_Duty]] = {}
    for duty in duties:
        alike.setdefault(duty.anywhere.line, []).append(duty)
    return [
        line_of(same[0].control.layer, same[0].anywhere, *(duty.anywhere.tier for duty in same))
        for same in alike.values()
    ]
