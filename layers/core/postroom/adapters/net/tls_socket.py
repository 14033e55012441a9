"""A TLS connection that reads the network in large pieces.

`ssl.SSLSocket` asks the kernel twice for every record, and mail servers write records of 4 KB. Here one call fetches
all that has arrived, and OpenSSL takes the records from memory.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any, Literal

PIECE = 128 * 1024  # bytes asked of the kernel at a time, at most
FIRST = 16 * 1024  # and at first: a look needs no more, and clearing memory for more is part of its cost
LINGER = 0.0002  # seconds for more to arrive, where much is sure to come and little came: waking up has its price
LITTLE = 16 * 1024  # bytes


class TlsSocket:
    """What Stream uses of a socket, encrypted. `left` gives the seconds that may still be waited, or raises.

    Raises what a socket raises: OSError (ssl.SSLError among them), TimeoutError.
    """

    def __init__(
        self, sock: socket.socket, context: ssl.SSLContext, server_name: str, *, left: Callable[[], float]
    ) -> None:
        # Never blocking: with a time-out Python asks the kernel three things, and gives other threads three turns, to
        # receive once. A hundred mailboxes looked at together wait in line for each turn.
        sock.setblocking(False)
        self._sock = sock
        self._left = left
        self._poll = select.poll()
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self._came = LITTLE
        self._ended = False
        self._piece = memoryview(bytearray(FIRST))
        while not self._shaken():
            self._fetch()
        self._flush()

    def recv_into(self, view: memoryview, *, wanted: int = 1) -> int:
        """Read what is there, at least one byte; 0 when the server has closed the connection.

        `wanted`: so many bytes are sure to come.
        """
        while not (count := self._decrypt(view)) and not self._ended:
            if wanted > LITTLE > self._came:
                time.sleep(LINGER)
            self._fetch()
        return count

    def send(self, view: memoryview) -> int:
        """Send the first bytes of it; how many."""
        written = self._tls.write(view[:PIECE])
        self._flush()
        return written

    def fileno(self) -> int:
        """Return the file descriptor of the connection."""
        return self._sock.fileno()

    def pending(self) -> int:
        """Return the number of bytes that are here already, encrypted or not."""
        return self._tls.pending() + self._incoming.pending

    def version(self) -> str | None:
        """Return the version of TLS that is spoken."""
        return self._tls.version()

    def getpeercert(self, binary_form: Literal[True]) -> bytes | None:
        """Return the server's certificate, DER."""
        return self._tls.getpeercert(binary_form)

    def close(self) -> None:
        """Drop the connection."""
        self._sock.close()

    def _shaken(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError:
            with contextlib.suppress(OSError):  # let the server know, if it still listens
                self._flush()
            raise
        return True

    def _decrypt(self, view: memoryview) -> int:
        count = 0
        try:
            while count < len(view) and not self._ended and self._has_more():
                read: Any = self._tls.read(len(view) - count, view[count:])
                count += read
                self._ended = not read
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLEOFError:  # without TLS's word of farewell, as many servers do
            self._ended = True
        return count

    def _has_more(self) -> bool:
        """Tell whether OpenSSL is worth asking: to learn from it that there is nothing costs an exception."""
        return bool(self._incoming.pending or self._tls.pending() or self._incoming.eof)

    def _fetch(self) -> None:
        """Wait for more; what TLS itself wants to say goes out before."""
        self._flush()
        if self._came == len(self._piece) < PIECE:
            self._piece = memoryview(bytearray(PIECE))
        self._wait(select.POLLIN)
        try:
            self._came = self._sock.recv_into(self._piece)
        except BlockingIOError:  # there was something, and the kernel threw it away
            return
        if self._came:
            self._incoming.write(self._piece[: self._came])
        else:
            self._incoming.write_eof()

    def _flush(self) -> None:
        while self._outgoing.pending:
            unsent = memoryview(self._outgoing.read())
            while unsent:
                try:
                    unsent = unsent[self._sock.send(unsent) :]
                except BlockingIOError:
                    self._wait(select.POLLOUT)

    def _wait(self, event: int) -> None:
        """Wait until the connection is ready for it, or at its end; raises TimeoutError."""
        if self._sock.fileno() < 0:  # or the number, given to another connection by now, would be watched
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        self._poll.register(self._sock, event)
        if not self._poll.poll(self._left() * 1000):
            raise TimeoutError
