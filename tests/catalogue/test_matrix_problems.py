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
from demarc.cli.deployment import STACK
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
        "because: Payments builds and runs the card vault", "becuase: x", "assignments.11.because", id="missing"
    ),
    pytest.param(
        "    team: payments\n    workloads", "    team: paymnts\n    workloads", "no team 'paymnts'", id="team"
    ),
    pytest.param("accountable: jonas.weber", "accountable: nobody", "there is no person 'nobody'", id="person"),
    pytest.param("accountable: jonas.weber", "accountable: raj.patel", "belongs to security", id="outsider"),
    pytest.param(", email: aiko.tanaka@fjordline.example", "", "aiko.tanaka cannot be reached", id="contact"),
    pytest.param("name: Tomas Berg", "name: Mara Lindqvist", "two people are called Mara Lindqvist", id="namesake"),
    pytest.param("expires: 2027-06-30", "expires: 2026-06-30", "RISK-2026-014 expired on 2026-06-30", id="expired"),
    pytest.param("id: storefront\n", "id: payments\n", "teams has 'payments' twice", id="duplicate"),
    pytest.param("environment: production, shared: true", "environment: production", "have no owner", id="unowned"),
    pytest.param("id: o-7k2m9xqp4h", "id: north", "(it says 'north')", id="pattern"),
    pytest.param("  low: 520\n", "", "deadlines lack low", id="deadline"),
    pytest.param(
        "workloads: [card-vault]\n    because: P", "workloads: [valt]\n    because: P", "'valt'", id="workload"
    ),
    pytest.param('["demarc-reads-*"]', '["demarc-sees-*"]', "no control is called 'demarc-sees-*'", id="control"),
    pytest.param("approver: helena.novak", "approver: helena", "there is no person 'helena'", id="approver"),
    pytest.param("governance: governance", "governance: [", "this is not YAML", id="syntax"),
    pytest.param("team: platform}\n", "team: platform, slack: mara}\n", "it says 'mara'", id="slack member"),
    pytest.param("silence: 24", "silence: 0", "silence: Input should be greater than 0", id="silence"),
]


@pytest.mark.parametrize(("passage", "replacement", "said"), ORGANIZATION)
def test_a_problem_of_the_organization_names_file_line_and_remedy(
    passage: str, replacement: str, said: str, after_editing: Edit
) -> None:
    problems = after_editing("organization.yaml", passage, replacement)

    assert any(said in problem for problem in problems), problems
    assert all(problem.startswith("matrices/") for problem in problems)


TRACKING = [
    pytest.param("[tomas.berg, ines.okafor]", "[tomas.bergh]", "there is no person 'tomas.bergh'", id="chain"),
    pytest.param("[tomas.berg, ines.okafor]", "[mara.lindqvist]", "and is told first anyhow", id="accountable"),
    pytest.param(
        "[tomas.berg, ines.okafor]", "[tomas.berg, tomas.berg]", "twice in the chain of platform", id="chain 2"
    ),
    pytest.param("[helena.novak, ines.okafor]", "[helena.novak, ines]", "there is no person 'ines'", id="approver"),
    pytest.param("[helena.novak, ines.okafor]", "[helena.novak, helena.novak]", "stands twice", id="approver 2"),
    pytest.param(
        "[helena.novak, ines.okafor]", "[ines.okafor]", "approve what ines.okafor proposes", id="one approver"
    ),
    pytest.param("second_person: [critical, high]", "second_person: [urgent]", "it says 'urgent'", id="severity"),
    pytest.param("second_person: [critical, high]", "second_person: [low, low]", "low stands twice", id="severity 2"),
    pytest.param("longest_days: 365", "longest_days: 0", "longest_days: Input should be", id="no days"),
    pytest.param("[168, 24, 4]", "[24, 24]", "24 stands twice", id="reminder"),
    pytest.param("[168, 24, 4]", "[0]", "greater than 0", id="reminder at the deadline"),
    pytest.param("escalate_every: 24", "escalate_every: 0", "greater than 0", id="all at once"),
    pytest.param("weekday: monday", "weekday: mon", "it says 'mon'", id="weekday"),
    pytest.param("hour: 8", "hour: 24", "it says 24", id="hour"),
    pytest.param("Europe/Oslo", "Europe/Olso", "did you mean Europe/Oslo", id="zone"),
    pytest.param("Europe/Oslo", "Europe", "there is no time zone 'Europe'", id="folder of zones"),
    pytest.param("Europe/Oslo", "../../etc/passwd", "there is no time zone", id="path"),
    pytest.param("2026-12-25", "2026-12-32", "calendar.holidays.1", id="holiday"),
    pytest.param("hours: 08:00-16:00", "hours: 16:00-08:00", "ends before it begins", id="working hours"),
    pytest.param("hours: 08:00-16:00", "hours: 8-16", "such as 08:00-16:30", id="clock"),
    pytest.param(
        "weekdays: [monday, tuesday, wednesday, thursday, friday]", "weekdays: []", "weekdays", id="no days of work"
    ),
    pytest.param("18:00-07:00", "07:00-07:00", "they end when they begin", id="quiet for ever"),
    pytest.param("18:00-07:00", "18-7", "such as 08:00-16:30", id="quiet hours"),
    pytest.param("18:00-07:00", "18:00", "quiet_hours.hours", id="half of quiet hours"),
    pytest.param('channel: "#grc"', "channel: grc", "it says 'grc'", id="channel"),
]


