"""Messages of Microsoft Graph as MIME: whole, four at a time, each into a file of its own, or the header section only.

Exchange Online serves a mailbox and application no more than four requests at once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from postroom.adapters.graph.client import GATEWAY, Graph, error_code, is_gone
from postroom.adapters.net import AT_A_TIME, Answer, Spool, Streamed, agreed, looks_cut_off
from postroom.errors import PostroomError, ServerMisbehaved, Transient
from postroom.model import Fetched, FetchFailed, Item
from postroom.model.configuration import Mailbox

HEADER_LIMIT = 4 * 1024 * 1024
SLACK = 4 * 1024 * 1024
_CHUNK = 256 * 1024
_OF_ALL = frozenset({401, 403, 404, 429})  # the token, the mailbox and throttling are no message's own


def run(
    graph: Graph, items: Sequence[Item], *, mailbox: Mailbox, works: Callable[[], bool]
) -> Iterator[Fetched | FetchFailed]:
    """Fetch in order; `works` tells whether Graph answers for this mailbox at all, which is asked after trouble."""
    fetching = _Fetching(graph, mailbox.maximum_msg_size * 1024 * 1024, works)
    todo = deque(items)
    flying: deque[Future[Fetched | FetchFailed]] = deque()
    pool = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="graph")
    try:
        while todo or flying:
            while todo and len(flying) < AT_A_TIME:
                flying.append(pool.submit(fetching.fetch, todo.popleft()))
            yield flying.popleft().result()
    finally:
        fetching.given_up.set()
        pool.shutdown(wait=True, cancel_futures=True)
        for future in flying:
            if not future.cancelled() and future.exception() is None:
                result = future.result()
                if isinstance(result, Fetched):
                    result.path.unlink(missing_ok=True)


def header(graph: Graph, item: Item) -> bytes:
    """Fetch the header section only: byte for byte, broken off where the body begins."""
    with graph.value(item.id, step="fetch") as answer:
        if answer.status != 200:
            raise _refused(graph, answer)
        data = bytearray()
        while b"\r\n\r\n" not in data and len(data) < HEADER_LIMIT:
            piece = answer.read(16 * 1024)
            if not piece:
                break
            data += piece
    end = data.find(b"\r\n\r\n")
    return bytes(data if end < 0 else data[: end + 4])


class _Fetching:
    """What the threads of one fetch share."""

    def __init__(self, graph: Graph, limit: int, works: Callable[[], bool]) -> None:
        self.given_up = threading.Event()
        self._graph = graph
        self._limit = limit
        self._works = works

    def fetch(self, item: Item) -> Fetched | FetchFailed:
        """Fetch one message; raises what concerns all of them.

        What looks cut off is asked for again: Graph tells no length of a message, and what stands in between may end it
        early in good order. What comes twice alike is the message.
        """
        found = self._fetch(item)
        if not isinstance(found, Fetched) or not looks_cut_off(found.path):
            return found
        try:
            return agreed(found, self._fetch(item))
        finally:
            found.path.unlink(missing_ok=True)

    def _fetch(self, item: Item) -> Fetched | FetchFailed:
        with self._graph.value(item.id, step="fetch") as answer:
            if answer.status == 200:
                coding = answer.headers.get("transfer-encoding", "")
                if "content-length" not in answer.headers and "chunked" not in coding:
                    # Its end would be the end of the connection, which looks the same when it breaks.
                    raise ServerMisbehaved(
                        "The server does not say where a message ends", on=self._graph.on, step="fetch"
                    )
                return self._receive(item, answer)
            error = _refused(self._graph, answer)
        return self._not_fetched(item, answer.status, error)

    def _receive(self, item: Item, answer: Streamed) -> Fetched | FetchFailed:
        most = 2 * max(self._limit, item.size or 0) + SLACK
        with Spool() as spool:
            while piece := answer.read(_CHUNK):
                if spool.size + len(piece) > most or self.given_up.is_set():
                    return FetchFailed(item, f"it is longer than {most:,} bytes, and said to be {item.size or 0:,}")
                spool.write(piece)
            if not spool.size:
                return FetchFailed(item, "the server sent nothing for it", doubtful=True)
            content = spool.keep()
        return Fetched(item, content.path, content.size, content.sha256)

    def _not_fetched(self, item: Item, status: int, error: PostroomError) -> FetchFailed:
        """Blame a message for what was answered instead of it; raises what concerns all messages."""
        if error.code == "gone":
            return FetchFailed(item, "it is no longer on the server", gone=True)
        if status in _OF_ALL or error.retry_after is not None:
            raise error
        # Nor is a service that does not work; but a large message alone may take Exchange too long (issue 21183 of
        # microsoft-graph-docs), and would keep all others waiting.
        if status in GATEWAY and not self._works():
            raise error
        return FetchFailed(item, error.what)


def _refused(graph: Graph, answer: Streamed) -> PostroomError:
    """Say what an answer without a message means."""
    whole = Answer(answer.status, answer.headers, answer.read())
    if is_gone(whole):
        return Transient("The message is no longer on the server", on=graph.on, step="fetch", code="gone")
    if answer.status in GATEWAY | _OF_ALL:
        return graph.refusal(whole, step="fetch")
    told = f"{answer.status} {error_code(whole)}".strip()
    return ServerMisbehaved(f"the server answered {told}", on=graph.on, step="fetch", code="not_fetched")
