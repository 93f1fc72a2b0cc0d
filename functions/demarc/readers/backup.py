"""Vaults of AWS Backup, and the plans that fill them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, configured, document, page_by_page, pages, present, same, tags_of

_SOURCE = "backup.amazonaws.com"
_GONE = ("ResourceNotFoundException", "InvalidParameterValueException", "MissingParameterValueException")


def _client(clients: Clients, resource: Resource) -> Any:
    return clients("backup", resource.region)


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = page_by_page(_client(clients, resource), "list_tags", _GONE, ResourceArn=resource.arn)
    return {"Tags": [tag for page in found for tag in tags_of(page.get("Tags"))]}


def _vault(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    # A vault that is not there is answered with a refusal, which a vault of others is too.
    found = asked(_client(clients, resource), "describe_backup_vault", _GONE, BackupVaultName=resource.identifier)
    return {
        **same(found, "BackupVaultName", "EncryptionKeyArn"),
        "LockConfiguration": same(found, "MinRetentionDays", "MaxRetentionDays"),
        "Observed": {"Locked": found.get("Locked", False)},
    }


def _policy(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = configured(
        _client(clients, resource),
        "get_backup_vault_access_policy",
        ("ResourceNotFoundException",),
        BackupVaultName=resource.identifier,
    )
    return present(AccessPolicy=document(found.get("Policy")))


def _vaults(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("backup", region), "list_backup_vaults", "BackupVaultList", 100):
        yield [each["BackupVaultName"] for each in page]


_AT_VAULT = ("requestParameters.backupVaultName",)
_TAGGED = ("requestParameters.resourceArn",)
_TAGS = Part(gives=("Tags",), calls={"backup.ListTags": "backup:ListTags"}, read=_tags)

BACKUP_VAULT = Reader(
    type="AWS::Backup::BackupVault",
    responder="data",
    arn="arn:{partition}:backup:{region}:{account}:backup-vault:{identifier}",
    parts=(
        Part(
            gives=("BackupVaultName", "EncryptionKeyArn", "LockConfiguration", "Observed.Locked"),
            calls={"backup.DescribeBackupVault": "backup:DescribeBackupVault"},
            read=_vault,
        ),
        Part(
            gives=("AccessPolicy",),
            calls={"backup.GetBackupVaultAccessPolicy": "backup:GetBackupVaultAccessPolicy"},
            read=_policy,
        ),
        _TAGS,
    ),
    touches=(
        Touch(
            _SOURCE,
            ("CreateBackupVault", "CreateLogicallyAirGappedBackupVault", "DeleteBackupVault"),
            _AT_VAULT,
            EVERYTHING,
        ),
        # A vault of a kind of its own, through which what is in an air-gapped one is restored.
        Touch(
            _SOURCE,
            ("CreateRestoreAccessBackupVault",),
            ("responseElements.restoreAccessBackupVaultName", "requestParameters.backupVaultName"),
            EVERYTHING,
        ),
        Touch(
            _SOURCE,
            ("RevokeRestoreAccessBackupVault",),
            ("requestParameters.restoreAccessBackupVaultArn",),
            EVERYTHING,
        ),
        Touch(
            _SOURCE,
            ("PutBackupVaultAccessPolicy", "DeleteBackupVaultAccessPolicy"),
            _AT_VAULT,
            ("AccessPolicy",),
        ),
        Touch(
            _SOURCE,
            ("PutBackupVaultLockConfiguration", "DeleteBackupVaultLockConfiguration"),
            _AT_VAULT,
            ("LockConfiguration", "Observed.Locked"),
        ),
        Touch(
            _SOURCE,
            (
                *("PutBackupVaultNotifications", "DeleteBackupVaultNotifications", "DeleteRecoveryPoint"),
                "UpdateRecoveryPointLifecycle",
            ),
            _AT_VAULT,
        ),
        Touch(_SOURCE, ("TagResource", "UntagResource"), _TAGGED, ("Tags",)),
    ),
    inventory=Inventory(calls={"backup.ListBackupVaults": "backup:ListBackupVaults"}, pages=_vaults),
)


def _plan(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(_client(clients, resource), "get_backup_plan", _GONE, BackupPlanId=resource.identifier)
    if found.get("DeletionDate"):
        raise ResourceGone
    rules = found["BackupPlan"].get("Rules", ())
    kept = [each.get("Lifecycle", {}).get("DeleteAfterDays") for each in rules]
    return {
        "BackupPlanId": resource.identifier,
        # What is kept for ever is kept for longer than anybody asks.
        "Observed": present(
            Rules=len(rules),
            ShortestRetentionDays=min((days for days in kept if days), default=None),
            CopiesElsewhere=sum(bool(each.get("CopyActions")) for each in rules),
        ),
    }


def _plans(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("backup", region), "list_backup_plans", "BackupPlansList", 100):
        yield [each["BackupPlanId"] for each in page]


_AT_PLAN = ("requestParameters.backupPlanId", "responseElements.backupPlanId")
_OF_PLAN = ("Observed.Rules", "Observed.ShortestRetentionDays", "Observed.CopiesElsewhere")

BACKUP_PLAN = Reader(
    type="AWS::Backup::BackupPlan",
    responder="data",
    arn="arn:{partition}:backup:{region}:{account}:backup-plan:{identifier}",
    parts=(
        Part(gives=("BackupPlanId", *_OF_PLAN), calls={"backup.GetBackupPlan": "backup:GetBackupPlan"}, read=_plan),
        _TAGS,
    ),
    touches=(
        Touch(_SOURCE, ("CreateBackupPlan",), _AT_PLAN[1:], EVERYTHING),
        Touch(_SOURCE, ("DeleteBackupPlan",), _AT_PLAN, EVERYTHING),
        Touch(_SOURCE, ("UpdateBackupPlan",), _AT_PLAN, _OF_PLAN),
        Touch(_SOURCE, ("CreateBackupSelection", "DeleteBackupSelection"), _AT_PLAN[:1]),
        Touch(_SOURCE, ("TagResource", "UntagResource"), _TAGGED, ("Tags",)),
    ),
    inventory=Inventory(calls={"backup.ListBackupPlans": "backup:ListBackupPlans"}, pages=_plans),
)

READERS: tuple[Reader, ...] = (BACKUP_VAULT, BACKUP_PLAN)
