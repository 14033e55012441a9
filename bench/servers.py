"""Servers of the benchmarks, in a process of their own so that they are not measured along."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from threading import Thread

from postroom_cli.mailservers.imap import ImapServer

from tests.support.delay_proxy import DelayProxy

PASSWORD = "correct horse"


@dataclass(frozen=True, slots=True)
class Servers:
    """Where they listen, on 127.0.0.1."""

    imap: int
    delayed_imap: int
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
def servers(mails: dict[str, list[int]], *, rtt: float = 0.0) -> Iterator[Servers]:
    """Serve mailboxes, name → sizes of the mails in it, while this lasts."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, mails, rtt), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.close()
        process.join(5)
        if process.is_alive():
            process.terminate()


@contextmanager
def sink() -> Iterator[int]:
    """Take objects like S3, on the port that this gives, while it lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Sink)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


def _serve(pipe: Connection, mails: dict[str, list[int]], rtt: float) -> None:
    with (
        sink() as s3,
        ImapServer(dict.fromkeys(mails, PASSWORD)) as imap,
        DelayProxy(imap.port, rtt=rtt) as proxy,
    ):
        for name, sizes in mails.items():
            for number, size in enumerate(sizes):
                imap.append(name, "INBOX", _mail(number, size))
        pipe.send(Servers(imap.port, proxy.port, s3, imap.ca_pem))
        with suppress(EOFError):  # the benchmark is over
            pipe.recv()


def _mail(number: int, size: int) -> bytes:
    head = f"From: a@example.com\r\nMessage-ID: <{number}@example.com>\r\nSubject: {number}\r\n\r\n".encode()
    line = b"x" * 76 + b"\r\n"
    return head + line * max(1, (size - len(head)) // len(line))
