"""`demarc replay`: records through the whole path, as often as one likes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from botocore.exceptions import ParamValidationError

from demarc.aws import AwsClients
from demarc.cli.reference import FIELDS
from demarc.core.model import Change, Finding, Resource, Status
from demarc.pipeline import Judgement, Pipeline
from demarc.stores import Conflict
from demarc.stores.dynamodb import DynamoFindingStore
from tests.cli.conftest import EVENTS, REGION, Demarc, event
from tests.cli.test_evaluate import ACCOUNT, SSH, answering
from tests.integration.tables import create_table

SSH_CONTROL = "security-group-ssh-closed-to-the-world"


def opened(group: str, **changed: Any) -> dict[str, Any]:
    return event("group-opened", recipientAccountId=ACCOUNT, requestParameters={"groupId": group}) | changed


def touched(bucket: str, **changed: Any) -> dict[str, Any]:
    """A call on a bucket that writes its policy, or what `changed` says."""
    named = {"recipientAccountId": ACCOUNT, "requestParameters": {"bucketName": bucket}, "resources": None}
    return event("bucket-policy-put", **named) | changed


def lines(*records: Any) -> str:
    return "\n".join(json.dumps(each) for each in records)


@pytest.fixture
def group(aws: AwsClients) -> str:
    """A security group of the storefront team that lets SSH in from everywhere."""
    ec2 = aws("ec2", REGION)
    made: str = ec2.create_security_group(GroupName="shell", Description="shell")["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=[SSH])
    ec2.create_tags(Resources=[made], Tags=[{"Key": "owner", "Value": "storefront"}])
    return made


@pytest.fixture
def table(aws: AwsClients) -> DynamoFindingStore:
    create_table(aws("dynamodb", REGION), "findings")
    return DynamoFindingStore(aws("dynamodb", REGION), "findings")


@pytest.fixture
def topic(aws: AwsClients) -> str:
    arn: str = aws("sns", REGION).create_topic(Name="findings")["TopicArn"]
    queue = aws("sqs", REGION).create_queue(QueueName="mailbox")["QueueUrl"]
    raw = {"RawMessageDelivery": "true"}
    aws("sns", REGION).subscribe(
        TopicArn=arn,
        Protocol="sqs",
        Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue.rpartition('/')[2]}",
        Attributes=raw,
    )
    return arn


def received(aws: AwsClients) -> list[dict[str, Any]]:
    """The findings that the topic's subscriber got since it last looked."""
    sqs, got = aws("sqs", REGION), []
    mailbox = sqs.get_queue_url(QueueName="mailbox")["QueueUrl"]
    while messages := sqs.receive_message(QueueUrl=mailbox, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            got += json.loads(message["Body"])["findings"]
            sqs.delete_message(QueueUrl=mailbox, ReceiptHandle=message["ReceiptHandle"])
    return got


def by_control(found: Any) -> dict[str, Finding]:
    return {finding.control: finding for finding in found}


def test_a_record_leads_to_findings_with_the_documented_fields(group: str, demarc: Demarc) -> None:
    ended = demarc("replay", "-", "--json", given=lines(opened(group)))

    (row,) = ended.rows
    assert (ended.exit_code, ended.err) == (0, "")
    assert list(row) == list(FIELDS["replay"])
    (resource,) = row["resources"]
    assert (resource["type"], resource["identifier"], resource["seen"]) == ("AWS::EC2::SecurityGroup", group, "judged")
    assert resource["results"]["NON_COMPLIANT"] == len(row["findings"])
    (finding,) = (each for each in row["findings"] if each["control"] == SSH_CONTROL)
    assert (finding["status"], finding["owner"]["team"], finding["news"]) == ("OPEN", "storefront", True)


def test_what_is_found_is_recorded_and_announced(
    group: str, table: DynamoFindingStore, topic: str, demarc: Demarc, aws: AwsClients
) -> None:
    demarc("replay", "-", "--table", "findings", "--topic", topic, given=lines(opened(group)))

    recorded = by_control(table.find())
    cause = recorded[SSH_CONTROL].cause
    assert cause
    assert cause.set_it
    assert {each["control"] for each in received(aws)} == set(recorded)
    assert all(finding.announced == finding.revision for finding in recorded.values())


def test_the_same_again_changes_nothing_and_tells_nobody_twice(
    group: str, table: DynamoFindingStore, topic: str, demarc: Demarc, aws: AwsClients
) -> None:
    arguments = ("replay", "-", "--table", "findings", "--topic", topic)
    demarc(*arguments, given=lines(opened(group)))
    first = {finding.id: finding for finding in table.find()}
    received(aws)

    again = demarc(*arguments, "--json", given=lines(opened(group)))

    assert {finding.id: finding for finding in table.find()} == first
    assert received(aws) == []
    assert not any(finding["news"] for finding in again.rows[0]["findings"])


def test_what_was_mended_is_resolved(
    group: str, table: DynamoFindingStore, topic: str, demarc: Demarc, aws: AwsClients
) -> None:
    arguments = ("replay", "-", "--table", "findings", "--topic", topic)
    demarc(*arguments, given=lines(opened(group)))
    aws("ec2", REGION).revoke_security_group_ingress(GroupId=group, IpPermissions=[SSH])

    demarc(*arguments, given=lines(opened(group, eventName="RevokeSecurityGroupIngress")))

    assert by_control(table.find())[SSH_CONTROL].status is Status.RESOLVED


def test_without_a_topic_what_is_recorded_goes_on_waiting_to_be_announced(
    group: str, table: DynamoFindingStore, topic: str, demarc: Demarc, aws: AwsClients
) -> None:
    demarc("replay", "-", "--table", "findings", given=lines(opened(group)))

    assert len(list(table.unannounced())) == len(list(table.find())) > 0

    demarc("replay", "-", "--table", "findings", "--topic", topic, given=lines(opened(group)))

    assert list(table.unannounced()) == []
    assert {each["control"] for each in received(aws)} == set(by_control(table.find()))


def test_people_read_what_each_record_led_to(group: str, demarc: Demarc) -> None:
    text = demarc("replay", "-", EVENTS / "read.json", given=lines(opened(group), opened(group))).out

    assert "change  ec2 AuthorizeSecurityGroupIngress  2026-03-02 08:01:30 UTC by mara.lind@example.org\n" in text
    assert f"what    AWS::EC2::SecurityGroup {group}: judged (" in text
    assert f"finding OPEN high {SSH_CONTROL}: Lea Moreau, team storefront\n" in text
    assert "set by mara.lind@example.org with AuthorizeSecurityGroupIngress\n" in text
    assert f"{group}: judged with an earlier record\n" in text
    assert "before  findings as before: 4 OPEN\n" in text
    assert "read-only  s3 GetBucketPolicy" in text
    assert text.splitlines()[-2:] == ["3 records: 2 change, 1 read-only", "findings: 4 OPEN"]


def test_nobody_is_blamed_for_what_was_so_before(aws: AwsClients, demarc: Demarc) -> None:
    aws("s3", REGION).create_bucket(Bucket="photos", CreateBucketConfiguration={"LocationConstraint": REGION})

    text = demarc("replay", "-", given=lines(touched("photos", eventName="PutBucketTagging"))).out

    assert "s3-bucket-keeps-versions" in text
    assert "was so before, and is seen now\n" in text
    assert "set by" not in text


def test_the_messages_that_owners_would_get_can_be_read(group: str, demarc: Demarc) -> None:
    text = demarc("replay", "-", "--messages", given=lines(opened(group))).out

    assert "\nOPEN (high). Broken: SSH cannot be reached from the whole internet\n" in text
    assert "\nSet by    mara.lind@example.org" in text


def test_a_resource_that_is_gone_is_told(aws: AwsClients, demarc: Demarc) -> None:
    ended = demarc("replay", "-", "--json", given=lines(touched("photos")))

    assert [each["seen"] for each in ended.rows[0]["resources"]] == ["gone"]
    assert ended.exit_code == 0


# --- what cannot be looked at does not stop the rest ----------------------------------------------------------------


def test_another_account_is_not_judged_by_what_these_credentials_see(group: str, demarc: Demarc) -> None:
    elsewhere = opened(group, recipientAccountId="444455556666")

    ended = demarc("replay", "-", "--json", given=lines(elsewhere, opened(group)))

    there, here = (row["resources"][0] for row in ended.rows)
    assert there["why"] == f"it is in account 444455556666, the credentials are of {ACCOUNT}"
    assert (there["seen"], here["seen"]) == ("other-account", "judged")
    assert ended.err == "1 resource could not be looked at\n"
    assert ended.exit_code == 3


@pytest.mark.parametrize(("code", "seen"), [("AccessDenied", "judged"), ("SlowDown", "unanswered")])
def test_a_read_that_fails_is_told_and_the_rest_goes_on(
    code: str, seen: str, group: str, demarc: Demarc, aws: AwsClients
) -> None:
    aws("s3", REGION).create_bucket(Bucket="photos", CreateBucketConfiguration={"LocationConstraint": REGION})

    with answering(aws("s3", REGION), "GetBucketPolicy", code):
        ended = demarc("replay", "-", "--json", given=lines(touched("photos"), opened(group)))

    bucket, other = (row["resources"][0] for row in ended.rows)
    assert (bucket["seen"], other["seen"]) == (seen, "judged")
    assert code in bucket["why"]
    assert ended.exit_code == 3


@pytest.mark.parametrize(
    "error",
    [
        ParamValidationError(report="Invalid length for parameter PolicyArn"),
        Conflict("findings have another revision"),
    ],
    ids=["a name that AWS cannot be asked about", "a decision that others kept overtaking"],
)
def test_a_resource_that_cannot_be_settled_is_told_and_the_rest_goes_on(
    error: Exception, group: str, demarc: Demarc, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = Pipeline.settle

    def fail_on_buckets(self: Pipeline, resource: Resource, changes: Sequence[Change] = ()) -> Judgement:
        if resource.type == "AWS::S3::Bucket":
            raise error
        return judge(self, resource, changes)

    monkeypatch.setattr(Pipeline, "settle", fail_on_buckets)
    ended = demarc("replay", "-", "--json", given=lines(touched("photos"), opened(group)))

    bucket, other = (row["resources"][0] for row in ended.rows)
    assert (bucket["seen"], other["seen"]) == ("unanswered", "judged")
    assert str(error).splitlines()[0] in bucket["why"]
    assert ended.exit_code == 3


def test_a_line_that_cannot_be_read_is_named_and_the_rest_is_judged(group: str, demarc: Demarc) -> None:
    ended = demarc("replay", "-", "--json", given="{oops\n" + lines(opened(group)))

    assert ended.err.startswith("<stdin>:1: this line is not JSON")
    assert ended.rows[0]["resources"][0]["seen"] == "judged"
    assert ended.exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--table", "nowhere"), 3, "Correct --table or --region"),
        (("--topic", "findings"), 2, "'findings' is not the ARN of an SNS topic"),
        (("--messages", "--json"), 2, "--messages prints them for people"),
    ],
)
@pytest.mark.usefixtures("aws")
def test_a_mistake_is_noticed_before_a_record_is_read(
    arguments: tuple[str, ...], code: int, said: str, demarc: Demarc
) -> None:
    ended = demarc("replay", "-", *arguments, given="{oops")

    assert (ended.exit_code, ended.out) == (code, "")
    assert said in ended.err
    assert "<stdin>" not in ended.err
