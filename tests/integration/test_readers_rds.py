"""Database instances, as they are read from AWS."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from demarc import readers
from demarc.aws import AwsClients
from demarc.core.change import interpret
from demarc.core.model import Change, Resource
from demarc.core.snapshot import Snapshot
from demarc.core.touch import TouchIndex
from demarc.readers import Gone
from demarc.readers.rds.dbinstance import DB_INSTANCE
from tests.integration.records import a_call
from tests.integration.schema import matches_cloudformation

REGION = "eu-west-1"
ACCOUNT = "123456789012"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ARN = f"arn:aws:rds:{REGION}:{ACCOUNT}:db:orders"


@cache
def stubbed() -> Any:
    """A client whose answers are written by the test."""
    return AwsClients()("rds", REGION)


def look(clients: Any, identifier: str = "orders") -> Snapshot | Gone:
    orders = Resource(DB_INSTANCE.type, identifier, ACCOUNT, REGION, ARN)
    needs = DB_INSTANCE.parts[0].gives
    return readers.read(DB_INSTANCE, orders, needs=needs, clients=clients, now=NOW)


def see(clients: Any) -> Snapshot:
    snapshot = look(clients)
    assert isinstance(snapshot, Snapshot)
    return snapshot


def answered(**instance: Any) -> Snapshot | Gone:
    """What is read of an instance that AWS describes with these members."""
    client = stubbed()
    with Stubber(client) as stubber:
        stubber.add_response("describe_db_instances", {"DBInstances": [instance]}, {"DBInstanceIdentifier": "orders"})
        return look(lambda *_: client)


def refused(code: str, status: int = 400) -> Snapshot | Gone:
    client = stubbed()
    with Stubber(client) as stubber:
        stubber.add_client_error("describe_db_instances", code, http_status_code=status)
        return look(lambda *_: client)


@pytest.fixture
def database(clients: AwsClients) -> Callable[..., None]:
    def create(**wishes: Any) -> None:
        clients("rds", REGION).create_db_instance(
            DBInstanceIdentifier="orders",
            Engine="postgres",
            DBInstanceClass="db.t3.micro",
            AllocatedStorage=20,
            MasterUsername="ordersowner",
            MasterUserPassword="not-a-real-one",
            **wishes,
        )

    return create


def test_a_well_kept_database_is_read_in_cloudformations_words(
    clients: AwsClients, database: Callable[..., None]
) -> None:
    database(
        StorageEncrypted=True,
        PubliclyAccessible=False,
        MultiAZ=True,
        BackupRetentionPeriod=14,
        DeletionProtection=True,
        EnableIAMDatabaseAuthentication=True,
        EnableCloudwatchLogsExports=["postgresql", "upgrade"],
        CopyTagsToSnapshot=True,
        Tags=[{"Key": "owner", "Value": "shop"}],
    )

    snapshot = see(clients)

    assert snapshot["StorageEncrypted"] is snapshot["MultiAZ"] is snapshot["DeletionProtection"] is True
    assert snapshot["PubliclyAccessible"] is False
    assert snapshot["EnableIAMDatabaseAuthentication"] is True
    assert snapshot["EnableCloudwatchLogsExports"] == ["postgresql", "upgrade"]
    assert (snapshot["BackupRetentionPeriod"], snapshot["MasterUsername"]) == (14, "ordersowner")
    assert snapshot.tags == {"owner": "shop"}
    matches_cloudformation(snapshot)


def test_a_neglected_database_is_read_as_it_is(clients: AwsClients, database: Callable[..., None]) -> None:
    database(PubliclyAccessible=True, BackupRetentionPeriod=0, StorageEncrypted=False)

    snapshot = see(clients)

    assert snapshot["PubliclyAccessible"] is True
    assert snapshot["StorageEncrypted"] is False
    assert snapshot["BackupRetentionPeriod"] == 0
    matches_cloudformation(snapshot)


def test_numbers_that_cloudformation_writes_as_text_are_text(
    clients: AwsClients, database: Callable[..., None]
) -> None:
    database(Port=15432)

    snapshot = see(clients)

    assert (snapshot["Port"], snapshot["AllocatedStorage"]) == ("15432", "20")


def test_one_call_answers_everything(clients: AwsClients, database: Callable[..., None], calls: list[str]) -> None:
    database()
    calls.clear()

    see(clients)

    assert calls == ["rds.DescribeDBInstances"] == list(DB_INSTANCE.parts[0].calls)


def test_a_deleted_database_is_gone(clients: AwsClients, database: Callable[..., None]) -> None:
    database()
    clients("rds", REGION).delete_db_instance(DBInstanceIdentifier="orders", SkipFinalSnapshot=True)

    assert isinstance(look(clients), Gone)


def test_a_database_that_is_being_deleted_is_gone() -> None:
    assert isinstance(answered(DBInstanceIdentifier="orders", DBInstanceStatus="deleting"), Gone)


def test_names_are_taken_out_of_their_structures() -> None:
    secret = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rds!db-1"
    snapshot = answered(
        DBInstanceIdentifier="orders",
        DBParameterGroups=[{"DBParameterGroupName": "default.postgres16", "ParameterApplyStatus": "in-sync"}],
        DBSubnetGroup={"DBSubnetGroupName": "private"},
        VpcSecurityGroups=[{"VpcSecurityGroupId": "sg-1", "Status": "active"}],
        MasterUserSecret={"SecretArn": secret, "SecretStatus": "active"},
        CertificateDetails={"CAIdentifier": "rds-ca-rsa2048-g1", "ValidTill": datetime(2061, 5, 25, tzinfo=UTC)},
        AssociatedRoles=[
            {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/load", "FeatureName": "s3Import", "Status": "ACTIVE"}
        ],
        PerformanceInsightsEnabled=True,
    )

    assert isinstance(snapshot, Snapshot)
    assert snapshot["DBParameterGroupName"] == "default.postgres16"
    assert snapshot["DBSubnetGroupName"] == "private"
    assert snapshot["VPCSecurityGroups"] == ["sg-1"]
    assert snapshot["MasterUserSecret"] == {"SecretArn": secret}
    assert snapshot["CertificateDetails.ValidTill"] == "2061-05-25T00:00:00+00:00"
    assert snapshot["EnablePerformanceInsights"] is True
    matches_cloudformation(snapshot)


@pytest.mark.parametrize(
    ("source", "replica_of"),
    [
        ({"ReadReplicaSourceDBInstanceIdentifier": "orders-1"}, "orders-1"),
        ({"ReadReplicaSourceDBClusterIdentifier": "orders-cluster"}, "orders-cluster"),
        ({}, None),
    ],
)
def test_a_read_replica_names_its_source(source: dict[str, str], replica_of: str | None) -> None:
    snapshot = answered(DBInstanceIdentifier="orders", **source)

    assert isinstance(snapshot, Snapshot)
    assert snapshot["Observed.ReplicaOf"] == replica_of


def test_a_database_that_is_being_made_has_no_port_yet() -> None:
    snapshot = answered(DBInstanceIdentifier="orders", DbInstancePort=0)

    assert isinstance(snapshot, Snapshot)
    assert snapshot["Port"] is None


def test_a_refused_read_leaves_everything_unread() -> None:
    snapshot = refused("AccessDenied", 403)

    assert isinstance(snapshot, Snapshot)
    assert set(snapshot.unread) == set(DB_INSTANCE.parts[0].gives)


def test_a_throttled_read_rises() -> None:
    with pytest.raises(ClientError, match="Throttling"):
        refused("Throttling")


TOUCHED = [
    ("CreateDBInstance", {"dBInstanceIdentifier": "Orders"}, {"dBInstanceIdentifier": "orders"}, ["orders"]),
    ("DeleteDBInstance", {"dBInstanceIdentifier": "orders"}, None, ["orders"]),
    ("ModifyDBInstance", {"dBInstanceIdentifier": "orders", "publiclyAccessible": True}, None, ["orders"]),
    (
        "ModifyDBInstance",
        {"dBInstanceIdentifier": "orders", "newDBInstanceIdentifier": "orders-2"},
        None,
        ["orders", "orders-2"],
    ),
    (
        "CreateDBInstanceReadReplica",
        {"dBInstanceIdentifier": "copy", "sourceDBInstanceIdentifier": "orders"},
        None,
        ["copy"],
    ),
    (
        "RestoreDBInstanceToPointInTime",
        {"sourceDBInstanceIdentifier": "orders", "targetDBInstanceIdentifier": "rescued"},
        None,
        ["rescued"],
    ),
    ("AddTagsToResource", {"resourceName": ARN, "tags": [{"key": "owner", "value": "shop"}]}, None, ["orders"]),
    ("ApplyPendingMaintenanceAction", {"resourceIdentifier": ARN}, None, ["orders"]),
    (
        "ModifyDBCluster",
        {"dBClusterIdentifier": "shop"},
        {"dBClusterMembers": [{"dBInstanceIdentifier": "shop-1"}, {"dBInstanceIdentifier": "shop-2"}]},
        ["shop-1", "shop-2"],
    ),
]


def interpreted(name: str, asked: Any, answered: Any) -> Any:
    return interpret(
        a_call("rds", name, asked, answered, awsRegion=REGION, recipientAccountId=ACCOUNT),
        TouchIndex.of((DB_INSTANCE,)),
    )


@pytest.mark.parametrize(("name", "asked", "answer", "identifiers"), TOUCHED)
def test_calls_name_what_they_touch(name: str, asked: Any, answer: Any, identifiers: list[str]) -> None:
    change = interpreted(name, asked, answer)

    assert isinstance(change, Change), change
    assert sorted(touched.resource.identifier for touched in change.touched) == identifiers


def test_tagging_a_snapshot_touches_no_database() -> None:
    snapshot = ARN.replace(":db:", ":snapshot:")

    assert not isinstance(interpreted("AddTagsToResource", {"resourceName": snapshot}, None), Change)
