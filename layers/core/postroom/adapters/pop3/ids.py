"""Ids of POP3 messages that stand for no other one: UIDL, and what a message contains where that does not do."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from postroom.adapters.pop3.connection import Link
from postroom.adapters.pop3.headers import WHOLE_LIMIT, header
from postroom.adapters.pop3.login import refused
from postroom.adapters.pop3.wire import read_multiline, read_status, rows
from postroom.errors import ServerMisbehaved


@dataclass(frozen=True, slots=True)
class Ids:
    """What lies in a mailbox. `numbers`: id → message number; `by_content`: the ids made of what messages contain."""

    numbers: dict[str, int]
    by_content: frozenset[str]


def list_ids(link: Link) -> Ids:
    """Ask for the ids, in the server's order; their numbers are the link's from now on."""
    answer = link.ready("list").ask_all("UIDL")
    if answer is None:
        pairs = [(number, "") for number in range(1, _count(link) + 1)]
    else:
        pairs = [(int(number), name.decode("ascii", "replace")) for number, name in rows(answer)]
    named = _named(link, pairs)
    numbers: dict[str, int] = {}
    for number, name in named:
        same, copies = name, 1
        while same in numbers:  # the very same mail twice
            copies += 1
            same = f"{name}.{copies}"
        numbers[same] = number
    link.numbers = numbers
    return Ids(numbers, frozenset(name for _number, name in named) - {name for _number, name in pairs})


def list_sizes(link: Link) -> dict[int, int]:
    """Ask for the sizes by message number, as far as the server can say them."""
    answer = link.ready("list").ask_all("LIST")
    return {int(number): int(size) for number, size in rows(answer or b"") if size.isdigit()}


def _named(link: Link, pairs: Sequence[tuple[int, str]]) -> Sequence[tuple[int, str]]:
    """Give every message an id: what it contains, where UIDL does not do.

    RFC 1939 §7 wants UIDLs unique and never used again, which some servers do not keep: they say nothing, the same
    for several, or the message's number. The last matters where mail is deleted, as the numbers then move up.
    """
    often = Counter(name for _number, name in pairs)
    moving = not link.mailbox.leave_msg_on_server and all(name == str(number) for number, name in pairs)
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
    return "header-" + hashlib.sha256(found).hexdigest()


def _whole_id(link: Link, number: int) -> str:
    """Tell messages apart whose headers are the same."""
    line = link.ready("list")
    line.stream.send(b"RETR %d\r\n" % number)
    good, text, end = read_status(line.reader)
    if not good:
        raise refused(text, step="list", on=line.stream.on)
    digest = hashlib.sha256()
    read_multiline(line.reader, digest.update, limit=WHOLE_LIMIT, end=end)
    return "content-" + digest.hexdigest()


def _count(link: Link) -> int:
    good, text = link.ready("list").ask("STAT")
    words = text.split()
    if not good or not words or not words[0].isdigit():
        raise refused(text, step="list", on=link.mailbox.name)
    return int(words[0])
