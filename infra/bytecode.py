"""Bytecode for a bundle, in which the methods of our values are written out.

    python3.13 infra/bytecode.py BUNDLE ROOT    (Lambda's Python; the standard library is all it needs)

`@dataclass(frozen=True, slots=True)` puts the text of six methods together and compiles it each time that a module is
imported. That takes most of a millisecond for each of some sixty classes, an eighth of a cold start, and comes to the
same every time. So it is done here, once. Sources stay as they are, and so do the lines that a traceback names; without
bytecode everything works as well, and slower.
"""

from __future__ import annotations

import ast
import compileall
import importlib.util
import marshal
import sys
from collections.abc import Iterator
from pathlib import Path
from py_compile import PycInvalidationMode
from types import CodeType

_DECORATOR = "dataclass(frozen=True, slots=True)"
# What is left to do when the module is imported: the fields, the slots, and the names that `match` goes by.
_THE_REST = "dataclass(init=False, repr=False, eq=False, slots=True)"
_WRITTEN = {"__init__", "__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__"}
_UNCHECKED = 0b01


def compile_bundle(bundle: Path, root: str) -> None:
    """Put bytecode beside every module, as if the bundle lay at `root`; in our package with the methods written out.

    Hash-based and unchecked (PEP 552), since times do not survive a zip file.
    """
    unchecked = PycInvalidationMode.UNCHECKED_HASH
    if not compileall.compile_dir(
        bundle, quiet=1, workers=0, stripdir=bundle, prependdir=root, invalidation_mode=unchecked
    ):
        raise SystemExit("bytecode: not every module could be compiled")
    for path in sorted((bundle / "demarc").rglob("*.py")):
        source = path.read_bytes()
        code = compiled(source, f"{root}/{path.relative_to(bundle)}")
        header = importlib.util.MAGIC_NUMBER + _UNCHECKED.to_bytes(4, "little") + importlib.util.source_hash(source)
        Path(importlib.util.cache_from_source(path)).write_bytes(header + marshal.dumps(code))


def compiled(source: bytes, filename: str) -> CodeType:
    """A module as its source says, with the methods of its values written out."""
    module = ast.parse(source)
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef) and is_written_out(node):
            _write_out(node)
    code: CodeType = compile(module, filename, "exec", dont_inherit=True)
    return code


def is_written_out(node: ast.ClassDef) -> bool:
    """Whether a class is one of our values: frozen, with slots, without bases, its fields just names and defaults."""
    plain = not node.bases and not node.keywords and [ast.unparse(each) for each in node.decorator_list] == [_DECORATOR]
    own = {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
    return plain and not own & _WRITTEN and all(_is_plain(each) for each in _fields(node))


def _fields(node: ast.ClassDef) -> Iterator[ast.AnnAssign]:
    return (each for each in node.body if isinstance(each, ast.AnnAssign))


def _is_plain(field: ast.AnnAssign) -> bool:
    special = any(word in ast.unparse(field.annotation) for word in ("ClassVar", "InitVar", "KW_ONLY"))
    return not special and (not _calls_field(field) or _factory(field) is not None)


def _calls_field(field: ast.AnnAssign) -> bool:
    return isinstance(field.value, ast.Call) and ast.unparse(field.value.func) == "field"


def _factory(field: ast.AnnAssign) -> str | None:
    """What makes the default of `field(default_factory=...)`; None where something else is asked for."""
    match field.value:
        case ast.Call(args=[], keywords=[ast.keyword(arg="default_factory", value=factory)]):
            return ast.unparse(factory)
    return None


def _write_out(node: ast.ClassDef) -> None:
    """Give a class the methods that the decorator would compose, as Python 3.13 has them, on the line of the class."""
    methods = ast.parse("\n".join(_methods(node))).body
    # Where a class says nothing of itself, the decorator asks for its signature, which takes longer than all the rest.
    said = [] if ast.get_docstring(node) else ast.parse(repr(node.name)).body
    decorator = ast.parse(_THE_REST, mode="eval").body
    for new in (*said, *methods, decorator):
        for each in ast.walk(new):
            if "lineno" in each._attributes:
                ast.copy_location(each, node)
    node.body = [*said, *node.body, *methods]
    node.decorator_list = [decorator]


def _methods(node: ast.ClassDef) -> Iterator[str]:
    fields = list(_fields(node))
    names = [ast.unparse(field.target) for field in fields]
    yield f"def __init__(self, {', '.join(map(_parameter, fields))}):"
    yield from (
        f"  object.__setattr__(self, {name!r}, {_given(field)})" for name, field in zip(names, fields, strict=True)
    )
    if any(isinstance(each, ast.FunctionDef) and each.name == "__post_init__" for each in node.body):
        yield "  self.__post_init__()"
    yield "def __repr__(self):"
    yield f'  return f"{{self.__class__.__qualname__}}({", ".join(f"{name}={{self.{name}!r}}" for name in names)})"'
    yield "def __eq__(self, other):"
    yield "  if self is other: return True"
    yield "  if other.__class__ is not self.__class__: return NotImplemented"
    yield f"  return {' and '.join(f'self.{name} == other.{name}' for name in names) or True}"
    yield "def __hash__(self):"
    yield f"  return hash(({''.join(f'self.{name}, ' for name in names)}))"
    for method, arguments, does in (("__setattr__", "name, value", "assign to"), ("__delattr__", "name", "delete")):
        yield f"def {method}(self, {arguments}):"
        yield "  from dataclasses import FrozenInstanceError"
        yield f"  raise FrozenInstanceError(f'cannot {does} field {{name!r}}')"


def _parameter(field: ast.AnnAssign) -> str:
    """A parameter of the constructor. Its default is what the body of the class has just given the name."""
    name = ast.unparse(field.target)
    if field.value is None:
        return name
    return f"{name}=..." if _calls_field(field) else f"{name}={name}"


def _given(field: ast.AnnAssign) -> str:
    """What the constructor puts into a field; `...` stands for what was not given and is made anew each time."""
    name = ast.unparse(field.target)
    return f"{_factory(field)}() if {name} is ... else {name}" if _calls_field(field) else name


if __name__ == "__main__":
    compile_bundle(Path(sys.argv[1]), sys.argv[2])
