"""A cold start in the Lambda runtime interface emulator, next to a plain handler with the same clients and calls.

The emulator is the one inside the PyPI package aws-sam-cli, the runtime client is awslambdaric; both are fetched into
build/ on first use, apart from the checkout's environment. Each run is a fresh process, from the request that wakes the
function to its answer, so that the modules, the clients and the first verdict are all in it.
"""

from __future__ import annotations

import http.client
import json
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from infra.bundle import REQUIREMENTS
from tests.benchmarks.function import PLATFORM, interpreter

_SAM_CLI, _RUNTIME_CLIENT = "aws-sam-cli==1.170.0", "awslambdaric==4.2.2"
_BESIDE = ("boto3==1.43.106", "pydantic>=2.11,<3")

PLAIN = """
import json, os
from pathlib import Path
from urllib.parse import urlsplit
import boto3
from pydantic import BaseModel
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

logger, metrics = Logger(), Metrics()
processor = BatchProcessor(event_type=EventType.SQS)
clients = {name: boto3.client(name) for name in os.environ["PLAIN_CLIENTS"].split(",")}


class Envelope(BaseModel):
    account: str
    region: str
    detail: dict


def under_one_name(request, **_):
    # S3 Control puts the account before the host's name, which the loopback does not have.
    request.url = urlsplit(request.url)._replace(netloc=urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc).geturl()


if "s3control" in clients:
    clients["s3control"].meta.events.register("before-sign", under_one_name)


def settle(record):
    Envelope.model_validate_json(record.body)
    for service, method, arguments in json.loads(Path(os.environ["PLAIN_CALLS"]).read_text()):
        getattr(clients[service], method)(**arguments)
    logger.info("settled")


@metrics.log_metrics
def handler(event, context):
    metrics.add_metric("Events", "Count", 1)
    return process_partial_response(event=event, record_handler=settle, processor=processor, context=context)
"""


@dataclass(frozen=True)
class Start:
    """How long a fresh function took to answer, the CPU time in it, and what was resident then."""

    milliseconds: float
    cpu_ms: float
    resident_mib: float


@dataclass(frozen=True)
class Emulator:
    """The emulator's binary and the folder of the runtime client."""

    binary: Path
    client: Path

    def first_answer(self, code: Path, handler: str, environment: Mapping[str, str], event: Any) -> Start:
        """Wake a fresh function with an event.

        Raises:
            RuntimeError: if it failed; a start that fails is no measurement.
        """
        api, port = _free_port(), _free_port()
        command = [str(self.binary), "--runtime-api-address", f"127.0.0.1:{api}"]
        command += ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
        command += [interpreter(), "-m", "awslambdaric", handler]
        path = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{code}:{self.client}", "LAMBDA_TASK_ROOT": str(code)}
        quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, cwd=code, env=PLATFORM | path | dict(environment), **quiet) as process:
            try:
                _await(port)
                start = time.perf_counter()
                answered = _invoke(port, event)
                taken = (time.perf_counter() - start) * 1000
                (function,) = psutil.Process(process.pid).children()
                used, resident = function.cpu_times(), function.memory_info().rss / 2**20
            finally:
                process.kill()
        if answered != {"batchItemFailures": []}:
            raise RuntimeError(f"{handler} failed: {answered}")
        return Start(taken, (used.user + used.system) * 1000, resident)


def emulator(into: Path) -> Emulator:
    """Fetch what is needed, once."""
    machine = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    binary, client = into / "aws-lambda-rie", into / "client"
    if not client.exists():
        _install(client, _RUNTIME_CLIENT)
    if not binary.exists():
        _install(into / "sam-cli", "--no-deps", _SAM_CLI)
        source = into / "sam-cli" / "samcli" / "local" / "rapid" / f"aws-lambda-rie-{machine}"
        binary.write_bytes(source.read_bytes())
        binary.chmod(0o755)
    return Emulator(binary, client)


def plain_handler(into: Path) -> Path:
    """The plain handler beside boto3, pydantic and Powertools as they are installed, with bytecode for all of them."""
    target = into / "plain"
    if not target.exists():
        _install(target, "--compile-bytecode", "--requirements", str(REQUIREMENTS), *_BESIDE)
    (target / "plain.py").write_text(PLAIN)
    return target


def _install(target: Path, *wanted: str) -> None:
    uv = [str(Path(sys.executable).parent / "uv"), "pip", "install", "--quiet", "--python", interpreter()]
    subprocess.run([*uv, "--target", str(target), *wanted], check=True)


def plain_environment(calls: Sequence[tuple[str, str, Mapping[str, Any]]], url: str, beside: Path) -> dict[str, str]:
    """What the plain handler is told: the calls that ours made, and the clients for them and for the topic.

    The calls lie in a file beside the handler: all findings of an account are longer than a variable may be.
    """
    clients = dict.fromkeys([*(service for service, _, _ in calls), "sns"])
    path = beside / "calls.json"
    path.write_text(json.dumps(calls))
    return {"PLAIN_CLIENTS": ",".join(clients), "PLAIN_CALLS": str(path), "AWS_ENDPOINT_URL": url}


def _invoke(port: int, event: Any) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/2015-03-31/functions/function/invocations", json.dumps(event))
    return json.loads(connection.getresponse().read())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise TimeoutError(f"nothing listens on port {port}")
