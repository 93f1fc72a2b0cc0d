"""What readers make of what AWS answers where moto does not play the calls: the answers are written down here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from demarc import readers
from demarc.aws import AwsClients
from demarc.core.change import interpret
from demarc.core.model import Change
from demarc.core.snapshot import Snapshot
from demarc.core.touch import TouchIndex
from demarc.readers import Gone, Reader
from tests.integration.records import a_call
from tests.integration.schema import matches_cloudformation

ACCOUNT, REGION = "123456789012", "eu-west-1"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
OWNED = {"key": "owner", "value": "payments"}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/lab"

Answers = list[tuple[str, dict[str, Any]]]


@contextmanager
def answering(service: str, answers: Answers) -> Iterator[Callable[..., Any]]:
    """Clients of one service that answer what is written, in this order. botocore asks that it be an answer at all."""
    client = AwsClients()(service, REGION)
    with Stubber(client) as stubber:
        for method, answer in answers:
            if "Code" in answer:
                stubber.add_client_error(method, answer["Code"])
            else:
                stubber.add_response(method, answer)
        yield lambda *_: client
        stubber.assert_no_pending_responses()


def reader_of(type_: str) -> Reader:
    (reader,) = readers.load((type_,))
    return reader


def look(type_: str, identifier: str, service: str, answers: Answers) -> Snapshot | Gone:
    reader = reader_of(type_)
    everything = tuple(prop for part in reader.parts for prop in part.gives)
    resource = readers.resource_of(reader, identifier, ACCOUNT, REGION)
    with answering(service, answers) as clients:
        return readers.read(reader, resource, needs=everything, clients=clients, now=NOW)


def see(type_: str, identifier: str, service: str, answers: Answers) -> Snapshot:
    seen = look(type_, identifier, service, answers)
    assert isinstance(seen, Snapshot)
    matches_cloudformation(seen)
    return seen


def listed(type_: str, service: str, answers: Answers) -> list[list[str]]:
    inventory = reader_of(type_).inventory
    assert inventory
    with answering(service, answers) as clients:
        return [list(page) for page in inventory.pages(clients, ACCOUNT, REGION)]


def touched(source: str, name: str, type_: str, **record: Any) -> list[tuple[str, tuple[str, ...]]]:
    """The identifiers of what a call touches of a type, and what it sets of each."""
    event = a_call(source.removesuffix(".amazonaws.com"), name, awsRegion=REGION, recipientAccountId=ACCOUNT, **record)
    change = interpret(event, TouchIndex.of((reader_of(type_),)))
    assert isinstance(change, Change), change
    return [(each.resource.identifier, each.sets) for each in change.touched]


# --- schedules that watch models -------------------------------------------------------------------------------------

SCHEDULE = "AWS::SageMaker::MonitoringSchedule"


def described(**config: Any) -> Answers:
    schedule = {
        "MonitoringScheduleArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:monitoring-schedule/hourly",
        "MonitoringScheduleName": "hourly",
        "MonitoringScheduleStatus": "Scheduled",
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
        "MonitoringScheduleConfig": config,
    }
    return [
        ("describe_monitoring_schedule", schedule),
        ("list_tags", {"Tags": [{"Key": "owner", "Value": "payments"}]}),
    ]


def inside(**job: Any) -> dict[str, Any]:
    return {
        "MonitoringInputs": [{"EndpointInput": {"EndpointName": "scores", "LocalPath": "/opt/in"}}],
        "MonitoringOutputConfig": {"MonitoringOutputs": [{"S3Output": {"S3Uri": "s3://out", "LocalPath": "/opt/out"}}]},
        "MonitoringResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}
        },
        "MonitoringAppSpecification": {"ImageUri": "x"},
        "RoleArn": ROLE,
        **job,
    }


def test_a_schedule_with_a_definition_inside_says_what_that_says_of_its_network() -> None:
    job = inside(NetworkConfig={"EnableNetworkIsolation": True}, Environment={"TOKEN": "not-to-be-kept"})

    seen = see(SCHEDULE, "hourly", "sagemaker", described(MonitoringJobDefinition=job))

    assert seen["MonitoringScheduleConfig"] == {
        "MonitoringJobDefinition": {
            "NetworkConfig": {"EnableNetworkIsolation": True, "EnableInterContainerTrafficEncryption": False}
        }
    }
    assert seen.tags == {"owner": "payments"}


def test_a_schedule_whose_definition_says_nothing_of_its_network_is_not_isolated() -> None:
    seen = see(SCHEDULE, "hourly", "sagemaker", described(MonitoringJobDefinition=inside()))

    assert seen["MonitoringScheduleConfig.MonitoringJobDefinition.NetworkConfig.EnableNetworkIsolation"] is False


def test_a_schedule_that_names_a_definition_leaves_the_network_to_it() -> None:
    seen = see(SCHEDULE, "hourly", "sagemaker", described(MonitoringJobDefinitionName="nightly"))

    assert seen["MonitoringScheduleConfig"] == {"MonitoringJobDefinitionName": "nightly"}


def test_a_schedule_that_nobody_made_is_gone() -> None:
    answers: Answers = [("describe_monitoring_schedule", {"Code": "ResourceNotFound"})]

    assert isinstance(look(SCHEDULE, "hourly", "sagemaker", answers), Gone)


def test_schedules_are_listed_by_name() -> None:
    summary = {
        "MonitoringScheduleName": "hourly",
        "MonitoringScheduleArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:monitoring-schedule/hourly",
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
        "MonitoringScheduleStatus": "Scheduled",
    }
    answers: Answers = [("list_monitoring_schedules", {"MonitoringScheduleSummaries": [summary]})]

    assert listed(SCHEDULE, "sagemaker", answers) == [["hourly"]]


# --- what tests report -----------------------------------------------------------------------------------------------

REPORTS = "AWS::CodeBuild::ReportGroup"
REPORTS_ARN = f"arn:aws:codebuild:{REGION}:{ACCOUNT}:report-group/shop-tests"


def reports(**group: Any) -> Answers:
    found = {"arn": REPORTS_ARN, "name": "shop-tests", "type": "TEST", "status": "ACTIVE", "tags": [OWNED], **group}
    return [("batch_get_report_groups", {"reportGroups": [found]})]


def test_reports_that_are_exported_without_encryption_are_seen_so() -> None:
    bucket = {"bucket": "reports", "encryptionDisabled": True, "packaging": "ZIP", "path": "x"}

    seen = see(
        REPORTS, "shop-tests", "codebuild", reports(exportConfig={"exportConfigType": "S3", "s3Destination": bucket})
    )

    assert seen["ExportConfig"] == {
        "ExportConfigType": "S3",
        "S3Destination": {"Bucket": "reports", "EncryptionDisabled": True},
    }
    assert seen.tags == {"owner": "payments"}


def test_reports_that_stay_where_they_are_have_no_bucket() -> None:
    seen = see(REPORTS, "shop-tests", "codebuild", reports(exportConfig={"exportConfigType": "NO_EXPORT"}))

    assert seen["ExportConfig"] == {"ExportConfigType": "NO_EXPORT"}


@pytest.mark.parametrize(
    "answers",
    [
        reports(status="DELETING"),
        [("batch_get_report_groups", {"reportGroupsNotFound": [REPORTS_ARN]})],
        [("batch_get_report_groups", {"Code": "InvalidInputException"})],
    ],
    ids=["being deleted", "not found", "no name"],
)
def test_reports_that_are_not_there_are_gone(answers: Answers) -> None:
    assert isinstance(look(REPORTS, "shop-tests", "codebuild", answers), Gone)


def test_reports_are_listed_by_name() -> None:
    assert listed(REPORTS, "codebuild", [("list_report_groups", {"reportGroups": [REPORTS_ARN]})]) == [["shop-tests"]]


def test_the_calls_on_reports_name_them_by_arn() -> None:
    source = "codebuild.amazonaws.com"

    made = touched(source, "CreateReportGroup", REPORTS, responseElements={"reportGroup": {"arn": REPORTS_ARN}})
    changed = touched(source, "UpdateReportGroup", REPORTS, requestParameters={"arn": REPORTS_ARN})

    assert made == [("shop-tests", ("*",))]
    assert changed == [("shop-tests", ("ExportConfig", "Tags"))]


# --- capacity --------------------------------------------------------------------------------------------------------

CAPACITY = "AWS::ECS::CapacityProvider"
GROUP = {
    "autoScalingGroupArn": f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:1:autoScalingGroupName/shop",
    "managedScaling": {"status": "ENABLED"},
}
FARGATE = {"name": "FARGATE", "status": "ACTIVE"}


def provider(**found: Any) -> dict[str, Any]:
    return {"name": "spare", "status": "ACTIVE", "autoScalingGroupProvider": GROUP, "tags": [OWNED], **found}


def providers(*found: dict[str, Any]) -> Answers:
    return [("describe_capacity_providers", {"capacityProviders": list(found), "failures": []})]


@pytest.mark.parametrize(
    ("said", "seen_as"), [({"managedTerminationProtection": "ENABLED"}, "ENABLED"), ({}, "DISABLED")]
)
def test_a_capacity_provider_says_whether_it_spares_instances_at_work(said: dict[str, str], seen_as: str) -> None:
    seen = see(CAPACITY, "spare", "ecs", providers(provider(autoScalingGroupProvider=GROUP | said)))

    assert seen["AutoScalingGroupProvider.ManagedTerminationProtection"] == seen_as
    assert seen.tags == {"owner": "payments"}


@pytest.mark.parametrize(
    "answers", [providers(), providers(provider(status="INACTIVE")), providers(FARGATE)], ids=["none", "ended", "AWS's"]
)
def test_a_capacity_provider_without_a_group_of_ours_is_gone(answers: Answers) -> None:
    assert isinstance(look(CAPACITY, "spare", "ecs", answers), Gone)


def test_capacity_providers_of_ours_are_listed_page_by_page() -> None:
    first = {"capacityProviders": [FARGATE, provider()], "failures": [], "nextToken": "more"}
    second = {"capacityProviders": [provider(name="night"), provider(name="old", status="INACTIVE")], "failures": []}
    answers: Answers = [("describe_capacity_providers", first), ("describe_capacity_providers", second)]

    assert listed(CAPACITY, "ecs", answers) == [["spare"], ["night"]]


# --- TLS of DocumentDB -----------------------------------------------------------------------------------------------

DOCUMENTS = "AWS::DocDB::DBCluster"


def documents(*parameters: dict[str, str], members: tuple[str, ...] = ("in-sync",)) -> Answers:
    cluster = {
        "DBClusterIdentifier": "orders",
        "Engine": "docdb",
        "Status": "available",
        "DBClusterParameterGroup": "orders",
        "DBClusterMembers": [
            {"DBInstanceIdentifier": f"orders-{number}", "DBClusterParameterGroupStatus": status}
            for number, status in enumerate(members)
        ],
        "TagList": [{"Key": "owner", "Value": "payments"}],
    }
    found = ("describe_db_clusters", {"DBClusters": [cluster]})
    return [found, found, ("describe_db_cluster_parameters", {"Parameters": list(parameters)})]


def test_a_cluster_says_which_tls_its_group_asks_for_and_who_does_not_do_so_yet() -> None:
    parameters = (
        {"ParameterName": "audit_logs", "ParameterValue": "none"},
        {"ParameterName": "tls", "ParameterValue": "tls1.2+"},
    )

    seen = see(DOCUMENTS, "orders", "rds", documents(*parameters, members=("in-sync", "pending-reboot")))

    assert (seen["Observed.Tls"], seen["Observed.OutOfSync"]) == ("tls1.2+", 1)


def test_a_cluster_whose_group_says_nothing_of_tls_is_not_taken_to_ask_for_it() -> None:
    seen = see(DOCUMENTS, "orders", "rds", documents())

    assert seen["Observed.Tls"] is None
    assert "Observed.Tls" not in seen.unread


def test_parameters_that_may_not_be_read_leave_the_rest_of_the_cluster_judged() -> None:
    answers: Answers = [*documents()[:2], ("describe_db_cluster_parameters", {"Code": "AccessDenied"})]

    seen = see(DOCUMENTS, "orders", "rds", answers)

    assert set(seen.unread) == {"Observed.Tls", "Observed.OutOfSync"}
    assert seen["DBClusterParameterGroupName"] == "orders"


def test_a_cluster_is_looked_at_when_an_instance_of_it_was_started_again() -> None:
    answer = {"dBInstanceIdentifier": "orders-0", "dBClusterIdentifier": "orders"}

    found = touched("rds.amazonaws.com", "RebootDBInstance", DOCUMENTS, responseElements=answer)

    assert found == [("orders", ("Observed.Tls", "Observed.OutOfSync"))]


# --- the web ACL before a load balancer ------------------------------------------------------------------------------

BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
ACL = f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/webacl/shop/1"


def firewall(identifier: str, answers: Answers) -> Snapshot:
    reader = reader_of(BALANCER)
    (part,) = (each for each in reader.parts if "Observed.WebAclArn" in each.gives)
    resource = readers.resource_of(reader, identifier, ACCOUNT, REGION)
    with answering("wafv2", answers) as clients:
        return Snapshot(resource, NOW, dict(part.read(clients, resource)), read=frozenset(part.gives), unread={})


def test_a_load_balancer_says_which_web_acl_is_before_it() -> None:
    acl = {
        "Name": "shop",
        "Id": "1",
        "ARN": ACL,
        "DefaultAction": {"Allow": {}},
        "VisibilityConfig": {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "shop"},
    }

    seen = firewall("app/shop/1", [("get_web_acl_for_resource", {"WebACL": acl})])

    assert seen["Observed.WebAclArn"] == ACL


@pytest.mark.parametrize(
    "answer", [{}, {"Code": "WAFNonexistentItemException"}], ids=["none", "unknown to the firewall"]
)
def test_a_load_balancer_without_a_web_acl_has_none(answer: dict[str, Any]) -> None:
    assert firewall("app/shop/1", [("get_web_acl_for_resource", answer)])["Observed.WebAclArn"] is None


def test_a_load_balancer_that_can_have_no_web_acl_is_not_asked_for_one() -> None:
    assert firewall("net/shop/1", [])["Observed.WebAclArn"] is None


@pytest.mark.parametrize("call", ["AssociateWebACL", "DisassociateWebACL"])
def test_a_load_balancer_is_looked_at_when_a_web_acl_is_put_before_it_or_taken_away(call: str) -> None:
    arn = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/shop/1"

    found = touched("wafv2.amazonaws.com", call, BALANCER, requestParameters={"resourceArn": arn})

    assert found == [("app/shop/1", ("Observed.WebAclArn",))]


# --- guardrails whose key is not ours to use -------------------------------------------------------------------------

GUARDRAIL = "AWS::Bedrock::Guardrail"


def refused(words: str) -> Snapshot:
    client = AwsClients()("bedrock", REGION)
    reader = reader_of(GUARDRAIL)
    resource = readers.resource_of(reader, "a1b2c3d4e5f6", ACCOUNT, REGION)
    with Stubber(client) as stubber:
        stubber.add_client_error("get_guardrail", "AccessDeniedException", words)
        stubber.add_response("list_tags_for_resource", {"tags": [OWNED]})
        seen = readers.read(reader, resource, needs=("KmsKeyArn",), clients=lambda *_: client, now=NOW)
    assert isinstance(seen, Snapshot)
    return seen


def test_a_guardrail_whose_key_does_not_let_us_decrypt_says_that_it_is_the_key() -> None:
    seen = refused(f"User: {ROLE} is not authorized to perform: kms:Decrypt on resource: {ROLE}")

    assert "key" in seen.unread["KmsKeyArn"]
    assert seen.unread.keys() == {
        *("GuardrailId", "Name", "KmsKeyArn", "ContentPolicyConfig", "SensitiveInformationPolicyConfig")
    }
    assert seen.tags == {"owner": "payments"}


def test_a_guardrail_that_may_not_be_read_says_what_is_not_allowed() -> None:
    seen = refused(f"User: {ROLE} is not authorized to perform: bedrock:GetGuardrail")

    assert "bedrock:GetGuardrail is not allowed" in seen.unread["KmsKeyArn"]


@pytest.mark.parametrize(
    ("call", "record", "sets"),
    [
        ("CreateGuardrail", {"responseElements": {"guardrailId": "a1b2c3d4e5f6"}}, ("*",)),
        (
            "UpdateGuardrail",
            {
                "requestParameters": {
                    "guardrailIdentifier": f"arn:aws:bedrock:{REGION}:{ACCOUNT}:guardrail/a1b2c3d4e5f6"
                }
            },
            ("Name", "KmsKeyArn", "ContentPolicyConfig", "SensitiveInformationPolicyConfig"),
        ),
        ("CreateGuardrailVersion", {"requestParameters": {"guardrailIdentifier": "a1b2c3d4e5f6"}}, ()),
        (
            "TagResource",
            {"requestParameters": {"resourceARN": f"arn:aws:bedrock:{REGION}:{ACCOUNT}:guardrail/a1b2c3d4e5f6"}},
            ("Tags",),
        ),
    ],
)
def test_calls_on_a_guardrail_name_it_by_id_or_arn(call: str, record: Any, sets: tuple[str, ...]) -> None:
    assert touched("bedrock.amazonaws.com", call, GUARDRAIL, **record) == [("a1b2c3d4e5f6", sets)]
