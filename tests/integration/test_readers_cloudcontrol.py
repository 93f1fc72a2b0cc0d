"""What is read through Cloud Control: whole answers, and each way in which AWS may not give one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import Session
from botocore.stub import Stubber
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from demarc import readers
from demarc.aws import AwsClients
from demarc.core.provider import kept_by_provider
from demarc.core.snapshot import Snapshot
from demarc.readers import Gone, Reader
from demarc.readers.account.region import REGION as WHOLE_REGION
from tests.integration.schema import matches_cloudformation

REGION = "eu-west-1"
ACCOUNT = "123456789012"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
GET, LIST = "cloudcontrol.GetResource", "cloudcontrol.ListResources"

THROUGH = tuple(each for each in readers.load() if any(GET in part.calls for part in each.parts))
EACH = pytest.mark.parametrize("reader", THROUGH, ids=lambda reader: reader.type)
OWNED = [{"Key": "owner", "Value": "payments"}]
SECRET = "xK9#mQ2$vL7pR4wZ"

# What AWS answers of one thing of each type: what is kept, and what is not.
KEPT: dict[str, dict[str, Any]] = {
    "AWS::Connect::Instance": {
        "Attributes": {"InboundCalls": True, "OutboundCalls": True, "ContactflowLogs": False},
        "IdentityManagementType": "CONNECT_MANAGED",
        "InstanceAlias": "shop",
        "InstanceStatus": "ACTIVE",
        "Tags": OWNED,
    },
    "AWS::EC2::PrefixList": {
        "PrefixListName": "offices",
        "AddressFamily": "IPv4",
        "Entries": [{"Cidr": "198.51.100.0/24", "Description": "Bergen"}, {"Cidr": "0.0.0.0/0"}],
        "OwnerId": ACCOUNT,
        "Tags": OWNED,
    },
    "AWS::MWAA::Environment": {
        "Name": "orders",
        "AirflowVersion": "2.10.3",
        "LoggingConfiguration": {"TaskLogs": {"Enabled": True, "LogLevel": "INFO"}},
        "WebserverAccessMode": "PUBLIC_ONLY",
        "Tags": {"owner": "payments"},
    },
    "AWS::MemoryDB::Cluster": {
        "ClusterName": "orders",
        "ACLName": "open-access",
        "AutoMinorVersionUpgrade": True,
        "SnapshotRetentionLimit": 0,
        "TLSEnabled": False,
        "Tags": OWNED,
    },
    "AWS::SES::ConfigurationSet": {
        "Name": "orders",
        "DeliveryOptions": {"TlsPolicy": "OPTIONAL"},
        "ReputationOptions": {"ReputationMetricsEnabled": False},
        "Tags": OWNED,
    },
    "AWS::SageMaker::Domain": {
        "DomainName": "scores",
        "AppNetworkAccessType": "PublicInternetOnly",
        "AuthMode": "IAM",
        "DomainSettings": {"ExecutionRoleIdentityConfig": "DISABLED"},
        "Tags": OWNED,
    },
    "AWS::WorkSpaces::Workspace": {
        "BundleId": "wsb-1",
        "DirectoryId": "d-1",
        "RootVolumeEncryptionEnabled": False,
        "UserVolumeEncryptionEnabled": True,
        "VolumeEncryptionKey": "alias/aws/workspaces",
        "Tags": OWNED,
    },
}
LEFT_OUT: dict[str, dict[str, Any]] = {
    "AWS::Connect::Instance": {"ServiceRole": SECRET},
    "AWS::EC2::PrefixList": {"Version": 3},
    "AWS::MWAA::Environment": {"AirflowConfigurationOptions": {"core.sql_alchemy_conn": SECRET}},
    "AWS::MemoryDB::Cluster": {"Description": SECRET},
    "AWS::SES::ConfigurationSet": {"ArchivingOptions": {"ArchiveArn": SECRET}},
    "AWS::SageMaker::Domain": {"DefaultUserSettings": {"ExecutionRole": SECRET}},
    "AWS::WorkSpaces::Workspace": {"UserName": SECRET},
}
# Types that Cloud Control knows by their ARN, and what events call them.
BY_ARN = {"AWS::Connect::Instance"}


@pytest.fixture(scope="module")
def stubbed() -> AwsClients:
    """Clients whose answers are written by the test."""
    return AwsClients()


@pytest.fixture
def answers(stubbed: AwsClients) -> Iterator[Stubber]:
    """What Cloud Control says, in order."""
    with Stubber(stubbed("cloudcontrol", REGION)) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def look(reader: Reader, clients: Any) -> Snapshot | Gone:
    resource = readers.resource_of(reader, "orders", ACCOUNT, REGION)
    return readers.read(reader, resource, needs=reader.parts[0].gives, clients=clients, now=NOW)


def name_of(reader: Reader) -> str:
    """What Cloud Control is asked for."""
    return readers.resource_of(reader, "orders", ACCOUNT, REGION).arn if reader.type in BY_ARN else "orders"


def answer(answers: Stubber, reader: Reader, properties: str) -> None:
    answers.add_response(
        "get_resource",
        {"TypeName": reader.type, "ResourceDescription": {"Identifier": name_of(reader), "Properties": properties}},
        {"TypeName": reader.type, "Identifier": name_of(reader)},
    )


def refuse(answers: Stubber, code: str) -> None:
    answers.add_client_error("get_resource", code, "User is not authorized to perform: that")


# --- what is there ----------------------------------------------------------------------------------------------------


def test_every_type_that_is_read_so_has_an_answer_here() -> None:
    assert {reader.type for reader in THROUGH} == KEPT.keys() == LEFT_OUT.keys()


@EACH
def test_what_is_there_is_read_in_the_words_of_cloudformation(
    reader: Reader, stubbed: AwsClients, answers: Stubber
) -> None:
    answer(answers, reader, json.dumps(KEPT[reader.type]))

    snapshot = look(reader, stubbed)

    assert isinstance(snapshot, Snapshot)
    assert snapshot.properties == KEPT[reader.type] | {"Tags": OWNED}
    assert snapshot.tags == {"owner": "payments"}
    assert snapshot.unread == {}
    matches_cloudformation(snapshot)


@EACH
def test_nothing_is_kept_but_what_is_judged(reader: Reader, stubbed: AwsClients, answers: Stubber) -> None:
    answer(answers, reader, json.dumps(KEPT[reader.type] | LEFT_OUT[reader.type]))

    snapshot = look(reader, stubbed)

    assert isinstance(snapshot, Snapshot)
    assert snapshot.properties.keys() <= set(reader.parts[0].gives)
    assert SECRET not in json.dumps(snapshot.properties)


@EACH
def test_what_carries_no_tags_is_known_to_have_none(reader: Reader, stubbed: AwsClients, answers: Stubber) -> None:
    answer(answers, reader, json.dumps({name: KEPT[reader.type][name] for name in KEPT[reader.type] if name != "Tags"}))

    snapshot = look(reader, stubbed)

    assert isinstance(snapshot, Snapshot)
    assert snapshot["Tags"] == []


def test_a_prefix_list_of_aws_is_nobodys_here_to_mend(stubbed: AwsClients, answers: Stubber) -> None:
    (reader,) = readers.load(["AWS::EC2::PrefixList"])
    answer(answers, reader, json.dumps(KEPT[reader.type] | {"OwnerId": "AWS"}))

    snapshot = look(reader, stubbed)

    assert isinstance(snapshot, Snapshot)
    assert kept_by_provider(snapshot)


# --- what is not answered ---------------------------------------------------------------------------------------------


@EACH
@pytest.mark.parametrize(
    "code",
    [
        *("AccessDeniedException", "GeneralServiceException", "HandlerFailureException", "InvalidCredentialsException"),
        *("TypeNotFoundException", "UnsupportedActionException"),
    ],
)
def test_what_the_handler_may_not_read_is_unread_with_the_reason(
    reader: Reader, code: str, stubbed: AwsClients, answers: Stubber
) -> None:
    refuse(answers, code)

    snapshot = look(reader, stubbed)

    assert isinstance(snapshot, Snapshot)
    assert set(snapshot.unread) == set(reader.parts[0].gives)
    assert all(code in why and reader.parts[0].on_behalf[0] in why for why in snapshot.unread.values())


@EACH
def test_what_is_not_there_is_gone(reader: Reader, stubbed: AwsClients, answers: Stubber) -> None:
    refuse(answers, "ResourceNotFoundException")

    assert isinstance(look(reader, stubbed), Gone)


@pytest.mark.parametrize(
    "code",
    [
        *("HandlerInternalFailureException", "NetworkFailureException", "NotStabilizedException"),
        *("ResourceConflictException", "ServiceInternalErrorException", "ThrottlingException"),
    ],
)
def test_what_may_pass_rises_so_that_the_queue_tries_again(code: str, stubbed: AwsClients, answers: Stubber) -> None:
    refuse(answers, code)

    with pytest.raises(ClientError, match=code):
        look(THROUGH[0], stubbed)


@pytest.mark.parametrize("text", ["no JSON", '{"Name": "cut o', "[]", "null", "7"])
def test_an_answer_without_properties_is_not_taken_for_nothing_configured(
    text: str, stubbed: AwsClients, answers: Stubber
) -> None:
    answer(answers, THROUGH[0], text)

    snapshot = look(THROUGH[0], stubbed)

    assert isinstance(snapshot, Snapshot)
    assert set(snapshot.unread) == set(THROUGH[0].parts[0].gives)


# --- lists ------------------------------------------------------------------------------------------------------------


@EACH
def test_a_list_goes_on_where_the_page_before_ended_and_names_what_events_name(
    reader: Reader, stubbed: AwsClients, answers: Stubber
) -> None:
    asked: dict[str, Any] = {"TypeName": reader.type, "MaxResults": 100}
    one = {"Identifier": name_of(reader), "Properties": "{}"}
    answers.add_response("list_resources", {"ResourceDescriptions": [one], "NextToken": "t"}, asked)
    answers.add_response("list_resources", {"ResourceDescriptions": []}, asked | {"NextToken": "t"})
    assert reader.inventory is not None

    assert [list(page) for page in reader.inventory.pages(stubbed, ACCOUNT, REGION)] == [["orders"], []]


@pytest.mark.parametrize("code", ["AccessDeniedException", "GeneralServiceException", "ThrottlingException"])
def test_a_list_that_fails_is_not_empty(code: str, stubbed: AwsClients, answers: Stubber) -> None:
    answers.add_client_error("list_resources", code)
    assert THROUGH[0].inventory is not None

    with pytest.raises(ClientError, match=code):
        list(THROUGH[0].inventory.pages(stubbed, ACCOUNT, REGION))


def test_a_list_whose_handler_is_refused_is_refused() -> None:
    """So that a sweep says what it could not list, and does not wait for it for ever."""
    error = ClientError({"Error": {"Code": "GeneralServiceException", "Message": "no"}}, "ListResources")

    assert readers.refusal(error, ("ds:DescribeDirectories",)) is not None
    throttled = ClientError({"Error": {"Code": "ThrottlingException", "Message": "no"}}, "ListResources")
    assert readers.refusal(throttled, ("ds:DescribeDirectories",)) is None


# --- what CloudFormation's schemas say of it --------------------------------------------------------------------------


@EACH
def test_the_permissions_are_those_of_the_handlers(reader: Reader) -> None:
    handlers = schema(reader)["handlers"]
    assert reader.inventory is not None

    assert reader.parts[0].on_behalf == permissions(handlers["read"])
    assert reader.inventory.on_behalf == permissions(handlers["list"])


@EACH
def test_the_type_can_be_named_and_listed_by_one_value_alone(reader: Reader) -> None:
    (path,) = schema(reader)["primaryIdentifier"]

    assert path.endswith("Arn") is (reader.type in BY_ARN)
    assert not schema(reader)["handlers"]["list"].get("handlerSchema"), "a list that asks for what holds it"


@EACH
def test_what_is_given_is_a_property_that_aws_answers(reader: Reader) -> None:
    known = schema(reader)
    given = {f"/properties/{name}" for name in reader.parts[0].gives}

    assert given <= {f"/properties/{name}" for name in known["properties"]}
    assert not given & set(known.get("writeOnlyProperties", ()))


def schema(reader: Reader) -> dict[str, Any]:
    found: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", reader.type).schema
    return found


def permissions(handler: dict[str, Any]) -> tuple[str, ...]:
    """The schemas spell some services in capitals; IAM takes either, its reference has the small ones."""
    services = (action.partition(":") for action in handler["permissions"])
    return tuple(sorted({f"{service.lower()}:{name}" for service, _, name in services}))


def test_every_operation_of_cloud_control_that_is_declared_reads() -> None:
    declared = {call for each in THROUGH for part in each.parts for call in part.calls}

    assert declared == {GET}
    assert {call for each in THROUGH if each.inventory for call in each.inventory.calls} == {LIST}
    assert {"GetResource", "ListResources"} <= set(Session().get_service_model("cloudcontrol").operation_names)


# --- what Cloud Control does not tell ---------------------------------------------------------------------------------


def portfolio(clients: AwsClients) -> Snapshot | Gone:
    (reader,) = readers.load(["AWS::ServiceCatalog::Portfolio"])
    resource = readers.resource_of(reader, "port-1", ACCOUNT, REGION)
    needs = tuple(prop for part in reader.parts for prop in part.gives)
    return readers.read(reader, resource, needs=needs, clients=clients, now=NOW)


def test_a_portfolio_is_read_with_every_account_that_it_is_given_to(stubbed: AwsClients) -> None:
    asked = {"PortfolioId": "port-1", "Type": "ACCOUNT"}
    shares = [[{"PrincipalId": each, "Type": "ACCOUNT"}] for each in ("999988887777", "111122223333")]
    with Stubber(stubbed("servicecatalog", REGION)) as stubber:
        stubber.add_response(
            "describe_portfolio",
            {"PortfolioDetail": {"Id": "port-1", "DisplayName": "shop", "ProviderName": "us"}, "Tags": OWNED},
            {"Id": "port-1"},
        )
        stubber.add_response(
            "describe_portfolio_shares", {"PortfolioShareDetails": shares[0], "NextPageToken": "t"}, asked
        )
        stubber.add_response(
            "describe_portfolio_shares", {"PortfolioShareDetails": shares[1]}, asked | {"PageToken": "t"}
        )
        snapshot = portfolio(stubbed)

    assert isinstance(snapshot, Snapshot)
    assert snapshot["Observed.SharedWith"] == ["111122223333", "999988887777"]
    assert snapshot["DisplayName"] == "shop"
    assert snapshot.tags == {"owner": "payments"}


def test_a_portfolio_that_is_not_there_is_gone(stubbed: AwsClients) -> None:
    with Stubber(stubbed("servicecatalog", REGION)) as stubber:
        stubber.add_client_error("describe_portfolio", "ResourceNotFoundException")

        assert isinstance(portfolio(stubbed), Gone)


def models(clients: Any) -> Snapshot:
    resource = readers.resource_of(WHOLE_REGION, ACCOUNT, ACCOUNT, REGION)
    snapshot = readers.read(WHOLE_REGION, resource, needs=["Observed.ModelInvocationLogs"], clients=clients, now=NOW)
    assert isinstance(snapshot, Snapshot)
    return snapshot


@pytest.mark.parametrize(
    ("logging", "places"),
    [
        ({}, []),
        ({"s3Config": {"bucketName": "asked"}}, ["S3"]),
        (
            {"cloudWatchConfig": {"logGroupName": "asked", "roleArn": f"arn:aws:iam::{ACCOUNT}:role/bedrock"}},
            ["CloudWatch"],
        ),
    ],
)
def test_where_models_write_down_what_they_are_asked(logging: Any, places: list[str], stubbed: AwsClients) -> None:
    with Stubber(stubbed("bedrock", REGION)) as stubber:
        answer = {"loggingConfig": logging} if logging else {}
        stubber.add_response("get_model_invocation_logging_configuration", answer)

        assert models(stubbed)["Observed.ModelInvocationLogs"] == places
