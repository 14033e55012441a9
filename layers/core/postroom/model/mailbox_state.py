"""What a poller knows of a mailbox between polls: position, lease, health, balance."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import TypeAlias

from postroom.errors import PostroomError
from postroom.model.traffic import Traffic


class LeftAlone(IntEnum):
    """Why no poll tries to fetch a mail any more.

    Stored where the number of failed tries is stored of a mail that is tried again: all members are larger than that.
    """

    GIVEN_UP = 3  # it failed as often, over an hour at least
    OVERSIZE = 4  # its headers are an interaction; the mail stays on the server
    BAD_SIZE = 5  # the server cannot say its size, and the mailbox does not allow that (G02)
    OLD = 6  # it was there before the first connection, and is not wanted (X13)
    DOUBTFUL = 7  # as given up, but what came did not show that it was the mail: its server is never asked to delete it

    @classmethod
    def _missing_(cls, value: object) -> LeftAlone | None:
        """Read a reason that a later release has stored as one after which no try follows."""
        return cls.GIVEN_UP if isinstance(value, int) and value > max(cls) else None


Problem: TypeAlias = int | LeftAlone  # how many tries have failed, at least one; or why none follows

FAILED_ONCE: Problem = 1
FAILED_BUT_ONE: Problem = LeftAlone.GIVEN_UP - 1  # the next try that fails gives up


def is_left_alone(problem: Problem) -> bool:
    """Tell whether no try follows by itself."""
    return problem >= LeftAlone.GIVEN_UP


@dataclass(frozen=True, slots=True)
class Aside:
    """What a server is asked to do with a mail that was set aside, over-size or given up, and what came of it."""

    why: LeftAlone  # OVERSIZE, GIVEN_UP or DOUBTFUL
    done: str = ""  # what it has done (ports.Action), or that the mail was gone; "": nothing yet
    refused: int = 0  # times
    due: datetime | None = None  # when it is asked next
    reason: str = ""  # of its last refusal


@dataclass(frozen=True, slots=True)
class Trying:
    """When a mail could not be had for the first time, and for the last time until now."""

    since: datetime
    last: datetime


class Likeness(StrEnum):
    """What a mail on the server is to a record under its id."""

    SAME = "same"
    OTHER = "other"  # another mail: the record is not about it
    UNCLEAR = "unclear"  # the server does not say enough now; nothing follows from that


@dataclass(frozen=True, slots=True)
class Record:
    """What the server said of a mail when it was stored: the proof that an act on it rests on (ADR 0018)."""

    size: int | None
    date: int | None  # epoch seconds, by the server

    @classmethod
    def of(cls, size: int | None, date: datetime | None) -> Record:
        """Note size and date as a server tells them."""
        return cls(size, None if date is None else int(date.timestamp()))

    def likeness(self, shown: Record) -> Likeness:
        """Compare with what the server shows now; what neither tells or only one tells, proves nothing."""
        pairs = ((self.size, shown.size), (self.date, shown.date))
        if any(None not in pair and pair[0] != pair[1] for pair in pairs):
            return Likeness.OTHER
        if self == shown and pairs != ((None, None), (None, None)):
            return Likeness.SAME
        return Likeness.UNCLEAR


@dataclass(frozen=True, slots=True)
class Position:
    """How far a mailbox has been dealt with, in the server's own terms.

    IMAP: `epoch` is UIDVALIDITY, ids are UIDs as decimal text; `cursor` says from where on to look for news, never what
    may be touched: that is said by `records` (ADR 0018).
    POP3, EWS, Graph: `known` holds the ids that are stored and may still lie on the server. EWS keeps in `cursor` what
    it needs to ask for changes (adapters/ews/sync_state.py).
    """

    epoch: str = ""
    floor: str = ""  # ids up to here were there before the first connection and are left alone
    cursor: str = ""
    known: frozenset[str] = frozenset()
    problems: dict[str, Problem] = field(default_factory=dict)  # id → failed tries, or why it is left alone
    trying: dict[str, Trying] = field(default_factory=dict)  # id → since when, of those that are tried again
    acknowledged: frozenset[str] = frozenset()  # ids on the problem list that a person has seen to
    reasons: dict[str, str] = field(default_factory=dict)  # id → how its last try ended; of the newest only
    asides: dict[str, Aside] = field(default_factory=dict)  # id → what became of it on the server
    prints: dict[str, str] = field(default_factory=dict)  # POP3: known id → digest of the header that was stored
    connected: datetime | None = None  # the first look: what the server received before is old mail (X13)
    catching_up: bool = False  # until what lay there at the first look is stored; tells old mail without a date
    place: str = ""  # digest of what the ids belong to: protocol, server, user and folder
    records: dict[str, Record] = field(default_factory=dict)  # of stored mail that waits for its act, and of the newest
    kept: str = ""  # ids up to here were stored while mail was to stay: no other setting touches them later
    exists: int | None = None  # messages in the folder that are accounted for; None: not known, or nothing stays
    seen: frozenset[str] = frozenset()  # known ids, and problems, that a comparison still under way has found there
    compared: datetime | None = None  # when all that lies there was last compared with what is stored
    origin: str = ""  # the place that its series of records are named by, where that is not `place` (another spelling)
    moved: bool = (
        False  # `place` is not the mailbox's any more: its server has to show that it is the same; never stored
    )
    restored: int = 0  # times that the folder was found to hold other mails under the same epoch

    def left_alone(self) -> set[str]:
        """Return the ids of which no try follows by itself."""
        return {one for one, problem in self.problems.items() if is_left_alone(problem)}

    def tried_again(self) -> set[str]:
        """Return the ids that have failed and are tried again."""
        return {one for one, problem in self.problems.items() if not is_left_alone(problem)}

    def leaves_alone(self, one: str) -> bool:
        """Tell whether no try follows by itself of this id."""
        return is_left_alone(self.problems.get(one, 0))

    def anew(self) -> Position:
        """Forget all ids: what lies there is compared as a whole, and what was stored is known by its content."""
        return Position(connected=self.connected, catching_up=True, restored=self.restored)

    def promised(self) -> dict[str, str]:
        """Return what the server says it has done with mails set aside that no listing has shown gone: id → action."""
        return {one: aside.done for one, aside in self.asides.items() if aside.done and self.leaves_alone(one)}


@dataclass(frozen=True, slots=True)
class Balance:
    """The ledger of one poll: listed = stored + known + oversize + problem + left (X01)."""

    listed: int = 0
    stored: int = 0
    known: int = 0
    oversize: int = 0
    problem: int = 0
    left: int = 0

    @property
    def even(self) -> bool:
        """Tell whether nothing is unaccounted for."""
        return self.listed == self.stored + self.known + self.oversize + self.problem + self.left


class HealthState(StrEnum):
    """How a mailbox is, for an administrator."""

    ACTIVE = "active"
    INACTIVE = "inactive"  # switched off by hand
    RETRYING = "retrying"  # a fault that may pass; `next_try` says when
    NEEDS_ATTENTION = "needs-attention"  # wrong credentials and the like: a person must act


@dataclass(frozen=True, slots=True)
class Health:
    """How it is since when, and, when it is not well: the step that failed, why, what to do, when it is tried next.

    Steps: state (what we remember ourselves), dns, connect, tls, greeting, login, folder, list, fetch, store, act.
    """

    state: HealthState = HealthState.ACTIVE
    step: str = ""
    code: str = ""  # an error code of errors.py
    reason: str = ""
    remedy: str = ""
    since: datetime | None = None
    failures: int = 0
    next_try: datetime | None = None
    last_success: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to fetch a mailbox until `expires`; every write of the holder is conditional on `token`."""

    mailbox: str
    token: int  # grows with every lease taken: fencing
    owner: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class MailboxState:
    """Everything remembered of one mailbox."""

    mailbox: str
    position: Position | None = None  # None: never looked at
    health: Health = Health()
    lease: Lease | None = None
    balances: tuple[tuple[datetime, Balance], ...] = ()  # the last few polls that found something
    waiting: datetime | None = None  # when the oldest mail came that the last poll left; None: it left none
    traffic: tuple[Traffic, ...] = ()
    config_digest: str = ""  # of the settings the health was judged by: a change tries again at once
    begun_anew: tuple[datetime, str] | None = None  # when all that lies there was last compared anew, and why
    trouble: PostroomError | None = None  # what is remembered cannot be read now: nothing may be done with the mailbox
    lost: str = ""  # why what was remembered of its mails will never be read; `position` has begun anew
