"""Links into the AWS console: they lead to the resource, and nowhere else."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.core.chat.console import console_url
from demarc.core.model import Resource

ACCOUNT = "123456789012"


@pytest.mark.parametrize(
    ("kind", "identifier", "arn", "url"),
    [
        ("AWS::S3::Bucket", "photos", "arn:aws:s3:::photos", "https://eu-west-1.console.aws.amazon.com/s3/buckets/photos?region=eu-west-1"),
        ("AWS::IAM::Role", "a role", "arn:aws:iam::1:role/a", "https://console.aws.amazon.com/iam/home#/roles/details/a%20role"),
        ("AWS::IAM::Group", "admins", "arn:aws:iam::1:group/admins", "https://console.aws.amazon.com/iam/home#/groups/details/admins"),
        ("AWS::EC2::SecurityGroup", "sg-1", "arn:aws-cn:ec2:eu-west-1:1:security-group/sg-1", "https://eu-west-1.console.amazonaws.cn/ec2/home?region=eu-west-1#SecurityGroup:groupId=sg-1"),
        ("AWS::IAM::ManagedPolicy", "x", "arn:aws-us-gov:iam::1:policy/p", "https://console.amazonaws-us-gov.com/iam/home#/policies/details/arn%3Aaws-us-gov%3Aiam%3A%3A1%3Apolicy%2Fp"),
        ("AWS::New::Thing", "x", "arn:aws:new:::x", "https://eu-west-1.console.aws.amazon.com/console/home?region=eu-west-1"),
    ],
)  # fmt: skip
def test_a_resource_has_its_page(kind: str, identifier: str, arn: str, url: str) -> None:
    assert console_url(Resource(kind, identifier, ACCOUNT, "eu-west-1", arn)) == url


@given(st.text(), st.text(), st.text())
def test_no_name_chooses_another_host(identifier: str, region: str, arn: str) -> None:
    url = console_url(Resource("AWS::S3::Bucket", identifier, ACCOUNT, region, arn))

    assert url is None or (urlsplit(url).hostname or "").endswith((".amazon.com", ".amazonaws.cn", "-us-gov.com"))


@pytest.mark.parametrize("region", ["", "evil.example/", "eu-west-1.evil", "EU-WEST-1", "eu-west"])
def test_what_is_no_region_has_no_page(region: str) -> None:
    assert console_url(Resource("AWS::S3::Bucket", "photos", ACCOUNT, region, "arn:aws:s3:::photos")) is None
