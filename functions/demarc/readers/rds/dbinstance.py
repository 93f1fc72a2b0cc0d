"""Database instances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.rds.asked import BLUE, GREEN

_RDS = "rds.amazonaws.com"

# An instance that is being deleted cannot be kept any more, and nothing of it can be changed.
_ENDED = "deleting"

# Properties that the API and the CloudFormation schema call the same.
_SAME = (
    *("AutoMinorVersionUpgrade", "BackupRetentionPeriod", "CACertificateIdentifier", "CopyTagsToSnapshot"),
    *("DBClusterIdentifier", "DBInstanceClass", "DBInstanceIdentifier", "DBInstanceStatus", "DeletionProtection"),
    *("Engine", "EngineLifecycleSupport", "EngineVersion", "KmsKeyId", "LicenseModel", "MasterUsername"),
    *("MonitoringInterval", "MultiAZ", "NetworkType", "PubliclyAccessible", "StorageEncrypted", "StorageType"),
)
_RENAMED = {
    "EnabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
    "IAMDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
    "PerformanceInsightsEnabled": "EnablePerformanceInsights",
    "TagList": "Tags",
}
_RESHAPED = (
    *("AllocatedStorage", "AssociatedRoles", "CertificateDetails", "DBParameterGroupName", "DBSubnetGroupName"),
    *("MasterUserSecret", "Port", "VPCSecurityGroups"),
)


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    rds = clients("rds", resource.region)
    try:
        instances = rds.describe_db_instances(DBInstanceIdentifier=resource.identifier).get("DBInstances")
    except ClientError as error:
        if error.response["Error"]["Code"] == "DBInstanceNotFound":
            raise ResourceGone from error
        raise
    if not instances or instances[0].get("DBInstanceStatus") == _ENDED:
        raise ResourceGone
    instance = instances[0]
    found = {
        **{name: instance.get(name) for name in _SAME},
        **{ours: instance.get(theirs) for theirs, ours in _RENAMED.items()},
        **_reshaped(instance),
    }
    source = _source_of(instance)
    return {
        **{name: value for name, value in found.items() if value is not None},
        "Observed": {"ReplicaOf": source} if source else {},
    }


def _reshaped(instance: Mapping[str, Any]) -> dict[str, Any]:
    """What CloudFormation's schema types or nests differently: numbers as strings, names instead of structures."""
    storage = instance.get("AllocatedStorage")
    secret = instance.get("MasterUserSecret", {})
    return {
        "AllocatedStorage": None if storage is None else str(storage),
        "AssociatedRoles": [
            {"RoleArn": role["RoleArn"], "FeatureName": role.get("FeatureName", "")}
            for role in instance.get("AssociatedRoles", ())
        ],
        "CertificateDetails": _certificate(instance),
        "DBParameterGroupName": next(
            (group.get("DBParameterGroupName") for group in instance.get("DBParameterGroups", ())), None
        ),
        "DBSubnetGroupName": instance.get("DBSubnetGroup", {}).get("DBSubnetGroupName"),
        "MasterUserSecret": {name: secret[name] for name in ("SecretArn", "KmsKeyId") if name in secret} or None,
        "Port": _port(instance),
        "VPCSecurityGroups": [group["VpcSecurityGroupId"] for group in instance.get("VpcSecurityGroups", ())],
    }


def _certificate(instance: Mapping[str, Any]) -> dict[str, str] | None:
    details = instance.get("CertificateDetails", {})
    found = {name: details[name] for name in ("CAIdentifier",) if name in details}
    if "ValidTill" in details:
        found["ValidTill"] = details["ValidTill"].isoformat()
    return found or None


def _port(instance: Mapping[str, Any]) -> str | None:
    """The endpoint's port. An instance that is being created has none yet; `DbInstancePort` is then 0."""
    port = instance.get("Endpoint", {}).get("Port") or instance.get("DbInstancePort")
    return str(port) if port else None


