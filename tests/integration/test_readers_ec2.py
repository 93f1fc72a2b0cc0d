"""Security groups and instances, as they are read from AWS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from demarc import readers
from demarc.aws import AwsClients
from demarc.core.change import interpret
from demarc.core.model import Change, Resource
from demarc.core.snapshot import Snapshot
from demarc.core.touch import TouchIndex
from demarc.readers import Gone, Reader
from demarc.readers.ec2.instance import INSTANCE
from demarc.readers.ec2.securitygroup import SECURITY_GROUP
from tests.integration.records import a_call
from tests.integration.schema import matches_cloudformation

REGION = "eu-west-1"
ACCOUNT = "123456789012"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
GROUP = {"GroupId": "sg-1", "GroupName": "web", "Description": "web", "VpcId": "vpc-1"}
IMAGE = "ami-03cf127a"
SSH = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}


def resource(reader: Reader, identifier: str) -> Resource:
    arn = reader.arn.format(partition="aws", region=REGION, account=ACCOUNT, identifier=identifier)
    return Resource(reader.type, identifier, ACCOUNT, REGION, arn)


def look(clients: Any, reader: Reader, identifier: str) -> Snapshot | Gone:
    """What EC2 says of it; what Systems Manager hears of an instance is told further below."""
    needs = reader.parts[0].gives
    return readers.read(reader, resource(reader, identifier), needs=needs, clients=clients, now=NOW)


def see(clients: Any, reader: Reader, identifier: str) -> Snapshot:
    snapshot = look(clients, reader, identifier)
    assert isinstance(snapshot, Snapshot)
    return snapshot


@pytest.fixture(scope="module")
def client() -> Any:
    """A client whose answers are written by the test."""
    return AwsClients()("ec2", REGION)


@pytest.fixture
def ec2(clients: AwsClients) -> Any:
    return clients("ec2", REGION)


@pytest.fixture
def group(ec2: Any) -> str:
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    made = ec2.create_security_group(
        GroupName="web",
        Description="The web",
        VpcId=vpc,
        TagSpecifications=[{"ResourceType": "security-group", "Tags": [{"Key": "owner", "Value": "shop"}]}],
    )
    return str(made["GroupId"])


@pytest.fixture
def instance(ec2: Any) -> Callable[..., str]:
    def run(**wishes: Any) -> str:
        made = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, InstanceType="t3.micro", **wishes)
        return str(made["Instances"][0]["InstanceId"])

    return run


def test_a_group_has_one_rule_for_each_source(clients: AwsClients, ec2: Any, group: str) -> None:
    sources = {
        "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "everybody"}, {"CidrIp": "10.0.0.0/8"}],
        "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
        "UserIdGroupPairs": [{"GroupId": group}],
    }
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[SSH | sources])

    snapshot = see(clients, SECURITY_GROUP, group)

    assert snapshot["SecurityGroupIngress"] == [
        SSH | {"CidrIp": "0.0.0.0/0", "Description": "everybody"},
        SSH | {"CidrIp": "10.0.0.0/8"},
        SSH | {"CidrIpv6": "::/0"},
        SSH | {"SourceSecurityGroupId": group, "SourceSecurityGroupOwnerId": ACCOUNT},
    ]
    assert snapshot["SecurityGroupEgress"] == [{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}]
    matches_cloudformation(snapshot)


def test_a_group_tells_its_name_its_vpc_and_its_tags(clients: AwsClients, group: str) -> None:
    snapshot = see(clients, SECURITY_GROUP, group)

    assert (snapshot["GroupName"], snapshot["GroupDescription"]) == ("web", "The web")
    assert snapshot["VpcId"].startswith("vpc-")
    assert snapshot.tags == {"owner": "shop"}
    assert snapshot["Observed.IsDefault"] is False


def test_the_default_group_of_a_vpc_is_known_as_such(clients: AwsClients, ec2: Any) -> None:
    filters = [{"Name": "group-name", "Values": ["default"]}]
    default = ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]

    assert see(clients, SECURITY_GROUP, default)["Observed.IsDefault"] is True


def test_a_group_without_prefix_lists_costs_one_call(clients: AwsClients, group: str, calls: list[str]) -> None:
    calls.clear()

    see(clients, SECURITY_GROUP, group)

    assert calls == ["ec2.DescribeSecurityGroups"]


def test_the_prefix_lists_of_rules_are_read_with_the_declared_calls(
    clients: AwsClients, ec2: Any, group: str, calls: list[str]
) -> None:
    entries = [{"Cidr": "198.51.100.0/24"}]
    wish = {"PrefixListName": "offices", "MaxEntries": 5, "AddressFamily": "IPv4", "Entries": entries}
    listed = ec2.create_managed_prefix_list(**wish)["PrefixList"]["PrefixListId"]
    permission = SSH | {"PrefixListIds": [{"PrefixListId": listed}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    calls.clear()

    snapshot = see(clients, SECURITY_GROUP, group)

    assert snapshot["SecurityGroupIngress"] == [SSH | {"SourcePrefixListId": listed}]
    assert snapshot["Observed.PrefixLists"] == {listed: ["198.51.100.0/24"]}
    assert set(calls) == set(SECURITY_GROUP.parts[0].calls)
    matches_cloudformation(snapshot)


def test_a_group_that_was_deleted_is_gone(clients: AwsClients, ec2: Any, group: str) -> None:
    ec2.delete_security_group(GroupId=group)

    assert isinstance(look(clients, SECURITY_GROUP, group), Gone)


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "InvalidPrefixListID.NotFound"])
def test_a_prefix_list_that_may_not_be_read_leaves_the_rules_readable(code: str, client: Any) -> None:
    permission = SSH | {"PrefixListIds": [{"PrefixListId": "pl-1"}]}
    with Stubber(client) as stubber:
        stubber.add_response("describe_security_groups", {"SecurityGroups": [GROUP | {"IpPermissions": [permission]}]})
        stubber.add_client_error("get_managed_prefix_list_entries", code)

        snapshot = see(lambda *_: client, SECURITY_GROUP, "sg-1")

    assert snapshot["SecurityGroupIngress"] == [SSH | {"SourcePrefixListId": "pl-1"}]
    assert "pl-1" in snapshot.unread["Observed.PrefixLists"]


@pytest.mark.parametrize(
    ("reader", "operation", "identifier"),
    [
        (SECURITY_GROUP, "describe_security_groups", "sg-1"),
        (INSTANCE, "describe_instances", "i-1"),
    ],
)
def test_a_refused_read_leaves_everything_unread(reader: Reader, operation: str, identifier: str, client: Any) -> None:
    with Stubber(client) as stubber:
        stubber.add_client_error(operation, "UnauthorizedOperation")

        snapshot = see(lambda *_: client, reader, identifier)

    assert set(snapshot.unread) == set(reader.parts[0].gives)


@pytest.mark.parametrize(
    ("reader", "operation"), [(SECURITY_GROUP, "describe_security_groups"), (INSTANCE, "describe_instances")]
)
def test_a_throttled_read_rises(reader: Reader, operation: str, client: Any) -> None:
    with Stubber(client) as stubber:
        stubber.add_client_error(operation, "RequestLimitExceeded", http_status_code=503)

        with pytest.raises(ClientError, match="RequestLimitExceeded"):
            look(lambda *_: client, reader, "x-1")


@pytest.mark.parametrize(
    ("reader", "operation", "code"),
    [
        (SECURITY_GROUP, "describe_security_groups", "InvalidGroupId.Malformed"),
        (INSTANCE, "describe_instances", "InvalidInstanceID.Malformed"),
    ],
)
def test_an_id_that_cannot_exist_is_gone(reader: Reader, operation: str, code: str, client: Any) -> None:
    with Stubber(client) as stubber:
        stubber.add_client_error(operation, code)

        assert isinstance(look(lambda *_: client, reader, "made up"), Gone)


def test_an_instance_tells_how_it_is_exposed(
    clients: AwsClients, instance: Callable[..., str], calls: list[str]
) -> None:
    identifier = instance(MetadataOptions={"HttpTokens": "required"})
    calls.clear()

    snapshot = see(clients, INSTANCE, identifier)

    assert snapshot["MetadataOptions.HttpTokens"] == "required"
    assert snapshot["MetadataOptions.HttpEndpoint"] == "enabled"
    assert snapshot["Observed.NetworkInterfaceCount"] == 1
    assert snapshot["Observed.VirtualizationType"] == "paravirtual"  # as moto has it of an image that it does not know
    assert snapshot["IamInstanceProfile"] is None
    assert snapshot["Observed.PublicIpv4Addresses"] == [snapshot["PublicIp"]]
    assert calls == ["ec2.DescribeInstances"] == list(INSTANCE.parts[0].calls)
    matches_cloudformation(snapshot)


def test_an_instance_has_its_profile_by_name(clients: AwsClients, instance: Callable[..., str]) -> None:
    iam = clients("iam", "us-east-1")
    iam.create_instance_profile(InstanceProfileName="web", Path="/shop/")

    assert see(clients, INSTANCE, instance(IamInstanceProfile={"Name": "web"}))["IamInstanceProfile"] == "web"


def test_public_addresses_of_every_interface_count(client: Any) -> None:
    second = {"PrivateIpAddresses": [{"Association": {"PublicIp": "203.0.113.9"}}]}
    running = {
        "InstanceId": "i-1",
        "InstanceType": "t3.micro",
        "ImageId": "ami-1",
        "State": {"Code": 16, "Name": "running"},
        "PublicIpAddress": "203.0.113.1",
        "NetworkInterfaces": [{"Association": {"PublicIp": "203.0.113.1"}}, second],
    }
    with Stubber(client) as stubber:
        stubber.add_response("describe_instances", {"Reservations": [{"Instances": [running]}]})

        snapshot = see(lambda *_: client, INSTANCE, "i-1")

    assert snapshot["Observed.PublicIpv4Addresses"] == ["203.0.113.1", "203.0.113.9"]
    assert snapshot["Observed.NetworkInterfaceCount"] == 2


@pytest.mark.parametrize(
    ("words", "stopped_at"),
    [
        ("User initiated (2025-12-24 18:00:00 GMT)", "2025-12-24T18:00:00+00:00"),
        ("User initiated", None),
        ("", None),
    ],
)
def test_when_an_instance_was_stopped_is_read_from_the_words_for_it(
    words: str, stopped_at: str | None, client: Any
) -> None:
    stopped = {
        "InstanceId": "i-1",
        "InstanceType": "t3.micro",
        "ImageId": "ami-1",
        "State": {"Code": 80, "Name": "stopped"},
        "StateTransitionReason": words,
    }
    with Stubber(client) as stubber:
        stubber.add_response("describe_instances", {"Reservations": [{"Instances": [stopped]}]})

        assert see(lambda *_: client, INSTANCE, "i-1")["Observed.StoppedAt"] == stopped_at


def test_an_instance_tells_since_when_it_runs_and_which_service_runs_it_for_us(client: Any) -> None:
    running = {
        "InstanceId": "i-1",
        "State": {"Code": 16, "Name": "running"},
        "LaunchTime": datetime(2025, 12, 24, 18, tzinfo=UTC),
        "Operator": {"Managed": True, "Principal": "eks.amazonaws.com"},
    }
    with Stubber(client) as stubber:
        stubber.add_response("describe_instances", {"Reservations": [{"Instances": [running]}]})

        snapshot = see(lambda *_: client, INSTANCE, "i-1")

    assert snapshot["Observed.LaunchedAt"] == "2025-12-24T18:00:00+00:00"
    assert snapshot["Observed.Operator"] == "eks.amazonaws.com"


def test_a_terminated_instance_is_gone(clients: AwsClients, ec2: Any, instance: Callable[..., str]) -> None:
    identifier = instance()
    ec2.terminate_instances(InstanceIds=[identifier])

    assert isinstance(look(clients, INSTANCE, identifier), Gone)
    assert isinstance(look(clients, INSTANCE, "i-0123456789abcdef0"), Gone)


# --- what Systems Manager hears of an instance -----------------------------------------------------------------------


def agent_of(answer: Any) -> Snapshot:
    """What is seen of an instance's agent where Systems Manager answers this; a text is the code of an error."""
    client = AwsClients()("ssm", REGION)
    asked_for = {"Filters": [{"Key": "InstanceIds", "Values": ["i-1"]}]}
    with Stubber(client) as stubber:
        if isinstance(answer, str):
            stubber.add_client_error("describe_instance_information", answer, expected_params=asked_for)
        else:
            stubber.add_response("describe_instance_information", answer, asked_for)
        (part,) = (part for part in INSTANCE.parts if "Observed.AgentStatus" in part.gives)
        # Of EC2 nothing is asked: the tags are its answer too, so that the part is asked by itself.
        alone = replace(INSTANCE, parts=(part,))
        seen = readers.read(alone, resource(INSTANCE, "i-1"), needs=part.gives, clients=lambda *_: client, now=NOW)
        stubber.assert_no_pending_responses()
    assert isinstance(seen, Snapshot)
    return seen


