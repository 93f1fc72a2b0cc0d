"""The bundle is what the functions use and nothing else, the same bytes every time."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader

from demarc.authoring.compile import CompiledMatrix
from infra import bundle as building
from infra.bundle import Bundle, build, cut, declared_operations, lambda_python
from tests.infrastructure.boxes import EACH_RESPONDER, HANDLERS, RESPONDERS
from tests.infrastructure.synthesis import ROOT, Assembly

DECLARED = declared_operations()
OURS = {"announcers", "checks", "core", "handlers", "matrices", "readers", "stores"}
LIBRARIES = {"aws_lambda_powertools", "botocore", "dateutil", "jmespath", "urllib3"}
MODULES = {"six.py", "typing_extensions.py"}


@pytest.fixture(scope="session")
def bundle(assembly: Assembly) -> Path:
    return assembly.bundle


@cache
def inside(bundle: Path, asked: str) -> Any:
    """Ask in a process that has the bundle, the standard library and nothing else."""
    script = Path(__file__).with_name("inside_the_bundle.py")
    interpreter = lambda_python() or sys.executable
    run = subprocess.run(
        [interpreter, "-I", "-S", "-B", script, bundle, asked], check=False, capture_output=True, text=True, env={}
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def files(folder: Path, pattern: str) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob(pattern) if "__pycache__" not in path.parts}


@pytest.mark.parametrize("handler", sorted(set(HANDLERS.values())))
def test_a_handler_starts_on_what_the_bundle_brings(handler: str, bundle: Path) -> None:
    assert inside(bundle, f"loaded:{handler}")["foreign"] == []


def test_a_responder_loads_nothing_of_what_other_functions_do(bundle: Path) -> None:
    """Every module that is loaded costs each cold start, and changes are what must not wait."""
    theirs = {"announcers.slack", "announcers.https", "secret", "sweep", "delivery", "handlers.chase"}
    loaded = set(inside(bundle, "loaded:respond")["ours"])
    assert "handlers.respond" in loaded
    assert loaded & theirs == set()


def test_a_handler_loads_the_classes_of_the_events_it_has_and_no_others(bundle: Path) -> None:
    """Powertools' processor knows streams and queues; its package would bring some forty sources of events."""
    room = "aws_lambda_powertools.utilities.data_classes."
    loaded = {name.removeprefix(room) for name in inside(bundle, "loaded:respond")["all"] if name.startswith(room)}
    assert "sqs_event" in loaded
    assert loaded & {"alb_event", "api_gateway_proxy_event", "cloud_watch_alarm_event", "vpc_lattice"} == set()


def test_a_package_that_imports_on_demand_has_all_that_it_had() -> None:
    face = "from .one import (\n  A,\n  B,\n)\nfrom .two import C\n\n__all__ = ['A', 'B', 'C']\n"
    made: dict[str, Any] = {"__name__": "room"}
    exec(building.on_demand(face), made)

    assert made["_WHERE"] == {"A": ".one", "B": ".one", "C": ".two"}
    with pytest.raises(AttributeError, match="module 'room' has no attribute 'D'"):
        made["__getattr__"]("D")


@pytest.mark.parametrize("face", ["from .one import A as B", "import os", "from os import path", "A = 1", "print()"])
def test_a_package_that_does_more_than_import_is_left_to_somebody_who_looks(face: str) -> None:
    with pytest.raises(ValueError, match=r"line \d does more than import"):
        building.on_demand(face)


def test_a_handler_loads_nothing_for_functions_that_it_never_calls(bundle: Path) -> None:
    assert {"asyncio", "importlib.metadata"} & set(inside(bundle, "loaded:respond")["all"]) == set()


_IMPORTING = """
from __future__ import annotations
from fractions import Fraction as half
import json

class A:
    def used(self):
        \"\"\"One half.\"\"\"
        return [half(1, 2) for _ in range(1)]

    async def too(self):
        return half(1, 2)

    def unused(self):
        return json.dumps(1)
"""


