"""`app.py` needs no account and no Docker, says little, and refuses what is wrong with words that help."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint_file

from tests.infrastructure.synthesis import ROOT, Assembly, run_app

# What cfn-lint is not asked, and why.
UNASKED = {
    "W3005": "the CDK says that a function depends on its role, which the function's properties say too",
}
BOTH = pytest.mark.parametrize("variant", ["assembly", "with_own_key"])


@pytest.fixture
def deployed(variant: str, request: pytest.FixtureRequest) -> Assembly:
    found: Assembly = request.getfixturevalue(variant)
    return found


def suppressed(assembly: Assembly) -> Iterator[dict[str, Any]]:
    (report,) = assembly.validation["pluginReports"]
    yield from report["suppressedViolations"]


def test_the_template_fits_every_account_and_region(assembly: Assembly) -> None:
    manifest = json.loads((assembly.path / "manifest.json").read_text())
    assert manifest["artifacts"]["Demarc"]["environment"] == "aws://unknown-account/unknown-region"


def test_a_synth_says_how_large_the_bundle_is_and_warns_of_nothing(assembly: Assembly) -> None:
    said = assembly.said.splitlines()
    assert any("MiB zipped" in line for line in said)
    assert [line for line in said if not line.startswith("bundle: ")] == []


@BOTH
def test_cfn_lint_finds_nothing(deployed: Assembly) -> None:
    asked = ManualArgs(regions=["us-east-1", "eu-west-1"], ignore_checks=[*UNASKED])
    found = lint_file(deployed.template_file, config=asked)
    assert [str(match) for match in found] == []


def test_what_cfn_lint_is_not_asked_it_would_find(assembly: Assembly) -> None:
    found = lint_file(assembly.template_file, config=ManualArgs(regions=["eu-west-1"]))
    assert {match.rule.id for match in found} == set(UNASKED)


@BOTH
def test_cdk_nag_finds_nothing(deployed: Assembly) -> None:
    (report,) = deployed.validation["pluginReports"]
    assert (report["pluginName"], report["conclusion"], report["violations"]) == ("AwsSolutions", "success", [])


@BOTH
def test_what_cdk_nag_is_told_to_accept_has_its_reason_at_its_place(deployed: Assembly) -> None:
    """Wildcards in the roles' resources, and Lambda's runtime; each at the role or function that it is about."""
    accepted = list(suppressed(deployed))
    assert {each["ruleName"].partition("[")[0] for each in accepted} == {"AwsSolutions-IAM5", "AwsSolutions-L1"}
    for each in accepted:
        assert len(each["reason"]) > 30
        assert each["acknowledgedAt"].endswith(("/Role", "/Function"))


def test_a_row_that_is_wrong_fails_the_deployment_with_file_and_line(tmp_path: Path) -> None:
    matrices = shutil.copytree(ROOT / "matrices", tmp_path / "matrices")
    organization = (matrices / "organization.yaml").read_text().splitlines()
    line = next(number for number, text in enumerate(organization, start=1) if "team: platform" in text)
    organization[line - 1] = organization[line - 1].replace("team: platform", "team: plattform")
    (matrices / "organization.yaml").write_text("\n".join(organization) + "\n")

    run = run_app(tmp_path / "out", {"matrix": str(matrices)})

    assert run.returncode == 1
    assert f"organization.yaml:{line}: " in run.stderr
    assert "plattform" in run.stderr
    assert "Traceback" not in run.stderr
    assert not (tmp_path / "out" / "Demarc.template.json").exists()


def test_every_context_value_that_cannot_be_is_refused_by_name(tmp_path: Path) -> None:
    wrong = {
        "stack": "Demarc of ours",
        "sweep": "every night",
        "slack_secret": "arn:aws:secretsmanager:*",
        "answers_at_once": "many",
        "pages_url": "http://somewhere.example",
    }

    run = run_app(tmp_path / "out", {"encryption": "none", **wrong})

    assert run.returncode == 1
    assert "-c encryption=...: 'none' is none of aws-managed, customer-managed\n" in run.stderr
    for name, value in wrong.items():
        assert f"-c {name}=...: {value!r} is not " in run.stderr
    assert "Traceback" not in run.stderr
