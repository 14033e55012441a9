"""Whole messages by RETR, sent ahead where the server can take it; what is not surely the message is asked again.

POP3 says neither where a message ends (a line with a dot alone does, which a server that does not stuff dots sends in
the middle of one) nor which one it sends. Its size in the listing says both, unless the server only estimates it, or
others have the same: then the header that TOP shows, and a second RETR, have to agree.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from postroom.adapters.net import Spool, is_too_little, looks_cut_off
from postroom.adapters.pop3.connection import Link
from postroom.adapters.pop3.headers import HEADER_LIMIT, headers
from postroom.adapters.pop3.wire import PRINTED, TooLong, header_of, is_same_mail, print_of, read_multiline, read_status
from postroom.errors import ServerMisbehaved
from postroom.model import Fetched, FetchFailed, Item

BYTES_IN_FLIGHT = 8 * 1024 * 1024
SLACK = 64 * 1024  # LIST may count other line ends than are sent
_LAST_LINE_END = 2  # bytes that a server adds where a message does not end with one
_ANOTHER = "the server sent another message than it lists under this number"


@dataclass(frozen=True, slots=True)
class _Arrived:
    """What a RETR brought, and how many line ends are in it."""

    fetched: Fetched
    lines: int
    header: bytes  # "" for one that is too long

    def has(self, header: bytes | None) -> bool:
        """Tell whether a header that TOP shows may be this message's; None: the server shows none."""
        return header is None or not self.header or is_same_mail(self.header, header)

    @property
    def fits(self) -> bool:
        """Tell whether it is as long as the listing says."""
        return self.fetched.size == self.fetched.item.size

    @property
    def nearly_fits(self) -> bool:
        """Tell whether a server may mean this length: it counts line ends as one byte (qmail), or not the last one."""
        announced = self.fetched.item.size
        lengths = (self.fetched.size, self.fetched.size - self.lines)
        return announced is not None and any(0 <= length - announced <= _LAST_LINE_END for length in lengths)


