"""The responder: an SQS batch of EventBridge envelopes, and of looks that were asked for, in; attributed findings out.

Deployed once per group of layers; `DEMARC_NAME` says which, and the compiled matrix holds only that group's rows.
"""

from __future__ import annotations

import gc

# Loading modules and service models makes many objects and no garbage; collecting meanwhile costs up to 45 ms.
# It begins after the first batch, which is the last to load any.
gc.disable()

# ruff: noqa: E402  # the imports are what the collector must not disturb
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.session import get_session

from demarc import readers
from demarc.announcers.sns import SnsAnnouncer
from demarc.aws import AwsClients
from demarc.core.change import NoChange, Reason, interpret
from demarc.core.look import Look, is_look, look_of
from demarc.core.matrix import Matrix
from demarc.core.metering import metrics_of
from demarc.core.model import Change, Compliance, Status
from demarc.core.occurrence import is_occurrence
from demarc.core.wire import WireError
from demarc.handlers.metering import emit
from demarc.pipeline import Batch, Judgement, Pipeline
from demarc.readers import Gone
from demarc.settings import Settings
from demarc.stores.dynamodb import DynamoFindingStore
from demarc.stores.heartbeats import Heartbeats

if TYPE_CHECKING:
    from demarc.handlers.looking import Desk

logger = Logger()
metrics = Metrics()

_EVALUATION_METRICS = {
    Compliance.COMPLIANT: "EvaluationsCompliant",
    Compliance.NON_COMPLIANT: "EvaluationsNonCompliant",
    Compliance.NOT_APPLICABLE: "EvaluationsNotApplicable",
    Compliance.INSUFFICIENT_DATA: "EvaluationsInsufficientData",
}