@pytest.mark.parametrize(("passage", "replacement", "said"), TRACKING)
def test_a_problem_of_how_findings_are_tracked_names_file_line_and_remedy(
    passage: str, replacement: str, said: str, after_editing: Edit
) -> None:
    problems = after_editing("organization.yaml", passage, replacement)

    line = line_of("organization.yaml", passage)
    assert any(
        said in problem and problem.startswith(f"matrices/organization.yaml:{line}: ") for problem in problems
    ), problems


def test_an_exception_holds_no_longer_than_any_acceptance(after_editing: Edit) -> None:
    problems = after_editing("organization.yaml", "longest_days: 365", "longest_days: 30")

    assert len(problems) == 2
    assert "RISK-2026-014 would hold for more than 30 days. Let it expire on 2026-12-23" in problems[0]


def test_where_nobody_is_named_governance_approves_and_needs_a_second_person_too(after_editing: Edit) -> None:
    (problem,) = after_editing("organization.yaml", "approvers: [helena.novak, ines.okafor]", "approvers: []")

    assert "nobody could approve what helena.novak proposes" in problem


DESTINATIONS = [
    pytest.param("{kind: slack}", "slack needs a channel", id="no channel"),
    pytest.param('{kind: slack, channel: "#a", secret: s}', "slack has no secret of its own", id="two ways"),
    pytest.param("{kind: teams}", "teams needs a secret", id="teams"),
    pytest.param("{kind: webhook}", "webhook needs a secret", id="webhook"),
    pytest.param(
        '{kind: slack-webhook, channel: "#a", secret: s}', "slack-webhook has no channel", id="webhook's channel"
    ),
    pytest.param("{kind: amazon-q, secret: s}", "amazon-q has no secret", id="amazon q"),
    pytest.param('{kind: webhook, secret: "https://example.com/x?key=1"}', "kept in Secrets Manager", id="address"),
    pytest.param("{kind: pager}", "it says 'pager'", id="kind"),
    pytest.param('{kind: slack, channel: "#grc"}', "told twice at the same slack destination", id="shorthand"),
    pytest.param("{kind: amazon-q}, {kind: amazon-q}", "told twice at the same amazon-q", id="twice"),
]


@pytest.mark.parametrize(("destinations", "said"), DESTINATIONS)
def test_a_destination_that_cannot_be_reached_is_a_problem(destinations: str, said: str, after_editing: Edit) -> None:
    (problem,) = after_editing("organization.yaml", '"#grc"\n', f'"#grc"\n    destinations: [{destinations}]\n')

    line = line_of("organization.yaml", '"#grc"') + 1
    assert said in problem
    assert problem.startswith(f"matrices/organization.yaml:{line}: ")


def test_each_kind_of_destination_may_be_written(after_editing: Edit) -> None:
    kinds = "{kind: slack, channel: C0123ABCD}, {kind: amazon-q}, {kind: slack-webhook, secret: demarc/slack}"
    kinds += ", {kind: teams, secret: demarc/teams}, {kind: webhook, secret: demarc/desk}"

    assert after_editing("organization.yaml", '"#grc"\n', f'"#grc"\n    destinations: [{kinds}]\n') == []


