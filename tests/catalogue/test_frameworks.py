"""The frameworks that come with the product: complete, whose every row is, and no text that is not ours to show."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path

import pytest

from demarc import readers
from demarc.authoring.compile import CompiledMatrix, compile_matrix
from demarc.authoring.lint import lint
from demarc.authoring.obligations import frameworks_of, problems_of_obligations
from demarc.authoring.written import WrittenMatrix, read_matrix
from demarc.cli.deployment import STACK
from demarc.core.framework import Basis, Framework, Obligation, Requirement, Verification
from demarc.core.model import Party, Tier
from tests.conftest import MATRICES

TODAY = date(2026, 11, 26)
NIST = "nist-800-53-r5"
Edit = Callable[[str, str, str], list[str]]


@pytest.fixture(scope="module")
def written() -> WrittenMatrix:
    return read_matrix(MATRICES)


@pytest.fixture(scope="module")
def frameworks(written: WrittenMatrix) -> Mapping[str, Framework]:
    return frameworks_of(written)


def each_obligation(frameworks: Mapping[str, Framework]) -> Iterator[tuple[Framework, Requirement, Obligation]]:
    for framework in frameworks.values():
        for requirement in framework.requirements.values():
            for obligation in requirement.obligations.values():
                yield framework, requirement, obligation


# --- what there is --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("framework", "requirements"),
    [
        ("cis-aws-foundations-5.0", 63),
        ("cis-controls-8.1", 153),
        ("gdpr", 36),
        ("hipaa", 65),
        ("iso-27001-2022", 93),
        ("mitre-attack", 249),
        (NIST, 1014),
        ("nist-csf-2.0", 106),
        ("pci-dss-4.0.1", 280),
        ("soc-2", 61),
    ],
)
def test_a_framework_has_every_requirement(
    framework: str, requirements: int, frameworks: Mapping[str, Framework]
) -> None:
    assert len(frameworks[framework].requirements) == requirements


@pytest.mark.parametrize(
    ("framework", "baseline", "requirements"),
    [
        (NIST, "low", 149),
        (NIST, "moderate", 287),
        (NIST, "high", 370),
        (NIST, "privacy", 96),
        (NIST, "fedramp-li-saas", 156),
        (NIST, "fedramp-low", 156),
        (NIST, "fedramp-moderate", 323),
        (NIST, "fedramp-high", 410),
        ("cis-controls-8.1", "ig1", 56),
        ("cis-controls-8.1", "ig2", 130),
        ("cis-controls-8.1", "ig3", 153),
        ("mitre-attack", "iaas", 104),
    ],
)
def test_a_baseline_has_what_its_publisher_put_in_it(
    framework: str, baseline: str, requirements: int, frameworks: Mapping[str, Framework]
) -> None:
    assert len(frameworks[framework].within(baseline)) == requirements


def test_nist_800_53_has_twenty_families_and_knows_what_was_withdrawn(written: WrittenMatrix) -> None:
    (nist,) = (each.row for each in written.frameworks if each.row.id == NIST)

    assert len(nist.families) == 20
    assert len(nist.withdrawn) == 182


@pytest.mark.parametrize(
    ("tier", "parties"),
    [
        (Tier.IAAS, (37, 111, 139)),
        (Tier.PAAS, (42, 134, 111)),
        (Tier.SAAS, (78, 111, 98)),
    ],
)
def test_whose_the_moderate_baseline_is_by_default(tier: Tier, parties: tuple[int, int, int], tmp_path: Path) -> None:
    root = copied(tmp_path)
    (root / "signed.yaml").unlink()
    counts = Counter(each.obligations[tier].party for each in frameworks_of(read_matrix(root))[NIST].within("moderate"))

    assert (counts[Party.PROVIDER], counts[Party.SHARED], counts[Party.CUSTOMER]) == parties


# --- whose it is ----------------------------------------------------------------------------------------------------


def test_every_requirement_says_for_every_tier_who_does_what(frameworks: Mapping[str, Framework]) -> None:
    for _, requirement, obligation in each_obligation(frameworks):
        provider, customer = obligation.provider, obligation.customer
        assert set(requirement.obligations) == set(Tier)
        assert bool(provider and provider.text) is (obligation.party is not Party.CUSTOMER), requirement
        assert bool(customer and customer.text) is (obligation.party is not Party.PROVIDER), requirement


def test_no_duty_of_ours_rests_on_a_report_of_awss(frameworks: Mapping[str, Framework]) -> None:
    customers = [obligation.customer for _, _, obligation in each_obligation(frameworks) if obligation.customer]

    assert {duty.verified for duty in customers}.isdisjoint({Verification.PROVIDER_REPORT, Verification.HEALTH})


def test_what_claims_to_be_contract_or_published_names_where(frameworks: Mapping[str, Framework]) -> None:
    for _, requirement, obligation in each_obligation(frameworks):
        assert bool(obligation.references) is (obligation.basis is not Basis.INFERRED), requirement


def test_the_buildings_are_awss_and_the_programme_is_ours(frameworks: Mapping[str, Framework]) -> None:
    nist = frameworks[NIST].requirements

    assert {each.party for each in nist["PE-3"].obligations.values()} == {Party.PROVIDER}
    assert {each.party for each in nist["PM-1"].obligations.values()} == {Party.CUSTOMER}
    assert nist["PE-3"].obligations[Tier.IAAS].basis is Basis.CONTRACT


def test_an_owner_is_named_for_our_part_only(frameworks: Mapping[str, Framework]) -> None:
    owned = {obligation.party for _, _, obligation in each_obligation(frameworks) if obligation.team}

    assert owned == {Party.SHARED, Party.CUSTOMER}


def test_the_first_row_that_matches_names_the_team_and_its_person(frameworks: Mapping[str, Framework]) -> None:
    nist = frameworks[NIST].requirements
    owners = {number: nist[number].obligations[Tier.IAAS] for number in ("AC-2", "AU-2", "PS-3")}

    assert [(each.team, each.person) for each in owners.values()] == [
        ("security", "raj.patel"),
        ("security", "ines.okafor"),
        (None, None),
    ]


# --- licences -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("framework", ["iso-27001-2022", "pci-dss-4.0.1", "soc-2"])
def test_of_a_licensed_framework_there_are_numbers_only(framework: str, frameworks: Mapping[str, Framework]) -> None:
    assert {each.title for each in frameworks[framework].requirements.values()} == {None}


def test_of_the_cis_controls_there_are_facts_only(frameworks: Mapping[str, Framework]) -> None:
    functions = {"Govern", "Identify", "Protect", "Detect", "Respond", "Recover"}
    titles = {each.title or "" for each in frameworks["cis-controls-8.1"].requirements.values()}

    assert {title.partition(":")[0] for title in titles} <= functions
    assert max(len(title) for title in titles) < 30


def test_the_line_that_mitre_asks_for_stands_with_its_techniques(frameworks: Mapping[str, Framework]) -> None:
    notice = frameworks["mitre-attack"].notice or ""

    assert "The MITRE Corporation. This work is reproduced and distributed with the permission of" in notice
    assert notice in (MATRICES / "frameworks/mitre-attack.yaml").read_text().partition("id:")[0]


# --- the responders -------------------------------------------------------------------------------------------------


def test_frameworks_add_nothing_to_what_the_responders_read(matrix: CompiledMatrix, tmp_path: Path) -> None:
    """But for what rests on somebody's word, which the signed matrix says."""
    root = copied(tmp_path)
    path = root / "frameworks/nist-800-53-r5.yaml"
    path.write_text(path.read_text().replace("title: Access Control\n", "title: Something else\n"))

    other = compile_matrix(root, stack=STACK)

    for responder in {reader.responder for reader in readers.load()}:
        assert other.for_responder(responder) == matrix.for_responder(responder)
    assert other.without_controls() == matrix.without_controls()
    assert "Automated System Account Management" not in matrix.for_responder("identity")


