"""`demarc matrix`: every mistake named, and everything that is written shown."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from demarc.authoring.compile import CompiledMatrix
from demarc.cli.reference import FIELDS
from demarc.core.model import OCCURRENCE, Layer
from tests.cli.conftest import EVENTS, Demarc
from tests.conftest import MATRICES


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """The shipped matrix with two mistakes in it."""
    root = tmp_path / "matrices"
    shutil.copytree(MATRICES, root)
    for file, right, wrong in (
        ("organization.yaml", "accountable: jonas.weber", "accountable: nobody"),
        ("controls/s3.yaml", "resource: AWS::S3::Bucket", "resource: AWS::S3::Bukket"),
    ):
        text = (root / file).read_text()
        (root / file).write_text(text.replace(right, wrong, 1))
    return root


def line_of(file: Path, passage: str) -> int:
    return file.read_text().partition(passage)[0].count("\n") + 1


def test_a_matrix_without_mistakes_is_said_to_have_none(demarc: Demarc) -> None:
    ended = demarc("matrix", "check")

    assert ended.exit_code == 0
    assert ended.out.endswith("5 teams, 4 accounts, 5 workloads, 16 assignments, 2 exceptions: no problem\n")


def test_a_service_that_a_workload_consumes_as_another_tier_than_its_types_is_a_mistake(
    tmp_path: Path, demarc: Demarc
) -> None:
    root = tmp_path / "matrices"
    shutil.copytree(MATRICES, root)
    file = root / "organization.yaml"
    file.write_text(file.read_text().replace("services: {EC2: iaas, RDS: paas}", "services: {EC2: saas, RDS: paas}"))

    ended = demarc("matrix", "check", "--matrix", root)

    said = (
        f"{file}:{line_of(file, 'services: {EC2: saas')}: booking consumes EC2 as saas, responsibility.yaml as iaas. "
    )
    assert ended.out.startswith(said)
    assert ended.exit_code == 1


def test_every_mistake_is_named_by_a_file_and_line_that_can_be_opened(broken: Path, demarc: Demarc) -> None:
    ended = demarc("matrix", "check", "--matrix", broken)

    person = line_of(broken / "organization.yaml", "accountable: nobody")
    resource = line_of(broken / "controls/s3.yaml", "AWS::S3::Bukket")
    first, second, last = ended.out.splitlines()
    assert first.startswith(f"{broken}/controls/s3.yaml:{resource}: ")
    assert second.startswith(f"{broken}/organization.yaml:{person}: there is no person 'nobody'. Add it under people")
    assert last == "2 problems"
    assert ended.exit_code == 1


def test_mistakes_have_a_line_each_for_machines(broken: Path, demarc: Demarc) -> None:
    ended = demarc("matrix", "check", "--matrix", broken, "--json")

    assert [list(row) for row in ended.rows] == [list(FIELDS["matrix check"])] * 2
    assert ended.rows[1]["file"] == f"{broken}/organization.yaml"
    assert ended.exit_code == 1


def test_an_exception_that_has_expired_is_a_mistake_and_no_obstacle(tmp_path: Path, demarc: Demarc) -> None:
    root = tmp_path / "matrices"
    shutil.copytree(MATRICES, root)
    text = (root / "organization.yaml").read_text()
    (root / "organization.yaml").write_text(text.replace("expires: 2027-06-30", "expires: 2020-06-30"))

    assert "RISK-2026-014 expired on 2020-06-30" in demarc("matrix", "check", "--matrix", root).out
    assert demarc("explain", EVENTS / "read.json", "--matrix", root).exit_code == 0


def test_a_matrix_that_cannot_be_used_is_told_by_the_commands_that_need_it(broken: Path, demarc: Demarc) -> None:
    ended = demarc("explain", EVENTS / "read.json", "--matrix", broken)

    assert (ended.exit_code, ended.out) == (2, "")
    assert ended.err.startswith(f"Error: the matrix in {broken} cannot be used:\n{broken}/controls/s3.yaml:")


@pytest.mark.parametrize("command", [("matrix", "check"), ("matrix", "show"), ("explain", EVENTS / "read.json")])
def test_where_there_is_no_matrix_at_all_the_way_to_it_is_told(
    command: tuple[str | Path, ...], tmp_path: Path, demarc: Demarc
) -> None:
    ended = demarc(*command, "--matrix", tmp_path / "nowhere")

    assert ended.exit_code == 2
    assert ended.err == (
        f"Error: there is no matrix in {tmp_path / 'nowhere'}. "
        "Call demarc beside `matrices/`, or name the folder with --matrix\n"
    )


# --- show -----------------------------------------------------------------------------------------------------------


def test_every_control_on_every_type_has_a_line(demarc: Demarc, matrix: CompiledMatrix) -> None:
    rows = demarc("matrix", "show", "--json").rows

    assert all(list(row) == list(FIELDS["matrix show"]) for row in rows)
    assert {(row["type"], row["control"]) for row in rows} == {
        (resource_type, control.id) for resource_type, controls in matrix.controls.items() for control in controls
    }


def test_a_line_names_the_owner_in_each_account_or_none(demarc: Demarc) -> None:
    rows = demarc("matrix", "show", "--type", "aws::s3::bucket", "--json").rows

    owners = next(row["owners"] for row in rows if row["control"] == "s3-bucket-keeps-versions")
    assert {account: owner and owner["row"] for account, owner in owners.items()} == {
        "111122223333": "account:111122223333",
        "123456789012": None,
        "444455556666": "account:444455556666",
        "777788889999": "account:777788889999",
    }


def test_controls_with_the_same_owners_are_told_together(demarc: Demarc) -> None:
    text = demarc("matrix", "show", "--type", "AWS::S3::Bucket").out

    assert text.startswith("AWS::S3::Bucket  paas, ")
    assert text.count("\n  owner   ") == 2
    assert (
        "owner   Mara Lindqvist, team platform in management, workloads-development; Ines Okafor, team security in "
        "security-tooling; unclaimed in workloads-production\n"
    ) in text
    assert "unclaimed: no row names an owner before the resource is looked at." in text


def test_what_holds_for_every_type_is_told_once(demarc: Demarc) -> None:
    text = demarc("matrix", "show").out

    assert text.startswith("every type  4 controls\n")
    assert text.count("demarc-reads-what-it-judges") == 1
    assert "owner   whoever owns the resource\n" in text


def test_teams_are_shown_with_whom_and_how_to_reach(demarc: Demarc) -> None:
    text = demarc("matrix", "show", "--teams").out

    assert "payments  Payments\n  answers Jonas Weber\n  reach   payments@fjordline.example, #payments\n" in text
    assert "answers Helena Novak, also for what nobody claims" in text


def test_the_line_is_shown_by_layer_and_tier(demarc: Demarc) -> None:
    text = [line.split() for line in demarc("matrix", "show", "--responsibility").out.splitlines()]

    assert ["operating-system", "ours", "AWS's", "AWS's"] in text
    assert ["runtime", "ours", "shared", "with", "AWS", "AWS's"] in text


def test_the_line_of_one_type_is_shown_with_its_reasons(demarc: Demarc) -> None:
    text = demarc("matrix", "show", "--responsibility", "--type", "AWS::RDS::DBInstance").out

    assert text.startswith("AWS::RDS::DBInstance  is consumed as paas\n")
    assert "we cannot log on to it." in text


def test_assignments_are_shown_in_their_order_and_as_far_as_they_are_about_a_type(demarc: Demarc) -> None:
    everything = demarc("matrix", "show", "--assignments", "--json").rows
    buckets = demarc("matrix", "show", "--assignments", "--type", "AWS::S3::Bucket").out

    assert [row["position"] for row in everything] == list(range(1, 19))
    assert "16. vault-buckets-by-name  Aiko Tanaka, team payments\n" in buckets
    assert "matches AWS::S3::Bucket, arn:aws:s3:::fjordline-vault-*\n" in buckets
    assert "trails-are-security" not in buckets
    assert "signed:nist-800-53-r5/PE-17" not in buckets


def test_a_workload_is_shown_layer_by_layer_with_whose_each_is_who_answers_and_what_shows_it(demarc: Demarc) -> None:
    rows = demarc("matrix", "show", "--workload", "card-vault", "--json").rows

    by_layer = {(row["layer"], row["tier"]): row for row in rows}
    assert set(by_layer) == {(layer, tier) for layer in Layer for tier in ("iaas", "paas")}
    building = by_layer["physical", "iaas"]
    assert (building["party"], building["owners"], building["verified"]) == ("provider", [], "provider-report")
    data = by_layer["data", "paas"]
    assert data["services"] == ["KMS", "RDS", "S3"]
    assert {owner["team"] for owner in data["owners"]} == {"payments"}
    assert "s3-bucket-keeps-versions" in data["controls"]
    client = by_layer["client-side", "paas"]
    assert (client["verified"], client["controls"]) == ("unverified", [])


def test_a_layer_of_a_workload_that_nobody_claims_is_said_to_be_nobodys(demarc: Demarc) -> None:
    text = demarc("matrix", "show", "--workload", "workforce-mail").out

    assert "the whole of it; no service is named" in text
    assert "nobody: governance answers" in text


def test_one_control_is_shown_in_full(demarc: Demarc) -> None:
    text = demarc("matrix", "show", "--control", "s3-bucket-access-is-logged").out

    line = line_of(MATRICES / "controls/s3.yaml", "- id: s3-bucket-access-is-logged")
    for said in (
        "s3-bucket-access-is-logged  Access to buckets is logged\n  about   AWS::S3::Bucket, medium\n",
        "  needs   LoggingConfiguration.DestinationBucketName is present\n",
        "  fix     aws s3api put-bucket-logging --bucket {identifier}",
        "  except  arn:aws:s3:::fjordline-vault-access-logs until 2027-06-30, approved by Helena Novak: ",
        "          Security Hub S3.9\n",
        f"  from    {MATRICES}/controls/s3.yaml:{line}\n",
    ):
        assert said in text


def test_a_control_on_every_type_is_shown_once_and_for_machines_by_type(demarc: Demarc, matrix: CompiledMatrix) -> None:
    arguments = ("matrix", "show", "--control", "demarc-reads-what-it-judges")

    assert "about   every type, high\n" in demarc(*arguments).out
    assert "line    visibility of iaas and paas is ours: " in demarc(*arguments).out
    judged = [each for each in matrix.controls if each != OCCURRENCE]
    assert [row["resource_type"] for row in demarc(*arguments, "--json").rows] == judged


@pytest.mark.parametrize("control", ["security-group-ssh-closed-to-the-world", "ec2-instance-uses-a-role"])
def test_any_control_can_be_shown(control: str, demarc: Demarc) -> None:
    assert demarc("matrix", "show", "--control", control).out.startswith(f"{control}  ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--control", "s3-bucket-acces-is-loged"), "Did you mean s3-bucket-access-is-logged"),
        (("--control", "nonsense"), "`demarc matrix show` lists all that there are"),
        (("--type", "AWS::S3::Bukket"), "Did you mean AWS::S3::Bucket?"),
        (("--type", "nonsense"), "`demarc matrix show` lists all that there are"),
        (("--teams", "--type", "AWS::S3::Bucket"), "Leave --type out"),
        (("--teams", "--control", "x"), "Leave the other choices out"),
        (("--teams", "--workload", "x"), "Leave the other choices out"),
        (("--workload", "card-valt"), "Did you mean card-vault"),
    ],
)
def test_what_cannot_be_meant_is_said(arguments: tuple[str, ...], said: str, demarc: Demarc) -> None:
    ended = demarc("matrix", "show", *arguments)

    assert (ended.exit_code, ended.out) == (2, "")
    assert said in ended.err
