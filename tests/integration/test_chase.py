"""The chase, as Lambda calls it: each step once, whatever happens between two calls, and every failure on its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from demarc.authoring.compile import CompiledMatrix
from demarc.aws import AwsClients
from demarc.core.digest import DigestKind, digest_in
from demarc.core.model import AcceptedRisk, Act, Finding, Origin, Resource, Status
from demarc.handlers import chase
from demarc.stores.digests import DynamoDigestStore
from demarc.stores.dynamodb import DynamoFindingStore
from tests.factories import NOON, a_finding
from tests.integration.tables import create_table
from tests.organizations import compiled, organization

REGION = "eu-west-1"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# NOON is a Thursday; the matrix reminds 24 and 4 hours before, escalates every 24, and digests on Monday at 8 in Oslo.
DUE = NOON + 3 * DAY
MONDAY = datetime(2026, 1, 5, 7, tzinfo=UTC)
QUIET_WEEK = NOON - 30 * DAY


@dataclass
class Context:
    """As much of Lambda's context as the handler reads."""

    milliseconds: Iterator[int]

    def get_remaining_time_in_millis(self) -> int:
        return next(self.milliseconds, 600_000)


class Killed(BaseException):
    """The process ended here."""


@dataclass(frozen=True)
class World:
    """An account with a table, a topic and a mailbox, and the chase deployed over them."""

    clients: AwsClients
    monkeypatch: pytest.MonkeyPatch
    name: str

    @classmethod
    def deployed(cls, clients: AwsClients, monkeypatch: pytest.MonkeyPatch, name: str) -> World:
        create_table(clients("dynamodb", REGION), name)
        topic = clients("sns", REGION).create_topic(Name=name)["TopicArn"]
        clients("sqs", REGION).create_queue(QueueName=name)
        arn = f"arn:aws:sqs:{REGION}:123456789012:{name}"
        clients("sns", REGION).subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
        )
        monkeypatch.setenv("DEMARC_TABLE", name)
        monkeypatch.setenv("DEMARC_TOPIC_ARN", topic)
        return cls(clients, monkeypatch, name)

    @property
    def store(self) -> DynamoFindingStore:
        return DynamoFindingStore(self.clients("dynamodb", REGION), self.name)

    def given(self, *findings: Finding) -> None:
        """Findings that were recorded and told."""
        for finding in findings:
            self.store.record(finding.resource, finding.observed_at, [finding])
            self.store.mark_announced(finding)

    def run(self, now: datetime, *milliseconds: int) -> None:
        self.monkeypatch.setattr(chase, "_now", lambda: now)
        chase.handler({}, Context(iter(milliseconds)))

    def bodies(self) -> list[dict[str, Any]]:
        """What the topic's subscriber received since."""
        sqs, told = self.clients("sqs", REGION), []
        queue = sqs.get_queue_url(QueueName=self.name)["QueueUrl"]
        while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                told.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return told

    def told(self) -> list[tuple[str, str | None, int]]:
        """What findings were told: the act, whom it speaks to, the revision."""
        return [
            (finding["transition"]["act"], finding["transition"]["to"], finding["revision"])
            for body in self.bodies()
            if body["schema"] == "demarc.findings/1"
            for finding in body["findings"]
        ]

    def told_and_digests(self) -> tuple[set[Any], set[Any]]:
        """Whatever was told at least once."""
        bodies = self.bodies()
        told = [each for body in bodies if body["schema"] == "demarc.findings/1" for each in body["findings"]]
        digests = [digest_in(body) for body in bodies if body["schema"] == "demarc.digest/1"]
        return (
            {(each["id"], each["transition"]["act"], each["revision"]) for each in told},
            {(each.kind, each.team) for each in digests},
        )

    def history(self, finding_id: str = "f1") -> list[str]:
        return [each.transition.act.value for each in self.store.history(finding_id) if each.transition]


