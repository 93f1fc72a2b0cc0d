"""A day at the example organization."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from tests.simulation import deeds
from tests.simulation.people import emergency, employee, pipeline, root, stranger
from tests.simulation.trail import Person, Trail

LOGS = "fjordline-access-logs"


def story(trail: Trail) -> Iterator[str]:
    """What people do, one thing after the other; each is named when it is done, and its events are in the trail."""
    cast = Cast(trail)
    deeds.settle_account(trail.region)
    deeds.make_log_bucket(LOGS, trail.region)

    deeds.make_trail(cast.landing_zone, "organization", LOGS)
    yield "The landing zone's pipeline starts a trail, and the account's settings are looked at for the first time"

    deeds.make_bucket(cast.shop, "fjordline-shop-media", owner="storefront")
    deeds.harden_bucket(cast.shop, "fjordline-shop-media", logs=LOGS)
    yield "The shop's pipeline builds a bucket as it should be, but for what only root can switch on"

    deeds.publish_bucket(cast.lea, "fjordline-shop-media")
    yield "Lea wants to show a customer a picture, and opens the bucket to everybody"

    deeds.withdraw_bucket(cast.lea, "fjordline-shop-media")
    yield "Lea reads the message and takes it back"

    group = deeds.make_group(cast.sam, "booking-web", workload="booking")
    deeds.open_port(cast.sam, group)
    yield "Sam opens SSH to the world, just for a look"

    refused(cast.sam, group)
    yield "Sam tries the same again, and AWS refuses"

    deeds.make_role(cast.sam, "booking-web", trusts={"Service": "ec2.amazonaws.com"})
    deeds.allow_role(cast.sam, "booking-web", actions=["s3:*", "iam:*"])
    deeds.make_instance_profile(cast.sam, "booking-web")
    yield "Sam makes a role for the web servers, and lets it do more than it needs"

    instance = deeds.run_instance(cast.sam, tokens="optional", profile="booking-web", workload="booking")
    yield "Sam starts an instance that hands that role's credentials to whoever asks"

    deeds.require_tokens(cast.aiko, instance)
    yield "Aiko, of another team, sees it and requires IMDSv2"

    deeds.make_database(cast.vault, "card-vault", workload="card-vault")
    yield "A pipeline makes the card vault's database, public and in the clear"

    deeds.make_bucket(cast.importer, "import-2026-11")
    yield "An import job makes a bucket that nobody claims"

    deeds.make_bucket(cast.jonas, "fjordline-receipts", owner="paymnts")
    yield "Jonas makes a bucket, and misspells his team"

    deeds.make_role(cast.mara, "partner-access", trusts={"AWS": "*"})
    yield "With break-glass access Mara makes a role that anybody on AWS may assume"

    key = deeds.make_key(cast.jonas, "card vault", workload="card-vault")
    deeds.schedule_key_deletion(cast.jonas, key)
    yield "Jonas schedules the card vault's key for deletion"

    deeds.make_bucket(cast.aiko, "fjordline-vault-access-logs")
    yield "Aiko makes the vault's log bucket; that it does not log itself is an accepted risk"

    cast.lea.client("cloudtrail").stop_logging(Name="organization")
    yield "Somebody with Lea's session stops the trail"

    deeds.delete_group(cast.sam, group)
    yield "Sam removes the security group"


class Cast:
    """Who is who."""

    def __init__(self, trail: Trail) -> None:
        account = trail.account
        self.landing_zone = trail.person(pipeline("deploy-landing-zone", "landing-zone-build-77", account=account))
        self.shop = trail.person(pipeline("deploy-shop", "shop-build-1874", account=account))
        self.vault = trail.person(pipeline("deploy-card-vault", "card-vault-build-312", account=account))
        self.lea = trail.person(employee("lea.moreau@fjordline.example", account=account, console=True))
        self.sam = trail.person(employee("sam.achebe@fjordline.example", account=account))
        self.jonas = trail.person(employee("jonas.weber@fjordline.example", account=account))
        self.aiko = trail.person(employee("aiko.tanaka@fjordline.example", account=account))
        self.mara = trail.person(emergency("mara.lindqvist@fjordline.example", account=account))
        self.importer = trail.person(stranger("data-import", account=account))
        self.root = trail.person(root(account=account))


def refused(who: Person, group: str) -> None:
    """Ask for a rule that is there already; AWS has none of it."""
    try:
        deeds.open_port(who, group)
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidPermission.Duplicate":
            raise
    else:
        raise AssertionError("the rule should have been there already")
