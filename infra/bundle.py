"""The one Lambda asset: our package, its libraries, and service models cut to the operations that are called.

What is called is what readers, stores, announcers and their like declare; the same grants the permissions. Loading
botocore's full models and compiling modules are most of a cold start, so the models are cut and bytecode is shipped.
"""

from __future__ import annotations

import ast
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from botocore.loaders import Loader

from demarc import readers
from demarc.authoring.compile import CompiledMatrix
from infra import ROOT, bytecode, calls

PACKAGE = ROOT / "functions" / "demarc"
REQUIREMENTS = ROOT / "functions" / "requirements.txt"
PYTHON, PLATFORM = "3.13", "aarch64-manylinux_2_28"

# Rooms of the package that no function enters.
_LEFT_OUT = ("cli", "authoring")
# Parts of the libraries that nothing of ours imports; a test imports the handler from the bundle.
_UNUSED = (
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/utilities/data_masking",
    "aws_lambda_powertools/utilities/idempotency",
    "aws_lambda_powertools/utilities/kafka",
    "aws_lambda_powertools/utilities/parser",
    "aws_lambda_powertools/utilities/streaming",
    "aws_lambda_powertools/utilities/validation",
)
# Powertools' batch processor asks this room for the class of a message; it would bring those of every source of events.
_ON_DEMAND = "aws_lambda_powertools/utilities/data_classes/__init__.py"
# What modules import at their top for functions that nothing of ours calls, by its name there: Powertools' batch
# processor for asynchronous handlers, urllib3 to ask for the version of what speaks HTTP/2.
_WHEN_USED = {
    "aws_lambda_powertools/utilities/batch/base.py": "asyncio",
    "urllib3/http2/__init__.py": "version",
}
# Who signs for AWS: Amazon asks whoever chooses authorities to take all five of its own (amazontrust.com/repository),
# and DigiCert's sign for endpoints that have not moved there.
_AUTHORITIES = (
    *("Amazon Root CA 1", "Amazon Root CA 2", "Amazon Root CA 3", "Amazon Root CA 4"),
    "Starfield Services Root Certificate Authority - G2",
    *("DigiCert Global Root CA", "DigiCert Global Root G2", "DigiCert Global Root G3"),
)
_FACE = """\
from importlib import import_module

_WHERE = {where!r}


def __getattr__(name):
    if name not in _WHERE:
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
    return getattr(import_module(_WHERE[name], __name__), name)
"""
_THEN = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A built asset: its folder, the digest of its content, and how large it is, in bytes."""

    path: Path
    digest: str
    size: int
    compressed: int
    bytecode: bool

    def __str__(self) -> str:
        kind = "with bytecode" if self.bytecode else "without bytecode"
        return f"{self.compressed / 2**20:.1f} MiB zipped, {self.size / 2**20:.1f} MiB unpacked, {kind}"


def declared_operations() -> dict[str, set[str]]:
    """Every botocore operation that the functions call, by service."""
    operations: dict[str, set[str]] = {}
    known = readers.load()
    reads = [part.calls for reader in known for part in reader.parts]
    lists = [reader.inventory.calls for reader in known if reader.inventory]
    for declared in (*reads, *lists, *calls.ALL):
        for call in declared:
            service, _, operation = call.partition(".")
            operations.setdefault(service, set()).add(operation)
    return operations


def build(matrix: CompiledMatrix, into: Path) -> Bundle:
    """Build the asset into a folder, which is emptied first. The same input gives the same bytes."""
    shutil.rmtree(into, ignore_errors=True)
    _copy_libraries(into)
    shutil.copytree(PACKAGE, into / "demarc", ignore=shutil.ignore_patterns("__pycache__", ".*", *_LEFT_OUT))
    _write_matrices(matrix, into / "demarc" / "matrices")
    _cut_models(into / "botocore" / "data")
    _cut_authorities(into / "botocore" / "cacert.pem")
    _refuse_compiled_code(into)
    compiled = _compile(into)
    return _sealed(into, bytecode=compiled)


def _copy_libraries(into: Path) -> None:
    installed = _installed_libraries()
    shutil.copytree(
        installed, into, ignore=shutil.ignore_patterns("*.dist-info", "bin", "__pycache__", ".lock", "*.pyi")
    )
    for unused in _UNUSED:
        shutil.rmtree(into / unused)
    face = into / _ON_DEMAND
    face.write_text(on_demand(face.read_text()))
    for module, name in _WHEN_USED.items():
        (into / module).write_text(when_used((into / module).read_text(), name))
    shutil.rmtree(into / "botocore" / "data")


def on_demand(face: str) -> str:
    """A package that imports all of its modules for what is in them, as one that imports a module when asked for it.

    Raises:
        ValueError: if it does more than import.
    """
    where: dict[str, str] = {}
    for statement in ast.parse(face).body:
        match statement:
            case ast.ImportFrom(module=str(module), level=1) if not any(each.asname for each in statement.names):
                where |= {each.name: f".{module}" for each in statement.names}
            case ast.Expr(ast.Constant()) | ast.Assign(targets=[ast.Name("__all__")]):
                pass
            case _:
                raise ValueError(f"line {statement.lineno} does more than import")
    return _FACE.format(where=where)


def when_used(module: str, name: str) -> str:
    """A module that imports a name at its top, as one whose functions import it themselves, those that use it.

    Raises:
        ValueError: if it does not import just that name at its top, or uses it outside of functions.
    """
    tree = ast.parse(module)
    imports = [each for each in tree.body if isinstance(each, ast.Import | ast.ImportFrom)]
    found = [each for each in imports if [alias.asname or alias.name for alias in each.names] == [name]]
    if len(found) != 1:
        raise ValueError(f"{name} is not imported by itself at the top")
    tree.body.remove(found[0])
    return ast.unparse(_WhenUsed(name, found[0]).visit(tree))


_Function = TypeVar("_Function", ast.FunctionDef, ast.AsyncFunctionDef)


class _WhenUsed(ast.NodeTransformer):
    def __init__(self, name: str, statement: ast.stmt) -> None:
        self._name = name
        self._statement = statement

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return self._importing(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        return self._importing(node)

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id == self._name:
            raise ValueError(f"line {node.lineno} uses {self._name} outside of functions")
        return node

    def _importing(self, node: _Function) -> _Function:
        # What stands around a body is evaluated when the module is imported.
        for around in (node.args, *node.decorator_list, *([node.returns] if node.returns else [])):
            self.visit(around)
        inside = (each for statement in node.body for each in ast.walk(statement))
        if any(isinstance(each, ast.Name) and each.id == self._name for each in inside):
            node.body.insert(1 if ast.get_docstring(node) else 0, self._statement)
        return node


@cache
def _installed_libraries() -> Path:
    """The pinned libraries as Lambda will have them, installed once per set of pins."""
    digest = hashlib.sha256(f"{REQUIREMENTS.read_text()}{PYTHON}{PLATFORM}".encode()).hexdigest()[:12]
    target = ROOT / "build" / f"libraries-{digest}"
    if not target.exists():
        draft = target.with_name(f"{target.name}.{os.getpid()}")
        uv = [
            str(Path(sys.executable).parent / "uv"),
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
        ]
        wanted = ["--python-version", PYTHON, "--python-platform", PLATFORM, "--requirements", str(REQUIREMENTS)]
        subprocess.run([*uv, "--target", str(draft), *wanted], check=True)  # noqa: S603
        try:
            draft.rename(target)
        except OSError:  # another build was faster
            shutil.rmtree(draft)
    return target


def _write_matrices(matrix: CompiledMatrix, into: Path) -> None:
    into.mkdir()
    for responder in sorted({reader.responder for reader in readers.load()}):
        (into / f"{responder}.json").write_text(matrix.for_responder(responder))
    (into / "organization.json").write_text(matrix.without_controls())


def _cut_models(into: Path) -> None:
    """botocore's data, reduced to what is declared; an operation that is not cannot even be asked for."""
    source = _installed_libraries() / "botocore" / "data"
    into.mkdir()
    operations = declared_operations()
    for name in ("_retry.json", "sdk-default-configuration.json", "partitions.json"):
        shutil.copy(source / name, into / name)
    (into / "endpoints.json").write_text(_compact(_endpoints(_load(source / "endpoints.json"), operations)))
    models = Loader(extra_search_paths=[str(source)], include_default_search_paths=False)
    for service, names in sorted(operations.items()):
        target = into / service / models.determine_latest_version(service, "service-2")
        target.mkdir(parents=True)
        cuts = {
            "service-2": cut(models.load_service_model(service, "service-2"), names),
            "paginators-1": _paging(models.load_service_model(service, "paginators-1"), names),
            "endpoint-rule-set-1": models.load_service_model(service, "endpoint-rule-set-1"),
        }
        for kind, content in cuts.items():
            (target / f"{kind}.json").write_text(_compact(content))


