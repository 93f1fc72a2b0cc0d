"""What an identity's policy makes of its holder: everything, all of a service, all keys, or somebody else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.core.policy import Policy, parse
from demarc.core.privilege import PATHS, escalations, full_administration, granted_everywhere, whole_services
from tests.published import action_of

OURS = "111122223333"
ROLES = f"arn:aws:iam::{OURS}:role/*"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
Statement = dict[str, Any]


def allow(action: Any, resource: Any = "*", **more: Any) -> Statement:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def allow_but(action: Any, resource: Any = "*") -> Statement:
    return {"Effect": "Allow", "NotAction": action, "Resource": resource}


def deny(action: Any, resource: Any = "*", **more: Any) -> Statement:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def without_resource(statement: Statement, *spared: str) -> Statement:
    """A statement that is about all resources but some."""
    return {name: value for name, value in statement.items() if name != "Resource"} | {"NotResource": list(spared)}


def when(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {"Condition": {operator: {key: list(values)}}}


def policy(*statements: Statement) -> Policy:
    return parse({"Version": "2012-10-17", "Statement": list(statements)})


def is_admin(*statements: Statement) -> bool:
    return any(full_administration(policy(*statements)))


def whole(*statements: Statement) -> list[str]:
    return [pattern for _, patterns in whole_services(policy(*statements)) for pattern in patterns]


def decrypts_everywhere(*statements: Statement) -> bool:
    return any(granted_everywhere(policy(*statements), "kms:Decrypt"))


def opened(*statements: Statement) -> set[str]:
    return {str(each.path) for each in escalations(policy(*statements))}


# --- everything ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        allow("*"),
        allow("*:*", ["arn:aws:s3:::photos", "*"]),
        allow(["s3:GetObject", "*"]),
        allow("*", "arn:aws:*"),
        allow("*", "arn:*:*:*:*:*"),
        allow("*", Condition=MFA),
        allow("*", **when("StringEquals", "aws:RequestedRegion", "eu-west-1")),
        allow("*", **when("StringEquals", "aws:ResourceAccount", OURS)),
        allow("*", **when("StringNotEquals", "aws:ResourceTag/stage", "production")),
        allow("*", **when("StringLike", "aws:ResourceTag/stage", "*")),
        allow_but("s3:*"),
        allow_but(["aws-portal:*", "organizations:*"]),
        without_resource(allow("*"), "arn:aws:s3:::photos/*"),
    ],
)
def test_everything_everywhere_is_administration_however_it_is_written(statement: Statement) -> None:
    assert is_admin(statement)


@pytest.mark.parametrize(
    "statement",
    [
        deny("*"),
        allow("iam:*"),
        allow("s3:*"),
        allow("*", "arn:aws:s3:::*"),
        allow("*", f"arn:aws:iam::{OURS}:*"),
        allow_but("iam:*"),
        allow_but(["iam:DeleteRole"]),
        allow_but("*"),
        without_resource(allow("*"), "*"),
        allow("*", **when("StringEquals", "aws:ResourceTag/team", "${aws:PrincipalTag/team}")),
    ],
)
def test_less_than_everything_is_not_administration(statement: Statement) -> None:
    assert not is_admin(statement)


@pytest.mark.parametrize("refusal", [deny("*"), deny("iam:*"), {**allow_but("s3:*"), "Effect": "Deny"}])
def test_whoever_is_denied_all_of_iam_is_no_administrator(refusal: Statement) -> None:
    assert not is_admin(allow("*"), refusal)


@pytest.mark.parametrize(
    "refusal",
    [
        deny("iam:Delete*"),
        deny("iam:*", f"arn:aws:iam::{OURS}:user/break-glass"),
        deny("*", Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}),
        without_resource(deny("iam:*"), "*"),
    ],
)
def test_a_deny_of_less_leaves_an_administrator(refusal: Statement) -> None:
    assert is_admin(allow("*"), refusal)


# --- whole services --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "patterns"),
    [
        (allow(["ec2:*", "s3:Get*", "sqs:*"]), ["ec2:*", "sqs:*"]),
        (allow("S3:**"), ["S3:**"]),
        (allow("s3:*", "arn:aws:s3:::*"), ["s3:*"]),
        (allow("s3:*", "arn:aws:s3:::*/*"), ["s3:*"]),
        (allow("dynamodb:*", f"arn:aws:dynamodb:*:{OURS}:table/*"), ["dynamodb:*"]),
        (allow("ecs:*", f"arn:aws:ecs:*:{OURS}:task-definition/*:*"), ["ecs:*"]),
        (allow("s3:*", ["arn:aws:s3:::photos", "arn:aws:s3:::photos/*"]), []),
        (allow("sns:*", f"arn:aws:sns:eu-west-1:{OURS}:alerts:*"), []),
        (allow("dynamodb:*", f"arn:aws:dynamodb:*:{OURS}:table/orders"), []),
        (allow("ec2:*", **when("StringEquals", "aws:ResourceTag/team", "shop")), []),
        (allow(["s3:*Object", "ec2:Describe*"]), []),
        (allow_but(["iam:*", "organizations:*"]), ["all but iam:*, organizations:*"]),
        (allow_but("iam:*", "arn:aws:s3:::photos/*"), []),
        (allow_but("*"), []),
    ],
)
def test_all_of_a_service_everywhere_is_told_by_the_pattern_that_says_so(
    statement: Statement, patterns: list[str]
) -> None:
    assert whole(statement) == patterns


def test_a_service_of_which_all_is_denied_is_not_whole() -> None:
    assert whole(allow(["ec2:*", "s3:*"]), deny("ec2:*")) == ["s3:*"]


def test_a_deny_on_one_type_leaves_the_service_whole() -> None:
    assert whole(allow("ec2:*"), deny("ec2:*", "arn:aws:ec2:*:*:instance/*")) == ["ec2:*"]


def test_everything_without_iam_is_every_service() -> None:
    assert whole(allow("*"), deny("iam:*")) == ["*"]


def test_an_administrator_has_every_service() -> None:
    assert whole(allow("*")) == ["*"]


# --- all keys --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        allow("kms:Decrypt"),
        allow("kms:de*"),
        allow("*"),
        allow_but("iam:*"),
        allow("kms:*", "arn:aws:kms:*:*:key/*"),
        allow("kms:*", f"arn:aws:kms:*:{OURS}:key/*"),
        allow("kms:*", "arn:aws:kms:eu-west-1:*:*"),
        allow("kms:*", "arn:aws:kms:*"),
        allow("kms:Decrypt", **when("StringEquals", "aws:ResourceAccount", OURS)),
        allow("kms:Decrypt", **when("StringEqualsIfExists", "kms:ViaService", "s3.eu-west-1.amazonaws.com")),
        without_resource(allow("kms:Decrypt"), f"arn:aws:kms:eu-west-1:{OURS}:key/vault"),
    ],
)
def test_all_keys_of_an_account_or_a_region_are_all_keys(statement: Statement) -> None:
    assert decrypts_everywhere(statement)


@pytest.mark.parametrize(
    "statement",
    [
        allow("kms:Encrypt"),
        allow("kms:Decrypt", f"arn:aws:kms:eu-west-1:{OURS}:key/*"),
        allow("kms:Decrypt", f"arn:aws:kms:*:{OURS}:key/mrk-*"),
        allow("kms:Decrypt", "arn:aws:kms:*:*:alias/*"),
        allow("kms:Decrypt", **when("StringEquals", "kms:ViaService", "s3.eu-west-1.amazonaws.com")),
        allow("kms:Decrypt", **when("ForAnyValue:StringEquals", "kms:ResourceAliases", "alias/orders")),
        without_resource(allow("kms:Decrypt"), "arn:aws:kms:*:*:key/*"),
    ],
)
def test_named_keys_are_not_all_keys(statement: Statement) -> None:
    assert not decrypts_everywhere(statement)


def test_a_deny_elsewhere_leaves_all_keys_of_other_regions() -> None:
    refusal = deny("kms:Decrypt", f"arn:aws:kms:us-east-1:{OURS}:key/*")

    assert decrypts_everywhere(allow("kms:Decrypt"), refusal)
    assert not decrypts_everywhere(allow("kms:Decrypt"), refusal, deny("kms:*"))


# --- becoming somebody else ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", sorted({action for path in PATHS for action in path.actions}))
def test_every_action_of_a_path_exists(action: str) -> None:
    assert action_of(action) is not None


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_a_path_is_open_to_whoever_has_all_of_its_actions_and_closed_without_one(path: Any) -> None:
    assert str(path) in opened(*(allow(action) for action in path.actions))
    for left_out in path.actions:
        assert str(path) not in opened(*(allow(action) for action in path.actions if action != left_out))


IAM_ACTIONS = sorted({action for path in PATHS for action in path.actions if action.startswith("iam:")})


@pytest.mark.parametrize("action", IAM_ACTIONS)
def test_what_an_action_of_iam_is_done_to_is_what_aws_says(action: str) -> None:
    (type_,) = (action_of(action) or {})["Resources"]
    others = {"group", "policy", "role", "user"} - {type_}

    def is_open(*types: str) -> bool:
        granted = [allow(action, [f"arn:aws:iam::*:{each}/*" for each in types])]
        passing = [allow("lambda:*")] if action == "iam:PassRole" else []
        return bool(opened(*granted, *passing) - opened(*passing))

    assert is_open(type_)
    assert not is_open(*others)


PUT = "iam:PutRolePolicy"


@pytest.mark.parametrize(
    "resource",
    ["*", "**", ROLES, "arn:aws:iam::*:role/*", "arn:aws:iam::*", f"arn:aws:iam::{OURS}:*", "arn:aws:iam::*:r*"],
)
def test_every_role_is_every_role_however_it_is_written(resource: str) -> None:
    assert PUT in opened(allow(PUT, resource))


@pytest.mark.parametrize(
    "resource",
    [
        f"arn:aws:iam::{OURS}:role/booking",
        f"arn:aws:iam::{OURS}:role/teams/booking/*",
        f"arn:aws:iam::{OURS}:role/booking-*",
        f"arn:aws:iam::{OURS}:role/${{aws:PrincipalTag/team}}",
        "arn:aws:s3:::*",
    ],
)
def test_some_roles_are_not_every_role(resource: str) -> None:
    assert PUT not in opened(allow(PUT, resource))


def test_a_variable_in_place_of_the_account_is_no_limit() -> None:
    assert PUT in opened(allow(PUT, "arn:aws:iam::${aws:PrincipalAccount}:role/*"))


def test_the_roles_that_sts_is_asked_for_are_those_of_iam() -> None:
    assert "sts:AssumeRole" in opened(allow("sts:*", "arn:aws:iam::*:role/*"))
    assert "sts:AssumeRole" not in opened(allow("sts:*", "arn:aws:iam::*:role/deploy-*"))


def test_all_but_some_actions_open_what_is_left() -> None:
    assert "lambda:UpdateFunctionCode" in opened(allow_but(["iam:*", "s3:*"]))
    assert "lambda:UpdateFunctionCode" not in opened(allow_but(["iam:*", "lambda:Update*"]))


def test_all_but_some_resources_is_every_one_unless_it_spares_them_all() -> None:
    assert PUT in opened(without_resource(allow(PUT), f"arn:aws:iam::{OURS}:role/break-glass"))
    assert PUT not in opened(without_resource(allow(PUT), "arn:aws:iam::*:role/*"))


PASS = "iam:PassRole"
MAKE = allow(["ec2:RunInstances", "lambda:CreateFunction", "lambda:InvokeFunction"])
BY_EC2 = "iam:PassRole + ec2:RunInstances"
BY_LAMBDA = "iam:PassRole + lambda:CreateFunction + lambda:InvokeFunction"


@pytest.mark.parametrize(
    ("condition", "paths"),
    [
        ({}, {BY_EC2, BY_LAMBDA}),
        (when("StringEquals", "iam:PassedToService", "lambda.amazonaws.com"), {BY_LAMBDA}),
        (when("StringEqualsIfExists", "iam:PassedToService", "lambda.amazonaws.com"), {BY_LAMBDA}),
        (when("StringLike", "iam:PassedToService", "*.amazonaws.com"), {BY_EC2, BY_LAMBDA}),
        (when("StringEquals", "iam:PassedToService", "ec2.amazonaws.com.cn"), {BY_EC2}),
        (when("StringEquals", "iam:PassedToService", "glue.amazonaws.com"), set()),
        (when("StringNotEquals", "iam:PassedToService", "glue.amazonaws.com"), {BY_EC2, BY_LAMBDA}),
        (when("StringEquals", "iam:AssociatedResourceArn", "arn:aws:ec2:*:*:instance/i-1"), set()),
        (when("Bool", "aws:MultiFactorAuthPresent", "true"), {BY_EC2, BY_LAMBDA}),
    ],
)
def test_a_role_is_passed_to_the_services_that_are_named(condition: dict[str, Any], paths: set[str]) -> None:
    assert opened(allow(PASS, **condition), MAKE) == paths


def test_what_cloudformation_may_be_made_to_do_is_done() -> None:
    assert PUT in opened(
        allow(PUT, **when("ForAnyValue:StringEquals", "aws:CalledVia", "cloudformation.amazonaws.com"))
    )


def test_a_condition_that_whoever_lacks_the_key_meets_limits_nothing() -> None:
    boundary = f"arn:aws:iam::{OURS}:policy/developers"

    assert PUT not in opened(allow(PUT, **when("ArnEquals", "iam:PermissionsBoundary", boundary)))
    assert PUT in opened(allow(PUT, **when("ArnEqualsIfExists", "iam:PermissionsBoundary", boundary)))


@pytest.mark.parametrize(
    ("refusal", "decides"),
    [
        (deny(PUT), True),
        (deny("*"), True),
        (deny("iam:Put*", "arn:aws:iam::*:role/*"), True),
        (deny(PUT, ROLES), True),
        ({**allow_but("s3:*"), "Effect": "Deny"}, True),
        (without_resource(deny(PUT), f"arn:aws:iam::{OURS}:role/teams/*"), True),
        (deny(PUT, f"arn:aws:iam::{OURS}:role/break-glass"), False),
        (deny(PUT, f"arn:aws:iam::{OURS}:user/*"), False),
        (without_resource(deny(PUT), "arn:aws:iam::*:role/*"), False),
        (deny(PUT, Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}}), False),
    ],
)
def test_a_deny_decides_where_it_leaves_no_more_than_some(refusal: Statement, decides: bool) -> None:
    assert (PUT not in opened(allow(PUT, ROLES), refusal)) is decides


def test_a_deny_in_one_account_does_not_decide_for_any() -> None:
    assert PUT in opened(allow(PUT), deny(PUT, ROLES))


def test_the_statement_that_opens_a_path_is_told() -> None:
    (found,) = escalations(policy(allow("s3:GetObject"), allow("lambda:CreateFunction"), allow(PUT)))

    assert (str(found.path), found.statement.index) == (PUT, 2)


ACTIONS = ["*", "iam:*", "iam:PassRole", PUT, "iam:Put*", "lambda:*", "ec2:RunInstances", "kms:Decrypt", "s3:*"]
RESOURCES = ["*", ROLES, "arn:aws:iam::*:role/*", f"arn:aws:iam::{OURS}:role/teams/*", "arn:aws:s3:::photos/*"]
CONDITIONS: list[dict[str, Any]] = [
    {},
    {"Condition": MFA},
    when("StringEquals", "iam:PassedToService", "lambda.amazonaws.com"),
    when("StringEquals", "aws:ResourceTag/team", "shop"),
]


@st.composite
def statements(draw: st.DrawFn, effect: str | None = None) -> Statement:
    about = draw(st.sampled_from(["Action", "NotAction"]))
    on = draw(st.sampled_from(["Resource", "NotResource"]))
    return {
        "Effect": effect or draw(st.sampled_from(["Allow", "Deny"])),
        about: draw(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3)),
        on: draw(st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=2)),
        **draw(st.sampled_from(CONDITIONS)),
    }


policies = st.lists(statements(), max_size=4)


@given(policies, statements("Deny"))
def test_a_deny_never_widens(some: list[Statement], refusal: Statement) -> None:
    assert is_admin(*some) or not is_admin(*some, refusal)
    assert decrypts_everywhere(*some) or not decrypts_everywhere(*some, refusal)
    assert opened(*some, refusal) <= opened(*some)


@given(policies, statements("Allow"))
def test_an_allow_never_closes_a_path(some: list[Statement], more: Statement) -> None:
    assert is_admin(*some, more) or not is_admin(*some)
    assert opened(*some) <= opened(*some, more)


@given(policies, st.integers(0, 3), st.sampled_from(ACTIONS))
def test_allowing_a_superset_never_closes_a_path(some: list[Statement], index: int, action: str) -> None:
    wider = [dict(each) for each in some]
    for each in wider[index : index + 1]:
        if each["Effect"] == "Allow" and "Action" in each:
            each["Action"] = [*each["Action"], action]

    assert opened(*some) <= opened(*wider)


@given(policies)
def test_an_administrator_has_every_path_that_nothing_takes_away(some: list[Statement]) -> None:
    allowed = [each for each in some if each["Effect"] == "Allow"]
    if is_admin(*allowed):
        assert {"iam:AttachRolePolicy", "iam:CreateAccessKey"} <= opened(*allowed)


@given(st.permutations([allow("iam:Put*"), deny(PUT, ROLES), allow(PASS), MAKE, deny("lambda:*")]))
def test_the_order_of_statements_is_nothing(some: list[Statement]) -> None:
    assert opened(*some) == opened(allow("iam:Put*"), deny(PUT, ROLES), allow(PASS), MAKE, deny("lambda:*"))
