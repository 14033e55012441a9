"""UIDs as IMAP writes them, and which of them are new: pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from postroom.model import Position

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
    return sorted(map(int, position.tried_again()))


def looked_from(position: Position, *, stays: bool) -> int:
    """Return the UID above which everything concerns us, apart from `left_there`.

    Where stored mail stays, that is all beyond the cursor; where it goes away, all that is there, apart from what was
    stored while it was to stay.
    """
    floor = int(position.floor or 0)
    cursor = int(position.cursor or floor)
    return cursor if stays else max(floor, min(int(position.kept or 0), cursor))


def left_there(position: Position, *, stays: bool) -> list[int]:
    """Name what is stored beyond the cursor, as one before it failed, and stays on the server; ascending."""
    most = LAST_UID if stays else int(position.kept or 0)
    return sorted(uid for uid in map(int, position.known) if uid <= most)


def criteria(position: Position, *, stays: bool, uidnext: int) -> bytes:
    """Write the SEARCH that finds news and what the server was not told of; empty when nothing can be there.

    `stays`: dealt-with messages are marked read and stay; otherwise they go away, and each that is there concerns us.
    `uidnext` 0: not known.
    """
    floor, line = int(position.floor or 0), looked_from(position, stays=stays)
    stored = _listed(left_there(position, stays=stays))
    keys: list[str] = []
    if not uidnext or line + 1 < uidnext:
        beyond = f"{line + 1}:{LAST_UID}"
        keys.append(f"(UID {beyond} NOT UID {stored})" if stored else f"UID {beyond}")
    if stays and (done := ",".join(filter(None, (f"{floor + 1}:{line}" if line > floor else "", stored)))):
        keys.append(f"(UID {done} UNSEEN)")
    if again := [uid for uid in retries(position) if stays or uid <= line]:
        keys.append(f"UID {_listed(again)}")
    return _any(keys).encode("ascii")


def _any(keys: Sequence[str]) -> str:
    """Join search keys by OR, which takes two (RFC 3501 §6.4.4)."""
    if len(keys) <= 1:
        return "".join(keys)
    return f"OR {keys[0]} ({_any(keys[1:])})" if len(keys) > 2 else f"OR {keys[0]} {keys[1]}"


def sort_out(found: Collection[int], position: Position) -> tuple[list[int], list[int]]:
    """Divide what a search found into news and recorded, ascending; what is on the problem list is neither.

    Whether the recorded ones are still the mails that were stored, only their size and date can tell (ADR 0018).
    """
    floor = int(position.floor or 0)
    again = set(retries(position))
    left_alone = set(map(int, position.left_alone()))
    news: list[int] = []
    recorded: list[int] = []
    for uid in sorted(found):
        if uid in left_alone or uid <= floor:
            continue
        (recorded if uid not in again and str(uid) in position.records else news).append(uid)
    return news, recorded


def _listed(uids: Sequence[int]) -> str:
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in _ranges(uids))
