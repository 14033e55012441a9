"""The POP3 connector: UIDL against what is known, pipelined RETR into files, DELE made good by QUIT."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import tempfile
import time
from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from postroom.adapters.dialling import Rules
from postroom.adapters.network import Network
from postroom.adapters.pop3_login import Line, capabilities, dial, refused
from postroom.adapters.pop3_reader import PRINTED, TooLong, header_of, print_of, read_multiline, read_status, rows
from postroom.errors import MailboxLocked, PostroomError, ServerMisbehaved, Transient
from postroom.model.mailbox import Mailbox
from postroom.model.polling import GIVEN_UP, Position
from postroom.model.properties import behaviour
from postroom.ports import Action, Fetched, FetchFailed, Item, Listing

IN_FLIGHT = 50  # RETR commands sent ahead where the server has PIPELINING (RFC 2449 §6.6)
BYTES_IN_FLIGHT = 8 * 1024 * 1024
HEADER_LIMIT = 4 * 1024 * 1024
BYTES_A_SECOND = 64 * 1024  # a message may take the protocol timeout, and a second more for each of these
_WHOLE_LIMIT = 200 * 1024 * 1024
UNLOCKING = (0.05, 0.2, 0.5, 1.0, 2.0)  # seconds between logins, while our last connection is still seen as open
SLACK = 64 * 1024  # LIST may count other line ends than are sent


@dataclass(frozen=True, slots=True)
class Pop3Connector:
    """Opens POP3 mailboxes. `secret` is the password, or the access token of a mailbox with a `client_id`."""

    allowed_networks: Sequence[Network] = ()
    allow_plaintext_credentials: bool = False

    def open(
        self,
        mailbox: Mailbox,
        *,
        secret: str,
        deadline: float,
        ask: Position | None = None,
    ) -> Pop3Session:
        """Connect and log in (ports.Connector)."""
        rules = Rules(tuple(self.allowed_networks), self.allow_plaintext_credentials)
        return Pop3Session(mailbox, secret=secret, deadline=deadline, rules=rules)


class Pop3Session:
    """A logged-in mailbox (ports.Session). Ids are UIDLs; messages without a unique one are known by their header."""

    def __init__(self, mailbox: Mailbox, *, secret: str, deadline: float, rules: Rules) -> None:
        self._mailbox = mailbox
        self._behaviour = behaviour(mailbox)
        self._secret = secret
        self._rules = rules
        self._deadline = deadline
        self._line: Line | None = dial(mailbox, secret=secret, deadline=deadline, rules=rules)
        self._numbers: dict[str, int] | None = None  # id → message number, of this connection
        self._listed: dict[str, int | None] = {}  # id → size, as `list` found it
        self._by_content: set[str] = set()  # the ids that we made of what messages contain
        self._capabilities: frozenset[bytes] | None = None

    def look(self, position: Position | None) -> bool:
        """Tell whether there is anything to do: one UIDL."""
        if position is None:
            return True
        ids = self._list_ids()
        again = {one for one, tries in position.problems.items() if tries < GIVEN_UP}
        left_alone = position.problems.keys() - again
        left_alone -= {one for one, aside in position.asides.items() if aside.done == Action.DELETE}
        if self._mailbox.leave_msg_on_server:
            left_alone |= position.known
        return any(one not in left_alone for one in ids)

    def list(self, position: Position | None) -> Listing:
        """List news with their sizes, in the server's order, and what is unfinished.

        What was stored in an earlier session and is to be deleted is unfinished only if its header is the one that was
        stored (TOP; a round trip for fifty where the server has PIPELINING, none when nothing was left): a server that
        gives the id of a deleted message to a new one, against RFC 1939 §7, makes us fetch that, and not delete it.
        """
        position = position or Position()
        ids = self._list_ids()
        there = ids.keys()
        sizes = self._sizes()
        self._listed = {one: sizes.get(number) for one, number in ids.items()}
        left_alone = {one for one, tries in position.problems.items() if tries >= GIVEN_UP}
        known = position.known & there
        if not self._mailbox.leave_msg_on_server:
            known -= self._others(known - left_alone, position.prints)
        news = tuple(Item(one, sizes.get(n)) for one, n in ids.items() if one not in known and one not in left_alone)
        unfinished = () if self._mailbox.leave_msg_on_server else tuple(sorted(known - left_alone, key=ids.__getitem__))
        problems = {one: tries for one, tries in position.problems.items() if one in there}
        return Listing(
            news=news,
            unfinished=unfinished,
            known=len(ids) - len(news) - len(unfinished),
            position=replace(
                position,
                known=frozenset(known),
                problems=problems,
                prints={one: mark for one, mark in position.prints.items() if one in known},
            ),
        )

    def fetch(self, items: Sequence[Item]) -> Iterator[Fetched | FetchFailed]:
        """Fetch whole messages in order, sending RETR ahead where the server can take it."""
        numbers = self._here()
        line = self._ready("fetch")
        ahead = IN_FLIGHT if self._can(b"PIPELINING") else 1
        todo = deque(items)
        flying: deque[Item] = deque()
        complete = False
        try:
            while todo or flying:
                commands = []
                while todo and len(flying) < ahead and (not flying or self._room(flying, todo[0])):
                    item = todo.popleft()
                    flying.append(item)
                    if item.id in numbers:
                        commands.append(b"RETR %d\r\n" % numbers[item.id])
                if commands:
                    line.stream.send(b"".join(commands))
                item = flying.popleft()
                if item.id in numbers:
                    yield self._receive(line, item)
                else:
                    yield FetchFailed(item, "it is no longer on the server", gone=True)
            complete = True
        finally:
            if not complete:  # answers may still be on their way
                self._drop()

    def headers(self, item: Item) -> bytes:
        """Fetch the header section only: by TOP, or by breaking off a RETR where TOP is not to be used."""
        numbers = self._here()
        if item.id not in numbers:
            raise Transient("The message is no longer on the server", on=self._mailbox.name, step="fetch", code="gone")
        number = numbers[item.id]
        header = self._top(number)
        if header is None:
            header = self._begun(number, hang_up=True)
        if header is None:
            raise Transient("The server gave no header for the message", on=self._mailbox.name, step="fetch")
        return header

    def act(self, ids: Sequence[str], action: Action) -> None:
        """Delete; POP3 knows neither marks nor folders, so the other actions need nothing."""
        if action is not Action.DELETE or not ids:
            return
        numbers = self._here()
        wanted = [numbers[one] for one in ids if one in numbers]
        ahead = IN_FLIGHT if self._can(b"PIPELINING") else 1
        line = self._ready("act")
        kept = 0
        said = b""
        for start in range(0, len(wanted), ahead):
            part = wanted[start : start + ahead]
            line.stream.send(b"".join(b"DELE %d\r\n" % number for number in part))
            for _number in part:
                done, answer, _end = read_status(line.reader)
                if not done:
                    kept, said = kept + 1, answer
        # RFC 1939 §6: only QUIT carries the deletions out. Without its answer nobody knows, and they are repeated.
        good, text = line.ask("QUIT")
        self._drop()
        if not good:
            raise refused(text, step="act", on=line.stream.on)
        if kept:
            raise Transient(
                f"The server did not delete {kept} of {len(wanted)} messages: {said.decode('utf-8', 'replace')[:200]}",
                on=line.stream.on,
                step="act",
                code="delete_refused",
                remedy="Let the login delete, or set `leave_msg_on_server`; the mail is stored here already.",
            )

    def extend(self, deadline: float) -> None:
        """Move the deadline of everything that follows (ports.Extendable)."""
        self._deadline = deadline

    def close(self) -> None:
        """Send QUIT and close, without waiting for the answer; nothing is marked at that time. Never raises."""
        if self._line is not None:
            with contextlib.suppress(PostroomError):
                self._line.stream.send(b"QUIT\r\n")
            self._drop()

    # --- within

    def _others(self, remembered: Collection[str], prints: Mapping[str, str]) -> set[str]:
        """Name the ids that do not certainly stand for the messages any more that were stored under them."""
        doubted = sorted(one for one in remembered if one not in self._by_content)
        asked = [one for one in doubted if one in prints]
        shown = dict(zip(asked, self._headers_of(asked), strict=True))
        return {one for one in doubted if not shown.get(one) or print_of(shown[one] or b"") != prints[one]}

    def _headers_of(self, ids: Sequence[str]) -> Iterator[bytes | None]:
        """Ask for headers; None where the server gives none."""
        numbers = [(self._numbers or {})[one] for one in ids]
        ahead = IN_FLIGHT if numbers and self._behaviour.use_top and self._can(b"PIPELINING") else 1
        for start in range(0, len(numbers), ahead):
            part = numbers[start : start + ahead]
            if len(part) == 1:
                yield self._top(part[0]) or self._begun(part[0], hang_up=False)
                continue
            line = self._ready("list")
            line.stream.send(b"".join(b"TOP %d 0\r\n" % number for number in part))
            for at in range(len(part)):
                try:
                    answer = line.answer(limit=HEADER_LIMIT)
                except TooLong:
                    self._drop()
                    yield from itertools.repeat(None, len(numbers) - start - at)
                    return
                yield None if answer is None else header_of(answer)

    def _here(self) -> Mapping[str, int]:
        """Return the numbers that ids have on this connection.

        A deletion of ours ended the one that they were listed on. What has another size since is another message, where
        a server lets ids move up.
        """
        if self._numbers is None or self._line is None:
            numbers = self._list_ids()
            if self._listed:
                sizes = self._sizes()
                self._numbers = {
                    one: number
                    for one, number in numbers.items()
                    if one not in self._listed or sizes.get(number) == self._listed[one]
                }
        return self._numbers or {}

    @staticmethod
    def _room(flying: deque[Item], item: Item) -> bool:
        return sum(one.size or 0 for one in flying) + (item.size or 0) <= BYTES_IN_FLIGHT

    def _ready(self, step: str) -> Line:
        """Return the connection, made anew after a QUIT; set step and deadline of what comes."""
        if self._line is None:
            self._line = self._dial_again()
            self._numbers = None
        self._begin(self._line, step)
        return self._line

    def _dial_again(self) -> Line:
        """Log in after a QUIT or a hang-up of ours: the server may take a moment to unlock the mailbox for us."""
        for pause in UNLOCKING:
            try:
                return dial(self._mailbox, secret=self._secret, deadline=self._deadline, rules=self._rules)
            except MailboxLocked:
                time.sleep(min(pause, max(0.0, self._deadline - time.monotonic())))
        return dial(self._mailbox, secret=self._secret, deadline=self._deadline, rules=self._rules)

    def _begin(self, line: Line, step: str, *, size: int = 0) -> None:
        """Name the step of what comes, and set its deadline: the protocol timeout, and more for what is large."""
        timeout = self._mailbox.protocol_timeout.total_seconds() + size / BYTES_A_SECOND
        line.stream.step = step
        line.stream.deadline = min(self._deadline, time.monotonic() + timeout)

    def _drop(self) -> None:
        if self._line is not None:
            self._line.stream.close()
        self._line, self._numbers = None, None

    def _can(self, capability: bytes) -> bool:
        if self._capabilities is None:
            self._capabilities = capabilities(self._ready("list")) if self._behaviour.use_capa else frozenset()
        return capability in self._capabilities

    def _list_ids(self) -> dict[str, int]:
        line = self._ready("list")
        answer = line.ask_all("UIDL")
        if answer is None:
            count = self._count()
            pairs = [(number, "") for number in range(1, count + 1)]
        else:
            pairs = [(int(number), name.decode("ascii", "replace")) for number, name in rows(answer)]
        numbers: dict[str, int] = {}
        for number, name in self._named(pairs):
            same, copies = name, 1
            while same in numbers:  # the very same mail twice
                copies += 1
                same = f"{name}.{copies}"
            numbers[same] = number
        self._numbers = numbers
        return numbers

    def _named(self, pairs: Sequence[tuple[int, str]]) -> Sequence[tuple[int, str]]:
        """Give every message an id that will stand for no other one: what it contains, where UIDL does not do.

        RFC 1939 §7 wants UIDLs unique and never used again, which some servers do not keep: they say nothing, the same
        for several, or the message's number. The last matters where mail is deleted, as the numbers then move up.
        """
        often = Counter(name for _number, name in pairs)
        moving = not self._mailbox.leave_msg_on_server and all(name == str(number) for number, name in pairs)
        given = {name for _number, name in pairs}
        named = [
            (number, self._content_id(number) if moving or not name or often[name] > 1 else name)
            for number, name in pairs
        ]
        often = Counter(name for _number, name in named)
        named = [(number, self._whole_id(number) if often[name] > 1 else name) for number, name in named]
        self._by_content = {name for _number, name in named} - given
        return named

    def _content_id(self, number: int) -> str:
        header = self._top(number)
        if header is None:
            header = self._begun(number, hang_up=False)
        if header is None:
            raise ServerMisbehaved(
                "The server has no unique UIDLs, and does not show the message",
                on=self._mailbox.name,
                step="list",
                code="no_ids",
            )
        return "header-" + hashlib.sha256(header).hexdigest()

    def _whole_id(self, number: int) -> str:
        """Tell messages apart whose headers are the same."""
        line = self._ready("list")
        line.stream.send(b"RETR %d\r\n" % number)
        good, text, end = read_status(line.reader)
        if not good:
            raise refused(text, step="list", on=line.stream.on)
        digest = hashlib.sha256()
        read_multiline(line.reader, digest.update, limit=_WHOLE_LIMIT, end=end)
        return "content-" + digest.hexdigest()

    def _count(self) -> int:
        good, text = self._ready("list").ask("STAT")
        words = text.split()
        if not good or not words or not words[0].isdigit():
            raise refused(text, step="list", on=self._mailbox.name)
        return int(words[0])

    def _sizes(self) -> dict[int, int]:
        answer = self._ready("list").ask_all("LIST")
        return {int(number): int(size) for number, size in rows(answer or b"") if size.isdigit()}

    def _top(self, number: int) -> bytes | None:
        answer = None
        if self._behaviour.use_top:
            try:
                answer = self._ready("list").ask_all(f"TOP {number} 0", limit=HEADER_LIMIT)
            except TooLong:
                self._drop()
        return None if answer is None else header_of(answer)

    def _begun(self, number: int, *, hang_up: bool) -> bytes | None:
        """Fetch a message for the sake of its header, where there is no TOP; `hang_up` where the header ends."""
        line = self._ready("list")
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
            read_multiline(line.reader, keep, limit=_WHOLE_LIMIT, end=end)
        except TooLong:
            self._drop()
        return header_of(bytes(header))

    def _receive(self, line: Line, item: Item) -> Fetched | FetchFailed:
        self._begin(line, "fetch", size=item.size or 0)
        good, text, end = read_status(line.reader)
        if not good:
            return FetchFailed(item, "the server said " + text.decode("utf-8", "replace")[:200])
        size = item.size if item.size is not None else self._mailbox.maximum_msg_size * 1024 * 1024
        digest = hashlib.sha256()
        begin = bytearray()
        handle, name = tempfile.mkstemp(prefix="postroom-", suffix=".eml")
        path = Path(name)
        try:

            def keep(piece: bytes) -> None:
                digest.update(piece)
                if len(begin) <= PRINTED:
                    begin.extend(piece[: PRINTED + 1])
                view = memoryview(piece)
                while view:
                    view = view[os.write(handle, view) :]

            received = read_multiline(line.reader, keep, limit=size + size * 2 // 5 + SLACK, end=end)
        except TooLong as error:
            path.unlink(missing_ok=True)
            raise ServerMisbehaved(
                f"The server sent {error} for a message of {size:,}",
                on=line.stream.on,
                step="fetch",
                code="message_too_long",
            ) from error
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            os.close(handle)
        return Fetched(item, path, received, digest.hexdigest(), print_of(header_of(bytes(begin))))
