"""What records of calls name, where CloudTrail writes it another way than the API's documentation does."""

from __future__ import annotations

from typing import Any

import pytest

from demarc import readers
from demarc.core.change import NoChange, Reason, interpret
from demarc.core.model import Change
from demarc.core.touch import TouchIndex
from tests.integration.records import a_call

TOUCHES = TouchIndex.of(readers.load())
ACL = "a1b2c3d4-5678-90ab-cdef-000000000000"
STAGE = "arn:aws:apigateway:eu-west-1::/restapis/a1b2c3/stages/live"


def outcome(source: str, name: str, asked: dict[str, Any], answered: dict[str, Any] | None = None) -> Change | NoChange:
    return interpret(a_call(source, name, asked, answered, recipientAccountId="111122223333"), TOUCHES)


def named(source: str, name: str, asked: dict[str, Any], answered: dict[str, Any] | None = None) -> dict[str, str]:
    """The resources that are touched, by their types."""
    change = outcome(source, name, asked, answered)
    assert isinstance(change, Change), change
    return {each.resource.type: each.resource.identifier for each in change.touched}


@pytest.mark.parametrize("call", ["UpdateWebACL", "DeleteWebACL"])
@pytest.mark.parametrize(("scope", "kept"), [("REGIONAL", "regional"), ("CLOUDFRONT", "global")])
def test_a_web_acl_is_known_by_its_scope_its_name_and_its_id(call: str, scope: str, kept: str) -> None:
    asked = {"name": "shop", "scope": scope, "id": ACL, "lockToken": "token"}

    assert named("wafv2", call, asked) == {"AWS::WAFv2::WebACL": f"{kept}/webacl/shop/{ACL}"}


@pytest.mark.parametrize("scope", ["LUNAR", "", None, {"of": "nothing"}])
def test_a_scope_that_nobody_knows_names_no_web_acl(scope: Any) -> None:
    found = outcome("wafv2", "UpdateWebACL", {"name": "shop", "scope": scope, "id": ACL})

    assert isinstance(found, NoChange)
    assert found.reason is Reason.UNMAPPED


def test_a_record_without_a_scope_names_no_web_acl() -> None:
    assert isinstance(outcome("wafv2", "DeleteWebACL", {"name": "shop", "id": ACL}), NoChange)


@pytest.mark.parametrize("call", ["AssociateWebACL", "DisassociateWebACL"])
def test_a_stage_gains_and_loses_its_firewall_by_calls_of_the_firewalls(call: str) -> None:
    found = named("wafv2", call, {"resourceArn": STAGE})

    assert found == {"AWS::ApiGateway::Stage": "a1b2c3/stages/live"}


@pytest.mark.parametrize(
    ("call", "asked"),
    [
        ("CreateStage", {"restApiId": "a1b2c3", "createStageInput": {"stageName": "live"}}),
        ("CreateStage", {"restApiId": "a1b2c3", "stageName": "live"}),
        ("CreateDeployment", {"restApiId": "a1b2c3", "createDeploymentInput": {"stageName": "live"}}),
        ("UpdateStage", {"restApiId": "a1b2c3", "stageName": "live"}),
    ],
)
def test_a_stage_is_named_in_the_body_of_the_call_or_beside_it(call: str, asked: dict[str, Any]) -> None:
    assert named("apigateway", call, asked) == {"AWS::ApiGateway::Stage": "a1b2c3/stages/live"}


@pytest.mark.parametrize("name", ["name", "clusterName"])
def test_a_cluster_is_named_as_the_address_of_the_call_has_it_or_as_the_api_calls_it(name: str) -> None:
    found = named("eks", "AssociateEncryptionConfig", {name: "shop"})

    assert found == {"AWS::EKS::Cluster": "shop"}


@pytest.mark.parametrize("call", ["CreateNodegroup", "UpdateNodegroupVersion", "DeleteNodegroup"])
def test_a_group_of_nodes_is_the_same_to_events_and_to_the_sweep(call: str) -> None:
    """The id at the end of its ARN is nothing that a list has."""
    arn = "arn:aws:eks:eu-west-1:111122223333:nodegroup/shop/web/5ac1e2d3"

    assert named("eks", call, {"name": "shop", "nodegroupName": "web"}) == {"AWS::EKS::Nodegroup": "shop/web"}
    assert named("eks", "TagResource", {"resourceArn": arn}) == {"AWS::EKS::Nodegroup": "shop/web"}


def test_an_environment_that_is_asked_for_by_its_id_is_named_by_the_answer() -> None:
    found = named(
        "elasticbeanstalk", "TerminateEnvironment", {"environmentId": "e-abc"}, {"environmentName": "shop-live"}
    )

    assert found == {"AWS::ElasticBeanstalk::Environment": "shop-live"}


