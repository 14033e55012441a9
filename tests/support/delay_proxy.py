"""A TCP proxy that adds round-trip time: every byte arrives `rtt`/2 later, in either direction, at full throughput."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import selectors
import socket
import threading
import time
from collections import deque
from types import TracebackType
from typing import Self

_CHUNK = 256 * 1024


class _End:
    """One end of a proxied connection: what came from the other end is sent here when its time has come."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.other: _End = self
        self.not_before = 0.0  # what is received here is sent on no earlier than half a round trip after this
        self.unsent: deque[memoryview] = deque()  # its time has come; an empty one is the end
        self.reading = True
        self.finished = False  # all was sent, and the end too


class DelayProxy:
    """Forwards 127.0.0.1:`port` to a target port while it is entered.

    Chunks are stamped when they come in and sent when their time has come, so many are on their way at once, as on a
    long line. Opening a connection takes a round trip more, by holding the first bytes back. All in one thread: what
    the proxy costs is not to be what a benchmark of a hundred connections measures.
    """

    def __init__(self, target: int, *, rtt: float, host: str = "127.0.0.1") -> None:
        self._target = (host, target)
        self._rtt = rtt
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listening.getsockname()[1]
        self.connections = 0
        self._waking, self._woken = socket.socketpair()
        # Not epoll, whose time-outs are whole milliseconds.
        self._selector = selectors.SelectSelector()
        self._on_the_way: list[tuple[float, int, _End, bytes]] = []
        self._order = itertools.count()
        self._thread = threading.Thread(target=self._run, name="delay-proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waking.close()
        self._thread.join(5)

    def _run(self) -> None:
        self._selector.register(self._listening, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        try:
            while self._turn():
                pass
        finally:
            for key in list(self._selector.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr]  # all of them are sockets
            self._selector.close()

    def _turn(self) -> bool:
        wait = max(0.0, self._on_the_way[0][0] - time.monotonic()) if self._on_the_way else None
        for key, events in self._selector.select(wait):
            if key.fileobj is self._woken:
                return False
            if key.fileobj is self._listening:
                self._accept()
                continue
            end: _End = key.data
            if events & selectors.EVENT_WRITE:
                self._send(end)
            if events & selectors.EVENT_READ and end.reading:
                self._receive(end)
        now = time.monotonic()
        while self._on_the_way and self._on_the_way[0][0] <= now:
            _due, _order, end, data = heapq.heappop(self._on_the_way)
            end.unsent.append(memoryview(data))
            self._send(end)
        return True

    def _accept(self) -> None:
        try:
            client, _peer = self._listening.accept()
        except OSError:
            return
        self.connections += 1
        try:
            server = socket.create_connection(self._target)
        except OSError:
            client.close()
            return
        one, two = _End(client), _End(server)
        one.other, two.other = two, one
        for end in (one, two):
            # The kernel has answered the client's SYN at once: the time that takes on a real line is made up for here.
            end.not_before = time.monotonic() + self._rtt
            end.sock.setblocking(False)
            end.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._watch(end)

    def _receive(self, end: _End) -> None:
        try:
            data = end.sock.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            end.reading = False
            self._watch(end)
        due = max(time.monotonic(), end.not_before) + self._rtt / 2
        heapq.heappush(self._on_the_way, (due, next(self._order), end.other, data))

    def _send(self, end: _End) -> None:
        try:
            while end.unsent:
                data = end.unsent[0]
                if not data:
                    end.unsent.clear()
                    end.sock.shutdown(socket.SHUT_WR)
                    end.finished = True
                    break
                sent = end.sock.send(data)
                if sent == len(data):
                    end.unsent.popleft()
                else:
                    end.unsent[0] = data[sent:]
        except BlockingIOError:
            pass
        except OSError:  # whoever was to have it has gone
            end.unsent.clear()
            end.finished = True
        self._watch(end)

    def _watch(self, end: _End) -> None:
        """Wait for what there is to wait for; close both ends when nothing will pass any more."""
        if end.sock.fileno() < 0:
            return
        events = (selectors.EVENT_READ if end.reading else 0) | (selectors.EVENT_WRITE if end.unsent else 0)
        known = end.sock in self._selector.get_map()
        if known and not events:
            self._selector.unregister(end.sock)
        elif known:
            self._selector.modify(end.sock, events, end)
        elif events:
            self._selector.register(end.sock, events, end)
        if end.finished and end.other.finished:
            for one in (end, end.other):
                with contextlib.suppress(KeyError):
                    self._selector.unregister(one.sock)
                one.sock.close()
