"""Calendars of business hours (Q15): when a clock of a service level runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from postroom.model.configuration.fields import ConfigObject, Line, Name
from postroom.model.configuration.period import Period

MINUTES_A_DAY = 24 * 60

_SPAN = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\s*[-–]\s*([01]?\d|2[0-4]):([0-5]\d)")


class Weekday(StrEnum):
    """A day of the week, in the order of `datetime.weekday()`."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


def _parse_span(value: Any) -> tuple[int, int]:
    """Read `08:00-12:30` as minutes since midnight; `24:00` is the end of the day."""
    if isinstance(value, (tuple, list)) and len(value) == 2 and all(isinstance(one, int) for one in value):
        begin, end = value
    elif isinstance(value, str) and (found := _SPAN.fullmatch(value.strip())):
        hours = [int(group) for group in found.groups()]
        begin, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    else:
        raise ValueError(f"{value!r} is no span of a day; write it as 08:00-17:30, at most until 24:00")
    if not 0 <= begin <= MINUTES_A_DAY or not 0 <= end <= MINUTES_A_DAY:
        raise ValueError(f"{value!r} goes beyond the day; 24:00 is its end")
    if begin >= end:
        raise ValueError(
            f"{value!r} ends before it begins; give hours over midnight as two spans, "
            "22:00-24:00 and, on the next day, 00:00-06:00"
        )
    return begin, end


def _format_span(span: tuple[int, int]) -> str:
    begin, end = span
    return f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"


Span = Annotated[
    tuple[int, int],
    BeforeValidator(_parse_span),
    PlainSerializer(_format_span, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,2}:\d{2}-\d{1,2}:\d{2}$", "examples": ["08:00-17:30"]}),
]
"""Hours of one day, as minutes since midnight by the clock on the wall: from, and up to."""


def _apart(spans: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """Put spans in order, join those that touch, refuse those that overlap."""
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if joined and begin < joined[-1][1]:
            raise ValueError(f"{_format_span((begin, end))} overlaps {_format_span(joined[-1])}; give each hour once")
        if joined and begin == joined[-1][1]:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((begin, end))
    return tuple(joined)


Spans = Annotated[tuple[Span, ...], AfterValidator(_apart), Field(max_length=12)]


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no time zone of the IANA data base; write one like Europe/Berlin or UTC")
    return name


class Holiday(ConfigObject):
    """A day on which nobody works, or only for some hours."""

    day: date = Field(description="By the calendar's time zone, from 00:00 to 24:00.")
    name: Line = ""
    hours: Spans = Field(default=(), description="Hours that are worked all the same; empty: closed.")


def _holiday(value: Any) -> Any:
    return {"day": value} if isinstance(value, (str, date)) else value


class Calendar(ConfigObject):
    """Business hours by the clock on the wall of one time zone, several spans a day, with holidays."""

    name: Name
    department: str | None = Field(default=None, description="Only there; empty: every department.")
    description: Line = ""
    zone: Annotated[Line, AfterValidator(_zone)] = Field(default="UTC", description="IANA name, as Europe/Berlin.")
    hours: Mapping[Weekday, Spans] | Literal["24/7"] = Field(
        description="`24/7`, or for each day of the week its spans, as `monday: [08:00-12:00, 13:00-17:30]`."
    )
    holidays: tuple[Annotated[Holiday, BeforeValidator(_holiday)], ...] = Field(default=(), max_length=1000)

    def model_post_init(self, _context: Any) -> None:
        """Refuse a calendar that never opens, and a day given twice."""
        if self.hours != "24/7" and not any(self.hours.values()):
            raise ValueError("`hours` has no hours, so that no clock would ever run; give some, or write 24/7")
        days = [one.day for one in self.holidays]
        if twice := sorted({str(day) for day in days if days.count(day) > 1}):
            raise ValueError(f"`holidays` has {twice[0]} twice; give each day once")

    @property
    def tz(self) -> ZoneInfo:
        """Return the time zone."""
        return ZoneInfo(self.zone)

    def spans_on(self, day: date) -> tuple[tuple[int, int], ...]:
        """Return the hours of a day, as minutes since midnight, in order and apart."""
        for holiday in self.holidays:
            if holiday.day == day:
                return holiday.hours
        if self.hours == "24/7":
            return ((0, MINUTES_A_DAY),)
        return self.hours.get(_WEEKDAYS[day.weekday()], ())


_WEEKDAYS = tuple(Weekday)


class ServiceLevel(ConfigObject):
    """How fast a case is to be answered and ended, in business time of one calendar (L01)."""

    name: Name
    department: str | None = Field(default=None, description="Only there; empty: every department.")
    description: Line = ""
    calendar: str = Field(description="Calendar whose hours count.")
    first_response: Period | None = Field(
        default=None, description="From the server date of the first mail to our first answer that was sent."
    )
    next_response: Period | None = Field(
        default=None, description="From a customer's mail after our answer to the next answer that was sent."
    )
    resolution: Period | None = Field(
        default=None, description="From the first mail until the case is closed; stands still while it waits."
    )
    warn_at: int = Field(default=80, ge=1, le=100, description="Percent of the time that are used up when it warns.")

    def model_post_init(self, _context: Any) -> None:
        """Refuse a level without any target, and targets of nothing."""
        targets = [one for one in (self.first_response, self.next_response, self.resolution) if one is not None]
        if not targets:
            raise ValueError("has no target; give `first_response`, `next_response` or `resolution`")
        if any(one < timedelta(minutes=1) for one in targets):
            raise ValueError("has a target under a minute; give at least 00:01:00")