def test_what_only_some_functions_use_is_imported_by_them() -> None:
    moved = building.when_used(_IMPORTING, "half")
    made: dict[str, Any] = {"__name__": "room"}
    exec(moved, made)

    assert "half" not in made
    assert moved.count("from fractions import Fraction as half") == 2
    assert made["A"]().used() == [Fraction(1, 2)]
    assert made["A"].used.__doc__ == "One half."
    assert made["A"]().unused() == "1"


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("import json", "a is not imported by itself at the top"),
        ("import a, b", "a is not imported by itself at the top"),
        ("def f():\n  import a", "a is not imported by itself at the top"),
        ("import a\nx = a.b", "line 2 uses a outside of functions"),
        ("import a\n@a.b\ndef f(): ...", "line 2 uses a outside of functions"),
        ("import a\ndef f(x=a.b): ...", "line 2 uses a outside of functions"),
        ("import a\ndef f() -> a.b: ...", "line 2 uses a outside of functions"),
        ("import a\nclass A(a.B): ...", "line 2 uses a outside of functions"),
    ],
)
def test_a_module_that_needs_what_it_imports_is_left_to_somebody_who_looks(module: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        building.when_used(module, "a")


def test_the_bundle_holds_our_rooms_that_functions_enter_and_their_libraries(bundle: Path) -> None:
    folders = {path.name for path in bundle.iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders == {"demarc", *LIBRARIES}
    assert {path.name for path in bundle.iterdir() if path.is_file()} == MODULES
    assert {path.name for path in (bundle / "demarc").iterdir() if path.is_dir()} - {"__pycache__"} == OURS


@pytest.mark.parametrize("room", sorted(OURS - {"matrices"}))
def test_our_code_is_shipped_as_it_is(room: str, bundle: Path) -> None:
    here, there = ROOT / "functions" / "demarc" / room, bundle / "demarc" / room
    assert files(here, "*.py") == files(there, "*.py") != set()
    assert all((here / path).read_bytes() == (there / path).read_bytes() for path in files(here, "*.py"))


@EACH_RESPONDER
def test_a_responder_has_its_matrix_and_no_yaml(responder: str, bundle: Path, matrix: CompiledMatrix) -> None:
    assert (bundle / "demarc" / "matrices" / f"{responder}.json").read_text() == matrix.for_responder(responder)
    assert files(bundle, "*.yaml") == set()


def test_functions_that_judge_nothing_have_the_organization(bundle: Path, matrix: CompiledMatrix) -> None:
    assert (bundle / "demarc" / "matrices" / "organization.json").read_text() == matrix.without_controls()


def test_a_matrix_for_each_function_and_no_other(bundle: Path) -> None:
    assert {path.stem for path in (bundle / "demarc" / "matrices").iterdir()} == {*RESPONDERS, "organization"}


def test_nothing_is_compiled_for_one_machine(bundle: Path) -> None:
    assert files(bundle, "*.so") == files(bundle, "*.pyd") == set()


def test_a_library_with_compiled_code_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fast.cpython-313-aarch64-linux-gnu.so").touch()
    with pytest.raises(RuntimeError, match=r"pure Python, and holds fast\.cpython-313"):
        building._refuse_compiled_code(tmp_path)


@pytest.mark.parametrize("service", sorted(DECLARED))
def test_every_declared_operation_can_be_called_and_no_other(service: str, bundle: Path) -> None:
    """It is validated, serialised, signed and on its way to an endpoint of AWS when the probe stops it."""
    sent = inside(bundle, "calls")[service]
    assert set(sent) == DECLARED[service]
    assert all(url.startswith("https://") and ".amazonaws.com/" in url for url in sent.values())


def test_no_service_is_known_but_those_that_are_called(bundle: Path) -> None:
    assert set(inside(bundle, "calls")) == set(DECLARED)


@pytest.mark.parametrize("service", sorted(DECLARED))
def test_operations_of_several_pages_can_be_paged(service: str, bundle: Path) -> None:
    """botocore makes a paginator of an operation only with this file."""
    (shipped,) = (bundle / "botocore" / "data" / service).glob("*/paginators-1.json")
    known = Loader().load_service_model(service, "paginators-1")["pagination"]
    assert json.loads(shipped.read_text())["pagination"] == {
        name: how for name, how in known.items() if name in DECLARED[service]
    }


def test_a_cut_model_keeps_what_its_operations_reach_and_no_more() -> None:
    shape = {"type": "structure", "members": {"Name": {"shape": "Text"}}, "documentation": "<p>Long.</p>"}
    whole = {
        "metadata": {"protocol": "json"},
        "operations": {
            "Get": {"name": "Get", "input": {"shape": "In"}, "errors": [{"shape": "Gone"}], "documentation": "<p>"},
            "Put": {"name": "Put", "input": {"shape": "Other"}},
        },
        "shapes": {
            "In": shape,
            "Text": {"type": "string"},
            "Gone": {"type": "structure", "members": {"documentation": {"shape": "Text"}}},
            "Other": {"type": "structure", "members": {}},
        },
    }

    assert cut(whole, ["Get"]) == {
        "metadata": {"protocol": "json"},
        "operations": {"Get": {"name": "Get", "input": {"shape": "In"}, "errors": [{"shape": "Gone"}]}},
        "shapes": {
            "In": {"type": "structure", "members": {"Name": {"shape": "Text"}}},
            "Text": {"type": "string"},
            "Gone": {"type": "structure", "members": {"documentation": {"shape": "Text"}}},
        },
    }


def test_the_same_input_gives_the_same_bytes(assembly: Assembly, matrix: CompiledMatrix, tmp_path: Path) -> None:
    """So that functions are deployed anew only when something changed. The CDK hashes the digest that it is given."""
    again = build(matrix, tmp_path / "elsewhere")
    assert assembly.bundle.name == f"asset.{hashlib.sha256(again.digest.encode()).hexdigest()}"


def test_a_changed_matrix_gives_another_digest(tmp_path: Path) -> None:
    (tmp_path / "matrix.json").write_text("1")
    one = building._sealed(tmp_path, bytecode=False)
    (tmp_path / "matrix.json").write_text("2")
    assert building._sealed(tmp_path, bytecode=False).digest != one.digest


def test_bytecode_is_shipped_for_lambdas_python_and_never_checked(bundle: Path) -> None:
    """PEP 552: the second word of a .pyc is 1 where it is hash-based and not compared with its source."""
    if lambda_python() is None:
        pytest.skip("no Python 3.13 on this machine, so the bundle is without bytecode")
    for source in bundle.rglob("*.py"):
        compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        assert compiled.read_bytes()[4:8] == (1).to_bytes(4, "little"), source


def test_bytecode_does_not_tell_where_it_was_made(bundle: Path) -> None:
    compiled = [path.read_bytes() for path in bundle.rglob("*.pyc")]
    assert all(b"/var/task/" in content and b"/function/" not in content for content in compiled)


def test_without_lambdas_python_there_is_no_bytecode_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(building, "lambda_python", lambda: None)
    (tmp_path / "module.py").touch()

    assert building._compile(tmp_path) is False
    assert [path.name for path in tmp_path.iterdir()] == ["module.py"]
    assert "no Python 3.13 here, so no bytecode" in capsys.readouterr().err


def test_a_bundle_says_its_size() -> None:
    said = str(Bundle(Path(), digest="0", size=3 * 2**20, compressed=2**20, bytecode=True))
    assert said == "1.0 MiB zipped, 3.0 MiB unpacked, with bytecode"


def test_what_is_shipped_is_what_is_tested() -> None:
    """The bundle's pins are those of the checkout's environment."""
    shipped = [line for line in building.REQUIREMENTS.read_text().splitlines() if not line.startswith("#")]
    locked = (ROOT / "requirements.lock").read_text().splitlines()
    assert [pin for pin in shipped if pin not in locked] == []
