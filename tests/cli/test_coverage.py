"""`demarc matrix coverage`: whose every requirement is, who answers, and what shows it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from demarc.cli import coverage as command
from demarc.cli.reference import FIELDS
from demarc.core.framework import Proof
from tests.cli.conftest import Demarc, Deployed
from tests.conftest import MATRICES

NIST = ("matrix", "coverage", "--framework", "nist-800-53-r5")


@pytest.fixture(autouse=True)
def _on_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_today", lambda: date(2026, 11, 26))


def test_each_framework_is_counted_by_family_and_team_in_the_same_fields(demarc: Demarc) -> None:
    rows = demarc("matrix", "coverage", "--json").rows

    assert all(list(row) == list(FIELDS["matrix coverage"]) for row in rows)
    assert {path.stem for path in (MATRICES / "frameworks").glob("*.yaml")} == {row["framework"] for row in rows}
    assert {row["by"] for row in rows} == {"all", "family", "team"}


def test_no_requirement_is_lost_or_counted_twice(demarc: Demarc) -> None:
    for row in demarc("matrix", "coverage", "--json").rows:
        ours = row["shared"] + row["customer"]
        assert row["requirements"] == row["provider"] + ours == sum(row["verified"].values())
        assert row["assigned"] + row["unassigned"] == ours


def test_families_and_teams_add_up_to_all(demarc: Demarc) -> None:
    rows = demarc(*NIST, "--baseline", "MODERATE", "--json").rows

    (overall,) = (row for row in rows if row["by"] == "all")
    families = [row for row in rows if row["by"] == "family"]
    teams = [row for row in rows if row["by"] == "team"]
    assert overall["requirements"] == sum(row["requirements"] for row in families) == 287
    assert overall["assigned"] == sum(row["requirements"] for row in teams if row["name"])
    assert overall["unassigned"] == sum(row["requirements"] for row in teams if not row["name"])


def test_one_framework_is_told_with_a_chart_and_what_was_signed(demarc: Demarc) -> None:
    text = demarc(*NIST, "--baseline", "moderate").out

    assert text.startswith("nist-800-53-r5  NIST SP 800-53 Revision 5 5.2.0, SP 800-53B, moderate impact, as iaas\n")
    assert "  whose   287 requirements: 37 AWS's, 111 shared with AWS, 139 ours\n" in text
    bar = next(line for line in text.splitlines() if line.startswith("  PE Physical and Environmental Protection"))
    assert bar.endswith("=" * 44 + "!!!···")
    (signed,) = (line.split() for line in text.splitlines() if line.startswith("PE-17"))
    assert {"helena.novak", "2026-10-01", "due"} <= set(signed)


def test_every_bar_is_as_long_as_the_others(demarc: Demarc) -> None:
    lines = demarc("matrix", "coverage").out.partition("automatically")[0].splitlines()[:-1]

    assert len({len(line) for line in lines}) == 1
    assert len(lines) == len(list((MATRICES / "frameworks").glob("*.yaml")))


def test_the_tier_decides_whose_it_is(demarc: Demarc) -> None:
    rows = {tier: demarc(*NIST, "--tier", tier, "--json").rows[0] for tier in ("iaas", "paas", "saas")}

    assert rows["iaas"]["provider"] < rows["paas"]["provider"] < rows["saas"]["provider"]


def test_a_row_that_was_signed_is_in_force_for_its_tiers_and_seen(demarc: Demarc) -> None:
    by_tier = {
        tier: next(
            row for row in demarc(*NIST, "--tier", tier, "--each", "--json").rows if row["requirement"] == "CP-9"
        )
        for tier in ("paas", "saas")
    }

    assert by_tier["paas"]["party"] == "customer"
    assert by_tier["paas"]["verified"] == "process-record"
    assert (by_tier["paas"]["team"], by_tier["paas"]["person"]) == ("platform", "tomas.berg")
    assert by_tier["paas"]["signed"] == {
        "approver": "helena.novak",
        "approved": "2026-10-01",
        "reference": "Responsibility matrix 2026, row 41",
        "was": "shared",
    }
    assert (by_tier["saas"]["party"], by_tier["saas"]["signed"]) == ("shared", None)


def test_what_is_verified_automatically_names_the_controls(demarc: Demarc) -> None:
    rows = demarc(*NIST, "--each", "--json").rows

    automatic = [row for row in rows if row["verified"] == Proof.CONTROLS]
    assert automatic
    assert all(row["controls"] for row in automatic)


def test_a_word_that_was_recorded_counts_where_it_is_asked_for(
    deployed: Deployed, sign_in: Callable[[str], None], demarc: Demarc
) -> None:
    def proof(*more: str) -> Any:
        rows = demarc(*NIST, "--each", "--json", *more).rows
        return next(row["verified"] for row in rows if row["requirement"] == "PE-17")

    sign_in("raj.patel")
    evidence = "https://wiki.fjordline.example/security/managed-devices"
    in_a_month = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
    assert proof("--recorded") == Proof.STALE_ATTESTATION

    demarc("attest", "PE-17", "--by", "raj.patel", "--until", in_a_month, "--evidence", evidence)

    assert proof("--recorded") == proof("--recorded", "--table", deployed.table) == Proof.ATTESTATION
    assert proof() == Proof.STALE_ATTESTATION
    assert "--recorded counts what was given with `demarc attest` as well" in demarc(*NIST).out
    assert "--recorded" not in demarc(*NIST, "--recorded").out


def test_what_may_not_be_asked_for_is_not_taken_for_nothing(deployed: Deployed, demarc: Demarc) -> None:
    ended = demarc(*NIST, "--recorded", "--stack", "Elsewhere")

    assert ended.exit_code
    assert "Elsewhere" in ended.err
    assert ended.out == ""


def test_an_attestation_runs_out(demarc: Demarc, monkeypatch: pytest.MonkeyPatch) -> None:
    def due() -> int:
        verified: dict[str, int] = demarc(*NIST, "--json").rows[0]["verified"]
        return verified[Proof.STALE_ATTESTATION]

    before = due()
    monkeypatch.setattr(command, "_today", lambda: date(2027, 9, 15))

    assert due() == before + 1


def test_every_requirement_can_be_listed_and_the_notice_stands_below(demarc: Demarc) -> None:
    text = demarc("matrix", "coverage", "--framework", "mitre-attack", "--baseline", "iaas", "--each").out

    assert sum(1 for line in text.splitlines() if line.startswith("T1")) == 104
    assert text.rstrip().endswith("with the permission of The MITRE Corporation.")


def test_the_notice_goes_with_each_requirement_for_machines_too(demarc: Demarc) -> None:
    rows = demarc("matrix", "coverage", "--framework", "mitre-attack", "--each", "--json").rows

    assert {"The MITRE Corporation" in row["notice"] for row in rows} == {True}


def test_without_a_signed_matrix_nothing_is_assigned(tmp_path: Path, demarc: Demarc) -> None:
    root = Path(shutil.copytree(MATRICES, tmp_path / "matrices"))
    (root / "signed.yaml").unlink()

    rows = demarc("matrix", "coverage", "--matrix", root, "--json").rows

    assert {row["assigned"] for row in rows} == {0}
    assert {row["signed"] for row in rows} == {0}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--framework", "nist-800-53-r4"), "Did you mean nist-800-53-r5"),
        (("--framework", "nist-800-53-r5", "--baseline", "moderat"), "Did you mean moderate"),
        (("--framework", "soc-2", "--baseline", "low"), "soc-2 has no baselines. Leave --baseline out"),
        (("--baseline", "low"), "Name it with --framework"),
        (("--each",), "Name it with --framework"),
    ],
)
def test_what_cannot_be_meant_is_said(arguments: tuple[str, ...], said: str, demarc: Demarc) -> None:
    ended = demarc("matrix", "coverage", *arguments)

    assert (ended.exit_code, ended.out) == (2, "")
    assert said in ended.err


# --- the chart ------------------------------------------------------------------------------------------------------

MODERATE = ("matrix", "coverage", "--framework", "nist-800-53-r5", "--baseline", "moderate")


def test_what_is_counted_is_drawn_with_every_family_and_the_numbers_that_are_printed(
    tmp_path: Path, demarc: Demarc
) -> None:
    picture = tmp_path / "moderate.svg"

    ended = demarc(*MODERATE, "--chart", picture)

    (overall,) = [row for row in demarc(*MODERATE, "--json").rows if row["by"] == "all"]
    drawn = picture.read_text()
    assert ended.exit_code == 0
    assert f"of {overall['requirements']} requirements have a part that is ours" in drawn
    assert f"{overall['unassigned']} of these have no owner" in drawn
    assert f"Ours: {overall['customer']}" in drawn
    assert "PE Physical and Environmental Protection" in drawn


def test_all_frameworks_are_drawn_with_what_has_to_stand_beside_their_content(tmp_path: Path, demarc: Demarc) -> None:
    picture = tmp_path / "all.svg"

    demarc("matrix", "coverage", "--chart", picture)

    assert "MITRE Corporation" in picture.read_text()
    assert "PCI DSS 4.0.1" in picture.read_text()


def test_the_same_counts_are_the_same_picture(tmp_path: Path, demarc: Demarc) -> None:
    first, second = tmp_path / "first.png", tmp_path / "second.png"

    for each in (first, second):
        demarc(*MODERATE, "--chart", each)

    assert first.read_bytes().startswith(b"\x89PNG")
    assert first.read_bytes() == second.read_bytes()


def test_a_picture_that_cannot_be_drawn_or_written_is_said_with_what_to_do(tmp_path: Path, demarc: Demarc) -> None:
    unknown = demarc(*MODERATE, "--chart", tmp_path / "moderate.pdf")
    nowhere = demarc(*MODERATE, "--chart", tmp_path / "missing" / "moderate.png")

    assert "Name it with .png or .svg" in unknown.err
    assert "cannot be written: No such file or directory" in nowhere.err
    assert (unknown.exit_code, nowhere.exit_code) == (2, 2)
