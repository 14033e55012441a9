"""The case: the work on one thread. A mail is a fact that stays; its thread's case is what people do with it.

One item a case, changed by one conditional write with its version, and the entry of its history in the same write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from postroom.model.case.number import case_number

EVENTS_KEPT = 5
"""Entries of its history that lie in the case itself; earlier ones are put under keys of their own."""

MAILS_KEPT = 20
"""Newest mails that a case names, so that one is not counted twice; the thread's index has them all."""

REPORTS_KEPT = 20


class CaseState(StrEnum):
    """Where the work on a thread stands."""

    QUEUED = "queued"  # waits in its queue for anybody
    CLAIMED = "claimed"  # one agent has it
    ANSWERING = "answering"  # an answer is on its way out
    PENDING = "pending"  # waits for a date, or for the customer
    CLOSED = "closed"
    MERGED = "merged"  # its mails are in another case now

    @property
    def open(self) -> bool:
        """Tell whether somebody still has to do something, now or later."""
        return self not in (CaseState.CLOSED, CaseState.MERGED)

    @property
    def held(self) -> bool:
        """Tell whether an agent holds it."""
        return self in (CaseState.CLAIMED, CaseState.ANSWERING)


class CaseEventKind(StrEnum):
    """What happened to a case; one entry a version."""

    QUEUED = "queued"  # its first mail came in
    STORED = "stored"  # made for mail that was stored before there were cases
    JOINED = "joined"  # a customer's mail
    AUTOMATIC = "automatic"  # a mail that no person wrote
    WOKEN = "woken"  # a customer's mail came while it waited, or the date
    REOPENED = "reopened"
    CONTINUED = "continued"  # a mail came long after it was closed, and has a case of its own
    CLAIMED = "claimed"
    RELEASED = "released"
    IDLE = "idle"  # released, since its holder did nothing
    LEFT = "left"  # released, since its holder left
    TRANSFERRED = "transferred"
    TAKEN = "taken"
    ANSWERED = "answered"
    UNDONE = "undone"
    SENT = "sent"
    NOT_SENT = "not_sent"
    SETTLED = "settled"  # an answer that had been uncertain has left after all
    BOUNCED = "bounced"
    PENDING = "pending"
    RESUMED = "resumed"
    CLOSED = "closed"
    MERGED = "merged"  # into another
    ABSORBED = "absorbed"  # another was merged into it
    SPLIT = "split"  # mails left it
    SPLIT_OFF = "split_off"  # it began with mails of another case
    NOTED = "noted"
    CHANGED = "changed"
    HINT = "hint"  # something a person should decide about
    MOVED = "moved"  # its mails were read again, and belong to another queue


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One entry of a case's history. `version`: that of the case after it."""

    version: int
    at: datetime
    what: str  # a CaseEventKind, or what a later version wrote
    who: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CaseCounts:
    """What happened to a case how often."""

    mails: int = 0  # of all kinds, in and out
    inbound: int = 0  # by customers
    replies: int = 0
    reopened: int = 0
    transfers: int = 0


@dataclass(frozen=True, slots=True)
class Wait:
    """Why a case is PENDING: until a date, and whether a customer's mail ends it sooner."""

    until: datetime | None
    wake_on_reply: bool = True


@dataclass(frozen=True, slots=True)
class CaseAnswer:
    """The answer that a case is ANSWERING with, or was answered with last."""

    outbound: str
    mails_version: int  # what the case was at when it was written
    close_after: bool = False
    code: str = ""  # what it is closed with
    outcome: str = ""  # what became of it, as far as the case has followed: sent, failed, uncertain


@dataclass(frozen=True, slots=True)
class CaseEffects:
    """What workflows want of the case of a mail, written together with what the mail does to it. None: as it is."""

    queue: str | None = None
    priority: int | None = None
    category: str | None = None
    add_tags: frozenset[str] = frozenset()
    remove_tags: frozenset[str] = frozenset()
    fields: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One case; `id` is that of its thread.

    `version` rises with every write, `mails_version` with customers' mail and public replies only: an answer names it.
    `enqueued` decides its place in the queue, and stays when it is released. `attention`: why it is at the top.
    """

    id: str
    mailbox: str
    queue: str
    department: str
    subject: str
    customer: str  # the address that the first mail is answered to; may be empty
    created: datetime
    enqueued: datetime
    state: CaseState = CaseState.QUEUED
    version: int = 1
    mails_version: int = 1
    priority: int = 0
    weight: int = 1  # minutes that one point of priority is worth in its queue
    agent: str = ""  # who holds it
    last_agent: str = ""  # who held it last
    claimed: datetime | None = None
    acted: datetime | None = None  # when its holder last did something
    idle_after: timedelta | None = None  # of its queue when it was claimed
    unread: bool = True  # a customer's mail that its holder, or nobody, has dealt with
    attention: str = ""
    wait: Wait | None = None
    answer: CaseAnswer | None = None
    close_code: str = ""
    closed: datetime | None = None
    no_answer: bool = False
    merged_into: str = ""
    continues: str = ""
    continued_by: str = ""
    category: str = ""
    tags: frozenset[str] = frozenset()
    fields: Mapping[str, str] = field(default_factory=dict)
    counts: CaseCounts = CaseCounts()
    mails: tuple[str, ...] = ()  # the newest, by id
    reports: tuple[str, ...] = ()  # `<outbound>:<report>` of the newest that said that an answer did not arrive
    events: tuple[CaseEvent, ...] = ()
    unknown: Mapping[str, object] = field(default_factory=dict)  # attributes of a later version, kept as they are

    @property
    def number(self) -> str:
        """Return what people call it by."""
        return case_number(self.id)

    def told(self, what: CaseEventKind, *, at: datetime, who: str, detail: str = "") -> Case:
        """Return the next version of this case, with its entry in the history."""
        version = self.version + 1
        event = CaseEvent(version, at, what.value, who, detail[:500])
        return replace(self, version=version, events=(*self.events, event)[-EVENTS_KEPT:])

    def bounced(self, outbound: str) -> bool:
        """Tell whether a report said that this answer did not arrive."""
        return any(one.startswith(f"{outbound}:") for one in self.reports)
