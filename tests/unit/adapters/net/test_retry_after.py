"""Retry-After as servers write it, and as none should."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from postroom.adapters.net.http import retry_after

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("120", 120.0, id="seconds"),
        pytest.param("Sat, 21 Nov 2026 12:01:30 GMT", 90.0, id="a date"),
        pytest.param("Sat, 21 Nov 2020 12:00:00 GMT", 0.0, id="a date that has passed"),
        pytest.param("9" * 40, 999_999_999.0, id="for ever"),
        pytest.param("", None, id="nothing"),
        pytest.param("soon", None, id="a word"),
        pytest.param("-5", None, id="less than none"),
        pytest.param("\u00b2", None, id="a digit that is no number"),
        pytest.param("Sat, 21 Nov 99999999999999999999 12:00:00 GMT", None, id="a year beyond all calendars"),
        pytest.param("Sat, 21 Nov 2026 12:00:00 +9999999999999999999999", None, id="a zone beyond all clocks"),
        pytest.param("Sat, 21 Nov 2026 12:00:00 -0000", None, id="a date without a zone"),
    ],
)
def test_a_pause_that_a_server_asks_for_is_read_and_nonsense_is_none(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}, now=NOON) == seconds
