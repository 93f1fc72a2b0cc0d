"""Metrics of findings, beside a handler's own: lines in the log that CloudWatch reads (embedded metric format)."""

from __future__ import annotations

from collections.abc import Iterable

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from demarc.core.metering import Metric


def emit(metrics: Iterable[Metric]) -> None:
    """Write them, a line per dimension. What the handler itself counts keeps its own dimensions."""
    lines: dict[tuple[str, str], list[Metric]] = {}
    for metric in metrics:
        lines.setdefault(metric.dimension, []).append(metric)
    for (name, value), line in lines.items():
        written = EphemeralMetrics()
        written.add_dimension(name, value)
        for metric in line:
            written.add_metric(metric.name, MetricUnit(metric.unit), metric.value)
        written.flush_metrics()
