"""What all tests share."""

from __future__ import annotations

from datetime import timedelta

import pytest

pytest_plugins = ["tests.support.recorded_results"]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give mail up after three tries, however soon they follow each other: for tests of what happens then."""
    for pause in ("GIVE_UP_AFTER", "FIRST_PAUSE", "LONGEST_PAUSE"):
        monkeypatch.setattr(f"postroom.rules.polling.tries.{pause}", timedelta(0))
