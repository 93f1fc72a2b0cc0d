"""What holds for a whole account: settings that exist once, or once per Region. AWS::::Account is AWS Config's word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from demarc.core.change import Touch
from demarc.core.model import Resource
from demarc.readers import Clients, Part, Reader

Answer = Mapping[str, Any]
_ACCOUNT = ("account",)

# Where the partition keeps what exists once (IAM User Guide, "IAM endpoints"): the same place for every Region of it.
_HOME_REGIONS = {
    "cn": "cn-north-1",
    "eu-isoe": "eu-isoe-west-1",
    "eusc": "eusc-de-east-1",
    "us-gov": "us-gov-west-1",
    "us-iso": "us-iso-east-1",
    "us-isob": "us-isob-east-1",
    "us-isof": "us-isof-south-1",
}


def home_region(region: str) -> str:
    """The Region that answers for the global services of a Region's partition."""
    return next((home for prefix, home in _HOME_REGIONS.items() if region.startswith(f"{prefix}-")), "us-east-1")


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
    return {"Observed": {"AccountSummary": answer["SummaryMap"]}}


def _ebs_encryption(clients: Clients, resource: Resource) -> Answer:
    answer = clients("ec2", resource.region).get_ebs_encryption_by_default()
    return {"Observed": {"EbsEncryptionByDefault": answer["EbsEncryptionByDefault"]}}


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


def _trails(clients: Clients, resource: Resource) -> Answer:
    """Every trail that records this account here, with what it selects and whether it logs."""
    trails = clients("cloudtrail", resource.region).describe_trails(includeShadowTrails=True)["trailList"]
    return {"Observed": {"Trails": [seen for trail in trails if (seen := _seen(clients, trail))]}}


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
        "IsLogging": status["IsLogging"],
        "EventSelectors": selectors.get("EventSelectors", []),
        "AdvancedEventSelectors": selectors.get("AdvancedEventSelectors", []),
    }


def _observed(name: str, read: Any, **calls: str) -> Part:
    service = {operation.replace("_", "."): action for operation, action in calls.items()}
    return Part(gives=(f"Observed.{name}",), calls=service, read=read)


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
        _observed(
            "Trails",
            _trails,
            cloudtrail_DescribeTrails="cloudtrail:DescribeTrails",
            cloudtrail_GetEventSelectors="cloudtrail:GetEventSelectors",
            cloudtrail_GetTrailStatus="cloudtrail:GetTrailStatus",
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
            ("Observed.AccountSummary",),
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
)

READERS = (ACCOUNT,)
