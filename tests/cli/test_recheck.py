"""`demarc recheck`: the resource of a finding is looked at now, by its responder or from here."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from demarc import readers
from demarc.authoring.compile import CompiledMatrix
from demarc.aws import AwsClients
from demarc.cli.telling import Nobody
from demarc.core.look import look_of
from demarc.core.model import Finding, Occasion, Origin, Resource, Status
from demarc.pipeline import Pipeline
from demarc.stores.dynamodb import DynamoFindingStore
from tests.cli.conftest import ACCOUNT, REGION, Demarc, Deployed, create_stack
from tests.cli.test_evaluate import answering
from tests.factories import NOON, a_finding

SignIn = Callable[[str], None]

BUCKET = Resource("AWS::S3::Bucket", "photos", ACCOUNT, REGION, "arn:aws:s3:::photos")
CONTROL = "s3-bucket-keeps-versions"


@pytest.fixture
def pipeline(deployed: Deployed, sign_in: SignIn, aws: AwsClients, matrix: CompiledMatrix) -> Pipeline:
    """What the data responder does with the stack's table."""
    return Pipeline(
        matrix=matrix.matrix(),
        readers={each.type: each for each in readers.load(("AWS::S3::Bucket",))},
        clients=aws,
        store=DynamoFindingStore(aws("dynamodb", REGION), deployed.table),
        announcer=Nobody(),
        clock=lambda: datetime.now(UTC),
    )


@pytest.fixture
def finding(pipeline: Pipeline, aws: AwsClients) -> Finding:
    """That a bucket of payments keeps no versions."""
    s3 = aws("s3", REGION)
    s3.create_bucket(Bucket="photos", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_tagging(Bucket="photos", Tagging={"TagSet": [{"Key": "owner", "Value": "payments"}]})
    found = pipeline.respond(BUCKET).findings
    return next(each for each in found if each.control == CONTROL)


def mend(aws: AwsClients) -> None:
    aws("s3", REGION).put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})


def messages(queue: str, aws: AwsClients) -> list[Any]:
    found = aws("sqs", REGION).receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(each["Body"]) for each in found]


def recorded(finding: Finding, pipeline: Pipeline) -> Finding:
    found = pipeline.store.get(finding.id)
    assert found
    return found


# --- through the responder ------------------------------------------------------------------------------------------


def test_the_responder_of_the_resource_is_asked_in_the_name_of_whoever_asks(
    finding: Finding, deployed: Deployed, demarc: Demarc, aws: AwsClients
) -> None:
    ended = demarc("recheck", finding.id[:8], "--wait", "0")

    (message,) = messages(deployed.data, aws)
    look = look_of(message)
    assert look.resources == (BUCKET,)
    assert look.occasion == Occasion(Origin.CLI, "jonas.weber@fjordline.example")
    assert (ended.exit_code, ended.out) == (0, "")
    assert "Asked." in ended.err


def test_another_queue_may_be_named(finding: Finding, deployed: Deployed, demarc: Demarc, aws: AwsClients) -> None:
    other = aws("sqs", REGION).create_queue(QueueName="other")["QueueUrl"]

    demarc("recheck", finding.id, "--wait", "0", "--queue", other, "--table", deployed.table)

    assert len(messages(other, aws)) == 1
    assert messages(deployed.data, aws) == []


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """What happens while it is waited, one thing after the other; time passes only then."""
    to_do: list[Callable[[], object]] = []
    seconds = iter(range(1000))

    def sleep(_: float) -> None:
        if to_do:
            to_do.pop(0)()

    monkeypatch.setattr("demarc.cli.recheck.sleep", sleep)
    monkeypatch.setattr("demarc.cli.recheck.monotonic", lambda: next(seconds))
    return to_do


def test_it_is_waited_until_the_responder_has_looked(
    finding: Finding, pipeline: Pipeline, demarc: Demarc, aws: AwsClients, passing: list[Callable[[], object]]
) -> None:
    mend(aws)
    passing += [lambda: None, lambda: pipeline.respond(BUCKET, occasion=Occasion(Origin.CLI, "Jonas Weber"))]

    ended = demarc("recheck", finding.id)

    assert (ended.exit_code, ended.err) == (0, "")
    assert "revision 2: seen right" in ended.out
    assert "status  OPEN -> RESOLVED" in ended.out