def cut(model: Mapping[str, Any], operations: Iterable[str]) -> dict[str, Any]:
    """A service model with some operations, the shapes they reach, and no documentation."""
    kept = {name: model["operations"][name] for name in sorted(operations)}
    shapes: dict[str, Any] = {}
    waiting = list(_shape_names(kept))
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            waiting += _shape_names(shapes[name])
    whole = {**model, "operations": kept, "shapes": dict(sorted(shapes.items()))}
    context = whole.pop("clientContextParams", None)
    bare: dict[str, Any] = _without_documentation(whole)
    # botocore reads the documentation of these to make client arguments.
    return bare if context is None else {**bare, "clientContextParams": context}


def _paging(model: Mapping[str, Any], operations: Iterable[str]) -> dict[str, Any]:
    kept = set(operations)
    return {"pagination": {name: how for name, how in model["pagination"].items() if name in kept}}


def _shape_names(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        if isinstance(node.get("shape"), str):
            yield node["shape"]
        for value in node.values():
            yield from _shape_names(value)
    elif isinstance(node, list):
        for value in node:
            yield from _shape_names(value)


def _without_documentation(node: Any) -> Any:
    if isinstance(node, Mapping):
        # A member may itself be called "documentation"; then it is a mapping, not a text.
        return {
            key: _without_documentation(value)
            for key, value in node.items()
            if not (key in ("documentation", "documentationUrl") and isinstance(value, str))
        }
    if isinstance(node, list):
        return [_without_documentation(value) for value in node]
    return node


def _endpoints(document: Mapping[str, Any], services: Iterable[str]) -> dict[str, Any]:
    kept = set(services)
    partitions = [
        {**partition, "services": {name: value for name, value in partition["services"].items() if name in kept}}
        for partition in document["partitions"]
    ]
    return {**document, "partitions": partitions}


def _cut_authorities(certificates: Path) -> None:
    """botocore's certificate authorities, reduced to those that sign for AWS.

    All of them are read anew for every connection (urllib3 issue 3623), which for the whole file costs 20 to 30 ms.
    """
    labelled = {_label(each): each for each in certificates.read_text().split("\n\n")}
    certificates.write_text("\n\n".join(labelled[name].strip() for name in _AUTHORITIES) + "\n")


def _label(certificate: str) -> str:
    return certificate.partition('# Label: "')[2].partition('"')[0]


def _load(path: Path) -> Any:
    content = path.read_bytes()
    return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)


