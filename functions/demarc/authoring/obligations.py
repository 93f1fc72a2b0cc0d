"""Requirements as written -> whose they are; and what is written there but cannot be meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from fnmatch import fnmatchcase

from demarc.authoring.frameworks import (
    DutyRow,
    FamilyRow,
    FrameworkFile,
    OwnerRow,
    RequirementRow,
    SignedDutyRow,
    SignedRow,
    by_tier,
)
from demarc.authoring.source import Location, Problem, Source
from demarc.authoring.written import WrittenControl, WrittenFramework, WrittenMatrix
from demarc.core.framework import (
    EVERY_YEAR,
    Attestation,
    Basis,
    Duty,
    Framework,
    Obligation,
    Requirement,
    Signature,
    Verification,
    is_providers_report,
)
from demarc.core.model import Party, Tier

# What shows that AWS did its part shows nothing of ours, and the other way round.
_OF_THE_PROVIDER = frozenset({Verification.PROVIDER_REPORT, Verification.HEALTH})
_OF_THE_CUSTOMER = frozenset({Verification.CONTROLS})


def frameworks_of(written: WrittenMatrix) -> dict[str, Framework]:
    """Every framework, with its owners and with what was signed otherwise."""
    return {each.row.id: _framework(each, written) for each in written.frameworks}


@dataclass(frozen=True, slots=True)
class _Agreed:
    """What the organization's page and its signed matrix say of one framework; `accountable` is by team."""

    owners: tuple[OwnerRow, ...]
    signed: Mapping[tuple[str, Tier], SignedRow]
    accountable: Mapping[str, str]

    def owner(self, number: str, family: str, over: SignedRow | None) -> tuple[str | None, str | None]:
        """The team and the id of the person who answer for our part; nobody where no row matches."""
        row: SignedRow | OwnerRow | None = over if over and over.team else None
        row = row or next((each for each in self.owners if _speaks_of(each, number, family)), None)
        if row is None or row.team is None:
            return None, None
        return row.team, row.person or self.accountable.get(row.team)


def _agreed(framework: str, written: WrittenMatrix) -> _Agreed:
    signed = written.signed.signed if written.signed else ()
    owners = written.signed.owners if written.signed else ()
    teams = written.organization.teams if written.organization else ()
    return _Agreed(
        owners=tuple(each for each in owners if each.framework == framework),
        signed={
            (each.requirement, tier): each for each in signed if each.framework == framework for tier in each.tiers
        },
        accountable={team.id: team.accountable for team in teams},
    )


def _speaks_of(row: OwnerRow, number: str, family: str) -> bool:
    return (not row.families or family in row.families) and (
        not row.requirements or any(fnmatchcase(number, pattern) for pattern in row.requirements)
    )


def _framework(framework: WrittenFramework, written: WrittenMatrix) -> Framework:
    row, agreed = framework.row, _agreed(framework.row.id, written)
    return Framework(
        id=row.id,
        name=row.name,
        version=row.version,
        families={key: family.title for key, family in row.families.items()},
        baselines=row.baselines,
        requirements={
            number: _requirement(number, requirement, key, row, agreed)
            for key, family in row.families.items()
            for number, requirement in family.requirements.items()
        },
        notice=row.notice,
    )


def _requirement(
    number: str, row: RequirementRow, family: str, framework: FrameworkFile, agreed: _Agreed
) -> Requirement:
    obligations = {}
    for tier in Tier:
        over = agreed.signed.get((number, tier))
        obligation = _obligation(row, framework.families[family], framework, tier, over)
        if obligation.party is not Party.PROVIDER:
            team, person = agreed.owner(number, family, over)
            obligation = replace(obligation, team=team, person=person)
        obligations[tier] = obligation
    return Requirement(number, family, obligations, title=row.title, baselines=row.baselines)


