"""Lambda: the real handlers in this process, with the environment that the template gives them, and their logs.

Handlers keep what lives as long as a container by their settings, so that several functions run in one process.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, TextIO, cast
from unittest.mock import patch


@dataclass(frozen=True, slots=True)
class Context:
    """As much of Lambda's context as Powertools and our handlers read."""

    function_name: str
    timeout: int = 60
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:simulated"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """All the time there is: here nothing takes any."""
        return self.timeout * 1000


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the template: the handler it names, its variables, and the URL of the queue that it polls.

    What a test puts into `environment` is what the next invocation finds there.
    """

    logical: str
    handler: str
    environment: dict[str, str]
    timeout: int = 60
    queue: str | None = None
    batch: int = 10
    log: io.StringIO = field(default_factory=io.StringIO)

    @property
    def name(self) -> str:
        return self.environment["DEMARC_NAME"]

    def poll(self, sqs: Any, hidden_until: Callable[[str], float]) -> int:
        """Work until nothing is to be seen in the queue, as Lambda's poller would; how many deliveries failed.

        What failed is given back at once, where AWS lets its visibility timeout pass; but what the handler itself has
        hidden for a while, which counts as no failure, stays hidden. `hidden_until` says until when a message is.
        """
        failures = 0
        asked = {"QueueUrl": self.queue, "MaxNumberOfMessages": self.batch, "MessageSystemAttributeNames": ["All"]}
        while messages := sqs.receive_message(**asked).get("Messages"):
            failed = {message["MessageId"] for message in messages}
            hidden = {each: hidden_until(each) for each in failed}
            try:
                answer = self.invoke({"Records": _records(messages)}) or {}
                failed = {each["itemIdentifier"] for each in answer.get("batchItemFailures", ())}
            finally:
                failed -= (held := {each for each in failed if hidden_until(each) != hidden[each]})
                for message in messages:
                    known = {"QueueUrl": self.queue, "ReceiptHandle": message["ReceiptHandle"]}
                    if message["MessageId"] in failed:
                        sqs.change_message_visibility(**known, VisibilityTimeout=0)
                    elif message["MessageId"] not in held:
                        sqs.delete_message(**known)
            failures += len(failed)
        return failures

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """Call the handler once; what it answers."""
        with self._running() as handler:
            return handler(dict(event), Context(self.logical, self.timeout))

    @contextlib.contextmanager
    def _running(self) -> Iterator[Any]:
        """The handler with this function's environment, writing its log and its metrics to this function's log."""
        with patch.dict(os.environ, self.environment), contextlib.redirect_stdout(self.log):
            name, _, entry = self.handler.rpartition(".")
            module = import_module(name)
            # Both were made when the module was imported, perhaps for another function.
            written = cast("logging.StreamHandler[TextIO]", module.logger.registered_handler)
            before = written.setStream(self.log)
            module.metrics.namespace = self.environment["POWERTOOLS_METRICS_NAMESPACE"]
            try:
                yield getattr(module, entry)
            finally:
                if before:
                    written.setStream(before)

    def logged(self) -> list[dict[str, Any]]:
        """What was written to the log since it was last asked."""
        lines = [json.loads(line) for line in self.log.getvalue().splitlines() if line.startswith("{")]
        self.log.seek(0)
        self.log.truncate()
        return lines


def _records(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"], "body": message["Body"]}
        | {"eventSource": "aws:sqs", "attributes": message.get("Attributes", {}), "messageAttributes": {}}
        for message in messages
    ]
