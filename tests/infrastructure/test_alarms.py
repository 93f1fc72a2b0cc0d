"""Whoever operates Demarc is told when a box does not do its work, and what to do about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from demarc.authoring.compile import CompiledMatrix
from demarc.core.model import Severity
from tests.infrastructure.boxes import CONSTRUCTS, EACH_FEED, EACH_FUNCTION, FEEDS, RESPONDERS
from tests.infrastructure.synthesis import ROOT, Assembly

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


@EACH_FUNCTION
@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_each_function_is_watched(name: str, metric: str, assembly: Assembly) -> None:
    assert any(f"{CONSTRUCTS[name]}Function" in about for about in watched(assembly, metric))


@EACH_FEED
def test_what_no_function_could_settle_is_watched(name: str, assembly: Assembly) -> None:
    dead = watched(assembly, "ApproximateNumberOfMessagesVisible")
    assert any(f"{FEEDS[name]}DeadLetters" in about for about in dead)


@pytest.mark.parametrize("name", [name for name in FEEDS if name != "deliver"])
def test_each_queue_that_should_not_be_waited_in_is_watched(name: str, assembly: Assembly) -> None:
    """In a team's quiet hours its messages wait to be delivered because they should."""
    waiting = watched(assembly, "ApproximateAgeOfOldestMessage")
    assert any(f"{FEEDS[name]}Queue" in about for about in waiting)
    assert not any(FEEDS["deliver"] in about for about in waiting)


@pytest.mark.parametrize(
    "metric", ["SweepsIncomplete", "ChaseUnfinished", "ChannelsRefused", "DeliveryFailures", "RefusedRequests"]
)
def test_what_functions_say_of_their_own_failures_is_watched(metric: str, assembly: Assembly) -> None:
    """The metric is one that a function writes, in its own words."""
    assert any(alarm["MetricName"] == metric for alarm in alarms(assembly))
    code = "".join(path.read_text() for path in (ROOT / "functions" / "demarc").rglob("*.py"))
    assert f'"{metric}"' in code


def test_that_nobody_follows_findings_up_is_noticed_also_when_nothing_is_heard_at_all(assembly: Assembly) -> None:
    (alarm,) = [alarm for alarm in alarms(assembly) if alarm["MetricName"] == "Invocations"]
    assert "ChaserFunction" in str(alarm["Dimensions"])
    assert (alarm["ComparisonOperator"], alarm["Threshold"], alarm["Period"]) == ("LessThanThreshold", 1, 3600)
    assert alarm["TreatMissingData"] == "breaching"


@pytest.mark.parametrize("metric", ["VerificationLag", "DeniedReads"])
def test_each_responders_own_figures_are_watched(metric: str, assembly: Assembly) -> None:
    assert watched(assembly, metric) == set(RESPONDERS)


@pytest.mark.parametrize(
    ("metric", "above"),
    [
        ("ApproximateNumberOfMessagesVisible", 0),
        ("Errors", 0),
        ("Throttles", 0),
        ("DeniedReads", 0),
        ("VerificationLag", 10 * 60 * 1000),
        ("NumberOfNotificationsFailed", 0),
    ],
)
def test_an_alarm_is_raised_above_what_the_runbook_says(metric: str, above: float, assembly: Assembly) -> None:
    """The functions write their lag in milliseconds."""
    found = [alarm for alarm in alarms(assembly) if alarm["MetricName"] == metric]
    assert {(alarm["Threshold"], alarm["ComparisonOperator"]) for alarm in found} == {(above, "GreaterThanThreshold")}


def test_a_change_may_wait_for_five_minutes_and_a_sweep_for_an_hour(assembly: Assembly) -> None:
    """SQS counts ages in seconds."""
    ages = {
        alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0]: alarm["Threshold"]
        for alarm in alarms(assembly)
        if alarm["MetricName"] == "ApproximateAgeOfOldestMessage"
    }
    assert {age for queue, age in ages.items() if "Changes" in queue} == {300}
    assert {age for queue, age in ages.items() if queue.startswith("Sweeper")} == {3600}


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


def graphs(assembly: Assembly) -> dict[str, list[str]]:
    """The graphs by title, and the labels of the lines that are drawn."""
    return {
        widget["properties"]["title"]: [
            line[-1]["label"]
            for line in widget["properties"]["metrics"]
            if "label" in line[-1] and line[-1].get("visible", True)
        ]
        for widget in widgets(assembly)
        if widget["type"] == "metric"
    }


@pytest.mark.parametrize(
    "title",
    [
        "Verification lag, p95 (ms)",
        "Findings opened",
        "Controls that do not hold",
        "Controls that could not be judged",
        "Events without a row",
        "Read calls",
    ],
)
def test_a_graph_of_what_is_judged_has_a_line_per_responder(title: str, assembly: Assembly) -> None:
    assert graphs(assembly)[title] == RESPONDERS


@pytest.mark.parametrize("title", ["Open findings by team", "Overdue findings by team"])
def test_what_is_open_and_overdue_has_a_line_per_team(title: str, assembly: Assembly, matrix: CompiledMatrix) -> None:
    assert graphs(assembly)[title] == list(matrix.organization.teams)


@pytest.mark.parametrize(
    "title",
    [
        "Open findings by severity",
        "Overdue findings by severity",
        "Mean time to detect (ms)",
        "Mean time to acknowledge (ms)",
        "Mean time to resolve (ms)",
        "Findings that came back",
    ],
)
def test_how_findings_fare_has_a_line_per_severity(title: str, assembly: Assembly) -> None:
    assert graphs(assembly)[title] == [severity.value for severity in Severity]


@pytest.mark.parametrize("title", ["Oldest message waiting (s)", "Dead letters"])
def test_each_queue_has_a_line(title: str, assembly: Assembly) -> None:
    assert graphs(assembly)[title] == list(FEEDS)


def test_the_dashboard_says_what_sweeps_take_and_how_many_findings_come_back(assembly: Assembly) -> None:
    drawn = graphs(assembly)
    assert drawn["How long a sweep takes (s)"] == ["SweepDuration"]
    assert drawn["What a sweep costs ($)"] == ["SweepDollars"]
    assert drawn["Of the findings opened, came back (%)"] == ["came back"]


def test_every_figure_that_is_drawn_or_watched_is_one_that_the_code_writes(assembly: Assembly) -> None:
    """Under another name it would be an empty graph, or an alarm that is never raised."""
    code = "".join(path.read_text() for path in (ROOT / "functions" / "demarc").rglob("*.py"))
    drawn = {
        line[1]
        for widget in widgets(assembly)
        for line in widget["properties"].get("metrics", ())
        if line[0] == "Demarc"
    }
    watching = {alarm["MetricName"] for alarm in alarms(assembly) if alarm["Namespace"] == "Demarc"}
    assert {name for name in drawn | watching if f'"{name}"' not in code} == set()
    assert {"OpenFindings", "TimeToResolve", "SweepDollars"} <= drawn


def test_a_quiet_account_raises_no_alarm(assembly: Assembly) -> None:
    quiet = [alarm for alarm in alarms(assembly) if alarm["MetricName"] != "Invocations"]
    assert {alarm["TreatMissingData"] for alarm in quiet} == {"notBreaching"}