# --- mistakes -------------------------------------------------------------------------------------------------------


def copied(into: Path) -> Path:
    return Path(shutil.copytree(MATRICES, into / "matrices"))


@pytest.fixture
def after_editing(tmp_path: Path) -> Edit:
    """The problems of obligations after one passage of one file was replaced."""
    root = copied(tmp_path)

    def edit(file: str, passage: str, replacement: str) -> list[str]:
        path = root / file
        text = path.read_text()
        assert passage in text, f"{file} does not say {passage!r} any more"
        path.write_text(text.replace(passage, replacement, 1))
        edited = read_matrix(root)
        return [str(each) for each in [*edited.problems, *problems_of_obligations(edited, today=TODAY)]]

    return edit


def line_of(file: str, passage: str) -> int:
    text = (MATRICES / file).read_text()
    return text[: text.index(passage)].count("\n") + 1


SOC = "frameworks/soc-2.yaml"
CIS = "frameworks/cis-aws-foundations-5.0.yaml"
IN_FRAMEWORKS = [
    pytest.param(SOC, "id: soc-2", "id: soc2", "the file is called soc-2, not soc2", id="name"),
    pytest.param(SOC, "      CC1.2: {}", "      CC1.1: {}", "the key 'CC1.1' stands twice", id="twice"),
    pytest.param(SOC, "      CC2.1: {}", "      CC1.1: {}", "CC1.1 is in the family CC1 already", id="two families"),
    pytest.param(SOC, "      CC1.2: {}", "      CC1.2: {who: aws}", "requirements.CC1.2.who", id="party"),
    pytest.param(SOC, "      CC1.2: {}", "      CC1.2: {who: {iaas: customer}}", "paas, saas", id="tiers"),
    pytest.param(SOC, "      CC1.2: {}", "      CC1.2: {who: shared}", "what the provider has to do", id="duty"),
    pytest.param(
        SOC, "      CC1.2: {}", "      CC1.2: {provider: {duty: x}}", "no part of the provider's", id="no part"
    ),
    pytest.param(SOC, "      CC1.2: {}", "      CC1.2: {in: [type-2]}", "no baseline 'type-2'", id="baseline"),
    pytest.param(SOC, "      CC1.2: {}", "      CC1.2: {basis: [dpa]}", "no reference 'dpa'", id="reference"),
    pytest.param(SOC, "      CC1.2: {}", "      CC1.2: {titel: x}", "Remove it, or correct its spelling", id="field"),
    pytest.param(
        SOC,
        "      CC1.2: {}",
        "      CC1.2: {customer: {verified: provider-report}}",
        "certifications are not inherited",
        id="inherited",
    ),
    pytest.param(
        SOC,
        "      CC1.2: {}",
        "      CC1.2: {customer: {verified: health}}",
        "cannot rest on what AWS reports of itself",
        id="health",
    ),
    pytest.param(
        SOC,
        "      CC6.1: {}",
        "      CC6.1: {provider: {verified: controls}}",
        "show nothing of AWS's part",
        id="looked at",
    ),
    pytest.param(CIS, "  level-1: Level 1\n", "  level-0: x\n  level-1: Level 1\n", "nothing is in", id="empty"),
]


