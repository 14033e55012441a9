"""An open Exchange mailbox folder (ports.Session). Ids are EWS item ids, which hold as long as an item is not moved."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Iterator, MutableMapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from postroom.adapters import utc_now
from postroom.adapters.ews import fetch as ews_mime
from postroom.adapters.ews.calls import Changes, Exchange, Row, StateLost
from postroom.adapters.ews.connection import Link
from postroom.adapters.ews.sync_state import RENEWED_AT, STATE_AT_MOST, Mark, arrival, read_mark, short, sort_changes
from postroom.adapters.net import Network, agreed, looks_cut_off
from postroom.errors import FolderMissing, LoginRefused, Permanent, PostroomError, Transient
from postroom.model import Action, Fetched, FetchFailed, Item, Listing, Position, undone
from postroom.model.configuration import Mailbox

AT_ONCE = 20  # messages in one request
BYTES_AT_ONCE = 4 * 1024 * 1024
MEGABYTE = 1024 * 1024
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
        self._folders: dict[str, str] = {}
        self._changed: tuple[str, Changes] | None = None  # a cursor, and what has changed since
        self._inbox = ""
        self._seen: tuple[Position, bool] | None = None  # a look that was taken when it was opened, and its answer
        remembered = {} if folders is None else folders
        path = (mailbox.folder_path, mailbox.folder_separator)
        key = (mailbox.name, mailbox.server, mailbox.user, mailbox.service_account, path)
        self._folder = remembered.get(key, "")
        try:
            # A deleted folder keeps its id among the deleted items, where one made anew in its place never shows.
            lasts = not _names(mailbox.folder_path, mailbox.folder_separator)
            if not (lasts and self._folder and ask is not None and self._has_looked(ask)):
                self._inbox = self._find_inbox()
                self._folder = remembered[key] = self._find(mailbox.folder_path)
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
        return self._list_changes(position) or self._list_all(position)

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

    def _list_all(self, position: Position) -> Listing:
        """List the whole folder, and begin to ask for changes; by pages where the server cannot tell them."""
        now = self._clock()
        changes = Changes({}, "", whole=True)
        try:
            with self._link.exchange("list"):
                changes = self._exchange.changes(self._folder, "")
        except PostroomError as error:
            if error.code not in CANNOT_TELL:
                raise
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

    def _find_inbox(self) -> str:
        with self._link.exchange("login"):
            return self._exchange.inbox()

    def _find(self, path: str) -> str:
        """Find the folder to fetch from."""
        found = self._inbox
        for name in _names(path, self._mailbox.folder_separator):
            with self._link.exchange("folder"):
                below = self._exchange.subfolder(found, name)
            if below is None:
                raise FolderMissing(
                    f"The folder {path} is not there: below the Inbox, {name} is missing",
                    on=self._link.on,
                    step="folder",
                )
            found = below
        return found

    def _move(self, ids: Sequence[str], path: str) -> None:
        target = self._made(path)
        if target == self._folder:
            return
        with self._link.exchange("act"):
            try:
                self._exchange.move(ids, target)
            except Transient:
                self._folders.clear()  # it may have been deleted; the next poll finds or makes it
                raise

    def _made(self, path: str) -> str:
        """Find a folder below the Inbox, and make what is missing of it."""
        if path in self._folders:
            return self._folders[path]
        found = self._inbox = self._inbox or self._find_inbox()
        for name in _names(path, self._mailbox.folder_separator):
            with self._link.exchange("act"):
                below = self._exchange.subfolder(found, name)
                if below is None:
                    below = self._create(found, name, path) or self._exchange.subfolder(found, name)
            if below is None:
                raise self._not_created(path)
            found = below
        self._folders[path] = found
        return found

    def _create(self, parent: str, name: str, path: str) -> str | None:
        try:
            with self._link.exchange("act"):
                return self._exchange.create_folder(parent, name)
        except PostroomError as error:
            if error.code in ("connection_lost", "deadline_exceeded", "server_busy", "unavailable"):
                raise
            raise self._not_created(path, error.what) from error

    def _not_created(self, path: str, why: str = "") -> Transient:
        return Transient(
            f"The folder {path} could not be created{': ' + why if why else ''}",
            on=self._link.on,
            step="act",
            code="folder_not_created",
            remedy=f"Create the folder {path} below the Inbox; the mail is stored here already.",
        )


def _names(path: str, separator: str) -> list[str]:
    """Split a path relative to the Inbox (G14); the Inbox itself may be named, and is none of its folders."""
    names = [name for name in path.split(separator) if name]
    return names[1:] if names and names[0].casefold() == "inbox" else names


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
