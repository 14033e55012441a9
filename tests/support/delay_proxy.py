"""A TCP proxy that adds round-trip time: every byte arrives `rtt`/2 later, in either direction, at full throughput."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from types import TracebackType
from typing import Self

_CHUNK = 256 * 1024


class DelayProxy:
    """Forwards 127.0.0.1:`port` to a target port while it is entered.

    Chunks are stamped when they come in and sent when their time has come, so many are on their way at once, as on a
    long line. Opening a connection takes a round trip more, by holding the first bytes back.
    """

    def __init__(self, target: int, *, rtt: float, host: str = "127.0.0.1") -> None:
        self._target = (host, target)
        self._rtt = rtt
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listening.getsockname()[1]
        self.connections = 0
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._stopping = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="delay-proxy", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._stopping:
            try:
                client, _peer = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._connect, args=(client,), name="delay-proxy", daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._target)
        except OSError:
            client.close()
            return
        with self._lock:
            self._open |= {client, server}
        # The kernel has answered the client's SYN at once: the time that takes on a real line is made up for here.
        not_before = time.monotonic() + self._rtt
        finished = threading.Barrier(2, action=lambda: self._close(client, server))
        for source, sink in ((client, server), (server, client)):
            sock_queue: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            arguments = (source, sock_queue, not_before)
            threading.Thread(target=self._receive, args=arguments, name="delay-proxy", daemon=True).start()
            threading.Thread(
                target=self._send, args=(sink, sock_queue, finished), name="delay-proxy", daemon=True
            ).start()

    def _receive(
        self, source: socket.socket, chunks: queue.SimpleQueue[tuple[float, bytes]], not_before: float
    ) -> None:
        while True:
            try:
                data = source.recv(_CHUNK)
            except OSError:
                data = b""
            chunks.put((max(time.monotonic(), not_before) + self._rtt / 2, data))
            if not data:
                return

    @staticmethod
    def _send(sink: socket.socket, chunks: queue.SimpleQueue[tuple[float, bytes]], finished: threading.Barrier) -> None:
        while True:
            due, data = chunks.get()
            if (wait := due - time.monotonic()) > 0:
                time.sleep(wait)
            try:
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    break
                sink.sendall(data)
            except OSError:
                break
        with contextlib.suppress(threading.BrokenBarrierError):
            finished.wait()

    def _close(self, *sockets: socket.socket) -> None:
        with self._lock:
            self._open -= set(sockets)
        for sock in sockets:
            sock.close()
