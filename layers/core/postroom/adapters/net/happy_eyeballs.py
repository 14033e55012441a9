"""Connect to one of several addresses: the next is tried while the one before has not answered (RFC 8305).

One address after the other, a black hole (an IPv6 route that leads nowhere, a dead machine behind a name) would eat the
time of all.
"""

from __future__ import annotations

import itertools
import os
import select
import socket
import time
from collections import deque
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address

from postroom.errors import ConnectFailed, DeadlineExceeded

Address = IPv4Address | IPv6Address

HEAD_START = 0.25  # seconds for an address before the next one is tried beside it (RFC 8305 §5)
AT_MOST = 10.0  # seconds for one address; a black hole must not eat the whole deadline (fault 10)

# What is told when all have failed: a refusal says more than silence, and silence more than a missing route.
_TELLING = ("connect_refused", "connect_timed_out", "connect_failed")


def connect_any(addresses: Sequence[Address], port: int, *, until: float, on: str) -> socket.socket:
    """Return a connected socket, which does not block; `until` is a `time.monotonic()` value. Raises ConnectFailed."""
    if time.monotonic() >= until:
        raise DeadlineExceeded("No time was left to connect", on=on, step="connect")
    race = _Race(port, until=until, on=on)
    try:
        return race.run(deque(in_turns(addresses)))
    finally:
        race.close()


def in_turns(addresses: Iterable[Address]) -> list[Address]:
    """Put IPv6 and IPv4 in turns, in the resolver's order otherwise (RFC 8305 §4)."""
    found = list(addresses)
    first = [one for one in found if one.version == found[0].version]
    other = [one for one in found if one.version != found[0].version]
    return [one for pair in itertools.zip_longest(first, other) for one in pair if one is not None]


class _Race:
    """Attempts under way, and how those ended that failed."""

    def __init__(self, port: int, *, until: float, on: str) -> None:
        self._poll = select.poll()  # not epoll: that is a file, to be opened and closed for each connection
        self._port = port
        self._until = until
        self._on = on
        self._running: dict[int, tuple[socket.socket, Address, float]] = {}  # by file; until when it may take
        self._failures: list[ConnectFailed] = []

    def run(self, waiting: deque[Address]) -> socket.socket:
        next_start = time.monotonic()
        while waiting or self._running:
            now = time.monotonic()
            if waiting and now >= next_start:
                next_start = now + HEAD_START if self._begin(waiting.popleft()) else now
                continue
            wake = [end for _sock, _address, end in self._running.values()] + ([next_start] if waiting else [])
            failed = len(self._failures)
            for file, _events in self._poll.poll(max(0.0, min(wake) - now) * 1000):
                sock, address = self._end(file)
                if not (error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    return sock
                sock.close()
                self._failures.append(self._failure(address, OSError(error, os.strerror(error))))
            self._give_up(time.monotonic())
            if len(self._failures) > failed:
                next_start = time.monotonic()
            if time.monotonic() >= self._until:
                break
        raise min(self._failures, key=lambda failure: _TELLING.index(failure.code))

    def close(self) -> None:
        """Close what did not win."""
        for sock, _address, _end in self._running.values():
            sock.close()

    def _begin(self, address: Address) -> bool:
        sock = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            sock.connect((str(address), self._port))
        except BlockingIOError:
            pass
        except OSError as error:
            sock.close()
            self._failures.append(self._failure(address, error))
            return False
        self._running[sock.fileno()] = (sock, address, min(self._until, time.monotonic() + AT_MOST))
        self._poll.register(sock, select.POLLOUT)
        return True

    def _end(self, file: int) -> tuple[socket.socket, Address]:
        """Watch an attempt no more."""
        sock, address, _end = self._running.pop(file)
        self._poll.unregister(file)
        return sock, address

    def _give_up(self, now: float) -> None:
        for file, (_sock, _address, end) in list(self._running.items()):
            if now >= end:
                sock, address = self._end(file)
                sock.close()
                self._failures.append(self._failure(address, TimeoutError()))

    def _failure(self, address: Address, error: OSError) -> ConnectFailed:
        if isinstance(error, TimeoutError):
            what, code = f"The server at {address} did not answer", "connect_timed_out"
        elif isinstance(error, ConnectionRefusedError):
            what, code = f"The server at {address} refuses connections", "connect_refused"
        else:
            what, code = f"No connection to {address}: {error.strerror or error}", "connect_failed"
        return ConnectFailed(what, on=self._on, step="connect", code=code)