def _source_of(instance: Mapping[str, Any]) -> str | None:
    """The instance or cluster that a read replica copies."""
    for name in ("ReadReplicaSourceDBInstanceIdentifier", "ReadReplicaSourceDBClusterIdentifier"):
        if instance.get(name):
            return str(instance[name])
    return None


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    pages = clients("rds", region).get_paginator("describe_db_instances")
    for page in pages.paginate(PaginationConfig={"PageSize": 100}):
        kept = [each for each in page.get("DBInstances", ()) if each.get("DBInstanceStatus") != _ENDED]
        yield [each["DBInstanceIdentifier"] for each in kept]


# RDS folds names to lower case; its answer, where there is one, has the name as it is.
_NAMED = ("responseElements.dBInstanceIdentifier", "requestParameters.dBInstanceIdentifier")
# What ModifyDBInstance and ModifyDBCluster cannot write: it is settled when the instance is made.
_SETTLED = frozenset(("DBClusterIdentifier", "Engine", "KmsKeyId", "MasterUsername", "StorageEncrypted", "Tags"))
_MODIFIABLE = tuple(name for name in (*_SAME, *_RENAMED.values(), *_RESHAPED) if name not in _SETTLED)
_MEMBERS = ("responseElements.dBClusterMembers[].dBInstanceIdentifier",)

DB_INSTANCE = Reader(
    type="AWS::RDS::DBInstance",
    responder="data",
    arn="arn:{partition}:rds:{region}:{account}:db:{identifier}",
    parts=(
        Part(
            gives=(*_SAME, *_RENAMED.values(), *_RESHAPED, "Observed.ReplicaOf"),
            calls={"rds.DescribeDBInstances": "rds:DescribeDBInstances"},
            read=_read,
        ),
    ),
    touches=(
        Touch(
            _RDS,
            (
                *("CreateDBInstance", "CreateDBInstanceReadReplica", "DeleteDBInstance"),
                *("RestoreDBInstanceFromDBSnapshot", "RestoreDBInstanceFromS3", "SwitchoverReadReplica"),
            ),
            _NAMED,
            EVERYTHING,
        ),
        Touch(
            _RDS,
            ("RestoreDBInstanceToPointInTime",),
            ("responseElements.dBInstanceIdentifier", "requestParameters.targetDBInstanceIdentifier"),
            EVERYTHING,
        ),
        Touch(_RDS, ("ModifyDBInstance",), _NAMED, _MODIFIABLE),
        # A rename: the new name may be there a few minutes later only, and is looked for at once and by the sweep.
        Touch(_RDS, ("ModifyDBInstance",), ("requestParameters.newDBInstanceIdentifier",), EVERYTHING),
        Touch(
            _RDS,
            ("PromoteReadReplica",),
            _NAMED,
            ("BackupRetentionPeriod", "Observed.ReplicaOf"),
        ),
        Touch(_RDS, ("StartDBInstance", "StopDBInstance", "RebootDBInstance"), _NAMED, ("DBInstanceStatus",)),
        Touch(_RDS, ("AddRoleToDBInstance", "RemoveRoleFromDBInstance"), _NAMED[1:], ("AssociatedRoles",)),
        Touch(
            _RDS,
            ("AddTagsToResource", "RemoveTagsFromResource"),
            ("requestParameters.resourceName",),
            ("Tags",),
        ),
        Touch(
            _RDS,
            ("ApplyPendingMaintenanceAction",),
            ("requestParameters.resourceIdentifier",),
            ("CACertificateIdentifier", "CertificateDetails", "EngineVersion"),
        ),
        Touch(_RDS, ("SwitchoverBlueGreenDeployment",), BLUE, EVERYTHING),
        Touch(_RDS, ("SwitchoverBlueGreenDeployment", "DeleteBlueGreenDeployment"), GREEN, EVERYTHING),
        # What a cluster sets, its members show.
        Touch(_RDS, ("ModifyDBCluster",), _MEMBERS, _MODIFIABLE),
        Touch(_RDS, ("DeleteDBCluster",), _MEMBERS),
    ),
    inventory=Inventory(calls={"rds.DescribeDBInstances": "rds:DescribeDBInstances"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (DB_INSTANCE,)
