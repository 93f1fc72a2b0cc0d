"""What a function may load and call: counted, and so the same on every machine. Times are measured, never asserted."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
from collections import Counter
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import botocore
import pytest

from demarc import readers
from demarc.authoring.compile import CompiledMatrix
from demarc.core.change import interpret
from demarc.core.model import Change
from demarc.core.touch import TouchIndex
from infra import bundle as building
from tests.benchmarks.events import SCENES
from tests.benchmarks.function import settings
from tests.benchmarks.warm import HOLDS, OPENS, STANDS

ROOT = Path(__file__).parent.parent.parent
RESPONDERS = sorted({reader.responder for reader in readers.load()})

# More than this takes a reason. Some 480 are loaded; a few come and go with the Python and what is installed beside.
MOST_MODULES = 520
NEVER_LOADED = {"aws_xray_sdk", "boto3", "click", "pydantic", "pydantic_core", "rich", "s3transfer", "yaml"}
BUCKET_READS = {
    *("s3.GetPublicAccessBlock", "s3.GetBucketPolicy", "s3.GetBucketAcl", "s3.GetBucketEncryption"),
    *("s3.GetBucketVersioning", "s3.GetBucketLogging", "s3.GetBucketOwnershipControls"),
    *("s3.GetBucketLifecycleConfiguration", "s3.GetBucketTagging"),
}
READS = {"bucket": BUCKET_READS, "security group": {"ec2.DescribeSecurityGroups"}}

_LOADED = "import sys, json, demarc.handlers.respond as respond; {then}; print(json.dumps(sorted(sys.modules)))"

_ANSWERED = """
import sys, json
from tests.benchmarks.warm import WarmFunction
WarmFunction({scene!r}).calls()
print(json.dumps(sorted(sys.modules)))
"""


def asked(*command: str, **environment: str) -> Any:
    """What a process says last that has the settings of a function; before that come metrics."""
    path = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT / 'functions'}{os.pathsep}{ROOT}"}
    run = subprocess.run(
        [sys.executable, *command], check=False, capture_output=True, text=True, env=environment | path, cwd=ROOT
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


@cache
def loaded_by_the_handler() -> frozenset[str]:
    return frozenset(asked("-c", _LOADED.format(then="pass"), **settings("network", Path("none"))))


@pytest.fixture
def matrix_of(matrix: CompiledMatrix, tmp_path: Path) -> Any:
    def write(responder: str) -> Path:
        path = tmp_path / f"{responder}.json"
        path.write_text(matrix.for_responder(responder))
        return path

    return write


def test_the_handler_loads_nothing_that_only_people_and_builds_need() -> None:
    assert {name.partition(".")[0] for name in loaded_by_the_handler()} & NEVER_LOADED == set()
    assert {name for name in loaded_by_the_handler() if name.startswith(("demarc.authoring", "demarc.cli"))} == set()


def test_the_handler_stays_within_its_budget_of_modules() -> None:
    assert len(loaded_by_the_handler()) <= MOST_MODULES


def test_the_handler_loads_no_reader_and_no_check_before_it_knows_its_responder() -> None:
    rooms = ("demarc.readers.", "demarc.checks.")
    assert {name for name in loaded_by_the_handler() if name.startswith(rooms)} == set()


@pytest.mark.parametrize("responder", RESPONDERS)
def test_a_responder_loads_no_reader_before_an_event_names_a_type(responder: str, matrix_of: Any) -> None:
    script = _LOADED.format(then="respond._responder(respond.Settings.of())")
    modules = asked("-c", script, **settings(responder, matrix_of(responder)))

    assert set(modules) & {module_of(reader) for reader in readers.load()} == set()


@pytest.mark.parametrize("scene", SCENES)
def test_an_event_loads_the_readers_of_the_types_that_it_touches(scene: str, matrix_of: Any) -> None:
    responder = SCENES[scene].responder
    modules = asked("-c", _ANSWERED.format(scene=scene), **settings(responder, matrix_of(responder)))

    known = {reader.type: reader for reader in readers.load() if reader.responder == responder}
    change = interpret(SCENES[scene].event(0), TouchIndex.of(known.values()))
    assert isinstance(change, Change)
    touched = {module_of(known[each.resource.type]) for each in change.touched}
    assert set(modules) & {module_of(reader) for reader in readers.load()} == touched


def module_of(reader: readers.Reader) -> str:
    """The module that a reader is declared in."""
    return next(
        f"demarc.readers.{name}"
        for name in readers._modules()
        if any(reader is each for each in getattr(import_module(f"demarc.readers.{name}"), "READERS", ()))
    )


@pytest.fixture
def calls(matrix_of: Any) -> Any:
    """The API calls of one event of a scene, by state."""

    def ask(scene: str) -> dict[str, Counter[str]]:
        responder = SCENES[scene].responder
        states = (HOLDS, OPENS, STANDS)
        measured = asked(
            "-m", "tests.benchmarks.warm", scene, "1", *states, **settings(responder, matrix_of(responder))
        )
        return {state: Counter(measured["states"][state]["calls"]) for state in states}

    return ask


@pytest.mark.parametrize("scene", READS)
def test_an_event_costs_its_reads_one_look_into_the_table_and_one_write(scene: str, calls: Any) -> None:
    reads, made = Counter(READS[scene]), calls(scene)
    alone = Counter({"dynamodb.Query": 1, "dynamodb.UpdateItem": 1})
    assert made[HOLDS] == reads + alone
    assert made[STANDS] == reads + alone

    # What one change led to is one message, and each finding is marked as told.
    told = made[OPENS]["dynamodb.UpdateItem"]
    assert told >= 1
    first = {"dynamodb.Query": 1, "dynamodb.TransactWriteItems": 1, "sns.Publish": 1, "dynamodb.UpdateItem": told}
    assert made[OPENS] == reads + Counter(first)


def test_a_connection_trusts_those_who_sign_for_aws_and_nobody_else(tmp_path: Path) -> None:
    certificates = Path(shutil.copy(Path(botocore.__file__).parent / "cacert.pem", tmp_path))

    building._cut_authorities(certificates)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certificates)
    trusted: list[Any] = context.get_ca_certs()
    names = [dict(pair for (pair,) in each["subject"])["commonName"] for each in trusted]
    assert sorted(names) == sorted(building._AUTHORITIES)
