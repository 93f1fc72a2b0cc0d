"""What is generated is as it would be generated now, and what is written by hand shows what is really sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from demarc.authoring.catalogue import page_of
from demarc.authoring.compile import CompiledMatrix
from demarc.authoring.source import read_source
from demarc.cli.documents import documents, stale
from demarc.core.announcement import Announcement, announcement_of, body_schema, findings_in

ROOT = Path(__file__).parent.parent.parent
MATRIX_FILES = sorted(path.relative_to(ROOT) for path in (ROOT / "matrices").rglob("*.yaml"))
# Those of the controls are generated, without links.
PAGES = sorted(
    path.relative_to(ROOT)
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if path.parent.name != "controls"
)


@pytest.fixture(scope="module")
def generated() -> Mapping[str, str]:
    return documents(ROOT)


def test_every_generated_file_is_current(generated: Mapping[str, str]) -> None:
    kept = {path: (ROOT / path).read_text(encoding="utf-8") for path in generated if (ROOT / path).exists()}

    assert sorted(path for path, text in generated.items() if kept.get(path) != text) == [], "run `make documents`"


def test_there_is_no_page_of_what_is_there_no_more(generated: Mapping[str, str]) -> None:
    assert stale(ROOT, dict(generated)) == [], "run `make documents`"


def test_every_control_has_a_page_that_says_what_it_is(generated: Mapping[str, str], matrix: CompiledMatrix) -> None:
    controls = {control.id: control for rows in matrix.controls.values() for control in rows}
    pages = {path.removeprefix("docs/controls/").removesuffix(".md") for path in generated if "docs/controls/" in path}

    assert pages == controls.keys()
    for control in controls.values():
        page = generated[page_of(control.id)]
        assert page.startswith(f"# {control.title}\n")
        assert control.guidance in page


@pytest.mark.parametrize("path", MATRIX_FILES, ids=str)
def test_the_schema_that_a_file_names_for_editors_accepts_it(path: Path) -> None:
    file = ROOT / path
    (named,) = re.findall(r"^# yaml-language-server: \$schema=(.+)$", file.read_text(), re.MULTILINE)
    schema = json.loads((file.parent / named).read_text())

    written = read_source(file, root=ROOT / "matrices")[0].data

    assert [error.message for error in Draft202012Validator(schema).iter_errors(written)] == []


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_every_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / path).read_text())

    assert [link for link in links if not (ROOT / path).parent.joinpath(link).exists()] == []


# --- the announcement's page ----------------------------------------------------------------------------------------


def shown(after: str) -> str:
    """The block of the page that follows a sentence of its example."""
    example = (ROOT / "docs/announcement.md").read_text().partition("## Example")[2]
    block = re.search(rf"^{after}:\n\n```\w*\n(.*?)\n```$", example, re.DOTALL | re.MULTILINE)
    assert block, f"no block after {after!r}"
    return block[1]


def sent() -> Announcement:
    """What is sent of the finding that the page's message tells."""
    body: dict[str, Any] = json.loads(shown("The message"))
    return announcement_of(findings_in(body))


def test_the_message_on_the_page_is_what_would_be_sent() -> None:
    assert json.loads(shown("The message")) == sent().body


def test_the_message_on_the_page_is_as_the_schema_says() -> None:
    errors = Draft202012Validator(body_schema()).iter_errors(json.loads(shown("The message")))

    assert [error.message for error in errors] == []


def test_the_attributes_the_subject_and_the_text_on_the_page_are_those_of_that_message() -> None:
    assert json.loads(shown("The attributes")) == json.loads(json.dumps(sent().attributes))
    assert shown("The subject") == sent().subject
    assert shown("The text") == sent().text


def test_the_page_explains_every_field_of_a_message() -> None:
    fields = (ROOT / "docs/announcement.md").read_text().partition("## Fields")[2].partition("## ")[0]
    first_cells = " ".join(line.split("|")[1] for line in fields.splitlines() if line.startswith("|"))

    schema = body_schema()["properties"]
    known = {*schema, *schema["findings"]["items"]["properties"]}
    assert [name for name in sorted(known) if f"`{name}`" not in first_cells] == []
