"""What holds for a whole account: settings that exist once, or once per Region. AWS::::Account is AWS Config's word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from demarc.core.arn import partition_of
from demarc.core.model import Resource
from demarc.core.touch import Touch
from demarc.readers import Clients, Inventory, Part, Reader, home_region
from demarc.readers.answers import present

Answer = Mapping[str, Any]
_ACCOUNT = ("account",)


def _public_access_block(clients: Clients, resource: Resource) -> Answer:
    try:
        answer = clients("s3control", resource.region).get_public_access_block(AccountId=resource.account)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchPublicAccessBlockConfiguration":
            return {}
        raise
    return {"Observed": {"PublicAccessBlock": answer["PublicAccessBlockConfiguration"]}}


def _password_policy(clients: Clients, resource: Resource) -> Answer:
    try:
        answer = clients("iam", home_region(resource.region)).get_account_password_policy()
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchEntity":
            return {}
        raise
    return {"Observed": {"PasswordPolicy": answer["PasswordPolicy"]}}


def _summary(clients: Clients, resource: Resource) -> Answer:
    answer = clients("iam", home_region(resource.region)).get_account_summary()
    return {"Observed": present(AccountSummary=answer.get("SummaryMap"))}


def _ebs_encryption(clients: Clients, resource: Resource) -> Answer:
    answer = clients("ec2", resource.region).get_ebs_encryption_by_default()
    return {"Observed": {"EbsEncryptionByDefault": answer.get("EbsEncryptionByDefault", False)}}


def _security_contact(clients: Clients, resource: Resource) -> Answer:
    account = clients("account", home_region(resource.region))
    try:
        contact = account.get_alternate_contact(AlternateContactType="SECURITY")["AlternateContact"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return {}
        raise
    # That there is one is what is asked; names and numbers of people stay where they are.
    return {"Observed": {"SecurityContact": {"Known": bool(contact.get("EmailAddress"))}}}


def _root_device(clients: Clients, resource: Resource) -> Answer:
    """Whether the root user's second factor is an app: devices of root that are things are listed nowhere."""
    pages = clients("iam", home_region(resource.region)).get_paginator("list_virtual_mfa_devices")
    held = [
        each.get("User", {}).get("Arn", "")
        for page in pages.paginate(AssignmentStatus="Assigned")
        for each in page["VirtualMFADevices"]
    ]
    return {"Observed": {"RootMfaIsVirtual": any(arn.endswith(":root") for arn in held)}}


def _support_roles(clients: Clients, resource: Resource) -> Answer:
    partition = partition_of(resource.region)
    pages = clients("iam", home_region(resource.region)).get_paginator("list_entities_for_policy")
    found = pages.paginate(PolicyArn=f"arn:{partition}:iam::aws:policy/AWSSupportAccess", EntityFilter="Role")
    return {"Observed": {"SupportRoles": sum(len(page.get("PolicyRoles", ())) for page in found)}}


def _server_certificates(clients: Clients, resource: Resource) -> Answer:
    """Certificates that IAM keeps, and until when they count; their keys nobody can read."""
    pages = clients("iam", home_region(resource.region)).get_paginator("list_server_certificates").paginate()
    kept = [
        {"Name": each["ServerCertificateName"], "Until": each["Expiration"].isoformat()}
        for page in pages
        for each in page["ServerCertificateMetadataList"]
        if "Expiration" in each
    ]
    return {"Observed": {"ServerCertificates": kept}}


