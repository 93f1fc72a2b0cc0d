"""How long it takes: from findings' histories to time to detect, to acknowledge and to resolve, and what stays broken.

A finding's history is cut into *episodes*, one per opening: until it is resolved or gone, or, where its risk was
accepted, until nothing covers it any more; what comes then is another episode. Every number is about episodes, never
about revisions.

- **Time to detect** (verification lag): from the `eventTime` of the change that set what is broken to the opening,
  whoever noticed first. Where no change is known to have set it there is none: what a first sweep finds may be years
  old. Nor is there where an acceptance ended: it was known all the time.
- **Time to acknowledge**: from the opening to the acknowledgement that still holds. What nobody acknowledged has none.
- **Time to resolve**: from the opening to the reading that saw it right, or gone: whoever deletes a resource has ended
  the exposure too; `gone` says how many. What is mended while its risk is accepted has none: nobody was asked to, and
  the months that were agreed on would hide how fast the rest is mended. Nor can it be late.
- **Reopen rate**: of the episodes that ended resolved or gone in the period, the share whose finding has come back
  until now. That an acceptance ended is no reopening: nothing had been mended.

An episode is in a period by the moment that is measured: opened, acknowledged or ended in it. So what was opened
before and mended in it counts towards the time to resolve. What stands now counts whenever it was opened. An episode
belongs to the team and severity that it had last.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import TypeVar

from demarc.core.model import STANDING, TO_DO, Finding, Layer, Severity, Status

_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class Episode:
    """One opening of a finding, with the status it had last; `latest` unless the finding was opened again since.

    `ended_at` is when it was seen right or gone; `detection` the time to detect, or None where no change is known to
    have set it; `accepted` whether the risk was.
    """

    team: str
    severity: Severity
    layer: Layer
    status: Status
    opened_at: datetime
    due_at: datetime
    detection: timedelta | None = None
    acknowledged_at: datetime | None = None
    ended_at: datetime | None = None
    accepted: bool = False
    latest: bool = True

    @property
    def acknowledgement(self) -> timedelta | None:
        return None if self.acknowledged_at is None else _since(self.opened_at, self.acknowledged_at)

    @property
    def resolution(self) -> timedelta | None:
        return None if self.ended_at is None or self.accepted else _since(self.opened_at, self.ended_at)

    @property
    def late(self) -> bool:
        """Whether it ended after its deadline."""
        return self.resolution is not None and self.ended_at is not None and self.ended_at > self.due_at

    @property
    def returned(self) -> bool:
        """Whether it ended and the finding came back."""
        return self.ended_at is not None and not self.latest

    @property
    def open(self) -> bool:
        return self.latest and self.status in TO_DO

    def overdue(self, now: datetime) -> bool:
        return self.open and self.due_at < now

    def counts(self, since: datetime) -> bool:
        """Whether it stands, or anything of it happened after a moment."""
        stands = self.latest and self.ended_at is None
        moments = (self.opened_at, self.acknowledged_at, self.ended_at)
        return stands or any(moment is not None and moment > since for moment in moments)


@dataclass(frozen=True, slots=True)
class Times:
    """Some durations in seconds; without any there is no mean, median or 90th percentile (nearest rank)."""

    count: int = 0
    mean: float | None = None
    median: float | None = None
    p90: float | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The numbers of some episodes: in the period, and as it is now.

    `opened` counts openings in the period; `ended` those that were resolved or gone in it, of which `gone` were gone,
    `late` came after their deadline and `reopened` have come back. Now there are `open` ones (acknowledged or not), of
    which `overdue` are, and `accepted` ones.
    """

    opened: int = 0
    ended: int = 0
    gone: int = 0
    late: int = 0
    reopened: int = 0
    open: int = 0
    overdue: int = 0
    accepted: int = 0
    detect: Times = Times()
    acknowledge: Times = Times()
    resolve: Times = Times()

    @property
    def reopen_rate(self) -> float | None:
        """From 0 to 1; None where nothing ended."""
        return self.reopened / self.ended if self.ended else None


@dataclass(frozen=True, slots=True)
class Measures:
    """What was measured from `since` (exclusive) to `now`, over all and by team id, severity and layer."""

    since: datetime
    now: datetime
    overall: Figures
    teams: Mapping[str, Figures] = field(default_factory=dict)
    severities: Mapping[Severity, Figures] = field(default_factory=dict)
    layers: Mapping[Layer, Figures] = field(default_factory=dict)


