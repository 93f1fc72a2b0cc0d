"""Whether Demarc itself works, and how findings fare: alarms, each with its section of the runbook, and a dashboard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from demarc.core.matrix import Team
from demarc.core.model import Severity
from infra.announcements import Announcements
from infra.answerer import Answerer
from infra.chaser import Chaser
from infra.deliverer import Deliverer
from infra.feed import Feed
from infra.function import FunctionBox
from infra.responder import Responder
from infra.sweeper import Sweeper

_RUNBOOK = "docs/runbook.md"
_FIVE_MINUTES = Duration.minutes(5)
_HOUR = Duration.hours(1)


class Monitoring(Construct):
    """Tells whoever operates Demarc when changes are not judged, or judged late, or their findings not followed up."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  # the CDK's word
        *,
        responders: Sequence[Responder],
        sweeper: Sweeper,
        chaser: Chaser,
        deliverer: Deliverer | None,
        answerer: Answerer | None,
        announcements: Announcements,
        teams: Sequence[Team],
        operators: str,
        key: kms.IKey | None,
    ) -> None:
        super().__init__(scope, id)
        # CloudWatch may not publish to a topic under AWS's own SNS key, so that is the customer's key or none;
        # alarms carry names and numbers only.
        self.topic = sns.Topic(self, "Alarms", display_name="Demarc alarms", enforce_ssl=True, master_key=key)
        self.topic.add_subscription(subscriptions.EmailSubscription(operators))
        # The policy that demands TLS replaces the default one, which had let alarms of the account in.
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
        self.dashboard = cloudwatch.Dashboard(self, "Dashboard", default_interval=Duration.days(1))
        self.alarms: list[cloudwatch.Alarm] = []
        for responder in responders:
            self._watch_responder(responder)
        self._watch_sweeper(sweeper)
        self._watch_chaser(chaser)
        feeds: dict[str, Feed] = {responder.name: responder.changes for responder in responders}
        feeds[sweeper.name] = sweeper.requests
        if deliverer:
            self._watch_deliverer(deliverer)
            feeds[deliverer.name] = deliverer.announcements
        if answerer:
            self._watch_answerer(answerer)
        failed = announcements.topic.metric_number_of_notifications_failed(period=_FIVE_MINUTES)
        self._alarm("announcements-undelivered", failed, above=0, what="A team did not get a message")

        self.dashboard.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=self.alarms, width=24, height=5))
        self._draw_findings(responders, teams)
        self._draw_judging(responders)
        self._draw_sweeps()
        self._draw_queues(feeds)

    # --- alarms -------------------------------------------------------------------------------------------------------

    def _watch_responder(self, responder: Responder) -> None:
        name = responder.name
        self._watch_function(responder)
        self._watch_feed(name, responder.changes, waits=_FIVE_MINUTES, what="A change waits for more than five minutes")
        self._alarm(
            f"{name}-verification-lag",
            _of_responder("VerificationLag", responder, "p95"),
            above=Duration.minutes(10).to_milliseconds(),
            what="From change to verdict it takes more than ten minutes",
            periods=3,
        )
        self._alarm(
            f"{name}-denied-reads",
            _of_responder("DeniedReads", responder, "Sum"),
            above=0,
            what="A read was refused",
        )

    def _watch_sweeper(self, sweeper: Sweeper) -> None:
        self._watch_function(sweeper)
        self._watch_feed(
            sweeper.name, sweeper.requests, waits=_HOUR, what="A sweep does not go on for more than an hour"
        )
        self._alarm(
            f"{sweeper.name}-incomplete",
            _of_service("SweepsIncomplete", "Sum"),
            above=0,
            what="A sweep ended without having looked at everything",
        )

    def _watch_chaser(self, chaser: Chaser) -> None:
        self._watch_function(chaser)
        self._alarm(
            f"{chaser.name}-asleep",
            chaser.function.metric_invocations(period=_HOUR),
            below=1,
            what="For an hour nobody followed findings up",
        )
        self._alarm(
            f"{chaser.name}-unfinished",
            _of_service("ChaseUnfinished", "Sum").with_(period=_HOUR),
            above=1,
            what="Following findings up is not done in its time, or cannot read something, again and again",
        )

    def _watch_deliverer(self, deliverer: Deliverer) -> None:
        """Without an alarm on age: in a team's quiet hours messages wait because they should."""
        name = deliverer.name
        self._watch_function(deliverer)
        self._watch_dead_letters(name, deliverer.announcements)
        refused = _of_service("ChannelsRefused", "Sum")
        self._alarm(f"{name}-channel-refused", refused, above=0, what="A channel takes no messages")
        # A message that fails comes again ever later, about seven times in the first hour.
        failed = _of_service("DeliveryFailures", "Sum").with_(period=_HOUR)
        self._alarm(f"{name}-delayed", failed, above=5, what="Messages to a channel fail again and again")

    def _watch_answerer(self, answerer: Answerer) -> None:
        self._watch_function(answerer)
        forged = _of("RefusedRequests", "reason", "forged", "Sum")
        self._alarm(f"{answerer.name}-forged", forged, above=0, what="Somebody pretended to be Slack")

    def _watch_function(self, box: FunctionBox) -> None:
        errors, throttles = (
            box.function.metric_errors(period=_FIVE_MINUTES),
            box.function.metric_throttles(period=_FIVE_MINUTES),
        )
        self._alarm(f"{box.name}-errors", errors, above=0, what="Invocations failed")
        self._alarm(f"{box.name}-throttles", throttles, above=0, what="Throttled")

    def _watch_feed(self, name: str, feed: Feed, *, waits: Duration, what: str) -> None:
        self._watch_dead_letters(name, feed)
        age = feed.queue.metric_approximate_age_of_oldest_message(period=_FIVE_MINUTES)
        self._alarm(f"{name}-message-age", age, above=waits.to_seconds(), what=what)

    def _watch_dead_letters(self, name: str, feed: Feed) -> None:
        dead = feed.dead_letters.metric_approximate_number_of_messages_visible(period=_FIVE_MINUTES)
        self._alarm(f"{name}-dead-letters", dead, above=0, what="Messages nobody could settle")

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        *,
        what: str,
        above: float | None = None,
        below: float | None = None,
        periods: int = 1,
    ) -> None:
        """Raised above a figure, or below one: then also where there is no figure at all."""
        section = name.partition("-")[2]
        compared, missing = cloudwatch.ComparisonOperator, cloudwatch.TreatMissingData
        alarm = cloudwatch.Alarm(
            self,
            name.title().replace("-", ""),
            metric=metric,
            threshold=above if above is not None else below or 0,
            comparison_operator=compared.LESS_THAN_THRESHOLD if above is None else compared.GREATER_THAN_THRESHOLD,
            evaluation_periods=periods,
            treat_missing_data=missing.BREACHING if above is None else missing.NOT_BREACHING,
            alarm_description=f"{what}. What to do: {_RUNBOOK}#{section}",
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        self.alarms.append(alarm)

    # --- the dashboard ------------------------------------------------------------------------------------------------

    def _draw_findings(self, responders: Sequence[Responder], teams: Sequence[Team]) -> None:
        """How findings fare: what the chaser counts each time, and what each revision was worth when recorded."""
        names = [team.id for team in teams]
        severities = [severity.value for severity in Severity]
        self.dashboard.add_widgets(
            _graph("Open findings by team", [_line("OpenFindings", "team", each, "Maximum") for each in names]),
            _graph("Overdue findings by team", [_line("OverdueFindings", "team", each, "Maximum") for each in names]),
        )
        self.dashboard.add_widgets(
            _graph(
                "Open findings by severity", [_line("OpenFindings", "severity", each, "Maximum") for each in severities]
            ),
            _graph(
                "Overdue findings by severity",
                [_line("OverdueFindings", "severity", each, "Maximum") for each in severities],
            ),
        )
        times = (
            ("Mean time to detect (ms)", "TimeToDetect"),
            ("Mean time to acknowledge (ms)", "TimeToAcknowledge"),
            ("Mean time to resolve (ms)", "TimeToResolve"),
        )
        self.dashboard.add_widgets(
            *(
                _graph(title, [_line(name, "severity", each, "Average") for each in severities], width=8)
                for title, name in times
            )
        )
        reopened = [_line("ReopenedFindings", "severity", each, "Sum") for each in severities]
        opened = [_of_responder("FindingsOpened", responder, "Sum") for responder in responders]
        self.dashboard.add_widgets(
            _graph("Findings that came back", reopened),
            _graph("Of the findings opened, came back (%)", [_percentage(reopened, opened)]),
        )

    def _draw_judging(self, responders: Sequence[Responder]) -> None:
        drawn = (
            ("Verification lag, p95 (ms)", "VerificationLag", "p95"),
            ("Findings opened", "FindingsOpened", "Sum"),
            ("Controls that do not hold", "EvaluationsNonCompliant", "Sum"),
            ("Controls that could not be judged", "EvaluationsInsufficientData", "Sum"),
            ("Events without a row", "UnmappedEvents", "Sum"),
            ("Read calls", "ReadCalls", "Sum"),
        )
        graphs = [
            _graph(title, [_line(name, "responder", responder.name, statistic) for responder in responders])
            for title, name, statistic in drawn
        ]
        for left, right in zip(graphs[::2], graphs[1::2], strict=True):
            self.dashboard.add_widgets(left, right)

    def _draw_sweeps(self) -> None:
        drawn = (
            ("How long a sweep takes (s)", "SweepDuration", "Maximum"),
            ("Resources that a sweep looks at", "SweepResources", "Sum"),
            ("What a sweep costs ($)", "SweepDollars", "Sum"),
        )
        self.dashboard.add_widgets(
            *(
                _graph(title, [_of_service(name, statistic).with_(label=name)], width=8)
                for title, name, statistic in drawn
            )
        )

    def _draw_queues(self, feeds: dict[str, Feed]) -> None:
        waiting = [feed.queue.metric_approximate_age_of_oldest_message(label=name) for name, feed in feeds.items()]
        dead = [
            feed.dead_letters.metric_approximate_number_of_messages_visible(label=name) for name, feed in feeds.items()
        ]
        self.dashboard.add_widgets(_graph("Oldest message waiting (s)", waiting), _graph("Dead letters", dead))


def _graph(title: str, lines: Sequence[cloudwatch.IMetric], *, width: int = 12) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(lines), width=width)


