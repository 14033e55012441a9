"""Read values as the reference system writes them: each returns the value or None, and why it is another one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from postroom.model.configuration import format_period, parse_period

TRUE = frozenset({"true", "yes", "on", "1"})
FALSE = frozenset({"false", "no", "off", "0", ""})


def text(value: str) -> tuple[Any, str]:
    """Take a text as it is."""
    return value, ""


def one_letter(value: str) -> tuple[Any, str]:
    """Take one character."""
    return (value, "") if len(value) == 1 else (None, "it is not one character; / is used")


def boolean(value: str) -> tuple[Any, str]:
    """Read true and false."""
    if value.lower() in TRUE:
        return True, ""
    return (False, "") if value.lower() in FALSE else (None, f"`{value[:40]}` is neither true nor false")


def period(value: str) -> tuple[Any, str]:
    """Read hh:mm:ss, or seconds."""
    try:
        period = parse_period(int(value) if value.isdigit() else value)
    except ValueError:
        return None, f"`{value[:40]}` is no period; the default is used"
    if not period:
        return "00:00:01", "a period of zero is not possible"
    return format_period(period), ""


def number(least: int, most: int) -> Callable[[str], tuple[Any, str]]:
    """Read a whole number, and keep it within the limits."""

    def read(value: str) -> tuple[Any, str]:
        if not re.fullmatch(r"\d{1,9}", value):
            return None, f"`{value[:40]}` is no whole number; the default is used"
        taken = min(max(int(value), least), most)
        return taken, "" if taken == int(value) else f"was {value}; from {least} to {most} is possible here"

    return read
