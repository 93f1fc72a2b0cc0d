"""Lambda: the real handler in this process, with the environment that the template gives it, and the log it writes."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO, cast
from unittest.mock import patch


@dataclass(frozen=True, slots=True)
class Context:
    """As much of Lambda's context as Powertools reads."""

    function_name: str
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:simulated"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the template, and the URL of the queue that it polls."""

    name: str
    environment: Mapping[str, str]
    queue: str
    log: io.StringIO = field(default_factory=io.StringIO)

    @property
    def responder(self) -> str:
        return self.environment["DEMARC_RESPONDER"]

    def poll(self, sqs: Any) -> int:
        """Work until the queue is empty, as Lambda's poller would; the number of deliveries that failed.

        If the handler dies, the messages are given back at once, where AWS lets their visibility timeout pass.
        """
        failures = 0
        while messages := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            failed = {message["MessageId"] for message in messages}
            try:
                answer = self.invoke(messages)
                failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
            finally:
                for message in messages:
                    known = {"QueueUrl": self.queue, "ReceiptHandle": message["ReceiptHandle"]}
                    if message["MessageId"] in failed:
                        sqs.change_message_visibility(**known, VisibilityTimeout=0)
                    else:
                        sqs.delete_message(**known)
            failures += len(failed)
        return failures

    def invoke(self, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Call the handler once."""
        records = [
            {"messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"], "body": message["Body"]}
            | {"eventSource": "aws:sqs", "attributes": {}, "messageAttributes": {}}
            for message in messages
        ]
        with self._running() as handler:
            answer: dict[str, Any] = handler({"Records": records}, Context(self.name))
        return answer

    @contextlib.contextmanager
    def _running(self) -> Iterator[Any]:
        """The handler with this function's environment, writing its log and its metrics to this function's log."""
        with patch.dict(os.environ, self.environment), contextlib.redirect_stdout(self.log):
            from demarc.handlers import respond

            # Both were made when the module was imported, perhaps for another function.
            written = cast("logging.StreamHandler[TextIO]", respond.logger.registered_handler)
            before = written.setStream(self.log)
            respond.metrics.namespace = self.environment["POWERTOOLS_METRICS_NAMESPACE"]
            try:
                yield respond.handler
            finally:
                if before:
                    written.setStream(before)

    def logged(self) -> list[dict[str, Any]]:
        """What was written to the log since it was last asked."""
        lines = [json.loads(line) for line in self.log.getvalue().splitlines() if line.startswith("{")]
        self.log.seek(0)
        self.log.truncate()
        return lines
