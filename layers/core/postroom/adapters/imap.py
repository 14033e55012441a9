"""The IMAP connector: what is new in a folder, the messages themselves, and what is done on the server afterwards."""

from __future__ import annotations

from collections.abc import Iterator, MutableSequence, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from postroom.adapters import imap_act, imap_fetch
from postroom.adapters.imap_link import Link
from postroom.adapters.imap_login import Rules
from postroom.adapters.imap_sets import criteria, search_date, sort_out
from postroom.adapters.network import Network
from postroom.model.mailbox import FirstConnection, Mailbox
from postroom.model.polling import Position
from postroom.ports import Action, Fetched, FetchFailed, Item, Listing

SIZED_AT_LEAST = 1_000  # of the news, so many (or five cycles' worth) are listed with sizes; the rest next time
SEARCH_WINDOW = 50_000  # UIDs asked for at a time in folders that hold more
SEARCH_WINDOWS_AT_MOST = 200
_SINCE = " since "  # in an epoch: UIDVALIDITY, and what date mail counts from


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
        if position is None or _validity(position) != opened.uidvalidity:
            return True
        if opened.search is not None and position == self._asked:
            found: Sequence[int] = opened.search
            opened.search = None
        else:
            found = self._search(position)
        return any(sort_out(found, position))

    def list(self, position: Position | None) -> Listing:
        """List news with their sizes, oldest first, and what is unfinished.

        Beyond the first thousand (or five cycles' worth) the news are only counted, as the last items without size:
        they are listed again before their turn comes.
        """
        opened = self._link.opened
        resynced = position is not None and _validity(position) != opened.uidvalidity
        if position is None or resynced:
            position = self._first_position(position)
        found = self._search(position)
        news, unfinished = sort_out(found, position)
        if not self._stays:  # everything above the floor was asked for, so what is gone is known to be gone
            position = replace(position, known=position.known & frozenset(map(str, found)))
        alone = sum(str(uid) in position.problems for uid in found) - sum(str(uid) in position.problems for uid in news)
        others = len(news) + len(unfinished) + alone
        return Listing(
            news=imap_fetch.with_sizes(self._link, news, at_most=self._sized),
            unfinished=tuple(map(str, unfinished)),
            known=max(0, opened.exists - others),
            position=position,
            resynced=resynced,
        )

    def fetch(self, items: Sequence[Item]) -> Iterator[Fetched | FetchFailed]:
        """Fetch whole messages, in sets, two of them in flight."""
        yield from imap_fetch.Fetching(self._link).run(items)

    def headers(self, item: Item) -> bytes:
        """Fetch the header section only."""
        return imap_fetch.headers(self._link, item)

    def act(self, ids: Sequence[str], action: Action) -> None:
        """Mark, move or delete by UID; what is gone is no error."""
        if ids:
            imap_act.run(self._link, sorted(map(int, ids)), action)

    def close(self) -> None:
        """Log out without waiting for the answer; never raises."""
        self._link.close()

    @property
    def _sized(self) -> int:
        return max(SIZED_AT_LEAST, 5 * self._mailbox.maximum_msg_number)

    def _first_position(self, before: Position | None) -> Position:
        """Decide where to begin: at the first connection, or when the server has renumbered the folder."""
        opened = self._link.opened
        epoch = str(opened.uidvalidity)
        since = _day(before)
        if self._mailbox.first_connection is FirstConnection.SINCE:
            since = self._mailbox.first_connection_since
        elif before is None and self._mailbox.first_connection is FirstConnection.FROM_NOW:
            last = opened.uidnext - 1 if opened.uidnext else max(self._everything(), default=0)
            # Remembered in the epoch: should the server renumber the folder, UIDs to leave alone mean nothing any
            # more. A day early, for SEARCH SINCE knows neither time of day nor zone.
            since = datetime.now(UTC).date() - timedelta(days=1)
            return Position(epoch=f"{epoch}{_SINCE}{since}", floor=str(last), cursor=str(last))
        elif since is not None:
            epoch = f"{epoch}{_SINCE}{since}"
        return self._since(epoch, since) if since is not None else Position(epoch=epoch, floor="0", cursor="0")

    def _since(self, epoch: str, since: date) -> Position:
        everything = self._everything()
        wanted = set(self._link.search(f"SINCE {search_date(since)}".encode("ascii"), step="list"))
        floor = min(wanted, default=max(everything, default=0) + 1) - 1
        # UIDs grow with arrival, INTERNALDATE need not: older mail above the floor is left alone by name.
        alone = frozenset(str(uid) for uid in everything if uid > floor and uid not in wanted)
        return Position(epoch=epoch, floor=str(floor), cursor=str(floor), known=alone)

    def _everything(self) -> Sequence[int]:
        return self._search_above(0)

    def _search(self, position: Position) -> Sequence[int]:
        opened = self._link.opened
        if not opened.exists:
            return []
        if opened.exists > SEARCH_WINDOW and not (self._stays and int(position.cursor or 0)):
            return self._search_above(int(position.floor or 0))
        keys = criteria(position, stays=self._stays, uidnext=opened.uidnext)
        return self._link.search(keys, step="list") if keys else []

    def _search_above(self, floor: int) -> Sequence[int]:
        """Ask for all UIDs, range by range in a large folder, so that no answer is longer than it needs to be."""
        opened = self._link.opened
        low = floor + 1
        if opened.exists <= SEARCH_WINDOW or not opened.uidnext:
            return self._link.search(f"UID {low}:*".encode("ascii"), step="list")
        window = max(SEARCH_WINDOW, (opened.uidnext - low) // SEARCH_WINDOWS_AT_MOST + 1)
        found: MutableSequence[int] = []
        while low < opened.uidnext:
            found += self._link.search(f"UID {low}:{low + window - 1}".encode("ascii"), step="list")
            low += window
        return found


def _stays(mailbox: Mailbox) -> bool:
    return mailbox.leave_msg_on_server and not mailbox.processed_items_folder_name


def _validity(position: Position) -> int:
    text = position.epoch.partition(_SINCE)[0]
    return int(text) if text.isdigit() else 0


def _day(position: Position | None) -> date | None:
    day = position.epoch.partition(_SINCE)[2] if position is not None else ""
    return date.fromisoformat(day) if day else None
