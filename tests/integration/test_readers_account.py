"""What holds for a whole account, as it is read from AWS."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.stub import Stubber

from demarc import readers
from demarc.authoring.compile import CompiledMatrix
from demarc.aws import AwsClients
from demarc.checks.cloudtrail import some_trail_logs_management_events_everywhere
from demarc.core.change import interpret
from demarc.core.model import Resource
from demarc.core.snapshot import Snapshot
from demarc.core.touch import TouchIndex
from demarc.readers import Part, home_region
from demarc.readers.account.account import ACCOUNT
from tests.integration.records import a_call

REGION = "eu-west-1"
OURS = "123456789012"
MANAGEMENT = "111122223333"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WHOLE = Resource(ACCOUNT.type, OURS, OURS, REGION, f"arn:aws:iam::{OURS}:root")
PARTS: dict[str, Part] = {prop.partition(".")[2]: part for part in ACCOUNT.parts for prop in part.gives}
BLOCK = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}

# The first call of each part, and what AWS says where nothing is configured.
FIRST = {
    "PublicAccessBlock": ("s3control", "get_public_access_block"),
    "PasswordPolicy": ("iam", "get_account_password_policy"),
    "AccountSummary": ("iam", "get_account_summary"),
    "EbsEncryptionByDefault": ("ec2", "get_ebs_encryption_by_default"),
    "SecurityContact": ("account", "get_alternate_contact"),
    "Trails": ("cloudtrail", "describe_trails"),
}
ABSENT = {
    "PublicAccessBlock": "NoSuchPublicAccessBlockConfiguration",
    "PasswordPolicy": "NoSuchEntity",
    "SecurityContact": "ResourceNotFoundException",
}


def see(clients: Any, *names: str, needs: tuple[str, ...] = ()) -> Snapshot:
    wanted = needs or tuple(f"Observed.{name}" for name in names or PARTS)
    snapshot = readers.read(ACCOUNT, WHOLE, needs=wanted, clients=clients, now=NOW)
    assert isinstance(snapshot, Snapshot)
    return snapshot


@pytest.fixture(scope="module")
def stubbed() -> AwsClients:
    """Clients whose answers are written by the test."""
    return AwsClients()


def refused(stubbed: AwsClients, name: str, code: str) -> Any:
    """What is read of an account where the first call of a part is answered with an error."""
    service, method = FIRST[name]
    client = stubbed(service, home_region(REGION) if service in ("iam", "account") else REGION)
    with Stubber(client) as stubber:
        stubber.add_client_error(method, code)
        return see(stubbed, name)


def test_a_well_kept_account_is_read_as_it_is(clients: AwsClients) -> None:
    clients("s3control", REGION).put_public_access_block(AccountId=OURS, PublicAccessBlockConfiguration=BLOCK)
    clients("iam", "us-east-1").update_account_password_policy(MinimumPasswordLength=16, RequireSymbols=True)
    clients("ec2", REGION).enable_ebs_encryption_by_default()
    clients("account", "us-east-1").put_alternate_contact(
        AlternateContactType="SECURITY", EmailAddress="soc@shop.example", Name="Soc", PhoneNumber="1", Title="Team"
    )

    snapshot = see(clients)

    assert snapshot["Observed.PublicAccessBlock"] == BLOCK
    assert snapshot["Observed.PasswordPolicy.MinimumPasswordLength"] == 16
    assert snapshot["Observed.PasswordPolicy.RequireSymbols"] is snapshot["Observed.EbsEncryptionByDefault"] is True
    assert snapshot["Observed.AccountSummary.AccountAccessKeysPresent"] == 0
    assert snapshot["Observed.SecurityContact"] == {"Known": True}
    assert snapshot.tags == {}


def test_an_account_that_nobody_configured_says_so(clients: AwsClients) -> None:
    snapshot = see(clients)

    assert [snapshot[f"Observed.{name}"] for name in ABSENT] == [None, None, None]
    assert snapshot["Observed.EbsEncryptionByDefault"] is False
    assert snapshot["Observed.Trails"] == []


def test_names_and_numbers_of_people_are_not_kept(clients: AwsClients) -> None:
    clients("account", "us-east-1").put_alternate_contact(
        AlternateContactType="SECURITY", EmailAddress="ada@shop.example", Name="Ada", PhoneNumber="42", Title="CISO"
    )

    assert "ada" not in str(see(clients, "SecurityContact").properties).lower()


def test_everything_is_read_with_the_declared_calls(clients: AwsClients, calls: list[str]) -> None:
    make_trail(clients, REGION)
    calls.clear()

    see(clients)

    assert sorted(calls) == sorted(call for part in ACCOUNT.parts for call in part.calls)


def test_all_controls_together_cost_each_call_once(
    clients: AwsClients, calls: list[str], matrix: CompiledMatrix
) -> None:
    needs = tuple(prop for control in matrix.controls[ACCOUNT.type] for prop in control.needs)

    see(clients, needs=needs)

    assert len(calls) == len(set(calls)) == len(ACCOUNT.parts)


@pytest.mark.parametrize("name", ABSENT)
def test_what_is_not_configured_is_not_there(name: str, stubbed: AwsClients) -> None:
    snapshot = refused(stubbed, name, ABSENT[name])

    assert snapshot[f"Observed.{name}"] is None


@pytest.mark.parametrize("name", FIRST)
def test_a_refused_read_is_unread(name: str, stubbed: AwsClients) -> None:
    assert set(refused(stubbed, name, "AccessDeniedException").unread) == {f"Observed.{name}"}


@pytest.mark.parametrize("name", FIRST)
def test_a_throttled_read_rises(name: str, stubbed: AwsClients) -> None:
    with pytest.raises(ClientError, match="ThrottlingException"):
        refused(stubbed, name, "ThrottlingException")


# --- trails ----------------------------------------------------------------------------------------------------------


def make_trail(clients: AwsClients, region: str, name: str = "everything", **wishes: Any) -> Any:
    client = clients("cloudtrail", region)
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    clients("s3", region).create_bucket(Bucket=f"{name}-files", **where)
    client.create_trail(Name=name, S3BucketName=f"{name}-files", **wishes)
    client.start_logging(Name=name)
    return client


def test_a_trail_of_another_region_is_seen_here_as_its_home_knows_it(clients: AwsClients) -> None:
    make_trail(clients, "us-east-2", IsMultiRegionTrail=True, IncludeGlobalServiceEvents=True)

    snapshot = see(clients, "Trails")

    (trail,) = snapshot["Observed.Trails"]
    assert (trail["Name"], trail["IsMultiRegionTrail"], trail["IsLogging"]) == ("everything", True, True)
    assert list(some_trail_logs_management_events_everywhere(snapshot)) == []


def test_a_trail_of_one_region_does_not_record_the_account(clients: AwsClients) -> None:
    make_trail(clients, REGION)

    assert len(list(some_trail_logs_management_events_everywhere(see(clients, "Trails")))) == 1


def test_a_trail_of_the_organization_is_asked_for_in_its_home_by_its_arn(stubbed: AwsClients) -> None:
    arn = f"arn:aws:cloudtrail:us-east-1:{MANAGEMENT}:trail/organization"
    shadow = {"Name": "organization", "TrailARN": arn, "HomeRegion": "us-east-1", "IsMultiRegionTrail": True}
    selectors = [{"ReadWriteType": "All", "IncludeManagementEvents": True}]
    with Stubber(stubbed("cloudtrail", REGION)) as here, Stubber(stubbed("cloudtrail", "us-east-1")) as home:
        here.add_response("describe_trails", {"trailList": [shadow]}, {"includeShadowTrails": True})
        home.add_response("get_event_selectors", {"EventSelectors": selectors}, {"TrailName": arn})
        home.add_response("get_trail_status", {"IsLogging": True}, {"Name": arn})

        snapshot = see(stubbed, "Trails")

    assert snapshot["Observed.Trails"] == [
        {
            "Name": "organization",
            "IsMultiRegionTrail": True,
            "IsLogging": True,
            "EventSelectors": selectors,
            "AdvancedEventSelectors": [],
        }
    ]


def test_a_trail_that_is_deleted_while_we_look_is_not_there(stubbed: AwsClients) -> None:
    trail = {"Name": "short", "TrailARN": f"arn:aws:cloudtrail:{REGION}:{OURS}:trail/short", "HomeRegion": REGION}
    with Stubber(stubbed("cloudtrail", REGION)) as stubber:
        stubber.add_response("describe_trails", {"trailList": [trail]})
        stubber.add_client_error("get_event_selectors", "TrailNotFoundException")

        assert see(stubbed, "Trails")["Observed.Trails"] == []


def test_a_trail_that_may_not_be_read_leaves_the_trails_unread(stubbed: AwsClients) -> None:
    trail = {"Name": "hidden", "TrailARN": f"arn:aws:cloudtrail:{REGION}:{OURS}:trail/hidden", "HomeRegion": REGION}
    with Stubber(stubbed("cloudtrail", REGION)) as stubber:
        stubber.add_response("describe_trails", {"trailList": [trail]})
        stubber.add_client_error("get_event_selectors", "AccessDeniedException")

        assert set(see(stubbed, "Trails").unread) == {"Observed.Trails"}


# --- where, and what touches it --------------------------------------------------------------------------------------


def test_global_services_are_asked_where_botocore_says_they_are() -> None:
    wrong = {
        region: (home, home_region(region))
        for partition in Loader().load_data("endpoints")["partitions"]
        for region in partition["regions"]
        if home_region(region) != (home := iams_region(partition))
    }

    assert wrong == {}


def iams_region(partition: Any) -> str:
    """The Region that signs for IAM; where a partition has but one, that one."""
    iam = partition["services"].get("iam", {})
    if "partitionEndpoint" in iam:
        return str(iam["endpoints"][iam["partitionEndpoint"]]["credentialScope"]["region"])
    (only,) = partition["regions"]
    return str(only)


@pytest.mark.parametrize(
    ("source", "name", "asked", "written"),
    [
        ("s3", "PutAccountPublicAccessBlock", {"accountId": OURS}, "Observed.PublicAccessBlock"),
        ("iam", "DeleteAccountPasswordPolicy", None, "Observed.PasswordPolicy"),
        ("ec2", "DisableEbsEncryptionByDefault", None, "Observed.EbsEncryptionByDefault"),
        ("account", "DeleteAlternateContact", {"alternateContactType": "SECURITY"}, "Observed.SecurityContact"),
        ("cloudtrail", "StopLogging", {"name": "everything"}, "Observed.Trails"),
    ],
)
def test_calls_on_the_account_touch_it_and_say_what_they_write(
    source: str, name: str, asked: Any, written: str
) -> None:
    change: Any = interpret(
        a_call(
            source,
            name,
            asked,
            awsRegion=REGION,
            recipientAccountId=OURS,
            userIdentity={"type": "Root", "arn": WHOLE.arn, "accountId": OURS},
        ),
        TouchIndex.of((ACCOUNT,)),
    )

    assert [(each.resource, each.sets) for each in change.touched] == [(WHOLE, (written,))]
