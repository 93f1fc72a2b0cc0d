"""What readers make of what AWS answers where moto does not play it: the answers are written down in `documented`.

What is asked and answered is held against botocore's service models, what is seen against CloudFormation's schemas.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.session import Session

from demarc import readers
from demarc.core.snapshot import Snapshot
from demarc.readers import Gone, Reader
from tests.integration import documented
from tests.integration.documented import ACCOUNT, DOCUMENTED, REGION, SECRET, THEN, Answer, Documented
from tests.integration.schema import matches_cloudformation
from tests.integration.shapes import Written, errors_of
from tests.integration.test_every_reader import KEPT_IN
from tests.integration.test_readers_on_moto import EXAMPLES

EACH = pytest.mark.parametrize("example", DOCUMENTED, ids=lambda example: example.type)

# Types that have a module to themselves, because there is more to say of them.
TOLD_IN = {
    "AWS::::Account": "readers_account",
    "AWS::CloudTrail::EventDataStore": "readers_eventdatastore",
    "AWS::CloudTrail::Trail": "readers_cloudtrail",
    "AWS::CodeBuild::ReportGroup": "readers_answered",
    "AWS::Connect::Instance": "readers_cloudcontrol",
    "AWS::EC2::Instance": "readers_ec2",
    "AWS::EC2::PrefixList": "readers_cloudcontrol",
    "AWS::EC2::SecurityGroup": "readers_ec2",
    "AWS::ECS::CapacityProvider": "readers_answered",
    "AWS::EKS::AccessEntry": "readers_eks",
    "AWS::IAM::ManagedPolicy": "readers_iam",
    "AWS::IAM::Role": "readers_iam",
    "AWS::IAM::User": "readers_iam",
    "AWS::KMS::Key": "readers_kms",
    "AWS::KafkaConnect::Connector": "readers_kafkaconnect",
    "AWS::MWAA::Environment": "readers_cloudcontrol",
    "AWS::MemoryDB::Cluster": "readers_cloudcontrol",
    "AWS::RDS::DBInstance": "readers_rds",
    "AWS::S3::Bucket": "readers_s3",
    "AWS::SES::ConfigurationSet": "readers_cloudcontrol",
    "AWS::SSO::PermissionSet": "readers_sso",
    "AWS::SageMaker::Domain": "readers_cloudcontrol",
    "AWS::SageMaker::MonitoringSchedule": "readers_answered",
    "AWS::ServiceCatalog::Portfolio": "readers_cloudcontrol",
    "AWS::WorkSpaces::Workspace": "readers_cloudcontrol",
    "Demarc::Feed::Region": "readers_feed",
    "Demarc::Framework::Requirement": "attestations",
}


def reader_of(type_: str) -> Reader:
    (reader,) = readers.load((type_,))
    return reader


def look(example: Documented, answers: Any) -> Snapshot | Gone:
    reader = reader_of(example.type)
    resource = readers.resource_of(reader, example.identifier, ACCOUNT, REGION)
    everything = tuple(prop for part in reader.parts for prop in part.gives)
    return readers.read(reader, resource, needs=everything, clients=answers, now=THEN)


@EACH
def test_what_aws_answers_is_read_in_the_words_of_cloudformation(example: Documented) -> None:
    answers = Written(example.answers)

    snapshot = look(example, answers)

    assert isinstance(snapshot, Snapshot)
    assert {path: snapshot[path] for path in example.seen} == dict(example.seen)
    assert snapshot.unread == {}
    assert dict(snapshot.tags) == dict(example.tags)
    assert SECRET not in json.dumps(snapshot.properties), "a secret is kept"
    matches_cloudformation(snapshot)


@EACH
def test_it_takes_every_call_that_is_declared_and_no_other(example: Documented) -> None:
    answers = Written(example.answers)

    look(example, answers)

    assert answers.called == {call for part in reader_of(example.type).parts for call in part.calls}


@pytest.mark.parametrize("example", [each for each in DOCUMENTED if each.missing], ids=lambda example: example.type)
def test_what_is_not_there_is_gone_in_the_words_of_its_service(example: Documented) -> None:
    for call, said in example.missing.items():
        known = errors_of(call)
        assert not known or not isinstance(said, str) or said in known, f"{call} never says {said}"

    assert isinstance(look(example, Written({**example.answers, **example.missing})), Gone)


@pytest.mark.parametrize("example", [each for each in DOCUMENTED if each.ending], ids=lambda example: example.type)
def test_what_is_being_deleted_is_gone(example: Documented) -> None:
    assert isinstance(look(example, Written({**example.answers, **example.ending})), Gone)


@EACH
def test_all_there_are_are_listed_page_by_page(example: Documented) -> None:
    inventory = reader_of(example.type).inventory
    assert inventory
    answers = Written(example.pages)

    found = inventory.pages(answers, ACCOUNT, KEPT_IN.get(example.type, REGION))

    assert [tuple(page) for page in found] == list(example.listed)
    assert answers.called == set(inventory.calls)


# --- where services are off ------------------------------------------------------------------------------------------

WHOLE_REGION = next(each for each in DOCUMENTED if each.type == "AWS::Account::Region")


def a_region(**answers: Answer | str) -> Any:
    """What is seen of a Region of which some calls are answered otherwise: `macie2_GetMacieSession`."""
    seen = look(
        WHOLE_REGION, Written({**WHOLE_REGION.answers, **{k.replace("_", ".", 1): v for k, v in answers.items()}})
    )
    assert isinstance(seen, Snapshot)
    return seen


def test_services_that_are_off_are_seen_off_in_the_words_in_which_each_refuses() -> None:
    seen = a_region(
        guardduty_ListDetectors={"DetectorIds": []},
        macie2_GetMacieSession="AccessDeniedException: Macie is not enabled.",
        securityhub_DescribeHub="InvalidAccessException: Account is not subscribed to AWS Security Hub",
        inspector2_BatchGetAccountStatus={"accounts": []},
        config_DescribeConfigurationRecorders={},
        config_DescribeConfigurationRecorderStatus={},
        config_DescribeDeliveryChannels={},
        accessanalyzer_ListAnalyzers={"analyzers": []},
        ec2_GetInstanceMetadataDefaults={"AccountLevel": {}},
    )

    assert seen.unread == {}
    assert (seen["Observed.Detectors"], seen["Observed.Macie"], seen["Observed.SecurityHub"]) == (0, "OFF", False)
    assert (seen["Observed.Recorders"], seen["Observed.DeliveryChannels"], seen["Observed.Analyzers"]) == ([], 0, [])
    assert (seen["Observed.Inspector"], seen["Observed.MetadataDefaultTokens"]) == ({}, None)


def test_a_service_that_may_not_be_asked_is_not_taken_to_be_off() -> None:
    seen = a_region(macie2_GetMacieSession="AccessDeniedException: User is not authorized to perform this")

    assert {"Observed.Macie", "Observed.MacieAutomatedDiscovery"} == set(seen.unread)


def test_a_setting_that_the_region_does_not_have_is_unread() -> None:
    seen = a_region(ssm_GetServiceSetting="ServiceSettingNotFound: not provisioned")

    assert set(seen.unread) == {"Observed.DocumentsMayBePublic", "Observed.AutomationLogs"}


def test_a_region_in_which_nobody_set_anything_of_images_and_tables_says_so() -> None:
    seen = a_region(
        ecr_GetRegistryPolicy="RegistryPolicyNotFoundException: none",
        ecr_GetRegistryScanningConfiguration={"scanningConfiguration": {"scanType": "BASIC", "rules": []}},
        ecr_DescribeRegistry={"replicationConfiguration": {"rules": []}},
        glue_GetDataCatalogEncryptionSettings={"DataCatalogEncryptionSettings": {}},
        glue_GetResourcePolicies={"GetResourcePoliciesResponseList": []},
    )

    assert seen.unread == {}
    assert seen["Observed.ImageRegistryPolicy"] is seen["Observed.CatalogPolicy"] is None
    assert (seen["Observed.ImageScanning"], seen["Observed.ImageCopies"]) == ([], [])
    assert (seen["Observed.CatalogEncryption"], seen["Observed.ConnectionPasswordsEncrypted"]) == ("DISABLED", False)


def test_a_catalog_whose_key_is_not_ours_to_use_does_not_pass_for_one_without_a_policy() -> None:
    seen = a_region(glue_GetResourcePolicies="GlueEncryptionException: no")

    assert "kms:Decrypt" in seen.unread["Observed.CatalogPolicy"]
    assert seen["Observed.CatalogEncryption"] == "SSE-KMS"


def test_a_cluster_whose_security_configuration_was_deleted_is_not_one_that_encrypts_nothing() -> None:
    reader = reader_of("AWS::EMR::Cluster")
    cluster = {"Id": "j-1", "Status": {"State": "RUNNING"}, "SecurityConfiguration": "sealed"}
    answers = Written(
        {
            "emr.DescribeCluster": {"Cluster": cluster},
            "emr.DescribeSecurityConfiguration": "InvalidRequestException: Security configuration 'sealed' is unknown",
        }
    )
    resource = readers.resource_of(reader, "j-1", ACCOUNT, REGION)

    seen = readers.read(reader, resource, needs=("Observed.EncryptsAtRest",), clients=answers, now=THEN)

    assert isinstance(seen, Snapshot)
    why = "the security configuration sealed was deleted"
    assert seen.unread == {"Observed.EncryptsAtRest": why, "Observed.EncryptsInTransit": why}


# --- where services are not ------------------------------------------------------------------------------------------

ASKED = {call.partition(".")[0] for part in reader_of(WHOLE_REGION.type).parts for call in part.calls}


class WithoutService(Written):
    """Clients of a Region in which the name of one service leads nowhere."""

    def __init__(self, service: str) -> None:
        super().__init__(WHOLE_REGION.answers)
        self._missing = service

    def answer(self, service: str, method: str, asked: Mapping[str, Any]) -> Any:
        if service == self._missing:
            raise EndpointConnectionError(endpoint_url=f"https://{service}.{REGION}.amazonaws.com/")
        return super().answer(service, method, asked)


def is_everywhere(service: str) -> bool:
    """Whether botocore's endpoints have a service in every Region of every partition."""
    session = Session()
    partitions = session.get_component("data_loader").load_data("endpoints")["partitions"]
    return all(
        partition["regions"].keys() <= set(session.get_available_regions(service, partition["partition"]))
        for partition in partitions
    )


