"""The clock of the machine."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Tell the time, UTC, aware."""
    return datetime.now(UTC)
