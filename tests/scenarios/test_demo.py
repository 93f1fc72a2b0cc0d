"""`make demo` tells the story to its end, and says so where something is left."""

from __future__ import annotations

import io

import pytest
import time_machine
from moto.core.models import MockAWS
from rich.console import Console

from demarc.core.model import Status
from demarc.stores.dynamodb import DynamoFindingStore
from tests.infrastructure.synthesis import Assembly
from tests.scenarios.world import REGION, World
from tests.simulation import demo
from tests.simulation.cloud import client
from tests.simulation.slack import Slack


def a_console() -> Console:
    return Console(file=io.StringIO(), width=demo.WIDTH, highlight=False)


def shown(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_demo_shows_the_whole_story(
    aws: MockAWS, assembly: Assembly, slack: Slack, clock: time_machine.Traveller
) -> None:
    aws.reset()
    console = a_console()

    assert demo.play(console, assembly, slack, clock) == 0

    said = shown(console)
    assert max(len(line) for line in said.splitlines()) <= demo.WIDTH
    assert "AWS refuses: Client.InvalidPermission.Duplicate" in said
    for team in ("platform", "security", "payments", "storefront", "governance"):
        assert f"What team {team} received" in said
    for who in ("(pipeline, terraform)", "(human, console)", "mara.lindqvist@fjordline.example (break-glass)"):
        assert who in said
    for step in (
        "ACKNOWLEDGED",
        "REMINDER",
        "OVERDUE",
        "REOPENED",
        "APPROVAL ASKED",
        "ACCEPTANCE EXPIRED",
        "FIRST LOOK",
    ):
        assert f"{step} " in said or f"[{step}]" in said
    assert "sees in its Slack channel" in said
    assert "correct horse" not in said
    assert "Everything was processed" in said
    (table,) = [name for name in client("dynamodb", REGION).list_tables()["TableNames"] if name.startswith("Findings")]
    findings = list(DynamoFindingStore(client("dynamodb", REGION), table).find())
    # Nobody is still at it when the story ends.
    assert {finding.status for finding in findings} == {*Status} - {Status.ACKNOWLEDGED}
    assert {finding.resource.type for finding in findings} >= {
        *("AWS::::Account", "AWS::CloudTrail::Trail", "AWS::EC2::Instance", "AWS::EC2::SecurityGroup"),
        *("AWS::IAM::Role", "AWS::KMS::Key", "AWS::RDS::DBInstance", "AWS::S3::Bucket"),
    }
    assert all(finding.control in said.replace("\n", "") or finding.title in said for finding in findings)


def test_the_demo_fails_where_something_is_left(world: World) -> None:
    world.cloud.send("data", "{not json")
    world.cloud.run()
    console = a_console()

    assert demo.show_what_is_left(console, world.cloud) == 1
    assert "Left unprocessed: 1 dead letters" in shown(console)


def test_the_demo_forgets_the_accounts_that_this_machine_can_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "os.environ", environment := {"AWS_PROFILE": "production", "AWS_ENDPOINT_URL": "https://x", "A": "b"}
    )

    demo.forget_aws()

    assert "AWS_PROFILE" not in environment
    assert "AWS_ENDPOINT_URL" not in environment
    assert environment["A"] == "b"
