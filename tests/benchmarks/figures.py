"""What was measured, as the rows that the terminal and docs/performance.md show."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# The aims: milliseconds of CPU per event, and a cold start as a share of the plain handler's.
AIM_MS = {"security group": 3.0, "bucket": 8.0}
AIM_RATIO = 0.65
_MEMORY_MIB = 512

# Cloud Custodian 0.9.53, measured on 2026-11-23 on two other shared cores: called as Lambda calls it, AWS answered from
# canned bytes. Milliseconds of one event with one policy and with twenty, and the API calls of twenty.
CUSTODIAN = {"security group": ("12.3", "626", 20), "bucket": ("121", "4,715", 240)}

_STATES = {
    "holds": "{controls} controls hold",
    "opens": "{findings} of {controls} do not: recorded and announced",
    "stands": "the same again, nothing new",
}


@dataclass(frozen=True)
class Row:
    """One line: what it is, what was measured, what was aimed at and whether that was reached, how others do."""

    what: str
    measured: str
    aim: str = ""
    others: str = ""


def spread(samples: Sequence[float], *, trim: float = 0.0, digits: int = 2) -> dict[str, float]:
    """The median, and the range without a share of the samples at either end."""
    ordered = sorted(samples)
    cut = int(len(ordered) * trim)
    ends = {"from": ordered[cut], "to": ordered[-1 - cut]}
    return {name: round(value, digits) for name, value in {"median": statistics.median(ordered), **ends}.items()}


def rows(figures: Mapping[str, Any]) -> Iterator[Row]:
    for scene, warm in figures["warm"].items():
        yield from _warm(scene, warm)
    sizes = figures["scaling"]
    flat = max(size["cpu_ms"]["median"] for size in sizes.values()) / sizes["100"]["cpu_ms"]["median"]
    yield Row(
        f"security group event, {' / '.join(f'{int(size):,}' for size in sizes)} controls in the matrix",
        f"{' / '.join(format(size['cpu_ms']['median'], '.1f') for size in sizes.values())} ms CPU",
        f"flat: {_reached(flat <= 1.25)}",
    )
    for responder, cold in figures["cold"].items():
        yield _cold(responder, cold)
    imports = figures["imports_ms"]
    yield Row(
        "of every cold start: importing botocore / Powertools / Demarc",
        f"{' / '.join(format(imports[room], '.0f') for room in ('botocore', 'powertools', 'demarc'))} ms CPU",
    )
    resident = max(each["resident_mib"] for each in (*figures["warm"].values(), *figures["cold"].values()))
    plain = max(each["plain_resident_mib"] for each in figures["cold"].values())
    yield Row("most memory resident", f"{resident:.0f} MiB of {_MEMORY_MIB}", others=f"plain handler: {plain:.0f} MiB")
    bundle = figures["bundle"]
    yield Row("bundle", f"{bundle['zipped_mib']:.1f} MiB zipped, {bundle['unpacked_mib']:.1f} MiB unpacked")
    yield Row("modules loaded when the handler is", f"{figures['modules']}")
    authorities = figures["authorities"]
    yield Row(
        "certificate authorities, read for every new connection",
        f"{authorities['bundle_ms']:.1f} ms CPU",
        others=f"all that botocore ships: {authorities['botocore_ms']:.1f} ms",
    )


def _warm(scene: str, warm: Mapping[str, Any]) -> Iterator[Row]:
    findings = warm["states"]["opens"]["calls"]["dynamodb.UpdateItem"]
    one, twenty, calls = CUSTODIAN[scene]
    for state, measured in warm["states"].items():
        cpu, holds = measured["cpu_ms"], state == "holds"
        yield Row(
            f"{scene} event, {_STATES[state].format(controls=warm['controls'], findings=findings)}",
            f"{_between(cpu, '.1f')} ms CPU, {sum(measured['calls'].values())} calls",
            f"{AIM_MS[scene]:.0f} ms: {_reached(cpu['median'] <= AIM_MS[scene])}" if holds else "",
            f"Custodian: {one} ms for one policy, {twenty} ms and {calls} calls for twenty" if holds else "",
        )
    yield Row(f"{scene} events per second on one core, in batches of ten", f"{warm['events_per_second']:,}")


def _cold(responder: str, cold: Mapping[str, Any]) -> Row:
    ratio = cold["ratio"]["median"]
    return Row(
        f"cold start, {responder} ({cold['scene']} event, {cold['calls']} calls)",
        f"{_between(cold['ours_ms'], '.0f')} ms; {ratio:.2f} of plain, {cold['cpu_ratio']:.2f} by CPU time",
        f"{AIM_RATIO}: {_reached(ratio <= AIM_RATIO)}",
        f"plain handler: {_between(cold['plain_ms'], '.0f')} ms",
    )


def _between(spread: Mapping[str, float], form: str) -> str:
    return f"{spread['median']:{form}} [{spread['from']:{form}}-{spread['to']:{form}}]"


def _reached(reached: bool) -> str:
    return "reached" if reached else "missed"


def page(figures: Mapping[str, Any]) -> str:
    """docs/performance.md; the numbers in it are those of docs/performance.json."""
    return "\n".join(_page(figures)) + "\n"


def _page(figures: Mapping[str, Any]) -> Iterator[str]:
    on = figures["measured"]
    yield f"""\
# Performance

Generated from performance.json by `.venv/bin/python -m tests.benchmarks --publish`; `make bench` measures.

Measured on {on["date"]} with Python {on["python"]} on {on["cores"]} shared cores ({on["machine"]}), with the matrix of
this repository ({on["controls"]} controls). Medians; in brackets the middle 80 % of warm events, the range of cold
starts. Another machine has other milliseconds: ratios and counts are what carries over.

| | measured | aim | for comparison |
|---|--:|---|---|"""
    for row in rows(figures):
        yield f"| {row.what} | {row.measured} | {row.aim} | {row.others} |"
    yield f"""
**Warm**: the bundle in a process of its own, invoked as Lambda does it, AWS answered from canned bytes inside the
process. CPU time of our work and botocore's, without network and TLS; most of it is botocore's, per call.

**Cold**: from the request that wakes a fresh process in the Lambda runtime interface emulator to its answer, AWS
answered over the loopback; in turn with a plain handler, which imports boto3, pydantic and Powertools' Logger, Metrics
and batch and makes the same clients and calls ({on["runs"]} pairs; the ratio is the median of theirs).

**Custodian**: Cloud Custodian 0.9.53, called as Lambda calls it, AWS answered from canned bytes; measured on 2026-11-23
on two other shared cores."""
