"""An IMAP server for idle mailboxes, far away: one thread over TLS, and every byte takes half a round trip.

It knows what a look says: LOGIN, EXAMINE, UID SEARCH, LOGOUT. The servers of the world have machines of their own; this
one shares the cores with those who look at it, a hundred at a time, so it is to cost as little of them as it can. With
a thread for each connection, behind a proxy that delays, it would take as much as the looks that are to be measured.
"""

from __future__ import annotations

import heapq
import itertools
import os
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from postroom_cli.mailservers.certificates import local_authority, local_certificate

from bench.servers import PASSWORD, elsewhere

_CHUNK = 64 * 1024
_EXAMINED = (
    b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n"
    b"* OK [PERMANENTFLAGS ()] Read-only\r\n"
    b"* 0 EXISTS\r\n"
    b"* 0 RECENT\r\n"
    b"* OK [UIDVALIDITY 1] Lasting\r\n"
    b"* OK [UIDNEXT 1] Next\r\n"
)
_ANSWERS: tuple[tuple[bytes, bytes, bytes], ...] = (  # command, what comes before its OK, its OK
    (b"EXAMINE", _EXAMINED, b"OK [READ-ONLY] Done"),
    (b"UID SEARCH", b"* SEARCH\r\n", b"OK Done"),
    (b"LOGOUT", b"* BYE Farewell\r\n", b"OK Done"),
)


@dataclass(frozen=True, slots=True)
class IdleServer:
    """Where it listens on 127.0.0.1, whom it is to be trusted by, and its process."""

    port: int
    ca_pem: str
    pid: int


@contextmanager
def idle_server(users: list[str], *, rtt: float) -> Iterator[IdleServer]:
    """Serve an empty INBOX to each of these users, `rtt` seconds away, in a process of its own."""
    with elsewhere(_serve, users, rtt) as served:
        yield served


def _serve(pipe: Connection, users: list[str], rtt: float) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        pipe.send(IdleServer(listening.getsockname()[1], local_authority().pem, os.getpid()))
        _Far(listening, local_certificate().server_context(), frozenset(users), rtt).run(pipe)


class _Peer:
    """One client."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, not_before: float) -> None:
        self.sock = sock
        self.not_before = not_before  # what it sends arrives half a round trip after this, or later
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.greeted = False
        self.user = b""
        self.rest = b""  # of a line that has not come to its end


class _Far:
    """The server's one thread, and what is on its way to it and from it."""

    def __init__(self, listening: socket.socket, context: ssl.SSLContext, users: frozenset[str], rtt: float) -> None:
        self._listening = listening
        self._context = context
        self._users = users
        self._rtt = rtt
        self._events = select.epoll()
        self._peers: dict[int, _Peer] = {}
        self._on_the_way: list[tuple[float, int, Callable[[_Peer, bytes], None], _Peer, bytes]] = []
        self._order = itertools.count()

    def run(self, pipe: Connection) -> None:
        """Serve until the other end of the pipe is closed."""
        self._listening.setblocking(False)
        for watched in (self._listening.fileno(), pipe.fileno()):
            self._events.register(watched, select.EPOLLIN)
        while True:
            wait = max(0.0, self._on_the_way[0][0] - time.monotonic()) if self._on_the_way else None
            select.select([self._events], [], [], wait)  # epoll itself waits whole milliseconds
            for file, _events in self._events.poll(0):
                if file == pipe.fileno():
                    return
                if file == self._listening.fileno():
                    self._accept()
                else:
                    self._receive(self._peers[file])
            while self._on_the_way and self._on_the_way[0][0] <= time.monotonic():
                _due, _order, act, peer, data = heapq.heappop(self._on_the_way)
                act(peer, data)

    def _later(self, due: float, act: Callable[[_Peer, bytes], None], peer: _Peer, data: bytes) -> None:
        heapq.heappush(self._on_the_way, (due, next(self._order), act, peer, data))

    def _accept(self) -> None:
        sock, _peer = self._listening.accept()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The kernel has answered the client's SYN at once: the time that takes on a real line is made up for here.
        self._peers[sock.fileno()] = _Peer(sock, self._context, time.monotonic() + self._rtt)
        self._events.register(sock.fileno(), select.EPOLLIN)

    def _receive(self, peer: _Peer) -> None:
        try:
            data = peer.sock.recv(_CHUNK)
        except ConnectionError:
            data = b""
        if data:
            self._later(max(time.monotonic(), peer.not_before) + self._rtt / 2, self._answer, peer, data)
            return
        del self._peers[peer.sock.fileno()]
        peer.sock.close()

    def _answer(self, peer: _Peer, data: bytes) -> None:
        peer.incoming.write(data)
        try:
            if not peer.greeted:
                peer.tls.do_handshake()
                peer.greeted = True
                peer.tls.write(b"* OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR] Postroom IMAP simulator ready\r\n")
            while said := peer.tls.read(_CHUNK):
                *lines, peer.rest = (peer.rest + said).split(b"\r\n")
                if lines:
                    peer.tls.write(b"".join(self._said(peer, line) for line in lines))
        except ssl.SSLWantReadError:
            pass
        if peer.outgoing.pending:
            self._later(time.monotonic() + self._rtt / 2, self._send, peer, peer.outgoing.read())

    def _send(self, peer: _Peer, data: bytes) -> None:
        if peer.sock.fileno() >= 0:  # it may have gone
            peer.sock.send(data)

    def _said(self, peer: _Peer, line: bytes) -> bytes:
        tag, _, command = line.partition(b" ")
        if command.startswith(b"LOGIN "):
            user, password = (word.strip(b'"').decode() for word in command.removeprefix(b"LOGIN ").split(b" ", 1))
            if user not in self._users or password != PASSWORD:
                return tag + b" NO Login refused\r\n"
            peer.user = user.encode()
            return tag + b" OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR UIDPLUS MOVE] Logged in\r\n"
        for name, answer, ok in _ANSWERS:
            if command.startswith(name) and (peer.user or name == b"LOGOUT"):
                return answer + tag + b" " + ok + b"\r\n"
        return tag + b" BAD Not known here\r\n"
