"""Whatever is wrong in a matrix is said with its file, its line and what to do."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from demarc.authoring.compile import MatrixInvalid, compile_matrix
from demarc.authoring.lint import lint
from demarc.authoring.written import read_matrix
from tests.conftest import MATRICES

TODAY = date(2026, 11, 23)
Edit = Callable[[str, str, str], list[str]]


@pytest.fixture
def after_editing(tmp_path: Path) -> Edit:
    """The problems of the shipped matrix after one passage of one file was replaced."""
    root = tmp_path / "matrices"
    shutil.copytree(MATRICES, root)

    def edit(file: str, passage: str, replacement: str) -> list[str]:
        path = root / file
        text = path.read_text()
        assert passage in text, f"{file} does not say {passage!r} any more"
        path.write_text(text.replace(passage, replacement, 1))
        return [str(problem) for problem in lint(read_matrix(root), today=TODAY)]

    return edit


def line_of(file: str, passage: str) -> int:
    text = (MATRICES / file).read_text()
    return text[: text.index(passage)].count("\n") + 1


def test_the_shipped_matrix_has_no_problem() -> None:
    assert lint(read_matrix(MATRICES), today=TODAY) == []


ORGANIZATION = [
    pytest.param(
        "because: Payments builds and runs the card vault", "becuase: x", "assignments.8.because", id="missing"
    ),
    pytest.param(
        "    team: payments\n    workloads", "    team: paymnts\n    workloads", "no team 'paymnts'", id="team"
    ),
    pytest.param("accountable: jonas.weber", "accountable: nobody", "there is no person 'nobody'", id="person"),
    pytest.param("accountable: jonas.weber", "accountable: raj.patel", "belongs to security", id="outsider"),
    pytest.param(", email: aiko.tanaka@fjordline.example", "", "aiko.tanaka cannot be reached", id="contact"),
    pytest.param("expires: 2027-06-30", "expires: 2026-06-30", "RISK-2026-014 expired on 2026-06-30", id="expired"),
    pytest.param("id: storefront\n", "id: payments\n", "teams has 'payments' twice", id="duplicate"),
    pytest.param("environment: production, shared: true", "environment: production", "have no owner", id="unowned"),
    pytest.param("id: o-7k2m9xqp4h", "id: north", "(it says 'north')", id="pattern"),
    pytest.param("  low: 2160\n", "", "deadlines lack low", id="deadline"),
    pytest.param(
        "workloads: [card-vault]\n    because: P", "workloads: [valt]\n    because: P", "'valt'", id="workload"
    ),
    pytest.param('["demarc-reads-*"]', '["demarc-sees-*"]', "no control is called 'demarc-sees-*'", id="control"),
    pytest.param("approver: helena.novak", "approver: helena", "there is no person 'helena'", id="approver"),
    pytest.param("governance: governance", "governance: [", "this is not YAML", id="syntax"),
]


@pytest.mark.parametrize(("passage", "replacement", "said"), ORGANIZATION)
def test_a_problem_of_the_organization_names_file_line_and_remedy(
    passage: str, replacement: str, said: str, after_editing: Edit
) -> None:
    problems = after_editing("organization.yaml", passage, replacement)

    assert any(said in problem for problem in problems), problems
    assert all(problem.startswith("matrices/") for problem in problems)


def test_the_line_is_the_line(after_editing: Edit) -> None:
    (problem,) = after_editing("organization.yaml", "accountable: jonas.weber", "accountable: nobody")

    line = line_of("organization.yaml", "accountable: jonas.weber")
    assert problem.startswith(f"matrices/organization.yaml:{line}: ")


def test_an_assignment_that_an_earlier_one_swallows_is_unreachable(after_editing: Edit) -> None:
    row = "  - id: blind-spots-are-platform"
    greedy = "  - id: greedy\n    team: platform\n    because: all of it\n    types: &t\n"
    greedy += "      [AWS::IAM::Role, AWS::IAM::User, AWS::IAM::ManagedPolicy]\n\n"

    problems = after_editing("organization.yaml", row, greedy + row)

    assert len(problems) == 1
    assert "people-and-roles-are-security can never be reached: greedy (line" in problems[0]


def test_an_owner_for_account_settings_cannot_come_from_a_tag(after_editing: Edit) -> None:
    problems = after_editing(
        "organization.yaml",
        '    types: ["AWS::::Account"]\n    because: Cloud Platform sets',
        '    types: ["AWS::S3::Bucket"]\n    because: Cloud Platform sets',
    )

    assert any("have no owner in account workloads-production" in problem for problem in problems)


CONTROLS = [
    pytest.param("check: demarc.everything_could_be_read", "check: demarc.nothing", "there is no check", id="check"),
    pytest.param("id: governance-resource-has-an-owner", "id: demarc-reads-what-it-judges", "already", id="duplicate"),
    pytest.param("nist-800-53-r5: [CA-7, RA-5]", "nist-800-53-r5: [CA7]", "numbers its requirements", id="number"),
    pytest.param("nist-800-53-r5: [CM-8, PM-5]", "nist: [CM-8]", "unknown framework 'nist'", id="framework"),
    pytest.param(
        '    nist-800-53-r5: [CM-8]\n    cis-controls-8.1: ["1.1"]\n',
        "    hipaa: []\n",
        "serves no requirement",
        id="requirement",
    ),
    pytest.param("severity: medium", "severity: urgent", "severity", id="severity"),
    pytest.param("    Attribution.Gap: false", "    Attribution.Gap: {is: false}", "require", id="operator"),
    pytest.param("  require:\n    Attribution.Gap: false\n", "", "it can never be broken", id="nothing"),
    pytest.param("could_be_read\n", "could_be_read\n  parameters: {depth: 3}\n", "unexpected keyword", id="parameters"),
    pytest.param(
        'resource: "*"\n  severity: medium',
        "resource: AWS::S3::Buckets\n  severity: medium",
        "nothing reads",
        id="type",
    ),
    pytest.param("- id: governance-owner-tag", "- title: twice\n  id: governance-owner-tag", "stands twice", id="key"),
]


@pytest.mark.parametrize(("passage", "replacement", "said"), CONTROLS)
def test_a_problem_of_a_control_names_file_line_and_remedy(
    passage: str, replacement: str, said: str, after_editing: Edit
) -> None:
    problems = after_editing("controls/demarc.yaml", passage, replacement)

    assert any(said in problem for problem in problems), problems
    assert all(problem.split(":")[1].isdigit() for problem in problems)


def test_a_type_without_a_tier_and_a_layer_without_a_line_are_problems(after_editing: Edit) -> None:
    assert any(
        "AWS::KMS::Key has no tier" in problem
        for problem in after_editing("responsibility.yaml", '  "AWS::KMS::Key": paas\n', "")
    )


def test_a_control_that_would_charge_us_with_what_aws_does_is_a_problem(after_editing: Edit) -> None:
    problems = after_editing(
        "responsibility.yaml",
        'paas: {party: shared, reason: "AWS runs the engine;',
        'paas: {party: provider, reason: "AWS runs the engine;',
    )

    assert any("AWS answers for middleware of paas" in problem for problem in problems)


def test_a_bad_row_fails_the_deployment(tmp_path: Path) -> None:
    with pytest.raises(MatrixInvalid, match=r"organization\.yaml:1: the file does not exist"):
        compile_matrix(tmp_path / "matrices")
