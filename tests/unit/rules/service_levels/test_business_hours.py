"""Business time against tables worked out by hand: the days on which a naive sum is wrong are what they are made of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postroom.model.configuration import Calendar
from postroom.rules.service_levels import NeverOpen, add_business_time, business_time, is_open
from pydantic import ValidationError

OFFICE = {day: ["08:00-12:00", "13:00-17:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}


def _calendar(zone: str = "Europe/Berlin", hours: object = OFFICE, holidays: object = ()) -> Calendar:
    return Calendar.model_validate({"name": "office", "zone": zone, "hours": hours, "holidays": holidays})


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


BERLIN = _calendar(
    holidays=["2026-12-25", {"day": "2026-12-24", "name": "Christmas Eve", "hours": ["08:00-12:00"]}, "2027-01-01"]
)
NIGHT = _calendar(hours={"friday": ["22:00-24:00"], "saturday": ["00:00-06:00"]}, holidays=["2026-11-28"])
ALWAYS = _calendar(hours="24/7")
EARLY = _calendar(hours={"sunday": ["01:00-02:30", "02:45-05:00"]})
WHOLE_SUNDAY = _calendar(hours={"sunday": ["00:00-24:00"]})
LEAP = _calendar("UTC", {day: ["00:00-24:00"] for day in OFFICE})

ADDED = {
    # name: calendar, start, minutes, the moment when they are over
    "within a span": (BERLIN, "2026-11-30T09:00+01:00", 60, "2026-11-30T10:00+01:00"),
    "used up at the very end of the day": (BERLIN, "2026-11-30T16:00+01:00", 60, "2026-11-30T17:00+01:00"),
    "one minute more is the next morning": (BERLIN, "2026-11-30T16:00+01:00", 61, "2026-12-01T08:01+01:00"),
    "lunch does not count": (BERLIN, "2026-11-30T11:30+01:00", 60, "2026-11-30T13:30+01:00"),
    "at night it begins in the morning": (BERLIN, "2026-11-30T23:30+01:00", 30, "2026-12-01T08:30+01:00"),
    "over a weekend": (BERLIN, "2026-12-04T16:30+01:00", 60, "2026-12-07T08:30+01:00"),
    "over holidays": (BERLIN, "2026-12-24T11:00+01:00", 120, "2026-12-28T09:00+01:00"),
    "over the turn of the year": (BERLIN, "2026-12-31T16:59+01:00", 2, "2027-01-04T08:01+01:00"),
    "nothing is over at once, also at night": (BERLIN, "2026-11-30T23:30+01:00", 0, "2026-11-30T23:30+01:00"),
    "asked for in another zone": (BERLIN, "2026-11-30T03:00-05:00", 60, "2026-11-30T10:00+01:00"),
    "the clocks go forward: that Sunday has 23 hours": (
        WHOLE_SUNDAY,
        "2026-03-29T00:00+01:00",
        23 * 60,
        "2026-03-30T00:00+02:00",
    ),
    "the clocks go back: that Sunday has 25": (
        WHOLE_SUNDAY,
        "2026-10-25T00:00+02:00",
        25 * 60,
        "2026-10-26T00:00+01:00",
    ),
    "a span ends within the hour that is skipped": (EARLY, "2026-03-29T01:30+01:00", 40, "2026-03-29T03:10+02:00"),
    "a span ends in the hour that comes twice": (EARLY, "2026-10-25T01:00+02:00", 150, "2026-10-25T02:30+01:00"),
    "always open does not care for clocks": (ALWAYS, "2026-03-29T00:30+01:00", 120, "2026-03-29T03:30+02:00"),
    "29 February": (LEAP, "2028-02-28T12:00+00:00", 24 * 60, "2028-02-29T12:00+00:00"),
    "a night shift goes over midnight": (NIGHT, "2026-12-04T23:30+01:00", 60, "2026-12-05T00:30+01:00"),
    "and ends at midnight before a holiday": (NIGHT, "2026-11-27T23:30+01:00", 60, "2026-12-04T22:30+01:00"),
}


@pytest.mark.feature("L01", "Q15")
@pytest.mark.parametrize(("calendar", "start", "minutes", "over"), ADDED.values(), ids=list(ADDED))
def test_business_time_is_over_at(calendar: Calendar, start: str, minutes: int, over: str) -> None:
    found = add_business_time(calendar, _at(start), minutes)
    assert found == _at(over)
    assert found.tzinfo is UTC
    assert business_time(calendar, _at(start), found) == timedelta(minutes=minutes)


def test_a_day_open_until_24_00_has_no_minute_closed() -> None:
    assert business_time(LEAP, _at("2026-11-30T00:00+00:00"), _at("2026-12-02T00:00+00:00")) == timedelta(days=2)
    assert is_open(LEAP, _at("2026-11-30T23:59:59+00:00"))
    assert is_open(LEAP, _at("2026-12-01T00:00:00+00:00"))


@pytest.mark.parametrize(
    ("moment", "opened"),
    [
        ("2026-11-30T07:59:59+01:00", False),
        ("2026-11-30T08:00:00+01:00", True),
        ("2026-11-30T11:59:59+01:00", True),
        ("2026-11-30T12:00:00+01:00", False),
        ("2026-12-24T13:30:00+01:00", False),
        ("2026-12-25T09:00:00+01:00", False),
        ("2026-11-29T09:00:00+01:00", False),
    ],
)
def test_hours_begin_with_their_first_second_and_end_before_their_last(moment: str, opened: bool) -> None:
    assert is_open(BERLIN, _at(moment)) is opened


def test_no_time_lies_between_a_moment_and_one_before_it() -> None:
    assert business_time(BERLIN, _at("2026-11-30T12:00+01:00"), _at("2026-11-30T09:00+01:00")) == timedelta()


def test_a_calendar_that_its_holidays_close_for_good_is_no_endless_loop() -> None:
    closed = _calendar(hours={"monday": ["08:00-08:01"]})
    with pytest.raises(NeverOpen, match="twenty years"):
        add_business_time(closed, _at("2026-11-30T09:00+01:00"), 60 * 24 * 365)


def test_minutes_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="below zero"):
        add_business_time(BERLIN, _at("2026-11-30T09:00+01:00"), -1)


_ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
_MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001 - strategies want them without a zone


@given(_ZONES, _MOMENTS, st.integers(0, 3000), st.integers(0, 3000))
def test_time_added_in_two_steps_is_time_added_in_one(zone: str, start: datetime, first: int, second: int) -> None:
    calendar = _calendar(zone)
    whole = add_business_time(calendar, start, first + second)
    assert business_time(calendar, start, whole) == timedelta(minutes=first + second)
    if first and second:
        assert add_business_time(calendar, add_business_time(calendar, start, first), second) == whole


REFUSED = {
    "no hours at all": ({"hours": {}}, "no clock would ever run"),
    "days without hours": ({"hours": {"monday": []}}, "no clock would ever run"),
    "a span that ends before it begins": ({"hours": {"monday": ["22:00-06:00"]}}, "two spans"),
    "spans that overlap": ({"hours": {"monday": ["08:00-12:00", "11:00-15:00"]}}, "overlaps"),
    "beyond the day": ({"hours": {"monday": ["08:00-24:30"]}}, "beyond the day"),
    "no span": ({"hours": {"monday": ["eight to five"]}}, "write it as 08:00-17:30"),
    "an unknown zone": ({"hours": "24/7", "zone": "Berlin"}, "Europe/Berlin"),
    "an unknown day": ({"hours": {"montag": ["08:00-12:00"]}}, "monday"),
    "a holiday twice": ({"hours": "24/7", "holidays": ["2026-12-25", "2026-12-25"]}, "twice"),
}


@pytest.mark.parametrize(("given_", "said"), REFUSED.values(), ids=list(REFUSED))
def test_a_calendar_that_cannot_be_meant_is_refused(given_: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Calendar.model_validate({"name": "office", **given_})


def test_spans_that_touch_are_one_and_are_written_as_they_are_read() -> None:
    calendar = _calendar(hours={"monday": ["12:00-17:00", "08:00-12:00"]})
    assert calendar.spans_on(_at("2026-11-30").date()) == ((480, 1020),)
    assert Calendar.model_validate(calendar.model_dump(mode="json")) == calendar
