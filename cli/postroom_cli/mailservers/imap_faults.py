"""What the IMAP server can be told to do wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """What happens instead of the answer to a command."""

    DROP = "drop"  # the connection is closed
    HANG = "hang"  # nothing is said any more
    DROP_AFTER = "drop-after"  # the command is carried out, the connection closed instead of the answer


class FetchFault(StrEnum):
    """What happens to one message in the answer to a FETCH of its content."""

    DROP_MID_LITERAL = "drop-mid-literal"
    HANG_MID_LITERAL = "hang-mid-literal"
    DRIP = "drip"  # a byte every 50 ms
    SHORT_LITERAL = "short-literal"  # a literal of half the length, consistent in itself
    LONG_LITERAL = "long-literal"  # a literal with bytes after the message, consistent in itself
    HUGE_LITERAL = "huge-literal"  # 8 GB are announced
    NIL = "nil"  # BODY[] NIL
    NO_ROW = "no-row"  # OK without a row for it
    OTHER_UID = "other-uid"  # the row carries a UID that was not asked for
    NO_UID = "no-uid"  # the row carries no UID
    UID_LAST = "uid-last"  # UID after the literal: allowed, and unusual
    TWICE = "twice"  # the row comes two times


@dataclass
class Faults:
    """Switches; all off means a well-behaved server."""

    silent_greeting: bool = False
    greeting: bytes | None = None  # sent instead of ours, with its line end
    drip_greeting: float = 0.0  # seconds between its bytes
    login_refusal: str = ""  # text of the NO to LOGIN and AUTHENTICATE, such as "[UNAVAILABLE] Try later"
    starttls: str = ""  # "refuse", or "inject": an answer in plain text behind the OK
    read_only: bool = False  # SELECT opens read-only, changes are refused
    answers: dict[str, list[str]] = field(default_factory=dict)  # command → answers used up one by one: "NO [X] y"
    commands: dict[str, list[Fault]] = field(default_factory=dict)  # command → faults used up one by one
    fetch: dict[int, FetchFault] = field(default_factory=dict)  # UID → fault, every time
    fetch_once: dict[int, FetchFault] = field(default_factory=dict)  # UID → fault, the first time
    untagged: bytes = b""  # sent before the answer to every FETCH, as a busy server does
    wrong_size: dict[int, int] = field(default_factory=dict)  # UID → RFC822.SIZE reported
    no_size: set[int] = field(default_factory=set)  # UIDs that are left out where sizes are asked for
    no_size_once: set[int] = field(default_factory=set)  # the same, one time each
    uidnext: int = 0  # reported instead of the right one
    lacking: list[set[int]] = field(default_factory=list)  # UIDs left out of an answer to SEARCH, used up one by one
    behind: dict[int, set[int]] = field(default_factory=dict)  # connection → UIDs that its replica does not hold yet
    validities: dict[int, int] = field(default_factory=dict)  # connection → UIDVALIDITY that it reports

    def fetch_fault(self, uid: int) -> FetchFault | None:
        """Tell what is to go wrong with this message now."""
        return self.fetch_once.pop(uid, None) or self.fetch.get(uid)
