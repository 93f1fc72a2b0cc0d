"""Where a resource is in the AWS console."""

from __future__ import annotations

import re
from urllib.parse import quote

from demarc.core.model import Resource

# Partition -> host; the Region comes before it (AWS Management Console Getting Started Guide, "Regional endpoints").
_HOSTS = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d+")
# The console's own addresses; what stands in braces is percent-encoded.
_PAGES = {
    "AWS::CloudTrail::Trail": "{regional}/cloudtrailv2/home?region={region}#/trails/{arn}",
    "AWS::EC2::Instance": "{regional}/ec2/home?region={region}#InstanceDetails:instanceId={identifier}",
    "AWS::EC2::SecurityGroup": "{regional}/ec2/home?region={region}#SecurityGroup:groupId={identifier}",
    "AWS::IAM::Group": "{everywhere}/iam/home#/groups/details/{identifier}",
    "AWS::IAM::ManagedPolicy": "{everywhere}/iam/home#/policies/details/{arn}",
    "AWS::IAM::Role": "{everywhere}/iam/home#/roles/details/{identifier}",
    "AWS::IAM::User": "{everywhere}/iam/home#/users/details/{identifier}",
    "AWS::KMS::Key": "{regional}/kms/home?region={region}#/kms/keys/{identifier}",
    "AWS::RDS::DBInstance": "{regional}/rds/home?region={region}#database:id={identifier};is-cluster=false",
    "AWS::S3::Bucket": "{regional}/s3/buckets/{identifier}?region={region}",
}
_HOME = "{regional}/console/home?region={region}"


def console_url(resource: Resource) -> str | None:
    """The address of a resource's page in the console, or of its Region's where the type has none here.

    None where Region or partition are not such: a name from an event must not choose the host of a link.
    """
    partition = resource.arn.split(":")[1] if resource.arn.count(":") >= 5 else "aws"
    host = _HOSTS.get(partition)
    if host is None or not _REGION.fullmatch(resource.region):
        return None
    return _PAGES.get(resource.type, _HOME).format(
        regional=f"https://{resource.region}.{host}",
        everywhere=f"https://{host}",
        region=resource.region,
        identifier=quote(resource.identifier, safe=""),
        arn=quote(resource.arn, safe=""),
    )
