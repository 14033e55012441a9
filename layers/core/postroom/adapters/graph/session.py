"""The Microsoft Graph connector: a folder of Exchange Online, looked at and listed; messages go by immutable id."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from postroom.adapters import utc_now
from postroom.adapters.graph import act as graph_act
from postroom.adapters.graph import fetch as graph_fetch
from postroom.adapters.graph.client import GONE, Graph, NextPageLost, Page
from postroom.adapters.graph.folders import INBOX, find_folder, is_inbox
from postroom.adapters.graph.grouped_look import MOST, Look, ask_together, company
from postroom.adapters.graph.newest_page import (
    GLANCE,
    Mark,
    by_id,
    is_busy,
    is_due,
    is_enough,
    is_unread,
    item_of,
    newest,
    read_mark,
    received,
    stays,
)
from postroom.adapters.net import HttpClient, Network, trace_of
from postroom.adapters.oauth import graph_of
from postroom.errors import FolderMissing, PostroomError, Transient
from postroom.model import Action, Fetched, FetchFailed, Item, Listing, Position, undone
from postroom.model.configuration import Mailbox

PAGE = 250
FOUND_FOR = timedelta(minutes=5)  # for which a folder that is no inbox is looked at together with others by its id
COMPARING_SECONDS = 120.0  # that one listing of a large folder takes at most
COMPARING = 3  # the part of a session's time that it takes at most
TRIED_AGAIN = 20  # messages that failed before, and are asked for by id
ASKED_FOR = 3  # messages by their ids, where a mailbox is opened in another way
SHORT_PAGE = 25  # where a longer one takes Exchange too long (microsoft-graph-docs issues 5853, 11628)
_SIZE = "Integer 0x0E08"  # PidTagMessageSize ([MS-OXPROPS] 2.796); the message resource itself tells no size
_WITH_SIZE = f"&$expand=singleValueExtendedProperties($filter={quote(f'id eq {_SIZE!r}', safe='')})"
_FIELDS = "id,isRead,receivedDateTime,internetMessageId"
_T = TypeVar("_T")
_Read = tuple[dict[str, dict[str, Any]], list[int], bool]
_Newest = tuple[dict[str, dict[str, Any]], int | None]  # rows by id, oldest first, and how many there are in all


@dataclass(frozen=True, slots=True)
class GraphConnector:
    """Opens Exchange Online mailboxes; `secret` is the access token."""

    allowed_networks: Sequence[Network] = ()
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], datetime] = utc_now
    _folders: dict[tuple[str, ...], tuple[str, datetime]] = field(default_factory=dict)  # where → id, when found

    def open(self, mailbox: Mailbox, *, secret: str, deadline: float, ask: Position | None = None) -> GraphSession:
        """Find the folder (ports.Connector); with `ask`, the one request is the look itself."""
        http = HttpClient(
            deadline=deadline,
            connect_timeout=mailbox.connect_timeout.total_seconds(),
            timeout=mailbox.protocol_timeout.total_seconds(),
            allowed_networks=self.allowed_networks,
            ca_pem=mailbox.ca_certificate,
            trace=trace_of(mailbox),
        )
        graph = Graph(
            http,
            base=graph_of(mailbox),
            user=mailbox.user,
            token=secret,
            on=mailbox.name,
            sleep=self.sleep,
        )
        try:
            return self._begin(graph, mailbox, ask)
        except BaseException:
            http.close()
            raise

    def _begin(self, graph: Graph, mailbox: Mailbox, ask: Position | None) -> GraphSession:
        key = _place(mailbox)
        known = self._folders.get(key)
        if known is not None and is_inbox(mailbox.folder_path, mailbox.folder_separator):
            try:
                return GraphSession(graph, mailbox, known[0], ask=ask, clock=self.clock)
            except FolderMissing:
                self._folders.pop(key, None)
        # A folder that was deleted keeps its id among the deleted items, where one made anew in its place never shows.
        found = find_folder(graph, mailbox.folder_path, mailbox.folder_separator)
        session = GraphSession(graph, mailbox, found, ask=ask, clock=self.clock)
        self._folders[key] = found, self.clock()
        return session

    @property
    def together(self) -> int:
        """Return how many mailboxes a batch takes (ports.LooksTogether)."""
        return MOST

    def company(self, mailbox: Mailbox, position: Position) -> Hashable | None:
        """Say with whom a mailbox can be looked at (ports.LooksTogether): who has the same token and the same Graph."""
        if self._known_folder(mailbox) is None:
            return None
        if is_due(position, stays=stays(mailbox), now=self.clock()):
            return None
        return company(mailbox)

    def look_together(
        self, asked: Sequence[tuple[Mailbox, Position]], *, secret: str, deadline: float
    ) -> Iterator[tuple[Mailbox, bool | PostroomError]]:
        """Look at up to twenty mailboxes in a request (ports.LooksTogether)."""
        looks = [
            Look(mailbox, position, folder)
            for mailbox, position in asked
            if (folder := self._known_folder(mailbox)) is not None
        ]
        yield from ask_together(
            looks, token=secret, deadline=deadline, allowed_networks=self.allowed_networks, sleep=self.sleep
        )

    def _known_folder(self, mailbox: Mailbox) -> str | None:
        if is_inbox(mailbox.folder_path, mailbox.folder_separator):
            found = self._folders.get(_place(mailbox))
            return found[0] if found else INBOX
        one, at = self._folders.get(_place(mailbox), ("", self.clock()))
        return one if one and timedelta(0) <= self.clock() - at < FOUND_FOR else None


def _without(position: Position, gone: Collection[str]) -> Position:
    return replace(
        position,
        known=position.known.difference(gone),
        problems={one: tries for one, tries in position.problems.items() if one not in gone},
    )


def _place(mailbox: Mailbox) -> tuple[str, ...]:
    return (mailbox.name, graph_of(mailbox), mailbox.user, mailbox.folder_path, mailbox.folder_separator)


class GraphSession:
    """An open folder (ports.Session, ports.Extendable, ports.Counts)."""

    def __init__(
        self, graph: Graph, mailbox: Mailbox, folder: str, *, ask: Position | None, clock: Callable[[], datetime]
    ) -> None:
        self._graph = graph
        self._mailbox = mailbox
        self._clock = clock
        self._stays = stays(mailbox)
        self._folder = f"/mailFolders/{quote(folder, safe='')}"
        self._messages = f"{self._folder}/messages"
        self._seen: Page | None = None
        self._short = False  # pages
        if ask is None:
            graph.get(f"{self._folder}?$select=id", step="folder")
        else:  # the look's own request says as well whether login and folder are right
            self._seen = self._glance()
        graph.opened = True

    def look(self, position: Position | None) -> bool:
        """Tell whether there is anything to do: one request, for the newest messages and how many there are."""
        if position is None or is_due(position, stays=self._stays, now=self._clock()):
            return True
        seen, self._seen = self._seen or self._glance(), None
        return is_busy(seen, position, stays=self._stays)

    def list(self, position: Position | None) -> Listing:
        """List news with size and arrival, oldest first, and what is unfinished.

        Where mail stays on the server, the newest pages are read, as long as they say enough; else the whole folder.
        """
        position = position or Position()
        try:
            return self._list(position)
        except NextPageLost:
            try:
                return self._list(position)
            except NextPageLost as error:
                raise Transient(
                    "The list of messages changed while it was read", on=self._graph.on, step="list", code="page_lost"
                ) from error

    def _list(self, position: Position) -> Listing:
        mark = read_mark(position.cursor)
        if mark.begun is None and (not self._stays or is_due(position, stays=True, now=self._clock())):
            return self._list_on(position, mark, None)
        page = self._newest()
        rows = dict(reversed(by_id(page).items()))
        if not page.more:
            return self._whole(rows, page.count, position)
        rows = self._tried_again(position, rows) | rows
        if mark.begun is not None or not is_enough(page, position, now=self._clock()):
            return self._list_on(position, mark, (rows, page.count))
        listing = self._compare(rows, position)
        below = (position.known | position.problems.keys()) - rows.keys()
        return replace(listing, known=listing.known + len(below))

    def _newest(self) -> Page:
        return self._in_reach(
            lambda top: self._graph.page(newest(self._messages, select=_FIELDS, top=top) + _WITH_SIZE, step="list"),
            most=GLANCE,
        )

    def _tried_again(self, position: Position, rows: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Ask by id for what failed before, and lies further down; what is not there any more is left out."""
        found = {}
        waited = {one: trying.last.timestamp() for one, trying in position.trying.items()}
        below = sorted(position.tried_again() - rows.keys(), key=lambda one: (waited.get(one, 0.0), one))
        for one in below[:TRIED_AGAIN]:
            path = f"/messages/{quote(one, safe='')}?$select={_FIELDS}{_WITH_SIZE}"
            answer = self._graph.ask("GET", path, step="list", besides=GONE)
            if answer.status == 200 and answer.json().get("id") == one:
                found[one] = answer.json()
        return found

    def _list_on(self, position: Position, mark: Mark, seen: _Newest | None) -> Listing:
        """Compare the folder, oldest first, from where an earlier listing stopped, for as long as there is time.

        It stops besides when it has found more than some polls fetch. The next listing goes on from the first message
        that is neither stored nor left alone, or after the last one that was read. `seen`: what was asked already of
        the newest messages, and their number.
        """
        rows, counts, ended = self._in_reach(lambda top: self._read_on(position, mark, top), most=PAGE)
        news = [row for one, row in rows.items() if self._is_news(one, position)]
        few = len(news) <= self._mailbox.maximum_msg_number
        if ended and mark.begun is None and (few or not self._stays):
            return replace(self._whole(rows, min(counts, default=None), position), renewed=self._stays)
        if seen is None:
            page = self._newest()
            seen = dict(reversed(by_id(page).items())), page.count
        if ended and few:
            return self._completed(position, mark, rows | seen[0], seen[1])
        found = position.seen | ((position.known | position.problems.keys()) & rows.keys())
        held = next((row for row in news if received(row)), None) or next(reversed(rows.values()))
        reached = replace(mark, begun=mark.begun or self._clock(), upto=received(held) or mark.upto)
        position = replace(position, seen=found, cursor=reached.text())
        # What has come in meanwhile does not wait for the rest, only for a backlog, which keeps its order.
        listing = self._compare(rows | seen[0], position)
        return replace(listing, partial=True, renewed=True)

    def _read_on(self, position: Position, mark: Mark, top: int) -> _Read:
        """Read pages from a mark on; returns rows by id, the numbers that pages told, and whether that was all."""
        left = self._graph.http.deadline - time.monotonic()
        until = time.monotonic() + min(COMPARING_SECONDS, left / COMPARING)
        at_most = max(PAGE, 2 * self._mailbox.maximum_msg_number)
        rows: dict[str, dict[str, Any]] = {}
        counts: list[int] = []
        since = f"&$filter={quote(f'receivedDateTime ge {mark.upto}', safe='')}" if mark.upto else ""
        path = f"{self._messages}?$select={_FIELDS}{since}&$orderby=receivedDateTime&$top={top}&$count=true{_WITH_SIZE}"
        news = 0
        for page in self._graph.pages(path, step="list"):
            counts += [page.count] if page.count is not None else []
            found = by_id(page)
            news += sum(self._is_news(one, position) for one in found.keys() - rows.keys())
            rows |= found
            last = received(page.rows[-1]) if page.rows else ""
            # Several may have come in the same second: a mark has to move on.
            if page.more and last not in ("", mark.upto) and (news >= at_most or time.monotonic() >= until):
                return rows, counts, False
        return rows, counts, True

    def _is_news(self, one: str, position: Position) -> bool:
        return one not in position.known and one not in position.problems

    def _whole(self, rows: dict[str, dict[str, Any]], count: int | None, position: Position) -> Listing:
        """Compare the whole folder, and forget what is no longer there."""
        mark = Mark(self._clock(), max(0, (count or 0) - len(rows)))
        there = replace(position, cursor=mark.text() if self._stays else "", seen=frozenset())
        if count is None or len(rows) >= count:
            there = _without(there, (position.known | position.problems.keys()) - rows.keys())
        # Else the listing has ended too early: what it left out is not gone, and would be fetched a second time.
        return self._compare(rows, there)

    def _completed(self, position: Position, mark: Mark, rows: dict[str, dict[str, Any]], count: int | None) -> Listing:
        """End a comparison that took several listings: what none of them has shown is no longer there."""
        remembered = position.known | position.problems.keys()
        seen = position.seen | (remembered & rows.keys())
        number = len(seen) + sum(self._is_news(one, position) for one in rows)
        done = Mark(mark.begun, max(0, (count or 0) - number))
        there = replace(position, cursor=done.text() if self._stays else "", seen=frozenset())
        if count is None or number >= count:
            there = _without(there, remembered - seen)
        listing = self._compare(rows, there)
        return replace(listing, renewed=True)

    def _compare(self, rows: dict[str, dict[str, Any]], position: Position) -> Listing:
        """Hold what was listed against what is known."""
        left_alone = position.left_alone()
        news = tuple(item_of(row) for one, row in rows.items() if one not in position.known and one not in left_alone)
        unfinished = tuple(
            one
            for one, row in rows.items()
            if one in position.known and one not in left_alone and (not self._stays or is_unread(row))
        )
        known = len(rows) - len(news) - len(unfinished)
        waiting = undone(position, {one: is_unread(row) for one, row in rows.items()})
        return Listing(news=news, unfinished=unfinished, known=known, position=position, undone=waiting)

    def recognizes(self, position: Position) -> bool:
        """Tell whether a known message is there: immutable ids are one mailbox's alone (ports.Recognizes)."""
        newest_ids = {str(row.get("id")) for row in self._glance().rows}
        if not position.known.isdisjoint(newest_ids):
            return True
        return any(self._is_there(one) for one in sorted(position.known)[:ASKED_FOR])

    def _is_there(self, one: str) -> bool:
        path = f"/messages/{quote(one, safe='')}?$select=id"
        answer = self._graph.ask("GET", path, step="list", besides=(400, *GONE))  # 400: an id that is none here
        return answer.status == 200 and bool(answer.json().get("id"))

    def count(self) -> int | None:
        """Return how many messages lie in the folder (ports.Counts)."""
        found = self._graph.get(f"{self._folder}?$select=totalItemCount", step="list").get("totalItemCount")
        return found if type(found) is int and found >= 0 else None

    def fetch(self, items: Sequence[Item]) -> Iterator[Fetched | FetchFailed]:
        """Fetch whole messages in order, four at a time, each streamed into a file of its own."""
        return graph_fetch.run(self._graph, items, mailbox=self._mailbox, works=self._works)

    def headers(self, item: Item) -> bytes:
        """Fetch the header section only: byte for byte, broken off where the body begins."""
        return graph_fetch.header(self._graph, item)

    def act(self, ids: Sequence[str], action: Action) -> Collection[str]:
        """Mark, move or delete; what is gone is no error."""
        if ids:
            graph_act.run(self._graph, ids, action, mailbox=self._mailbox)
        return ()

    def extend(self, deadline: float) -> None:
        """Move the deadline of everything that follows (ports.Extendable)."""
        self._graph.http.deadline = deadline

    def close(self) -> None:
        """Drop the connections; never raises."""
        self._graph.http.close()

    # --- within

    def _glance(self) -> Page:
        return self._in_reach(lambda top: self._graph.page(newest(self._messages, top=top), step="list"), most=GLANCE)

    def _in_reach(self, ask: Callable[[int], _T], *, most: int) -> _T:
        """Ask for pages of so many messages, or for short ones where these take Exchange too long."""
        if not self._short:
            try:
                return ask(most)
            except Transient as error:
                if error.code != "unavailable" or error.retry_after is not None:
                    raise
            self._short = True
        return ask(SHORT_PAGE)

    def _works(self) -> bool:
        """Tell whether Graph answers for this mailbox now."""
        try:
            self._graph.get(f"{self._folder}?$select=id", step="fetch")
        except PostroomError:
            return False
        return True