def _obligation(
    row: RequirementRow, family: FamilyRow, framework: FrameworkFile, tier: Tier, over: SignedRow | None
) -> Obligation:
    default = party_of(row, family, tier)
    party = (over.party if over else None) or default
    rests = by_tier(row.basis, tier, ())
    kinds = {framework.references[each].basis for each in rests if each in framework.references}
    ours, theirs = (over.customer, over.provider) if over else (None, None)
    return Obligation(
        tier=tier,
        party=party,
        provider=None if party is Party.CUSTOMER else _duty(family.provider, row.provider, theirs),
        customer=None if party is Party.PROVIDER else _duty(family.customer, row.customer, ours),
        basis=Basis.SIGNED if over else next((each for each in Basis if each in kinds), Basis.INFERRED),
        references=(over.reference,) if over else rests,
        signature=Signature(over.approver, over.approved, over.reference, default) if over else None,
    )


def party_of(row: RequirementRow, family: FamilyRow, tier: Tier) -> Party:
    """Whose a requirement is for a tier, as the framework has it."""
    said = row.who or family.who
    return said[tier] if isinstance(said, dict) else said


def _duty(*rows: DutyRow | None) -> Duty:
    """One party's part: what a later row says goes before what an earlier one does."""
    text, verified, attestation, record, every = "", Verification.UNVERIFIED, None, None, EVERY_YEAR
    for row in rows:
        if row:
            text, verified, every = row.duty or text, row.verified or verified, row.every or every
        if isinstance(row, SignedDutyRow):
            attestation, record = row.attestation, row.record
    given = attestation and Attestation(attestation.by, attestation.given, attestation.until, attestation.evidence)
    return Duty(text, verified, given or None, record, every)


# --- what cannot be meant -------------------------------------------------------------------------------------------


def problems_of_obligations(written: WrittenMatrix, *, today: date | None) -> Iterator[Problem]:
    """Every problem of the frameworks, of what was signed, and of the requirements that controls name."""
    for framework in written.frameworks:
        yield from _problems_of(framework)
    yield from _named(written)
    if written.signed:
        yield from _owners(written)
        yield from _signed(written, today=today)


def _problems_of(framework: WrittenFramework) -> Iterator[Problem]:
    row, source = framework.row, framework.source
    if framework.name != row.id:
        yield source.problem(("id",), f"the file is called {framework.name}, not {row.id}", "Name it like its id")
    seen: dict[str, str] = {}
    named: set[str] = set()
    for key, family in row.families.items():
        at: Location = ("families", key)
        if not family.requirements:
            yield source.problem(at, f"the family {key} has no requirement", "Add one, or remove the family")
        yield from _rests_on_its_own(family, at, source)
        for number, requirement in family.requirements.items():
            place = (*at, "requirements", number)
            if number in seen:
                yield source.problem(place, f"{number} is in the family {seen[number]} already", "Keep one")
            if number in row.withdrawn:
                yield source.problem(place, f"{number} is withdrawn too", "Keep it here or there")
            seen.setdefault(number, key)
            named |= set(requirement.baselines)
            for baseline in requirement.baselines:
                if baseline not in row.baselines:
                    yield source.problem(
                        (*place, "in"), f"{number}: there is no baseline {baseline!r}", _known(baseline, row.baselines)
                    )
            yield from _row(number, requirement, family, place, framework)
    for baseline in row.baselines:
        if baseline not in named:
            yield source.problem(("baselines", baseline), f"nothing is in the baseline {baseline}", "Remove it")


def _row(
    number: str, row: RequirementRow, family: FamilyRow, place: Location, framework: WrittenFramework
) -> Iterator[Problem]:
    source, references = framework.source, framework.row.references
    rests = row.basis.values() if isinstance(row.basis, dict) else [row.basis]
    for reference in {each for some in rests for each in some}:
        if reference not in references:
            yield source.problem(
                (*place, "basis"), f"{number}: there is no reference {reference!r}", _known(reference, references)
            )
    parties = {party_of(row, family, tier) for tier in Tier}
    for side, other, rows in (
        ("provider", Party.CUSTOMER, (family.provider, row.provider)),
        ("customer", Party.PROVIDER, (family.customer, row.customer)),
    ):
        if parties != {other} and not _duty(*rows).text:
            yield source.problem(
                place, f"{number}: nothing says what the {side} has to do", f"Give its family a `{side}` with a `duty`"
            )
        if parties == {other} and rows[1]:
            yield source.problem(
                (*place, side), f"{number} has no part of the {side}'s", "Remove it, or say who it is shared with"
            )
    yield from _rests_on_its_own(row, place, source)


