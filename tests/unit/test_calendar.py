"""When something is due, and when a team is left alone: over weekends, holidays and changes of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.authoring.schema import WEEKDAYS, CalendarRow
from demarc.authoring.translate import calendar_of, offsets_of
from demarc.core.calendar import Calendar, QuietHours, due_at, last_weekly, local, quiet_until
from demarc.core.model import Severity

ZONES = ("UTC", "Europe/Oslo", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca")
YEARS = st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
CLOCKS = st.integers(0, 24 * 4 - 1).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")
OSLO = calendar_of(
    CalendarRow.model_validate(
        {"timezone": "Europe/Oslo", "hours": "08:00-16:00", "holidays": ["2026-12-25"], "severities": ["low"]}
    )
)
DEADLINES = dict.fromkeys(Severity, 10)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Any calendar that the schema lets somebody write, with the deadlines of `low` counted by it."""
    start, end = draw(st.tuples(CLOCKS, CLOCKS).filter(lambda pair: pair[0] < pair[1]))
    day = st.dates(date(2026, 1, 1), date(2029, 6, 1)).map(str)
    row = {
        "timezone": draw(st.sampled_from(ZONES)),
        "weekdays": draw(st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True)),
        "hours": f"{start}-{end}",
        "holidays": draw(st.lists(day, max_size=10)),
        "severities": ["low"],
    }
    return calendar_of(CalendarRow.model_validate(row))


def at(text: str, zone: str = "Europe/Oslo") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def due(opened_at: datetime, calendar: Calendar, hours: int = 10) -> datetime:
    return due_at(Severity.LOW, opened_at, deadlines=dict.fromkeys(Severity, hours), calendar=calendar)


def is_working(moment: datetime, calendar: Calendar) -> bool:
    """By the standard library's own time zones. Both ends of the working day belong to it."""
    clocks = moment.astimezone(ZoneInfo(calendar.timezone))
    return (
        clocks.weekday() in calendar.weekdays
        and str(clocks.date()) not in calendar.holidays
        and time.fromisoformat(calendar.start) <= clocks.time() <= time.fromisoformat(calendar.end)
    )


@given(YEARS, st.integers(1, 200), calendars())
def test_what_counts_working_hours_is_due_in_working_hours(opened: datetime, hours: int, calendar: Calendar) -> None:
    moment = due(opened, calendar, hours)

    assert is_working(moment, calendar)
    assert moment >= opened + timedelta(hours=hours)


@given(YEARS, YEARS, st.integers(1, 200), calendars())
def test_what_is_opened_later_is_never_due_earlier(
    one: datetime, other: datetime, hours: int, calendar: Calendar
) -> None:
    earlier, later = sorted((one, other))

    assert due(earlier, calendar, hours) <= due(later, calendar, hours)


@given(YEARS, st.integers(1, 100), st.integers(1, 100), calendars())
def test_hours_add_up(opened: datetime, some: int, more: int, calendar: Calendar) -> None:
    assert due(due(opened, calendar, some), calendar, more) == due(opened, calendar, some + more)


@given(YEARS, calendars())
def test_critical_findings_run_around_the_clock(opened: datetime, calendar: Calendar) -> None:
    moment = due_at(Severity.CRITICAL, opened, deadlines=DEADLINES, calendar=calendar)

    assert moment == opened + timedelta(hours=10)


@given(st.sampled_from(ZONES), YEARS)
def test_the_compiled_clocks_show_what_the_zone_shows(zone: str, moment: datetime) -> None:
    calendar = Calendar(timezone=zone, offsets=offsets_of(zone))

    assert local(moment, calendar).replace(tzinfo=None) == moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def test_the_evening_and_the_weekend_do_not_count() -> None:
    friday = at("2026-11-27T14:00")

    assert due(friday, OSLO, 3) == at("2026-11-30T09:00")


def test_what_is_opened_at_night_counts_from_the_morning() -> None:
    assert due(at("2026-11-26T03:00"), OSLO, 1) == at("2026-11-26T09:00")


def test_what_ends_with_the_day_is_due_that_day() -> None:
    assert due(at("2026-11-26T08:00"), OSLO, 8) == at("2026-11-26T16:00")


def test_a_holiday_does_not_count() -> None:
    assert due(at("2026-12-24T15:00"), OSLO, 2) == at("2026-12-28T09:00")


