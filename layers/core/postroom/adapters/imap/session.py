"""The IMAP connector: what is new in a folder, the messages themselves, and what is done on the server afterwards."""

from __future__ import annotations

from collections.abc import Iterator, MutableSequence, Sequence
from dataclasses import dataclass, replace

from postroom.adapters.imap import act as imap_act
from postroom.adapters.imap import fetch as imap_fetch
from postroom.adapters.imap.connection import Link
from postroom.adapters.imap.uid_sets import LAST_UID, SET_LENGTH, criteria, retries, sort_out, uid_sets
from postroom.adapters.net.connect import Network
from postroom.adapters.net.dial import Rules
from postroom.model.configuration.mailbox import FirstConnection, Mailbox
from postroom.model.mailbox_state import GIVEN_UP, Position
from postroom.model.server_mail import Action, Fetched, FetchFailed, Item, Listing

LISTED_AT_LEAST = 1_000
SEARCH_WINDOW = 50_000  # so many UIDs, on average, are asked for at a time in folders that hold more


@dataclass(frozen=True, slots=True)
class ImapConnector:
    """Opens IMAP mailboxes. `secret` is the password, or the access token of a mailbox with a `client_id`."""

    allowed_networks: Sequence[Network] = ()
    allow_plaintext_credentials: bool = False

    def open(self, mailbox: Mailbox, *, secret: str, deadline: float, ask: Position | None = None) -> ImapSession:
        """Connect and EXAMINE the folder (ports.Connector).

        `ask`: the position that `look` will be asked with; where the server bears it, that search goes out together
        with the login (4 round trips in all instead of 6).
        """
        search = criteria(ask, stays=_stays(mailbox), uidnext=0) if ask is not None else b""
        if len(search) > SET_LENGTH:
            search = b""
        rules = Rules(tuple(self.allowed_networks), self.allow_plaintext_credentials)
        return ImapSession(Link(mailbox, secret=secret, deadline=deadline, rules=rules, search=search), asked=ask)