@pytest.fixture(autouse=True)
def _deployment(
    clients: AwsClients, matrix: CompiledMatrix, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[None]:
    path = tmp_path / "organization.json"
    path.write_text(matrix.without_controls())
    settings = {"DEMARC_NAME": "chase", "DEMARC_MATRIX": str(path), "AWS_REGION": REGION}
    settings |= {"POWERTOOLS_SERVICE_NAME": "demarc", "POWERTOOLS_METRICS_NAMESPACE": "Demarc"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(chase, "AwsClients", lambda **_: clients)
    monkeypatch.setattr(chase.metrics, "namespace", "Demarc")
    chase._chase.cache_clear()
    yield
    chase._chase.cache_clear()


@pytest.fixture
def world(clients: AwsClients, monkeypatch: pytest.MonkeyPatch) -> World:
    return World.deployed(clients, monkeypatch, "findings")


def another(finding_id: str, **changes: Any) -> Finding:
    resource = Resource("AWS::S3::Bucket", finding_id, "123456789012", REGION, f"arn:aws:s3:::{finding_id}")
    return a_finding(id=finding_id, resource=resource, **changes)


@contextmanager
def refusing(clients: AwsClients, event: str, answer: Callable[..., None]) -> Iterator[None]:
    """Have something happen at a point of AWS calls, such as `before-call.dynamodb.Query`."""
    service = event.split(".")[1]
    events = clients(service, REGION).meta.events
    events.register_first(event, answer)
    try:
        yield
    finally:
        events.unregister(event, answer)


# --- findings -------------------------------------------------------------------------------------------------------


def test_an_owner_is_reminded_once(world: World) -> None:
    world.given(a_finding())

    world.run(DUE - DAY)
    world.run(DUE - DAY + HOUR / 4)

    assert world.told() == [("reminded", "Jonas Weber", 2)]


def test_nothing_is_said_before_its_time(world: World) -> None:
    world.given(a_finding())

    world.run(DUE - DAY - HOUR)

    assert world.told() == []
    assert world.history() == []


def test_an_overdue_finding_goes_up_the_chain_a_step_at_a_time_and_then_rests(world: World) -> None:
    world.given(a_finding(reminded=2))

    for quarters in range(0, 4 * 24 * 6, 12):
        world.run(DUE + quarters * HOUR / 4)

    assert world.told() == [
        ("escalated", "Jonas Weber", 2),
        ("escalated", "Aiko Tanaka", 3),
        ("escalated", "Ines Okafor", 4),
        ("escalated", "Helena Novak", 5),
    ]


def test_an_expired_acceptance_opens_the_finding_again_and_tells_the_approver(world: World) -> None:
    risk = AcceptedRisk("R1", "it is a demo", "Helena Novak", DUE, "governance", origin=Origin.SLACK)
    world.given(a_finding(status=Status.ACCEPTED, exception=risk))

    world.run(DUE)
    world.run(DUE + HOUR / 4)

    (body,) = world.bodies()
    assert set(body["audience"]) == {"payments", "governance"}
    assert body["findings"][0]["transition"]["to"] == "Helena Novak"
    (finding,) = world.store.find(team="payments", status=Status.OPEN)
    assert (finding.reopened, finding.exception, finding.due_at) == (1, None, DUE + 3 * DAY)


def test_what_is_over_is_left_alone(world: World) -> None:
    world.given(a_finding(status=Status.RESOLVED), another("f2", status=Status.GONE))

    world.run(DUE + DAY)

    assert world.told() == []


def test_what_becomes_due_together_is_one_message(world: World) -> None:
    world.given(a_finding(), another("f2"), another("f3"), another("f4", team="storefront"))

    world.run(DUE - DAY)

    assert sorted(len(body["findings"]) for body in world.bodies()) == [1, 3]


def test_a_word_that_came_meanwhile_goes_before_the_clock(world: World) -> None:
    found = a_finding()
    world.given(found)
    risk = AcceptedRisk("R1", "it is a demo", "Helena Novak", DUE + 30 * DAY, "governance", origin=Origin.SLACK)
    word = replace(found, revision=2, status=Status.ACCEPTED, exception=risk)

    def accept(**_: Any) -> None:
        if world.store.history("f1")[-1].revision == 1:
            world.store.amend(word)

    with refusing(world.clients, "before-call.dynamodb.TransactWriteItems", once(accept)):
        world.run(DUE - DAY)

    assert world.store.get("f1") == replace(word, announced=1)
    assert world.told() == []


def once(answer: Callable[..., None]) -> Callable[..., None]:
    waiting = [answer]

    def ask(**facts: Any) -> None:
        if waiting:
            waiting.pop()(**facts)

    return ask


# --- whatever goes wrong --------------------------------------------------------------------------------------------


# What changes something; between two of these it makes no difference where a function dies.
WRITES = ("dynamodb.TransactWriteItems", "dynamodb.UpdateItem", "sns.Publish")


@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_a_step_is_recorded_once_and_told_wherever_the_function_dies(
    clients: AwsClients, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """After every single write of a run that reminds of two findings, expires one and sends the digests."""
    base, now = organization(), MONDAY + HOUR
    teams = {name: base.teams[name] for name in ("payments", "grc")}
    (tmp_path / "two-teams.json").write_text(compiled(replace(base, teams=teams)).without_controls())
    monkeypatch.setenv("DEMARC_MATRIX", str(tmp_path / "two-teams.json"))
    risk = AcceptedRisk("R1", "it is a demo", "Helena Novak", now, "grc", origin=Origin.SLACK)
    findings = (
        a_finding(due_at=now + DAY),
        another("f2", due_at=now + DAY, team="grc"),
        another("f3", status=Status.ACCEPTED, exception=risk),
    )
    whole = World.deployed(clients, monkeypatch, "whole")
    whole.given(*findings)
    clients.calls.clear()
    whole.run(now)
    writes = sum(call in WRITES for call in clients.calls)
    expected, digests = whole.told_and_digests()

    assert len(expected) == 3
    assert len(digests) == 3
    for number in range(writes):
        world = World.deployed(clients, monkeypatch, f"dies-{number}")
        world.given(*findings)
        with dying(clients, number), pytest.raises(Killed):
            world.run(now)
        # The claim of a digest that was not told has to grow old first.
        world.run(now + HOUR / 4)

        assert world.told_and_digests() == (expected, digests), number
        histories = [world.history(finding.id) for finding in findings]
        assert histories == [["reminded"], ["reminded"], ["acceptance expired"]], number
        assert list(world.store.unannounced()) == [], number


@contextmanager
def dying(clients: AwsClients, number: int) -> Iterator[None]:
    """The process ends when AWS has done a number of writes and one more, and before it hears of that."""
    left = [number]

    def die(**_: Any) -> None:
        if left[0] == 0:
            raise Killed
        left[0] -= 1

    with ExitStack() as stack:
        for call in WRITES:
            stack.enter_context(refusing(clients, f"after-call.{call}", die))
        yield


def no(**_: Any) -> None:
    raise ClientError({"Error": {"Code": "InternalServerError", "Message": "no"}}, "Something")


def test_a_finding_that_cannot_be_recorded_does_not_keep_the_others_from_it(
    world: World, metrics: Callable[[], dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    world.given(a_finding(), another("f2"), another("f3", team="storefront"))

    with (
        refusing(world.clients, "before-call.dynamodb.TransactWriteItems", once(no)),
        pytest.raises(chase.ChaseFailed, match="1 failures"),
    ):
        world.run(DUE - DAY)

    assert [act for act, _, _ in world.told()] == ["reminded", "reminded"]
    assert metrics()["ChaseFailures"] == [1.0]
    assert "InternalServerError" in caplog.text
    world.run(DUE - DAY)
    assert [act for act, _, _ in world.told()] == ["reminded"]


def test_what_could_not_be_told_is_told_by_the_next_run(world: World) -> None:
    world.given(a_finding())

    with refusing(world.clients, "before-call.sns.Publish", no), pytest.raises(chase.ChaseFailed):
        world.run(DUE - DAY)
    assert world.told() == []
    world.run(DUE - DAY + HOUR / 4)

    assert world.told() == [("reminded", "Jonas Weber", 2)]


def test_a_revision_that_somebody_else_is_about_to_tell_is_left_to_them(world: World) -> None:
    world.store.record(a_finding().resource, NOON, [a_finding()])

    world.run(NOON + HOUR)

    assert world.told() == []


def test_a_team_whose_findings_cannot_be_read_keeps_nobody_else_waiting(
    world: World, metrics: Callable[[], dict[str, Any]]
) -> None:
    world.given(a_finding(), another("f2", team="storefront"))

    def not_payments(params: dict[str, Any], **_: Any) -> None:
        if '"payments"' in str(params["body"]):
            no()

    with refusing(world.clients, "before-call.dynamodb.Query", not_payments), pytest.raises(chase.ChaseFailed):
        world.run(DUE - DAY)

    assert [act for act, _, _ in world.told()] == ["reminded"]
    assert "OpenFindings" not in metrics()


def test_a_run_whose_time_is_up_leaves_the_rest_to_the_next(
    world: World, metrics: Callable[[], dict[str, Any]]
) -> None:
    world.given(a_finding(), another("f2"), another("f3"))

    world.run(DUE - DAY, 600_000, 1_000)

    assert len(world.told()) == 1
    assert metrics()["ChaseUnfinished"] == [1.0]
    world.run(DUE - DAY)
    assert len(world.told()) == 2


# --- digests and figures --------------------------------------------------------------------------------------------


@pytest.fixture
def metrics(capsys: pytest.CaptureFixture[str]) -> Callable[[], dict[str, Any]]:
    """The metrics without a dimension of their own, as CloudWatch reads them from the log."""

    def read() -> dict[str, Any]:
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
        found: dict[str, Any] = next(line for line in lines if "ChaseFailures" in line)
        return found

    return read


def test_each_team_with_something_to_read_and_governance_get_one_digest_a_week(world: World) -> None:
    resolved = another("f3", team="security", status=Status.RESOLVED, resolved_at=NOON)
    long_ago = another("f4", team="platform", status=Status.RESOLVED, resolved_at=QUIET_WEEK)
    world.given(a_finding(reminded=2), resolved, long_ago)

    for minutes in (-15, 0, 15, 30):
        world.run(MONDAY + timedelta(minutes=minutes))

    digests = [digest_in(body) for body in world.bodies() if body["schema"] == "demarc.digest/1"]
    assert sorted((each.kind, each.team) for each in digests) == [
        ("governance", "governance"),
        ("weekly", "payments"),
        ("weekly", "security"),
    ]
    governance = next(each for each in digests if each.kind is DigestKind.GOVERNANCE)
    assert (governance.counts.to_do, governance.counts.overdue, governance.counts.resolved) == (1, 1, 1)


def test_a_digest_that_could_not_be_told_comes_when_its_claim_is_old(world: World) -> None:
    world.given(a_finding(reminded=2, escalated=9))

    with refusing(world.clients, "before-call.sns.Publish", no), pytest.raises(chase.ChaseFailed):
        world.run(MONDAY)
    world.run(MONDAY + HOUR / 12)
    assert world.bodies() == []
    world.run(MONDAY + HOUR / 4)

    assert len(world.bodies()) == 2


def test_a_claim_is_one_callers_until_it_is_old_and_nobodys_once_sent(world: World) -> None:
    store, week = DynamoDigestStore(world.clients("dynamodb", REGION), world.name), date(2026, 1, 5)

    assert store.claim(week, "weekly#payments", MONDAY)
    assert not store.claim(week, "weekly#payments", MONDAY + HOUR / 12)
    assert store.claim(week, "weekly#payments", MONDAY + HOUR / 4)
    store.sent(week, "weekly#payments")
    assert not store.claim(week, "weekly#payments", MONDAY + DAY)
    assert store.claim(week, "weekly#platform", MONDAY)
    assert store.claim(date(2026, 1, 12), "weekly#payments", MONDAY + 7 * DAY)


def test_how_much_is_open_is_measured_after_the_steps_were_taken(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    risk = AcceptedRisk("R1", "it is a demo", "Helena Novak", DUE, "governance", origin=Origin.SLACK)
    world.given(a_finding(), another("f2", status=Status.ACCEPTED, exception=risk))

    world.run(DUE + HOUR)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    teams = {line["team"]: line for line in lines if "team" in line}
    assert teams["payments"]["OpenFindings"] == [2.0]
    assert teams["payments"]["OverdueFindings"] == [1.0]
    assert teams["storefront"]["OpenFindings"] == [0.0]
    (own,) = (line for line in lines if "ChaseFailures" in line)
    assert (own["Escalations"], own["ExpiredAcceptances"], own["Reminders"]) == ([1.0], [1.0], [0.0])


def test_an_act_of_the_clock_is_logged_with_whom_it_speaks_to(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.given(a_finding())

    with caplog.at_level("INFO"):
        world.run(DUE - DAY)

    (record,) = (record for record in caplog.records if record.message == Act.REMIND.value)
    assert (vars(record)["finding"], vars(record)["to"]) == ("f1", "Jonas Weber")
