"""The IMAP connector: what is new in a folder, the messages themselves, and what is done on the server afterwards."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, MutableSequence, Sequence
from dataclasses import dataclass, field, replace

from postroom.adapters.imap import act as imap_act
from postroom.adapters.imap import fetch as imap_fetch
from postroom.adapters.imap.connection import Link
from postroom.adapters.imap.fetch import with_sizes
from postroom.adapters.imap.uid_sets import (
    LAST_UID,
    SET_LENGTH,
    criteria,
    left_there,
    looked_from,
    retries,
    sort_out,
    uid_sets,
)
from postroom.adapters.net import HostLimits, Network, Rules
from postroom.model import Action, Fetched, FetchFailed, Item, Likeness, Listing, Position, Record, undone
from postroom.model.configuration import FirstConnection, Mailbox

LISTED_AT_LEAST = 1_000
SMALL_FOLDER = 5_000  # messages; larger ones wait for the daily comparison when there are fewer than before
WITNESSES = 8  # records by which a restored folder shows
RESTORES_BELIEVED = 3
UNTOLD = Record(None, None)
SEARCH_WINDOW = 50_000  # so many UIDs, on average, are asked for at a time in folders that hold more


@dataclass(frozen=True, slots=True)
class ImapConnector:
    """Opens IMAP mailboxes. `secret` is the password, or the access token of a mailbox with a `client_id`."""

    allowed_networks: Sequence[Network] = ()
    allow_plaintext_credentials: bool = False
    _limits: HostLimits = field(default_factory=HostLimits)

    def open(self, mailbox: Mailbox, *, secret: str, deadline: float, ask: Position | None = None) -> ImapSession:
        """Connect and EXAMINE the folder (ports.Connector).

        `ask`: the position that `look` will be asked with; where the server bears it, that search goes out together
        with the login (4 round trips in all instead of 6).
        """
        search = criteria(ask, stays=mailbox.stays, uidnext=0) if ask is not None else b""
        if len(search) > SET_LENGTH:
            search = b""
        rules = Rules(tuple(self.allowed_networks), self.allow_plaintext_credentials, self._limits)
        return ImapSession(Link(mailbox, secret=secret, deadline=deadline, rules=rules, search=search), asked=ask)


class ImapSession:
    """An open folder (ports.Session, ports.Compares)."""

    def __init__(self, link: Link, *, asked: Position | None = None) -> None:
        self._link = link
        self._mailbox = link.mailbox
        self._stays = link.mailbox.stays
        self._asked = asked
        self._expected: dict[int, Record] = {}  # what was stored under a UID, or is listed to be

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
        if any(sort_out(found, position)) or self._undone(position, found):
            return True
        return self._stays and position.exists is not None and self._link.exists() != position.exists

    def list(self, position: Position | None) -> Listing:
        """List news with size and arrival, oldest first, and what is unfinished.

        Of a large backlog only the oldest are listed (a thousand, or five cycles' worth): sizes of all of them, in
        every cycle, would cost more than the mail. While the first connection's choice is still to be made, all are.
        """
        begun = self._begin(position)
        if isinstance(begun, Listing):
            return begun
        try:
            return self._listing(begun, self._search(begun), anew=begun is not position, first=position is None)
        except _Restored:
            return self._anew()

    def recognizes(self, position: Position) -> bool:
        """Tell whether the newest recorded mails lie there, under the same UIDVALIDITY (ports.Recognizes)."""
        if _validity(position) != self._link.opened.uidvalidity:
            return False
        witnesses = sorted(map(int, position.records), reverse=True)[:WITNESSES]
        with_sizes(self._link, sorted(witnesses))
        shown = self._link.shown
        likeness = {position.records[str(uid)].likeness(shown[uid]) for uid in witnesses if uid in shown}
        return Likeness.SAME in likeness and Likeness.OTHER not in likeness

    def compare(self, position: Position | None, stored: Container[str]) -> tuple[Listing, Collection[str]]:
        """List what `list` does, and everything that lies there and is not stored (ports.Compares)."""
        begun = self._begin(position)
        if isinstance(begun, Listing):
            return begun, ()
        there = [uid for uid in self._above(0) if uid > int(begun.floor or 0)]
        lacking = {uid for uid in there if str(uid) not in stored and str(uid) not in begun.problems}
        found = sorted(lacking.union(self._search(begun)))
        try:
            listing = self._listing(begun, found, anew=begun is not position, first=position is None)
        except _Restored:
            return self._anew(), ()
        left_out = lacking.union(map(int, begun.problems))
        return replace(listing, suspect=False), [str(uid) for uid in there if uid not in left_out]

    def _begin(self, position: Position | None) -> Position | Listing:
        """Bring a position to the server's epoch; a listing when the first connection leaves all alone."""
        opened = self._link.opened
        if position is not None and not self._renumbered(position):
            return position
        begun = Position(epoch=str(opened.uidvalidity), floor="0", cursor="0")
        if position is None and self._mailbox.first_connection is FirstConnection.FROM_NOW:
            last = str(opened.uidnext - 1 if opened.uidnext else max(self._above(0), default=0))
            exists = self._link.exists()
            return Listing((), (), exists, replace(begun, floor=last, cursor=last, exists=self._accounted(exists)))
        return begun

    def _anew(self) -> Listing:
        """List everything: the ids stand for other mails than those that were stored."""
        begun = Position(epoch=str(self._link.opened.uidvalidity), floor="0", cursor="0")
        return self._listing(begun, self._search(begun), anew=True, first=False)

    def _listing(self, position: Position, found: Sequence[int], *, anew: bool, first: bool) -> Listing:
        """Sort out what was found, by size and date where there are records; raises _Restored."""
        news, recorded = sort_out(found, position)
        at_most = max(LISTED_AT_LEAST, 5 * self._mailbox.maximum_msg_number)
        if anew and self._mailbox.first_connection is not FirstConnection.ALL:
            at_most = len(news)
        total, news = len(news), news[:at_most]
        witnesses = self._witnesses(position)
        sized = self._sized([*news, *recorded], besides=witnesses)
        if self._is_restored(position, witnesses):
            raise _Restored
        self._expected.update((int(uid), record) for uid, record in position.records.items())
        likeness = {uid: self._likeness(uid) for uid in recorded if uid in sized}
        strangers = {uid for uid, like in likeness.items() if like is Likeness.OTHER}
        unfinished = [uid for uid, like in likeness.items() if like is Likeness.SAME]
        news = [uid for uid in sorted({*news, *strangers}) if uid in sized]
        self._expected.update((uid, self._link.shown.get(uid, UNTOLD)) for uid in news)
        there = self._without_gone(position, found)
        exists = self._link.exists()
        rest = max(0, exists - total - len(strangers))
        accounted = self._accounted(rest)
        differs = None not in (accounted, position.exists) and accounted != position.exists
        return Listing(
            news=tuple(sized[uid] for uid in news),
            unfinished=tuple(map(str, unfinished)),
            known=max(0, rest - len(unfinished)),
            position=replace(there, exists=accounted),
            resynced=anew and not first,
            renewed=differs,
            suspect=differs and (rest > (position.exists or 0) or exists <= SMALL_FOLDER),
            undone=self._undone(there, found, there=there.promised()),
        )

    def _accounted(self, count: int) -> int | None:
        """Return how many messages are accounted for; where mail goes away, all that is there is looked at anyway."""
        return count if self._stays else None

    def _undone(self, position: Position, found: Sequence[int], *, there: Collection[str] = ()) -> frozenset[str]:
        """Name what waits although the server said that it was done; `there`: what is known to lie there besides.

        Up to the line, a search finds only the unread where mail stays; of others it does not say whether they are.
        """
        line = looked_from(position, stays=True) if self._stays else 0
        return undone(position, {**dict.fromkeys(there, False), **{str(uid): uid <= line for uid in found}})

    def _likeness(self, uid: int) -> Likeness:
        return self._expected[uid].likeness(self._link.shown.get(uid, UNTOLD))

    def _witnesses(self, position: Position) -> Sequence[int]:
        """Name the newest records, which show whether a folder in which mail stays was restored from a backup.

        A server whose dates do not last is believed so often, and no more.
        """
        if not self._stays or position.restored >= RESTORES_BELIEVED:
            return []
        return sorted((int(uid) for uid in position.records), reverse=True)[:WITNESSES]

    def _is_restored(self, position: Position, witnesses: Sequence[int]) -> bool:
        """Tell whether the newest of these that is there has another date; older ones came back with the backup.

        Sizes say nothing: they change where a server makes messages anew.
        """
        records, shown = position.records, self._link.shown
        dates = [(records[str(uid)].date, shown[uid].date) for uid in witnesses if uid in shown]
        return next((was != now for was, now in dates if was is not None and now is not None), False)

    def fetch(self, items: Sequence[Item]) -> Iterator[Fetched | FetchFailed]:
        """Fetch whole messages, in sets, several of them in flight."""
        yield from imap_fetch.Fetching(self._link).run(items)

    def headers(self, item: Item) -> bytes:
        """Fetch the header section only."""
        return imap_fetch.headers(self._link, item)

    def act(self, ids: Sequence[str], action: Action) -> Collection[str]:
        """Mark, move or delete by UID what shows over this connection that it is the recorded mail (ADR 0018)."""
        if not ids:
            return ()
        uids = sorted(map(int, ids))
        self._link.begin("act")  # connects anew, if that must be, before anything is asked
        if unseen := [uid for uid in uids if uid not in self._link.shown]:
            with_sizes(self._link, unseen, step="act")
        there = [uid for uid in uids if uid in self._link.shown]
        if same := [uid for uid in there if uid in self._expected and self._likeness(uid) is Likeness.SAME]:
            imap_act.run(self._link, same, action)
        return [str(uid) for uid in there if uid not in self._expected or self._likeness(uid) is Likeness.OTHER]

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
        beyond = f"UID {opened.uidnext}:{LAST_UID}".encode("ascii")
        if opened.exists and self._link.search(beyond, step="list"):
            opened.uidnext = 0  # it is told wrongly
            return False
        return True

    def _sized(self, uids: Sequence[int], *, besides: Sequence[int]) -> dict[int, Item]:
        """Ask for sizes, and `besides` of others; what is there and gets no answer has one that nobody can say (G02).

        Exchange leaves messages out that it cannot convert. Whatever is left out here would be taken for dealt with.
        """
        sized = {int(item.id): item for item in with_sizes(self._link, sorted({*uids, *besides}))}
        missing = [uid for uid in uids if uid not in sized]
        for uid_set, _members in uid_sets(sorted(missing)):
            for uid in self._link.search(b"UID " + uid_set, step="list"):
                sized.setdefault(uid, Item(str(uid), None))
        return sized

    def _without_gone(self, position: Position, found: Sequence[int]) -> Position:
        """Drop from the problem list what is no longer on the server; what is being tried again stays.

        A message is gone only when neither SEARCH nor FETCH knows it.
        """
        aside = set(map(int, position.left_alone())) - set(found)
        for uid_set, _members in uid_sets(sorted(aside)):
            aside.difference_update(self._link.search(b"UID " + uid_set, step="list"))
        if aside:
            aside.difference_update(int(item.id) for item in with_sizes(self._link, sorted(aside)))
        kept = {uid: tries for uid, tries in position.problems.items() if int(uid) not in aside}
        return replace(position, problems=kept)

    def _search(self, position: Position) -> Sequence[int]:
        opened = self._link.opened
        if not opened.exists:
            return []
        if opened.exists > SEARCH_WINDOW and not (self._stays and int(position.cursor or 0)):
            if left_there(position, stays=self._stays):
                return self._search_apart(position)
            line = looked_from(position, stays=self._stays)
            return sorted({*self._above(line), *self._again(position, below=line)})
        keys = criteria(position, stays=self._stays, uidnext=opened.uidnext)
        if len(keys) > SET_LENGTH:
            return self._search_apart(position)
        return self._link.search(keys, step="list") if keys else []

    def _search_apart(self, position: Position) -> Sequence[int]:
        """Find the same where the question is too long for one line: thousands stored beyond one that is not."""
        floor, line = int(position.floor or 0), looked_from(position, stays=self._stays)
        stored = set(left_there(position, stays=self._stays))
        found = set(self._above(line)) - stored
        if self._stays:
            unseen = self._link.search(f"UID {floor + 1}:{LAST_UID} UNSEEN".encode("ascii"), step="list")
            found.update(uid for uid in unseen if uid <= line or uid in stored)
        found.update(self._again(position, below=LAST_UID))
        return sorted(found)

    def _again(self, position: Position, *, below: int) -> Collection[int]:
        """Find what failed before, up to a UID."""
        found: set[int] = set()
        for uid_set, _members in uid_sets([uid for uid in retries(position) if uid <= below]):
            found.update(self._link.search(b"UID " + uid_set, step="list"))
        return found

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


class _Restored(Exception):
    """The folder holds other mails under the ids of the newest records."""


def _validity(position: Position) -> int:
    return int(position.epoch) if position.epoch.isdigit() else 0
