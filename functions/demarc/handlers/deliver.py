"""The deliverer: an SQS batch of SNS notifications in, messages in the teams' chats out.

What could not be told stays in the queue: for as long as a chat asks to wait, until quiet hours end, or a little longer
after each failure. Only what fails for most of a day goes to the dead-letter queue.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from demarc.announcers.amazon_q import AmazonQ
from demarc.announcers.chat import Chat
from demarc.announcers.https import Web
from demarc.announcers.slack import Pace, SlackApi, SlackChat, SlackWebhook
from demarc.announcers.teams import TeamsChat
from demarc.announcers.webhook import Webhook
from demarc.aws import AwsClients
from demarc.core.chat.block_kit import Style
from demarc.core.matrix import DestinationKind, Matrix
from demarc.core.wire import WireError
from demarc.delivery import Delivery, Later
from demarc.secret import BadSecret, Secrets
from demarc.settings import Settings
from demarc.stores.dynamodb import DynamoFindingStore
from demarc.stores.messages import MessageStore

logger = Logger()
metrics = Metrics()
# Of all that this process says: a channel's pace does not begin anew with each batch.
pace = Pace()

# What making a message wait calls, and the IAM action the call needs.
CALLS: Mapping[str, str] = {"sqs.ChangeMessageVisibility": "sqs:ChangeMessageVisibility"}

# Amazon SQS, "ChangeMessageVisibility": 12 hours from when the message was received, of which some minutes have passed.
_LONGEST_HOLD = timedelta(hours=11, minutes=50)
# The function may run for two minutes; the slowest destination takes less than a half of one.
_BEGINS_WITHIN = 75.0
_QUEUE = "deliver"


class PoisonMessage(ValueError):
    """A message that no retry can make sense of; it goes to the dead-letter queue, with the reason in the log."""


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Deliver one batch. Messages that wait or failed are named in the answer, and come again."""
    deliverer = _deliverer(Settings.of())
    began = time.monotonic()

    def settle(record: SQSRecord) -> None:
        deliverer.settle(record, in_time=lambda: time.monotonic() - began < _BEGINS_WITHIN)

    return process_partial_response(
        event=event,
        record_handler=settle,
        processor=BatchProcessor(
            event_type=EventType.SQS,
            raise_on_entire_batch_failure=False,
            # The standard library's logger that Powertools' own writes to: what failed is told with its traceback.
            logger=logging.getLogger(logger.name),
        ),
        context=context,
    )


class _Deliverer:
    """What lives as long as the container: the organization, the clients, the secrets."""

    def __init__(self, settings: Settings) -> None:
        clients = AwsClients(endpoint_url=settings.endpoint_url)
        organization = Matrix.from_json(settings.matrix.read_bytes()).organization
        findings = DynamoFindingStore(clients("dynamodb", settings.region), settings.table)
        self._sqs = clients("sqs", settings.region)
        self._queue = settings.queue_of(_QUEUE)
        self.delivery = Delivery(
            organization=organization,
            chats=_chats(settings, clients),
            messages=MessageStore(clients("dynamodb", settings.region), settings.table),
            find=findings.get,
            clock=_now,
            heard=_heard,
        )

    def settle(self, record: SQSRecord, *, in_time: Callable[[], bool]) -> None:
        """Deliver one notification.

        Raises:
            PoisonMessage: if it is none.
            Later: if it is to be delivered again; the queue holds it back until then.
        """
        attempt = int(record.raw_event.get("attributes", {}).get("ApproximateReceiveCount", "1"))
        try:
            self.delivery.deliver(_announcement(record.body), attempt=attempt, in_time=in_time)
        except WireError as error:
            logger.exception("poison message", extra={"message_id": record.message_id})
            metrics.add_metric("PoisonMessages", MetricUnit.Count, 1)
            raise PoisonMessage("not an announcement") from error
        except Later as later:
            self._hold(record, later.wait)
            raise

    def _hold(self, record: SQSRecord, wait: timedelta) -> None:
        seconds = int(min(wait, _LONGEST_HOLD).total_seconds()) + 1
        self._sqs.change_message_visibility(
            QueueUrl=self._queue, ReceiptHandle=record.receipt_handle, VisibilityTimeout=seconds
        )


def _announcement(body: str) -> Mapping[str, Any]:
    """The announcement in the envelope that SNS puts around it.

    Raises:
        WireError: if there is none.
    """
    try:
        announcement = json.loads(json.loads(body)["Message"])
    except (ValueError, TypeError, KeyError) as error:
        raise WireError("not a notification of SNS") from error
    if not isinstance(announcement, Mapping):
        raise WireError("not an announcement")
    return announcement


@cache
def _deliverer(settings: Settings) -> _Deliverer:
    return _Deliverer(settings)


def _chats(settings: Settings, clients: AwsClients) -> dict[DestinationKind, Chat]:
    """What this deployment can speak; a kind that it has no means for is nobody's destination."""
    organization = Matrix.from_json(settings.matrix.read_bytes()).organization
    secrets = Secrets(clients("secretsmanager", settings.region))
    web = Web(insecure=settings.slack_url.startswith("http:"))
    pages = settings.pages_url
    silent = Style(organization, pages, buttons=False)
    chats: dict[DestinationKind, Chat] = {
        DestinationKind.SLACK_WEBHOOK: SlackWebhook(web, secrets, silent, pace=pace, heard=_heard),
        DestinationKind.TEAMS: TeamsChat(web, secrets, organization, pages=pages),
        DestinationKind.WEBHOOK: Webhook(web, secrets, clock=_now),
    }
    if name := settings.slack_secret:
        api = SlackApi(web, lambda: _token(secrets, name), url=settings.slack_url, forget=lambda: secrets.forget(name))
        chats[DestinationKind.SLACK] = SlackChat(api, Style(organization, pages), pace=pace, heard=_heard)
    if settings.chat_topic_arn:
        sns = clients("sns", settings.region)
        chats[DestinationKind.AMAZON_Q] = AmazonQ(sns, settings.chat_topic_arn, organization, pages=pages)
    return chats


def _token(secrets: Secrets, name: str) -> str:
    token = secrets.fields(name).get("bot_token")
    if not token:
        raise BadSecret(f"the secret {name} has no bot_token")
    return token


def _heard(name: str, facts: Mapping[str, Any]) -> None:
    metrics.add_metric(name, MetricUnit.Count, 1)
    tell = logger.info if name in ("MessagesPosted", "MessagesUpdated", "MessagesHeld") else logger.warning
    tell(name, extra={"facts": dict(facts)})


def _now() -> datetime:
    return datetime.now(UTC)
