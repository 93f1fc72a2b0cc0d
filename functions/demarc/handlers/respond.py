"""The responder: an SQS batch of EventBridge envelopes in, attributed findings out.

Deployed once per group of layers; `DEMARC_RESPONDER` says which, and the compiled matrix holds only that group's rows.
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
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.session import get_session

from demarc import readers
from demarc.announcers.sns import SnsAnnouncer
from demarc.aws import AwsClients
from demarc.core.change import NoChange, Reason, TouchIndex, interpret
from demarc.core.matrix import Matrix
from demarc.core.model import Change, Compliance, Status
from demarc.pipeline import Batch, Judgement, Pipeline
from demarc.readers import Gone
from demarc.settings import Settings
from demarc.stores.dynamodb import DynamoFindingStore

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
    batch = _Delivery(event["Records"], responder)
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
    """What lives as long as the container: the matrix, the touches of its types, the clients."""

    def __init__(self, settings: Settings) -> None:
        matrix = Matrix.from_json(settings.matrix.read_bytes())
        known = {reader.type: reader for reader in readers.load(matrix.types)}
        # Two sets of clients, so that what is read is counted apart; one session, since making one costs 7 ms.
        session = get_session()
        self.clients = AwsClients(session=session, endpoint_url=settings.endpoint_url)
        outgoing = AwsClients(session=session, endpoint_url=settings.endpoint_url)
        self.touches = TouchIndex(known.values())
        self.pipeline = Pipeline(
            matrix=matrix,
            readers=known,
            clients=self.clients,
            store=DynamoFindingStore(outgoing("dynamodb", settings.region), settings.table),
            announcer=SnsAnnouncer(outgoing("sns", settings.region), settings.topic_arn),
            clock=lambda: datetime.now(UTC),
        )
        self.name = settings.responder


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

    def __init__(self, messages: list[Mapping[str, Any]], responder: _Responder) -> None:
        self._outcomes = {each["messageId"]: _interpreted(each.get("body"), responder.touches) for each in messages}
        changes = [outcome for outcome in self._outcomes.values() if isinstance(outcome, Change)]
        self._batch = Batch(responder.pipeline, changes)

    def settle(self, record: SQSRecord) -> None:
        """Settle one message.

        Raises:
            PoisonMessage: if it is no event at all; and whatever a read, the store or the topic raised.
        """
        outcome = self._outcomes[record.message_id]
        if isinstance(outcome, NoChange):
            _pass_over(outcome, record.message_id)
            return
        for judgement in self._batch.settle(outcome):
            _report(judgement, outcome)
        lag = (datetime.now(UTC) - outcome.time).total_seconds() * 1000
        metrics.add_metric("VerificationLag", MetricUnit.Milliseconds, max(lag, 0.0))


def _interpreted(body: Any, touches: TouchIndex) -> Change | NoChange:
    try:
        event = json.loads(body)
    except (TypeError, ValueError) as error:
        return NoChange(Reason.MALFORMED, f"the message is not JSON: {error}")
    return interpret(event, touches)


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


def _report(judgement: Judgement, change: Change) -> None:
    """One line and a few numbers per resource judged."""
    results = dict.fromkeys(Compliance, 0)
    for evaluation in judgement.evaluations:
        results[evaluation.compliance] += 1
    for compliance, count in results.items():
        metrics.add_metric(_EVALUATION_METRICS[compliance], MetricUnit.Count, count)
    unread = {} if isinstance(judgement.seen, Gone) else judgement.seen.unread
    metrics.add_metric("DeniedReads", MetricUnit.Count, len(unread))
    opened = [finding for finding in judgement.findings if finding.status is Status.OPEN]
    metrics.add_metric("FindingsOpened", MetricUnit.Count, len(opened))
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
            "unread": dict(unread),
        },
    )
