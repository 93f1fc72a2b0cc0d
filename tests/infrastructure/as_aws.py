"""ministack, closer to AWS where it matters for a deployment. Run as a program; the argument is the functions' Python.

It is pinned exactly, since every name that is replaced here is private.
"""

import json
import sys
from functools import partial
from typing import Any

from ministack import app
from ministack.core import iam_actions, lambda_runtime
from ministack.services import eventbridge

FUNCTIONS_PYTHON = sys.argv.pop(1)


def runtime(_: str) -> tuple[str, str]:
    """Functions run on a Python that knows nothing of this checkout, so that all they have is their bundle."""
    return FUNCTIONS_PYTHON, lambda_runtime._PYTHON_WORKER_SCRIPT


lambda_runtime._detect_runtime_binary = runtime

# Like AWS it lets nobody put events with a source of `aws.`; unlike AWS it has no CloudTrail that would.
eventbridge._put_events = partial(eventbridge._put_events, allow_aws_source=True)

# IAM knows no action for the batch of an SQS call: what allows the call allows its batch (SQS Developer Guide, "Amazon
# SQS API permissions").
_named = iam_actions._action_from_target


def without_batch(headers: dict[str, str]) -> str | None:
    action: str | None = _named(headers)
    is_sqs = headers.get("x-amz-target", "").startswith("AmazonSQS.")
    return action.removesuffix("Batch") if action and is_sqs else action


iam_actions._action_from_target = without_batch

# A rule of the default bus has no bus in its ARN, and ListTargetsByRule is about a rule (Service Authorization
# Reference, "Resource types defined by Amazon EventBridge").
_addressed = iam_actions.extract_resource_arn


def with_rules(service: str, method: str, path: str, headers: Any, body: bytes, *more: Any, **named: Any) -> str:
    arn: str = _addressed(service, method, path, headers, body, *more, **named)
    if service == "events" and arn == "*" and (rule := json.loads(body or b"{}").get("Rule")):
        arn = _addressed(service, method, path, headers, json.dumps({"Name": rule}).encode(), *more, **named)
    return arn.replace(":rule/default/", ":rule/")


iam_actions.extract_resource_arn = with_rules

# With TLS it would take port 443 too, where it may.
app._port_is_bindable = lambda *_: False

app.main()