class Fetching:
    """One call of Session.fetch. `here` gives id → message number on the connection; `sizes`: of all that is listed."""

    def __init__(self, link: Link, here: Callable[[], Mapping[str, int]], sizes: Iterable[int | None]) -> None:
        self._link = link
        self._here = here
        self._sizes = Counter(sizes)
        self._doubts: deque[_Arrived] = deque()  # not as long as the listing says
        self._begin()

    def _begin(self) -> None:
        self._numbers = self._here()
        self._ahead = self._link.ahead
        self._line = self._link.ready("fetch")

    def run(self, items: Sequence[Item]) -> Iterator[Fetched | FetchFailed]:
        """Yield one result an item; raises what ends the connection, when all that came before it is settled."""
        complete = False
        try:
            try:
                yield from self._in_flight(items)
            except ServerMisbehaved:
                if self._doubts:
                    self._link.drop()
                    self._begin()
                    yield from self._settled()
                raise
            yield from self._settled()
            complete = True
        finally:
            for doubt in self._doubts:
                doubt.fetched.path.unlink(missing_ok=True)
            if not complete:  # answers may still be on their way
                self._link.drop()

    def _in_flight(self, items: Sequence[Item]) -> Iterator[Fetched | FetchFailed]:
        todo = deque(items)
        flying: deque[Item] = deque()
        while todo or flying:
            commands = []
            while todo and len(flying) < self._ahead and (not flying or _is_room(flying, todo[0])):
                item = todo.popleft()
                flying.append(item)
                if item.id in self._numbers:
                    commands.append(self._retr(item) + self._top(item))
            if commands:
                self._line.stream.send(b"".join(commands))
            item = flying.popleft()
            if item.id not in self._numbers:
                yield FetchFailed(item, "it is no longer on the server", gone=True)
                continue
            found = self._receive(item)
            header = self._header_behind(item)
            if isinstance(found, FetchFailed):
                yield found
            elif not found.fits:
                self._doubts.append(found)
            elif not found.has(header):
                found.fetched.path.unlink(missing_ok=True)
                yield FetchFailed(item, _ANOTHER, doubtful=True)
            else:
                self._link.note_exact()
                yield found.fetched

    def _settled(self) -> Iterator[Fetched | FetchFailed]:
        yield from self._settled_by_header()
        while self._doubts:
            yield self._settle(self._doubts[0])
            self._doubts.popleft()

    def _settled_by_header(self) -> Iterator[Fetched | FetchFailed]:
        """Settle what is nearly as long as it should be: it is the message if it has its header."""
        near = deque(doubt for doubt in self._doubts if doubt.nearly_fits)
        numbers = [self._numbers.get(doubt.fetched.item.id, 0) for doubt in near]
        use_top = self._link.behaviour.use_top
        for header in headers(self._link, numbers) if use_top else [None] * len(near):
            doubt = near.popleft()
            self._doubts.remove(doubt)
            if doubt.has(header):
                yield doubt.fetched
            else:
                doubt.fetched.path.unlink(missing_ok=True)
                yield FetchFailed(doubt.fetched.item, _ANOTHER, doubtful=True)

    def _compares(self, item: Item) -> bool:
        """Tell whether a message's length says nothing of which it is, so that its header is asked for as well."""
        return self._sizes[item.size] > 1 and self._link.behaviour.use_top

    def _header_behind(self, item: Item) -> bytes | None:
        """Read the header that was asked for behind a message; None where it was not, or the server shows none."""
        if not self._compares(item):
            return None
        self._link.begin("fetch")
        answer = self._line.answer(limit=HEADER_LIMIT)
        return None if answer is None else header_of(answer)

    def _settle(self, doubt: _Arrived) -> Fetched | FetchFailed:
        """Ask for a message again, and for its header behind it, which shows that the message ended where it seems to.

        Raises ServerMisbehaved when what follows is no answer.
        """
        first = doubt.fetched
        item = first.item
        said = "no size" if item.size is None else f"{item.size:,} bytes"
        why = f"the server sent {first.size:,} bytes of a message that it lists with {said}"
        if item.id not in self._numbers:  # on a new connection
            first.path.unlink(missing_ok=True)
            return FetchFailed(item, "it is no longer on the server", gone=True)
        self._line.stream.send(self._retr(item))
        again = self._receive(item)
        if isinstance(again, FetchFailed):
            first.path.unlink(missing_ok=True)
            return again
        again.fetched.path.unlink(missing_ok=True)
        header = self._header(item)
        if again.fetched.sha256 != first.sha256:
            why += ", and something else when it was asked again"
        elif not doubt.has(header):
            why += ", and another header than it lists"
        elif self._is_a_part(first):
            why += ", which is not all of it"
        elif first.size:
            return first
        first.path.unlink(missing_ok=True)
        return FetchFailed(item, why, doubtful=True)

    def _is_a_part(self, found: Fetched) -> bool:
        """Tell whether a message that is shorter than announced was cut off, however often it comes alike.

        A gateway that ends messages early does so each time. Estimates (Exchange) may well be too high; a server that
        lists others with their very length does not estimate this one.
        """
        announced = found.item.size
        if announced is None or found.size >= announced:
            return False
        return self._link.is_exact or is_too_little(found) or looks_cut_off(found.path)

    def _header(self, item: Item) -> bytes | None:
        """Return the header by TOP; None where there is none. Raises ServerMisbehaved when the answers do not fit."""
        self._link.begin("fetch")
        if self._link.behaviour.use_top:
            answer = self._line.ask_all(f"TOP {self._numbers[item.id]} 0", limit=HEADER_LIMIT)
            return None if answer is None else header_of(answer)
        self._line.ask("NOOP")
        return None

    def _retr(self, item: Item) -> bytes:
        self._link.retrieved.add(item.id)
        return b"RETR %d\r\n" % self._numbers[item.id]

    def _top(self, item: Item) -> bytes:
        return b"TOP %d 0\r\n" % self._numbers[item.id] if self._compares(item) else b""

    def _receive(self, item: Item) -> _Arrived | FetchFailed:
        line = self._line
        self._link.begin("fetch", size=item.size or 0)
        good, text, end = read_status(line.reader)
        if not good:
            return FetchFailed(item, "the server said " + text.decode("utf-8", "replace")[:200])
        size = item.size if item.size is not None else self._link.mailbox.maximum_msg_size * 1024 * 1024
        begin = bytearray()
        lines = 0
        with Spool() as spool:

            def take(piece: bytes) -> None:
                nonlocal lines
                spool.write(piece)
                lines += piece.count(b"\n")
                if len(begin) <= PRINTED:
                    begin.extend(piece[: PRINTED + 1])

            try:
                read_multiline(line.reader, take, limit=size + size * 2 // 5 + SLACK, end=end)
            except TooLong as error:
                raise ServerMisbehaved(
                    f"The server sent {error} for a message of {size:,}",
                    on=line.stream.on,
                    step="fetch",
                    code="message_too_long",
                ) from error
            content = spool.keep()
        header = header_of(bytes(begin))
        mark = print_of(header)
        return _Arrived(Fetched(item, content.path, content.size, content.sha256, mark), lines, header if mark else b"")


def _is_room(flying: Collection[Item], item: Item) -> bool:
    return sum(one.size or 0 for one in flying) + (item.size or 0) <= BYTES_IN_FLIGHT
