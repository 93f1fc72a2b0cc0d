"""What a warm function costs per event, in CPU time, calls and memory.

python -m tests.benchmarks.warm SCENE ROUNDS [STATE ...]

Runs in a process of its own, on the bundle alone and with the function's settings, and prints JSON. CPU time is that of
the whole process, so that what the threads of a reading do is in it.
"""

from __future__ import annotations

import base64
import json
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore import handlers, xform_name
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from tests.benchmarks.canned import REGION, answer
from tests.benchmarks.events import SCENES, delivery

# Whether the controls hold; if they do not, whether this is the first time that somebody looks.
HOLDS, OPENS, STANDS = "holds", "opens", "stands"
_WARM_UP = 30


@dataclass(frozen=True)
class Context:
    """As much of a Lambda context as Powertools reads."""

    function_name: str = "bench"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:123456789012:function:bench"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"


class CannedAws:
    """Answers every request of every client in this process; nothing leaves it."""

    def __init__(self) -> None:
        self.healthy = True
        self.asked: list[tuple[str, str, Mapping[str, Any]]] = []
        self.recorded: list[dict[str, Any]] = []

    def install(self) -> None:
        """Sessions made from now on ask these handlers before they build a request, and before they send it."""
        handlers.BUILTIN_HANDLERS.append(("before-parameter-build", self._note))
        handlers.BUILTIN_HANDLERS.append(("before-send", self._answer))

    def _note(self, model: Any, params: Mapping[str, Any], **_: Any) -> None:
        self.asked.append((model.service_model.service_name, model.name, params))

    def _answer(self, request: Any, event_name: str, **_: Any) -> AWSResponse:
        service, operation = event_name.split(".")[1:]
        content = answer(f"{service.replace('-', '')}.{operation}", healthy=self.healthy)
        if operation == "Query" and self.recorded:
            content = json.dumps({"Items": self.recorded, "Count": len(self.recorded)}).encode()
        return AWSResponse(request.url, 200, HTTPHeaders(), _Raw(content))

    def remember(self) -> None:
        """From now on the table holds what was recorded last: the findings, each of them told, and what was seen."""
        (actions,) = (params["TransactItems"] for _, name, params in self.asked if name == "TransactWriteItems")
        self.recorded = [_kept(each["Update"]) for each in actions if "Update" in each]


def _kept(update: Mapping[str, Any]) -> dict[str, Any]:
    """The item that an update leaves, as the query answers it."""
    values, key = update["ExpressionAttributeValues"], update["Key"]
    if ":body" in values:
        return {**key, "body": values[":body"], "announced": values[":revision"]}
    return {**key, "seen": {"B": base64.b64encode(values[":seen"]["B"]).decode()}}


class _Raw:
    """As much of a urllib3 response as botocore reads."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> list[bytes]:
        return [self._body]


class WarmFunction:
    """The real handler in this process, over AWS as it is canned."""

    def __init__(self, scene: str) -> None:
        self.aws = CannedAws()
        self.aws.install()
        from demarc.handlers import respond

        self.modules = sorted(name for name in sys.modules if not name.startswith("tests"))
        self._handler = respond.handler
        self._event = SCENES[scene].event

    def delivery(self, size: int = 1) -> dict[str, Any]:
        return delivery(*(self._event(number) for number in range(size)))

    def invoke(self, batch: Mapping[str, Any]) -> None:
        self.aws.asked.clear()
        answered = self._handler(dict(batch), Context())
        if answered != {"batchItemFailures": []}:
            raise RuntimeError(f"the handler failed: {answered}")

    def calls(self) -> list[tuple[str, str, Mapping[str, Any]]]:
        """What one event asks of AWS."""
        self.invoke(self.delivery())
        return list(self.aws.asked)

    def cpu_milliseconds(self, batch: Mapping[str, Any], *, rounds: int) -> list[float]:
        """CPU time of each invocation, once it is warm."""
        for _ in range(min(_WARM_UP, rounds)):
            self.invoke(batch)
        taken = []
        for _ in range(rounds):
            start = time.process_time()
            self.invoke(batch)
            taken.append((time.process_time() - start) * 1000)
        return taken

    def enter(self, state: str) -> None:
        self.aws.healthy, self.aws.recorded = state == HOLDS, []
        if state == STANDS:
            self.calls()
            self.aws.remember()


def measured(scene: str, rounds: int, states: Sequence[str]) -> dict[str, Any]:
    """The calls of a scene's event with all that they ask; and of each state the calls and the CPU times."""
    function = WarmFunction(scene)
    first = [(service, xform_name(name), params) for service, name, params in function.calls()]
    figures: dict[str, Any] = {"modules": function.modules, "first": first, "states": {}}
    for state in states:
        function.enter(state)
        figures["states"][state] = {
            "calls": Counter(f"{service}.{name}" for service, name, _ in function.calls()),
            "cpu_ms": function.cpu_milliseconds(function.delivery(), rounds=rounds),
        }
    if states:
        function.enter(HOLDS)
        tenth = max(1, rounds // 10)
        figures["batch_of_ten_cpu_ms"] = function.cpu_milliseconds(function.delivery(10), rounds=tenth)
    figures["resident_mib"] = _most_resident() / 2**20
    return figures


def _most_resident() -> int:
    """Bytes. On Linux from /proc: the figure of getrusage(2) begins with what the parent had when it forked."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    # The logger writes to the standard output that it finds when it is imported; what it writes is thrown away.
    answers = sys.stdout
    with Path(os.devnull).open("w") as sys.stdout:
        scene, rounds, *states = sys.argv[1:]
        # What is asked of AWS holds bytes, the packed snapshot; botocore takes a text of as many characters as well.
        json.dump(measured(scene, int(rounds), states), answers, default=lambda packet: packet.decode("latin-1"))


if __name__ == "__main__":
    main()