def _line(name: str, dimension: str, value: str, statistic: str) -> cloudwatch.Metric:
    """A metric as a line that is called after what it is of. An alarm takes none with a label."""
    return _of(name, dimension, value, statistic).with_(label=value)


def _of_responder(name: str, responder: Responder, statistic: str) -> cloudwatch.Metric:
    """A metric that a responder writes to its log."""
    return _of(name, "responder", responder.name, statistic)


def _of(name: str, dimension: str, value: str, statistic: str) -> cloudwatch.Metric:
    """A metric that a function writes to its log, of one responder, team or severity."""
    return cloudwatch.Metric(
        namespace="Demarc",
        metric_name=name,
        dimensions_map={dimension: value, "service": "demarc"},
        statistic=statistic,
        period=_FIVE_MINUTES,
    )


def _of_service(name: str, statistic: str) -> cloudwatch.Metric:
    """A metric that only one function writes to its log."""
    return cloudwatch.Metric(
        namespace="Demarc",
        metric_name=name,
        dimensions_map={"service": "demarc"},
        statistic=statistic,
        period=_FIVE_MINUTES,
    )


def _percentage(some: Iterable[cloudwatch.Metric], of: Iterable[cloudwatch.Metric]) -> cloudwatch.MathExpression:
    """The sum of some metrics for each hundred of others; a metric without a value counts as nothing."""
    part = {f"some{number}": metric for number, metric in enumerate(some)}
    whole = {f"of{number}": metric for number, metric in enumerate(of)}
    sums = ["+".join(f"FILL({name},0)" for name in names) for names in (part, whole)]
    return cloudwatch.MathExpression(
        expression=f"100*({sums[0]})/({sums[1]})", using_metrics={**part, **whole}, label="came back", period=_HOUR
    )
