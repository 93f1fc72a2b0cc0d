"""The sweep: steps of looking at everything again in, parts for the responders' queues out.

Asked for by a schedule, by a deployment, or by somebody; `demarc.sweep` says what the steps are.
"""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.session import get_session

from demarc import queues, readers
from demarc.announcers.sns import SnsAnnouncer
from demarc.aws import AwsClients
from demarc.core import look
from demarc.core.matrix import Matrix
from demarc.core.wire import WireError
from demarc.queues import Message
from demarc.settings import NotConfigured, Settings
from demarc.stores.dynamodb import DynamoFindingStore
from demarc.stores.sweeps import DynamoSweepStore, standing
from demarc.sweep import Report, Step, Sweeper, message_of, step_of

logger = Logger()
metrics = Metrics()


class PoisonMessage(ValueError):
    """A message that no retry can make sense of; it goes to the dead-letter queue, with the reason in the log."""


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Take the steps of one batch. Messages that failed are named in the answer, and only those come again."""
    sweeper, clients = _sweeper(Settings.of(), context.invoked_function_arn.split(":")[4])
    logger.append_keys(matrix=sweeper.matrix.version)

    def take(record: SQSRecord) -> None:
        step = _step(record)
        if step is None:
            return
        logger.info("step", extra={"sweep": step.sweep, "step": step.do, "type": step.type, "attempt": step.attempt})
        report = sweeper.take(step, seconds_left=lambda: context.get_remaining_time_in_millis() / 1000)
        if report:
            _tell(report)

    answer = process_partial_response(
        event=event,
        record_handler=take,
        processor=BatchProcessor(
            event_type=EventType.SQS, raise_on_entire_batch_failure=False, logger=logging.getLogger(logger.name)
        ),
        context=context,
    )
    clients.calls.clear()
    return answer


@cache
def _sweeper(settings: Settings, account: str) -> tuple[Sweeper, AwsClients]:
    """What lives as long as the container."""
    clients = AwsClients(session=get_session(), endpoint_url=settings.endpoint_url)
    dynamodb = clients("dynamodb", settings.region)
    matrix = Matrix.from_json(settings.matrix.read_bytes())

    def clock() -> datetime:
        return datetime.now(UTC)

    sweeper = Sweeper(
        account=account,
        region=settings.region,
        matrix=matrix,
        # Those that the matrix names; its document for functions that judge nothing names none, and means all.
        readers={reader.type: reader for reader in readers.load(matrix.types or None) if reader.inventory},
        clients=clients,
        sweeps=DynamoSweepStore(dynamodb, settings.table, account=account, region=settings.region, clock=clock),
        findings=DynamoFindingStore(dynamodb, settings.table),
        announcer=SnsAnnouncer(clients("sns", settings.region), settings.topic_arn),
        courier=_Queues(clients("sqs", settings.region), settings),
        standing=lambda: standing(dynamodb, settings.table, account),
        clock=clock,
        chance=random.random,
    )
    return sweeper, clients


class _Queues:
    """The courier: parts into the responders' queues, steps into its own."""

    def __init__(self, client: Any, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def hand(self, responder: str, looks: Sequence[tuple[look.Look, int]]) -> None:
        messages = [Message(look.message_of(each), delay) for each, delay in looks]
        queues.send(self._client, self._settings.queue_of(responder), messages)

    def send(self, steps: Iterable[tuple[Step, int]]) -> None:
        if self._settings.sweep_queue is None:
            raise NotConfigured("DEMARC_SWEEP_QUEUE is not set")
        messages = [Message(message_of(step), delay) for step, delay in steps]
        queues.send(self._client, self._settings.sweep_queue, messages)


def _step(record: SQSRecord) -> Step | None:
    """The step in a message, None for an event that starts nothing.

    Raises:
        PoisonMessage: if there is none.
    """
    try:
        return step_of(json.loads(record.body), record.message_id)
    except (TypeError, ValueError, WireError) as error:
        # What is wrong is said; where it was noticed is no help.
        logger.error("poison message", extra={"detail": str(error), "message_id": record.message_id})  # noqa: TRY400
        metrics.add_metric("PoisonMessages", MetricUnit.Count, 1)
        metrics.flush_metrics()
        raise PoisonMessage(str(error)) from error


def _tell(report: Report) -> None:
    """How a sweep went: one line, and numbers that somebody would act on."""
    sweep, tally = report.sweep, report.tally
    say = logger.info if sweep.complete else logger.error
    say(
        "swept" if sweep.complete else "sweep incomplete",
        extra={
            "sweep": sweep.id,
            "origin": sweep.occasion.origin,
            "by": sweep.occasion.by,
            "baseline": sweep.baseline,
            "seconds": round(report.seconds),
            "listed": report.listed,
            "judged": tally.judged,
            "gone": tally.gone,
            "findings_opened": tally.opened,
            "findings_resolved": tally.resolved,
            "unread": tally.unread,
            "calls": dict(tally.calls),
            "function_seconds": round(tally.milliseconds / 1000),
            "dollars": round(report.dollars, 4),
            "refused": dict(report.refused),
            "unlisted": report.unlisted,
            "parts_missing": report.waiting,
        },
    )
    metrics.add_metric("SweepDuration", MetricUnit.Seconds, report.seconds)
    metrics.add_metric("SweepDollars", MetricUnit.NoUnit, report.dollars)
    metrics.add_metric("SweepResources", MetricUnit.Count, tally.judged + tally.gone)
    metrics.add_metric("SweepsIncomplete", MetricUnit.Count, int(not sweep.complete))
    metrics.add_metric("SweepTypesRefused", MetricUnit.Count, len(report.refused))
    # Most steps have nothing to count, so that not every invocation ends with metrics.
    metrics.flush_metrics()
