"""What is in an account, as it is listed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from demarc import readers
from demarc.aws import AwsClients
from demarc.core.snapshot import Snapshot
from demarc.readers import Inventory, Reader, read, resource_of
from demarc.readers.ec2.instance import INSTANCE
from demarc.readers.ec2.securitygroup import SECURITY_GROUP
from demarc.readers.iam import ROLE

REGION = "us-east-1"
ELSEWHERE = "eu-west-1"
ACCOUNT = "123456789012"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
# Those whose lists have ways of their own; the others are listed in `test_readers_on_moto`.
TYPES = (
    *("AWS::::Account", "AWS::CloudTrail::Trail", "AWS::EC2::Instance", "AWS::EC2::SecurityGroup"),
    *("AWS::IAM::ManagedPolicy", "AWS::IAM::Role", "AWS::IAM::User", "AWS::KMS::Key", "AWS::RDS::DBInstance"),
    "AWS::S3::Bucket",
)
LISTED = list(readers.load(TYPES))
EACH_LISTED = pytest.mark.parametrize("reader", LISTED, ids=lambda reader: reader.type)
READERS = {reader.type: reader for reader in LISTED}

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
READS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}


def inventory_of(reader: Reader) -> Inventory:
    assert reader.inventory is not None
    return reader.inventory


def pages(reader: Reader, clients: Any, region: str = REGION) -> Iterator[list[str]]:
    return (list(page) for page in inventory_of(reader).pages(clients, ACCOUNT, region))


def listed(reader: Reader, clients: Any, region: str = REGION) -> set[str]:
    return {identifier for page in pages(reader, clients, region) for identifier in page}


# --- what is there is listed, and by the name that it is read by -----------------------------------------------------


def a_trail(clients: AwsClients) -> str:
    clients("s3", REGION).create_bucket(Bucket="trail-files")
    clients("cloudtrail", REGION).create_trail(Name="everything", S3BucketName="trail-files")
    return "everything"


def an_instance(clients: AwsClients, region: str = REGION) -> str:
    made = clients("ec2", region).run_instances(ImageId="ami-03cf127a", MinCount=1, MaxCount=1)
    return str(made["Instances"][0]["InstanceId"])


def a_database(clients: AwsClients, name: str = "orders", region: str = REGION) -> str:
    clients("rds", region).create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        MasterUsername="ada",
        MasterUserPassword="correct-horse",
        AllocatedStorage=20,
    )
    return name


def a_bucket(clients: AwsClients, name: str = "photos", region: str = REGION) -> str:
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    clients("s3", region).create_bucket(Bucket=name, **where)
    return name


def a_group(clients: AwsClients, region: str = REGION) -> str:
    return str(clients("ec2", region).create_security_group(GroupName="web", Description="the web")["GroupId"])


def a_key(clients: AwsClients, region: str = REGION) -> str:
    return str(clients("kms", region).create_key()["KeyMetadata"]["KeyId"])


def a_user(clients: AwsClients) -> str:
    clients("iam", REGION).create_user(UserName="ada", Path="/people/")
    return "ada"


def a_role(clients: AwsClients) -> str:
    clients("iam", REGION).create_role(
        RoleName="deploy", Path="/ci/", AssumeRolePolicyDocument=json.dumps(TRUST), Description=""
    )
    return "deploy"


def a_policy(clients: AwsClients) -> str:
    made = clients("iam", REGION).create_policy(PolicyName="r", Path="/t/", PolicyDocument=json.dumps(READS))
    return str(made["Policy"]["Arn"])


MAKE: dict[str, Callable[[AwsClients], str]] = {
    "AWS::::Account": lambda _: ACCOUNT,
    "AWS::CloudTrail::Trail": a_trail,
    "AWS::EC2::Instance": an_instance,
    "AWS::EC2::SecurityGroup": a_group,
    "AWS::IAM::ManagedPolicy": a_policy,
    "AWS::IAM::Role": a_role,
    "AWS::IAM::User": a_user,
    "AWS::KMS::Key": a_key,
    "AWS::RDS::DBInstance": a_database,
    "AWS::S3::Bucket": a_bucket,
}


@EACH_LISTED
def test_what_is_listed_can_be_read(reader: Reader, clients: AwsClients) -> None:
    identifier = MAKE[reader.type](clients)

    assert identifier in listed(reader, clients)
    resource = resource_of(reader, identifier, ACCOUNT, REGION)
    seen = read(reader, resource, needs=reader.parts[0].gives, clients=clients, now=NOW)
    assert isinstance(seen, Snapshot)


@EACH_LISTED
def test_a_list_takes_the_declared_calls(reader: Reader, clients: AwsClients, calls: list[str]) -> None:
    MAKE[reader.type](clients)
    calls.clear()

    listed(reader, clients)

    assert set(calls) == set(inventory_of(reader).calls)


@EACH_LISTED
def test_nothing_is_asked_before_the_first_page_is_wanted(
    reader: Reader, clients: AwsClients, calls: list[str]
) -> None:
    inventory_of(reader).pages(clients, ACCOUNT, REGION)

    assert calls == []


@pytest.mark.parametrize(
    ("type_", "make"),
    [
        ("AWS::EC2::Instance", an_instance),
        ("AWS::EC2::SecurityGroup", a_group),
        ("AWS::KMS::Key", a_key),
        ("AWS::RDS::DBInstance", lambda clients, region: a_database(clients, region, region)),
        ("AWS::S3::Bucket", lambda clients, region: a_bucket(clients, f"in-{region}", region)),
    ],
)
def test_each_region_lists_its_own(type_: str, make: Any, clients: AwsClients) -> None:
    here, there = make(clients, region=REGION), make(clients, region=ELSEWHERE)

    found = {region: listed(READERS[type_], clients, region) & {here, there} for region in (REGION, ELSEWHERE)}

    assert found == {REGION: {here}, ELSEWHERE: {there}}


def test_a_trail_is_listed_at_home_and_not_where_its_shadow_falls(clients: AwsClients) -> None:
    a_bucket(clients, "trail-files")
    clients("cloudtrail", REGION).create_trail(Name="all", S3BucketName="trail-files", IsMultiRegionTrail=True)
    shadows = clients("cloudtrail", ELSEWHERE).describe_trails()["trailList"]

    found = {region: listed(READERS["AWS::CloudTrail::Trail"], clients, region) for region in (REGION, ELSEWHERE)}

    assert [trail["Name"] for trail in shadows] == ["all"]
    assert found == {REGION: {"all"}, ELSEWHERE: set()}


def test_an_instance_that_ended_is_not_listed_and_one_that_stopped_is(clients: AwsClients) -> None:
    ended, stopped = an_instance(clients), an_instance(clients)
    clients("ec2", REGION).terminate_instances(InstanceIds=[ended])
    clients("ec2", REGION).stop_instances(InstanceIds=[stopped])

    assert listed(INSTANCE, clients) == {stopped}


def test_default_groups_that_nobody_made_are_listed(clients: AwsClients) -> None:
    assert listed(SECURITY_GROUP, clients)


def test_policies_of_aws_are_not_listed(clients: AwsClients) -> None:
    mine = a_policy(clients)

    assert listed(READERS["AWS::IAM::ManagedPolicy"], clients) == {mine}


def test_roles_that_services_made_for_themselves_are_not_listed(clients: AwsClients) -> None:
    clients("iam", REGION).create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
    mine = a_role(clients)

    assert listed(ROLE, clients) == {mine}


def test_a_page_of_databases_follows_the_other(clients: AwsClients) -> None:
    made = {a_database(clients, f"db-{number:03d}") for number in range(101)}

    found = list(pages(READERS["AWS::RDS::DBInstance"], clients))

    assert [len(page) for page in found] == [100, 1]
    assert {identifier for page in found for identifier in page} == made


# --- page after page, as AWS writes them -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listing:
    """How a service answers in two pages: what is asked for the first, what more for the second, and both answers."""

    service: str
    method: str
    asked: dict[str, Any]
    more: dict[str, Any]
    first: dict[str, Any]
    second: dict[str, Any]


def _iam(method: str, key: str, one: Any, two: Any, **asked: Any) -> Listing:
    return Listing(
        "iam",
        method,
        {"MaxItems": 1000, **asked},
        {"Marker": "m"},
        {key: [one], "IsTruncated": True, "Marker": "m"},
        {key: [two], "IsTruncated": False},
    )


def _user(name: str) -> dict[str, Any]:
    arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    return {"UserName": name, "Path": "/", "UserId": "AIDAEXAMPLEEXAMPLE", "Arn": arn, "CreateDate": NOW}


def _role(name: str) -> dict[str, Any]:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    return {"RoleName": name, "Path": "/", "RoleId": "AROAEXAMPLEEXAMPLE", "Arn": arn, "CreateDate": NOW}


ALIVE = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]
LONG_A, LONG_B = f"arn:aws:iam::{ACCOUNT}:policy/aaaa", f"arn:aws:iam::{ACCOUNT}:policy/bbbb"

TWO_PAGES: dict[str, Listing] = {
    "AWS::EC2::Instance": Listing(
        "ec2",
        "describe_instances",
        {"Filters": ALIVE, "MaxResults": 500},
        {"NextToken": "t"},
        {"Reservations": [{"Instances": [{"InstanceId": "aaaa"}]}], "NextToken": "t"},
        {"Reservations": [{"Instances": [{"InstanceId": "bbbb"}]}]},
    ),
    "AWS::EC2::SecurityGroup": Listing(
        "ec2",
        "describe_security_groups",
        {"MaxResults": 500},
        {"NextToken": "t"},
        {"SecurityGroups": [{"GroupId": "aaaa"}], "NextToken": "t"},
        {"SecurityGroups": [{"GroupId": "bbbb"}]},
    ),
    "AWS::IAM::ManagedPolicy": _iam("list_policies", "Policies", {"Arn": LONG_A}, {"Arn": LONG_B}, Scope="Local"),
    "AWS::IAM::Role": _iam("list_roles", "Roles", _role("aaaa"), _role("bbbb")),
    "AWS::IAM::User": _iam("list_users", "Users", _user("aaaa"), _user("bbbb")),
    "AWS::KMS::Key": Listing(
        "kms",
        "list_keys",
        {"Limit": 1000},
        {"Marker": "m"},
        {"Keys": [{"KeyId": "aaaa"}], "Truncated": True, "NextMarker": "m"},
        {"Keys": [{"KeyId": "bbbb"}], "Truncated": False},
    ),
    "AWS::RDS::DBInstance": Listing(
        "rds",
        "describe_db_instances",
        {"MaxRecords": 100},
        {"Marker": "m"},
        {"DBInstances": [{"DBInstanceIdentifier": "aaaa"}], "Marker": "m"},
        {
            "DBInstances": [
                {"DBInstanceIdentifier": "bbbb"},
                {"DBInstanceIdentifier": "cccc", "DBInstanceStatus": "deleting"},
            ]
        },
    ),
    "AWS::S3::Bucket": Listing(
        "s3",
        "list_buckets",
        {"BucketRegion": REGION, "MaxBuckets": 1000},
        {"ContinuationToken": "t"},
        {"Buckets": [{"Name": "aaaa"}], "ContinuationToken": "t"},
        {"Buckets": [{"Name": "bbbb"}]},
    ),
}
# An account has itself, and of trails so few that there are no pages.
FIRST_CALL = {each: (listing.service, listing.method) for each, listing in TWO_PAGES.items()}
FIRST_CALL["AWS::CloudTrail::Trail"] = ("cloudtrail", "describe_trails")


@pytest.fixture(scope="module")
def stubbed() -> AwsClients:
    """Clients whose answers are written by the test."""
    return AwsClients()


def test_every_list_that_may_be_long_is_tried_with_two_pages() -> None:
    assert TWO_PAGES.keys() == READERS.keys() - {"AWS::::Account", "AWS::CloudTrail::Trail"}


@pytest.mark.parametrize("type_", TWO_PAGES)
def test_a_list_goes_on_where_the_page_before_ended(type_: str, stubbed: AwsClients) -> None:
    how = TWO_PAGES[type_]
    with Stubber(stubbed(how.service, REGION)) as stubber:
        stubber.add_response(how.method, how.first, how.asked)
        stubber.add_response(how.method, how.second, {**how.asked, **how.more})

        found = [[identifier[-4:] for identifier in page] for page in pages(READERS[type_], stubbed)]

        stubber.assert_no_pending_responses()
    assert found == [["aaaa"], ["bbbb"]]


@pytest.mark.parametrize("type_", TWO_PAGES)
def test_the_first_page_is_there_before_the_second_is_asked_for(type_: str, stubbed: AwsClients) -> None:
    how = TWO_PAGES[type_]
    with Stubber(stubbed(how.service, REGION)) as stubber:
        stubber.add_response(how.method, how.first, how.asked)

        (first,) = next(pages(READERS[type_], stubbed))

    assert first.endswith("aaaa")


@pytest.mark.parametrize("type_", FIRST_CALL)
@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Throttling"])
def test_a_list_that_is_refused_or_must_wait_is_not_empty(type_: str, code: str, stubbed: AwsClients) -> None:
    service, method = FIRST_CALL[type_]
    with Stubber(stubbed(service, REGION)) as stubber:
        stubber.add_client_error(method, code)

        with pytest.raises(ClientError, match=code):
            list(pages(READERS[type_], stubbed))


@pytest.mark.parametrize("type_", TWO_PAGES)
def test_a_list_that_breaks_off_is_not_the_whole(type_: str, stubbed: AwsClients) -> None:
    how = TWO_PAGES[type_]
    with Stubber(stubbed(how.service, REGION)) as stubber:
        stubber.add_response(how.method, how.first, how.asked)
        stubber.add_client_error(how.method, "ThrottlingException")

        with pytest.raises(ClientError, match="ThrottlingException"):
            list(pages(READERS[type_], stubbed))
