"""The lists of cases, and what they show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from postroom.model.case.number import case_number
from postroom.model.case.work import Case, CaseState


@dataclass(frozen=True, slots=True)
class CaseRow:
    """What a list shows of a case without reading it."""

    id: str
    state: CaseState
    version: int
    subject: str
    customer: str
    queue: str
    created: datetime
    enqueued: datetime
    priority: int = 0
    agent: str = ""
    due: datetime | None = None
    unread: bool = False
    attention: str = ""
    tags: frozenset[str] = frozenset()
    mails: int = 0
    close_code: str = ""
    order: str = ""  # its place among the rows of lists of one kind, as text

    @property
    def number(self) -> str:
        """Return what people call it by."""
        return case_number(self.id)


@dataclass(frozen=True, slots=True)
class CasePage:
    """A part of a list. `after`: where the next part begins; empty at the end."""

    rows: tuple[CaseRow, ...]
    after: str = ""


class ListKind(StrEnum):
    """The lists of which every case is in one; a merged one is in none."""

    WAITING = "waiting"  # in a queue
    HELD = "held"  # by an agent
    PENDING = "pending"  # of a queue
    CLOSED = "closed"  # of a queue, in a month


@dataclass(frozen=True, slots=True)
class CaseList:
    """One list: `name` is a queue's, or an agent's for HELD; `month` is the first of one, for CLOSED only."""

    kind: ListKind
    name: str
    month: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseChange:
    """One conditional write: `before` as it was read (None: it must not be there), and what it becomes."""

    before: Case | None
    after: Case
