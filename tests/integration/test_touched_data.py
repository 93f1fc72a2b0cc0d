"""What records of calls name, where data is kept: calls of one service that touch another's, and names that move."""

from __future__ import annotations

from typing import Any

import pytest

from demarc.core.model import Change
from tests.integration.test_touched import named, outcome

RDS = "arn:aws:rds:eu-west-1:111122223333"


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_switchover_touches_the_database_of_either_colour(wrapped: bool) -> None:
    colours = {"source": f"{RDS}:db:shop", "target": f"{RDS}:db:shop-green-a1b2c3"}
    answered = {"blueGreenDeployment": colours} if wrapped else colours

    found = outcome("rds", "SwitchoverBlueGreenDeployment", {"blueGreenDeploymentIdentifier": "bgd-a1b2c3"}, answered)

    assert isinstance(found, Change)
    assert {(each.resource.type, each.resource.identifier) for each in found.touched} == {
        ("AWS::RDS::DBInstance", "shop"),
        ("AWS::RDS::DBInstance", "shop-green-a1b2c3"),
    }


def test_a_deployment_that_ends_touches_the_green_cluster_alone() -> None:
    colours = {"source": f"{RDS}:cluster:shop", "target": f"{RDS}:cluster:shop-green-a1b2c3"}

    found = named("rds", "DeleteBlueGreenDeployment", {"deleteTarget": True}, {"blueGreenDeployment": colours})

    assert set(found.values()) == {"shop-green-a1b2c3"}
    assert "AWS::RDS::DBCluster" in found


def test_a_redshift_cluster_that_is_renamed_is_looked_for_under_either_name() -> None:
    found = outcome("redshift", "ModifyCluster", {"clusterIdentifier": "shop", "newClusterIdentifier": "till"})

    assert isinstance(found, Change)
    assert {each.resource.identifier for each in found.touched} == {"shop", "till"}


@pytest.mark.parametrize(
    ("source", "call"),
    [
        ("fsx", "CreateAndAttachS3AccessPoint"),
        ("fsx", "DetachAndDeleteS3AccessPoint"),
        ("backup", "CreateBackupAccessPoint"),
    ],
)
def test_an_access_point_is_one_of_s3_whichever_service_makes_it(source: str, call: str) -> None:
    assert named(source, call, {"name": "shop"}) == {"AWS::S3::AccessPoint": "shop"}


def test_a_vault_through_which_an_air_gapped_one_is_restored_is_a_vault() -> None:
    asked = {"sourceBackupVaultArn": "arn:aws:backup:eu-west-1:444455556666:backup-vault:sealed"}

    found = named("backup", "CreateRestoreAccessBackupVault", asked, {"restoreAccessBackupVaultName": "door"})

    assert found == {"AWS::Backup::BackupVault": "door"}


@pytest.mark.parametrize("spelt", ["resourceArn", "resource-arn"])
def test_a_broker_that_is_tagged_is_known_by_the_id_at_the_end_of_its_arn(spelt: str) -> None:
    arn = "arn:aws:mq:eu-west-1:111122223333:broker:shop:b-a1b2c3d4-5678-90ab-cdef-000000000000"

    found = named("amazonmq", "CreateTags", {spelt: arn, "tags": {"owner": "web"}})

    assert found == {"AWS::AmazonMQ::Broker": "b-a1b2c3d4-5678-90ab-cdef-000000000000"}


@pytest.mark.parametrize("call", ["CancelDomainConfigChange", "RollbackServiceSoftwareUpdate"])
def test_what_is_taken_back_of_a_domain_touches_it(call: str) -> None:
    assert named("es", call, {"domainName": "shop"}) == {"AWS::OpenSearchService::Domain": "shop"}


def test_the_settings_of_a_global_table_are_those_of_the_table_of_its_name() -> None:
    asked: dict[str, Any] = {"globalTableName": "shop", "globalTableBillingMode": "PROVISIONED"}

    assert named("dynamodb", "UpdateGlobalTableSettings", asked) == {"AWS::DynamoDB::Table": "shop"}
