"""What becomes a metric: how much is open, and what one revision says about how long it took.

CloudWatch bills every distinct pair of a name and a set of dimensions, for the hours in which it has a value. So a set
has one dimension and never two: T teams, 5 severities and L layers of ours make 2 x (T + 5 + L) + T gauges that are
always there, and at most 4 x (T + 5 + L) of revisions, which cost only the hours in which something happened. Combined
sets would make T x 5 x L.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from demarc.core.matrix import Matrix
from demarc.core.model import STANDING, TO_DO, Act, Finding, Layer, Party, Severity, Status

OPEN = "OpenFindings"
OVERDUE = "OverdueFindings"
ACCEPTED = "AcceptedFindings"
TIME_TO_DETECT = "TimeToDetect"
TIME_TO_ACKNOWLEDGE = "TimeToAcknowledge"
TIME_TO_RESOLVE = "TimeToResolve"
REOPENED = "ReopenedFindings"

COUNT = "Count"
MILLISECONDS = "Milliseconds"


@dataclass(frozen=True, slots=True)
class Metric:
    """One value for CloudWatch, in a unit that it knows, for a dimension (its name and value)."""

    name: str
    unit: str
    value: float
    dimension: tuple[str, str]


def gauges_of(findings: Iterable[Finding], *, matrix: Matrix, now: datetime) -> tuple[Metric, ...]:
    """How much is open and overdue by team, severity and layer, and accepted by team.

    A zero is a value: every team of the matrix, every severity and every layer with a part of ours has one, so that a
    line goes to zero where it would otherwise end. Findings that do not stand are passed over.
    """
    dimensions = [
        *(("team", team) for team in sorted(matrix.organization.teams)),
        *(("severity", severity.value) for severity in Severity),
        *(("layer", layer.value) for layer in layers_of_ours(matrix)),
    ]
    open_, overdue = dict.fromkeys(dimensions, 0), dict.fromkeys(dimensions, 0)
    accepted = {dimension: 0 for dimension in dimensions if dimension[0] == "team"}
    for finding in findings:
        for dimension in _dimensions(finding):
            if finding.status in TO_DO:
                open_[dimension] = open_.get(dimension, 0) + 1
                overdue[dimension] = overdue.get(dimension, 0) + (finding.due_at < now)
            elif finding.status is Status.ACCEPTED and dimension[0] == "team":
                accepted[dimension] = accepted.get(dimension, 0) + 1
    gauges = ((OPEN, open_), (OVERDUE, overdue), (ACCEPTED, accepted))
    return tuple(
        Metric(name, COUNT, float(value), dimension) for name, values in gauges for dimension, value in values.items()
    )


def layers_of_ours(matrix: Matrix) -> tuple[Layer, ...]:
    """The layers of which something is ours, in some tier: AWS's own have no findings."""
    lines = matrix.responsibility.lines.values()
    return tuple(
        layer for layer in Layer if any(layer in tier and tier[layer].party is not Party.PROVIDER for tier in lines)
    )


def metrics_of(finding: Finding) -> tuple[Metric, ...]:
    """What a revision that was just recorded is worth: how long something took, or that a finding came back."""
    values = [(name, MILLISECONDS, value) for name, value in durations_of(finding).items()]
    if _opens(finding) and finding.reopened:
        values.append((REOPENED, COUNT, 1.0))
    return tuple(Metric(*value, dimension) for value in values for dimension in _dimensions(finding))


def durations_of(finding: Finding) -> Mapping[str, float]:
    """What took how long until this revision, in milliseconds by the metric's name; most revisions say nothing.

    The definitions are those of `core.measures`, as far as one revision can know: a change that is learned of later
    than the opening is not in the time to detect, and what is mended while its risk is accepted is not in the time to
    resolve.
    """
    return {name: _milliseconds(duration) for name, duration in _durations(finding)}


def _durations(finding: Finding) -> Iterator[tuple[str, timedelta]]:
    transition, cause = finding.transition, finding.cause
    if transition is None:
        return
    if _opens(finding) and cause is not None and cause.set_it:
        yield TIME_TO_DETECT, finding.opened_at - cause.time
    if transition.act is Act.ACKNOWLEDGE and finding.acknowledged_at is not None:
        yield TIME_TO_ACKNOWLEDGE, finding.acknowledged_at - finding.opened_at
    if _ends(finding) and finding.resolved_at is not None and transition.was is not Status.ACCEPTED:
        yield TIME_TO_RESOLVE, finding.resolved_at - finding.opened_at


def _opens(finding: Finding) -> bool:
    transition = finding.transition
    return transition is not None and finding.status in STANDING and transition.was not in STANDING


def _ends(finding: Finding) -> bool:
    transition = finding.transition
    return transition is not None and finding.status not in STANDING and transition.was in STANDING


def _dimensions(finding: Finding) -> tuple[tuple[str, str], ...]:
    return (
        ("team", finding.attribution.owner.team),
        ("severity", finding.severity.value),
        ("layer", finding.layer.value),
    )


def _milliseconds(duration: timedelta) -> float:
    # The moments come from the clocks of different machines, and CloudTrail's are whole seconds.
    return max(duration / timedelta(milliseconds=1), 0.0)
