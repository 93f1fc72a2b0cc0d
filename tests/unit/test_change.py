"""What CloudTrail really sends becomes a change with its resources, or a stated reason why there is none."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demarc.core.arn import partition_of
from demarc.core.change import NoChange, Reason, interpret
from demarc.core.model import Change
from demarc.core.touch import EVERYTHING, Touch, TouchIndex
from demarc.readers.account import account

EVENTS = Path(__file__).parent.parent / "events"


@dataclass(frozen=True)
class Known:
    """A resource type as small as an index of touches needs it."""

    type: str
    arn: str
    touches: tuple[Touch, ...]


EC2, S3, IAM, KMS = "ec2.amazonaws.com", "s3.amazonaws.com", "iam.amazonaws.com", "kms.amazonaws.com"
RDS, CLOUDTRAIL = "rds.amazonaws.com", "cloudtrail.amazonaws.com"
GROUP_ID, INSTANCE_ID = ("requestParameters.groupId",), ("requestParameters.instancesSet[].instanceId",)
TAGGED = ("requestParameters.resourcesSet[].resourceId",)

GROUP = Known(
    "AWS::EC2::SecurityGroup",
    "arn:{partition}:ec2:{region}:{account}:security-group/{identifier}",
    (
        Touch(EC2, ("AuthorizeSecurityGroupIngress", "ModifySecurityGroupRules"), GROUP_ID, ("SecurityGroupIngress",)),
        Touch(EC2, ("ModifySecurityGroupRules",), GROUP_ID, ("SecurityGroupEgress",)),
        Touch(EC2, ("DeleteSecurityGroup",), GROUP_ID, EVERYTHING),
        Touch(EC2, ("CreateTags",), TAGGED, ("Tags",), "sg-"),
    ),
)
INSTANCE = Known(
    "AWS::EC2::Instance",
    "arn:{partition}:ec2:{region}:{account}:instance/{identifier}",
    (
        Touch(EC2, ("RunInstances",), ("responseElements.instancesSet[].instanceId",), EVERYTHING),
        Touch(EC2, ("StopInstances", "TerminateInstances"), INSTANCE_ID),
        Touch(EC2, ("CreateTags",), TAGGED, ("Tags",), "i-"),
    ),
)
BUCKET = Known(
    "AWS::S3::Bucket",
    "arn:{partition}:s3:::{identifier}",
    (Touch(S3, ("PutBucketPolicy", "PutBucketAcl", "DeleteBucket"), ("requestParameters.bucketName",)),),
)
ACCOUNT = Known(
    "AWS::::Account",
    "arn:{partition}:iam::{account}:root",
    (Touch(S3, ("DeleteAccountPublicAccessBlock",), ("account",)),),
)
USER = Known(
    "AWS::IAM::User",
    "arn:{partition}:iam::{account}:user/{identifier}",
    (Touch(IAM, ("EnableMFADevice", "UpdateUser"), ("requestParameters.userName",)),),
)
ROLE = Known(
    "AWS::IAM::Role",
    "arn:{partition}:iam::{account}:role/{identifier}",
    (Touch(IAM, ("CreateRole",), ("responseElements.role.arn", "requestParameters.roleName")),),
)
POLICY = Known(
    "AWS::IAM::ManagedPolicy",
    "{identifier}",
    (Touch(IAM, ("CreatePolicy", "CreatePolicyVersion"), ("requestParameters.policyArn",)),),
)
TRAIL = Known(
    "AWS::CloudTrail::Trail",
    "arn:{partition}:cloudtrail:{region}:{account}:trail/{identifier}",
    (Touch(CLOUDTRAIL, ("StopLogging",), ("requestParameters.name",)),),
)
KEY = Known(
    "AWS::KMS::Key",
    "arn:{partition}:kms:{region}:{account}:key/{identifier}",
    (Touch(KMS, ("PutKeyPolicy", "RotateKey"), ("requestParameters.keyId",)),),
)
DATABASE = Known(
    "AWS::RDS::DBInstance",
    "arn:{partition}:rds:{region}:{account}:db:{identifier}",
    (
        Touch(RDS, ("ModifyDBInstance",), ("requestParameters.DBInstanceIdentifier",)),
        Touch(RDS, ("AddTagsToResource",), ("requestParameters.resourceName",)),
    ),
)
TOUCHES = TouchIndex.of([GROUP, INSTANCE, BUCKET, ACCOUNT, USER, ROLE, POLICY, TRAIL, KEY, DATABASE])

KEY_ARN = "arn:aws:kms:eu-west-1:111122223333:key/1f2e3d4c-0000-4000-8000-5a6978879685"


@cache
def text_of(name: str) -> str:
    return (EVENTS / f"{name}.json").read_text()


def event(name: str) -> Any:
    """A fresh copy, so that a test may change it."""
    return json.loads(text_of(name))


def record(name: str, **changed: Any) -> dict[str, Any]:
    """The bare record of an event, with some fields changed; `...` takes one away."""
    found = event(name)
    fields = {**found.get("detail", found), **changed}
    return {key: value for key, value in fields.items() if value is not ...}


def change_of(event: Any) -> Change:
    outcome = interpret(event, TOUCHES)
    assert isinstance(outcome, Change), outcome
    return outcome


def no_change_of(event: Any) -> NoChange:
    outcome = interpret(event, TOUCHES)
    assert isinstance(outcome, NoChange), outcome
    return outcome


def named_by(event: Any) -> list[tuple[str, str]]:
    return [(each.resource.type, each.resource.identifier) for each in change_of(event).touched]


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("group-opened", [("AWS::EC2::SecurityGroup", "sg-0a1b2c3d4e5f60718")]),
        ("group-rules-modified", [("AWS::EC2::SecurityGroup", "sg-0a1b2c3d4e5f60718")]),
        (
            "instances-started",
            [("AWS::EC2::Instance", "i-00000000000000a01"), ("AWS::EC2::Instance", "i-00000000000000a02")],
        ),
        (
            "tags-created",
            [("AWS::EC2::SecurityGroup", "sg-0a1b2c3d4e5f60718"), ("AWS::EC2::Instance", "i-00000000000000a01")],
        ),
        ("bucket-policy-put", [("AWS::S3::Bucket", "harbour-photos")]),
        ("key-policy-omitted", [("AWS::KMS::Key", "1f2e3d4c-0000-4000-8000-5a6978879685")]),
        ("key-rotated-by-aws", [("AWS::KMS::Key", "1f2e3d4c-0000-4000-8000-5a6978879685")]),
        ("trail-stopped", [("AWS::CloudTrail::Trail", "everything")]),
        ("role-created-in-china", [("AWS::IAM::Role", "reader")]),
        (
            "policy-version-created",
            [("AWS::IAM::ManagedPolicy", "arn:aws:iam::111122223333:policy/teams/data/read-all")],
        ),
        ("database-opened", [("AWS::RDS::DBInstance", "orders")]),
        ("account-block-removed", [("AWS::::Account", "111122223333")]),
        ("instance-stopped-long-ago", [("AWS::EC2::Instance", "i-0b0b0b0b")]),
    ],
)
def test_a_change_names_its_resources(name: str, named: list[tuple[str, str]]) -> None:
    assert named_by(event(name)) == named


@pytest.mark.parametrize(
    ("name", "reason", "detail"),
    [
        ("refused", Reason.REFUSED, "AccessDenied"),
        ("refused-without-a-code", Reason.REFUSED, "the answer says that it was not done"),
        ("sign-in-failed", Reason.REFUSED, "ConsoleLogin: Failure"),
        ("dry-run", Reason.DRY_RUN, "nothing was done, as the caller asked"),
        ("read", Reason.READ_ONLY, "the record says that it only read"),
        ("read-long-ago", Reason.READ_ONLY, "calls that begin with List only read"),
        ("insight", Reason.INSIGHT, "CloudTrail Insights tells of an unusual rate, not of a call"),
        ("finding-of-guardduty", Reason.NOT_CLOUDTRAIL, "the detail-type is GuardDuty Finding"),
        ("job-definition-registered", Reason.UNMAPPED, "the call touches no resource type that is read"),
    ],
)
def test_what_is_no_change_says_why(name: str, reason: Reason, detail: str) -> None:
    outcome = no_change_of(event(name))

    assert (outcome.reason, outcome.detail) == (reason, detail)


def test_a_change_carries_when_where_and_by_whom() -> None:
    change = change_of(event("group-opened"))

    assert change.time == datetime(2026, 3, 2, 8, 1, 30, tzinfo=UTC)
    assert (change.account, change.region, change.source_ip) == ("111122223333", "eu-west-1", "203.0.113.40")
    assert (change.event_source, change.event_name) == (EC2, "AuthorizeSecurityGroupIngress")
    assert change.event_id == "c0ffee00-0000-4000-8000-000000000001"
    assert (change.actor.name, change.via) == ("mara.lind@example.org", "cli")


def test_what_is_no_change_still_carries_its_names() -> None:
    outcome = no_change_of(event("refused"))

    assert (outcome.event_id, outcome.event_source, outcome.event_name) == (
        "c0ffee00-0000-4000-8000-000000000014",
        S3,
        "DeleteBucket",
    )


@pytest.mark.parametrize(
    "kind",
    [
        "AWS API Call via CloudTrail",
        "AWS Service Event via CloudTrail",
        "AWS Console Action via CloudTrail",
        "AWS Console Sign In via CloudTrail",
        "AWS Console Signin via CloudTrail",
        "a replay of our own",
    ],
)
def test_a_record_is_the_same_in_any_envelope(kind: str) -> None:
    envelope = {**event("group-opened"), "detail-type": kind}

    assert change_of(envelope) == change_of(record("group-opened"))


def test_a_call_writes_what_all_its_touches_say() -> None:
    (touched,) = change_of(event("group-rules-modified")).touched

    assert touched.sets == ("SecurityGroupIngress", "SecurityGroupEgress")


def test_a_resource_that_is_named_twice_is_touched_once() -> None:
    twice = record("tags-created")
    twice["requestParameters"]["resourcesSet"]["items"].append({"resourceId": "i-00000000000000a01"})

    assert len(change_of(twice).touched) == 2


def test_everything_is_everything_whatever_else_is_set() -> None:
    both = Known(GROUP.type, GROUP.arn, (*GROUP.touches, Touch(EC2, ("CreateTags",), TAGGED, EVERYTHING, "sg-")))

    outcome = interpret(event("tags-created"), TouchIndex.of([both]))

    assert isinstance(outcome, Change)
    assert outcome.touched[0].sets == EVERYTHING


# --- shapes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "elements",
    [
        [{"instanceId": "i-1"}],
        {"items": [{"instanceId": "i-1"}]},
        {"items": {"instanceId": "i-1"}},
        {"item": [{"instanceId": "i-1"}]},
        {"member": [{"instanceId": "i-1"}]},
        {"instanceId": "i-1"},
        {"InstanceId": "i-1"},
        {"items": ["", None, {"instanceId": "i-1"}]},
        {"items": [{"instanceId": {"content": "i-1", "tag": 1}}]},
        {"items": [{"instanceId": ["i-1"]}]},
        {"items": [{"instanceId": " i-1 "}]},
    ],
)
def test_a_list_is_read_however_cloudtrail_wrote_it(elements: Any) -> None:
    stopped = record("instance-stopped-long-ago", requestParameters={"instancesSet": elements})

    assert named_by(stopped) == [("AWS::EC2::Instance", "i-1")]


@pytest.mark.parametrize("wrapper", ["StopInstancesRequest", "StopInstReq"])
def test_a_wrapped_request_is_looked_through(wrapper: str) -> None:
    wrapped = {wrapper: {"InstancesSet": {"items": [{"InstanceId": "i-1"}]}}}

    assert named_by(record("instance-stopped-long-ago", requestParameters=wrapped)) == [("AWS::EC2::Instance", "i-1")]


@pytest.mark.parametrize(
    ("parameters", "detail"),
    [
        (None, "the record names no AWS::EC2::Instance: requestParameters is empty"),
        ("", "the record names no AWS::EC2::Instance: requestParameters is empty"),
        ({}, "the record names no AWS::EC2::Instance: requestParameters is empty"),
        ({"omitted": True}, "the record names no AWS::EC2::Instance: requestParameters was omitted by CloudTrail"),
        ({"instancesSet": ""}, "the record names no AWS::EC2::Instance"),
        ({"instancesSet": {"items": ""}}, "the record names no AWS::EC2::Instance"),
        ({"instancesSet": [{"instanceId": ""}]}, "the record names no AWS::EC2::Instance"),
        (
            {"instancesSet": [{"instanceId": "HIDDEN_DUE_TO_SECURITY_REASONS"}]},
            "the record names no AWS::EC2::Instance",
        ),
        ({"instancesSet": [{"instanceId": "i-1\nforged"}]}, "the record names no AWS::EC2::Instance"),
        ({"instancesSet": [{"instanceId": 7}]}, "the record names no AWS::EC2::Instance"),
        ("i-1", "the record names no AWS::EC2::Instance"),
    ],
)
def test_a_record_that_names_no_resource_is_unmapped_and_says_so(parameters: Any, detail: str) -> None:
    outcome = no_change_of(record("instance-stopped-long-ago", requestParameters=parameters))

    assert (outcome.reason, outcome.detail) == (Reason.UNMAPPED, detail)


@pytest.mark.parametrize(
    "name", ["StopInstances ", "StopInstances20161115", "StopInstances2016_11_15", "StopInstances20161115v2"]
)
def test_a_versioned_or_padded_name_is_looked_up_by_the_name_of_the_call(name: str) -> None:
    assert change_of(record("instance-stopped-long-ago", eventName=name)).event_name == name.strip()


@pytest.mark.parametrize("written", ["CreateThing", "CreateThing20150331", "CreateThing2020_05_31"])
@pytest.mark.parametrize(
    "called", ["CreateThing", "CreateThing20150331", "CreateThing20150331v2", "CreateThing2020_05_31"]
)
def test_a_touch_that_is_written_for_one_version_is_found_by_any_other(written: str, called: str) -> None:
    thing = Known(
        "AWS::X::Thing", "arn:{partition}:x:::{identifier}", (Touch("x", (written,), ("requestParameters.a",)),)
    )

    assert len(TouchIndex.of([thing]).pointers("x", called)) == 1
    assert TouchIndex.of([thing]).pointers("x", called.replace("Thing", "ThingUrl")) == ()


LAYER = Known(
    "AWS::Lambda::LayerVersion",
    "arn:{partition}:lambda:{region}:{account}:layer:{identifier!s}",
    (Touch(EC2, ("StopInstances",), ("requestParameters.layer",), also="requestParameters.versionNumber", joined=":"),),
)
LAYER_ARN = "arn:aws:lambda:eu-west-1:111122223333:layer:common"


@pytest.mark.parametrize("layer", ["common", LAYER_ARN, LAYER_ARN.replace(":", "%3A"), LAYER_ARN.replace(":", "%3a")])
@pytest.mark.parametrize("version", [3, "3"])
def test_a_name_is_read_as_the_service_took_it_and_goes_on_with_a_number(layer: str, version: Any) -> None:
    asked = {"layer": layer, "versionNumber": version}
    change = interpret(record("instance-stopped-long-ago", requestParameters=asked), TouchIndex.of([LAYER]))

    assert isinstance(change, Change)
    assert [(each.resource.identifier, each.resource.arn) for each in change.touched] == [
        ("common:3", f"{LAYER_ARN}:3"),
    ]


@pytest.mark.parametrize(("layer", "version"), [("common", True), ("common", None), ("arn%3A%00", 3), (3, 3)])
def test_what_is_no_name_or_no_number_names_nothing(layer: Any, version: Any) -> None:
    asked = {"layer": layer, "versionNumber": version}

    assert isinstance(
        interpret(record("instance-stopped-long-ago", requestParameters=asked), TouchIndex.of([LAYER])), NoChange
    )


@pytest.mark.parametrize("named", ["/shop/key", "shop/key", "arn:aws:ssm:eu-west-1:111122223333:parameter/shop/key"])
def test_a_name_shares_the_slash_that_it_begins_with_with_its_arn(named: str) -> None:
    parameter = Known(
        "AWS::SSM::Parameter",
        "arn:{partition}:ssm:{region}:{account}:parameter/{identifier!s}",
        (Touch(EC2, ("StopInstances",), ("requestParameters.name",)),),
    )
    found = interpret(
        record("instance-stopped-long-ago", requestParameters={"name": named}), TouchIndex.of([parameter])
    )

    assert isinstance(found, Change)
    assert [(each.resource.identifier, each.resource.arn) for each in found.touched] == [
        ("shop/key", "arn:aws:ssm:eu-west-1:111122223333:parameter/shop/key"),
    ]


def test_a_touch_that_is_written_for_two_versions_is_found_once() -> None:
    names = ("UpdateThing20150331", "UpdateThing20150331v2")
    thing = Known("AWS::X::Thing", "arn:{partition}:x:::{identifier}", (Touch("x", names, ("requestParameters.a",)),))

    assert len(TouchIndex.of([thing]).pointers("x", "UpdateThing20300101")) == 1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"responseElements": {"DeleteSecurityGroupResponse": {"return": False}}}, Reason.REFUSED),
        ({"responseElements": {"_return": "false"}}, Reason.REFUSED),
        ({"responseElements": {"error": {"code": "InvalidGroup.InUse"}}}, Reason.REFUSED),
        ({"responseElements": {"errorCode": "InvalidGroup.InUse"}}, Reason.REFUSED),
        ({"responseElements": {"_return": True}, "errorCode": "Client.DependencyViolation"}, Reason.REFUSED),
        ({"responseElements": None, "errorMessage": "resource sg-1 has a dependent object"}, Reason.REFUSED),
        ({"responseElements": None, "errorCode": {"nested": "by someone"}}, Reason.REFUSED),
        ({"responseElements": None, "requestParameters": {"groupId": "sg-1", "dryRun": True}}, Reason.DRY_RUN),
        ({"responseElements": None, "requestParameters": {"XRequest": {"DryRun": "true"}}}, Reason.DRY_RUN),
        ({"responseElements": None, "readOnly": True}, Reason.READ_ONLY),
        ({"responseElements": None, "readOnly": "true"}, Reason.READ_ONLY),
    ],
)
def test_a_call_that_changed_nothing_is_told_from_one_that_did(fields: dict[str, Any], reason: Reason) -> None:
    assert no_change_of(record("refused-without-a-code", **fields)).reason is reason


@pytest.mark.parametrize("fields", [{"errorCode": ""}, {"errorCode": None, "errorMessage": None}])
def test_an_empty_error_is_none(fields: dict[str, Any]) -> None:
    assert change_of(record("refused-without-a-code", responseElements={"_return": True}, **fields)).touched


@pytest.mark.parametrize("name", ["GetBucketAcl", "ListKeys", "DescribeInstances", "HeadBucket", "BatchGetItem"])
def test_old_records_that_only_read_are_told_by_their_name(name: str) -> None:
    assert no_change_of(record("read-long-ago", eventName=name)).reason is Reason.READ_ONLY


@pytest.mark.parametrize(("name", "read_only"), [("Listen", ...), ("GetCredentials", False)])
def test_a_name_alone_does_not_make_a_call_read_only(name: str, read_only: Any) -> None:
    assert no_change_of(record("read-long-ago", eventName=name, readOnly=read_only)).reason is Reason.UNMAPPED


# --- malformed -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [None, [], "an event", 7, True, {}, {"Records": []}, {"detail": {}}])
def test_what_is_no_event_is_malformed(event: Any) -> None:
    assert no_change_of(event).reason is Reason.MALFORMED


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"eventSource": ...}, "the record has no eventSource"),
        ({"eventName": ...}, "the record has no eventName"),
        ({"eventName": ["StopInstances"]}, "the record has no eventName"),
        ({"eventTime": ...}, "the record has no eventTime"),
        ({"eventTime": "yesterday"}, "the record has no readable eventTime"),
        ({"eventTime": 1772438400}, "the record has no readable eventTime"),
        ({"awsRegion": ...}, "the record has no awsRegion"),
        ({"userIdentity": None}, "the record has no account"),
    ],
)
def test_a_record_without_what_every_record_has_is_malformed(fields: dict[str, Any], detail: str) -> None:
    outcome = no_change_of(record("instance-stopped-long-ago", **fields))

    assert (outcome.reason, outcome.detail) == (Reason.MALFORMED, detail)


def test_an_envelope_of_cloudtrail_without_a_record_is_malformed() -> None:
    outcome = no_change_of({**event("group-opened"), "detail": None})

    assert (outcome.reason, outcome.event_id) == (Reason.MALFORMED, "e0e0e0e0-0000-4000-8000-000000000001")


@pytest.mark.parametrize(
    "text", ["2026-03-02T08:13:30.250Z", "2026-03-02T09:13:30.25+01:00", "2026-03-02T08: 13: 30.25Z"]
)
def test_times_are_kept_in_utc(text: str) -> None:
    assert change_of(record("instance-stopped-long-ago", eventTime=text)).time == datetime(
        2026, 3, 2, 8, 13, 30, 250_000, tzinfo=UTC
    )


# --- whose, and where ------------------------------------------------------------------------------------------------


def test_a_resource_belongs_to_the_account_that_cloudtrail_names_as_its_owner() -> None:
    change = change_of(event("bucket-of-another-account"))

    assert change.account == "111122223333"
    assert change.touched[0].resource.account == "444455556666"


def test_the_account_that_got_the_record_goes_before_the_callers() -> None:
    shared = record("trail-stopped", recipientAccountId="444455556666", requestParameters={"name": "everything"})

    assert change_of(shared).touched[0].resource.account == "444455556666"


def test_what_stands_in_place_of_an_account_is_none() -> None:
    key = record("key-policy-omitted", requestParameters={"keyId": "1f2e"})
    key["resources"] = [{"ARN": "arn:aws:kms:eu-west-1:111122223333:key/1f2e", "accountId": "AWS Internal"}]

    assert change_of(key).touched[0].resource.account == "111122223333"


@pytest.mark.parametrize(("account", "written"), [("012345678901", "012345678901"), (12345678901, "012345678901")])
def test_the_envelope_knows_the_account_where_the_record_does_not(account: Any, written: str) -> None:
    envelope = {**event("group-opened"), "account": account}
    envelope["detail"] = record("group-opened", recipientAccountId=..., userIdentity=None)

    assert change_of(envelope).account == written


def test_an_arn_says_where_its_resource_is() -> None:
    trail = change_of(event("trail-stopped")).touched[0].resource

    assert (trail.region, trail.arn) == ("us-east-2", "arn:aws:cloudtrail:us-east-2:111122223333:trail/everything")


@pytest.mark.parametrize(
    ("name", "arn"),
    [
        ("group-opened", "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0a1b2c3d4e5f60718"),
        ("bucket-policy-put", "arn:aws:s3:::harbour-photos"),
        ("account-block-removed", "arn:aws:iam::111122223333:root"),
        ("role-created-in-china", "arn:aws-cn:iam::111122223333:role/teams/data/reader"),
        ("policy-version-created", "arn:aws:iam::111122223333:policy/teams/data/read-all"),
        ("key-policy-omitted", KEY_ARN),
    ],
)
def test_a_resource_has_the_records_arn_or_one_made_by_its_type(name: str, arn: str) -> None:
    assert change_of(event(name)).touched[0].resource.arn == arn


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        *(("eu-west-1", "aws"), ("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-east-1", "aws-us-gov")),
        *(
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eusc-de-east-1", "aws-eusc"),
            ("...", "aws"),
        ),
    ],
)
def test_a_region_has_a_partition(region: str, partition: str) -> None:
    assert partition_of(region) == partition


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("database-opened", {"eventName": "AddTagsToResource", "requestParameters": {"resourceName": KEY_ARN}}),
        ("key-policy-omitted", {"requestParameters": {"keyId": KEY_ARN.replace("key/", "alias/")}, "resources": None}),
        ("policy-version-created", {"requestParameters": {"policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}}),
        ("policy-version-created", {"requestParameters": {"policyArn": "read-all"}}),
        ("bucket-policy-put", {"requestParameters": {"bucketName": "arn:aws:s3:::photos/1.jpg"}, "resources": None}),
        ("trail-stopped", {"requestParameters": {"name": "arn:aws:cloudtrail"}}),
        (
            "role-created-in-china",
            {"eventName": "EnableMFADevice", "requestParameters": {"userName": "AWS ROOT USER"}},
        ),
    ],
)
def test_the_name_of_something_else_is_no_name(name: str, fields: dict[str, Any]) -> None:
    assert no_change_of(record(name, **fields)).reason is Reason.UNMAPPED


@pytest.mark.parametrize(
    ("caller", "parameters", "named"),
    [
        ({"type": "Root", "arn": "arn:aws:iam::111122223333:root"}, {"userName": "AWS ROOT USER"}, ["111122223333"]),
        ({"type": "Root", "arn": "arn:aws:iam::111122223333:root"}, None, ["111122223333"]),
        ({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/mara"}, {"userName": "tomas"}, []),
        ({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/root"}, None, []),
        ({"type": "IAMUser", "arn": "redacted"}, None, []),
    ],
)
def test_only_root_changes_what_an_account_has_of_root(caller: Any, parameters: Any, named: list[str]) -> None:
    made = record("account-block-removed", eventSource=IAM, eventName="CreateAccessKey", userIdentity=caller)

    outcome = interpret(made | {"requestParameters": parameters}, TouchIndex.of([account.ACCOUNT]))

    touched = outcome.touched if isinstance(outcome, Change) else ()
    assert [each.resource.identifier for each in touched] == named


def test_tags_on_an_arn_of_the_type_are_found_by_it() -> None:
    parameters = {"resourceName": "arn:aws:rds:us-west-2:444455556666:db:ledger"}
    tagged = change_of(record("database-opened", eventName="AddTagsToResource", requestParameters=parameters))

    assert tagged.touched[0].resource.key == ("AWS::RDS::DBInstance", "ledger", "444455556666", "us-west-2")


# --- anything at all -------------------------------------------------------------------------------------------------

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=12,
)
WORDS = ("detail-type", "detail", "eventVersion", "eventSource", "eventName", "eventTime", "userIdentity", "resources")


@settings(deadline=None, max_examples=200)
@given(ANY_JSON | st.dictionaries(st.sampled_from(WORDS), ANY_JSON))
def test_nothing_makes_it_raise(anything: Any) -> None:
    assert isinstance(interpret(anything, TOUCHES), NoChange | Change)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value, as the keys that lead to it."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    return [path, *(place for key in keys for place in places(value[key], (*path, key)))]


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_real_record_broken_anywhere_still_has_an_outcome(data: st.DataObject) -> None:
    broken = event(data.draw(st.sampled_from(sorted(path.stem for path in EVENTS.glob("*.json")))))
    *way, last = data.draw(st.sampled_from(places(broken)[1:]))
    node = broken
    for key in way:
        node = node[key]
    node[last] = data.draw(ANY_JSON)

    assert isinstance(interpret(broken, TOUCHES), NoChange | Change)


def test_depth_is_no_obstacle() -> None:
    deep: Any = "i-1"
    for _ in range(100_000):
        deep = {"instanceId": [deep]}

    assert no_change_of(record("instance-stopped-long-ago", requestParameters=deep)).reason is Reason.UNMAPPED
