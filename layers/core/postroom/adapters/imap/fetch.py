"""Fetching by IMAP: sizes first, then whole messages in sets of about 50 or 8 MB, several in flight.

Only the asked UID with a complete literal counts. Whatever else a server sends is doubted: asked about again, alone,
and reported as failed when it stays wrong; the other messages are not touched by it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from postroom.adapters.imap.answers import SMALL, Limit, LiteralRefused, Row, Tagged
from postroom.adapters.imap.connection import Link
from postroom.adapters.imap.errors import refused
from postroom.adapters.imap.uid_sets import MONTHS, uid_sets
from postroom.adapters.net import Spooled
from postroom.errors import DeadlineExceeded, PostroomError, ServerMisbehaved, Transient
from postroom.model import Fetched, FetchFailed, Item, Record
from postroom.model.configuration import behaviour

SET_MESSAGES = 50
SET_BYTES = 8 * 1024 * 1024
IN_FLIGHT = 16  # or a distant server waits for us at the end of each set; what is on its way lies in the network
REDIALS = 5  # for one call of `fetch`; a server that drops us more often is left alone until the next cycle
HEADER_LIMIT = 4 * 1024 * 1024
BYTES_A_SECOND = 64 * 1024  # a message may take the protocol timeout, and a second more for each of these
_INTERNALDATE = re.compile(rb" ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)")


def with_sizes(link: Link, uids: Sequence[int], *, step: str = "list") -> tuple[Item, ...]:
    """Ask for size and arrival; a message that is gone meanwhile is left out.

    What is said is kept with the connection, for the acts that follow over it.
    """
    found: dict[int, Item] = {}
    for uid_set, _members in uid_sets(uids):
        link.begin(step)
        try:
            for row in _rows(link, b"UID FETCH " + uid_set + b" (UID RFC822.SIZE INTERNALDATE)", limit=lambda _uid: 0):
                if row.uid is not None:
                    found[row.uid] = Item(str(row.uid), _size(row), _date(row))
        except LiteralRefused as error:
            link.give_up()
            raise ServerMisbehaved(
                f"The server announced {error}, unasked", on=link.on, step=step, code="literal_too_long"
            ) from error
    link.shown.update((uid, Record.of(item.size, item.date)) for uid, item in found.items())
    return tuple(found[uid] for uid in uids if uid in found)


def headers(link: Link, item: Item) -> bytes:
    """Fetch the header section of one message, at most 4 MB."""
    link.begin("fetch")
    command = f"UID FETCH {int(item.id)} (UID BODY.PEEK[HEADER])".encode("ascii")
    found = b""
    try:
        for row in _rows(link, command, limit=lambda _uid: HEADER_LIMIT):
            content = row.spooled() if row.uid == int(item.id) and row.has_content else None
            if content is None:
                row.discard()
            else:
                found = content.path.read_bytes()
                content.discard()
    except LiteralRefused as error:
        link.give_up()
        raise ServerMisbehaved(
            f"The server announced {error} for a header", on=link.on, step="fetch", code="literal_too_long"
        ) from error
    if not found:
        raise Transient("The server gave no header for the message", on=link.on, step="fetch", code="no_header")
    return found


def _rows(link: Link, command: bytes, *, limit: Limit, refusals_raise: bool = True) -> Iterator[Row]:
    """Send one FETCH and hand out its rows; raises what NO or BAD means, if wanted."""
    wire = link.wire
    tag = wire.new_tag()
    wire.send(tag + b" " + command + b"\r\n")
    while True:
        answer = wire.receive(limit=limit, started=lambda _uid: None)
        if isinstance(answer, Row):
            yield answer
        elif isinstance(answer, Tagged) and answer.tag == tag:
            if answer.kind != "OK" and refusals_raise:
                raise refused(answer.text, step=wire.stream.step, on=link.on)
            return


def _size(row: Row) -> int | None:
    value = row.attributes.get(b"RFC822.SIZE")
    return int(value) if isinstance(value, bytes) and value.isdigit() else None


def _date(row: Row) -> datetime | None:
    value = row.attributes.get(b"INTERNALDATE")
    match = _INTERNALDATE.fullmatch(value) if isinstance(value, bytes) else None
    if match is None:
        return None
    day, month, year, clock, hours, minutes = (group.decode("ascii") for group in match.groups())
    try:
        return datetime.fromisoformat(f"{year}-{MONTHS.index(month.title()) + 1:02}-{day:0>2}T{clock}{hours}:{minutes}")
    except ValueError:  # the date is nice to have
        return None


@dataclass(slots=True)
class _Set:
    """One UID FETCH in flight: its tag, and what is still to come."""

    tag: bytes
    waiting: dict[int, Item]
    largest: int = field(init=False)  # bytes; of what is still to come

    def __post_init__(self) -> None:
        self.largest = max((item.size or 0 for item in self.waiting.values()), default=0)

    def take(self, uid: int) -> Item:
        """Take out what waits no longer."""
        item = self.waiting.pop(uid)
        if (item.size or 0) >= self.largest:
            self.__post_init__()
        return item


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A message that did not come as it should, and why; `content` when only its length is in question."""

    item: Item
    why: str
    content: Spooled | None = None