class PoisonMessage(ValueError):
    """A message that no retry can make sense of; it goes to the dead-letter queue, with the reason in the log."""


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Answer one batch. Messages that failed are named in the answer, and only those come again."""
    responder = _responder(Settings.of())
    metrics.add_dimension(name="responder", value=responder.name)
    logger.append_keys(responder=responder.name, matrix=responder.pipeline.matrix.version)
    batch = _Delivery(event["Records"], responder, context)
    answer = process_partial_response(
        event=event,
        record_handler=batch.settle,
        processor=BatchProcessor(
            event_type=EventType.SQS,
            raise_on_entire_batch_failure=False,
            # The standard library's logger that Powertools' own writes to: what failed is told with its traceback.
            logger=logging.getLogger(logger.name),
        ),
        context=context,
    )
    metrics.add_metric("ReadCalls", MetricUnit.Count, len(responder.clients.calls))
    responder.clients.calls.clear()
    _begin_collecting()
    return answer


class _Responder:
    """What lives as long as the container: the matrix, the clients, the readers that an event asked for."""

    def __init__(self, settings: Settings) -> None:
        matrix = Matrix.from_json(settings.matrix.read_bytes())
        # Two sets of clients, so that what is read is counted apart; one session, since making one costs 7 ms.
        session = get_session()
        self.clients = AwsClients(session=session, endpoint_url=settings.endpoint_url)
        outgoing = AwsClients(session=session, endpoint_url=settings.endpoint_url)
        self.pipeline = Pipeline(
            matrix=matrix,
            readers=readers.Readers(matrix.types),
            clients=self.clients,
            store=DynamoFindingStore(outgoing("dynamodb", settings.region), settings.table),
            announcer=SnsAnnouncer(outgoing("sns", settings.region), settings.topic_arn),
            clock=lambda: datetime.now(UTC),
        )
        self.heartbeats = Heartbeats(outgoing("dynamodb", settings.region), settings.table)
        self.name = settings.name
        self._settings = settings
        self._outgoing = outgoing

    def interpreted(self, body: Any, account: str) -> Change | Look | NoChange:
        """What a message is about; `account` is where this function runs."""
        try:
            message = json.loads(body)
        except (TypeError, ValueError) as error:
            return NoChange(Reason.MALFORMED, f"the message is not JSON: {error}")
        if not is_look(message):
            matrix = self.pipeline.matrix
            return interpret(message, matrix.touches, matrix.occurrences)
        try:
            return self._admitted(look_of(message), account)
        except WireError as error:
            return NoChange(Reason.MALFORMED, str(error))

    def _admitted(self, look: Look, account: str) -> Look:
        """A look at what is ours to look at: anybody may have put it into the queue who may send there.

        Raises:
            WireError: if a resource is not one of this responder's types, or not of this account and Region.
        """
        for resource in look.resources:
            if is_occurrence(resource):
                raise WireError(f"{resource.identifier!r:.100} happened, and cannot be looked at again")
            if resource.type not in self.pipeline.readers:
                raise WireError(f"the {self.name} responder does not judge {resource.type!r:.100}")
            if (resource.account, resource.region) != (account, self._settings.region):
                raise WireError(f"{resource.account!r:.100}, {resource.region!r:.100} is not where this function works")
        return look

    @cache  # noqa: B019  # it lives as long as the container
    def desk(self, account: str) -> Desk:
        """What looks are settled with, made for the first."""
        from demarc.handlers.looking import Desk
        from demarc.stores.sweeps import DynamoSweepStore

        settings = self._settings
        return Desk(
            pipeline=self.pipeline,
            calls=self.clients.calls,
            sweeps=DynamoSweepStore(
                self._outgoing("dynamodb", settings.region),
                settings.table,
                account=account,
                region=settings.region,
                clock=self.pipeline.clock,
            ),
            sqs=self._outgoing("sqs", settings.region),
            queue=settings.queue_of(settings.name),
        )


@cache
def _responder(settings: Settings) -> _Responder:
    return _Responder(settings)


@cache
def _begin_collecting() -> None:
    """Once: what is there now stays for the life of the container, and need not be looked through."""
    gc.freeze()
    gc.enable()


class _Delivery:
    """One SQS batch: interpreted whole, so that a resource is read once, then settled message by message."""

    def __init__(self, messages: list[Mapping[str, Any]], responder: _Responder, context: LambdaContext) -> None:
        self._responder = responder
        self._context = context
        self._region, self._account = context.invoked_function_arn.split(":")[3:5]
        self._outcomes = {
            each["messageId"]: responder.interpreted(each.get("body"), self._account) for each in messages
        }
        changes = [outcome for outcome in self._outcomes.values() if isinstance(outcome, Change)]
        self._batch = Batch(responder.pipeline, changes)

    def settle(self, record: SQSRecord) -> None:
        """Settle one message.

        Raises:
            PoisonMessage: if it is no event and no look; and whatever a read, the store or the topic raised.
        """
        outcome = self._outcomes[record.message_id]
        if isinstance(outcome, Look):
            self._look(outcome, record)
            return
        if isinstance(outcome, NoChange):
            _pass_over(outcome, record.message_id)
            return
        for judgement in self._batch.settle(outcome):
            _report(judgement, outcome)
        now = datetime.now(UTC)
        # A bus that others forward to brings theirs as well; that they arrive says nothing of what happens here.
        if (outcome.account, outcome.region) == (self._account, self._region):
            self._responder.heartbeats.note(
                outcome.account, outcome.region, now, f"{outcome.event_source}:{outcome.event_name}"
            )
        lag = (now - outcome.time).total_seconds() * 1000
        metrics.add_metric("VerificationLag", MetricUnit.Milliseconds, max(lag, 0.0))

    def _look(self, look: Look, record: SQSRecord) -> None:
        """Look at what was asked for, with one line and a few numbers for all of it."""
        facts = self._responder.desk(self._account).settle(
            look,
            receives=int(record.raw_event.get("attributes", {}).get("ApproximateReceiveCount", 1)),
            seconds_left=lambda: self._context.get_remaining_time_in_millis() / 1000,
            note=_count,
        )
        metrics.add_metric("ThrottledLooks", MetricUnit.Count, int(bool(facts.get("throttled"))))
        logger.info(
            "looked",
            extra={
                "sweep": look.sweep,
                "part": look.part,
                "origin": look.occasion.origin,
                "by": look.occasion.by,
                **facts,
            },
        )


def _pass_over(outcome: NoChange, message_id: str) -> None:
    """Say aloud that a message is not judged, and why; what cannot be read is for the dead-letter queue."""
    facts = {
        "reason": outcome.reason,
        "detail": outcome.detail,
        "event_id": outcome.event_id,
        "event_source": outcome.event_source,
        "event_name": outcome.event_name,
        "message_id": message_id,
    }
    if outcome.reason is Reason.MALFORMED:
        logger.error("poison message", extra=facts)
        metrics.add_metric("PoisonMessages", MetricUnit.Count, 1)
        raise PoisonMessage(outcome.detail)
    if outcome.reason is Reason.UNMAPPED:
        logger.warning("event without a row", extra=facts)
        metrics.add_metric("UnmappedEvents", MetricUnit.Count, 1)
        return
    logger.info("not a change", extra=facts)


def _count(judgement: Judgement) -> Mapping[Compliance, int]:
    """A few numbers per resource judged; how many controls had which result."""
    results = dict.fromkeys(Compliance, 0)
    for evaluation in judgement.evaluations:
        results[evaluation.compliance] += 1
    for compliance, count in results.items():
        metrics.add_metric(_EVALUATION_METRICS[compliance], MetricUnit.Count, count)
    metrics.add_metric("DeniedReads", MetricUnit.Count, len(_unread(judgement)))
    opened = [finding for finding in judgement.findings if finding.status is Status.OPEN]
    metrics.add_metric("FindingsOpened", MetricUnit.Count, len(opened))
    emit(metric for finding in judgement.findings for metric in metrics_of(finding))
    return results


def _unread(judgement: Judgement) -> Mapping[str, str]:
    return {} if isinstance(judgement.seen, Gone) else judgement.seen.unread


def _report(judgement: Judgement, change: Change) -> None:
    """One line and a few numbers per resource that a change touched."""
    results = _count(judgement)
    resource = judgement.seen.resource
    logger.info(
        "judged",
        extra={
            "change_id": change.event_id,
            "change": f"{change.event_source}:{change.event_name}",
            "resource": resource.arn,
            "resource_type": resource.type,
            "gone": isinstance(judgement.seen, Gone),
            "superseded": judgement.superseded,
            "results": {compliance.value: count for compliance, count in results.items() if count},
            "findings": [f"{finding.control}:{finding.status}:{finding.revision}" for finding in judgement.findings],
            "unread": dict(_unread(judgement)),
        },
    )
