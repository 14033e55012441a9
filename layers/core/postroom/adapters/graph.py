"""The Microsoft Graph connector: messages of a folder by immutable id, as MIME, and what is done with them.

At most four requests at a time: Exchange Online serves a mailbox and application no more than that at once.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from postroom.adapters.clock import utc_now
from postroom.adapters.graph_batch import MOST, Look, ask_together, company
from postroom.adapters.graph_client import GATEWAY, GONE, Graph, NextPageLost, Page, error_code, is_gone
from postroom.adapters.graph_folders import INBOX, find_folder, is_inbox, make_folder
from postroom.adapters.graph_look import GLANCE, Mark, by_id, is_busy, is_due, is_enough, item_of, newest, stays
from postroom.adapters.http import AT_A_TIME, Answer, HttpClient, Streamed
from postroom.adapters.network import Network
from postroom.adapters.oauth_requests import graph_of
from postroom.adapters.trace import trace_of
from postroom.errors import FolderMissing, PostroomError, ServerMisbehaved, Transient
from postroom.model.mailbox import Mailbox
from postroom.model.polling import GIVEN_UP, Position
from postroom.ports import Action, Fetched, FetchFailed, Item, Listing

PAGE = 250
SHORT_PAGE = 25  # where a longer one takes Exchange too long (microsoft-graph-docs issues 5853, 11628)
HEADER_LIMIT = 4 * 1024 * 1024
SLACK = 4 * 1024 * 1024
_SIZE = "Integer 0x0E08"  # PidTagMessageSize ([MS-OXPROPS] 2.796); the message resource itself tells no size
_WITH_SIZE = f"&$expand=singleValueExtendedProperties($filter={quote(f'id eq {_SIZE!r}', safe='')})"
_FIELDS = "id,isRead,receivedDateTime"
_CHUNK = 256 * 1024
_T = TypeVar("_T")
_OF_ONE = frozenset({"command_refused", "read_only", "unavailable"})  # what Graph may say of one message only
_ENOUGH = 10  # messages refused, and none taken: it is not them


@dataclass(frozen=True, slots=True)
class GraphConnector:
    """Opens Exchange Online mailboxes; `secret` is the access token."""

    allowed_networks: Sequence[Network] = ()
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], datetime] = utc_now
    _folders: dict[tuple[str, ...], str] = field(default_factory=dict)  # where it is → its id, found before

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
        if known is not None:
            try:
                return GraphSession(graph, mailbox, known, ask=ask, clock=self.clock)
            except FolderMissing:  # deleted, and perhaps made anew, since it was found
                self._folders.pop(key, None)
        found = find_folder(graph, mailbox.folder_path, mailbox.folder_separator)
        session = GraphSession(graph, mailbox, found, ask=ask, clock=self.clock)
        self._folders[key] = found
        return session

    @property
    def together(self) -> int:
        """How many mailboxes a batch takes (ports.LooksTogether)."""
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
        found = self._folders.get(_place(mailbox))
        return INBOX if found is None and is_inbox(mailbox.folder_path, mailbox.folder_separator) else found


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
            return self._list_newest(position) or self._list_all(position)
        except NextPageLost:
            try:
                return self._list_all(position)
            except NextPageLost as error:
                raise Transient(
                    "The list of messages changed while it was read", on=self._graph.on, step="list", code="page_lost"
                ) from error

    def _list_newest(self, position: Position) -> Listing | None:
        """List down to what was dealt with before; None when one page does not say enough."""
        if not self._stays or is_due(position, stays=True, now=self._clock()):
            return None
        page = self._in_reach(
            lambda top: self._graph.page(newest(self._messages, select=_FIELDS, top=top) + _WITH_SIZE, step="list"),
            most=GLANCE,
        )
        rows = dict(reversed(by_id(page).items()))
        if not page.more:
            return self._whole(rows, page.count, position)
        if not is_enough(page, position, now=self._clock()):
            return None
        listing = self._compare(rows, position)
        below = (position.known | position.problems.keys()) - rows.keys()
        return replace(listing, known=listing.known + len(below))

    def _list_all(self, position: Position) -> Listing:
        return self._in_reach(lambda top: self._list_pages(position, top), most=PAGE)

    def _list_pages(self, position: Position, top: int) -> Listing:
        rows: dict[str, dict[str, Any]] = {}
        counts: list[int] = []
        path = f"{self._messages}?$select={_FIELDS}&$orderby=receivedDateTime&$top={top}&$count=true{_WITH_SIZE}"
        for page in self._graph.pages(path, step="list"):
            counts += [page.count] if page.count is not None else []
            rows |= by_id(page)
        # Its moment is worth a write: else every look of the next days would compare again.
        return replace(self._whole(rows, min(counts, default=None), position), renewed=self._stays)

    def _whole(self, rows: dict[str, dict[str, Any]], count: int | None, position: Position) -> Listing:
        """Compare the whole folder, and forget what is no longer there."""
        mark = Mark(self._clock(), max(0, (count or 0) - len(rows)))
        there = replace(
            position,
            cursor=mark.text() if self._stays else "",
            known=position.known & rows.keys(),
            problems={one: tries for one, tries in position.problems.items() if one in rows},
        )
        return self._compare(rows, there)

    def _compare(self, rows: dict[str, dict[str, Any]], position: Position) -> Listing:
        """Hold what was listed against what is known."""
        left_alone = {one for one, tries in position.problems.items() if tries >= GIVEN_UP}
        news = tuple(item_of(row) for one, row in rows.items() if one not in position.known and one not in left_alone)
        unfinished = tuple(
            one
            for one, row in rows.items()
            if one in position.known and one not in left_alone and (not self._stays or row.get("isRead") is False)
        )
        known = len(rows) - len(news) - len(unfinished)
        return Listing(news=news, unfinished=unfinished, known=known, position=position)

    def count(self) -> int | None:
        """Return how many messages lie in the folder (ports.Counts)."""
        found = self._graph.get(f"{self._folder}?$select=totalItemCount", step="list").get("totalItemCount")
        return found if type(found) is int and found >= 0 else None

    def fetch(self, items: Sequence[Item]) -> Iterator[Fetched | FetchFailed]:
        """Fetch whole messages in order, four at a time, each streamed into a file of its own."""
        todo = deque(items)
        flying: deque[Future[Fetched | FetchFailed]] = deque()
        given_up = threading.Event()
        pool = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="graph")
        try:
            while todo or flying:
                while todo and len(flying) < AT_A_TIME:
                    flying.append(pool.submit(self._fetch, todo.popleft(), given_up))
                yield flying.popleft().result()
        finally:
            given_up.set()
            pool.shutdown(wait=True, cancel_futures=True)
            for future in flying:
                if not future.cancelled() and future.exception() is None:
                    result = future.result()
                    if isinstance(result, Fetched):
                        result.path.unlink(missing_ok=True)

    def headers(self, item: Item) -> bytes:
        """Fetch the header section only: byte for byte, broken off where the body begins."""
        with self._graph.value(item.id, step="fetch") as answer:
            if answer.status != 200:
                raise self._refused(answer)
            data = bytearray()
            while b"\r\n\r\n" not in data and len(data) < HEADER_LIMIT:
                piece = answer.read(16 * 1024)
                if not piece:
                    break
                data += piece
        end = data.find(b"\r\n\r\n")
        return bytes(data if end < 0 else data[: end + 4])

    def act(self, ids: Sequence[str], action: Action) -> None:
        """Mark, move or delete; what is gone is no error."""
        if not ids:
            return
        one: Callable[[str], None]
        match action:
            case Action.MARK_READ:
                one = self._mark_read
            case Action.DELETE:
                one = self._delete
            case Action.MOVE | Action.MOVE_FAILED:
                mailbox = self._mailbox
                moved = action is Action.MOVE
                name = mailbox.processed_items_folder_name if moved else mailbox.failed_items_folder_name
                one = partial(self._move, make_folder(self._graph, name, mailbox.folder_separator))
        refused: list[PostroomError] = []
        with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="graph") as pool:
            for number, error in enumerate(pool.map(partial(_tried, one), ids), 1):
                refused += [error] if error else []
                if len(refused) == number >= _ENOUGH:
                    break
        if refused:
            raise refused[0]

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

    def _fetch(self, item: Item, given_up: threading.Event) -> Fetched | FetchFailed:
        with self._graph.value(item.id, step="fetch") as answer:
            if answer.status == 200:
                if "content-length" not in answer.headers and "chunked" not in answer.headers.get(
                    "transfer-encoding", ""
                ):
                    # Its end would be the end of the connection, which looks the same when it breaks.
                    raise ServerMisbehaved(
                        "The server does not say where a message ends", on=self._graph.on, step="fetch"
                    )
                return self._spool(item, answer, given_up)
            error = self._refused(answer)
        return self._not_fetched(item, answer.status, error)

    def _not_fetched(self, item: Item, status: int, error: PostroomError) -> FetchFailed:
        """Blame a message for what was answered instead of it; raises what concerns all messages."""
        if error.code == "gone":
            return FetchFailed(item, "it is no longer on the server", gone=True)
        # The token, the mailbox and throttling are none of its own.
        if status in (401, 403, 404, 429) or error.retry_after is not None:
            raise error
        # Nor is a service that does not work; but a large message alone may take Exchange too long (issue 21183 of
        # microsoft-graph-docs), and would keep all others waiting.
        if status in GATEWAY and not self._works():
            raise error
        return FetchFailed(item, error.what)

    def _spool(self, item: Item, answer: Streamed, given_up: threading.Event) -> Fetched | FetchFailed:
        most = 2 * max(self._mailbox.maximum_msg_size * 1024 * 1024, item.size or 0) + SLACK
        digest = hashlib.sha256()
        size = 0
        handle, name = tempfile.mkstemp(prefix="postroom-", suffix=".eml")
        path = Path(name)
        try:
            while piece := answer.read(_CHUNK):
                size += len(piece)
                if size > most or given_up.is_set():
                    path.unlink(missing_ok=True)
                    return FetchFailed(item, f"it is longer than {most:,} bytes, and said to be {item.size or 0:,}")
                digest.update(piece)
                view = memoryview(piece)
                while view:
                    view = view[os.write(handle, view) :]
            if not size:
                path.unlink(missing_ok=True)
                return FetchFailed(item, "the server sent nothing for it")
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            os.close(handle)
        return Fetched(item, path, size, digest.hexdigest())

    def _refused(self, answer: Streamed) -> PostroomError:
        """Say what an answer without a message means."""
        whole = Answer(answer.status, answer.headers, answer.read())
        if is_gone(whole):
            return Transient("The message is no longer on the server", on=self._graph.on, step="fetch", code="gone")
        if answer.status in GATEWAY | {401, 403, 404, 429}:
            return self._graph.refusal(whole, step="fetch")
        told = f"{answer.status} {error_code(whole)}".strip()
        return ServerMisbehaved(f"the server answered {told}", on=self._graph.on, step="fetch", code="not_fetched")

    def _works(self) -> bool:
        """Tell whether Graph answers for this mailbox now."""
        try:
            self._graph.get(f"{self._folder}?$select=id", step="fetch")
        except PostroomError:
            return False
        return True

    def _mark_read(self, message_id: str) -> None:
        self._graph.ask("PATCH", _message(message_id), step="act", content={"isRead": True}, besides=GONE)

    def _delete(self, message_id: str) -> None:
        self._graph.ask("DELETE", _message(message_id), step="act", besides=GONE)

    def _move(self, folder: str, message_id: str) -> None:
        content = {"destinationId": folder}
        self._graph.ask("POST", f"{_message(message_id)}/move", step="act", content=content, besides=GONE)


def _tried(act: Callable[[str], None], message_id: str) -> PostroomError | None:
    """Act on a message; return what was refused of it alone."""
    try:
        act(message_id)
    except PostroomError as error:
        if error.code not in _OF_ONE or error.retry_after is not None:
            raise
        return error
    return None


def _message(message_id: str) -> str:
    return f"/messages/{quote(message_id, safe='')}"