@pytest.mark.parametrize("service", sorted(each for each in ASKED if not is_everywhere(each)))
def test_a_service_that_is_not_in_every_region_leaves_the_rest_of_a_region_judged(service: str) -> None:
    parts = reader_of(WHOLE_REGION.type).parts
    its_own = {prop for part in parts for prop in part.gives if next(iter(part.calls)).startswith(f"{service}.")}

    seen = look(WHOLE_REGION, WithoutService(service))

    assert isinstance(seen, Snapshot)
    assert set(seen.unread) == its_own
    assert all(why.endswith("does not answer in this Region") for why in seen.unread.values())
    assert {path: seen[path] for path in WHOLE_REGION.seen if path not in its_own} == {
        path: value for path, value in WHOLE_REGION.seen.items() if path not in its_own
    }


@pytest.mark.parametrize("service", sorted(each for each in ASKED if is_everywhere(each)))
def test_a_service_of_every_region_that_cannot_be_reached_rises_so_that_the_queue_tries_again(service: str) -> None:
    with pytest.raises(EndpointConnectionError):
        look(WHOLE_REGION, WithoutService(service))


# --- lists inside of things ------------------------------------------------------------------------------------------


def test_compliance_on_a_later_page_counts() -> None:
    example = next(each for each in DOCUMENTED if each.type == "AWS::SSM::ManagedInstance")
    name = example.identifier
    first = {"ResourceComplianceSummaryItems": [documented.compliance(name, "Association", "COMPLIANT")]}
    second = {"ResourceComplianceSummaryItems": [documented.compliance(name, "Patch", "NON_COMPLIANT")]}

    seen = look(example, Written({"ssm.ListResourceComplianceSummaries": ({**first, "NextToken": "next"}, second)}))

    assert isinstance(seen, Snapshot)
    assert (seen["Observed.Association"], seen["Observed.Patch"]) == ("COMPLIANT", "NON_COMPLIANT")


def test_everybody_with_whom_a_document_is_shared_is_seen_on_whichever_page() -> None:
    reader = reader_of("AWS::SSM::Document")
    (part,) = (part for part in reader.parts if "Observed.SharedWith" in part.gives)
    pages = ({"AccountIds": ["444455556666"], "NextToken": "next"}, {"AccountIds": ["All"]})

    seen = part.read(
        Written({"ssm.DescribeDocumentPermission": pages}), readers.resource_of(reader, "mine", ACCOUNT, REGION)
    )

    assert seen == {"Observed": {"SharedWith": ["444455556666", "all"]}}


# --- every type is told somewhere ------------------------------------------------------------------------------------


def test_every_type_has_an_example_or_a_module_of_its_own() -> None:
    told = {each.type for each in EXAMPLES} | {each.type for each in DOCUMENTED} | TOLD_IN.keys()

    assert told == {reader.type for reader in readers.load() if any(part.calls for part in reader.parts)}


@pytest.mark.parametrize("module", sorted(set(TOLD_IN.values())))
def test_a_module_that_tells_of_a_type_is_there(module: str) -> None:
    assert Path(__file__).with_name(f"test_{module}.py").is_file()