@pytest.mark.parametrize("status", ["Online", "ConnectionLost"])
def test_an_agent_that_reports_or_used_to_is_known_by_its_status(status: str) -> None:
    seen = agent_of({"InstanceInformationList": [{"InstanceId": "i-1", "PingStatus": status}]})

    assert seen["Observed.AgentStatus"] == status


@pytest.mark.parametrize("answer", [{"InstanceInformationList": []}, "InvalidInstanceId"], ids=["none", "unknown"])
def test_an_instance_without_an_agent_has_none(answer: Any) -> None:
    assert agent_of(answer)["Observed.AgentStatus"] is None


def test_an_agent_that_may_not_be_asked_about_is_not_taken_for_none() -> None:
    assert set(agent_of("AccessDeniedException").unread) == {"Observed.AgentStatus"}


TOUCHED = [
    ("CreateSecurityGroup", {"groupName": "web"}, {"groupId": "sg-1"}, ["sg-1"]),
    ("DeleteSecurityGroup", {"groupId": "sg-1"}, {"_return": True}, ["sg-1"]),
    ("AuthorizeSecurityGroupIngress", {"groupId": "sg-1"}, {"_return": True}, ["sg-1"]),
    (
        "AuthorizeSecurityGroupIngress",
        {"groupName": "web"},
        {"_return": True, "securityGroupRuleSet": {"items": [{"groupId": "sg-1"}, {"groupId": "sg-1"}]}},
        ["sg-1"],
    ),
    (
        "ModifySecurityGroupRules",
        {"ModifySecurityGroupRulesRequest": {"GroupId": "sg-1", "SecurityGroupRule": {"tag": 1}}},
        {"ModifySecurityGroupRulesResponse": {"return": True}},
        ["sg-1"],
    ),
    (
        "CreateTags",
        {"resourcesSet": {"items": [{"resourceId": "sg-1"}, {"resourceId": "i-1"}, {"resourceId": "vol-1"}]}},
        {"_return": True},
        ["i-1", "sg-1"],
    ),
    (
        "RunInstances",
        {"instancesSet": {"items": [{"imageId": "ami-1"}]}, "groupSet": {"items": [{"groupId": "sg-1"}]}},
        {"instancesSet": {"items": [{"instanceId": "i-1"}, {"instanceId": "i-2"}]}},
        ["i-1", "i-2"],
    ),
    ("TerminateInstances", {"instancesSet": {"items": [{"instanceId": "i-1"}]}}, None, ["i-1"]),
    (
        "ModifyInstanceMetadataOptions",
        {"ModifyInstanceMetadataOptionsRequest": {"InstanceId": "i-1", "HttpTokens": "optional"}},
        None,
        ["i-1"],
    ),
    (
        "DisassociateIamInstanceProfile",
        {"DisassociateIamInstanceProfileRequest": {"AssociationId": "iip-assoc-1"}},
        {"DisassociateIamInstanceProfileResponse": {"iamInstanceProfileAssociation": {"instanceId": "i-1"}}},
        ["i-1"],
    ),
]


@pytest.mark.parametrize(("name", "asked", "answered", "identifiers"), TOUCHED)
def test_calls_name_what_they_touch(name: str, asked: Any, answered: Any, identifiers: list[str]) -> None:
    change = interpret(
        a_call("ec2", name, asked, answered, awsRegion=REGION, recipientAccountId=ACCOUNT),
        TouchIndex.of(readers.load((INSTANCE.type, SECURITY_GROUP.type))),
    )

    assert isinstance(change, Change), change
    assert sorted(touched.resource.identifier for touched in change.touched) == identifiers
