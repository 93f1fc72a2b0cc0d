"""Values whose methods were written out when the bundle was built are the values of the source."""

from __future__ import annotations

import ast
import dataclasses
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from infra.bundle import PACKAGE
from infra.bytecode import compiled, is_written_out
from tests.infrastructure.synthesis import ROOT

LEFT_OUT = {"authoring", "cli"}


def modules() -> Iterator[str]:
    """Every module of the bundle that has values."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT / "functions").with_suffix("").parts).removesuffix(".__init__")
        if not LEFT_OUT & {*name.split(".")} and values(path):
            yield name


def values(path: Path) -> list[str]:
    tree = ast.parse(path.read_bytes())
    return [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and is_written_out(node)]


def source_of(name: str) -> Path:
    path = (ROOT / "functions").joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def both(name: str) -> list[tuple[Any, Any]]:
    """The values of a module as the decorator makes them, each with the same one written out."""
    original, path = import_module(name), source_of(name)
    other = ModuleType(name)
    other.__dict__.update(
        __file__=str(path), __package__=original.__package__, __path__=getattr(original, "__path__", [])
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(sys.modules, name, other)
        exec(compiled(path.read_bytes(), str(path)), other.__dict__)
    return [(getattr(original, each), getattr(other, each)) for each in values(path)]


EVERY_MODULE = pytest.mark.parametrize("name", sorted(modules()))


def example(value: Any, first: str) -> Any:
    """One of them, with a word in each field that asks for something."""
    asked = [field for field in dataclasses.fields(value) if _is_required(field)]
    return value(**{field.name: f"{first} {field.name}" for field in asked})


def _is_required(field: Any) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


@EVERY_MODULE
def test_it_takes_the_same_and_has_the_same(name: str) -> None:
    for one, other in both(name):
        assert _described(one) == _described(other)
        assert repr(example(one, "a")) == repr(example(other, "a"))


def _described(value: Any) -> Any:
    fields = [(each.name, each.type, each.default, each.default_factory) for each in dataclasses.fields(value)]
    return value.__name__, value.__slots__, value.__match_args__, [str(each) for each in fields]


@EVERY_MODULE
def test_it_is_equal_where_all_its_fields_are(name: str) -> None:
    for _, value in both(name):
        assert example(value, "a") == example(value, "a")
        assert example(value, "a") != "a"
        for field in dataclasses.fields(value) if not hasattr(value, "__post_init__") else ():
            assert dataclasses.replace(example(value, "a"), **{field.name: "another"}) != example(value, "a")


@EVERY_MODULE
def test_what_is_equal_has_one_hash(name: str) -> None:
    for one, other in both(name):
        hashes = [_hash(example(value, "a")) for value in (one, other, other)]
        assert hashes[0] == hashes[1] == hashes[2]


def _hash(value: Any) -> int | None:
    """None where a field cannot be hashed, as mappings cannot."""
    try:
        return hash(value)
    except TypeError:
        return None


@EVERY_MODULE
def test_nothing_of_it_can_be_changed(name: str) -> None:
    for _, value in both(name):
        it = example(value, "a")
        name = dataclasses.fields(value)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError, match=f"cannot assign to field '{name}'"):
            setattr(it, name, "another")
        with pytest.raises(dataclasses.FrozenInstanceError, match=f"cannot delete field '{name}'"):
            delattr(it, name)


@EVERY_MODULE
def test_what_a_factory_makes_is_made_anew_each_time(name: str) -> None:
    for _, value in both(name):
        for field in dataclasses.fields(value):
            if field.default_factory is not dataclasses.MISSING:
                one, other = getattr(example(value, "a"), field.name), getattr(example(value, "b"), field.name)
                assert one == field.default_factory()
                assert one is not other


def test_what_it_refuses_is_refused() -> None:
    source = (
        "from dataclasses import dataclass\n"
        "@dataclass(frozen=True, slots=True)\n"
        "class Positive:\n"
        "  number: int\n"
        "  def __post_init__(self):\n"
        "    if self.number < 1: raise ValueError(self.number)\n"
    )
    made: dict[str, Any] = {}
    exec(compiled(source.encode(), "positive.py"), made)

    assert made["Positive"](1).number == 1
    with pytest.raises(ValueError, match="0"):
        made["Positive"](0)


def test_every_frozen_value_of_the_bundle_is_written_out() -> None:
    """What a reader of a traceback sees is the source; what is not understood here would only be slower, unnoticed."""
    left = {
        f"{path.stem}.{node.name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if not LEFT_OUT & {*path.parts}
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.ClassDef)
        and any("frozen=True" in ast.unparse(each) for each in node.decorator_list)
        and not is_written_out(node)
    }
    assert left == set()


@pytest.mark.parametrize(
    "source",
    [
        "@dataclass(frozen=True, slots=True)\nclass A(B):\n  a: int",
        "@dataclass(frozen=True, slots=True, order=True)\nclass A:\n  a: int",
        "@dataclass(frozen=True)\nclass A:\n  a: int",
        "@dataclass(frozen=True, slots=True)\nclass A:\n  a: ClassVar[int] = 1",
        "@dataclass(frozen=True, slots=True)\nclass A:\n  a: int = field(default=1, compare=False)",
        "@dataclass(frozen=True, slots=True)\nclass A:\n  a: int = field()",
        "@dataclass(frozen=True, slots=True)\nclass A:\n  a: int\n  def __eq__(self, other): return True",
    ],
)
def test_any_other_class_is_left_as_it_is(source: str) -> None:
    (node,) = ast.parse(source).body
    assert isinstance(node, ast.ClassDef)
    assert not is_written_out(node)


def test_a_traceback_names_the_lines_of_the_source() -> None:
    source = b"@dataclass(frozen=True, slots=True)\nclass A:\n  a: int\n\n\ndef fail():\n  raise ValueError\n"
    (fail,) = [each for each in compiled(source, "a.py").co_consts if getattr(each, "co_name", "") == "fail"]
    assert fail.co_firstlineno == 6
