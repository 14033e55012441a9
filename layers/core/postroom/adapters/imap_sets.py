"""UIDs as IMAP writes them, and which of them are new: pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date

from postroom.model.polling import Position

PROBLEM_TRIES = 3  # failed so often, a message is on the problem list and left alone
SET_LENGTH = 4_000  # bytes of one sequence set; servers take command lines of 8 KB (RFC 7162 §4)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def uid_sets(uids: Sequence[int]) -> Iterator[tuple[bytes, list[int]]]:
    """Write ascending UIDs as sequence sets with ranges, none longer than a server takes; with the UIDs of each."""
    parts: list[str] = []
    length = 0
    members: list[int] = []
    for first, last in _ranges(uids):
        part = str(first) if first == last else f"{first}:{last}"
        if parts and length + len(part) > SET_LENGTH:
            yield ",".join(parts).encode("ascii"), members
            parts, length, members = [], 0, []
        parts.append(part)
        length += len(part) + 1
        members.extend(range(first, last + 1))
    if parts:
        yield ",".join(parts).encode("ascii"), members


def _ranges(uids: Sequence[int]) -> Iterator[tuple[int, int]]:
    start = previous = -1
    for uid in uids:
        if uid != previous + 1 or start < 0:
            if start >= 0:
                yield start, previous
            start = uid
        previous = uid
    if start >= 0:
        yield start, previous


def search_date(day: date) -> str:
    """Write a date for SEARCH (RFC 3501 §9, date-text)."""
    return f"{day.day}-{MONTHS[day.month - 1]}-{day.year}"


def retries(position: Position) -> list[int]:
    """Tell which messages failed before and are to be tried again, ascending."""
    return sorted(int(uid) for uid, tries in position.problems.items() if tries < PROBLEM_TRIES)


def criteria(position: Position, *, stays: bool, uidnext: int) -> bytes:
    """Write the SEARCH that finds news and what the server was not told of; empty when nothing can be there.

    `stays`: dealt-with messages are marked read and stay; otherwise they go away, and each that is there concerns us.
    `uidnext` 0: not known.
    """
    floor, cursor = int(position.floor or 0), int(position.cursor or position.floor or 0)
    keys: list[str] = []
    if not stays:
        return b"" if uidnext and floor + 1 >= uidnext else f"UID {floor + 1}:*".encode("ascii")
    if not uidnext or cursor + 1 < uidnext:
        keys.append(f"UID {cursor + 1}:*")
    if cursor > floor:
        keys.append(f"(UID {floor + 1}:{cursor} UNSEEN)")
    if again := retries(position):
        keys.append("UID " + ",".join(map(str, again)))
    return _any(keys).encode("ascii")


def _any(keys: Sequence[str]) -> str:
    """Join search keys by OR, which takes two (RFC 3501 §6.4.4)."""
    if len(keys) <= 1:
        return "".join(keys)
    return f"OR {keys[0]} ({_any(keys[1:])})" if len(keys) > 2 else f"OR {keys[0]} {keys[1]}"


def sort_out(found: Collection[int], position: Position) -> tuple[list[int], list[int]]:
    """Divide what a search found into news and unfinished, ascending; known and problem messages are neither."""
    floor, cursor = int(position.floor or 0), int(position.cursor or position.floor or 0)
    again = set(retries(position))
    left_alone = {int(uid) for uid in position.known} | {int(uid) for uid in position.problems} - again
    news = sorted(uid for uid in found if uid not in left_alone and (uid > cursor or uid in again))
    unfinished = sorted(uid for uid in found if floor < uid <= cursor and uid not in left_alone and uid not in again)
    return news, unfinished
