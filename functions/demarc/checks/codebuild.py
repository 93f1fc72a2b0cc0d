"""Where builds are written down."""

from __future__ import annotations

from collections.abc import Iterator

from demarc.checks import needs
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot


@needs("Observed.CloudWatchLogs", "Observed.S3Logs")
def is_logged(snapshot: Snapshot) -> Iterator[Drift]:
    """That builds are logged to CloudWatch or S3 (NIST SP 800-53 AU-2, AU-12; Security Hub CodeBuild.4).

    CodeBuild writes to CloudWatch where nobody chose.
    """
    to_cloudwatch = snapshot["Observed.CloudWatchLogs"] or "ENABLED"
    if to_cloudwatch != "ENABLED" and snapshot["Observed.S3Logs"] != "ENABLED":
        yield Drift("Observed.CloudWatchLogs", "ENABLED, or logs in S3", to_cloudwatch)
