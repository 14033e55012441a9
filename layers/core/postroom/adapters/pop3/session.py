"""The POP3 connector: UIDL against what is known, pipelined RETR into files, DELE made good by QUIT."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from postroom.adapters.net import HostLimits, Network, Rules
from postroom.adapters.pop3.connection import Link
from postroom.adapters.pop3.fetch import Fetching
from postroom.adapters.pop3.headers import header
from postroom.adapters.pop3.ids import list_ids, list_sizes
from postroom.adapters.pop3.known import as_it_is_now, has_moved_up, is_same, not_certainly
from postroom.adapters.pop3.login import Offers, refused
from postroom.adapters.pop3.wire import read_status
from postroom.errors import PostroomError, Transient
from postroom.model import Action, Fetched, FetchFailed, Item, Listing, Position, undone
from postroom.model.configuration import Mailbox


@dataclass(frozen=True, slots=True)
class Pop3Connector:
    """Opens POP3 mailboxes. `secret` is the password, or the access token of a mailbox with a `client_id`."""

    allowed_networks: Sequence[Network] = ()
    allow_plaintext_credentials: bool = False
    _limits: HostLimits = field(default_factory=HostLimits)
    _offers: Offers = field(default_factory=Offers)

    def open(
        self,
        mailbox: Mailbox,
        *,
        secret: str,
        deadline: float,
        ask: Position | None = None,
    ) -> Pop3Session:
        """Connect and log in (ports.Connector)."""
        rules = Rules(tuple(self.allowed_networks), self.allow_plaintext_credentials, self._limits)
        return Pop3Session(mailbox, secret=secret, deadline=deadline, rules=rules, offers=self._offers)


class Pop3Session:
    """A logged-in mailbox (ports.Session). Ids are UIDLs; messages without a unique one are known by their header."""

    def __init__(self, mailbox: Mailbox, *, secret: str, deadline: float, rules: Rules, offers: Offers) -> None:
        self._mailbox = mailbox
        self._link = Link(mailbox, secret=secret, deadline=deadline, rules=rules, offers=offers)
        self._listed: dict[str, int | None] = {}  # id → size, as `list` found it

    def look(self, position: Position | None) -> bool:
        """Tell whether there is anything to do: one UIDL, and a header where the ids are message numbers."""
        if position is None:
            return True
        found = list_ids(self._link, known=position.known)
        ids = found.numbers
        left_alone = position.left_alone()
        left_alone -= undone(position, dict.fromkeys(ids, False))
        if self._mailbox.leave_msg_on_server:
            left_alone |= position.known
            if has_moved_up(self._link, found, position):
                return True
        return any(one not in left_alone for one in ids)

    def list(self, position: Position | None) -> Listing:
        """List news with their sizes, in the server's order, and what is unfinished.

        What was stored in an earlier session and is to be deleted is unfinished only if its header is the one that was
        stored (TOP; a round trip for fifty where the server has PIPELINING, none when nothing was left): a server that
        gives the id of a deleted message to a new one, against RFC 1939 §7, makes us fetch that, and not delete it.
        """
        position = position or Position()
        found = list_ids(self._link, known=position.known)
        if self._mailbox.leave_msg_on_server:
            position = as_it_is_now(self._link, found, position)
        ids = found.numbers
        there = ids.keys()
        sizes = list_sizes(self._link)
        self._listed = {one: sizes.get(number) for one, number in ids.items()}
        left_alone = position.left_alone()
        known = position.known & there
        if not self._mailbox.leave_msg_on_server:
            known -= not_certainly(self._link, known - left_alone, found, position.prints)
        news = tuple(Item(one, sizes.get(n)) for one, n in ids.items() if one not in known and one not in left_alone)
        unfinished = () if self._mailbox.leave_msg_on_server else tuple(sorted(known - left_alone, key=ids.__getitem__))
        # UIDL that leaves out what LIST tells of says nothing of what is gone: it would be fetched as new, and deleted.
        missing = position.known | position.problems.keys() if sizes.keys() - ids.values() else frozenset()
        missing -= there
        known |= position.known & missing
        problems = {one: tries for one, tries in position.problems.items() if one in there or one in missing}
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
            undone=undone(position, dict.fromkeys(ids, False)),
        )

    def recognizes(self, position: Position) -> bool:
        """Tell whether known messages lie there, by their headers (ports.Recognizes)."""
        return is_same(self._link, list_ids(self._link, known=position.known), position)

    def fetch(self, items: Sequence[Item]) -> Iterator[Fetched | FetchFailed]:
        """Fetch whole messages, sending RETR ahead where the server can take it; what is in doubt comes last."""
        return Fetching(self._link, self._here, self._listed.values()).run(items)

    def headers(self, item: Item) -> bytes:
        """Fetch the header section only: by TOP, or by breaking off a RETR where TOP is not to be used."""
        numbers = self._here()
        if item.id not in numbers:
            raise Transient("The message is no longer on the server", on=self._mailbox.name, step="fetch", code="gone")
        found = header(self._link, numbers[item.id], hang_up=True)
        if found is None:
            raise Transient("The server gave no header for the message", on=self._mailbox.name, step="fetch")
        return found

    def act(self, ids: Sequence[str], action: Action) -> Collection[str]:
        """Delete; POP3 knows neither marks nor folders, so the other actions need nothing."""
        if action is not Action.DELETE or not ids:
            return ()
        if self._link.retrieved - {"", *ids}:
            self._link.drop()  # QUIT might delete them, and they are not stored
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
        return ()

    def extend(self, deadline: float) -> None:
        """Move the deadline of everything that follows (ports.Extendable)."""
        self._link.deadline = deadline

    def close(self) -> None:
        """Close, with a QUIT that nobody waits for where that deletes nothing. Never raises.

        RFC 1939 §3: only QUIT carries out what is marked, and what the server marks itself; who hangs up leaves all as
        it was.
        """
        if self._link.line is not None and not self._link.retrieved:
            with contextlib.suppress(PostroomError):
                self._link.line.stream.send(b"QUIT\r\n")
        self._link.drop()

    # --- within

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