def _organization(clients: Clients, resource: Resource) -> Answer:
    try:
        found = clients("organizations", home_region(resource.region)).describe_organization()["Organization"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "AWSOrganizationsNotInUseException":
            return {"Observed": {"Organization": None}}
        raise
    return {"Observed": {"Organization": found["Id"]}}


def read_trails(clients: Clients, resource: Resource) -> Answer:
    """Every trail that records the account in a resource's Region, with what it selects and whether it logs."""
    trails = clients("cloudtrail", resource.region).describe_trails(includeShadowTrails=True).get("trailList", ())
    return {"Observed": {"Trails": [seen for trail in trails if (seen := _seen(clients, trail))]}}


# What `read_trails` calls.
TRAIL_CALLS: Mapping[str, str] = {
    "cloudtrail.DescribeTrails": "cloudtrail:DescribeTrails",
    "cloudtrail.GetEventSelectors": "cloudtrail:GetEventSelectors",
    "cloudtrail.GetTrailStatus": "cloudtrail:GetTrailStatus",
}


def _seen(clients: Clients, trail: Answer) -> Answer | None:
    """A trail as its home Region knows it, None if it was deleted meanwhile."""
    cloudtrail = clients("cloudtrail", trail["HomeRegion"])
    try:
        selectors = cloudtrail.get_event_selectors(TrailName=trail["TrailARN"])
        status = cloudtrail.get_trail_status(Name=trail["TrailARN"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "TrailNotFoundException":
            return None
        raise
    return {
        "Name": trail["Name"],
        "IsMultiRegionTrail": trail.get("IsMultiRegionTrail", False),
        "IsLogging": status.get("IsLogging", False),
        "EventSelectors": selectors.get("EventSelectors", []),
        "AdvancedEventSelectors": selectors.get("AdvancedEventSelectors", []),
    }


def _observed(name: str, read: Any, **calls: str) -> Part:
    service = {operation.replace("_", "."): action for operation, action in calls.items()}
    return Part(gives=(f"Observed.{name}",), calls=service, read=read)


def _itself(_clients: Clients, account: str, _region: str) -> Iterator[Sequence[str]]:
    yield (account,)


ACCOUNT = Reader(
    type="AWS::::Account",
    responder="visibility",
    arn="arn:{partition}:iam::{identifier}:root",
    parts=(
        _observed(
            "PublicAccessBlock", _public_access_block, s3control_GetPublicAccessBlock="s3:GetAccountPublicAccessBlock"
        ),
        _observed("PasswordPolicy", _password_policy, iam_GetAccountPasswordPolicy="iam:GetAccountPasswordPolicy"),
        _observed("AccountSummary", _summary, iam_GetAccountSummary="iam:GetAccountSummary"),
        _observed(
            "EbsEncryptionByDefault", _ebs_encryption, ec2_GetEbsEncryptionByDefault="ec2:GetEbsEncryptionByDefault"
        ),
        _observed("SecurityContact", _security_contact, account_GetAlternateContact="account:GetAlternateContact"),
        Part(gives=("Observed.Trails",), calls=TRAIL_CALLS, read=read_trails),
        _observed("RootMfaIsVirtual", _root_device, iam_ListVirtualMFADevices="iam:ListVirtualMFADevices"),
        _observed("SupportRoles", _support_roles, iam_ListEntitiesForPolicy="iam:ListEntitiesForPolicy"),
        _observed("ServerCertificates", _server_certificates, iam_ListServerCertificates="iam:ListServerCertificates"),
        _observed(
            "Organization", _organization, organizations_DescribeOrganization="organizations:DescribeOrganization"
        ),
    ),
    touches=(
        Touch(
            "s3.amazonaws.com",
            ("PutAccountPublicAccessBlock", "DeleteAccountPublicAccessBlock"),
            _ACCOUNT,
            ("Observed.PublicAccessBlock",),
        ),
        Touch(
            "iam.amazonaws.com",
            ("UpdateAccountPasswordPolicy", "DeleteAccountPasswordPolicy"),
            _ACCOUNT,
            ("Observed.PasswordPolicy",),
        ),
        # Root's own devices and keys, which only root can change. Of any other caller the ARN names no account, as
        # these calls for a user change nothing here.
        Touch(
            "iam.amazonaws.com",
            ("CreateAccessKey", "DeleteAccessKey", "UpdateAccessKey", "EnableMFADevice", "DeactivateMFADevice"),
            ("userIdentity.arn",),
            ("Observed.AccountSummary", "Observed.RootMfaIsVirtual"),
        ),
        Touch(
            "iam.amazonaws.com",
            # An update gives it another name.
            ("UploadServerCertificate", "DeleteServerCertificate", "UpdateServerCertificate"),
            _ACCOUNT,
            ("Observed.ServerCertificates",),
        ),
        Touch(
            "organizations.amazonaws.com",
            ("LeaveOrganization", "AcceptHandshake", "CreateOrganization", "DeleteOrganization"),
            _ACCOUNT,
            ("Observed.Organization",),
        ),
        Touch(
            "ec2.amazonaws.com",
            ("EnableEbsEncryptionByDefault", "DisableEbsEncryptionByDefault"),
            _ACCOUNT,
            ("Observed.EbsEncryptionByDefault",),
        ),
        Touch(
            "account.amazonaws.com",
            ("PutAlternateContact", "DeleteAlternateContact"),
            _ACCOUNT,
            ("Observed.SecurityContact",),
        ),
        Touch(
            "cloudtrail.amazonaws.com",
            ("CreateTrail", "DeleteTrail", "PutEventSelectors", "StartLogging", "StopLogging", "UpdateTrail"),
            _ACCOUNT,
            ("Observed.Trails",),
        ),
    ),
    inventory=Inventory(calls={}, pages=_itself),
)

READERS = (ACCOUNT,)
