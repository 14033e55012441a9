"""What a mailbox has brought, counted where it is written anyway: for estimates of what it costs (X14)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

KEPT = 2  # calendar months: the one that runs, and the one before


@dataclass(frozen=True, slots=True)
class Traffic:
    """What came in one calendar month (UTC), counted since `since`."""

    since: datetime
    fetches: int = 0  # polls that fetched something
    mails: int = 0  # stored, over-size ones (their headers) among them
    size: int = 0  # bytes stored


def count(traffic: tuple[Traffic, ...], *, now: datetime, mails: int, size: int) -> tuple[Traffic, ...]:
    """Add one poll that stored so many mails of so many bytes; the oldest month comes first."""
    if not mails:
        return traffic
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last = traffic[-1] if traffic else None
    if last is None or last.since < start:
        # Whoever has counted before has counted from the month's first moment on, though nothing came then.
        last = Traffic(since=start if last else now)
        traffic = (*_recent(traffic, start), last)
    counted = replace(last, fetches=last.fetches + 1, mails=last.mails + mails, size=last.size + size)
    return (*traffic[:-1], counted)


def _recent(traffic: tuple[Traffic, ...], start: datetime) -> tuple[Traffic, ...]:
    before = (start - timedelta(days=1)).replace(day=1)
    return tuple(month for month in traffic if month.since >= before)[-KEPT + 1 :]
