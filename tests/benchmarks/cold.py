"""A cold start in the Lambda runtime interface emulator, next to a plain handler that does the same calls.

The emulator is the one inside the PyPI package aws-sam-cli, the runtime client is awslambdaric; both are fetched into
build/rie on first use, apart from the checkout's environment. Each run is a fresh process, from the request that wakes
the function to its answer, so that imports, clients and the first verdict are all in it.
"""

from __future__ import annotations

import http.client
import http.server
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.bundle import lambda_python
from tests.benchmarks.canned import ACCOUNT, REGION, answer
from tests.benchmarks.warm import bucket_event, delivery, group_event, spread

SAM_CLI, RUNTIME_CLIENT = "aws-sam-cli==1.170.0", "awslambdaric==4.2.2"
_S3_QUERIES = {
    "publicAccessBlock": "GetPublicAccessBlock",
    "policy": "GetBucketPolicy",
    "acl": "GetBucketAcl",
    "encryption": "GetBucketEncryption",
    "versioning": "GetBucketVersioning",
    "logging": "GetBucketLogging",
    "ownershipControls": "GetBucketOwnershipControls",
    "lifecycle": "GetBucketLifecycleConfiguration",
    "tagging": "GetBucketTagging",
}

PLAIN = """
import json, os
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


def settle(record):
    Envelope.model_validate_json(record.body)
    for call in json.loads(os.environ["PLAIN_CALLS"]):
        getattr(clients[call[0]], call[1])(**call[2])


@metrics.log_metrics
def handler(event, context):
    metrics.add_metric("Events", "Count", 1)
    return process_partial_response(event=event, record_handler=settle, processor=processor, context=context)
"""

_KEY = {"pk": {"S": "x"}, "sk": {"S": "x"}}
_STORE = [
    [
        "dynamodb",
        "query",
        {"TableName": "findings", "KeyConditionExpression": "pk = :x", "ExpressionAttributeValues": {":x": {"S": "x"}}},
    ],
    ["dynamodb", "update_item", {"TableName": "findings", "Key": _KEY}],
]
_BUCKET_READS = (
    "get_public_access_block",
    "get_bucket_policy",
    "get_bucket_acl",
    "get_bucket_encryption",
    "get_bucket_versioning",
    "get_bucket_logging",
    "get_bucket_ownership_controls",
    "get_bucket_lifecycle_configuration",
    "get_bucket_tagging",
)
PLAIN_CALLS = {
    "network": [["ec2", "describe_security_groups", {"GroupIds": ["sg-1"]}], *_STORE],
    "data": [*(["s3", read, {"Bucket": "photos"}] for read in _BUCKET_READS), *_STORE],
}
EVENTS = {"network": group_event, "data": bucket_event}


