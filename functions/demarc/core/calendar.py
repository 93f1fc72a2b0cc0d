"""When people work: deadlines that count working hours, and hours in which a channel is left alone.

A time zone's rules are compiled into the matrix (`Offset`): a function has no time zone database that it could count
on, and the same matrix means the same moments wherever it is read.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone

from demarc.core.model import Severity

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Offset:
    """From `since` on, local time is so many minutes ahead of UTC."""

    since: datetime
    minutes: int


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one hour of the day to another (`22:00` to `07:00` spans midnight), in the calendar's time zone.

    Findings of the severities in `except_for` are told all the same.
    """

    start: str
    end: str
    except_for: tuple[Severity, ...] = (Severity.CRITICAL,)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working time. `severities` are those whose deadlines count it; the others' run around the clock.

    `weekdays` has Monday as 0; `start` and `end` are times of the day in `timezone` (IANA), `24:00` is the day's end;
    `holidays` are ISO dates. `offsets` are the time zone's, oldest first; the first holds before it too, the last for
    ever. Without any it is UTC.

    Raises:
        ValueError: if there would be no working time at all.
    """

    timezone: str = "UTC"
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    start: str = "09:00"
    end: str = "17:00"
    holidays: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()
    offsets: tuple[Offset, ...] = ()

    def __post_init__(self) -> None:
        if not set(self.weekdays) & set(range(7)) or _since_midnight(self.start) >= _since_midnight(self.end):
            raise ValueError(f"no working time between {self.start} and {self.end} on weekdays {self.weekdays}")


def due_at(
    severity: Severity, opened_at: datetime, *, deadlines: Mapping[Severity, int], calendar: Calendar
) -> datetime:
    """When a finding must be right again, in UTC: so many hours after it was opened, working hours where the calendar
    says so. A deadline that counts working hours never falls outside of them.
    """
    left = timedelta(hours=deadlines[severity])
    if severity not in calendar.severities:
        return opened_at + left
    for start, end in _working_time(opened_at, calendar):
        if left <= end - start:
            return start + left
        left -= end - start
    raise AssertionError("working time never ends")  # pragma: no cover


def _working_time(since: datetime, calendar: Calendar) -> Iterator[tuple[datetime, datetime]]:
    """The stretches of working time from a moment on, in UTC. One that a change of the clocks swallowed is left out."""
    start, end = _since_midnight(calendar.start), _since_midnight(calendar.end)
    day = datetime.combine(local(since, calendar), time.min)
    since = since.astimezone(UTC)
    ahead, steady_until = timedelta(), day
    while True:
        if day.weekday() in calendar.weekdays and day.date().isoformat() not in calendar.holidays:
            if day < steady_until:
                begins, ends = (day + start).replace(tzinfo=UTC) - ahead, (day + end).replace(tzinfo=UTC) - ahead
            else:
                begins, ends = _instant(day + start, calendar), _instant(day + end, calendar)
                ahead, steady_until = _steady(ends, calendar)
            begins = max(begins, since)
            if begins < ends:
                yield begins, ends
        day += _DAY


def _steady(at: datetime, calendar: Calendar) -> tuple[timedelta, datetime]:
    """How far the clocks are ahead, and a day on the clocks before which they surely are not changed."""
    position = bisect_right(calendar.offsets, at, key=lambda offset: offset.since)
    changed = calendar.offsets[position].since if position < len(calendar.offsets) else datetime.max.replace(tzinfo=UTC)
    return local(at, calendar).utcoffset() or timedelta(), changed.replace(tzinfo=None) - 2 * _DAY


def quiet_until(
    at: datetime, severity: Severity, *, quiet_hours: QuietHours | None, calendar: Calendar
) -> datetime | None:
    """When a team may be told of a finding of this severity, in UTC; None if it may be told now."""
    if quiet_hours is None or severity in quiet_hours.except_for:
        return None
    start, end = _since_midnight(quiet_hours.start), _since_midnight(quiet_hours.end)
    midnight = datetime.combine(local(at, calendar), time.min)
    # What spans midnight may have begun yesterday.
    for day in (midnight - _DAY, midnight):
        until = _instant(day + end + (_DAY if end <= start else timedelta()), calendar)
        if _instant(day + start, calendar) <= at < until:
            return until
    return None


def last_weekly(weekday: int, hour: int, at: datetime, calendar: Calendar) -> datetime:
    """The latest moment, not after another, at which a weekday (Monday is 0) had come to an hour; in local time."""
    midnight = datetime.combine(local(at, calendar), time.min)
    day = midnight - ((midnight.weekday() - weekday) % 7) * _DAY
    moment = _instant(day + timedelta(hours=hour), calendar)
    if moment > at:
        moment = _instant(day - 7 * _DAY + timedelta(hours=hour), calendar)
    return local(moment, calendar)


def local(at: datetime, calendar: Calendar) -> datetime:
    """The same moment on the calendar's clocks."""
    if not calendar.offsets:
        return at.astimezone(UTC)
    index = bisect_right(calendar.offsets, at, key=lambda offset: offset.since) - 1
    minutes = calendar.offsets[max(index, 0)].minutes
    return at.astimezone(timezone(timedelta(minutes=minutes)))


def _instant(clocks: datetime, calendar: Calendar) -> datetime:
    """When the clocks show a date and time, in UTC; the first time if they do twice.

    Of what they skip, all is the moment at which they are changed: so later on the clocks is never earlier.
    """
    shown, offsets = clocks.replace(tzinfo=UTC), calendar.offsets
    if not offsets:
        return shown
    # No clock is a day or more away from UTC.
    position = max(bisect_right(offsets, shown - _DAY, key=lambda offset: offset.since) - 1, 0)
    while True:
        moment = shown - timedelta(minutes=offsets[position].minutes)
        if position > 0:
            moment = max(moment, offsets[position].since)
        position += 1
        if position == len(offsets) or moment < offsets[position].since:
            return moment


def _since_midnight(clock: str) -> timedelta:
    hours, _, minutes = clock.partition(":")
    return timedelta(hours=int(hours), minutes=int(minutes))
