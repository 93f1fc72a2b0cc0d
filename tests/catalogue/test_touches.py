"""Every event that a reader waits for can fire, and has the resource's name where the reader looks for it.

The witness is botocore's model of the API. Where CloudTrail spells things its own way, tables say how and why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import pytest
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.session import Session

from demarc import readers
from demarc.core.model import OCCURRENCE
from demarc.core.touch import Touch
from demarc.readers import Reader
from demarc.readers.feed import FEED
from demarc.readers.framework import REQUIREMENT

# The services whose operations an eventSource may carry.
SERVICES = {
    "access-analyzer.amazonaws.com": ("accessanalyzer",),
    "account.amazonaws.com": ("account",),
    "acm-pca.amazonaws.com": ("acm-pca",),
    "acm.amazonaws.com": ("acm",),
    "airflow.amazonaws.com": ("mwaa",),
    "amazonmq.amazonaws.com": ("mq",),
    "apigateway.amazonaws.com": ("apigateway", "apigatewayv2"),
    "appsync.amazonaws.com": ("appsync",),
    "athena.amazonaws.com": ("athena",),
    "autoscaling.amazonaws.com": ("autoscaling",),
    "backup.amazonaws.com": ("backup",),
    "bedrock.amazonaws.com": ("bedrock",),
    "cloudformation.amazonaws.com": ("cloudformation",),
    "cloudfront.amazonaws.com": ("cloudfront",),
    "cloudtrail.amazonaws.com": ("cloudtrail",),
    "codebuild.amazonaws.com": ("codebuild",),
    "cognito-identity.amazonaws.com": ("cognito-identity",),
    "cognito-idp.amazonaws.com": ("cognito-idp",),
    "config.amazonaws.com": ("config",),
    "connect.amazonaws.com": ("connect",),
    "datasync.amazonaws.com": ("datasync",),
    "dax.amazonaws.com": ("dax",),
    "dms.amazonaws.com": ("dms",),
    "dynamodb.amazonaws.com": ("dynamodb",),
    "ec2.amazonaws.com": ("ec2",),
    "ecr.amazonaws.com": ("ecr",),
    "ecs.amazonaws.com": ("ecs",),
    "eks.amazonaws.com": ("eks",),
    "elasticache.amazonaws.com": ("elasticache",),
    "elasticbeanstalk.amazonaws.com": ("elasticbeanstalk",),
    "elasticfilesystem.amazonaws.com": ("efs",),
    "elasticloadbalancing.amazonaws.com": ("elb", "elbv2"),
    "elasticmapreduce.amazonaws.com": ("emr",),
    "es.amazonaws.com": ("es", "opensearch"),
    "events.amazonaws.com": ("events",),
    "firehose.amazonaws.com": ("firehose",),
    "fsx.amazonaws.com": ("fsx",),
    "glue.amazonaws.com": ("glue",),
    "guardduty.amazonaws.com": ("guardduty",),
    "iam.amazonaws.com": ("iam",),
    "inspector2.amazonaws.com": ("inspector2",),
    "kafka.amazonaws.com": ("kafka",),
    "kafkaconnect.amazonaws.com": ("kafkaconnect",),
    "kinesis.amazonaws.com": ("kinesis",),
    "kms.amazonaws.com": ("kms",),
    "lambda.amazonaws.com": ("lambda",),
    "logs.amazonaws.com": ("logs",),
    "macie2.amazonaws.com": ("macie2",),
    "memorydb.amazonaws.com": ("memorydb",),
    "monitoring.amazonaws.com": ("cloudwatch",),
    "network-firewall.amazonaws.com": ("network-firewall",),
    "organizations.amazonaws.com": ("organizations",),
    "rds.amazonaws.com": ("rds",),
    "redshift-serverless.amazonaws.com": ("redshift-serverless",),
    "redshift.amazonaws.com": ("redshift",),
    "route53.amazonaws.com": ("route53",),
    "s3.amazonaws.com": ("s3", "s3control"),
    "sagemaker.amazonaws.com": ("sagemaker",),
    "secretsmanager.amazonaws.com": ("secretsmanager",),
    "securityhub.amazonaws.com": ("securityhub",),
    "servicecatalog.amazonaws.com": ("servicecatalog",),
    "ses.amazonaws.com": ("ses", "sesv2"),
    "sns.amazonaws.com": ("sns",),
    "sqs.amazonaws.com": ("sqs",),
    "ssm.amazonaws.com": ("ssm",),
    "sso.amazonaws.com": ("sso-admin",),
    "states.amazonaws.com": ("stepfunctions",),
    "transfer.amazonaws.com": ("transfer",),
    "wafv2.amazonaws.com": ("wafv2",),
    "workspaces.amazonaws.com": ("workspaces",),
}

# Events whose name is not the operation's. S3 names the resource (Bucket, Account) and drops `Configuration`
# (Amazon S3 User Guide, "CloudTrail events": management events tracked by CloudTrail).
SPELLED = {
    ("s3.amazonaws.com", "DeleteAccountPublicAccessBlock"): ("s3control", "DeletePublicAccessBlock"),
    ("s3.amazonaws.com", "DeleteBucketPublicAccessBlock"): ("s3", "DeletePublicAccessBlock"),
    ("s3.amazonaws.com", "PutAccelerateConfiguration"): ("s3", "PutBucketAccelerateConfiguration"),
    ("s3.amazonaws.com", "PutAccountPublicAccessBlock"): ("s3control", "PutPublicAccessBlock"),
    ("s3.amazonaws.com", "PutBucketLifecycle"): ("s3", "PutBucketLifecycleConfiguration"),
    ("s3.amazonaws.com", "PutBucketNotification"): ("s3", "PutBucketNotificationConfiguration"),
    ("s3.amazonaws.com", "PutBucketObjectLockConfiguration"): ("s3", "PutObjectLockConfiguration"),
    ("s3.amazonaws.com", "PutBucketPublicAccessBlock"): ("s3", "PutPublicAccessBlock"),
}

# What AWS does of itself: no operation, no parameters, only `resources[]`
# (AWS KMS Developer Guide, "Examples of AWS KMS log entries").
SERVICE_EVENTS = {
    ("kms.amazonaws.com", "DeleteExpiredKeyMaterial"),
    ("kms.amazonaws.com", "DeleteKey"),
    ("kms.amazonaws.com", "RotateKey"),
    ("kms.amazonaws.com", "SynchronizeMultiRegionKey"),
}

# Sources whose events have the version of the API behind their names.
DATED = ("cloudfront.amazonaws.com", "lambda.amazonaws.com")

# Paths that are CloudTrail's own and the same in every record.
OF_EVERY_RECORD = ("account", "resources[].ARN", "userIdentity.arn", "userIdentity.userName")

# How CloudTrail writes the start of a parameter's path. EC2's request lists are sets of structures, as in the API of
# 2009 that its records keep; S3's requests say bucketName for what the SDKs call Bucket.
WRITTEN = {
    ("ec2", "requestParameters.instancesSet[].instanceId"): "requestParameters.InstanceIds[]",
    ("ec2", "requestParameters.resourcesSet[].resourceId"): "requestParameters.Resources[]",
    ("s3", "requestParameters.bucketName"): "requestParameters.Bucket",
}

# KMS writes the key's ARN into every answer, also of operations that return none (AWS KMS Developer Guide, "Examples of
# AWS KMS log entries": since December 2022).
KEY_OF_EVERY_ANSWER = ("kms.amazonaws.com", "responseElements.keyId")

# RDS's records leave out the one element that its answers consist of (`DBInstance`, `DBCluster`).
ANSWERS_WITHOUT_THEIR_ELEMENT = ("rds",)


READERS = readers.load()
TOUCHES = [(reader, touch) for reader in READERS for touch in reader.touches]
CALLS = sorted({(touch.event_source, name) for _, touch in TOUCHES for name in touch.event_names})


@cache
def service(name: str) -> ServiceModel:
    return Session().get_service_model(name)


def operations_of(source: str, event: str) -> list[tuple[str, OperationModel]]:
    """The services and operations that an event may tell of: some services have calls of the same name."""
    if (source, event) in SPELLED:
        name, operation = SPELLED[source, event]
        return [(name, service(name).operation_model(operation))]
    # Lambda and CloudFront put the API's version behind the name (Lambda Developer Guide, "Logging Lambda API calls").
    event = event if source not in DATED else re.sub(r"20\d\d_?[01]\d_?[0-3]\d(v\d+)?$", "", event)
    known = [name for name in SERVICES[source] if event in service(name).operation_names]
    return [(name, service(name).operation_model(event)) for name in known]


def leads_to_text(path: str, source: str, event: str) -> bool:
    """Whether a path is one that the event's record can have, ending in a text."""
    if path in OF_EVERY_RECORD or (source, path) == KEY_OF_EVERY_ANSWER:
        return True
    return any(_is_in(path, name, operation) for name, operation in operations_of(source, event))


