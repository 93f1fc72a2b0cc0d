"""A function as it is deployed: on Lambda's Python where the machine has it, with the settings of its deployment."""

from __future__ import annotations

import sys
from pathlib import Path

from infra.bundle import lambda_python
from tests.benchmarks.canned import ACCOUNT, REGION


def interpreter() -> str:
    """Python 3.13 if it is here: the bundle's bytecode is for that version, as Lambda is."""
    return lambda_python() or sys.executable


def settings(responder: str, matrix: Path) -> dict[str, str]:
    """The environment of a responder's function."""
    return {
        "DEMARC_NAME": responder,
        "DEMARC_TABLE": "findings",
        "DEMARC_TOPIC_ARN": f"arn:aws:sns:{REGION}:{ACCOUNT}:findings",
        "DEMARC_MATRIX": str(matrix),
        **PLATFORM,
    }


# What Lambda itself and Powertools set or ask for. Nothing is compiled on the way: in Lambda nothing could be kept.
PLATFORM = {
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "POWERTOOLS_SERVICE_NAME": "demarc",
    "POWERTOOLS_METRICS_NAMESPACE": "Demarc",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "PYTHONDONTWRITEBYTECODE": "1",
}
