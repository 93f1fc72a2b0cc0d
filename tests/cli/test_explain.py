"""`demarc explain`: what records mean and what would be done about them, without asking AWS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from demarc.authoring.compile import CompiledMatrix
from demarc.cli import terminal
from demarc.cli.reference import FIELDS
from demarc.core.model import OCCURRENCE
from tests.cli.conftest import EVENTS, Demarc, event

ROLE = "AWSReservedSSO_Engineer_0f1e2d3c4b5a6978"
ESCAPES = "\x1b[31mred\x1b]0;title\x07\x9b2J\r\n\u202etxt"


def test_a_change_is_explained_field_by_field(demarc: Demarc, matrix: CompiledMatrix) -> None:
    (row,) = demarc("explain", EVENTS / "group-opened.json", "--json").rows

    assert row == {
        "event_id": "c0ffee00-0000-4000-8000-000000000001",
        "event_source": "ec2.amazonaws.com",
        "event_name": "AuthorizeSecurityGroupIngress",
        "outcome": "change",
        "detail": None,
        "actor": {
            "kind": "human",
            "name": "mara.lind@example.org",
            "arn": f"arn:aws:sts::111122223333:assumed-role/{ROLE}/mara.lind@example.org",
            "role": f"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/{ROLE}",
            "account": "111122223333",
            "confidence": "high",
            "because": "IAM Identity Center names the session after the person",
        },
        "via": "cli",
        "via_confidence": "medium",
        "resources": [
            {
                "type": "AWS::EC2::SecurityGroup",
                "identifier": "sg-0a1b2c3d4e5f60718",
                "arn": "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0a1b2c3d4e5f60718",
                "account": "111122223333",
                "region": "eu-west-1",
            }
        ],
        "controls": [control.id for control in matrix.controls["AWS::EC2::SecurityGroup"]],
    }


OUTCOMES = {
    "dry-run": "dry-run",
    "finding-of-guardduty": "not-cloudtrail",
    "job-definition-registered": "unmapped",
    "insight": "insight",
    "read": "read-only",
    "read-long-ago": "read-only",
    "refused": "refused",
    "refused-without-a-code": "refused",
    "sign-in-failed": "refused",
}
NAMES = sorted(path.stem for path in EVENTS.glob("*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_every_record_has_one_line_with_an_outcome_and_the_documented_fields(name: str, demarc: Demarc) -> None:
    ended = demarc("explain", EVENTS / f"{name}.json", "--json")

    (row,) = ended.rows
    assert list(row) == list(FIELDS["explain"])
    assert row["outcome"] == OUTCOMES.get(name, "change")
    assert bool(row["resources"]) is bool(row["controls"]) is (row["outcome"] == "change")
    assert (row["detail"] is None) is (row["outcome"] == "change")
    assert ended.exit_code == 0


def test_who_made_a_call_that_changed_nothing_is_told_as_well(demarc: Demarc) -> None:
    (row,) = demarc("explain", EVENTS / "refused.json", "--json").rows

    assert (row["actor"]["name"], row["via"], row["detail"]) == ("mara.lind@example.org", "cli", "AccessDenied")


def test_an_event_without_a_caller_has_none(demarc: Demarc) -> None:
    (row,) = demarc("explain", EVENTS / "finding-of-guardduty.json", "--json").rows

    assert (row["actor"], row["via"], row["via_confidence"], row["event_name"]) == (None, None, None, None)


def test_people_read_who_how_what_whose_and_where_the_line_runs(demarc: Demarc) -> None:
    text = demarc("explain", EVENTS / "group-opened.json").out

    assert (
        "change  ec2 AuthorizeSecurityGroupIngress  2026-03-02 08:01:30 UTC, account 111122223333 (management)" in text
    )
    assert "who     mara.lind@example.org as AWSReservedSSO_Engineer_0f1e2d3c4b5a6978 (human, high confidence" in text
    assert "how     cli (medium confidence)" in text
    assert "what    AWS::EC2::SecurityGroup sg-0a1b2c3d4e5f60718" in text
    assert "whose   Mara Lindqvist, team platform: the team has the account management [account:111122223333]" in text
    assert "security-group-ssh-closed-to-the-world" in text
    assert "line    visibility of iaas is ours: AWS can record what happens" in text
    assert text.splitlines()[-2] == "1 record: 1 change"


def test_resources_with_the_same_owners_are_told_together(demarc: Demarc) -> None:
    text = demarc("explain", EVENTS / "instances-started.json").out

    assert "what    AWS::EC2::Instance i-00000000000000a01, i-00000000000000a02" in text
    assert text.count("line    ") == 1


def test_an_account_that_the_matrix_does_not_know_is_said_to_be_unknown(demarc: Demarc) -> None:
    record = event("group-opened", recipientAccountId="999999999999")

    text = demarc("explain", "-", given=json.dumps(record)).out

    assert "account 999999999999 (not in the matrix)" in text
    assert "team governance: nobody claims it" in text


def test_why_nothing_was_changed_is_said(demarc: Demarc) -> None:
    text = demarc("explain", EVENTS / "refused.json", EVENTS / "read.json").out

    assert "refused  s3 DeleteBucket\n  why     AccessDenied\n" in text
    assert text.splitlines()[-1] == "2 records: 1 refused, 1 read-only"


def hostile() -> dict[str, Any]:
    """A record in which strangers chose every text that is shown."""
    identity = {"type": "IAMUser", "userName": ESCAPES, "arn": f"arn:aws:iam::111122223333:user/{ESCAPES}"}
    return event("refused", errorCode=ESCAPES, userIdentity=identity, userAgent=ESCAPES)


@pytest.mark.parametrize("arguments", [[], ["--json"]], ids=["text", "json"])
@pytest.mark.parametrize("record", [hostile(), event("group-opened", userIdentity=hostile()["userIdentity"])])
def test_no_control_character_of_an_event_reaches_the_terminal(
    record: dict[str, Any], arguments: list[str], demarc: Demarc
) -> None:
    ended = demarc("explain", "-", *arguments, given=json.dumps(record))

    assert "red" in ended.out
    assert [character for character in ended.out + ended.err if not character.isprintable() and character != "\n"] == []


def test_neither_does_one_of_the_name_of_a_file(demarc: Demarc, tmp_path: Path) -> None:
    assert "\x1b" not in demarc("explain", tmp_path / "\x1b[31m.json").err


def test_on_a_terminal_what_is_said_is_wrapped_below_its_label(demarc: Demarc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "_is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.setenv("NO_COLOR", "1")

    text = demarc("explain", EVENTS / "group-opened.json").out

    facts = [line for line in text.splitlines() if line.startswith("  ")]
    assert max(map(len, facts)) <= 90
    assert any(line.startswith(" " * 10) for line in facts)
    assert "\x1b" not in text


# --- what must not happen ---------------------------------------------------------------------------------------------

ROOT_SIGNS_IN = {
    "eventVersion": "1.08",
    "userIdentity": {"type": "Root", "arn": "arn:aws:iam::123456789012:root", "accountId": "123456789012"},
    "eventTime": "2026-11-24T09:00:00Z",
    "eventSource": "signin.amazonaws.com",
    "eventName": "ConsoleLogin",
    "awsRegion": "us-east-1",
    "sourceIPAddress": "203.0.113.66",
    "userAgent": "Mozilla/5.0",
    "requestParameters": None,
    "responseElements": {"ConsoleLogin": "Success"},
    "additionalEventData": {"MFAUsed": "No"},
    "eventID": "e1",
    "readOnly": False,
    "eventType": "AwsConsoleSignIn",
    "recipientAccountId": "123456789012",
}


def test_what_must_not_happen_is_told_with_the_control_that_minds_it_and_no_other(demarc: Demarc) -> None:
    (row,) = demarc("explain", "-", "--json", given=json.dumps(ROOT_SIGNS_IN)).rows

    assert row["outcome"] == "change"
    assert {each["type"] for each in row["resources"]} == {OCCURRENCE}
    assert sorted(row["controls"]) == ["root-user-is-not-used", "sign-in-takes-a-second-factor"]


@pytest.mark.parametrize(("given", "guarded"), [(["--stack", "Watchtower"], True), ([], False)])
def test_the_parts_of_demarc_are_those_of_the_stack_that_is_named(
    given: list[str], guarded: bool, demarc: Demarc
) -> None:
    deleted = {"eventSource": "cloudformation.amazonaws.com", "eventName": "DeleteStack", "eventType": "AwsApiCall"}
    by_jo = {"userIdentity": {"type": "IAMUser", "userName": "jo", "accountId": "123456789012"}}
    record = ROOT_SIGNS_IN | deleted | by_jo | {"requestParameters": {"stackName": "Watchtower"}}

    (row,) = demarc("explain", "-", "--json", *given, given=json.dumps(record)).rows

    assert ("own-stack-is-not-deleted" in row["controls"]) is guarded


def test_people_read_of_each_control_that_minds_it_whose_it_is(demarc: Demarc) -> None:
    text = demarc("explain", "-", given=json.dumps(ROOT_SIGNS_IN)).out

    assert "root-user-is-not-used/arn:aws:iam::123456789012:root" in text
    assert text.count("whose   Raj Patel, team security: Security Engineering looks into what must not happen") == 2
    assert "broken  1 control: root-user-is-not-used" in text


def test_a_call_that_is_minded_only_as_others_make_it_is_told_so(demarc: Demarc) -> None:
    record = ROOT_SIGNS_IN | {"userIdentity": {"type": "IAMUser", "userName": "jo", "accountId": "123456789012"}}

    (row,) = demarc(
        "explain", "-", "--json", given=json.dumps(record | {"additionalEventData": {"MFAUsed": "Yes"}})
    ).rows

    assert (row["outcome"], row["resources"]) == ("no-occurrence", [])
