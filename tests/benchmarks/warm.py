"""What a warm responder costs per event, in CPU time, calls and memory, with AWS answered from canned bytes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from demarc.authoring.compile import CompiledMatrix
from tests.benchmarks.canned import ACCOUNT, BUCKET, GROUP, REGION, CannedAws

NOW = "2026-11-23T12:00:00Z"


@dataclass(frozen=True)
class Context:
    """As much of a Lambda context as Powertools reads."""

    function_name: str = "bench"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:bench"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"


PERSON = "lea.moreau@fjordline.example"
ROLE = "AWSReservedSSO_Dev_0123456789abcdef"


def envelope(source: str, name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """An EventBridge envelope as CloudTrail's events arrive in."""
    detail = {
        "eventVersion": "1.11",
        "eventID": str(uuid.uuid4()),
        "eventTime": NOW,
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": REGION,
        "recipientAccountId": ACCOUNT,
        "readOnly": False,
        "managementEvent": True,
        "eventType": "AwsApiCall",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "[aws-cli/2.30.0 md/awscrt#0.27.6 ua/2.1 os/linux]",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"AROAEXAMPLE:{PERSON}",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/{PERSON}",
            "accountId": ACCOUNT,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "arn": f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/{ROLE}",
                    "userName": ROLE,
                },
                "attributes": {"creationDate": NOW, "mfaAuthenticated": "false"},
            },
        },
        "requestParameters": dict(parameters),
        "responseElements": None,
    }
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{source}",
        "account": ACCOUNT,
        "time": NOW,
        "region": REGION,
        "resources": [],
        "detail": detail,
    }


def group_event(number: int = 0) -> dict[str, Any]:
    group = GROUP if number == 0 else f"sg-{number:017x}"
    opened = {
        "items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]
    }
    return envelope("ec2", "AuthorizeSecurityGroupIngress", {"groupId": group, "ipPermissions": opened})


def bucket_event(number: int = 0) -> dict[str, Any]:
    bucket = BUCKET if number == 0 else f"{BUCKET}-{number}"
    return envelope("s3", "PutBucketPolicy", {"bucketName": bucket, "bucketPolicy": {"Version": "2012-10-17"}})


def delivery(*events: Mapping[str, Any]) -> dict[str, Any]:
    """The SQS batch that a function is invoked with."""
    return {
        "Records": [
            {"messageId": str(uuid.uuid4()), "body": json.dumps(event), "receiptHandle": "", "attributes": {}}
            | {"messageAttributes": {}, "md5OfBody": "", "eventSource": "aws:sqs", "awsRegion": REGION}
            | {"eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:changes"}
            for event in events
        ]
    }


class WarmResponder:
    """The real handler of one responder, in this process, over a compiled matrix."""

    def __init__(self, matrix: str, responder: str, aws: CannedAws) -> None:
        from demarc.handlers import respond

        self._file = Path(tempfile.mkstemp(suffix=".json")[1])
        self._file.write_text(matrix)
        os.environ |= {
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "DEMARC_RESPONDER": responder,
            "DEMARC_TABLE": "findings",
            "DEMARC_TOPIC_ARN": f"arn:aws:sns:{REGION}:{ACCOUNT}:findings",
            "DEMARC_MATRIX": str(self._file),
            "POWERTOOLS_SERVICE_NAME": "demarc",
            "POWERTOOLS_METRICS_NAMESPACE": "Demarc",
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }
        respond._responder.cache_clear()
        self._handler = respond.handler
        self.aws = aws

    def invoke(self, batch: Mapping[str, Any]) -> None:
        """One invocation; what it logs is what it would log, and is thrown away."""
        answer = self._handler(dict(batch), Context())
        if answer != {"batchItemFailures": []}:
            raise RuntimeError(f"the handler failed: {answer}")


def cpu_milliseconds(call: Callable[[], None], *, rounds: int, warm_up: int = 30) -> list[float]:
    """CPU time of each round of a call."""
    for _ in range(warm_up):
        call()
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        taken.append((time.process_time() - start) * 1000)
    return taken


def spread(taken: list[float]) -> dict[str, float]:
    ordered = sorted(taken)
    return {
        "median": round(statistics.median(ordered), 3),
        "p10": round(ordered[len(ordered) // 10], 3),
        "p90": round(ordered[len(ordered) * 9 // 10], 3),
    }


def enlarged(matrix: CompiledMatrix, responder: str, controls: int) -> str:
    """The responder's document with as many controls as wanted, the surplus on a type that no event touches."""
    document = json.loads(matrix.for_responder(responder))
    present = sum(len(rows) for rows in document["controls"].values())
    template = next(row for rows in document["controls"].values() for row in rows)
    document["controls"]["AWS::EC2::Instance"] = [
        template | {"id": f"example-{number}", "resource_type": "AWS::EC2::Instance"}
        for number in range(max(0, controls - present))
    ]
    return json.dumps(document)


def measure(matrix: CompiledMatrix, *, rounds: int) -> dict[str, Any]:
    """Everything that can be measured in one warm process."""
    aws = CannedAws()
    aws.install()
    figures: dict[str, Any] = {}
    for label, responder, event in (("security group", "network", group_event), ("bucket", "data", bucket_event)):
        warm = WarmResponder(matrix.for_responder(responder), responder, aws)
        for healthy in (True, False):
            aws.healthy = healthy
            batch = delivery(event())
            with contextlib.redirect_stdout(io.StringIO()):
                taken = cpu_milliseconds(lambda: warm.invoke(batch), rounds=rounds)  # noqa: B023  # called at once
                aws.requests.clear()
                warm.invoke(batch)
            name = f"{label}, {'all controls hold' if healthy else 'with findings'}"
            figures[name] = {"cpu_ms": spread(taken), "calls": len(aws.requests)}
        aws.healthy = True
        batch = delivery(*(event(number) for number in range(10)))
        with contextlib.redirect_stdout(io.StringIO()):
            taken = cpu_milliseconds(lambda: warm.invoke(batch), rounds=max(20, rounds // 10))  # noqa: B023
        figures[f"{label}, batch of ten"] = {
            "cpu_ms": spread(taken),
            "events_per_second_per_core": round(10_000 / statistics.median(taken)),
        }
    figures["resident memory, MiB"] = round(psutil.Process().memory_info().rss / 2**20, 1)
    return figures


def scaling(matrix: CompiledMatrix, *, rounds: int) -> dict[str, Any]:
    """CPU time per security group event against the number of controls in the matrix; it must stay flat."""
    aws = CannedAws()
    aws.install()
    figures = {}
    for controls in (100, 1_000, 10_000):
        warm = WarmResponder(enlarged(matrix, "network", controls), "network", aws)
        batch = delivery(group_event())
        with contextlib.redirect_stdout(io.StringIO()):
            taken = cpu_milliseconds(lambda: warm.invoke(batch), rounds=rounds)  # noqa: B023
        figures[f"{controls:,} controls"] = {"cpu_ms": spread(taken)}
    return figures
