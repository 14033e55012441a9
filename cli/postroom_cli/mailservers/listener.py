"""What the three servers share: a listening socket on 127.0.0.1, a thread for each connection, and a clean stop."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from postroom_cli.mailservers.certificates import Certificate, local_authority, local_certificate


class Closed(Exception):
    """The client has gone, or the server stops."""


class Connection:
    """One client, in blocking reads and writes; counts nothing, judges nothing."""

    def __init__(self, sock: socket.socket, stopping: threading.Event) -> None:
        self._sock = sock
        self._buffer = b""
        self.stopping = stopping
        self.hangs = False  # the server says nothing more until it stops
        self.encrypted = isinstance(sock, ssl.SSLSocket)

    def line(self, limit: int = 1_000_000) -> bytes:
        """Read a line without its end."""
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > limit:
                raise Closed
            self._receive()
        line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
        return line.removesuffix(b"\r")

    def exactly(self, count: int) -> bytes:
        """Read counted bytes."""
        while len(self._buffer) < count:
            self._receive()
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def send(self, data: bytes) -> None:
        """Send all."""
        try:
            self._sock.sendall(data)
        except (OSError, ValueError) as error:
            raise Closed from error

    def drip(self, data: bytes, seconds: float) -> None:
        """Send byte after byte, `seconds` apart, until the server stops."""
        self.hangs = True
        for index in range(len(data)):
            self.send(data[index : index + 1])
            if self.stopping.wait(seconds):
                raise Closed

    def hang(self) -> None:
        """Say nothing until the server stops."""
        self.hangs = True
        self.stopping.wait()
        raise Closed

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Go over to TLS; what the client sent before is forgotten."""
        self._buffer = b""
        try:
            self._sock = context.wrap_socket(self._sock, server_side=True)
        except (OSError, ValueError) as error:
            raise Closed from error
        self.encrypted = True

    def hang_up(self) -> None:
        """End it from another thread: the one that serves it wakes up and closes it.

        Who closes a socket that another thread writes to hands its number to the next file that is opened, and what is
        written goes there.
        """
        with contextlib.suppress(OSError, ValueError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close, in the thread that serves it."""
        self.hang_up()
        with contextlib.suppress(OSError, ValueError):
            self._sock.close()

    def _receive(self) -> None:
        try:
            data = self._sock.recv(262_144)
        except (OSError, ValueError) as error:
            raise Closed from error
        if not data:
            raise Closed
        self._buffer += data


class Listener:
    """Accepts connections while it is entered, and lets `serve` talk to each until it goes or raises Closed.

    `tls` is implicit, starttls or none.
    """

    def __init__(
        self,
        serve: Callable[[Connection], None],
        *,
        tls: str = "implicit",
        certificate: Certificate | None = None,
        port: int = 0,
    ) -> None:
        if tls not in ("implicit", "starttls", "none"):
            raise ValueError(f"tls is implicit, starttls or none, not {tls!r}")
        self._talk = serve
        self.tls = tls
        self.host = "127.0.0.1"
        self.port = port
        self.ca_pem = ""
        self.context: ssl.SSLContext | None = None
        if tls != "none":
            if certificate is None:
                certificate = local_certificate()
                self.ca_pem = local_authority().pem
            else:
                self.ca_pem = certificate.certificate_pem
            self.context = certificate.server_context()
        self.connections = 0  # accepted so far
        self.most_connections = 0  # at once; what is beyond is closed without a word (Courier's MAXPERIP). 0: no limit
        self.turned_away = 0
        self._stopping = threading.Event()
        self._open: set[Connection] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def start(self) -> None:
        """Listen on 127.0.0.1, on a free port unless one was given."""
        self._socket = socket.create_server((self.host, self.port), backlog=256)
        self.port = self._socket.getsockname()[1]
        self._run(self._accept, self._socket)

    def stop(self) -> None:
        """Close everything and wait for the threads."""
        self._stopping.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # wakes accept()
            self._socket.close()
        for connection in self._connections():
            connection.hang_up()
        for thread in list(self._threads):
            if thread is not threading.current_thread():
                thread.join(5)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def kick(self) -> None:
        """Drop every connection, as an operator does."""
        for connection in self._connections():
            connection.hang_up()

    def settle(self, seconds: float = 5.0) -> bool:
        """Wait until no connection is served but those that hang; False when some still are after so long.

        A client that says goodbye waits for no answer, so that its mailbox is locked for a moment longer.
        """
        until = time.monotonic() + seconds
        while busy := any(not connection.hangs for connection in self._connections()):
            if time.monotonic() > until:
                break
            time.sleep(0.001)
        return not busy

    def _connections(self) -> list[Connection]:
        with self._lock:
            return list(self._open)

    def _run(self, target: Callable[[socket.socket], None], sock: socket.socket) -> None:
        thread = threading.Thread(target=target, args=(sock,), name=type(self).__name__, daemon=True)
        with self._lock:
            self._threads = [known for known in self._threads if known.is_alive()]
            self._threads.append(thread)
        thread.start()

    def _accept(self, listening: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                sock, _peer = listening.accept()
            except OSError:
                return
            self.connections += 1
            self._run(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(sock, self._stopping)
        with self._lock:
            if self.most_connections and len(self._open) >= self.most_connections:
                self.turned_away += 1
                connection.close()
                return
            self._open.add(connection)
        try:
            if self.tls == "implicit" and self.context is not None:
                connection.start_tls(self.context)
            self._talk(connection)
        except Closed:
            pass
        finally:
            connection.close()
            with self._lock:
                self._open.discard(connection)
