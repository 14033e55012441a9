"""An open Exchange mailbox folder (ports.Session). Ids are EWS item ids, which hold as long as an item is not moved."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Hashable, Iterator, MutableMapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice

from postroom.adapters import utc_now
from postroom.adapters.ews import fetch as ews_mime
from postroom.adapters.ews.calls import CHANGES, Changes, Exchange, Row, StateLost
from postroom.adapters.ews.connection import Link
from postroom.adapters.ews.folders import Folders, names_of
from postroom.adapters.ews.sync_state import (
    OPEN_AT_MOST,
    RENEWED_AT,
    STATE_AT_MOST,
    Mark,
    arrival,
    read_mark,
    short,
    sort_changes,
)
from postroom.adapters.net import Network, agreed, looks_cut_off
from postroom.errors import FolderMissing, LoginRefused, Permanent, PostroomError, Transient
from postroom.model import Action, Fetched, FetchFailed, Item, Listing, Position, undone
from postroom.model.configuration import Mailbox

AT_ONCE = 20  # messages in one request
BYTES_AT_ONCE = 4 * 1024 * 1024
MEGABYTE = 1024 * 1024
COMPARING_SECONDS = 120.0  # that one listing of a large folder takes at most
COMPARING = 3  # the part of a session's time that it takes at most
NEWEST = 100  # items that are shown beside a comparison under way
_NEVER = datetime.fromtimestamp(0, UTC)
RECOGNIZED_AMONG = 5_000  # items
MANY_LEFT = 500  # mails left alone, mostly old ones from before the first connection
CANNOT_TELL = frozenset({"command_refused", "client_bug"})
"""Refusals of SyncFolderItems as such: folders of groups and public folders do not have it."""


class EwsSession:
    """A logged-in mailbox with its folder found."""

    def __init__(
        self,
        mailbox: Mailbox,
        *,
        secret: str,
        deadline: float,
        allowed_networks: tuple[Network, ...] = (),
        clock: Callable[[], datetime] = utc_now,
        ask: Position | None = None,
        folders: MutableMapping[Hashable, str] | None = None,
    ) -> None:
        """Log in and find the folder.

        `folders` remembers what was found before, by what it depends on; with `ask`, the look's own request is then
        what says whether login and folder are right.
        """
        if not secret.isprintable() or not secret:
            raise LoginRefused("The password is empty or holds impossible characters", on=mailbox.name, step="login")
        self._mailbox = mailbox
        # As with IMAP: what was moved away or deleted is dealt with; what stays was marked read.
        self._stays = mailbox.leave_msg_on_server and not mailbox.processed_items_folder_name
        self._link = Link(mailbox, secret=secret, deadline=deadline, allowed_networks=allowed_networks)
        self._exchange = Exchange(self._link)
        self._clock = clock
        self._paths = Folders(self._link, self._exchange, mailbox.folder_separator)
        self._changed: tuple[str, Changes] | None = None  # a cursor, and what has changed since
        self._seen: tuple[Position, bool] | None = None  # a look that was taken when it was opened, and its answer
        remembered = {} if folders is None else folders
        path = (mailbox.folder_path, mailbox.folder_separator)
        key = (mailbox.name, mailbox.server, mailbox.user, mailbox.service_account, path)
        self._folder = remembered.get(key, "")
        try:
            # A deleted folder keeps its id among the deleted items, where one made anew in its place never shows.
            lasts = not names_of(mailbox.folder_path, mailbox.folder_separator)
            if not (lasts and self._folder and ask is not None and self._has_looked(ask)):
                self._folder = remembered[key] = self._paths.find(mailbox.folder_path)
        except BaseException:
            self._link.close()
            raise

    def look(self, position: Position | None) -> bool:
        """Tell whether there is anything to do: one request where the server can say what has changed.

        Without that, pages are asked for until something is found.
        """
        (asked, answer), self._seen = self._seen or (None, False), None
        if position is None or asked == position:
            return position is None or answer
        return self._look(position)

    def _look(self, position: Position) -> bool:
        if self._follows(position):
            mark = read_mark(position.cursor, folder=self._folder)
            if mark is None or mark.is_due(self._clock()):
                return True
            if mark.state:
                return self._has_changed(position, mark)
        left_alone = position.left_alone()
        with self._link.exchange("list"):
            for row in self._exchange.rows(self._folder):
                if row.id not in left_alone and not (row.id in position.known and self._is_finished(row)):
                    return True
                if undone(position, {row.id: row.read is False}):
                    return True
        return False

    def list(self, position: Position | None) -> Listing:
        """List news with the sizes that Exchange tells, oldest first, and what is unfinished."""
        position = position or Position()
        if not self._follows(position):
            with self._link.exchange("list"):
                return self._compare(replace(position, cursor=""), self._paged())
        mark = read_mark(position.cursor, folder=self._folder)
        if mark is not None and mark.begun is not None:
            return self._list_on(position, mark)
        return self._list_changes(position) or self._list_on(position, mark)

    def _compare(self, position: Position, rows: dict[str, Row]) -> Listing:
        """Hold everything that is there against what is known."""
        left_alone = position.left_alone()
        known = frozenset(position.known & rows.keys())
        news = tuple(
            Item(row.id, row.size, row.received, row.message_id)
            for row in rows.values()
            if row.id not in known and row.id not in left_alone
        )
        unfinished = tuple(one for one in rows if one in known - left_alone and not self._is_finished(rows[one]))
        return Listing(
            news=news,
            unfinished=unfinished,
            known=len(rows) - len(news) - len(unfinished),
            position=replace(
                position, known=known, problems={one: n for one, n in position.problems.items() if one in rows}
            ),
            undone=undone(position, {one: row.read is False for one, row in rows.items()}),
        )

    def recognizes(self, position: Position) -> bool:
        """Tell whether a known item lies there: item ids are one mailbox's alone (ports.Recognizes)."""
        with self._link.exchange("list"):
            rows = islice(self._exchange.rows(self._folder), RECOGNIZED_AMONG) if position.known else ()
            return any(row.id in position.known for row in rows)

    def fetch(self, items: Sequence[Item]) -> Iterator[Fetched | FetchFailed]:
        """Fetch whole messages in order, some in one request; GetItem marks nothing read."""
        for part in _parts(items):
            largest = max((item.size or 0 for item in part), default=0)
            limit = max(3 * largest, 2 * self._mailbox.maximum_msg_size * MEGABYTE) + MEGABYTE
            doubts: list[Fetched] = []
            try:
                for result in ews_mime.fetch(self._link, part, limit=limit):
                    if isinstance(result, Fetched) and looks_cut_off(result.path):
                        doubts.append(result)
                    else:
                        yield result
                again = ews_mime.fetch(self._link, [one.item for one in doubts], limit=limit) if doubts else ()
                for first, second in zip(tuple(doubts), again, strict=True):
                    doubts.remove(first)
                    yield agreed(first, second)
            finally:
                for one in doubts:
                    one.path.unlink(missing_ok=True)

    def headers(self, item: Item) -> bytes:
        """Fetch the header section only: as it came in, or as the server took it apart."""
        with self._link.exchange("fetch"):
            try:
                whole, parsed = self._exchange.header_fields(item.id)
            except (FolderMissing, Permanent) as error:
                raise Transient(error.what, on=error.on, step="fetch", code=error.code) from error
        section = _section(whole) or b"".join(map(_field, parsed))
        if not section:
            raise Transient("The server gave no header for the message", on=self._mailbox.name, step="fetch")
        return section + b"\r\n"

    def act(self, ids: Sequence[str], action: Action) -> Collection[str]:
        """Mark, move or delete by id; ids that are gone are no error, repeating is harmless."""
        if not ids:
            return ()
        if action is Action.MARK_READ:
            with self._link.exchange("act"):
                self._exchange.mark_read(ids)
        elif action is Action.DELETE:
            with self._link.exchange("act"):
                self._exchange.delete(ids)
        else:
            self._move(
                ids,
                self._mailbox.processed_items_folder_name
                if action is Action.MOVE
                else self._mailbox.failed_items_folder_name,
            )
        return ()

    def extend(self, deadline: float) -> None:
        """Move the deadline of everything that follows (ports.Extendable)."""
        self._link.deadline = deadline

    def close(self) -> None:
        """Drop the connection: EWS has no log-out. Never raises."""
        self._link.close()

    # --- within

    def _follows(self, position: Position) -> bool:
        """Tell whether the folder is large with what stays there, so that asking for changes is cheaper than pages."""
        return self._stays or len(position.problems) > MANY_LEFT

    def _paged(self) -> dict[str, Row]:
        # An item that arrives between two pages may move another to the next one: it is there once.
        return {row.id: row for row in self._exchange.rows(self._folder)}

    def _has_changed(self, position: Position, mark: Mark) -> bool:
        try:
            with self._link.exchange("list"):
                changes = self._exchange.changes(self._folder, mark.state, pages=1)
        except StateLost:
            return True
        if not changes.whole:
            return True
        self._changed = (position.cursor, changes)
        found = sort_changes(changes.items, position, mark, stays=self._stays)
        return found is None or bool(found.news or found.unfinished) or len(changes.items) >= RENEWED_AT

    def _list_changes(self, position: Position) -> Listing | None:
        """List what has changed since the position's mark; None when that does not say enough."""
        mark = read_mark(position.cursor, folder=self._folder)
        if mark is None or not mark.state or mark.is_due(self._clock()):
            return None
        (cursor, changes), self._changed = self._changed or ("", None), None
        if changes is None or cursor != position.cursor:
            try:
                with self._link.exchange("list"):
                    changes = self._exchange.changes(self._folder, mark.state)
            except StateLost:
                return None
        found = sort_changes(changes.items, position, mark, stays=self._stays)
        if found is None:
            return None
        gone = {one for one, row in changes.items.items() if row is None}
        position = replace(
            position,
            known=position.known - gone,
            problems={one: tries for one, tries in position.problems.items() if one not in gone},
        )
        listing = Listing(
            news=tuple(Item(row.id, row.size, row.received, row.message_id) for row in found.news),
            unfinished=found.unfinished,
            known=len((position.known | position.problems.keys()) - {row.id for row in found.news})
            - len(found.unfinished),
            position=position,
            renewed=len(changes.items) >= RENEWED_AT,
            undone=undone(position, {one: row.read is False for one, row in changes.items.items() if row is not None}),
        )
        return self._marked(listing, changes, compared=mark.compared)

    def _list_on(self, position: Position, mark: Mark | None) -> Listing:
        """Compare the folder from where an earlier listing stopped, for as long as there is time.

        It stops besides when it has found more than some polls fetch. The next listing goes on before the first answer
        that held mail which is not stored yet.
        """
        resumed = mark is not None and mark.begun is not None
        begun = (mark.begun if mark else None) or self._clock()
        try:
            changes, held = self._read_on(position, mark.state if mark and resumed else "")
        except StateLost:
            return self._list_on(replace(position, cursor="", seen=frozenset()), None)
        except PostroomError as error:
            if error.code not in CANNOT_TELL:
                raise
            changes, held = Changes({}, "", whole=True), ""
        gone = {one for one, row in changes.items.items() if row is None}
        rows = {one: row for one, row in changes.items.items() if row is not None}
        unsized = any(row.size is None and self._is_news(one, position) for one, row in rows.items())
        remembered = (position.known | position.problems.keys()) - gone
        seen = (position.seen | (remembered & rows.keys())) - gone
        few = sum(self._is_news(one, position) for one in rows) <= OPEN_AT_MOST
        if not changes.state or unsized or (changes.whole and not resumed):
            return self._list_all(position, changes, now=begun)
        if changes.whole and few:
            listing = self._compare_part(_without(position, (position.known | position.problems.keys()) - seen), rows)
            return replace(self._marked(listing, changes, compared=begun), renewed=True)
        compared = mark.compared if mark is not None else _NEVER
        cursor = Mark(short(self._folder), compared, held, begun=begun).text()
        there = replace(_without(position, gone), seen=frozenset(seen), cursor=cursor)
        # What has come in meanwhile does not wait for the rest, only for a backlog, which keeps its order.
        with self._link.exchange("list"):
            newest = {row.id: row for row in self._exchange.newest(self._folder, NEWEST)}
        rows = dict(sorted(rows.items(), key=lambda pair: arrival(pair[1])))
        listing = self._compare_part(there, rows | newest)
        return replace(listing, partial=True, renewed=True)

    def _read_on(self, position: Position, state: str) -> tuple[Changes, str]:
        """Ask for changes until there are no more, or it is enough; returns the state to go on from, too."""
        until = time.monotonic() + min(COMPARING_SECONDS, (self._link.deadline - time.monotonic()) / COMPARING)
        at_most = max(CHANGES, 2 * self._mailbox.maximum_msg_number)
        items: dict[str, Row | None] = {}
        held: str | None = None
        news = 0
        while True:
            with self._link.exchange("list"):
                part = self._exchange.changes(self._folder, state, pages=1)
            found = sum(row is not None and self._is_news(one, position) for one, row in part.items.items())
            if found and held is None:
                held = state
            news += found
            for one, row in part.items.items():
                before = items.get(one)
                items[one] = replace(before, read=row.read) if before and row and row.size is None else row
            state = part.state
            if part.whole or news >= at_most or time.monotonic() >= until:
                return Changes(items, state, part.whole), state if held is None else held

    def _is_news(self, one: str, position: Position) -> bool:
        return one not in position.known and one not in position.problems

    def _compare_part(self, position: Position, rows: dict[str, Row]) -> Listing:
        """Hold a part of what is there against what is known; what it does not show is not gone."""
        listing = self._compare(position, rows)
        return replace(listing, position=replace(listing.position, known=position.known, problems=position.problems))

    def _list_all(self, position: Position, changes: Changes, *, now: datetime) -> Listing:
        """Compare the whole folder as it was told at once; by pages where the server cannot tell sizes or changes."""
        position = replace(position, seen=frozenset())
        rows = {one: row for one, row in changes.items.items() if row is not None}
        if not changes.state or any(row.size is None for row in rows.values()):
            with self._link.exchange("list"):
                rows = self._paged()
        oldest_first = dict(sorted(rows.items(), key=lambda pair: arrival(pair[1])))
        listing = self._compare(position, oldest_first)
        marked = self._marked(listing, replace(changes, items=rows), compared=now)
        return replace(marked, renewed=bool(marked.position.cursor))  # too much is open: nothing worth a write

    def _marked(self, listing: Listing, changes: Changes, *, compared: datetime) -> Listing:
        """Note in the position how far this listing goes."""
        state = changes.state if len(changes.state) <= STATE_AT_MOST else ""
        still_open = {}
        for one in (*(item.id for item in listing.news), *listing.unfinished):
            row = changes.items.get(one)
            still_open[one] = row is None or row.read is False
        mark = Mark(short(self._folder), compared, state, still_open)
        return replace(listing, position=replace(listing.position, cursor=mark.text()))

    def _is_finished(self, row: Row) -> bool:
        return self._stays and row.read is not False

    def _has_looked(self, position: Position) -> bool:
        """Look into the folder that was found before; False when that took no request, or it is not there any more."""
        if self._follows(position):
            mark = read_mark(position.cursor, folder=self._folder)
            if mark is None or mark.is_due(self._clock()):
                return False
        try:
            self._seen = (position, self._look(position))
        except PostroomError as error:
            if not isinstance(error, FolderMissing) and error.code not in CANNOT_TELL:
                raise
            return False
        return True

    def _move(self, ids: Sequence[str], path: str) -> None:
        target = self._paths.made(path)
        if target == self._folder:
            return
        with self._link.exchange("act"):
            try:
                self._exchange.move(ids, target)
            except Transient:
                self._paths.forget()  # it may have been deleted; the next poll finds or makes it
                raise


