"""The clocks of a case (L01-L05): what runs, until when, and what was said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ClockKind(StrEnum):
    """What a clock measures."""

    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    RESOLUTION = "resolution"


class ClockMark(StrEnum):
    """What is said about a clock, once each."""

    WARNING = "warning"
    BREACHED = "breached"
    MET = "met"


@dataclass(frozen=True, slots=True)
class CaseClock:
    """One clock. It runs also where the service level has no target for it, so that a later one finds its beginning."""

    started: datetime
    target: int | None = None  # business minutes
    warns: datetime | None = None
    due: datetime | None = None
    paused: float = 0.0  # business minutes that did not count
    paused_since: datetime | None = None
    stopped: datetime | None = None
    warned: datetime | None = None
    breached: datetime | None = None

    @property
    def runs(self) -> bool:
        """Tell whether time passes on it."""
        return self.stopped is None and self.paused_since is None


@dataclass(frozen=True, slots=True)
class CaseClocks:
    """All clocks of a case, and the service level that they run by."""

    level: str | None = None
    of: Mapping[ClockKind, CaseClock] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClockEvent:
    """What is to be told about a clock."""

    kind: ClockKind
    mark: ClockMark
    due: datetime