@pytest.mark.parametrize(("file", "passage", "replacement", "said"), IN_FRAMEWORKS)
def test_a_mistake_in_a_framework_names_file_line_and_remedy(
    file: str, passage: str, replacement: str, said: str, after_editing: Edit
) -> None:
    line = line_of(file, passage)
    problems = after_editing(file, passage, replacement)

    assert any(said in each and each.startswith(f"matrices/{file}:{line}: ") for each in problems), problems


SIGNED = [
    pytest.param("families: [AC, IA]", "families: [AC, AI]", "has no family 'AI'", id="family"),
    pytest.param("person: raj.patel", "person: raj", "there is no person 'raj'. Use one of", id="person"),
    pytest.param("requirement: CP-9", "requirement: CP-99", "no requirement 'CP-99'. Did you mean CP-9?", id="number"),
    pytest.param("approver: helena.novak", "approver: helena", "there is no person 'helena'", id="approver"),
    pytest.param("        by: helena.novak", "        by: nobody.here", "there is no person 'nobody.here'", id="by"),
    pytest.param("approved: 2026-10-01", "approved: 2027-10-01", "has not come yet", id="tomorrow"),
    pytest.param("tiers: [paas]", "tiers: [faas]", "signed.0.tiers.0", id="tier"),
    pytest.param("        until: 2027-09-14", "        until: 2026-09-14", "before it begins", id="until"),
]


