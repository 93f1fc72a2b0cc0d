"""Demarc as it is deployed: the template and the bundle, by the CDK's command line, in an emulator that runs both.

What is shown here: the stack deploys, a function needs nothing but its bundle, its role suffices and reaches no
further, an event finds its way from a rule to whoever is subscribed and into the team's channel, a sweep finds what no
event told of, and a press in Slack gets to the finding. What the emulator does not play is shown elsewhere:

- that nobody but EventBridge may send to a queue: on the template, in tests/infrastructure/test_boxes.py;
- that rules take events of AWS only: in tests/infrastructure/test_rules.py. To play CloudTrail, this emulator was told
  to take such events from us, which it refuses otherwise, as AWS does;
- the customer's key, and alarms that go off: on the template, in test_encryption.py and test_alarms.py;
- the settings of an account: S3 Control cannot be reached here, so in tests/integration, against moto;
- arm64, and CloudTrail: its records are written by tests/simulation.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from demarc import readers
from demarc.core.model import Finding, Origin, Status
from tests.e2e.conftest import member_of
from tests.e2e.deployment import Deployment, until
from tests.infrastructure.emulator import ACCOUNT, REGION
from tests.simulation.slack import Message, Slack
from tests.simulation.trail import Person, Trail

RESPONDERS = ("compute", "data", "identity", "network", "visibility")
EVERYBODY = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}


def make_bucket(somebody: Person, name: str, *, owner: str = "storefront") -> None:
    s3 = somebody.client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "owner", "Value": owner}]})


def publish(somebody: Person, name: str) -> None:
    """What it takes to make a bucket public: its own guard has to go first."""
    s3 = somebody.client("s3")
    s3.delete_public_access_block(Bucket=name)
    statement = {**EVERYBODY, "Resource": f"arn:aws:s3:::{name}/*"}
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def test_a_bucket_made_public_is_told_to_its_owner_until_it_is_private_again(
    demarc: Deployment, lea: Person, trail: Trail
) -> None:
    make_bucket(lea, "travel-photos")
    publish(lea, "travel-photos")
    *_, published = trail.take()
    demarc.put(published)

    control = "s3-bucket-is-not-publicly-readable"
    told = demarc.letter(control, "travel-photos")
    assert json.loads(told.attributes["audience"]) == ["storefront"]
    assert told.body["severity"] == "critical"
    assert told.body["attribution"]["owner"]["person"] == "Lea Moreau"
    assert told.body["cause"]["actor"]["name"] == "lea.moreau@fjordline.example"
    assert told.body["cause"]["event_name"] == "PutBucketPolicy"
    until("the finding in the table, marked as announced", lambda: announced(demarc, told.body["id"]))

    lea.client("s3").delete_bucket_policy(Bucket="travel-photos")
    demarc.put(*trail.take())

    demarc.letter(control, "travel-photos", "RESOLVED")
    assert [each.status for each in demarc.store.history(told.body["id"])] == [Status.OPEN, Status.RESOLVED]


def announced(demarc: Deployment, finding_id: str) -> Finding | None:
    """A finding of the table once its last revision has been told."""
    found = demarc.store.get(finding_id)
    return found if found and found.announced == found.revision else None


def test_a_sweep_resolves_what_was_mended_without_an_event(demarc: Deployment, lea: Person, trail: Trail) -> None:
    control = "s3-bucket-is-not-publicly-readable"
    make_bucket(lea, "swept")
    publish(lea, "swept")
    *_, published = trail.take()
    demarc.put(published)
    told = demarc.letter(control, "swept")

    lea.client("s3").delete_bucket_policy(Bucket="swept")
    trail.take()
    demarc.sweep()

    def look() -> Finding | None:
        found = demarc.store.get(told.body["id"])
        return found if found and found.status is Status.RESOLVED else None

    # Told it is in a digest: the first sweep of an account is the baseline.
    resolved = until("the finding to be resolved", look)
    assert resolved.transition
    assert (resolved.transition.origin, resolved.transition.by) == (Origin.SWEEP, "Mara Lindqvist")


def test_a_sweep_lists_every_type_with_what_the_role_allows(demarc: Deployment) -> None:
    """It follows the sweep before, which is not at its end yet: the settings of the account cannot be read here."""
    listed = {reader.type for reader in readers.load() if reader.inventory}

    def look() -> list[dict[str, Any]] | None:
        said = demarc.records("sweep")
        done = {each.get("type") for each in said if each.get("step") == "list"}
        return said if done >= listed else None

    said = until("every type to be listed", look)
    raised = [each["exception"].splitlines()[-1] for each in said if "exception" in each]
    # Calls that the emulator does not play fail in many words; what the role may not do, in these.
    assert [each for each in raised if "not authorized" in each or "AccessDenied" in each] == []


def test_a_press_in_slack_acknowledges_the_finding_and_nobody_else_can(
    demarc: Deployment, slack: Slack, lea: Person, trail: Trail
) -> None:
    make_bucket(lea, "pressed")
    publish(lea, "pressed")
    *_, published = trail.take()
    demarc.put(published)
    control = "s3-bucket-is-not-publicly-readable"
    finding = demarc.letter(control, "pressed").body
    until(
        "the message in the channel",
        lambda: [each for each in slack.in_channel("#storefront") if names(each, "pressed")],
    )

    assert demarc.press("acknowledge", finding, member=member_of("lea.moreau"), secret="guessed") == 401
    assert [each.status for each in demarc.store.history(finding["id"])] == [Status.OPEN]
    assert demarc.press("acknowledge", finding, member=member_of("lea.moreau")) == 200

    acknowledged = demarc.letter(control, "pressed", "ACKNOWLEDGED").body
    assert acknowledged["acknowledged_by"] == "Lea Moreau"
    assert acknowledged["transition"]["origin"] == "slack"


def names(message: Message, resource: str) -> bool:
    return resource in json.dumps([message.text, message.blocks])


def test_findings_are_followed_up_with_what_the_role_allows(demarc: Deployment) -> None:
    answer = demarc.client("lambda").invoke(
        FunctionName=demarc.named("ChaserFunction"), Payload=b'{"source": "aws.events"}'
    )
    assert "FunctionError" not in answer, answer["Payload"].read()

    def look() -> list[dict[str, Any]]:
        return [each for each in demarc.records("chase") if "OpenFindings" in each]

    assert until("the figures of what is open", look)


def test_silence_is_looked_for_with_what_the_role_allows(demarc: Deployment) -> None:
    """The message is the one that the clock would send; no part of the feed may be a blind spot of its own."""
    rule = demarc.named("VisibilityChangesSilenceRule")
    (target,) = demarc.client("events").list_targets_by_rule(Rule=rule)["Targets"]
    demarc.give_back("visibility", target["Input"])

    def look() -> dict[str, Any] | None:
        looked = [each for each in demarc.records("visibility") if each.get("message") == "looked"]
        return next((each for each in looked if each["origin"] == "schedule"), None)

    looked = until("the look at the feed", look)
    assert (looked["resources"], looked["unread"]) == (1, 0)


def open_ssh(somebody: Person) -> str:
    ec2 = somebody.client("ec2")
    network = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group: str = ec2.create_security_group(GroupName="jump", Description="ssh", VpcId=network)["GroupId"]
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[ssh])
    return group


def start_instance(somebody: Person) -> str:
    image = {"ImageId": "ami-12345678", "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
    instance: str = somebody.client("ec2").run_instances(**image)["Instances"][0]["InstanceId"]
    return instance


def make_administrator(somebody: Person, name: str = "temp-admin") -> str:
    iam = somebody.client("iam")
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    return name


def tag_a_trail_that_sleeps(somebody: Person) -> str:
    somebody.client("s3").create_bucket(Bucket="logs", CreateBucketConfiguration={"LocationConstraint": REGION})
    trail = somebody.client("cloudtrail").create_trail(Name="asleep", S3BucketName="logs")
    somebody.client("cloudtrail").add_tags(
        ResourceId=trail["TrailARN"], TagsList=[{"Key": "owner", "Value": "security"}]
    )
    return "asleep"


@pytest.mark.parametrize(
    ("does", "control"),
    [
        (open_ssh, "security-group-ssh-closed-to-the-world"),
        (start_instance, "ec2-instance-metadata-needs-a-session-token"),
        (make_administrator, "iam-user-is-no-administrator"),
        (tag_a_trail_that_sleeps, "trail-is-logging"),
    ],
)
def test_every_other_responder_judges_what_is_its_own(
    does: Callable[[Person], str], control: str, demarc: Deployment, lea: Person, trail: Trail
) -> None:
    identifier = does(lea)
    *_, event = trail.take()
    demarc.put(event)

    assert demarc.letter(control, identifier).body["compliance"] == "NON_COMPLIANT"


def test_an_event_that_aws_did_not_send_is_not_looked_at(demarc: Deployment, lea: Person, trail: Trail) -> None:
    make_bucket(lea, "forged")
    forged = [{**each, "source": "my.application"} for each in trail.take()]
    make_bucket(lea, "genuine")
    demarc.put(*forged, *trail.take())

    demarc.letter("s3-bucket-keeps-versions", "genuine")

    def look() -> list[str] | None:
        judged = [each["resource"] for each in demarc.records("data") if each.get("message") == "judged"]
        return judged if "arn:aws:s3:::genuine" in judged else None

    assert "arn:aws:s3:::forged" not in until("the verdict on the genuine bucket", look)


def test_functions_write_the_figures_that_alarms_watch(demarc: Deployment, lea: Person, trail: Trail) -> None:
    """A figure under another name, or with other dimensions, is another metric to CloudWatch."""
    make_bucket(lea, "measured")
    demarc.put(*trail.take())
    demarc.letter("s3-bucket-keeps-versions", "measured")

    (figures, *_) = until("the figures", lambda: [each for each in demarc.records("data") if "VerificationLag" in each])
    (written,) = figures["_aws"]["CloudWatchMetrics"]
    alarms = demarc.client("cloudwatch").describe_alarms()["MetricAlarms"]
    watched = [alarm for alarm in alarms if alarm["Namespace"] == written["Namespace"]]
    mine = [alarm for alarm in watched if {"Name": "responder", "Value": "data"} in alarm["Dimensions"]]
    assert {alarm["MetricName"] for alarm in mine} == {"VerificationLag", "DeniedReads"}
    assert {alarm["MetricName"] for alarm in mine} <= {metric["Name"] for metric in written["Metrics"]}
    for alarm in mine:
        dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
        assert sorted(dimensions) in [sorted(names) for names in written["Dimensions"]]
        assert {name: figures[name] for name in dimensions} == dimensions


def may(call: Callable[..., Any], **arguments: Any) -> bool:
    """Whether IAM lets a call through; what the service then says of it does not matter."""
    try:
        call(**arguments)
    except ClientError as error:
        return "not authorized" not in error.response["Error"]["Message"]
    return True


# Who may read what.
READS: list[tuple[str, str, str, dict[str, str]]] = [
    ("data", "s3", "get_bucket_acl", {"Bucket": "of-anybody"}),
    ("data", "kms", "list_grants", {"KeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/of-anybody"}),
    ("network", "ec2", "describe_security_groups", {}),
    ("identity", "iam", "get_user", {"UserName": "anybody"}),
    ("compute", "ec2", "describe_instances", {}),
    ("visibility", "cloudtrail", "get_trail", {"Name": "any"}),
]


@pytest.mark.parametrize("responder", RESPONDERS)
@pytest.mark.parametrize("read", READS, ids=lambda read: f"{read[1]}.{read[2]}")
def test_a_role_reads_the_services_of_its_own_types_and_no_others(
    read: tuple[str, str, str, dict[str, str]], responder: str, demarc: Deployment
) -> None:
    reader, service, call, arguments = read
    assert may(getattr(demarc.as_role(responder, service), call), **arguments) is (responder == reader)


@pytest.mark.parametrize("responder", RESPONDERS)
def test_a_role_changes_nothing_and_does_with_findings_only_what_recording_takes(
    responder: str, demarc: Deployment
) -> None:
    table = {"TableName": demarc.outputs["FindingsTable"]}
    findings = demarc.as_role(responder, "dynamodb")
    values: dict[str, Any] = {":x": {"S": "x"}}

    assert may(findings.query, **table, KeyConditionExpression="pk = :x", ExpressionAttributeValues=values)
    assert not may(findings.scan, **table)
    assert not may(findings.delete_item, **table, Key={"pk": {"S": "x"}, "sk": {"S": "x"}})
    assert not may(demarc.as_role(responder, "s3").put_bucket_policy, Bucket="of-anybody", Policy="{}")
    assert not may(demarc.as_role(responder, "sns").publish, TopicArn=demarc.named("MonitoringAlarms"), Message="x")


@pytest.mark.parametrize("responder", RESPONDERS)
def test_a_role_takes_messages_from_its_own_queue_only(responder: str, demarc: Deployment) -> None:
    queues = demarc.as_role(responder, "sqs")
    for other in RESPONDERS:
        queue = demarc.named(f"{other.title()}ChangesQueue")
        assert may(queues.receive_message, QueueUrl=queue, VisibilityTimeout=0) is (other == responder)


def test_what_a_role_is_refused_to_read_is_a_finding_of_its_own(demarc: Deployment, lea: Person, trail: Trail) -> None:
    """Nobody tagged the bucket, so the blind spot is whose the matrix says: whoever operates Demarc."""
    lea.client("s3").create_bucket(Bucket="unseen", CreateBucketConfiguration={"LocationConstraint": REGION})
    with demarc.denied("data", "s3:GetBucketPolicy"):
        demarc.put(*trail.take())
        told = demarc.letter("demarc-reads-what-it-judges", "unseen")

    assert json.loads(told.attributes["audience"]) == ["platform"]
    assert "s3:GetBucketPolicy" in json.dumps(told.body["drift"])


def test_a_function_that_may_not_record_fails_loudly_and_loses_nothing(
    demarc: Deployment, lea: Person, trail: Trail
) -> None:
    """The message comes again until it is among the dead letters; given back when the role is mended, it is judged."""
    instance = start_instance(lea)
    with demarc.impatient("compute"), demarc.denied("compute", "dynamodb:*"):
        demarc.put(*trail.take())
        left = demarc.dead_letter("compute")

    assert instance in left
    failures = [each["exception"] for each in demarc.records("compute") if "exception" in each]
    assert any("is not authorized to perform: dynamodb:Query" in failure for failure in failures)

    demarc.give_back("compute", left)
    demarc.letter("ec2-instance-metadata-needs-a-session-token", instance)


def test_a_poison_message_ends_among_the_dead_letters_while_others_are_settled(
    demarc: Deployment, lea: Person, trail: Trail
) -> None:
    make_administrator(lea, "second-admin")
    _, genuine = trail.take()
    poison = {**genuine, "detail": {**genuine["detail"], "eventTime": "yesterday", "eventID": "poison"}}
    with demarc.impatient("identity"):
        demarc.put(poison, genuine)
        demarc.letter("iam-user-is-no-administrator", "second-admin")
        left = json.loads(demarc.dead_letter("identity"))

    assert left["detail"]["eventID"] == "poison"
    said = [each for each in demarc.records("identity") if each.get("message") == "poison message"]
    assert {each["detail"] for each in said} == {"the record has no readable eventTime"}


def test_a_function_runs_on_what_is_in_its_bundle(demarc: Deployment) -> None:
    """The checkout has other copies of the same modules; a traceback says which were run."""
    demarc.client("lambda").invoke(FunctionName=demarc.named("NetworkFunction"), Payload=b'{"no": "records"}')

    def look() -> str | None:
        log = "\n".join(demarc.logged("network"))
        return log if "KeyError: 'Records'" in log else None

    traceback = until("the traceback", look)
    assert "/code/demarc/handlers/respond.py" in traceback
    assert "/code/aws_lambda_powertools/" in traceback
    assert "site-packages" not in traceback