def _is_in(path: str, name: str, operation: OperationModel) -> bool:
    section, _, rest = WRITTEN.get((name, path), path).partition(".")
    shape = operation.input_shape if section == "requestParameters" else operation.output_shape
    starts = [shape, *_only_element(shape)] if name in ANSWERS_WITHOUT_THEIR_ELEMENT else [shape]
    return any(_walk(start, rest.split(".")) for start in starts if start)


def _only_element(shape: Shape | None) -> list[Shape]:
    return list(shape.members.values()) if isinstance(shape, StructureShape) and len(shape.members) == 1 else []


def _walk(shape: Shape, steps: list[str]) -> bool:
    for step in steps:
        name = step.removesuffix("[]")
        found = _member(shape, name) if isinstance(shape, StructureShape) else None
        if found is None or isinstance(found, ListShape) != step.endswith("[]"):
            return False
        shape = found.member if isinstance(found, ListShape) else found
    return shape.type_name == "string"


def _member(shape: StructureShape, name: str) -> Shape | None:
    """A member by its name in the model or on the wire, whatever the case of its first letter."""
    for key, member in shape.members.items():
        if name[:1].lower() + name[1:] in {spelt[:1].lower() + spelt[1:] for spelt in _spellings(key, member)}:
            return member
    return None