def _rests_on_its_own(row: FamilyRow | RequirementRow | SignedRow, at: Location, source: Source) -> Iterator[Problem]:
    """Certifications are not inherited: each party's duty is shown by what that party did."""
    if row.customer and row.customer.verified in _OF_THE_PROVIDER:
        yield _inherited(at, source, "verified")
    if isinstance(row.customer, SignedDutyRow):
        attested = row.customer.attestation
        for text, field in ((attested and attested.evidence, "attestation"), (row.customer.record, "record")):
            if text and is_providers_report(text):
                yield _inherited(at, source, field)
    if row.provider and row.provider.verified in _OF_THE_CUSTOMER:
        yield source.problem(
            (*at, "provider", "verified"),
            "controls look at our resources and show nothing of AWS's part",
            "Use provider-report, health, process-record or unverified",
        )


def _inherited(at: Location, source: Source, field: str) -> Problem:
    return source.problem(
        (*at, "customer", field),
        "our part cannot rest on what AWS reports of itself: certifications are not inherited",
        "Use controls, attestation or process-record with evidence of our own, or unverified",
    )


def _named(written: WrittenMatrix) -> Iterator[Problem]:
    """Requirements that controls name and that do not exist."""
    numbers = {each.row.id: frozenset(_numbers(each)) for each in written.frameworks}
    withdrawn = {each.row.id: each.row.withdrawn for each in written.frameworks}
    for control in written.controls:
        for framework, ids in control.row.references.items():
            if framework not in written.framework_names:
                yield control.problem(
                    f"unknown framework {framework!r}",
                    _known(framework, written.framework_names),
                    "references",
                    framework,
                )
            elif framework in numbers:
                yield from _unknown(control, framework, ids, numbers[framework], withdrawn[framework])


def _unknown(
    control: WrittenControl,
    framework: str,
    ids: Sequence[str],
    numbers: frozenset[str],
    withdrawn: Mapping[str, Sequence[str]],
) -> Iterator[Problem]:
    for index, number in enumerate(ids):
        if number in numbers:
            continue
        place = (control.index, "references", framework, index)
        if number in withdrawn:
            what, do = f"{framework} has withdrawn {number}", f"Use {', '.join(withdrawn[number]) or 'another'}"
        else:
            what, do = f"{framework} has no requirement {number!r}", _known(number, numbers)
        yield control.source.problem(place, f"{control.row.id}: {what}", do)


def _numbers(framework: WrittenFramework) -> Iterator[str]:
    for family in framework.row.families.values():
        yield from family.requirements


def _known(word: str, known: Iterable[str]) -> str:
    names = sorted(known)
    if near := get_close_matches(word, names, n=1, cutoff=0.6):
        return f"Did you mean {near[0]}?"
    return f"Use one of: {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}"


def _owners(written: WrittenMatrix) -> Iterator[Problem]:
    source = written.signed_source
    for index, row in enumerate(written.signed.owners if written.signed else ()):
        at: Location = ("owners", index)
        yield from _people(at, {"team": row.team, "person": row.person}, written)
        framework, problem = _framework_named(row.framework, at, written)
        if problem:
            yield problem
        if framework is None:
            continue
        for number, family in enumerate(row.families):
            if family not in framework.row.families:
                yield source.problem(
                    (*at, "families", number),
                    f"{row.framework} has no family {family!r}",
                    _known(family, framework.row.families),
                )
        numbers = tuple(_numbers(framework))
        for number, pattern in enumerate(row.requirements):
            if not any(fnmatchcase(each, pattern) for each in numbers):
                yield source.problem(
                    (*at, "requirements", number),
                    f"{row.framework} has no requirement {pattern!r}",
                    _known(pattern, numbers),
                )


