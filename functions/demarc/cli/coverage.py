"""`demarc matrix coverage`: whose every requirement of a framework is, who answers for it, and what shows it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from demarc.cli import options
from demarc.cli.deployment import Deployment
from demarc.cli.failures import Unusable, asking_aws
from demarc.cli.matrices import compiled
from demarc.cli.terminal import Part, bars, fact, headline, say, say_json, table
from demarc.cli.told import SIDES, counted, meant
from demarc.core.framework import Attestation, Coverage, Framework, Judged, Proof, Tally, coverage, serving
from demarc.core.model import Party, Tier

if TYPE_CHECKING:
    from demarc.authoring.compile import CompiledMatrix

# How each proof is said, at the head of a column, drawn without colours, and coloured.
_PROOFS: Mapping[Proof, tuple[str, str, str, str]] = {
    Proof.CONTROLS: ("automatically", "auto", "█", "green"),
    Proof.ATTESTATION: ("attested", "attested", "▓", "cyan"),
    Proof.PROCESS_RECORD: ("by record", "record", "▒", "blue"),
    Proof.PROVIDER_REPORT: ("by AWS's report", "report", "=", "magenta"),
    Proof.HEALTH: ("by AWS Health", "health", "+", "bright_magenta"),
    Proof.STALE_ATTESTATION: ("attestation due", "due", "!", "yellow"),
    Proof.UNVERIFIED: ("not at all", "none", "·", "red"),
}
_COLUMNS = ("all", "AWS's", "shared", "ours", "owned", "nobody", *(column for _, column, _, _ in _PROOFS.values()))
_UNASSIGNED = "nobody"
_NOTE = (
    "A shared requirement counts by what shows that our part is done: a report of AWS's speaks for AWS's part only, "
    "and whether it is current is not looked at. Automatically: at least one control names it, which seldom is all "
    "that it asks."
)


@click.command("coverage")
@click.option("--framework", "framework_id", metavar="ID", help="One framework by family and team.  [default: all]")
@click.option("--baseline", metavar="NAME", help="Only what is in this baseline of it, such as moderate.")
@click.option(
    "--tier",
    type=click.Choice([tier.value for tier in Tier]),
    default=Tier.IAAS.value,
    show_default=True,
    help="For what is consumed so; as iaas most is ours.",
)
@click.option("--each", is_flag=True, help="Every requirement instead of counts.")
@click.option(
    "--chart",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also draw it, as a PNG or an SVG by the end of the name.",
)
@click.option(
    "--recorded", is_flag=True, help="Count what was given with `demarc attest` too, where Demarc is deployed."
)
@options.as_json
@options.matrix
@options.recorded
def coverage_command(
    *,
    framework_id: str | None,
    baseline: str | None,
    tier: str,
    each: bool,
    chart: Path | None,
    recorded: bool,
    as_json: bool,
    matrix: Path,
    deployment: Deployment,
) -> None:
    """Count whose every requirement is, who answers for it, and what shows that it is met.

    Requirements are AWS's, shared or ours; what is shared or ours has an owner or nobody. It is verified automatically
    where a control names it, by a person's attestation, by a record of our own, by a report of AWS's, or not at all.
    Without --recorded nothing is asked of AWS, and only the attestations of signed.yaml are known.

    \b
      demarc matrix coverage
      demarc matrix coverage --framework nist-800-53-r5 --baseline moderate
      demarc matrix coverage --framework nist-800-53-r5 --baseline moderate --chart moderate.png
      demarc matrix coverage --framework nist-800-53-r5 --each --json
      demarc matrix coverage --recorded --profile audit
    """
    if baseline and not framework_id:
        raise click.UsageError("--baseline is a framework's. Name it with --framework.")
    if each and not framework_id:
        raise click.UsageError("--each lists one framework. Name it with --framework.")
    counted_ones = _counted(matrix, framework_id, baseline, Tier(tier), deployment if recorded else None)
    if chart:
        from demarc.cli.chart import draw

        draw(counted_ones, chart, today=_today())
    if as_json:
        for row in _rows(counted_ones, each=each):
            say_json(row)
    elif each:
        _tell_each(counted_ones[0])
    elif framework_id:
        _tell_one(counted_ones[0])
    else:
        _tell_all(counted_ones)
    due = any(each.overall.proofs[Proof.STALE_ATTESTATION] for each in counted_ones)
    if due and not recorded and not as_json:
        fact("due", "by signed.yaml alone; --recorded counts what was given with `demarc attest` as well")


def _counted(
    root: Path, framework_id: str | None, baseline: str | None, tier: Tier, deployment: Deployment | None
) -> list[Coverage]:
    """The frameworks that were asked for, counted; with the words that are recorded in a deployment, if one is given.

    Raises:
        Unusable: if the matrix cannot be used, or has no such framework or baseline.
        NoAnswer: if the deployment could not be asked.
    """
    from demarc.authoring.obligations import frameworks_of
    from demarc.authoring.written import read_matrix

    rules = compiled(root)
    frameworks = frameworks_of(read_matrix(root))
    chosen = [_known(framework_id, frameworks)] if framework_id else list(frameworks.values())
    controls = [control for rows in rules.controls.values() for control in rows]
    words = _recorded(rules, {each.id for each in chosen}, deployment) if deployment else {}
    return [
        coverage(
            framework,
            tier=tier,
            baseline=_baseline(baseline, framework),
            serving=serving(controls, framework.id),
            today=_today(),
            recorded=words.get(framework.id),
        )
        for framework in chosen
    ]


def _recorded(
    rules: CompiledMatrix, frameworks: Collection[str], deployment: Deployment
) -> dict[str, dict[str, Attestation]]:
    """The last word that was recorded for each requirement that rests on one, by framework and requirement."""
    from demarc.stores.attestations import AttestationStore

    resting: dict[str, list[str]] = {}
    for each in rules.attested:
        if each.framework in frameworks:
            resting.setdefault(each.framework, []).append(each.requirement)
    connection = deployment.connection
    with asking_aws():
        store = AttestationStore(connection.clients("dynamodb", connection.region), deployment.table_name)
        return {
            framework: {name: each.attestation for name, each in store.last_of(framework, requirements).items()}
            for framework, requirements in resting.items()
        }


def _today() -> date:
    return datetime.now(UTC).date()


def _known(framework_id: str, frameworks: Mapping[str, Framework]) -> Framework:
    if framework_id.casefold() not in frameworks:
        raise Unusable(f"there is no framework {framework_id!r}. {meant(framework_id, frameworks)}")
    return frameworks[framework_id.casefold()]


def _baseline(name: str | None, framework: Framework) -> str | None:
    if name is None or name.casefold() in framework.baselines:
        return name.casefold() if name else None
    if not framework.baselines:
        raise Unusable(f"{framework.id} has no baselines. Leave --baseline out")
    raise Unusable(f"{framework.id} has no baseline {name!r}. {meant(name, framework.baselines)}")


# --- for machines ---------------------------------------------------------------------------------------------------


def _rows(counted_ones: list[Coverage], *, each: bool) -> Iterator[dict[str, Any]]:
    for covered in counted_ones:
        if each:
            yield from (_row_of(judged, covered) for judged in covered.judged)
            continue
        yield _row("all", None, covered.overall, covered)
        for family, tally in covered.families.items():
            yield _row("family", family, tally, covered)
        for team, tally in covered.teams.items():
            yield _row("team", team, tally, covered)


def _row(by: str, name: str | None, tally: Tally, covered: Coverage) -> dict[str, Any]:
    return {
        "framework": covered.framework.id,
        "baseline": covered.baseline,
        "tier": covered.tier,
        "by": by,
        "name": name,
        "requirements": tally.requirements,
        "provider": tally.parties[Party.PROVIDER],
        "shared": tally.parties[Party.SHARED],
        "customer": tally.parties[Party.CUSTOMER],
        "assigned": tally.assigned,
        "unassigned": tally.unassigned,
        "signed": tally.signed,
        "verified": tally.proofs,
    }


def _row_of(judged: Judged, covered: Coverage) -> dict[str, Any]:
    requirement, obligation = judged.requirement, judged.obligation
    signature = obligation.signature
    return {
        "framework": covered.framework.id,
        "requirement": requirement.id,
        "title": requirement.title,
        "family": requirement.family,
        "baselines": requirement.baselines,
        "tier": covered.tier,
        "party": obligation.party,
        "provider": obligation.provider.text if obligation.provider else None,
        "customer": obligation.customer.text if obligation.customer else None,
        "team": obligation.team,
        "person": obligation.person,
        "basis": obligation.basis,
        "references": obligation.references,
        "verified": judged.proof,
        "controls": judged.controls,
        "signed": signature
        and {
            "approver": signature.approver,
            "approved": signature.approved.isoformat(),
            "reference": signature.reference,
            "was": signature.was,
        },
        "notice": covered.framework.notice,
    }


# --- for people -----------------------------------------------------------------------------------------------------


def _tell_all(counted_ones: list[Coverage]) -> None:
    bars([(each.framework.id, _parts(each.overall)) for each in counted_ones])
    _tell_legend()
    say()
    _tell_tallies("framework", {each.framework.id: each.overall for each in counted_ones})
    _tell_end(counted_ones)


def _tell_one(covered: Coverage) -> None:
    overall, framework = covered.overall, covered.framework
    within = f", {framework.baselines[covered.baseline]}" if covered.baseline else ""
    headline(framework.id, f"{framework.name} {framework.version}{within}, as {covered.tier}")
    parties = overall.parties
    fact(
        "whose",
        f"{counted(overall.requirements, 'requirement')}: {parties[Party.PROVIDER]:,} AWS's, "
        f"{parties[Party.SHARED]:,} shared with AWS, {parties[Party.CUSTOMER]:,} ours",
    )
    fact("who", f"{overall.assigned:,} of ours and shared have an owner, {overall.unassigned:,} have none")
    shown = [f"{count:,} {_PROOFS[proof][0]}" for proof, count in _ordered(overall) if count]
    fact("shown", ", ".join(shown) or "nothing to show")
    say()
    bars([(f"{family} {framework.families[family]}", _parts(tally)) for family, tally in covered.families.items()])
    _tell_legend()
    say()
    _tell_tallies("family", covered.families)
    if covered.teams:
        say()
        _tell_tallies("team", {team or _UNASSIGNED: tally for team, tally in covered.teams.items()})
    _tell_signed(covered)
    _tell_end([covered])


def _ordered(tally: Tally) -> list[tuple[Proof, int]]:
    return [(proof, tally.proofs[proof]) for proof in _PROOFS]


def _parts(tally: Tally) -> list[Part]:
    return [Part(count, *_PROOFS[proof][2:]) for proof, count in _ordered(tally)]


def _tell_tallies(name: str, tallies: Mapping[str, Tally]) -> None:
    """A table with a line for each tally, without the columns of which there is nothing."""
    rows = [(row, *_counts(tally)) for row, tally in tallies.items()]
    kept = [number for number in range(len(_COLUMNS) + 1) if any(row[number] for row in rows)]
    cells = [
        [f"{row[number]:,}" if number and row[number] else str(row[number] or "") for number in kept] for row in rows
    ]
    table([(name, *_COLUMNS)[number] for number in kept], cells, whole=(0,))


def _counts(tally: Tally) -> tuple[int, ...]:
    parties = (tally.parties[party] for party in (Party.PROVIDER, Party.SHARED, Party.CUSTOMER))
    return (tally.requirements, *parties, tally.assigned, tally.unassigned, *(count for _, count in _ordered(tally)))


def _tell_legend() -> None:
    say(f"  {'   '.join(f'{glyph} {said}' for said, _, glyph, _ in _PROOFS.values())}")


def _tell_signed(covered: Coverage) -> None:
    if not covered.overall.signed:
        return
    say()
    headline("Signed", f"{counted(covered.overall.signed, 'requirement')} otherwise than by default")
    rows = []
    for judged, signature in covered.signed:
        moved = f", was {SIDES[signature.was]}" if signature.was is not judged.obligation.party else ""
        whose = f"{SIDES[judged.obligation.party]}{moved}"
        day = signature.approved.isoformat()
        rows.append(
            (judged.requirement.id, whose, _PROOFS[judged.proof][0], signature.approver, day, signature.reference)
        )
    table(("requirement", "whose", "shown", "approved by", "on", "in"), rows, whole=(0,))


def _tell_each(covered: Coverage) -> None:
    rows = [
        (
            judged.requirement.id,
            SIDES[judged.obligation.party],
            judged.obligation.person or ("" if judged.obligation.party is Party.PROVIDER else _UNASSIGNED),
            _PROOFS[judged.proof][0],
            judged.obligation.basis.value,
            judged.requirement.title or "",
        )
        for judged in covered.judged
    ]
    table(("requirement", "whose", "who", "shown", "rests on", "title"), rows, whole=(0,))
    _tell_end([covered])


def _tell_end(counted_ones: list[Coverage]) -> None:
    say()
    fact("note", _NOTE)
    for notice in dict.fromkeys(each.framework.notice for each in counted_ones):
        if notice:
            fact("notice", notice)
