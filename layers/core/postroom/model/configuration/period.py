"""Periods of time as administrators write them: `hh:mm:ss`, as in the reference system."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_HH_MM_SS = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d)")


def parse_period(value: Any) -> timedelta:
    """Read `hh:mm:ss`, or a whole number of seconds, as a timedelta."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return timedelta(seconds=value)
    if isinstance(value, str) and value.strip().isdecimal() and len(value.strip()) <= 6:
        return timedelta(seconds=int(value))
    if isinstance(value, str) and (match := _HH_MM_SS.fullmatch(value.strip())):
        hours, minutes, seconds = (int(group) for group in match.groups())
        return timedelta(hours=hours, minutes=minutes, seconds=seconds)
    raise ValueError(f"{value!r} is not a period; write it as hh:mm:ss, for example 00:00:30")


def format_period(value: timedelta) -> str:
    """Write a timedelta as `hh:mm:ss`."""
    seconds = int(value.total_seconds())
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


Period = Annotated[
    timedelta,
    BeforeValidator(parse_period),
    PlainSerializer(format_period, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,3}:[0-5]\d:[0-5]\d$", "examples": ["00:00:30"]}),
]