def test_that_nothing_has_changed_is_an_answer(
    finding: Finding, pipeline: Pipeline, demarc: Demarc, passing: list[Callable[[], object]]
) -> None:
    passing.append(lambda: pipeline.respond(BUCKET))

    ended = demarc("recheck", finding.id)

    assert ended.exit_code == 0
    assert "OPEN  as before, nothing new was seen" in ended.out


def test_that_nobody_looked_in_time_is_no_answer(
    finding: Finding, demarc: Demarc, passing: list[Callable[[], object]]
) -> None:
    ended = demarc("recheck", finding.id, "--wait", "5")

    assert (ended.exit_code, ended.out) == (3, "")
    assert "nobody looked within 5 seconds" in ended.err


def test_a_stack_of_an_earlier_version_has_no_queues_to_ask(finding: Finding, demarc: Demarc, aws: AwsClients) -> None:
    create_stack(aws, "Older", {"FindingsTable": "findings"})

    ended = demarc("recheck", finding.id, "--stack", "Older")

    assert (ended.exit_code, ended.out) == (2, "")
    assert "does not say where the data responder's queue is" in ended.err


# --- from here ------------------------------------------------------------------------------------------------------


def test_what_was_mended_is_resolved_by_looking_from_here_and_told(
    finding: Finding, pipeline: Pipeline, deployed: Deployed, demarc: Demarc, aws: AwsClients
) -> None:
    mend(aws)

    ended = demarc("recheck", finding.id, "--here")

    now = recorded(finding, pipeline)
    assert (ended.exit_code, ended.err) == (0, "")
    assert now.status is Status.RESOLVED
    assert now.transition
    assert (now.transition.origin, now.announced) == (Origin.CLI, now.revision)
    assert messages(deployed.data, aws) == []
    assert "OPEN -> RESOLVED" in ended.out


def test_what_is_gone_is_seen_to_be(finding: Finding, demarc: Demarc, aws: AwsClients) -> None:
    aws("s3", REGION).delete_bucket(Bucket="photos")

    (row,) = demarc("recheck", finding.id, "--here", "--json").rows

    assert row["status"] == "GONE"


def test_where_only_a_table_is_named_it_is_looked_at_from_here_and_waits_to_be_told(
    finding: Finding, pipeline: Pipeline, deployed: Deployed, demarc: Demarc, aws: AwsClients
) -> None:
    mend(aws)

    ended = demarc("recheck", finding.id, "--table", deployed.table)

    assert ended.exit_code == 0
    assert recorded(finding, pipeline).status is Status.RESOLVED
    assert "waits to be told" in ended.err
    assert finding.id in [each.id for each in pipeline.store.unannounced()]


def test_what_may_not_be_read_is_no_answer_and_resolves_nothing(
    finding: Finding, pipeline: Pipeline, demarc: Demarc, aws: AwsClients
) -> None:
    mend(aws)
    with answering(aws("s3", REGION), "GetBucketVersioning", "AccessDenied"):
        ended = demarc("recheck", finding.id, "--here")

    assert ended.exit_code == 3
    assert "could not read Observed.MfaDelete, VersioningConfiguration: AccessDenied" in ended.err
    assert recorded(finding, pipeline).status is Status.OPEN


def test_a_resource_of_another_account_is_not_looked_at_from_here(
    pipeline: Pipeline, demarc: Demarc, deployed: Deployed
) -> None:
    elsewhere = Resource("AWS::S3::Bucket", "films", "777788889999", REGION, "arn:aws:s3:::films")
    pipeline.store.record(elsewhere, NOON, [a_finding(id="a" * 24, resource=elsewhere)])

    ended = demarc("recheck", "a" * 24, "--here")

    assert (ended.exit_code, ended.out) == (3, "")
    assert "it is in account 777788889999" in ended.err


def test_a_matrix_that_is_not_deployed_judges_nothing(
    finding: Finding, pipeline: Pipeline, demarc: Demarc, aws: AwsClients
) -> None:
    create_stack(aws, "Other", {"FindingsTable": "findings", "MatrixVersion": "0123456789ab"})
    mend(aws)

    ended = demarc("recheck", finding.id, "--here", "--stack", "Other")

    assert ended.exit_code == 2
    assert "is not the one that is deployed" in ended.err
    assert recorded(finding, pipeline).status is Status.OPEN


def test_a_queue_is_not_asked_by_looking_from_here(finding: Finding, demarc: Demarc) -> None:
    assert demarc("recheck", finding.id, "--here", "--queue", "https://example.com").exit_code == 2