def test_an_exception_of_a_serious_control_needs_an_approver_and_not_its_owner(after_editing: Edit) -> None:
    high = "    control: s3-bucket-blocks-public-access\n"
    passage = "    control: s3-bucket-access-is-logged\n"
    by_owner = "\n    reason: x\n    approver: jonas.weber\n    expires: 2027-06-30\n\n  - id: R2"

    (problem,) = after_editing(
        "organization.yaml", passage, f'{high}    resource: "arn:aws:s3:::x"{by_owner}\n{passage}'
    )

    assert "a high risk, which jonas.weber may not approve" in problem or "a critical risk" in problem
    assert "Have it approved by one of: helena.novak, ines.okafor" in problem


def test_the_line_is_the_line(after_editing: Edit) -> None:
    (problem,) = after_editing("organization.yaml", "accountable: jonas.weber", "accountable: nobody")

    line = line_of("organization.yaml", "accountable: jonas.weber")
    assert problem.startswith(f"matrices/organization.yaml:{line}: ")


def test_an_assignment_that_an_earlier_one_swallows_is_unreachable(after_editing: Edit) -> None:
    row = "  - id: blind-spots-are-platform"
    greedy = "  - id: greedy\n    team: platform\n    because: all of it\n    types: &t\n"
    greedy += "      [AWS::IAM::Role, AWS::IAM::User, AWS::IAM::Group, AWS::IAM::ManagedPolicy,\n"
    greedy += "       AWS::IAM::OIDCProvider, AWS::IAM::SAMLProvider, AWS::Organizations::Policy,\n"
    greedy += "       AWS::SSO::PermissionSet]\n\n"

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
    pytest.param("nist-800-53-r5: [CA-7, RA-5]", "nist-800-53-r5: [CA7]", "Did you mean CA-7?", id="number"),
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


OCCURRENCES = [
    pytest.param("source: config.amazonaws.com", "source: config", "source", id="source"),
    pytest.param(
        "    where:\n      userIdentity.type: Root\n", "    where: {}\n", "every call of everybody", id="whose"
    ),
    pytest.param(
        "userIdentity.type: Root\n  severity", "user.type: Root\n  severity", "no path of a record", id="path"
    ),
    pytest.param('like: ["*/{parts}*"]', 'like: "*/{parts}*"', "like takes a list", id="operand"),
    pytest.param('like: ["*/{parts}*"]', 'begins: ["{parts}"]', "begins", id="operator"),
    pytest.param('like: ["*/{parts}*"]', 'like: ["*/{pats}*"]', "nobody fills in {pats}", id="name"),
    pytest.param(
        "  occurrence:\n    where", "  require: {a: b}\n  occurrence:\n    where", "takes no require", id="both"
    ),
    pytest.param(
        "  occurrence:\n    where:\n      userIdentity.type: Root\n", "", "on a `resource`, or on", id="neither"
    ),
    pytest.param(
        "  occurrence:\n    where:\n      userIdentity.type: Root\n",
        "  resource: Demarc::Account::Occurrence\n  require: {a: b}\n",
        "say which calls",
        id="type",
    ),
]


@pytest.mark.parametrize(("passage", "replacement", "said"), OCCURRENCES)
def test_a_problem_of_what_must_not_happen_names_file_line_and_remedy(
    passage: str, replacement: str, said: str, after_editing: Edit
) -> None:
    problems = after_editing("controls/occurrences.yaml", passage, replacement)

    assert any(said in problem for problem in problems), problems
    assert all(problem.startswith("matrices/controls/occurrences.yaml:") for problem in problems)


def test_what_happens_in_a_shared_account_is_somebodys(after_editing: Edit) -> None:
    problems = after_editing(
        "organization.yaml", '    types: ["Demarc::Account::Occurrence"]\n', "    layers: [runtime]\n"
    )

    assert any("customer controls have no owner in account workloads-production" in each for each in problems)


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
        compile_matrix(tmp_path / "matrices", stack=STACK)
