"""Ids of POP3 messages that stand for no other one: UIDL, and what a message contains where that does not do."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from postroom.adapters.pop3.connection import Link
from postroom.adapters.pop3.headers import WHOLE_LIMIT, header
from postroom.adapters.pop3.login import refused
from postroom.adapters.pop3.wire import read_multiline, read_status, rows
from postroom.errors import ServerMisbehaved

_BY_HEADER = "header-"
_BY_CONTENT = "content-"


@dataclass(frozen=True, slots=True)
class Ids:
    """What lies in a mailbox. `numbers`: id → message number; `by_content`: the ids made of what messages contain.

    `counted`: the ids are the message numbers themselves, which move up when one is deleted.
    """

    numbers: dict[str, int]
    by_content: frozenset[str]
    counted: bool = False


def list_ids(link: Link, *, known: Collection[str] = ()) -> Ids:
    """Ask for the ids, in the server's order; their numbers are the link's from now on.

    `known`: ids of messages that are stored. A server that has given UIDLs, or says that it has them, is not taken for
    one without when it refuses them once: all its mail would go by other ids from then on.
    """
    line = link.ready("list")
    answer = line.ask_all("UIDL")
    if answer is None:
        said = line.said
        if any(not one.startswith((_BY_HEADER, _BY_CONTENT)) for one in known) or link.offers(b"UIDL"):
            raise refused(said, step="list", on=line.stream.on)
        pairs = [(number, "") for number in range(1, _count(link) + 1)]
    else:
        pairs = [(int(number), name.decode("ascii", "replace")) for number, name in rows(answer)]
    counted = bool(pairs) and all(name == str(number) for number, name in pairs)
    named = _named(link, pairs, moving=counted and not link.mailbox.leave_msg_on_server)
    numbers: dict[str, int] = {}
    for number, name in named:
        same, copies = name, 1
        while same in numbers:  # the very same mail twice
            copies += 1
            same = f"{name}.{copies}"
        numbers[same] = number
    link.numbers = numbers
    by_content = frozenset(name for _number, name in named) - {name for _number, name in pairs}
    return Ids(numbers, by_content, counted and not by_content)


def list_sizes(link: Link) -> dict[int, int]:
    """Ask for the sizes by message number; a size that is no number is left out. Raises what a refusal means."""
    line = link.ready("list")
    answer = line.ask_all("LIST")
    if answer is None:  # not the same as a mailbox whose messages have no sizes
        raise refused(line.said, step="list", on=line.stream.on)
    return {int(number): int(size) for number, size in rows(answer) if size.isdigit()}


def _named(link: Link, pairs: Sequence[tuple[int, str]], *, moving: bool) -> Sequence[tuple[int, str]]:
    """Give every message an id: what it contains, where UIDL does not do.

    RFC 1939 §7 wants UIDLs unique and never used again, which some servers do not keep: they say nothing, the same
    for several, or the message's number. The last is `moving` where mail is deleted, as the numbers then move up; where
    it is left, whoever looks has to see that nobody else has deleted any (session.py).
    """
    often = Counter(name for _number, name in pairs)
    named = [
        (number, _header_id(link, number) if moving or not name or often[name] > 1 else name) for number, name in pairs
    ]
    often = Counter(name for _number, name in named)
    return [(number, _whole_id(link, number) if often[name] > 1 else name) for number, name in named]


def _header_id(link: Link, number: int) -> str:
    found = header(link, number)
    if found is None:
        raise ServerMisbehaved(
            "The server has no unique UIDLs, and does not show the message",
            on=link.mailbox.name,
            step="list",
            code="no_ids",
        )
    return _BY_HEADER + hashlib.sha256(found).hexdigest()


def _whole_id(link: Link, number: int) -> str:
    """Tell messages apart whose headers are the same."""
    line = link.ready("list")
    link.retrieved.add("")  # of no id that anything is stored under
    line.stream.send(b"RETR %d\r\n" % number)
    good, text, end = read_status(line.reader)
    if not good:
        raise refused(text, step="list", on=line.stream.on)
    digest = hashlib.sha256()
    read_multiline(line.reader, digest.update, limit=WHOLE_LIMIT, end=end)
    return _BY_CONTENT + digest.hexdigest()


def _count(link: Link) -> int:
    good, text = link.ready("list").ask("STAT")
    words = text.split()
    if not good or not words or not words[0].isdigit():
        raise refused(text, step="list", on=link.mailbox.name)
    return int(words[0])
