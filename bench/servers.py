"""Servers of the benchmarks, in a process of their own so that they are not measured along."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any

from postroom.model.configuration.mailbox import Type
from postroom_cli.mailservers.ews import EwsServer
from postroom_cli.mailservers.imap import ImapServer
from postroom_cli.mailservers.pop3 import Pop3Server

PASSWORD = "correct horse"


@dataclass(frozen=True, slots=True)
class Servers:
    """Where they listen, on 127.0.0.1. `host` and `port` are a mailbox's options."""

    host: str
    port: int | None
    s3: int
    ca_pem: str


class _Sink(BaseHTTPRequestHandler):
    """Takes any object and keeps none: what S3 would keep must not be in anybody's memory."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        if self.headers.get("Expect") == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        left = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read(min(left, 64 * 1024)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.send_header("ETag", '"0"')
        self.end_headers()

    def handle_expect_100(self) -> bool:
        return True  # answered by do_PUT

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def elsewhere(serve: Callable[..., None], *args: Any) -> Iterator[Any]:
    """Run `serve` in a process of its own while this lasts; it sends through its pipe what clients need to know."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, *args), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.close()
        process.join(5)
        if process.is_alive():
            process.terminate()


@contextmanager
def servers(mails: dict[str, list[int]], *, type_: Type = Type.IMAP) -> Iterator[Servers]:
    """Serve mailboxes (IMAP, POP3 or EWS), name → sizes of the mails in it, while this lasts."""
    with elsewhere(_serve, mails, type_) as served:
        yield served


@contextmanager
def sink() -> Iterator[int]:
    """Take objects like S3, on the port that this gives, while it lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Sink)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


def _serve(pipe: Connection, mails: dict[str, list[int]], type_: Type) -> None:
    users = dict.fromkeys(mails, PASSWORD)
    with (
        sink() as s3,
        EwsServer(users) if type_ is Type.EWS else (Pop3Server if type_ is Type.POP3 else ImapServer)(users) as server,
    ):
        for name, sizes in mails.items():
            for number, size in enumerate(sizes):
                if isinstance(server, EwsServer):
                    server.mailboxes[name].deliver(_mail(number, size))
                elif isinstance(server, Pop3Server):
                    server.append(name, _mail(number, size))
                else:
                    server.append(name, "INBOX", _mail(number, size))
        host, port = (server.url, None) if isinstance(server, EwsServer) else ("127.0.0.1", server.port)
        pipe.send(Servers(host, port, s3, server.ca_pem))
        with suppress(EOFError):  # the benchmark is over
            pipe.recv()


def _mail(number: int, size: int) -> bytes:
    head = f"From: a@example.com\r\nMessage-ID: <{number}@example.com>\r\nSubject: {number}\r\n\r\n".encode()
    line = b"x" * 76 + b"\r\n"
    return head + line * max(1, (size - len(head)) // len(line))
