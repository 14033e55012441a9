"""Business time, pure: how much of it lies between two moments, and when so much of it will be over (L01, Q15).

Hours stand on the wall; time is counted as it passes. On the day when clocks go forward, 00:00-24:00 is 23 hours long,
on the day when they go back 25. An hour that the wall skips begins when the clocks go forward; of an hour that it shows
twice, a span begins at the first and ends at the second.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from postroom.model.configuration import Calendar

_FARTHEST = timedelta(days=20 * 366)
"""A clock that would run longer than this is a mistake: holidays that close every day of the calendar."""


class NeverOpen(ValueError):
    """A calendar does not open for long enough to ever use the time up."""


def add_business_time(calendar: Calendar, start: datetime, minutes: float) -> datetime:
    """Return when `minutes` of business time after `start` (aware) are over, in UTC.

    Time that is used up at the very end of a day's hours is over there, not at the next opening. Raises NeverOpen when
    the calendar's holidays leave too little time within twenty years, ValueError for minutes below zero.
    """
    if minutes < 0:
        raise ValueError("minutes below zero")
    left = timedelta(minutes=minutes)
    start = start.astimezone(UTC)
    if not left:
        return start
    for begin, end in _openings(calendar, start):
        begin = max(begin, start)
        if begin - start > _FARTHEST:
            break
        if end - begin >= left:
            return begin + left
        left -= max(timedelta(), end - begin)
    raise NeverOpen(f"calendar {calendar.name} does not open for {minutes:g} minutes within twenty years")


def business_time(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """Measure the business time between two moments; none when `end` is not after `start`."""
    total = timedelta()
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if end <= start:
        return total
    for opens, closes in _openings(calendar, start):
        if opens >= end:
            break
        total += max(timedelta(), min(closes, end) - max(opens, start))
    return total


def is_open(calendar: Calendar, moment: datetime) -> bool:
    """Tell whether business hours run at a moment."""
    moment = moment.astimezone(UTC)
    opens, closes = next(_openings(calendar, moment), (moment, moment))
    return opens <= moment < closes


def _openings(calendar: Calendar, start: datetime) -> Iterator[tuple[datetime, datetime]]:
    """List openings in UTC in order, from the one that runs at `start` or comes next; ends after twenty years."""
    day = start.astimezone(calendar.tz).date() - timedelta(days=1)
    last = (start + _FARTHEST).date()
    closed = datetime.min.replace(tzinfo=UTC)  # spans that lie in an hour shown twice may overlap
    while day <= last:
        for begin, end in calendar.spans_on(day):
            opens, closes = _instant(calendar, day, begin, fold=0), _instant(calendar, day, end, fold=1)
            opens, closed = max(opens, closed), max(closes, closed)
            if closes > start and closes > opens:
                yield opens, closes
        day += timedelta(days=1)


def _instant(calendar: Calendar, day: date, minute: int, *, fold: int) -> datetime:
    """Return the moment at which the wall shows a minute of a day; of a skipped one, when the clocks go forward."""
    days, minute = divmod(minute, 24 * 60)
    wall = datetime.combine(day + timedelta(days=days), time(minute // 60, minute % 60, fold=fold), calendar.tz)
    moment = wall.astimezone(UTC)
    if moment.astimezone(calendar.tz).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return moment
    # The wall never shows it. Read with the offset of before (fold 0) and of after (fold 1) it lies on either side of
    # the change, and by as much as the clocks are moved.
    before = wall.replace(fold=0).utcoffset()
    low, high = wall.replace(fold=1).astimezone(UTC), wall.replace(fold=0).astimezone(UTC)
    while high - low > timedelta(seconds=1):  # changes fall on whole seconds
        middle = low + (high - low) // 2
        if middle.astimezone(calendar.tz).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)
