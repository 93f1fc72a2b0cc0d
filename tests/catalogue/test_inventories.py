"""Every resource type can be listed, by calls that exist and that IAM knows."""

from __future__ import annotations

from typing import Any

import pytest

from demarc import readers
from demarc.core.arn import ArnShape
from demarc.core.model import OCCURRENCE
from demarc.readers import Reader, resource_of
from demarc.readers.feed import FEED
from demarc.readers.framework import REQUIREMENT
from tests.catalogue.test_touches import service
from tests.published import action_of

READERS = readers.load()
LISTED = [reader for reader in READERS if reader.inventory]
EACH_LISTED = pytest.mark.parametrize("reader", LISTED, ids=lambda reader: reader.type)
CALLS = sorted({call for reader in LISTED if reader.inventory for call in reader.inventory.calls.items()})

ACCOUNT = "123456789012"

# What a resource of each type may be called.
NAMES = {
    "AWS::::Account": ACCOUNT,
    "AWS::EC2::Instance": "i-0a1b2c3d4e5f60718",
    "AWS::EC2::SecurityGroup": "sg-0a1b2c3d4e5f60718",
    "AWS::IAM::ManagedPolicy": f"arn:aws:iam::{ACCOUNT}:policy/teams/read",
    "AWS::IAM::OIDCProvider": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com",
    "AWS::IAM::SAMLProvider": f"arn:aws:iam::{ACCOUNT}:saml-provider/okta",
    "AWS::KMS::Key": "mrk-1234abcd12ab34cd56ef1234567890ab",
    "AWS::SSO::PermissionSet": "ssoins-0123456789abcdef/ps-0123456789abcdef",
}


# What is only listed by what holds it.
HELD = {
    "AWS::ApiGateway::Stage",
    "AWS::ECS::Service",
    "AWS::EKS::AccessEntry",
    "AWS::EKS::Nodegroup",
    "AWS::Lambda::LayerVersion",
    "AWS::Organizations::Policy",
    "AWS::SSO::PermissionSet",
}


def nobody(service: str, region: str) -> Any:
    raise AssertionError(f"{service} was asked in {region}")


def test_every_type_is_listed_but_what_the_deployment_names() -> None:
    assert {reader.type for reader in READERS if not reader.inventory} == {FEED.type, OCCURRENCE, REQUIREMENT.type}


@pytest.mark.parametrize(("call", "action"), CALLS)
def test_every_call_exists_and_iam_knows_what_allows_it(call: str, action: str) -> None:
    name, _, operation = call.partition(".")

    assert operation in service(name).operation_names
    assert action_of(action) is not None


@EACH_LISTED
def test_a_list_never_asks_for_a_resource_by_name(reader: Reader) -> None:
    """One call for a page of them, and none that grows with their number; where something holds them, by it."""
    assert reader.inventory is not None
    assert len(reader.inventory.calls) <= (2 if reader.type in HELD else 1)


@pytest.mark.parametrize("reader", [each for each in LISTED if not each.regional], ids=lambda reader: reader.type)
@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-east-1", "cn-northwest-1"])
def test_what_exists_once_is_nothing_away_from_home_and_nobody_is_asked(reader: Reader, region: str) -> None:
    assert reader.inventory is not None
    assert list(reader.inventory.pages(nobody, ACCOUNT, region)) == []


@EACH_LISTED
@pytest.mark.parametrize("region", ["eu-west-1", "cn-north-1"])
def test_what_is_listed_is_what_an_event_with_its_arn_names(reader: Reader, region: str) -> None:
    """So that a finding of a change and one of a sweep are the same."""
    identifier = NAMES.get(reader.type, "everything")
    listed = resource_of(reader, identifier, ACCOUNT, region)

    named = ArnShape.of(reader.arn).named(listed.arn)

    assert named is not None
    assert (named.identifier, named.account or ACCOUNT, named.region or region) == (identifier, ACCOUNT, region)
    assert listed.key == (reader.type, identifier, ACCOUNT, region)
