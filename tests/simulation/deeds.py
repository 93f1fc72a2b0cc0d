"""What people do to their accounts, through boto3: well, carelessly, and the mending of it."""

from __future__ import annotations

import json
from typing import Any

from tests.simulation.cloud import client
from tests.simulation.trail import Person

BLOCKED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
OWNED = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
WORLD = {"IpProtocol": "tcp", "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
IMAGE = "ami-03cf127a"


def tags(**named: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in named.items()]


# --- buckets ----------------------------------------------------------------------------------------------------------


def make_bucket(who: Person, name: str, **tagged: str) -> None:
    """A bucket as S3 makes them since April 2023, closed and with access lists off; moto still makes the old kind."""
    s3 = who.client("s3")
    s3.create_bucket(Bucket=name)
    unrecorded = client("s3", who.region)
    unrecorded.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=BLOCKED)
    unrecorded.put_bucket_ownership_controls(Bucket=name, OwnershipControls=OWNED)
    if tagged:
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags(**tagged)})


def harden_bucket(who: Person, name: str, *, logs: str) -> None:
    """All that the matrix asks of a bucket."""
    s3 = who.client("s3")
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(bucket_policy(name)))
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    by_default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [by_default]})
    expiry = {"ID": "old", "Status": "Enabled", "Filter": {}, "NoncurrentVersionExpiration": {"NoncurrentDays": 90}}
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [expiry]})
    where = {"TargetBucket": logs, "TargetPrefix": f"{name}/"}
    s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={"LoggingEnabled": where})


def make_log_bucket(name: str, region: str) -> None:
    """A bucket that was there before the story begins: S3's log delivery may write into it."""
    s3 = client("s3", region)
    s3.create_bucket(Bucket=name)
    delivery = {
        "Sid": "Logs",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{name}/*",
    }
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [delivery]}))


def publish_bucket(who: Person, name: str) -> None:
    """Let everybody read it: off with the block, on with the policy."""
    s3 = who.client("s3")
    s3.delete_public_access_block(Bucket=name)
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(bucket_policy(name, public=True)))


def withdraw_bucket(who: Person, name: str) -> None:
    """Take that back."""
    s3 = who.client("s3")
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(bucket_policy(name)))
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=BLOCKED)


def bucket_policy(name: str, *, public: bool = False) -> dict[str, Any]:
    """A policy that refuses plain HTTP, and lets everybody read if asked."""
    both = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    http = {"Bool": {"aws:SecureTransport": "false"}}
    refused = {"Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": both}
    shown = {"Sid": "Show", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": both[1]}
    return {"Version": "2012-10-17", "Statement": [{**refused, "Condition": http}, *([shown] if public else [])]}


# --- networks and machines --------------------------------------------------------------------------------------------


def make_group(who: Person, name: str, **tagged: str) -> str:
    """A security group that lets nobody in; its id."""
    ec2 = who.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    named = [{"ResourceType": "security-group", "Tags": tags(**tagged)}] if tagged else []
    made = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc, TagSpecifications=named)
    return str(made["GroupId"])


def open_port(who: Person, group: str, port: int = 22) -> None:
    """Let the world in."""
    rule = {**WORLD, "FromPort": port, "ToPort": port}
    who.client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])


def close_port(who: Person, group: str, port: int = 22) -> None:
    rule = {**WORLD, "FromPort": port, "ToPort": port}
    who.client("ec2").revoke_security_group_ingress(GroupId=group, IpPermissions=[rule])


def delete_group(who: Person, group: str) -> None:
    who.client("ec2").delete_security_group(GroupId=group)


def run_instance(who: Person, *, tokens: str, profile: str | None = None, **tagged: str) -> str:
    """One instance; `tokens` is "optional" where the metadata service also answers its first version. Its id."""
    asked: dict[str, Any] = {"IamInstanceProfile": {"Name": profile}} if profile else {}
    if tagged:
        asked["TagSpecifications"] = [{"ResourceType": "instance", "Tags": tags(**tagged)}]
    made = who.client("ec2").run_instances(
        ImageId=IMAGE,
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        MetadataOptions={"HttpTokens": tokens, "HttpEndpoint": "enabled"},
        **asked,
    )
    return str(made["Instances"][0]["InstanceId"])


def require_tokens(who: Person, instance: str, *, tokens: str = "required") -> None:
    who.client("ec2").modify_instance_metadata_options(InstanceId=instance, HttpTokens=tokens)


# --- identity ---------------------------------------------------------------------------------------------------------


def make_role(who: Person, name: str, *, trusts: dict[str, str]) -> None:
    """A role that a principal may assume."""
    trust = {"Effect": "Allow", "Principal": trusts, "Action": "sts:AssumeRole"}
    who.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))


def allow_role(who: Person, role: str, *, actions: list[str]) -> None:
    """Let a role do something, to everything."""
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    who.client("iam").put_role_policy(RoleName=role, PolicyName="work", PolicyDocument=policy(statement))


def make_instance_profile(who: Person, role: str) -> None:
    """What gives a role to instances, under the role's name."""
    iam = who.client("iam")
    iam.create_instance_profile(InstanceProfileName=role)
    iam.add_role_to_instance_profile(InstanceProfileName=role, RoleName=role)


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


# --- accounts and everything else -------------------------------------------------------------------------------------


def settle_account(region: str) -> None:
    """What was there before the story begins: most of what the matrix asks of an account as a whole."""
    client("iam", "us-east-1").update_account_password_policy(
        MinimumPasswordLength=16,
        RequireSymbols=True,
        RequireNumbers=True,
        RequireUppercaseCharacters=True,
        RequireLowercaseCharacters=True,
        MaxPasswordAge=90,
        PasswordReusePrevention=24,
    )
    client("ec2", region).enable_ebs_encryption_by_default()
    client("account", "us-east-1").put_alternate_contact(
        AlternateContactType="SECURITY",
        EmailAddress="security-engineering@fjordline.example",
        Name="Security Engineering",
        PhoneNumber="+47 00 00 00 00",
        Title="Security Engineering",
    )


def make_trail(who: Person, name: str, bucket: str) -> None:
    """A trail that records every Region's management events, and runs."""
    cloudtrail = who.client("cloudtrail")
    cloudtrail.create_trail(
        Name=name,
        S3BucketName=bucket,
        IsMultiRegionTrail=True,
        IncludeGlobalServiceEvents=True,
        EnableLogFileValidation=True,
    )
    everything = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}
    cloudtrail.put_event_selectors(TrailName=name, EventSelectors=[everything])
    cloudtrail.start_logging(Name=name)


def make_database(who: Person, name: str, **tagged: str) -> None:
    """A database that anybody may try to reach, and whose disks are in the clear."""
    who.client("rds").create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t4g.medium",
        Engine="postgres",
        EngineVersion="16.4",
        AllocatedStorage=20,
        MasterUsername="vault",
        MasterUserPassword="correct horse battery staple",
        PubliclyAccessible=True,
        StorageEncrypted=False,
        Tags=tags(**tagged),
    )


def make_key(who: Person, description: str, **tagged: str) -> str:
    """A key that is renewed every year; its id."""
    kms = who.client("kms")
    named = [{"TagKey": key, "TagValue": value} for key, value in tagged.items()]
    key = str(kms.create_key(Description=description, Tags=named)["KeyMetadata"]["KeyId"])
    kms.enable_key_rotation(KeyId=key)
    return key


def schedule_key_deletion(who: Person, key: str) -> None:
    who.client("kms").schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