def _framework_named(name: str, at: Location, written: WrittenMatrix) -> tuple[WrittenFramework | None, Problem | None]:
    """A framework by its id; nothing, without a problem, where its file has problems of its own."""
    framework = next((each for each in written.frameworks if each.row.id == name), None)
    if framework or name in written.framework_names:
        return framework, None
    known = _known(name, written.framework_names)
    return None, written.signed_source.problem((*at, "framework"), f"unknown framework {name!r}", known)


def _people(at: Location, named: Mapping[str, str | None], written: WrittenMatrix) -> Iterator[Problem]:
    if written.organization is None:
        return
    known = {
        "team": {each.id for each in written.organization.teams},
        "person": {each.id for each in written.organization.people},
    }
    for field, name in named.items():
        kind = "team" if field == "team" else "person"
        if name is not None and name not in known[kind]:
            yield written.signed_source.problem(
                (*at, *field.split(".")), f"there is no {kind} {name!r}", _known(name, known[kind])
            )


def _signed(written: WrittenMatrix, *, today: date | None) -> Iterator[Problem]:
    source = written.signed_source
    first: dict[tuple[str, str, Tier], int] = {}
    for index, row in enumerate(written.signed.signed if written.signed else ()):
        at: Location = ("signed", index)
        for tier in row.tiers:
            other = first.setdefault((row.framework, row.requirement, tier), index)
            if other != index:
                line = source.line_of(("signed", other))
                yield source.problem(
                    at, f"{row.requirement} of {row.framework} is signed twice for {tier} (line {line})", "Keep one"
                )
        attestation = row.customer.attestation if row.customer else None
        named = {"team": row.team, "person": row.person, "approver": row.approver}
        named["customer.attestation.by"] = attestation.by if attestation else None
        yield from _people(at, named, written)
        if today and row.approved > today:
            yield source.problem(
                (*at, "approved"), f"{row.approved.isoformat()} has not come yet", "Write the day it was signed"
            )
        yield from _rests_on_its_own(row, at, source)
        framework, problem = _framework_named(row.framework, at, written)
        if problem:
            yield problem
        if framework:
            yield from _overrides(row, at, framework, source)


def _overrides(row: SignedRow, at: Location, framework: WrittenFramework, source: Source) -> Iterator[Problem]:
    """A signed row speaks of a requirement that there is, and only of the parts that it has afterwards."""
    found = next(
        (
            (family.requirements[row.requirement], family)
            for family in framework.row.families.values()
            if row.requirement in family.requirements
        ),
        None,
    )
    if found is None:
        yield source.problem(
            (*at, "requirement"),
            f"{row.framework} has no requirement {row.requirement!r}",
            _known(row.requirement, _numbers(framework)),
        )
        return
    requirement, family = found
    parties = {row.party or party_of(requirement, family, tier) for tier in row.tiers}
    for side, other, mine, rows in (
        ("provider", Party.CUSTOMER, row.provider, (family.provider, requirement.provider, row.provider)),
        ("customer", Party.PROVIDER, row.customer, (family.customer, requirement.customer, row.customer)),
    ):
        if other in parties and mine:
            yield source.problem(
                (*at, side), f"{row.requirement} has no part of the {side}'s", "Remove it, or make it `party: shared`"
            )
        if parties != {other} and not _duty(*rows).text:
            yield source.problem(
                at, f"nothing says what the {side} has to do for {row.requirement}", f"Give the row a `{side}.duty`"
            )
    if Party.PROVIDER in parties and row.team:
        yield source.problem((*at, "team"), "AWS answers for it alone, so nobody here owns it", "Remove the team")