class Fetching:
    """One call of Session.fetch."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._queue: deque[Item] = deque()
        self._flying: deque[_Set] = deque()
        self._doubts: deque[_Doubt] = deque()
        self._set_bytes = min(SET_BYTES, behaviour(link.mailbox).fetch_size or SET_BYTES)
        self._redials = 0
        self._reading: int | None = None  # UID of the literal being read, when the row has said it

    def run(self, items: Sequence[Item]) -> Iterator[Fetched | FetchFailed]:
        """Fetch in the order given, as far as the server keeps to it; messages in doubt come last."""
        self._queue.extend(items)
        self._link.begin("fetch")
        try:
            while self._queue or self._flying:
                try:
                    self._send_sets()
                    result = self._receive()
                except (LiteralRefused, ServerMisbehaved, DeadlineExceeded) as error:
                    result = self._recover(error)
                if result is not None:
                    yield result
            while self._doubts:
                yield self._settle(self._doubts.popleft())
        finally:
            for doubt in self._doubts:
                if doubt.content is not None:
                    doubt.content.discard()
            if self._flying:  # the receiver has gone, or an error has; answers may still be on their way
                self._link.give_up()

    def _send_sets(self) -> None:
        wire = self._link.wire
        while self._queue and len(self._flying) < IN_FLIGHT:
            items = self._next_set()
            tag = wire.new_tag()
            uid_set = b",".join(part for part, _members in uid_sets(sorted(int(item.id) for item in items)))
            self._flying.append(_Set(tag, {int(item.id): item for item in items}))
            self._begin()
            wire.send(tag + b" UID FETCH " + uid_set + b" (UID BODY.PEEK[])\r\n")

    def _next_set(self) -> list[Item]:
        items = [self._queue.popleft()]
        size = items[0].size or 0
        while self._queue and len(items) < SET_MESSAGES and size + (self._queue[0].size or 0) <= self._set_bytes:
            items.append(self._queue.popleft())
            size += items[-1].size or 0
        return items

    def _begin(self) -> None:
        """Start the time for the next message; the largest that may be next decides."""
        self._link.begin("fetch", extra=self._flying[0].largest / BYTES_A_SECOND)
        self._reading = None

    def _receive(self) -> Fetched | FetchFailed | None:
        answer = self._link.wire.receive(limit=self._limit, started=self._started)
        if isinstance(answer, Row):
            return self._take(answer)
        if isinstance(answer, Tagged):
            self._end(answer)
        return None

    def _started(self, uid: int | None) -> None:
        self._reading = uid

    def _limit(self, uid: int | None) -> int:
        if uid is not None and (flying := self._waiting_for(uid)) is not None:
            return self._at_most(flying.waiting[uid])
        waiting = self._flying[0].waiting.values()
        return max((self._at_most(item) for item in waiting), default=SMALL)

    def _at_most(self, item: Item) -> int:
        # RFC822.SIZE is an estimate on some servers (Exchange, unless EnableExactRFC822Size is set).
        size = item.size if item.size is not None else self._link.mailbox.maximum_msg_size * 1024 * 1024
        return size + size * 2 // 5 + SMALL

    def _waiting_for(self, uid: int) -> _Set | None:
        return next((flying for flying in self._flying if uid in flying.waiting), None)

    def _take(self, row: Row) -> Fetched | None:
        uid = row.uid
        flying = self._waiting_for(uid) if uid is not None else None
        if uid is None or flying is None or not row.has_content:
            row.discard()  # nobody asked for it: flags that changed, another message, the same one again
            return None
        item = flying.take(uid)
        if any(self._flying[0].waiting):
            self._begin()
        content = row.spooled()
        if content is None:
            self._doubts.append(_Doubt(item, "the server gave NIL for its content"))
            return None
        if item.size is not None and content.size != item.size:
            why = f"the server sent {content.size:,} bytes of a message of {item.size:,}"
            self._doubts.append(_Doubt(item, why, content))
            return None
        return Fetched(item, content.path, content.size, content.sha256)

    def _end(self, answer: Tagged) -> None:
        for flying in list(self._flying):
            if flying.tag == answer.tag:
                self._flying.remove(flying)
                why = "the server left it out of its answer"
                if answer.kind != "OK":
                    why = "the server said " + answer.text.decode("utf-8", "replace")[:200]
                self._doubts.extend(_Doubt(item, why) for item in flying.waiting.values())
        if self._flying:
            self._begin()

    # --- when the connection is lost, hangs, or is of no more use

    def _recover(self, error: LiteralRefused | ServerMisbehaved | DeadlineExceeded) -> FetchFailed | None:
        """Connect again, set the message aside that it happened at, and queue the others.

        Raises the error itself where that is of no use: the first message without answer is the one it happened at.
        """
        uid = error.uid if isinstance(error, LiteralRefused) else self._reading
        waiting = [item for flying in self._flying for item in flying.waiting.values()]
        blamed = next((item for item in waiting if int(item.id) == uid), waiting[0] if waiting else None)
        self._flying.clear()
        self._redial(error)
        self._queue.extendleft(item for item in reversed(waiting) if item is not blamed)
        if blamed is None:
            return None
        why = _why(error)
        if isinstance(error, DeadlineExceeded):  # to wait for it once more would take as long again
            return FetchFailed(blamed, why, doubtful=True)
        self._doubts.append(_Doubt(blamed, why))
        return None

    def _redial(self, error: LiteralRefused | ServerMisbehaved | DeadlineExceeded) -> None:
        self._link.give_up()
        self._redials += 1
        if self._redials > REDIALS or (isinstance(error, DeadlineExceeded) and self._link.overdue):
            if isinstance(error, LiteralRefused):
                raise ServerMisbehaved(_why(error), on=self._link.on, step="fetch", code="literal_too_long") from error
            raise error
        self._link.redial()

    # --- messages in doubt, one by one

    def _settle(self, doubt: _Doubt) -> Fetched | FetchFailed:
        item, content = doubt.item, doubt.content
        try:
            if content is None:
                if int(item.id) not in self._link.search(f"UID {int(item.id)}".encode("ascii"), step="fetch"):
                    return FetchFailed(item, "it is no longer on the server", gone=True)
                content = self._alone(item)
            if content is None:
                return FetchFailed(item, doubt.why, doubtful=True)
            if (item.size is None or content.size == item.size) or self._ends_there(item, content):
                return Fetched(item, content.path, content.size, content.sha256)
            content.discard()
            return FetchFailed(item, doubt.why, doubtful=True)
        except (LiteralRefused, ServerMisbehaved, DeadlineExceeded) as error:
            if content is not None:
                content.discard()
            self._flying.clear()
            self._redial(error)
            return FetchFailed(item, _why(error))

    def _alone(self, item: Item) -> Spooled | None:
        self._flying.append(_Set(b"", {int(item.id): item}))
        self._begin()
        found: Spooled | None = None
        command = f"UID FETCH {int(item.id)} (UID BODY.PEEK[])".encode("ascii")
        for row in _rows(self._link, command, limit=self._limit, refusals_raise=False):
            if found is None and row.uid == int(item.id) and row.has_content:
                found = row.spooled()
            else:
                row.discard()
        self._flying.clear()
        return found

    def _ends_there(self, item: Item, content: Spooled) -> bool:
        """Ask for the last byte and the one behind it: right when exactly the last byte comes back.

        So a server that only estimates RFC822.SIZE is believed, and one that cuts messages short is not.
        """
        if not content.size:
            return False
        with content.path.open("rb") as file:
            file.seek(-1, 2)
            last = file.read(1)
        command = f"UID FETCH {int(item.id)} (UID BODY.PEEK[]<{content.size - 1}.2>)".encode("ascii")
        self._link.begin("fetch")
        answers: list[bytes] = []
        for row in _rows(self._link, command, limit=lambda _uid: SMALL, refusals_raise=False):
            piece = row.spooled() if row.uid == int(item.id) and row.has_content else None
            if piece is None:
                row.discard()
            else:
                answers.append(piece.path.read_bytes())
                piece.discard()
        return answers == [last]


def _why(error: Exception) -> str:
    if isinstance(error, LiteralRefused):
        return f"the server announced {error}"
    return error.what if isinstance(error, PostroomError) else str(error)