def test_a_working_day_has_as_many_hours_in_summer_as_in_winter() -> None:
    before, after = at("2026-03-27T15:00"), at("2026-10-23T15:00")

    assert due(before, OSLO, 2) == at("2026-03-30T09:00")
    assert due(after, OSLO, 2) == at("2026-10-26T09:00")


@pytest.mark.parametrize(
    ("opened", "expected"),
    [
        pytest.param("2026-03-28T23:00+00:00", "2026-03-29T04:00+00:00", id="the hour from two to three is not there"),
        pytest.param("2026-10-24T22:00+00:00", "2026-10-25T03:00+00:00", id="the hour from two to three comes twice"),
    ],
)
def test_hours_in_which_the_clocks_are_changed_are_counted_as_they_pass(opened: str, expected: str) -> None:
    row = {"timezone": "Europe/Oslo", "weekdays": ["sunday"], "hours": "00:00-24:00", "severities": ["low"]}
    sundays = calendar_of(CalendarRow.model_validate(row))

    assert due(datetime.fromisoformat(opened), sundays, 5) == datetime.fromisoformat(expected)


def test_working_time_that_a_change_of_the_clocks_swallows_is_left_out() -> None:
    row = {"timezone": "Europe/Oslo", "weekdays": ["sunday"], "hours": "02:15-02:45", "severities": ["low"]}
    calendar = calendar_of(CalendarRow.model_validate(row))

    assert due(at("2026-03-28T12:00"), calendar, 1) == at("2026-04-12T02:45")


@pytest.mark.parametrize(
    "hours", [{"start": "09:00", "end": "09:00"}, {"start": "17:00", "end": "09:00"}, {"weekdays": ()}]
)
def test_there_is_no_calendar_without_working_time(hours: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="no working time"):
        Calendar(**hours)  # type: ignore[arg-type]


# --- quiet hours ----------------------------------------------------------------------------------------------------

NIGHT = QuietHours("22:00", "07:00")


def quiet(text: str, severity: Severity = Severity.LOW, hours: QuietHours | None = NIGHT) -> datetime | None:
    return quiet_until(at(text), severity, quiet_hours=hours, calendar=OSLO)


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        ("2026-11-26T21:59", None),
        ("2026-11-26T22:00", "2026-11-27T07:00"),
        ("2026-11-27T00:00", "2026-11-27T07:00"),
        ("2026-11-27T06:59", "2026-11-27T07:00"),
        ("2026-11-27T07:00", None),
        ("2026-03-28T23:00", "2026-03-29T07:00"),
    ],
)
def test_a_night_lasts_until_morning(moment: str, until: str | None) -> None:
    assert quiet(moment) == (until and at(until))


def test_a_quiet_afternoon_does_not_span_midnight() -> None:
    siesta = QuietHours("13:00", "15:00")

    assert quiet("2026-11-26T14:00", hours=siesta) == at("2026-11-26T15:00")
    assert quiet("2026-11-26T02:00", hours=siesta) is None


def test_what_cannot_wait_is_told_at_night() -> None:
    assert quiet("2026-11-27T02:00", Severity.CRITICAL) is None
    assert quiet("2026-11-27T02:00", Severity.HIGH) is not None


def test_a_team_without_quiet_hours_is_told_at_any_time() -> None:
    assert quiet("2026-11-27T02:00", hours=None) is None


@given(YEARS, CLOCKS, CLOCKS, calendars())
def test_quiet_hours_end_within_a_day_and_a_change_of_the_clocks(
    moment: datetime, start: str, end: str, calendar: Calendar
) -> None:
    until = quiet_until(moment, Severity.LOW, quiet_hours=QuietHours(start, end), calendar=calendar)

    assert until is None or moment < until <= moment + timedelta(hours=25)


# --- the week -------------------------------------------------------------------------------------------------------


@given(YEARS, st.integers(0, 6), st.integers(0, 23), calendars())
def test_the_last_monday_morning_is_at_most_a_week_ago(
    moment: datetime, weekday: int, hour: int, calendar: Calendar
) -> None:
    found = last_weekly(weekday, hour, moment, calendar)

    assert found.weekday() == weekday
    assert timedelta() <= moment - found <= timedelta(days=7, hours=1)


def test_a_week_begins_by_the_clocks_of_the_calendar() -> None:
    assert last_weekly(0, 8, at("2026-11-30T08:00"), OSLO).date().isoformat() == "2026-11-30"
    assert last_weekly(0, 8, at("2026-11-30T07:59"), OSLO).date().isoformat() == "2026-11-23"
