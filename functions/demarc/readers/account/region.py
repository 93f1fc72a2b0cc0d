"""What holds for a Region of an account as a whole: which services watch it, what EC2 and others may do by default, and
whom the registry of images and the data catalog let in, of which there is one each.

No type of CloudFormation's: most of it is the state of a service, and not a thing that somebody made. So a service that
was switched off, and one that never was on, look alike and are found alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError

from demarc.core.model import Resource
from demarc.core.touch import Touch
from demarc.readers import UNREAD, Clients, Inventory, Part, Reader
from demarc.readers.answers import configured, document, pages, present

Answer = Mapping[str, Any]
_Read = Callable[[Clients, Resource], Answer]

_ACCOUNT = ("account",)


def _guardduty(clients: Clients, resource: Resource) -> Answer:
    ids = clients("guardduty", resource.region).list_detectors()["DetectorIds"]
    return {"Observed": {"Detectors": len(ids)}}


def _macie(clients: Clients, resource: Resource) -> Answer:
    """An account that does not use Macie is refused, in words of its own."""
    client = clients("macie2", resource.region)
    session = _unless_off(client, "get_macie_session")
    discovery = _unless_off(client, "get_automated_discovery_configuration") if session else {}
    return {
        "Observed": {
            "Macie": session.get("status", "OFF"),
            "MacieAutomatedDiscovery": discovery.get("status", "DISABLED"),
        }
    }


def _unless_off(client: Any, method: str) -> Answer:
    try:
        answer: Answer = getattr(client, method)()
    except ClientError as error:
        if "not enabled" in error.response["Error"].get("Message", "").lower():
            return {}
        raise
    return answer


def _inspector(clients: Clients, resource: Resource) -> Answer:
    found = clients("inspector2", resource.region).batch_get_account_status(accountIds=[resource.account])["accounts"]
    state = found[0].get("resourceState", {}) if found else {}
    return {"Observed": {"Inspector": {kind: each.get("status") for kind, each in sorted(state.items())}}}


def _config(clients: Clients, resource: Resource) -> Answer:
    config = clients("config", resource.region)
    recorders = config.describe_configuration_recorders().get("ConfigurationRecorders", ())
    statuses = config.describe_configuration_recorder_status().get("ConfigurationRecordersStatus", ())
    channels = config.describe_delivery_channels().get("DeliveryChannels", ())
    recording = {each["name"]: each.get("recording", False) for each in statuses}
    return {
        "Observed": {
            "Recorders": [
                {
                    "Name": each["name"],
                    "Recording": recording.get(each["name"], False),
                    "Everything": each.get("recordingGroup", {}).get("allSupported", False),
                    "ServiceLinkedRole": "/aws-service-role/" in each.get("roleARN", ""),
                }
                for each in recorders
            ],
            "DeliveryChannels": len(channels),
        }
    }


def _security_hub(clients: Clients, resource: Resource) -> Answer:
    found = configured(
        clients("securityhub", resource.region),
        "describe_hub",
        ("InvalidAccessException", "ResourceNotFoundException"),
    )
    return {"Observed": {"SecurityHub": bool(found.get("HubArn"))}}


def _analyzers(clients: Clients, resource: Resource) -> Answer:
    pages = clients("accessanalyzer", resource.region).get_paginator("list_analyzers").paginate()
    active = [each["type"] for page in pages for each in page["analyzers"] if each.get("status") == "ACTIVE"]
    return {"Observed": {"Analyzers": sorted(active)}}


def _ec2(method: str, give: str, answer: Callable[[Answer], Any]) -> _Read:
    def read(clients: Clients, resource: Resource) -> Answer:
        return {"Observed": present(**{give: answer(getattr(clients("ec2", resource.region), method)())})}

    return read


def _emr(clients: Clients, resource: Resource) -> Answer:
    found = clients("emr", resource.region).get_block_public_access_configuration()
    blocked = found["BlockPublicAccessConfiguration"].get("BlockPublicSecurityGroupRules", False)
    return {"Observed": {"EmrBlocksPublicAccess": blocked}}


def _documents(clients: Clients, resource: Resource) -> Answer:
    found = _setting(clients, resource, "/ssm/documents/console/public-sharing-permission")
    if found is None:
        return {UNREAD: {"Observed.DocumentsMayBePublic": _NO_SETTING}}
    return {"Observed": {"DocumentsMayBePublic": found.get("SettingValue", "").lower() != "disable"}}


def _automation(clients: Clients, resource: Resource) -> Answer:
    found = _setting(clients, resource, "/ssm/automation/customer-script-log-destination")
    if found is None:
        return {UNREAD: {"Observed.AutomationLogs": _NO_SETTING}}
    return {"Observed": present(AutomationLogs=found.get("SettingValue") or None)}


# Of a setting that AWS has not brought to the Region it is not known what holds there.
_NO_SETTING = "Systems Manager does not know the setting in this Region"


def _setting(clients: Clients, resource: Resource, name: str) -> Answer | None:
    found = configured(
        clients("ssm", resource.region), "get_service_setting", ("ServiceSettingNotFound",), SettingId=name
    )
    setting: Answer | None = found.get("ServiceSetting")
    return setting


def _models(clients: Clients, resource: Resource) -> Answer:
    """Where Bedrock writes down what models are asked and what they answer."""
    found = clients("bedrock", resource.region).get_model_invocation_logging_configuration()
    logging = found.get("loggingConfig", {})
    kept_in = {"CloudWatch": "cloudWatchConfig", "S3": "s3Config"}
    return {"Observed": {"ModelInvocationLogs": [place for place, config in kept_in.items() if logging.get(config)]}}


def _registry_policy(clients: Clients, resource: Resource) -> Answer:
    """Whom the registry of images lets in as a whole, besides what each repository says."""
    client = clients("ecr", resource.region)
    found = configured(client, "get_registry_policy", ("RegistryPolicyNotFoundException",))
    return {"Observed": present(ImageRegistryPolicy=document(found.get("policyText")))}


def _image_scanning(clients: Clients, resource: Resource) -> Answer:
    found = clients("ecr", resource.region).get_registry_scanning_configuration()
    rules = found.get("scanningConfiguration", {}).get("rules", ())
    return {
        "Observed": {
            "ImageScanning": [
                {
                    "Frequency": each["scanFrequency"],
                    "Repositories": [pattern["filter"] for pattern in each["repositoryFilters"]],
                }
                for each in rules
            ]
        }
    }


def _image_copies(clients: Clients, resource: Resource) -> Answer:
    """To which accounts and Regions images are copied as they are pushed."""
    found = clients("ecr", resource.region).describe_registry()
    rules = found.get("replicationConfiguration", {}).get("rules", ())
    return {
        "Observed": {
            "ImageCopies": [
                {"Account": each["registryId"], "Region": each["region"]}
                for rule in rules
                for each in rule["destinations"]
            ]
        }
    }


def _catalog_encryption(clients: Clients, resource: Resource) -> Answer:
    """Catalogs have the id of their account (AWS Glue API Reference, "GetDataCatalogEncryptionSettings")."""
    found = clients("glue", resource.region).get_data_catalog_encryption_settings(CatalogId=resource.account)
    settings = found.get("DataCatalogEncryptionSettings", {})
    passwords = settings.get("ConnectionPasswordEncryption", {})
    return {
        "Observed": {
            "CatalogEncryption": settings.get("EncryptionAtRest", {}).get("CatalogEncryptionMode", "DISABLED"),
            "ConnectionPasswordsEncrypted": passwords.get("ReturnConnectionPasswordEncrypted", False),
        }
    }


def _catalog_policy(clients: Clients, resource: Resource) -> Answer:
    """What the catalog's own policy says and those that AWS RAM writes for what is shared of it, as one.

    AWS Glue API Reference, "GetResourcePolicies": where the catalog is encrypted with a key that we may not use, its
    own policy is not told.
    """
    try:
        listed = pages(clients("glue", resource.region), "get_resource_policies", "GetResourcePoliciesResponseList")
        policies = [document(each.get("PolicyInJson")) or {} for page in listed for each in page]
    except ClientError as error:
        if error.response["Error"]["Code"] != "GlueEncryptionException":
            raise
        return {UNREAD: {"Observed.CatalogPolicy": "the key of the catalog does not let us decrypt (kms:Decrypt)"}}
    statements = [statement for each in policies for statement in _statements(each.get("Statement", []))]
    return {"Observed": present(CatalogPolicy={"Statement": statements} if policies else None)}


def _statements(said: Any) -> list[Any]:
    return said if isinstance(said, list) else [said]


def _itself(_clients: Clients, account: str, _region: str) -> Iterator[Sequence[str]]:
    yield (account,)


# Services that botocore's endpoints do not have in every Region: where one is not, its name leads nowhere. That the
# others cannot be reached is a fault that passes, and rises.
_NOT_EVERYWHERE = {
    "accessanalyzer": "IAM Access Analyzer",
    "bedrock": "Bedrock",
    "glue": "Glue",
    "guardduty": "GuardDuty",
    "inspector2": "Inspector",
    "macie2": "Macie",
    "securityhub": "Security Hub",
}


def _part(read: _Read, *gives: str, **calls: str) -> Part:
    """A part that asks one service, named in each of its calls: `macie2_GetMacieSession`."""
    operations = {operation.replace("_", ".", 1): action for operation, action in calls.items()}
    observed = tuple(f"Observed.{name}" for name in gives)
    service = next(iter(operations)).partition(".")[0]
    where_it_is = _unless_nowhere(read, observed, _NOT_EVERYWHERE[service]) if service in _NOT_EVERYWHERE else read
    return Part(gives=observed, calls=operations, read=where_it_is)


def _unless_nowhere(read: _Read, gives: Sequence[str], service: str) -> _Read:
    """What a part reads; all of it unread where the service is not in the Region."""

    def reading(clients: Clients, resource: Resource) -> Answer:
        try:
            return read(clients, resource)
        except EndpointConnectionError:
            return {UNREAD: dict.fromkeys(gives, f"{service} does not answer in this Region")}

    return reading


def _touch(source: str, names: Sequence[str], *sets: str) -> Touch:
    return Touch(f"{source}.amazonaws.com", tuple(names), _ACCOUNT, tuple(f"Observed.{name}" for name in sets))


REGION = Reader(
    type="AWS::Account::Region",
    responder="visibility",
    arn="arn:{partition}:account:{region}:{identifier}:region",
    parts=(
        _part(_guardduty, "Detectors", guardduty_ListDetectors="guardduty:ListDetectors"),
        _part(
            _macie,
            *("Macie", "MacieAutomatedDiscovery"),
            macie2_GetMacieSession="macie2:GetMacieSession",
            macie2_GetAutomatedDiscoveryConfiguration="macie2:GetAutomatedDiscoveryConfiguration",
        ),
        _part(_inspector, "Inspector", inspector2_BatchGetAccountStatus="inspector2:BatchGetAccountStatus"),
        _part(
            _config,
            *("Recorders", "DeliveryChannels"),
            config_DescribeConfigurationRecorders="config:DescribeConfigurationRecorders",
            config_DescribeConfigurationRecorderStatus="config:DescribeConfigurationRecorderStatus",
            config_DescribeDeliveryChannels="config:DescribeDeliveryChannels",
        ),
        _part(_security_hub, "SecurityHub", securityhub_DescribeHub="securityhub:DescribeHub"),
        _part(_analyzers, "Analyzers", accessanalyzer_ListAnalyzers="access-analyzer:ListAnalyzers"),
        _part(
            _ec2(
                "describe_vpc_block_public_access_options",
                "VpcBlockPublicAccess",
                lambda found: found["VpcBlockPublicAccessOptions"].get("InternetGatewayBlockMode"),
            ),
            "VpcBlockPublicAccess",
            ec2_DescribeVpcBlockPublicAccessOptions="ec2:DescribeVpcBlockPublicAccessOptions",
        ),
        _part(
            _ec2(
                "get_snapshot_block_public_access_state", "SnapshotBlockPublicAccess", lambda found: found.get("State")
            ),
            "SnapshotBlockPublicAccess",
            ec2_GetSnapshotBlockPublicAccessState="ec2:GetSnapshotBlockPublicAccessState",
        ),
        _part(
            _ec2(
                "get_image_block_public_access_state",
                "ImageBlockPublicAccess",
                lambda found: found.get("ImageBlockPublicAccessState"),
            ),
            "ImageBlockPublicAccess",
            ec2_GetImageBlockPublicAccessState="ec2:GetImageBlockPublicAccessState",
        ),
        _part(
            _ec2(
                "get_serial_console_access_status",
                "SerialConsoleAccess",
                lambda found: found.get("SerialConsoleAccessEnabled"),
            ),
            "SerialConsoleAccess",
            ec2_GetSerialConsoleAccessStatus="ec2:GetSerialConsoleAccessStatus",
        ),
        _part(
            _ec2(
                "get_instance_metadata_defaults",
                "MetadataDefaultTokens",
                lambda found: found.get("AccountLevel", {}).get("HttpTokens"),
            ),
            "MetadataDefaultTokens",
            ec2_GetInstanceMetadataDefaults="ec2:GetInstanceMetadataDefaults",
        ),
        _part(
            _emr,
            "EmrBlocksPublicAccess",
            emr_GetBlockPublicAccessConfiguration="elasticmapreduce:GetBlockPublicAccessConfiguration",
        ),
        _part(_documents, "DocumentsMayBePublic", ssm_GetServiceSetting="ssm:GetServiceSetting"),
        _part(_automation, "AutomationLogs", ssm_GetServiceSetting="ssm:GetServiceSetting"),
        _part(
            _models,
            "ModelInvocationLogs",
            bedrock_GetModelInvocationLoggingConfiguration="bedrock:GetModelInvocationLoggingConfiguration",
        ),
        _part(_registry_policy, "ImageRegistryPolicy", ecr_GetRegistryPolicy="ecr:GetRegistryPolicy"),
        _part(
            _image_scanning,
            "ImageScanning",
            ecr_GetRegistryScanningConfiguration="ecr:GetRegistryScanningConfiguration",
        ),
        _part(_image_copies, "ImageCopies", ecr_DescribeRegistry="ecr:DescribeRegistry"),
        _part(
            _catalog_encryption,
            *("CatalogEncryption", "ConnectionPasswordsEncrypted"),
            glue_GetDataCatalogEncryptionSettings="glue:GetDataCatalogEncryptionSettings",
        ),
        _part(_catalog_policy, "CatalogPolicy", glue_GetResourcePolicies="glue:GetResourcePolicies"),
    ),
    touches=(
        _touch("guardduty", ("CreateDetector", "DeleteDetector"), "Detectors"),
        _touch(
            "macie2",
            (
                *("EnableMacie", "DisableMacie", "UpdateMacieSession", "UpdateAutomatedDiscoveryConfiguration"),
                *("DisassociateFromAdministratorAccount", "DisassociateFromMasterAccount"),
            ),
            *("Macie", "MacieAutomatedDiscovery"),
        ),
        _touch(
            "inspector2",
            ("Enable", "Disable", "UpdateConfiguration", "UpdateEc2DeepInspectionConfiguration"),
            "Inspector",
        ),
        _touch(
            "config",
            (
                *("PutConfigurationRecorder", "DeleteConfigurationRecorder", "StartConfigurationRecorder"),
                *("StopConfigurationRecorder", "PutDeliveryChannel", "DeleteDeliveryChannel"),
            ),
            *("Recorders", "DeliveryChannels"),
        ),
        _touch(
            "securityhub",
            (
                *("EnableSecurityHub", "DisableSecurityHub", "UpdateSecurityHubConfiguration"),
                *("BatchDisableStandards", "BatchEnableStandards", "DisassociateFromAdministratorAccount"),
            ),
            "SecurityHub",
        ),
        _touch(
            "access-analyzer",
            (
                *("CreateAnalyzer", "DeleteAnalyzer", "UpdateAnalyzer"),
                # Those that a service keeps for itself are listed with the others.
                *("CreateServiceLinkedAnalyzer", "DeleteServiceLinkedAnalyzer"),
            ),
            "Analyzers",
        ),
        _touch("ec2", ("ModifyVpcBlockPublicAccessOptions",), "VpcBlockPublicAccess"),
        _touch(
            "ec2",
            ("EnableSnapshotBlockPublicAccess", "DisableSnapshotBlockPublicAccess"),
            "SnapshotBlockPublicAccess",
        ),
        _touch("ec2", ("EnableImageBlockPublicAccess", "DisableImageBlockPublicAccess"), "ImageBlockPublicAccess"),
        _touch("ec2", ("EnableSerialConsoleAccess", "DisableSerialConsoleAccess"), "SerialConsoleAccess"),
        _touch("ec2", ("ModifyInstanceMetadataDefaults",), "MetadataDefaultTokens"),
        _touch("elasticmapreduce", ("PutBlockPublicAccessConfiguration",), "EmrBlocksPublicAccess"),
        _touch("ssm", ("UpdateServiceSetting", "ResetServiceSetting"), "DocumentsMayBePublic", "AutomationLogs"),
        _touch(
            "bedrock",
            ("PutModelInvocationLoggingConfiguration", "DeleteModelInvocationLoggingConfiguration"),
            "ModelInvocationLogs",
        ),
        _touch("ecr", ("PutRegistryPolicy", "DeleteRegistryPolicy"), "ImageRegistryPolicy"),
        _touch("ecr", ("PutRegistryScanningConfiguration",), "ImageScanning"),
        _touch("ecr", ("PutReplicationConfiguration",), "ImageCopies"),
        _touch("glue", ("PutDataCatalogEncryptionSettings",), "CatalogEncryption", "ConnectionPasswordsEncrypted"),
        _touch("glue", ("PutResourcePolicy", "DeleteResourcePolicy"), "CatalogPolicy"),
    ),
    inventory=Inventory(calls={}, pages=_itself),
)

READERS: tuple[Reader, ...] = (REGION,)
