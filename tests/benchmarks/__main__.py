"""Measure: `make bench` prints a table and writes build/bench.json.

python -m tests.benchmarks [--quick] [--publish] [--matrix FOLDER]

`--publish` makes docs/performance.json and docs/performance.md of what was measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore
from rich.console import Console
from rich.table import Table

from demarc.authoring.compile import CompiledMatrix, compile_matrix
from demarc.cli.deployment import STACK
from infra.bundle import Bundle, build
from tests.benchmarks import cold
from tests.benchmarks.canned import serving
from tests.benchmarks.events import SCENES, delivery
from tests.benchmarks.figures import page, rows, spread
from tests.benchmarks.function import PLATFORM, interpreter, settings
from tests.benchmarks.warm import HOLDS, OPENS, STANDS

ROOT = Path(__file__).parent.parent.parent
BUILD = ROOT / "build" / "bench"
TYPES = {"security group": "AWS::EC2::SecurityGroup", "bucket": "AWS::S3::Bucket"}
SIZES = (100, 1_000, 10_000)

terminal = Console(stderr=True)


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure Demarc's functions.")
    asked.add_argument("--quick", action="store_true", help="fewer rounds: a first impression in half a minute")
    asked.add_argument("--publish", action="store_true", help="write docs/performance.json and docs/performance.md")
    asked.add_argument("--matrix", type=Path, default=ROOT / "matrices", help="the matrix to measure with")
    chosen = asked.parse_args()
    busy = os.getloadavg()[0]
    if busy > 1:
        terminal.print(f"the machine is busy (load {busy:.1f}): believe counts and CPU ratios only", style="yellow")
    rounds, repeats, runs = (40, 1, 5) if chosen.quick else (300, 3, 21)
    measured = figures(compile_matrix(chosen.matrix, stack=STACK), rounds=rounds, repeats=repeats, runs=runs)
    text = json.dumps(measured, indent=2) + "\n"
    (ROOT / "build" / "bench.json").write_text(text)
    show(measured)
    if chosen.publish:
        (ROOT / "docs" / "performance.json").write_text(text)
        (ROOT / "docs" / "performance.md").write_text(page(measured))


def figures(matrix: CompiledMatrix, *, rounds: int, repeats: int, runs: int) -> dict[str, Any]:
    """Everything: what build/bench.json holds."""
    BUILD.mkdir(parents=True, exist_ok=True)
    bundle = build(matrix, BUILD / "function")
    kinds = {scene: _start(bundle, scene, rounds=1) for scene in SCENES}
    return {
        "measured": {
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "machine": _machine(),
            "cores": os.cpu_count(),
            "python": _asked("import platform; print(platform.python_version())"),
            "matrix": matrix.version,
            "controls": len({control.id for rows in matrix.controls.values() for control in rows}),
            "runs": runs,
        },
        "bundle": {
            "zipped_mib": round(bundle.compressed / 2**20, 2),
            "unpacked_mib": round(bundle.size / 2**20, 2),
            "bytecode": bundle.bytecode,
        },
        "modules": len(kinds["bucket"]["modules"]),
        "imports_ms": _imports(bundle, kinds["bucket"]["modules"]),
        "authorities": {
            "bundle_ms": _authorities(bundle.path / "botocore" / "cacert.pem"),
            "botocore_ms": _authorities(Path(botocore.__file__).parent / "cacert.pem"),
        },
        "warm": _warm(bundle, matrix, rounds=rounds, repeats=repeats),
        "scaling": _scaling(bundle, matrix, rounds=rounds, repeats=repeats),
        "cold": _cold(bundle, {scene: kind["first"] for scene, kind in kinds.items()}, runs=runs),
    }


def _warm(bundle: Bundle, matrix: CompiledMatrix, *, rounds: int, repeats: int) -> dict[str, Any]:
    starts: dict[str, list[dict[str, Any]]] = {scene: [] for scene in TYPES}
    for number in range(repeats):
        for scene, taken in starts.items():
            terminal.print(f"warm: {scene}, process {number + 1} of {repeats}", style="dim")
            taken.append(_start(bundle, scene, HOLDS, OPENS, STANDS, rounds=rounds))
    return {scene: _warm_figures(taken, len(matrix.controls[TYPES[scene]])) for scene, taken in starts.items()}


def _warm_figures(starts: Sequence[Mapping[str, Any]], controls: int) -> dict[str, Any]:
    batches = [sample for start in starts for sample in start["batch_of_ten_cpu_ms"]]
    return {
        "controls": controls,
        "states": {
            state: {"calls": starts[0]["states"][state]["calls"], "cpu_ms": _pooled(starts, state)}
            for state in (HOLDS, OPENS, STANDS)
        },
        "events_per_second": round(10_000 / statistics.median(batches)),
        "resident_mib": round(max(start["resident_mib"] for start in starts), 1),
    }


def _pooled(starts: Sequence[Mapping[str, Any]], state: str) -> dict[str, float]:
    return spread([sample for start in starts for sample in start["states"][state]["cpu_ms"]], trim=0.1)


def _scaling(bundle: Bundle, matrix: CompiledMatrix, *, rounds: int, repeats: int) -> dict[str, Any]:
    """A security group event against the number of controls in the matrix."""
    documents = {size: _enlarged(matrix, "network", size) for size in SIZES}
    starts: dict[int, list[dict[str, Any]]] = {size: [] for size in SIZES}
    for number in range(repeats):
        for size, document in documents.items():
            terminal.print(f"warm: {size:,} controls, process {number + 1} of {repeats}", style="dim")
            starts[size].append(_start(bundle, "security group", HOLDS, rounds=rounds, matrix=document))
    return {
        str(size): {
            "cpu_ms": _pooled(taken, HOLDS),
            "resident_mib": round(max(start["resident_mib"] for start in taken), 1),
        }
        for size, taken in starts.items()
    }


def _enlarged(matrix: CompiledMatrix, responder: str, size: int) -> Path:
    """The responder's document with as many controls as wanted, the surplus on a type that the event does not touch."""
    document = json.loads(matrix.for_responder(responder))
    present = [row for rows in document["controls"].values() for row in rows]
    surplus = {"resource_type": "AWS::EC2::Instance"}
    document["controls"]["AWS::EC2::Instance"] = [
        present[number % len(present)] | surplus | {"id": f"more-{number}"} for number in range(size - len(present))
    ]
    path = BUILD / f"{responder}-{size}.json"
    path.write_text(json.dumps(document))
    return path


