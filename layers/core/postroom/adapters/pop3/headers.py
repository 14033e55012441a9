"""Headers of POP3 messages: by TOP, or from the beginning of a RETR where TOP is not to be used."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from postroom.adapters.pop3.connection import Link
from postroom.adapters.pop3.wire import TooLong, header_of, read_multiline, read_status

HEADER_LIMIT = 4 * 1024 * 1024
WHOLE_LIMIT = 200 * 1024 * 1024  # of a message that is read for something else than to store it


def header(link: Link, number: int, *, hang_up: bool = False) -> bytes | None:
    """Ask for a header; None where the server gives none. `hang_up`: break a RETR off where the header ends."""
    found = _top(link, number)
    return _begun(link, number, hang_up=hang_up) if found is None else found


def headers(link: Link, numbers: Sequence[int]) -> Iterator[bytes | None]:
    """Ask for the headers of several, in order; None where the server gives none."""
    ahead = link.ahead if numbers and link.behaviour.use_top else 1
    for start in range(0, len(numbers), ahead):
        part = numbers[start : start + ahead]
        if len(part) == 1:
            yield _top(link, part[0]) or _begun(link, part[0], hang_up=False)
            continue
        line = link.ready("list")
        line.stream.send(b"".join(b"TOP %d 0\r\n" % number for number in part))
        for at in range(len(part)):
            try:
                answer = line.answer(limit=HEADER_LIMIT)
            except TooLong:
                link.drop()
                yield from itertools.repeat(None, len(numbers) - start - at)
                return
            yield None if answer is None else header_of(answer)


def _top(link: Link, number: int) -> bytes | None:
    answer = None
    if link.behaviour.use_top:
        try:
            answer = link.ready("list").ask_all(f"TOP {number} 0", limit=HEADER_LIMIT)
        except TooLong:
            link.drop()
    return None if answer is None else header_of(answer)


def _begun(link: Link, number: int, *, hang_up: bool) -> bytes | None:
    """Fetch a message for the sake of its header, where there is no TOP; `hang_up` where the header ends."""
    line = link.ready("list")
    link.retrieved.add("")  # of no id that anything is stored under
    line.stream.send(b"RETR %d\r\n" % number)
    good, _text, end = read_status(line.reader)
    if not good:
        return None
    header = bytearray()

    def keep(piece: bytes) -> None:
        if b"\r\n\r\n" not in header and len(header) < HEADER_LIMIT:
            header.extend(piece)
        elif hang_up:
            raise TooLong(HEADER_LIMIT)

    try:
        read_multiline(line.reader, keep, limit=WHOLE_LIMIT, end=end)
    except TooLong:
        link.drop()
    return header_of(bytes(header))