class ImapSession:
    """An open folder (ports.Session)."""

    def __init__(self, link: Link, *, asked: Position | None = None) -> None:
        self._link = link
        self._mailbox = link.mailbox
        self._stays = _stays(link.mailbox)
        self._asked = asked

    def look(self, position: Position | None) -> bool:
        """Tell whether there is anything to do, in one round trip at most."""
        opened = self._link.opened
        if position is None or self._renumbered(position):
            return True
        if opened.search is not None and position == self._asked:
            found: Sequence[int] = opened.search
            opened.search = None
        else:
            found = self._search(position)
        return any(sort_out(found, position))

    def list(self, position: Position | None) -> Listing:
        """List news with size and arrival, oldest first, and what is unfinished.

        Of a large backlog only the oldest are listed (a thousand, or five cycles' worth): sizes of all of them, in
        every cycle, would cost more than the mail. While the first connection's choice is still to be made, all are.
        """
        opened = self._link.opened
        first = position is None
        resynced = position is not None and self._renumbered(position)
        choice = self._mailbox.first_connection
        if position is None or resynced:
            position = Position(epoch=str(opened.uidvalidity), floor="0", cursor="0")
            if first and choice is FirstConnection.FROM_NOW:
                last = str(opened.uidnext - 1 if opened.uidnext else max(self._above(0), default=0))
                return Listing((), (), opened.exists, replace(position, floor=last, cursor=last))
        found = self._search(position)
        news, unfinished = sort_out(found, position)
        at_most = max(LISTED_AT_LEAST, 5 * self._mailbox.maximum_msg_number)
        if (first or resynced) and choice is not FirstConnection.ALL:
            at_most = len(news)
        return Listing(
            news=self._sized(news[:at_most]),
            unfinished=tuple(map(str, unfinished)),
            known=max(0, opened.exists - len(news) - len(unfinished)),
            position=self._without_gone(position, found),
            resynced=resynced,
        )

    def fetch(self, items: Sequence[Item]) -> Iterator[Fetched | FetchFailed]:
        """Fetch whole messages, in sets, several of them in flight."""
        yield from imap_fetch.Fetching(self._link).run(items)

    def headers(self, item: Item) -> bytes:
        """Fetch the header section only."""
        return imap_fetch.headers(self._link, item)

    def act(self, ids: Sequence[str], action: Action) -> None:
        """Mark, move or delete by UID; what is gone is no error."""
        if ids:
            imap_act.run(self._link, sorted(map(int, ids)), action)

    def extend(self, deadline: float) -> None:
        """Move the deadline of everything that follows (ports.Extendable)."""
        self._link.session_deadline = deadline

    def close(self) -> None:
        """Log out without waiting for the answer; never raises."""
        self._link.close()

    def _renumbered(self, position: Position) -> bool:
        """Tell whether UIDs do not mean any more what they meant.

        UIDNEXT never falls (RFC 3501 §2.3.1.1), except where a folder was restored from a backup under its old
        UIDVALIDITY: what arrives then gets numbers that we have dealt with. A server that merely tells it wrongly shows
        a message with a higher number.
        """
        opened = self._link.opened
        if _validity(position) != opened.uidvalidity:
            return True
        last = int(position.cursor or position.floor or 0)
        if not opened.uidnext or opened.uidnext > last:
            return False
        return not opened.exists or not self._link.search(
            f"UID {opened.uidnext}:{LAST_UID}".encode("ascii"), step="list"
        )

    def _sized(self, uids: Sequence[int]) -> tuple[Item, ...]:
        """Ask for sizes; a message that is there and gets no answer is one whose size the server cannot say (G02).

        Exchange leaves messages out that it cannot convert. Whatever is left out here would be taken for dealt with.
        """
        sized = {int(item.id): item for item in imap_fetch.with_sizes(self._link, uids)}
        missing = [uid for uid in uids if uid not in sized]
        for uid_set, _members in uid_sets(missing):
            for uid in self._link.search(b"UID " + uid_set, step="list"):
                sized.setdefault(uid, Item(str(uid), None))
        return tuple(sized[uid] for uid in uids if uid in sized)

    def _without_gone(self, position: Position, found: Sequence[int]) -> Position:
        """Drop from the problem list what is no longer on the server; what is being tried again stays.

        An id that is not listed there any more counts as stored, and may be deleted. So a message is gone only when
        neither SEARCH nor FETCH knows it.
        """
        aside = {int(uid) for uid, tries in position.problems.items() if tries >= GIVEN_UP} - set(found)
        for uid_set, _members in uid_sets(sorted(aside)):
            aside.difference_update(self._link.search(b"UID " + uid_set, step="list"))
        if aside:
            aside.difference_update(int(item.id) for item in imap_fetch.with_sizes(self._link, sorted(aside)))
        kept = {uid: tries for uid, tries in position.problems.items() if int(uid) not in aside}
        return replace(position, problems=kept)

    def _search(self, position: Position) -> Sequence[int]:
        opened = self._link.opened
        if not opened.exists:
            return []
        if opened.exists > SEARCH_WINDOW and not (self._stays and int(position.cursor or 0)):
            return self._above(int(position.floor or 0))
        keys = criteria(position, stays=self._stays, uidnext=opened.uidnext)
        if len(keys) > SET_LENGTH:
            return self._search_apart(position)
        return self._link.search(keys, step="list") if keys else []

    def _search_apart(self, position: Position) -> Sequence[int]:
        """Find the same where the question is too long for one line: thousands stored beyond one that is not."""
        floor, cursor = int(position.floor or 0), int(position.cursor or position.floor or 0)
        stored = set(map(int, position.known))
        found = set(self._above(cursor)) - stored
        unseen = self._link.search(f"UID {floor + 1}:{LAST_UID} UNSEEN".encode("ascii"), step="list")
        found.update(uid for uid in unseen if uid <= cursor or uid in stored)
        for uid_set, _members in uid_sets(retries(position)):
            found.update(self._link.search(b"UID " + uid_set, step="list"))
        return sorted(found)

    def _above(self, floor: int) -> Sequence[int]:
        """Ask for all UIDs, range by range in a large folder, so that no answer is longer than it needs to be."""
        opened = self._link.opened
        low = floor + 1
        if opened.exists <= SEARCH_WINDOW or not opened.uidnext:
            return self._link.search(f"UID {low}:{LAST_UID}".encode("ascii"), step="list")
        window = max(SEARCH_WINDOW, (opened.uidnext - low) * SEARCH_WINDOW // opened.exists)
        found: MutableSequence[int] = []
        while low < opened.uidnext:
            found += self._link.search(f"UID {low}:{low + window - 1}".encode("ascii"), step="list")
            low += window
        return found


def _stays(mailbox: Mailbox) -> bool:
    return mailbox.leave_msg_on_server and not mailbox.processed_items_folder_name


def _validity(position: Position) -> int:
    return int(position.epoch) if position.epoch.isdigit() else 0