def measure(histories: Iterable[Sequence[Finding]], *, since: datetime, now: datetime) -> Measures:
    """Measure findings by all their revisions; `histories` in any order, and each in any order too.

    A team, severity or layer is there when an episode of it counts.
    """
    counting = [episode for history in histories for episode in episodes_of(history) if episode.counts(since)]
    return Measures(
        since=since,
        now=now,
        overall=_figures(counting, since, now),
        teams=_by(counting, lambda episode: episode.team, since, now),
        severities=_ordered(_by(counting, lambda episode: episode.severity, since, now), Severity),
        layers=_ordered(_by(counting, lambda episode: episode.layer, since, now), Layer),
    )


def episodes_of(history: Sequence[Finding]) -> Iterator[Episode]:
    """The openings of one finding, oldest first, from all its revisions."""
    openings: dict[int, list[Finding]] = {}
    for revision in sorted(history, key=lambda each: each.revision):
        openings.setdefault(revision.reopened, []).append(revision)
    for number, revisions in openings.items():
        yield _episode(revisions, latest=number == max(openings))


def is_told_by(last: Finding) -> bool:
    """Whether a finding's last revision makes the same episodes as its whole history, which need not be read then.

    It carries all that is measured of its own opening, but for a change that led to it when another came since.
    """
    if last.reopened or (last.transition is None and last.revision > 1):
        return False
    return not (last.cause and last.cause.set_it and last.cause.time > last.opened_at)


def _episode(revisions: Sequence[Finding], *, latest: bool) -> Episode:
    first, last = revisions[0], revisions[-1]
    return Episode(
        team=last.attribution.owner.team,
        severity=last.severity,
        layer=last.layer,
        status=last.status,
        opened_at=first.opened_at,
        due_at=last.due_at,
        detection=_detection(revisions),
        acknowledged_at=last.acknowledged_at,
        ended_at=None if last.status in STANDING else last.resolved_at or last.observed_at,
        accepted=_ended_accepted(last) or any(each.status is Status.ACCEPTED for each in revisions),
        latest=latest,
    )


def _ended_accepted(last: Finding) -> bool:
    ended = last.status not in STANDING
    return ended and last.transition is not None and last.transition.was is Status.ACCEPTED


def _detection(revisions: Sequence[Finding]) -> timedelta | None:
    """The change that led to the opening may be learned late, or corrected; one made after it did not lead to it."""
    first = revisions[0]
    if first.reopened and first.transition and first.transition.was in STANDING:
        return None
    causes = [each.cause for each in revisions if each.cause and each.cause.set_it]
    leading = [cause.time for cause in causes if cause.time <= first.opened_at]
    return first.opened_at - leading[-1] if leading else None


def _since(start: datetime, end: datetime) -> timedelta:
    # The moments come from the clocks of different machines.
    return max(end - start, timedelta())


def _by(
    episodes: Iterable[Episode], key: Callable[[Episode], _Key], since: datetime, now: datetime
) -> dict[_Key, Figures]:
    groups: dict[_Key, list[Episode]] = {}
    for episode in episodes:
        groups.setdefault(key(episode), []).append(episode)
    return {name: _figures(group, since, now) for name, group in sorted(groups.items(), key=lambda each: str(each[0]))}


def _ordered(groups: Mapping[_Key, Figures], order: Iterable[_Key]) -> dict[_Key, Figures]:
    return {name: groups[name] for name in order if name in groups}


def _figures(episodes: Sequence[Episode], since: datetime, now: datetime) -> Figures:
    opened = [each for each in episodes if each.opened_at > since]
    ended = [each for each in episodes if each.ended_at is not None and each.ended_at > since]
    acknowledged = [each for each in episodes if each.acknowledged_at is not None and each.acknowledged_at > since]
    return Figures(
        opened=len(opened),
        ended=len(ended),
        gone=sum(each.status is Status.GONE for each in ended),
        late=sum(each.late for each in ended),
        reopened=sum(each.returned for each in ended),
        open=sum(each.open for each in episodes),
        overdue=sum(each.overdue(now) for each in episodes),
        accepted=sum(each.latest and each.status is Status.ACCEPTED for each in episodes),
        detect=times_of(each.detection for each in opened),
        acknowledge=times_of(each.acknowledgement for each in acknowledged),
        resolve=times_of(each.resolution for each in ended),
    )


def times_of(durations: Iterable[timedelta | None]) -> Times:
    """Mean, median and 90th percentile of those that there are."""
    seconds = sorted(each.total_seconds() for each in durations if each is not None)
    if not seconds:
        return Times()
    # The nearest rank: a time that really was, also where there are few.
    p90 = seconds[math.ceil(len(seconds) * 9 / 10) - 1]
    return Times(len(seconds), math.fsum(seconds) / len(seconds), median(seconds), p90)