@pytest.mark.parametrize(("passage", "replacement", "said"), SIGNED)
def test_a_mistake_in_what_was_signed_names_file_and_line(
    passage: str, replacement: str, said: str, after_editing: Edit
) -> None:
    (problem,) = after_editing("signed.yaml", passage, replacement)

    assert said in problem
    assert abs(int(problem.split(":")[1]) - line_of("signed.yaml", passage)) <= 4


@pytest.mark.parametrize(
    ("passage", "replacement"),
    [
        ("verified: process-record\n      record: https://wiki", "verified: provider-report\n    # https://wiki"),
        ("record: https://wiki", "record: arn:aws:artifact:::report/report-2Z8ZJcM1L6vA99CI # https://wiki"),
        ("evidence: https://wiki", "evidence: arn:aws:artifact:::report/report-2Z8ZJcM1L6vA99CI # https://wiki"),
    ],
)
def test_our_duty_does_not_rest_on_a_report_of_awss_whatever_it_is_called(
    passage: str, replacement: str, after_editing: Edit
) -> None:
    problems = after_editing("signed.yaml", passage, replacement)

    assert any("certifications are not inherited" in each for each in problems), problems


def test_a_requirement_is_signed_once_for_a_tier(after_editing: Edit) -> None:
    (problem,) = after_editing("signed.yaml", "requirement: PE-17\n", "requirement: AT-2\n    tiers: [iaas]\n")

    line = line_of("signed.yaml", "- framework: nist-800-53-r5\n    requirement: AT-2")
    assert f"AT-2 of {NIST} is signed twice for iaas (line {line})" in problem


def test_what_is_signed_over_to_aws_keeps_no_part_and_no_owner_here(after_editing: Edit) -> None:
    problems = after_editing("signed.yaml", "party: customer", "party: provider")

    assert [each.partition(": ")[2].partition(". ")[0] for each in problems] == [
        "CP-9 has no part of the customer's",
        "AWS answers for it alone, so nobody here owns it",
    ]


def test_without_a_signed_matrix_the_defaults_hold_and_nobody_is_assigned(tmp_path: Path) -> None:
    root = copied(tmp_path)
    (root / "signed.yaml").unlink()
    written = read_matrix(root)

    assert list(problems_of_obligations(written, today=TODAY)) == []
    assert {each.team for _, _, each in each_obligation(frameworks_of(written))} == {None}


REFERENCES = [
    pytest.param("[CA-7, RA-5]", "[CA-7, RA-99]", f"{NIST} has no requirement 'RA-99'", id="unknown"),
    pytest.param("[CA-7, RA-5]", "[CA-7, RA-4]", f"{NIST} has withdrawn RA-4. Use RA-3", id="withdrawn"),
    pytest.param(f"{NIST}: [CA-7, RA-5]", "nist-800-53: [CA-7]", f"Did you mean {NIST}?", id="framework"),
]


@pytest.mark.parametrize(("passage", "replacement", "said"), REFERENCES)
def test_a_control_names_only_requirements_that_there_are(
    passage: str, replacement: str, said: str, after_editing: Edit
) -> None:
    line = line_of("controls/demarc.yaml", passage)
    (problem,) = after_editing("controls/demarc.yaml", passage, replacement)

    assert problem.startswith(f"matrices/controls/demarc.yaml:{line}: demarc-reads-what-it-judges: ")
    assert said in problem


def test_a_framework_that_cannot_be_read_is_one_problem_and_not_one_for_each_control(tmp_path: Path) -> None:
    root = copied(tmp_path)
    path = root / "frameworks/nist-800-53-r5.yaml"
    path.write_text(path.read_text().replace("version:", "versoin:", 1))

    problems = [each for each in lint(read_matrix(root), today=TODAY) if "frameworks" in each.file]

    assert [each.what.partition(":")[0] for each in problems] == ["version", "versoin"]
    assert not any("has no requirement" in each.what for each in lint(read_matrix(root), today=TODAY))