def _spellings(key: str, member: Shape) -> Iterator[str]:
    yield key
    for attribute in ("name", "locationName", "queryName"):
        if spelt := member.serialization.get(attribute):
            yield str(spelt)


def test_there_are_enough_calls_to_be_useful() -> None:
    assert len(CALLS) >= 90, f"{len(CALLS)} distinct calls"


def test_every_type_is_touched_by_something() -> None:
    """But for Demarc's own feed, since no call names the stack that it is, for what people attest, and for what
    happened, since its calls are in the controls.
    """
    assert {reader.type for reader in READERS if not reader.touches} == {FEED.type, OCCURRENCE, REQUIREMENT.type}


@pytest.mark.parametrize(("source", "event"), CALLS, ids=lambda value: str(value).partition(".")[0])
def test_every_event_can_fire(source: str, event: str) -> None:
    assert (source, event) in SERVICE_EVENTS or operations_of(source, event), f"{source} has no {event}"


@pytest.mark.parametrize(
    ("reader", "touch"), TOUCHES, ids=lambda each: getattr(each, "type", None) or each.event_names[0]
)
def test_every_event_has_the_name_where_it_is_looked_for(reader: Reader, touch: Touch) -> None:
    silent = [
        event
        for event in touch.event_names
        if (touch.event_source, event) not in SERVICE_EVENTS
        and not any(leads_to_text(path, touch.event_source, event) for path in touch.at)
    ]

    assert silent == [], f"{reader.type}: none of {touch.at} is in these"


@pytest.mark.parametrize(
    ("reader", "touch"), TOUCHES, ids=lambda each: getattr(each, "type", None) or each.event_names[0]
)
def test_every_path_is_in_some_of_its_events(reader: Reader, touch: Touch) -> None:
    dead = [
        path
        for path in touch.at
        if not any(leads_to_text(path, touch.event_source, event) for event in touch.event_names)
    ]

    assert dead == [], f"{reader.type}: none of {touch.event_names} has these"


@pytest.mark.parametrize(
    ("reader", "touch"),
    [(reader, touch) for reader, touch in TOUCHES if touch.region],
    ids=lambda each: getattr(each, "type", None) or each.event_names[0],
)
def test_every_event_has_the_region_where_it_is_looked_for(reader: Reader, touch: Touch) -> None:
    assert [name for name in touch.event_names if not leads_to_text(touch.region, touch.event_source, name)] == []


def test_no_spelling_is_explained_in_vain() -> None:
    assert sorted(call for call in SPELLED if call not in CALLS) == []
    assert sorted(call for call in SERVICE_EVENTS if call not in CALLS) == []


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.type)
def test_what_a_call_sets_is_read_by_somebody(reader: Reader) -> None:
    read = {"*"} | {prop for part in reader.parts for prop in part.gives}
    unread = {prop for touch in reader.touches for prop in touch.sets} - read

    assert unread == set(), "no part gives these"
