"""A connection on which a wall-clock deadline holds for every byte, and a reader with one reused buffer over it.

A socket's own timeout bounds one system call: a server that drips a byte a second outlives it for ever. Here every
call waits only for what is left until the deadline.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

from postroom.adapters.net.tls import tls_failure
from postroom.adapters.net.tls_socket import TlsSocket
from postroom.errors import DeadlineExceeded, ServerMisbehaved

BUFFER = 256 * 1024
FIRST_BUFFER = 16 * 1024  # until something large comes: most connections are looks at mailboxes where nothing is new

Trace = Callable[[str, str, bytes], None]
"""Takes step, direction and bytes of what goes over a connection; what mails contain is not among it."""


class Stream:
    """One TCP or TLS connection; `deadline` is a `time.monotonic()` value, `step` names what an error belongs to.

    Raises DeadlineExceeded, and ServerMisbehaved when the connection is lost; both carry `step`.
    """

    def __init__(self, sock: socket.socket, *, deadline: float, on: str, step: str = "greeting") -> None:
        self._sock: socket.socket | TlsSocket = sock
        self.deadline = deadline
        self.on = on
        self.step = step
        self.encrypted = False
        self.trace: Trace | None = None
        self.on_close: Callable[[], None] | None = None  # called once

    def left(self) -> float:
        """Return the seconds until the deadline; raises DeadlineExceeded when there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded("The server did not answer in time", on=self.on, step=self.step)
        return left

    def receive_into(self, view: memoryview, *, wanted: int = 1) -> int:
        """Read at least one byte; raises when the server has closed the connection.

        `wanted`: so many bytes are sure to come.
        """
        left = self.left()
        try:
            if isinstance(self._sock, TlsSocket):
                count = self._sock.recv_into(view, wanted=wanted)
            else:
                self._sock.settimeout(left)
                count = self._sock.recv_into(view)
        except TimeoutError as error:
            raise DeadlineExceeded("The server did not answer in time", on=self.on, step=self.step) from error
        except OSError as error:
            raise self._lost(error) from error
        if not count:
            raise self._lost(None)
        return count

    def opening(self, seconds: float) -> bytes | None:
        """Peek at the first bytes that come in plain text; None when nothing comes in so many seconds."""
        plain: Any = self._sock
        try:
            plain.settimeout(min(seconds, self.left()))
            return bytes(plain.recv(4, socket.MSG_PEEK))
        except TimeoutError:
            return None
        except OSError as error:
            raise self._lost(error) from error

    def note(self, direction: str, data: bytes) -> None:
        """Tell the trace what was sent (`>`) or received (`<`); during the login only that something was (G10)."""
        if self.trace is not None:
            self.trace(self.step, direction, b"(not shown)" if self.step == "login" else data)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.note(">", data)
        view = memoryview(data)
        while view:
            left = self.left()
            try:
                if not isinstance(self._sock, TlsSocket):
                    self._sock.settimeout(left)
                view = view[self._sock.send(view) :]
            except TimeoutError as error:
                raise DeadlineExceeded("The server stopped reading", on=self.on, step=self.step) from error
            except OSError as error:
                raise self._lost(error) from error

    def start_tls(self, context: ssl.SSLContext, server_name: str) -> None:
        """Go over to TLS; nothing may be buffered from before (the reader sees to that). Raises TlsFailed."""
        self.step = "tls"
        if isinstance(self._sock, TlsSocket):
            raise ValueError("TLS inside TLS")
        try:
            self._sock = TlsSocket(self._sock, context, server_name, left=self.left)
        except TimeoutError as error:
            raise DeadlineExceeded("The TLS handshake took too long", on=self.on, step=self.step) from error
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:  # hung up: it says nothing about TLS, and may pass
            raise self._lost(None) from error
        except (ssl.SSLError, ssl.CertificateError) as error:
            raise tls_failure(error, on=self.on) from error
        except OSError as error:
            raise self._lost(error) from error
        except ValueError as error:  # a name that cannot be in a certificate
            raise tls_failure(error, on=self.on) from error
        self.encrypted = True

    def close(self) -> None:
        """Drop the connection; never raises."""
        with contextlib.suppress(OSError, ValueError):
            self._sock.close()
        told, self.on_close = self.on_close, None
        if told is not None:
            told()

    def _lost(self, error: OSError | None) -> ServerMisbehaved:
        why = f": {error.strerror or error}" if error is not None else " by the server"
        return ServerMisbehaved(f"The connection was closed{why}", on=self.on, step=self.step, code="connection_lost")


class Reader:
    """Reads lines and counted bytes from a stream through one buffer, which grows once when something large comes."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._buffer = bytearray(FIRST_BUFFER)
        self._view = memoryview(self._buffer)
        self._start = 0
        self._end = 0

    @property
    def buffered(self) -> int:
        """Return the number of bytes received and not yet read."""
        return self._end - self._start

    def line(self, limit: int) -> bytes:
        """Read up to and including the next LF; raises ServerMisbehaved beyond `limit` bytes."""
        pieces: list[bytes] = []
        size = 0
        while True:
            newline = self._buffer.find(b"\n", self._start, self._end)
            stop = newline + 1 if newline >= 0 else self._end
            piece = bytes(self._view[self._start : stop])
            self._start = stop
            size += len(piece)
            if size > limit:
                raise ServerMisbehaved(
                    f"The server sent a line of more than {limit:,} bytes",
                    on=self.stream.on,
                    step=self.stream.step,
                    code="line_too_long",
                )
            if newline >= 0:
                whole = b"".join((*pieces, piece)) if pieces else piece
                if self.stream.trace is not None:
                    self.stream.note("<", whole)
                return whole
            pieces.append(piece)
            self._fill()

    def exactly(self, count: int, sink: Callable[[memoryview], object]) -> None:
        """Hand exactly `count` bytes to `sink`, in pieces of the one buffer: a sink must copy what it keeps."""
        while count:
            # TLS hands out 16 KB at a time; a sink that writes and hashes does better with more.
            self._fill_up(min(count, BUFFER))
            stop = min(self._end, self._start + count)
            sink(self._view[self._start : stop])
            count -= stop - self._start
            self._start = stop

    def block(self) -> memoryview:
        """Return all that is buffered, after waiting for at least one byte; valid until the next call."""
        if self._start == self._end:
            self._fill()
        piece = self._view[self._start : self._end]
        self._start = self._end
        return piece

    def unread(self, count: int) -> None:
        """Give back the last `count` bytes of the block just read."""
        self._start -= count

    def _fill_up(self, count: int) -> None:
        if count > len(self._buffer):
            self._grow()
        if self._start == self._end:
            self._start = self._end = 0
        elif self._start + count > len(self._buffer):
            kept = self._end - self._start
            self._buffer[:kept] = self._buffer[self._start : self._end]
            self._start, self._end = 0, kept
        while self._end - self._start < count:
            wanted = count - (self._end - self._start)
            self._end += self.stream.receive_into(self._view[self._end :], wanted=wanted)

    def _fill(self) -> None:
        if self._end == len(self._buffer) < BUFFER:
            self._grow()
        self._start = self._end = 0
        self._end = self.stream.receive_into(self._view)

    def _grow(self) -> None:
        """Take the large buffer; blocks handed out keep the small one."""
        kept = self._end - self._start
        buffer = bytearray(BUFFER)
        buffer[:kept] = self._view[self._start : self._end]
        self._buffer, self._view = buffer, memoryview(buffer)
        self._start, self._end = 0, kept