def _start(bundle: Bundle, scene: str, *states: str, rounds: int, matrix: Path | None = None) -> dict[str, Any]:
    """A process that has the bundle and the function's settings, and what it measured (see `warm`)."""
    responder = SCENES[scene].responder
    environment = settings(responder, matrix or bundle.path / "demarc" / "matrices" / f"{responder}.json")
    path = {"PYTHONPATH": f"{bundle.path}{os.pathsep}{ROOT}", "PATH": os.environ["PATH"]}
    command = [interpreter(), "-m", "tests.benchmarks.warm", scene, str(rounds), *states]
    run = subprocess.run(command, cwd=BUILD, env=environment | path, stdout=subprocess.PIPE, check=True)
    measured: dict[str, Any] = json.loads(run.stdout)
    return measured


def _cold(bundle: Bundle, calls: Mapping[str, Any], *, runs: int) -> dict[str, Any]:
    tools, plain = cold.emulator(BUILD), cold.plain_handler(BUILD)
    measured = {}
    with serving() as url:
        for name, scene in SCENES.items():
            terminal.print(f"cold: {scene.responder}, {runs} pairs", style="dim")
            event = delivery(scene.event(0))
            matrix = bundle.path / "demarc" / "matrices" / f"{scene.responder}.json"
            environment = settings(scene.responder, matrix) | {"AWS_ENDPOINT_URL": url}
            plainly = cold.plain_environment(calls[name], url, plain)
            pairs: list[tuple[cold.Start, cold.Start]] = []
            for number in range(runs):
                starts = [
                    (bundle.path, "demarc.handlers.respond.handler", environment),
                    (plain, "plain.handler", plainly),
                ]
                # Each is first in half of the pairs: what a machine does meanwhile must not fall on one of them.
                turn = -1 if number % 2 else 1
                one, other = [tools.first_answer(*start, event) for start in starts[::turn]][::turn]
                pairs.append((one, other))
            measured[scene.responder] = {"scene": name, "calls": len(calls[name]), **_cold_figures(pairs)}
    return measured


def _cold_figures(pairs: Sequence[tuple[cold.Start, cold.Start]]) -> dict[str, Any]:
    ours, plain = zip(*pairs, strict=True)
    return {
        "ours_ms": spread([each.milliseconds for each in ours], digits=1),
        "plain_ms": spread([each.milliseconds for each in plain], digits=1),
        "ratio": spread([one.milliseconds / other.milliseconds for one, other in pairs]),
        "cpu_ratio": round(statistics.median(one.cpu_ms / other.cpu_ms for one, other in pairs), 2),
        "resident_mib": round(max(each.resident_mib for each in ours), 1),
        "plain_resident_mib": round(max(each.resident_mib for each in plain), 1),
    }


_IMPORT = """
import gc, importlib, json, sys, time
gc.disable()
taken = {}
for room, *modules in json.loads(sys.argv[1]):
    start = time.process_time()
    for module in modules:
        importlib.import_module(module)
    taken[room] = (time.process_time() - start) * 1000
print(json.dumps(taken))
"""


def _imports(bundle: Bundle, modules: Sequence[str]) -> dict[str, float]:
    """CPU milliseconds of importing what the handler imports, by whose it is; what both need counts for the first."""
    powertools = [name for name in modules if name.partition(".")[0] == "aws_lambda_powertools"]
    rooms = [["botocore", "botocore.session"], ["powertools", *powertools], ["demarc", "demarc.handlers.respond"]]
    environment = PLATFORM | {"PYTHONPATH": str(bundle.path), "PATH": os.environ["PATH"]}
    runs = [json.loads(_asked(_IMPORT, json.dumps(rooms), environment=environment)) for _ in range(11)]
    return {room: round(statistics.median(run[room] for run in runs), 1) for room, *_ in rooms}


_READ = """
import ssl, sys, time
taken = []
for _ in range(21):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    start = time.process_time()
    context.load_verify_locations(sys.argv[1])
    taken.append((time.process_time() - start) * 1000)
print(sorted(taken)[10])
"""


def _authorities(certificates: Path) -> float:
    """CPU milliseconds of what urllib3 does with them for every connection."""
    return round(float(_asked(_READ, str(certificates))), 2)


def _asked(script: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    run = subprocess.run(
        [interpreter(), "-c", script, *arguments], check=True, stdout=subprocess.PIPE, text=True, env=environment
    )
    return run.stdout.strip()


def _machine() -> str:
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def show(measured: Mapping[str, Any]) -> None:
    table = Table("", "measured", "aim", "for comparison", title="Demarc's functions")
    for row in rows(measured):
        missed = row.aim.endswith("missed")
        table.add_row(row.what, row.measured, row.aim, row.others, style="yellow" if missed else None)
    Console(width=None if sys.stdout.isatty() else 200).print(table)


if __name__ == "__main__":
    main()
