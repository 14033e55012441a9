"""UIDs as IMAP writes them, and which of them are new: pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from postroom.model.mailbox_state import GIVEN_UP, Position

LAST_UID = 2**32 - 1  # not `*`: RFC 3501 §6.4.8, `n:*` holds the last message even where that is before n
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


def retries(position: Position) -> list[int]:
    """Tell which messages failed before and are to be tried again, ascending."""
    return sorted(int(uid) for uid, tries in position.problems.items() if tries < GIVEN_UP)


def criteria(position: Position, *, stays: bool, uidnext: int) -> bytes:
    """Write the SEARCH that finds news and what the server was not told of; empty when nothing can be there.

    `stays`: dealt-with messages are marked read and stay; otherwise they go away, and each that is there concerns us.
    `uidnext` 0: not known.
    """
    floor, cursor = int(position.floor or 0), int(position.cursor or position.floor or 0)
    keys: list[str] = []
    if not stays:
        return b"" if uidnext and floor + 1 >= uidnext else f"UID {floor + 1}:{LAST_UID}".encode("ascii")
    stored = _listed(sorted(map(int, position.known)))  # beyond the cursor, since an earlier one could not be fetched
    if not uidnext or cursor + 1 < uidnext:
        beyond = f"{cursor + 1}:{LAST_UID}"
        keys.append(f"(UID {beyond} NOT UID {stored})" if stored else f"UID {beyond}")
    done = ",".join(filter(None, (f"{floor + 1}:{cursor}" if cursor > floor else "", stored)))
    if done:
        keys.append(f"(UID {done} UNSEEN)")
    if again := retries(position):
        keys.append(f"UID {_listed(again)}")
    return _any(keys).encode("ascii")


def _any(keys: Sequence[str]) -> str:
    """Join search keys by OR, which takes two (RFC 3501 §6.4.4)."""
    if len(keys) <= 1:
        return "".join(keys)
    return f"OR {keys[0]} ({_any(keys[1:])})" if len(keys) > 2 else f"OR {keys[0]} {keys[1]}"


def sort_out(found: Collection[int], position: Position) -> tuple[list[int], list[int]]:
    """Divide what a search found into news and unfinished, ascending; what is on the problem list is neither."""
    floor, cursor = int(position.floor or 0), int(position.cursor or position.floor or 0)
    again = set(retries(position))
    stored = set(map(int, position.known)) - again
    left_alone = set(map(int, position.problems)) - again
    news: list[int] = []
    unfinished: list[int] = []
    for uid in sorted(found):
        if uid in left_alone or uid <= floor:
            continue
        if uid in again or (uid > cursor and uid not in stored):
            news.append(uid)
        else:
            unfinished.append(uid)
    return news, unfinished


def _listed(uids: Sequence[int]) -> str:
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in _ranges(uids))