class _CannedServer(http.server.BaseHTTPRequestHandler):
    """The canned answers over loopback, for functions in a process of their own."""

    protocol_version = "HTTP/1.1"

    def _reply(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        target = self.headers.get("X-Amz-Target", "")
        query = urllib.parse.urlparse(self.path).query
        if target:
            operation = target.rsplit(".", 1)[-1]
        elif "Action=" in body:
            operation = urllib.parse.parse_qs(body)["Action"][0]
        else:
            operation = _S3_QUERIES[query.partition("=")[0].partition("&")[0]]
        content = answer(operation, healthy=True)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = _reply  # noqa: N815  # the names that http.server calls

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Say nothing."""


@contextmanager
def _canned_server() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _CannedServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def interpreter() -> str:
    """Python 3.13, as in Lambda, where the machine has it; the bundle's bytecode is for that version."""
    return lambda_python() or sys.executable


def fetch_emulator(into: Path) -> tuple[Path, Path]:
    """The emulator's binary and the folder of the runtime client; installed apart, on first use."""
    machine = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    binary, client = into / "aws-lambda-rie", into / "client"
    uv = [str(Path(sys.executable).parent / "uv"), "pip", "install", "--quiet", "--python", interpreter()]
    if not client.exists():
        subprocess.run([*uv, "--target", str(client), RUNTIME_CLIENT], check=True)
    if not binary.exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--dest", str(into), SAM_CLI], check=True)
        (wheel,) = into.glob("aws_sam_cli-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            binary.write_bytes(archive.read(f"samcli/local/rapid/aws-lambda-rie-{machine}"))
        binary.chmod(0o755)
        wheel.unlink()
    return binary, client


def first_answer(
    asset: Path, handler: str, environment: Mapping[str, str], event: Any, tools: tuple[Path, Path]
) -> float:
    """Milliseconds from the request that wakes a fresh function to its answer."""
    binary, client = tools
    port, api = _free_port(), _free_port()
    command = [str(binary), "--runtime-api-address", f"127.0.0.1:{api}", "--runtime-interface-emulator-address"]
    command += [f"127.0.0.1:{port}", interpreter(), "-m", "awslambdaric", handler]
    settings = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{asset}:{client}",
        "LAMBDA_TASK_ROOT": str(asset),
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "PYTHONDONTWRITEBYTECODE": "1",
        **environment,
    }
    with subprocess.Popen(
        command, cwd=asset, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _await_port(port)
            start = time.perf_counter()
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("POST", "/2015-03-31/functions/function/invocations", json.dumps(event))
            answered = json.loads(connection.getresponse().read())
            taken = (time.perf_counter() - start) * 1000
        finally:
            process.kill()
    if answered != {"batchItemFailures": []}:
        raise RuntimeError(f"{handler} failed: {answered}")
    return taken


def _await_port(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise TimeoutError(f"nothing listens on port {port}")


def plain_asset(into: Path) -> Path:
    """The plain handler beside boto3, pydantic and Powertools as they are installed, with bytecode."""
    target = into / "plain"
    if not target.exists():
        uv = [str(Path(sys.executable).parent / "uv"), "pip", "install", "--quiet", "--python", interpreter()]
        wanted = ["boto3==1.43.106", "botocore==1.43.106", "pydantic", "aws-lambda-powertools>=3.37,<4"]
        subprocess.run([*uv, "--compile-bytecode", "--target", str(target), *wanted], check=True)
    (target / "plain.py").write_text(PLAIN)
    return target


def measure(bundle: Path, matrix_of: Mapping[str, str], *, build: Path, runs: int) -> dict[str, Any]:
    """Cold starts of the responders that own the two benchmark events, interleaved with the plain handler's."""
    build.mkdir(parents=True, exist_ok=True)
    tools, plain = fetch_emulator(build), plain_asset(build)
    figures: dict[str, Any] = {}
    with _canned_server() as url:
        for responder, calls in PLAIN_CALLS.items():
            event = delivery(EVENTS[responder]())
            shared = {
                "AWS_ENDPOINT_URL": url,
                "POWERTOOLS_SERVICE_NAME": "demarc",
                "POWERTOOLS_METRICS_NAMESPACE": "Demarc",
            }
            ours_environment = shared | {
                "DEMARC_RESPONDER": responder,
                "DEMARC_TABLE": "findings",
                "DEMARC_TOPIC_ARN": f"arn:aws:sns:{REGION}:{ACCOUNT}:findings",
                "DEMARC_MATRIX": matrix_of[responder],
            }
            services = ",".join(dict.fromkeys([*(str(call[0]) for call in calls), "sns"]))
            plain_environment = shared | {"PLAIN_CLIENTS": services, "PLAIN_CALLS": json.dumps(calls)}
            ours, theirs = [], []
            for _ in range(runs):
                ours.append(first_answer(bundle, "demarc.handlers.respond.handler", ours_environment, event, tools))
                theirs.append(first_answer(plain, "plain.handler", plain_environment, event, tools))
            ratio = statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
            figures[responder] = {"ours_ms": spread(ours), "plain_ms": spread(theirs), "ratio": round(ratio, 2)}
    return figures