def _compact(document: Any) -> str:
    return json.dumps(document, separators=(",", ":"))


def _refuse_compiled_code(bundle: Path) -> None:
    found = sorted(str(path.relative_to(bundle)) for path in bundle.rglob("*.so"))
    if found:
        raise RuntimeError(f"the bundle must be pure Python, and holds {', '.join(found)}")


def _compile(bundle: Path) -> bool:
    """Ship bytecode where a Python of Lambda's version is at hand: Lambda's /var/task is read-only and keeps none."""
    interpreter = lambda_python()
    if interpreter is None:
        sys.stderr.write(f"bundle: no Python {PYTHON} here, so no bytecode; every cold start compiles (about 300 ms)\n")
        return False
    # The paths of Lambda in place of this machine's: the same bytes wherever it is built.
    subprocess.run([interpreter, "-I", "-B", bytecode.__file__, str(bundle), "/var/task"], check=True)  # noqa: S603
    return True


@cache
def lambda_python() -> str | None:
    """A Python of Lambda's version on this machine: on the path, or where pyenv and uv keep theirs."""
    name = f"python{PYTHON}"
    found = [shutil.which(name), *_kept(".pyenv/versions", name), *_kept(".local/share/uv/python", name)]
    return next((each for each in found if each and _answers(each)), None)


def _kept(folder: str, name: str) -> list[str]:
    return [str(path) for path in sorted((Path.home() / folder).glob(f"*{PYTHON}*/bin/{name}"), reverse=True)]


def _answers(interpreter: str) -> bool:
    """Whether it runs; pyenv's shims are on the path also for versions that are switched off."""
    asked = [interpreter, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    said = subprocess.run(asked, check=False, capture_output=True, text=True)  # noqa: S603
    return said.stdout.strip() == PYTHON


def _sealed(bundle: Path, *, bytecode: bool) -> Bundle:
    """Measure the bundle and take its digest, by names and bytes alone."""
    digest, size = hashlib.sha256(), 0
    archive = bundle.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in sorted(bundle.rglob("*")):
            if path.is_file():
                content = path.read_bytes()
                name = path.relative_to(bundle).as_posix()
                digest.update(f"{name}\0{len(content)}\0".encode() + content)
                size += len(content)
                packed.writestr(zipfile.ZipInfo(name, _THEN), content, zipfile.ZIP_DEFLATED)
    compressed = archive.stat().st_size
    archive.unlink()
    return Bundle(bundle, digest.hexdigest(), size, compressed, bytecode)
