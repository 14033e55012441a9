"""A TLS connection that reads the network in large pieces.

`ssl.SSLSocket` asks the kernel twice for every record, and mail servers write records of 4 KB. Here one call fetches
all that has arrived, and OpenSSL takes the records from memory.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any, Literal

PIECE = 128 * 1024  # bytes asked of the kernel at a time
LINGER = 0.0002  # seconds for more to arrive, where much is sure to come and little came: waking up has its price
LITTLE = 16 * 1024  # bytes


class TlsSocket:
    """What Stream uses of a socket, encrypted. `left` gives the seconds that may still be waited, or raises.

    Raises what a socket raises: OSError (ssl.SSLError among them), TimeoutError.
    """

    def __init__(
        self, sock: socket.socket, context: ssl.SSLContext, server_name: str, *, left: Callable[[], float]
    ) -> None:
        self._sock = sock
        self._left = left
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self._came = LITTLE
        self._ended = False
        self._piece = memoryview(bytearray(PIECE))
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

    def settimeout(self, _seconds: float) -> None:
        """Leave it: each call of the kernel waits for what is left at that moment."""

    def fileno(self) -> int:
        """The file descriptor of the connection."""
        return self._sock.fileno()

    def pending(self) -> int:
        """Bytes that are here already, encrypted or not."""
        return self._tls.pending() + self._incoming.pending

    def version(self) -> str | None:
        """The version of TLS that is spoken."""
        return self._tls.version()

    def getpeercert(self, binary_form: Literal[True]) -> bytes | None:
        """The server's certificate, DER."""
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
            while count < len(view) and not self._ended:
                read: Any = self._tls.read(len(view) - count, view[count:])
                count += read
                self._ended = not read
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLEOFError:  # without TLS's word of farewell, as many servers do
            self._ended = True
        return count

    def _fetch(self) -> None:
        """Wait for more; what TLS itself wants to say goes out before."""
        self._flush()
        self._sock.settimeout(self._left())
        self._came = self._sock.recv_into(self._piece)
        if self._came:
            self._incoming.write(self._piece[: self._came])
        else:
            self._incoming.write_eof()

    def _flush(self) -> None:
        while self._outgoing.pending:
            unsent = memoryview(self._outgoing.read(PIECE))
            while unsent:
                self._sock.settimeout(self._left())
                unsent = unsent[self._sock.send(unsent) :]
