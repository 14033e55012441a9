"""Streams over TLS: what comes is what was sent, however it is cut, and the deadline holds inside a record too."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from postroom.adapters.net.stream import Reader, Stream
from postroom.adapters.net.tls import client_context
from postroom.errors import DeadlineExceeded, ServerMisbehaved, TlsFailed

from tests.support import certificates

Serve = Callable[[ssl.SSLSocket], None]


def server_context() -> ssl.SSLContext:
    """What the server shows."""
    certificate = certificates.good()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pem").write_text(certificate.certificate_pem + certificate.key_pem)
        context.load_cert_chain(Path(folder, "pem"))
    return context


@contextmanager
def stream_to(
    serve: Serve, *, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, seconds: float = 5
) -> Iterator[Stream]:
    """A Stream, gone over to TLS, whose server does as `serve` says."""
    context = server_context()
    context.maximum_version = version
    ours, theirs = socket.socketpair()

    def run() -> None:
        with contextlib.suppress(OSError), context.wrap_socket(theirs, server_side=True) as there:
            serve(there)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    stream = Stream(ours, deadline=time.monotonic() + seconds, on="test")
    try:
        stream.start_tls(client_context(certificates.authority().pem), "localhost")
        stream.step = "fetch"
        yield stream
    finally:
        stream.close()
        thread.join(5)
    assert not thread.is_alive()


def in_records(data: bytes, *sizes: int) -> Serve:
    """Send data in records of these sizes, in turns."""

    def serve(there: ssl.SSLSocket) -> None:
        place = turn = 0
        while place < len(data):
            size = sizes[turn % len(sizes)]
            there.sendall(data[place : place + size])
            place, turn = place + size, turn + 1

    return serve


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
@pytest.mark.parametrize("sizes", [(4096,), (16384,), (1, 70_000, 3), (300_000,)], ids=str)
def test_content_is_what_was_sent_in_records_of_any_size(version: ssl.TLSVersion, sizes: tuple[int, ...]) -> None:
    content = os.urandom(700_000)
    received = bytearray()
    with stream_to(in_records(b"first\r\n" + content + b"last\r\n", *sizes), version=version) as stream:
        reader = Reader(stream)
        assert reader.line(100) == b"first\r\n"
        reader.exactly(len(content), received.extend)
        assert reader.line(100) == b"last\r\n"
    assert received == content


@pytest.mark.fault(24)
@pytest.mark.parametrize("farewell", [True, False])
def test_a_connection_that_ends_too_early_is_lost_with_and_without_a_farewell(farewell: bool) -> None:
    def serve(there: ssl.SSLSocket) -> None:
        there.sendall(b"x" * 100)
        if farewell:
            with contextlib.suppress(OSError):
                there.unwrap()

    received = bytearray()
    with stream_to(serve) as stream, pytest.raises(ServerMisbehaved) as raised:
        Reader(stream).exactly(40_000, received.extend)
    assert (raised.value.code, raised.value.step) == ("connection_lost", "fetch")


@pytest.mark.fault(13, 30)
def test_a_server_that_drips_a_record_does_not_outlive_the_deadline() -> None:
    stopping = threading.Event()
    with stream_to(_drip_of_one_record(stopping), seconds=30) as stream:
        started = time.monotonic()
        stream.deadline = started + 0.4
        with pytest.raises(DeadlineExceeded) as raised:
            Reader(stream).exactly(20_000, lambda _piece: None)
        taken = time.monotonic() - started
        stopping.set()
    assert raised.value.step == "fetch"
    assert 0.3 < taken < 2


def _drip_of_one_record(stopping: threading.Event) -> Serve:
    def serve(there: ssl.SSLSocket) -> None:
        with socket.socket(fileno=os.dup(there.fileno())) as raw:
            for byte in b"\x17\x03\x03\x40\x00" + b"x" * 10_000:
                if stopping.wait(0.05):
                    return
                raw.send(bytes([byte]))

    return serve


@pytest.mark.fault(13, 30)
def test_a_server_that_never_answers_the_handshake_does_not_outlive_the_deadline() -> None:
    ours, theirs = socket.socketpair()
    started = time.monotonic()
    stream = Stream(ours, deadline=started + 0.4, on="test")
    with theirs, pytest.raises(DeadlineExceeded) as raised:
        stream.start_tls(client_context(certificates.authority().pem), "localhost")
    stream.close()
    assert raised.value.step == "tls"
    assert 0.3 < time.monotonic() - started < 20


def test_a_server_that_stops_reading_does_not_outlive_the_deadline() -> None:
    stopping = threading.Event()

    def serve(_there: ssl.SSLSocket) -> None:
        stopping.wait(10)

    with stream_to(serve, seconds=30) as stream:
        stream.deadline = time.monotonic() + 0.4
        with pytest.raises(DeadlineExceeded):
            stream.send(b"x" * 20_000_000)
        stopping.set()


def test_what_is_sent_arrives_whole() -> None:
    content = os.urandom(3_000_000)
    received = bytearray()

    def serve(there: ssl.SSLSocket) -> None:
        while len(received) < len(content) and (piece := there.recv(65_536)):
            received.extend(piece)
        there.sendall(b"done\r\n")

    with stream_to(serve) as stream:
        stream.send(content)
        assert Reader(stream).line(100) == b"done\r\n"
    assert received == content


def test_the_server_is_told_why_its_certificate_is_refused() -> None:
    heard: list[str] = []
    context = server_context()
    ours, theirs = socket.socketpair()

    def run() -> None:
        try:
            with context.wrap_socket(theirs, server_side=True) as there:
                there.recv(1)
        except ssl.SSLError as error:
            heard.append(str(error.reason))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    stream = Stream(ours, deadline=time.monotonic() + 5, on="test")
    with pytest.raises(TlsFailed) as raised:
        stream.start_tls(client_context(certificates.authority().pem), "elsewhere.example")
    stream.close()
    thread.join(5)
    assert raised.value.code == "certificate_wrong_host"
    assert [reason for reason in heard if "ALERT" in reason]
