"""Service levels: targets that their calendar leaves time for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from postroom.model.configuration import Calendar, Configuration
from postroom.services.configuration.checks.finding import Finding

_MOST_WEEKS = 40
_TARGETS = ("first_response", "next_response", "resolution")
_A_MONDAY = date(2024, 1, 1)


def problems(configuration: Configuration) -> Iterator[Finding]:
    """List targets that would be reached after years, for which no clock is made."""
    for index, level in enumerate(configuration.service_levels):
        calendar = configuration.calendar(level.calendar)
        if calendar is None:
            continue  # told as an unknown name
        week = _hours_a_week(calendar)
        for field in _TARGETS:
            target: timedelta | None = getattr(level, field)
            if target is not None and target > week * _MOST_WEEKS:
                yield Finding(
                    ("service_levels", index, field),
                    f"is longer than {_MOST_WEEKS} weeks of calendar `{calendar.name}`, which opens for "
                    f"{week.total_seconds() / 3600:g} hours a week.",
                    "Give a shorter period, or longer hours.",
                )


def _hours_a_week(calendar: Calendar) -> timedelta:
    plain = calendar.model_copy(update={"holidays": ()})
    days = (_A_MONDAY + timedelta(days=day) for day in range(7))
    return timedelta(minutes=sum(end - begin for day in days for begin, end in plain.spans_on(day)))
