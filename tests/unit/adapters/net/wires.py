"""A reader over bytes that come in pieces."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence

from postroom.adapters.net.stream import Reader, Stream


def reader_of(pieces: Sequence[bytes], *, seconds: float = 5.0) -> Reader:
    """Make a Reader whose server sends these pieces one after the other, and hangs up."""
    ours, theirs = socket.socketpair()

    def send() -> None:
        with theirs:
            for piece in pieces:
                try:
                    theirs.sendall(piece)
                except OSError:
                    return

    threading.Thread(target=send, daemon=True).start()
    return Reader(Stream(ours, deadline=time.monotonic() + seconds, on="test", step="fetch"))
