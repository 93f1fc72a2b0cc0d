"""Whoever operates Demarc is told when a box does not do its work, and what to do about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from demarc import readers
from tests.infrastructure.synthesis import ROOT, Assembly

RESPONDERS = sorted({reader.responder for reader in readers.load()})
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()


def alarms(assembly: Assembly) -> Iterator[dict[str, Any]]:
    yield from (dict(each["Properties"]) for each in assembly.resources("AWS::CloudWatch::Alarm").values())


def watched(assembly: Assembly, metric: str) -> set[str]:
    """What the alarms on a metric are about: a name out of their dimensions."""
    return {
        dimension["Value"] if isinstance(dimension["Value"], str) else str(dimension["Value"])
        for alarm in alarms(assembly)
        if alarm["MetricName"] == metric
        for dimension in alarm["Dimensions"]
        if dimension["Name"] != "service"
    }


@pytest.mark.parametrize("responder", RESPONDERS)
@pytest.mark.parametrize(
    ("metric", "box"),
    [
        ("ApproximateNumberOfMessagesVisible", "ChangesDeadLetters"),
        ("ApproximateAgeOfOldestMessage", "ChangesQueue"),
        ("Errors", "Function"),
        ("Throttles", "Function"),
    ],
)
def test_each_responder_is_watched(responder: str, metric: str, box: str, assembly: Assembly) -> None:
    assert any(f"{responder.title()}{box}" in about for about in watched(assembly, metric))


@pytest.mark.parametrize("metric", ["VerificationLag", "DeniedReads"])
def test_each_responders_own_figures_are_watched(metric: str, assembly: Assembly) -> None:
    assert watched(assembly, metric) == set(RESPONDERS)


@pytest.mark.parametrize(
    ("metric", "above"),
    [
        ("ApproximateNumberOfMessagesVisible", 0),
        ("ApproximateAgeOfOldestMessage", 300),
        ("Errors", 0),
        ("Throttles", 0),
        ("DeniedReads", 0),
        ("VerificationLag", 10 * 60 * 1000),
        ("NumberOfNotificationsFailed", 0),
    ],
)
def test_an_alarm_is_raised_above_what_the_runbook_says(metric: str, above: float, assembly: Assembly) -> None:
    """SQS counts ages in seconds; the functions write their lag in milliseconds."""
    found = [alarm for alarm in alarms(assembly) if alarm["MetricName"] == metric]
    assert {(alarm["Threshold"], alarm["ComparisonOperator"]) for alarm in found} == {(above, "GreaterThanThreshold")}


@pytest.mark.parametrize("metric", ["ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"])
def test_a_queue_is_judged_by_its_worst_moment(metric: str, assembly: Assembly) -> None:
    assert {alarm["Statistic"] for alarm in alarms(assembly) if alarm["MetricName"] == metric} == {"Maximum"}


def test_lag_is_judged_by_the_slowest_in_twenty(assembly: Assembly) -> None:
    lag = [alarm for alarm in alarms(assembly) if alarm["MetricName"] == "VerificationLag"]
    assert {(alarm["Namespace"], alarm["ExtendedStatistic"]) for alarm in lag} == {("Demarc", "p95")}


def test_announcements_that_are_not_delivered_raise_an_alarm(assembly: Assembly) -> None:
    assert "AnnouncementsTopic" in str(watched(assembly, "NumberOfNotificationsFailed"))


def test_every_alarm_reaches_the_operators(assembly: Assembly) -> None:
    for alarm in alarms(assembly):
        (action,) = alarm["AlarmActions"]
        assert action["Ref"].startswith("MonitoringAlarms")
    endpoints = [
        each["Properties"]["Endpoint"]
        for each in assembly.resources("AWS::SNS::Subscription").values()
        if each["Properties"]["TopicArn"]["Ref"].startswith("MonitoringAlarms")
    ]
    assert endpoints == ["cloud-platform@fjordline.example"]


def test_cloudwatch_may_publish_alarms(assembly: Assembly) -> None:
    """A topic policy of one's own replaces the default one, which would have let it."""
    (policy,) = [
        each["Properties"]["PolicyDocument"]["Statement"]
        for each in assembly.resources("AWS::SNS::TopicPolicy").values()
        if each["Properties"]["Topics"][0]["Ref"].startswith("MonitoringAlarms")
    ]
    (allowed,) = [statement for statement in policy if statement["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_every_alarm_names_its_section_of_the_runbook(assembly: Assembly) -> None:
    sections = set(re.findall(r"^## (\S+)$", RUNBOOK, re.MULTILINE))
    named = set()
    for alarm in alarms(assembly):
        found = re.search(r"docs/runbook\.md#(\S+)$", alarm["AlarmDescription"])
        assert found, alarm["AlarmDescription"]
        named.add(found[1])
    assert named == sections


def test_links_within_the_runbook_lead_somewhere() -> None:
    sections = set(re.findall(r"^## (\S+)$", RUNBOOK, re.MULTILINE))
    assert set(re.findall(r"\]\(#([^)]+)\)", RUNBOOK)) <= sections


def widgets(assembly: Assembly) -> list[dict[str, Any]]:
    """The dashboard's widgets; what only CloudFormation knows is left out of the text."""
    (dashboard,) = assembly.resources("AWS::CloudWatch::Dashboard").values()
    parts = dashboard["Properties"]["DashboardBody"]["Fn::Join"][1]
    body = json.loads("".join(part if isinstance(part, str) else f"<{next(iter(part))}>" for part in parts))
    found: list[dict[str, Any]] = body["widgets"]
    return found


def test_the_dashboard_shows_the_state_of_every_alarm(assembly: Assembly) -> None:
    (states,) = [widget for widget in widgets(assembly) if widget["type"] == "alarm"]
    assert len(states["properties"]["alarms"]) == len(list(alarms(assembly)))


def test_each_graph_of_the_dashboard_has_a_line_per_responder(assembly: Assembly) -> None:
    graphs = [widget["properties"] for widget in widgets(assembly) if widget["type"] == "metric"]
    assert len(graphs) == 8
    for graph in graphs:
        assert [line[-1]["label"] for line in graph["metrics"]] == RESPONDERS, graph["title"]


def test_a_quiet_account_raises_no_alarm(assembly: Assembly) -> None:
    assert {alarm["TreatMissingData"] for alarm in alarms(assembly)} == {"notBreaching"}
