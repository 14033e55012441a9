"""What lies beside a case: notes, drafts of answers, and who has it open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from postroom.model.case.work import Case


@dataclass(frozen=True, slots=True)
class Note:
    """What people of ours write to one another on a case; no mail ever quotes it."""

    id: str
    case: str
    at: datetime
    who: str
    text: str
    mentions: tuple[str, ...] = ()
    edited: datetime | None = None
    earlier: tuple[str, ...] = ()  # what it said before, the oldest first
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """What an agent has written of an answer. `replies`: how many answers the case had when it was last confirmed."""

    case: str
    agent: str
    version: int
    saved: datetime
    text: str
    mails_version: int
    replies: int
    html: str | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    subject: str = ""

    def stale(self, case: Case) -> bool:
        """Tell whether an answer was sent since: it may be the second of two."""
        return case.counts.replies > self.replies


class Doing(StrEnum):
    """What somebody who has a case open does."""

    VIEWING = "viewing"
    WRITING = "writing"


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody has a case open."""

    agent: str
    doing: Doing
    at: datetime
