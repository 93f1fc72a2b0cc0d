"""`demarc evaluate`: one resource read and judged now, and nothing recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from demarc.aws import AwsClients
from demarc.cli.reference import FIELDS
from tests.cli.conftest import REGION, Demarc

ACCOUNT = "123456789012"
ALL_BLOCKED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
SSH = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


@pytest.fixture
def bucket(aws: AwsClients) -> str:
    """A bucket of the payments team that blocks public access and does little else."""
    s3 = aws("s3", REGION)
    s3.create_bucket(Bucket="photos", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_public_access_block(Bucket="photos", PublicAccessBlockConfiguration=ALL_BLOCKED)
    s3.put_bucket_tagging(Bucket="photos", Tagging={"TagSet": [{"Key": "owner", "Value": "payments"}]})
    return "photos"


@pytest.fixture
def group(aws: AwsClients) -> str:
    """A security group that lets SSH in from everywhere, in an account that several teams share."""
    ec2 = aws("ec2", REGION)
    made: str = ec2.create_security_group(GroupName="shell", Description="shell")["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=[SSH])
    return made


@contextmanager
def answering(client: Any, operation: str, code: str) -> Iterator[None]:
    """While this lasts, an operation is answered with an error."""

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, operation)

    name = f"before-call.{client.meta.service_model.service_name}.{operation}"
    client.meta.events.register(name, refuse)
    try:
        yield
    finally:
        client.meta.events.unregister(name, refuse)


def test_every_control_has_a_line_with_the_documented_fields(bucket: str, demarc: Demarc, matrix: Any) -> None:
    ended = demarc("evaluate", "AWS::S3::Bucket", bucket, "--json")

    assert ended.exit_code == 0
    assert {row["control"] for row in ended.rows} == {control.id for control in matrix.controls["AWS::S3::Bucket"]}
    assert all(list(row) == list(FIELDS["evaluate"]) for row in ended.rows)


def test_a_line_says_the_verdict_the_drift_and_whose_it_is(bucket: str, demarc: Demarc) -> None:
    rows = {row["control"]: row for row in demarc("evaluate", "AWS::S3::Bucket", bucket, "--json").rows}

    assert rows["s3-bucket-keeps-versions"] == {
        "control": "s3-bucket-keeps-versions",
        "security_hub": ["S3.14"],
        "compliance": "NON_COMPLIANT",
        "drift": [
            {
                "path": "VersioningConfiguration.Status",
                "required": "Enabled",
                "actual": None,
                "because": "",
                "was": None,
            }
        ],
        "owner": {
            "team": "payments",
            "person": "Jonas Weber",
            "email": "payments@fjordline.example",
            "channel": "#payments",
            "row": "tag:owner",
            "because": "the resource's tag owner names the team",
            "attribution_gap": False,
        },
        "party": "customer",
        "severity": "low",
        "reason": "",
    }
    assert rows["s3-bucket-blocks-public-access"]["compliance"] == "COMPLIANT"
    assert rows["s3-bucket-deletion-needs-mfa"]["compliance"] == "NOT_APPLICABLE"


def test_what_is_wrong_comes_first_and_the_worst_of_it_at_the_top(group: str, demarc: Demarc) -> None:
    rows = demarc("evaluate", "AWS::EC2::SecurityGroup", group, "--json").rows

    assert (rows[0]["compliance"], rows[0]["severity"]) == ("NON_COMPLIANT", "critical")
    verdicts = [row["compliance"] for row in rows]
    assert verdicts == sorted(verdicts, key=["NON_COMPLIANT", "COMPLIANT", "NOT_APPLICABLE"].index)


def test_people_read_whose_it_is_what_drifted_and_the_fix_in_one_piece(bucket: str, demarc: Demarc) -> None:
    text = demarc("evaluate", "AWS::S3::Bucket", bucket).out

    assert text.startswith(f"AWS::S3::Bucket photos  account {ACCOUNT} (workloads-production), {REGION}\n")
    assert "whose   Jonas Weber, team payments: the resource's tag owner names the team [tag:owner]" in text
    assert "line    data of paas is ours: " in text
    assert "low  s3-bucket-keeps-versions: " in text
    assert "drift   VersioningConfiguration.Status is not set, must be Enabled" in text
    fix = "aws s3api put-bucket-versioning --bucket photos --region eu-west-1 --versioning-configuration Status=Enabled"
    assert f"  fix     {fix}\n" in text


def test_several_owners_are_told_apart(group: str, demarc: Demarc) -> None:
    text = demarc("evaluate", "AWS::EC2::SecurityGroup", group).out

    assert "whose   Helena Novak, team governance: nobody claims it" in text
    assert "whose   Tomas Berg, team platform: " in text
    assert "judged  1 control: demarc-reads-what-it-judges" in text


@pytest.mark.parametrize(("option", "code"), [([], 0), (["--exit-code"], 1)])
def test_a_drift_is_an_answer_and_fails_the_run_only_on_demand(
    option: list[str], code: int, group: str, demarc: Demarc
) -> None:
    assert demarc("evaluate", "AWS::EC2::SecurityGroup", group, "--json", *option).exit_code == code


def test_where_all_holds_the_exit_code_says_so(bucket: str, demarc: Demarc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demarc.pipeline.assess", lambda seen, matrix: ())

    assert demarc("evaluate", "AWS::S3::Bucket", bucket, "--exit-code").exit_code == 0


def test_nothing_is_recorded(bucket: str, demarc: Demarc, aws: AwsClients) -> None:
    demarc("evaluate", "AWS::S3::Bucket", bucket)

    assert {call.partition(".")[0] for call in aws.calls} == {"s3", "sts"}


@pytest.mark.parametrize("identifier", ["photos", " photos ", "arn:aws:s3:::photos"])
def test_a_resource_is_known_by_its_name_or_its_arn(identifier: str, bucket: str, demarc: Demarc) -> None:
    assert demarc("evaluate", "aws::s3::bucket", identifier, "--json").exit_code == 0


def test_a_region_in_the_arn_goes_before_the_option(group: str, demarc: Demarc) -> None:
    arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/{group}"

    assert f", {REGION}\n" in demarc("evaluate", "AWS::EC2::SecurityGroup", arn, "--region", "us-west-2").out


def test_an_account_is_known_by_its_id(aws: AwsClients, demarc: Demarc) -> None:
    rows = demarc("evaluate", "AWS::::Account", ACCOUNT, "--json").rows

    assert "account-root-has-mfa" in {row["control"] for row in rows}


# --- no verdict is not a pass ---------------------------------------------------------------------------------------


def test_what_does_not_exist_is_told_apart(aws: AwsClients, demarc: Demarc) -> None:
    ended = demarc("evaluate", "AWS::S3::Bucket", "nowhere", "--json")

    assert (ended.exit_code, ended.out) == (4, "")
    assert ended.err == f"AWS::S3::Bucket nowhere does not exist in account {ACCOUNT}, {REGION}\n"


def test_what_could_not_be_read_is_named_and_is_no_pass(bucket: str, demarc: Demarc, aws: AwsClients) -> None:
    with answering(aws("s3", REGION), "GetBucketPolicy", "AccessDenied"):
        ended = demarc("evaluate", "AWS::S3::Bucket", bucket, "--json")

    verdicts = {row["control"]: row["compliance"] for row in ended.rows}
    assert ended.exit_code == 3
    assert ended.err == "could not read Observed.Policy: AccessDenied: one of s3:GetBucketPolicy is not allowed\n"
    assert verdicts["s3-bucket-refuses-plain-http"] == "INSUFFICIENT_DATA"
    assert verdicts["demarc-reads-what-it-judges"] == "NON_COMPLIANT"
    assert verdicts["s3-bucket-blocks-public-access"] == "COMPLIANT"


def test_people_read_why_there_is_no_verdict(bucket: str, demarc: Demarc, aws: AwsClients) -> None:
    with answering(aws("s3", REGION), "GetBucketPolicy", "AccessDenied"):
        text = demarc("evaluate", "AWS::S3::Bucket", bucket).out

    assert "reason  Observed.Policy could not be read: AccessDenied" in text


def test_a_throttled_read_ends_the_run_without_a_verdict(bucket: str, demarc: Demarc, aws: AwsClients) -> None:
    with answering(aws("s3", REGION), "GetBucketPolicy", "SlowDown"):
        ended = demarc("evaluate", "AWS::S3::Bucket", bucket, "--json")

    assert (ended.exit_code, ended.out) == (3, "")
    assert "Error: An error occurred (SlowDown)" in ended.err


@pytest.mark.parametrize(
    "resource",
    [("AWS::::Account", "444455556666"), ("AWS::RDS::DBInstance", "arn:aws:rds:eu-west-1:444455556666:db:x")],
)
def test_another_account_is_not_judged_by_what_these_credentials_see(
    resource: tuple[str, str], aws: AwsClients, demarc: Demarc
) -> None:
    ended = demarc("evaluate", *resource)

    assert ended.exit_code == 3
    assert "is of account 444455556666, the credentials are of 123456789012" in ended.err


# --- what cannot be meant -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("AWS::S3::Bukket", "photos"), "Did you mean AWS::S3::Bucket?"),
        (("bucket", "photos"), "nothing reads the type 'bucket'. `demarc matrix show` lists all that there are"),
        (("AWS::S3::Bucket", "arn:aws:s3:::photos/1.jpg"), "does not name a resource of type AWS::S3::Bucket"),
        (("AWS::IAM::ManagedPolicy", "admin"), "does not name a resource of type AWS::IAM::ManagedPolicy"),
        (("AWS::::Account", "production"), "does not name a resource of type AWS::::Account"),
        (("AWS::S3::Bucket",), "Missing argument 'IDENTIFIER'"),
        (("AWS::S3::Bucket", "photos", "--region", "x/y"), "'x/y' is not the name of a Region"),
    ],
)
def test_what_cannot_be_meant_is_said(arguments: tuple[str, ...], said: str, aws: AwsClients, demarc: Demarc) -> None:
    ended = demarc("evaluate", *arguments)

    assert ended.exit_code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err
