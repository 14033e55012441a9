"""A TCP proxy that hurts: it cuts connections, repeats, changes and holds back what passes, by a seeded choice."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_CHUNK = 4096
_HOLD_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Hurt:
    """How likely each harm is, for each chunk of up to 4 KB in either direction."""

    cut: float = 0.0
    repeat: float = 0.0  # the chunk is sent twice
    change: float = 0.0  # one octet becomes another
    hold: float = 0.0  # for some milliseconds
    swallow: float = 0.0  # nothing passes any more, and nobody hangs up


class HurtingProxy:
    """Forwards 127.0.0.1:`port` to a target port while it is entered; hurts while `hurt` is not None."""

    def __init__(self, target: int, *, hurt: Hurt, seed: int) -> None:
        self._target = target
        self.hurt: Hurt | None = hurt
        self._chance = random.Random(seed)
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listening.getsockname()[1]
        self.harms = 0
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _close(self._listening, *self._open)
        for thread in self._threads:
            thread.join(5)

    def _start(self, run: object, *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # until it is closed
            while True:
                client, _peer = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._open += [client, server]
                self._start(self._pump, client, server)
                self._start(self._pump, server, client)

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError):
                while data := source.recv(_CHUNK):
                    if not self._pass_on(data, target):
                        return
        finally:
            _close(source, target)

    def _pass_on(self, data: bytes, target: socket.socket) -> bool:
        """Send a chunk on, harmed or whole; False when the connection is to end."""
        hurt, chance = self.hurt, self._chance
        if hurt is None:
            target.sendall(data)
            return True
        draw = chance.random()
        self.harms += draw < hurt.cut + hurt.repeat + hurt.change + hurt.hold + hurt.swallow
        if draw < hurt.cut:
            target.sendall(data[: chance.randrange(len(data))])
            return False
        draw -= hurt.cut
        if draw < hurt.repeat:
            target.sendall(data + data)
            return True
        draw -= hurt.repeat
        if draw < hurt.change:
            place = chance.randrange(len(data))
            target.sendall(data[:place] + bytes([data[place] ^ chance.randrange(1, 256)]) + data[place + 1 :])
            return True
        draw -= hurt.change
        if draw < hurt.swallow:
            return True  # swallowed
        if draw - hurt.swallow < hurt.hold:
            time.sleep(_HOLD_SECONDS * chance.random())
        target.sendall(data)
        return True


def _close(*socks: socket.socket) -> None:
    for sock in socks:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()
