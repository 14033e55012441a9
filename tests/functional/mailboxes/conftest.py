"""The `postroom` command and the fetching handlers against one stack and one mail server, and a clock to turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from postroom import bootstrap
from postroom.bootstrap import clients

from tests.functional.cli.conftest import postroom
from tests.functional.fetching.conftest import connected, site

__all__ = ["connected", "postroom", "site"]


@dataclass
class Clock:
    """What the functions take for now."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **period: float) -> None:
        """Turn the clock on."""
        self.now += timedelta(**period)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """Functions that are made from here on go by this clock."""
    made = Clock(datetime.now(UTC))
    monkeypatch.setattr(clients, "utc_now", made)
    bootstrap.forget()
    yield made
    bootstrap.forget()
