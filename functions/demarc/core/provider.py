"""What is in the account and is AWS's to keep: no control on it is ours to meet, and nobody here is asked to mend it.

AWS makes, changes and owns these; most cannot be changed by a customer at all. The rows are facts about AWS, with the
page that states each; they are no part of the matrix, since no customer can decide otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from demarc.core.snapshot import Snapshot, property_of

# Paths that are facts of the resource itself; everything else is asked of the snapshot.
_OF_THE_RESOURCE = ("arn", "identifier")


@dataclass(frozen=True, slots=True)
class Keeping:
    """Resources of a type that AWS keeps: those whose `path` holds what the shell-style `pattern` matches.

    `path` is `arn`, `identifier` or a path of the snapshot. `because` completes "AWS keeps it: ".
    """

    path: str
    pattern: str
    because: str


KEPT: Mapping[str, tuple[Keeping, ...]] = {
    "AWS::IAM::ManagedPolicy": (
        # IAM User Guide, "Managed policies and inline policies": AWS creates and administers them.
        Keeping("arn", "arn:*:iam::aws:policy/*", "it is a policy that AWS wrote and only AWS can change"),
    ),
    "AWS::IAM::Role": (
        # IAM User Guide, "Service-linked roles": the service defines their permissions and trust.
        Keeping(
            "arn",
            "arn:*:iam::*:role/aws-service-role/*",
            "it is a service-linked role, whose trust and permissions the service defines",
        ),
    ),
    "AWS::IAM::SAMLProvider": (
        # IAM Identity Center User Guide, "Using service-linked roles for IAM Identity Center": its role makes and
        # changes them in each account that people are assigned to.
        Keeping(
            "identifier",
            "arn:*:iam::*:saml-provider/AWSSSO_*_DO_NOT_DELETE",
            "it is the provider that IAM Identity Center makes in each of its accounts",
        ),
    ),
    "AWS::Organizations::Policy": (
        # AWS Organizations User Guide, "Service control policies": FullAWSAccess, which is attached to begin with.
        Keeping("AwsManaged", "True", "it is a policy that AWS wrote and only AWS can change"),
    ),
    "AWS::Backup::BackupVault": (
        # AWS Backup Developer Guide, "Automatic backups of Amazon EFS": the vault that EFS makes for them.
        Keeping("identifier", "aws/efs/automatic-backup-vault", "it is the vault that EFS makes for its own backups"),
    ),
    "AWS::EC2::Image": (
        # Nobody's image is listed but ours; an event may name one that AWS publishes.
        Keeping("Observed.OwnerId", "amazon", "it is an image that AWS publishes"),
    ),
    "AWS::EC2::NetworkInterface": (
        # Amazon EC2 User Guide, "Requester-managed network interfaces": they cannot be changed by a customer.
        Keeping(
            "Observed.RequesterManaged", "True", "it is an interface that a service made and that only it can change"
        ),
    ),
    "AWS::EC2::PrefixList": (
        # Amazon VPC User Guide, "AWS-managed prefix lists": they cannot be created, modified, shared or deleted.
        Keeping("OwnerId", "AWS", "it is a prefix list of a service of AWS, which only AWS can change"),
    ),
    "AWS::EC2::VPCEndpoint": (
        # AWS PrivateLink Guide, "Requester-managed VPC endpoints".
        Keeping(
            "Observed.RequesterManaged", "True", "it is an endpoint that a service made and that only it can change"
        ),
    ),
    "AWS::EKS::AccessEntry": (
        # Amazon EKS User Guide, "Using service-linked roles for Amazon EKS": EKS lets its own role in.
        Keeping(
            "PrincipalArn",
            "arn:*:iam::*:role/aws-service-role/*",
            "it lets in a service-linked role, by which EKS runs the cluster",
        ),
    ),
    "AWS::KMS::Key": (
        # AWS KMS Developer Guide, "AWS managed keys": their policies, rotation and deletion cannot be changed.
        Keeping("Observed.KeyManager", "AWS", "it is an AWS managed key, which a customer cannot change or share"),
    ),
    "AWS::RDS::DBClusterParameterGroup": (
        # Amazon Aurora User Guide, "Working with parameter groups": a default group cannot be changed.
        Keeping("identifier", "default.*", "it is the default group of its family, which a customer cannot change"),
    ),
    "AWS::RDS::DBParameterGroup": (
        # Amazon RDS User Guide, "Working with parameter groups": a default group cannot be changed.
        Keeping("identifier", "default.*", "it is the default group of its family, which a customer cannot change"),
    ),
    "AWS::RDS::OptionGroup": (
        # Amazon RDS User Guide, "Working with option groups": a default group is empty, and cannot be changed.
        Keeping("identifier", "default:*", "it is the default group of its engine, which a customer cannot change"),
    ),
    "AWS::SSM::Document": (
        # AWS Systems Manager User Guide, "Documents": those of Amazon are public by design.
        Keeping("Observed.Owner", "Amazon", "it is a document that AWS publishes"),
    ),
    "AWS::SecretsManager::Secret": (
        # AWS Secrets Manager User Guide, "Secrets managed by other AWS services": the service rotates them.
        Keeping("Observed.OwningService", "?*", "it is a secret that another service of AWS made, renews and deletes"),
    ),
    "AWS::WAFv2::WebACL": (
        Keeping(
            "Observed.ManagedByFirewallManager", "True", "it is a web ACL that Firewall Manager makes and changes back"
        ),
    ),
}


def kept_by_provider(snapshot: Snapshot) -> str | None:
    """Why a resource is AWS's to keep; None where it is ours, also where what would tell could not be read."""
    for each in KEPT.get(snapshot.resource.type, ()):
        if each.path in _OF_THE_RESOURCE:
            value = getattr(snapshot.resource, each.path)
        elif property_of(each.path) in snapshot.read:
            value = snapshot[each.path]
        else:
            continue
        if value is not None and fnmatchcase(str(value), each.pattern):
            return f"AWS keeps it: {each.because}"
    return None


def asked_of(resource_type: str) -> frozenset[str]:
    """The snapshot properties that tell whether AWS keeps a resource of a type."""
    return frozenset(
        property_of(each.path) for each in KEPT.get(resource_type, ()) if each.path not in _OF_THE_RESOURCE
    )
