"""The POP3 connector: UIDL against what is known, pipelined RETR into files, DELE made good by QUIT."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from postroom.adapters.net.connect import Network
from postroom.adapters.net.dial import Rules
from postroom.adapters.net.spool import Spool
from postroom.adapters.pop3.connection import Link
from postroom.adapters.pop3.headers import header, headers
from postroom.adapters.pop3.ids import Ids, list_ids, list_sizes
from postroom.adapters.pop3.login import Line, refused
from postroom.adapters.pop3.wire import PRINTED, TooLong, header_of, print_of, read_multiline, read_status
from postroom.errors import PostroomError, ServerMisbehaved, Transient
from postroom.model.configuration.mailbox import Mailbox
from postroom.model.mailbox_state import GIVEN_UP, Position
from postroom.model.server_mail import Action, Fetched, FetchFailed, Item, Listing

BYTES_IN_FLIGHT = 8 * 1024 * 1024
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
        self._link = Link(mailbox, secret=secret, deadline=deadline, rules=rules)
        self._listed: dict[str, int | None] = {}  # id → size, as `list` found it

    def look(self, position: Position | None) -> bool:
        """Tell whether there is anything to do: one UIDL."""
        if position is None:
            return True
        ids = list_ids(self._link).numbers
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
        found = list_ids(self._link)
        ids = found.numbers
        there = ids.keys()
        sizes = list_sizes(self._link)
        self._listed = {one: sizes.get(number) for one, number in ids.items()}
        left_alone = {one for one, tries in position.problems.items() if tries >= GIVEN_UP}
        known = position.known & there
        if not self._mailbox.leave_msg_on_server:
            known -= self._others(known - left_alone, found, position.prints)
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
        ahead = self._link.ahead
        line = self._link.ready("fetch")
        todo = deque(items)
        flying: deque[Item] = deque()
        complete = False
        try:
            while todo or flying:
                commands = []
                while todo and len(flying) < ahead and (not flying or _is_room(flying, todo[0])):
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
                self._link.drop()

    def headers(self, item: Item) -> bytes:
        """Fetch the header section only: by TOP, or by breaking off a RETR where TOP is not to be used."""
        numbers = self._here()
        if item.id not in numbers:
            raise Transient("The message is no longer on the server", on=self._mailbox.name, step="fetch", code="gone")
        found = header(self._link, numbers[item.id], hang_up=True)
        if found is None:
            raise Transient("The server gave no header for the message", on=self._mailbox.name, step="fetch")
        return found

    def act(self, ids: Sequence[str], action: Action) -> None:
        """Delete; POP3 knows neither marks nor folders, so the other actions need nothing."""
        if action is not Action.DELETE or not ids:
            return
        numbers = self._here()
        wanted = [numbers[one] for one in ids if one in numbers]
        ahead = self._link.ahead
        line = self._link.ready("act")
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
        self._link.drop()
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
        self._link.deadline = deadline

    def close(self) -> None:
        """Send QUIT and close, without waiting for the answer; nothing is marked at that time. Never raises."""
        if self._link.line is not None:
            with contextlib.suppress(PostroomError):
                self._link.line.stream.send(b"QUIT\r\n")
            self._link.drop()

    # --- within

    def _others(self, remembered: Collection[str], found: Ids, prints: Mapping[str, str]) -> set[str]:
        """Name the ids that do not certainly stand for the messages any more that were stored under them."""
        doubted = sorted(one for one in remembered if one not in found.by_content)
        asked = [one for one in doubted if one in prints]
        shown = dict(zip(asked, headers(self._link, [found.numbers[one] for one in asked]), strict=True))
        return {one for one in doubted if not shown.get(one) or print_of(shown[one] or b"") != prints[one]}

    def _here(self) -> Mapping[str, int]:
        """Return the numbers that ids have on this connection.

        A deletion of ours ended the one that they were listed on. What has another size since is another message, where
        a server lets ids move up.
        """
        if self._link.numbers is None:
            numbers = list_ids(self._link).numbers
            if self._listed:
                sizes = list_sizes(self._link)
                self._link.numbers = {
                    one: number
                    for one, number in numbers.items()
                    if one not in self._listed or sizes.get(number) == self._listed[one]
                }
        return self._link.numbers or {}

    def _receive(self, line: Line, item: Item) -> Fetched | FetchFailed:
        self._link.begin("fetch", size=item.size or 0)
        good, text, end = read_status(line.reader)
        if not good:
            return FetchFailed(item, "the server said " + text.decode("utf-8", "replace")[:200])
        size = item.size if item.size is not None else self._mailbox.maximum_msg_size * 1024 * 1024
        begin = bytearray()
        with Spool() as spool:

            def take(piece: bytes) -> None:
                spool.write(piece)
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
        return Fetched(item, content.path, content.size, content.sha256, print_of(header_of(bytes(begin))))


def _is_room(flying: Collection[Item], item: Item) -> bool:
    return sum(one.size or 0 for one in flying) + (item.size or 0) <= BYTES_IN_FLIGHT