def test_a_copy_of_a_user_pool_is_one_in_its_own_region() -> None:
    arn = "arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-west-1_Abc"
    change = outcome(
        "cognito-idp",
        "CreateUserPoolReplica",
        {"userPoolId": "eu-west-1_Abc"},
        {"userPoolReplica": {"userPoolArn": arn}},
    )

    assert isinstance(change, Change)
    assert [(each.resource.identifier, each.resource.region) for each in change.touched] == [
        ("eu-west-1_Abc", "eu-central-1")
    ]


@pytest.mark.parametrize(
    ("call", "answered"),
    [
        (
            "CreateNatGateway",
            {"CreateNatGatewayResponse": {"natGateway": {"natGatewayAddressSet": {"item": {"allocationId": "e-1"}}}}},
        ),
        ("CreateNatGateway", None),
        (
            "DisassociateNatGatewayAddress",
            {"DisassociateNatGatewayAddressResponse": {"natGatewayAddressSet": {"item": {"allocationId": "e-1"}}}},
        ),
        ("AcceptAddressTransfer", {"AcceptAddressTransferResponse": {"addressTransfer": {"allocationId": "e-1"}}}),
    ],
)
def test_an_address_is_named_by_what_takes_it_into_use(call: str, answered: dict[str, Any] | None) -> None:
    asked = {f"{call}Request": {"AllocationId": "e-1", "SubnetId": "subnet-1"}} if answered is None else {}

    assert named("ec2", call, asked, answered) == {"AWS::EC2::EIP": "e-1"}


def test_snapshots_that_are_made_together_are_named_each() -> None:
    made = {"snapshotSet": {"item": [{"snapshotId": "snap-1"}, {"snapshotId": "snap-2"}]}}
    change = outcome("ec2", "CreateSnapshots", {"CreateSnapshotsRequest": {}}, {"CreateSnapshotsResponse": made})

    assert isinstance(change, Change)
    assert [each.resource.identifier for each in change.touched] == ["snap-1", "snap-2"]


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        ("AcceptTransitGatewayVpcAttachment", {"transitGatewayVpcAttachment": {"transitGatewayId": "tgw-1"}}),
        (
            "AcceptTransitGatewayPeeringAttachment",
            {
                "transitGatewayPeeringAttachment": {
                    "requesterTgwInfo": {"transitGatewayId": "tgw-2"},
                    "accepterTgwInfo": {"transitGatewayId": "tgw-1"},
                }
            },
        ),
    ],
)
def test_who_is_let_into_a_transit_gateway_touches_the_one_that_lets_in(call: str, answer: dict[str, Any]) -> None:
    found = named(
        "ec2", call, {f"{call}Request": {"TransitGatewayAttachmentId": "tgw-attach-1"}}, {f"{call}Response": answer}
    )

    assert found == {"AWS::EC2::TransitGateway": "tgw-1"}


@pytest.mark.parametrize(
    ("arn", "found"),
    [
        ("arn:aws:s3:::photos", {"AWS::S3::Bucket": "photos"}),
        ("arn:aws:s3:eu-west-1:111122223333:accesspoint/photos", {"AWS::S3::AccessPoint": "photos"}),
    ],
)
def test_one_call_tags_buckets_and_their_access_points(arn: str, found: dict[str, str]) -> None:
    assert named("s3", "TagResource", {"resourceArn": arn}) == found


def test_a_call_that_tags_grants_of_s3_tags_nothing_that_is_read() -> None:
    arn = "arn:aws:s3:eu-west-1:111122223333:access-grants/default/grant/a1b2"

    assert isinstance(outcome("s3", "TagResource", {"resourceArn": arn}), NoChange)


@pytest.mark.parametrize("call", ["PutResourcePolicy", "DeleteResourcePolicy"])
def test_the_whole_policy_of_a_function_is_written_at_once(call: str) -> None:
    change = outcome("lambda", call, {"resourceArn": "arn:aws:lambda:eu-west-1:111122223333:function:resize"})

    assert isinstance(change, Change)
    assert [(each.resource.identifier, each.sets) for each in change.touched] == [("resize", ("Observed.Policy",))]


@pytest.mark.parametrize("end", ["1", "live"])
def test_the_policy_of_a_version_or_an_alias_is_not_that_of_the_function(end: str) -> None:
    arn = f"arn:aws:lambda:eu-west-1:111122223333:function:resize:{end}"

    assert isinstance(outcome("lambda", "PutResourcePolicy", {"resourceArn": arn}), NoChange)
