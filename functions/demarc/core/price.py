"""What AWS asks for what a sweep uses: one place for the figures, and what they come to.

Prices of us-east-1 in US dollars for one piece each, as in docs/cost.md: the pricing pages of Lambda (arm64), SQS,
DynamoDB (on demand), S3 and KMS, November 2026. Calls that read settings are free but for S3 and KMS, which charge
any request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# The functions' memory, which the deployment gives them and Lambda bills by.
_MEMORY_GB = 0.5


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars for one of each. A unit is DynamoDB's: a kilobyte written, or four read consistently."""

    lambda_gb_second: float = 0.0000133334
    lambda_request: float = 0.20 / 1e6
    sqs_request: float = 0.40 / 1e6
    write_unit: float = 0.625 / 1e6
    read_unit: float = 0.125 / 1e6
    s3_request: float = 0.0004 / 1e3
    kms_request: float = 0.03 / 1e4


PRICES = Prices()

# A message is sent, received and deleted. Several are received at once, so that this is the most that it costs.
_REQUESTS_PER_MESSAGE = 3

# A resource that is judged has its findings looked up, and its watermark and its snapshot written, some kilobytes.
_READ_PER_RESOURCE = 2
_WRITTEN_PER_RESOURCE = 3

# A revision: the finding, its history and the indexes, twice as in any transaction (docs/cost.md).
_WRITTEN_PER_REVISION = 12


def dollars(
    *,
    resources: int,
    messages: int,
    revisions: int,
    calls: Mapping[str, int],
    milliseconds: int,
    prices: Prices = PRICES,
) -> float:
    """What looking at resources costs, rounded up rather than down.

    Args:
        resources: how many were judged.
        messages: that carried them.
        revisions: of findings that were recorded.
        calls: read calls by botocore's name of the service.
        milliseconds: that functions ran for it.
        prices: for one of each.
    """
    return (
        milliseconds / 1e3 * _MEMORY_GB * prices.lambda_gb_second
        + messages * (prices.lambda_request + _REQUESTS_PER_MESSAGE * prices.sqs_request)
        + resources * (_READ_PER_RESOURCE * prices.read_unit + _WRITTEN_PER_RESOURCE * prices.write_unit)
        + (revisions * _WRITTEN_PER_REVISION + messages) * prices.write_unit
        + (calls.get("s3", 0) + calls.get("s3control", 0)) * prices.s3_request
        + calls.get("kms", 0) * prices.kms_request
    )