def _without(position: Position, gone: Collection[str]) -> Position:
    return replace(
        position,
        known=position.known.difference(gone),
        problems={one: tries for one, tries in position.problems.items() if one not in gone},
        seen=frozenset(),
    )


def _parts(items: Sequence[Item]) -> Iterator[list[Item]]:
    part: list[Item] = []
    size = 0
    for item in items:
        weight = BYTES_AT_ONCE if item.size is None else item.size
        if part and (len(part) == AT_ONCE or size + weight > BYTES_AT_ONCE):
            yield part
            part, size = [], 0
        part.append(item)
        size += weight
    if part:
        yield part


def _section(text: str) -> bytes:
    """Bring a header section as Exchange keeps it to the form of a message: CRLF, no preamble, nothing behind it."""
    lines = text.replace("\r\n", "\n").split("\n")
    if lines and lines[0].startswith("Microsoft Mail Internet Headers"):
        del lines[0]
    lines = lines[: lines.index("")] if "" in lines else lines
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace")


def _field(pair: tuple[str, str]) -> bytes:
    name, value = pair
    value = re.sub(r"[\r\n]+[ \t]*", "\r\n ", value.strip())  # folding stays, and nothing becomes a field of its own
    return f"{name}: {value}\r\n".encode("utf-8", "replace")
