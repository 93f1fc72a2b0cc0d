"""Whether Demarc itself works: an alarm per box, each with its section of the runbook, and one dashboard."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.announcements import Announcements
from infra.responder import Responder

_RUNBOOK = "docs/runbook.md"
_FIVE_MINUTES = Duration.minutes(5)


class Monitoring(Construct):
    """Tells whoever operates Demarc when changes are not judged, or judged late."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  # the CDK's word
        *,
        watching: Sequence[Responder],
        announcements: Announcements,
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
        self.alarms = [alarm for responder in watching for alarm in self._watch(responder)]
        failed = announcements.topic.metric_number_of_notifications_failed(period=_FIVE_MINUTES)
        self.alarms.append(
            self._alarm("announcements-undelivered", failed, above=0, what="A team did not get a message")
        )
        self._draw(watching)

    def _watch(self, responder: Responder) -> list[cloudwatch.Alarm]:
        name, queue, function = responder.name, responder.changes.queue, responder.function
        dead = responder.changes.dead_letters.metric_approximate_number_of_messages_visible(period=_FIVE_MINUTES)
        age = queue.metric_approximate_age_of_oldest_message(period=_FIVE_MINUTES)
        return [
            self._alarm(f"{name}-dead-letters", dead, above=0, what="Messages nobody could settle"),
            self._alarm(
                f"{name}-errors", function.metric_errors(period=_FIVE_MINUTES), above=0, what="Invocations failed"
            ),
            self._alarm(
                f"{name}-throttles", function.metric_throttles(period=_FIVE_MINUTES), above=0, what="Throttled"
            ),
            self._alarm(f"{name}-message-age", age, above=300, what="A change waits for more than five minutes"),
            self._alarm(
                f"{name}-verification-lag",
                _ours("VerificationLag", responder, "p95"),
                above=Duration.minutes(10).to_milliseconds(),
                what="From change to verdict it takes more than ten minutes",
                periods=3,
            ),
            self._alarm(
                f"{name}-denied-reads", _ours("DeniedReads", responder, "Sum"), above=0, what="A read was refused"
            ),
        ]

    def _alarm(
        self, name: str, metric: cloudwatch.IMetric, *, above: float, what: str, periods: int = 1
    ) -> cloudwatch.Alarm:
        section = name.partition("-")[2]
        alarm = cloudwatch.Alarm(
            self,
            name.title().replace("-", ""),
            metric=metric,
            threshold=above,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=periods,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"{what}. What to do: {_RUNBOOK}#{section}",
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        return alarm

    def _draw(self, watching: Sequence[Responder]) -> None:
        self.dashboard.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=self.alarms, width=24, height=4))

        def graph(title: str, name: str, statistic: str) -> cloudwatch.GraphWidget:
            lines = [_ours(name, responder, statistic).with_(label=responder.name) for responder in watching]
            return cloudwatch.GraphWidget(title=title, left=lines, width=12)

        self.dashboard.add_widgets(
            graph("Verification lag, p95 (ms)", "VerificationLag", "p95"),
            graph("Findings opened", "FindingsOpened", "Sum"),
        )
        self.dashboard.add_widgets(
            graph("Controls that do not hold", "EvaluationsNonCompliant", "Sum"),
            graph("Controls that could not be judged", "EvaluationsInsufficientData", "Sum"),
        )
        self.dashboard.add_widgets(
            graph("Events without a row", "UnmappedEvents", "Sum"),
            graph("Read calls", "ReadCalls", "Sum"),
        )
        waiting = [
            responder.changes.queue.metric_approximate_age_of_oldest_message(label=responder.name)
            for responder in watching
        ]
        dead = [
            responder.changes.dead_letters.metric_approximate_number_of_messages_visible(label=responder.name)
            for responder in watching
        ]
        self.dashboard.add_widgets(
            cloudwatch.GraphWidget(title="Oldest change waiting (s)", left=waiting, width=12),
            cloudwatch.GraphWidget(title="Dead letters", left=dead, width=12),
        )


def _ours(name: str, responder: Responder, statistic: str) -> cloudwatch.Metric:
    """A metric that the function writes to its log."""
    return cloudwatch.Metric(
        namespace="Demarc",
        metric_name=name,
        dimensions_map={"responder": responder.name, "service": "demarc"},
        statistic=statistic,
        period=_FIVE_MINUTES,
    )
