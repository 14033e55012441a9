"""Readers of IMAP rows and POP3 answers: the same result however the bytes are cut, and bounded work."""

from __future__ import annotations

import itertools
import socket
import tempfile
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from postroom.adapters.imap.answers import Answer, LiteralRefused, Row, read_answer
from postroom.adapters.net.spool import Spooled
from postroom.adapters.net.stream import BUFFER, FIRST_BUFFER, Reader, Stream
from postroom.adapters.pop3.wire import TooLong, read_multiline, read_status
from postroom.errors import DeadlineExceeded, ServerMisbehaved

from tests.unit.adapters.net.wires import reader_of


def read_pop3(data: bytes, cuts: list[int], *, end: bytes = b"\r\n", limit: int = 10_000_000) -> bytes:
    """Read one multi-line answer that comes in pieces cut at these places."""
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    reader = reader_of([data[a:b] for a, b in itertools.pairwise(places)])
    received = bytearray()
    try:
        size = read_multiline(reader, received.extend, limit=limit, end=end)
    finally:
        reader.stream.close()
    assert size == len(received)
    return bytes(received)


def stuffed(content: bytes) -> bytes:
    """Write a message as a server does (RFC 1939 §3)."""
    return (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"


@settings(max_examples=150, deadline=None)
@given(
    content=st.lists(st.sampled_from([b".", b"..", b"\n", b"\r", b"a", b"\r\n", b"\r\n.", b"\n."]), max_size=30),
    cuts=st.lists(st.integers(0, 60), max_size=6),
)
def test_pop3_content_survives_any_cutting(content: list[bytes], cuts: list[int]) -> None:
    message = b"".join(content)
    if not message.endswith(b"\r\n"):
        message += b"\r\n"
    wire = stuffed(message)
    assert read_pop3(wire + b"+OK next answer\r\n", cuts) == message


@pytest.mark.fault(28)
@pytest.mark.parametrize(
    "length", [2_047, 2_049, FIRST_BUFFER - 2, FIRST_BUFFER + 1, 100_000, BUFFER - 2, BUFFER + 1, 3 * BUFFER]
)
def test_pop3_lines_of_any_length(length: int) -> None:
    message = b"x" * length + b"\r\n.y" * 3 + b"\r\n"
    assert read_pop3(stuffed(message), []) == message


def test_pop3_answers_of_a_server_that_ends_lines_with_lf() -> None:
    assert read_pop3(b"a\n..b\n.\n", [3], end=b"\n") == b"a\n.b\n"


def test_an_empty_pop3_answer_is_empty() -> None:
    assert read_pop3(b".\r\n", [1, 2]) == b""


def test_what_follows_a_pop3_answer_is_left_for_the_next() -> None:
    reader = reader_of([b"a\r\n.\r\n+OK second\r\n"])
    received = bytearray()
    read_multiline(reader, received.extend, limit=100)
    assert read_status(reader) == (True, b"second", b"\r\n")
    reader.stream.close()


def test_a_pop3_answer_may_not_exceed_its_limit() -> None:
    with pytest.raises(TooLong):
        read_pop3(b"x" * 200_000 + b"\r\n.\r\n", [], limit=100_000)


def read_row(data: bytes, *, limit: int = 1_000_000) -> Answer:
    """Read one IMAP answer."""
    reader = reader_of([data[:7], data[7:]])
    try:
        return read_answer(reader, limit=lambda _uid: limit, started=lambda _uid: None)
    finally:
        reader.stream.close()


@pytest.mark.parametrize(
    ("line", "uid", "content"),
    [
        (b"* 1 FETCH (UID 5 BODY[] {5}\r\nhello)\r\n", 5, b"hello"),
        (b"* 1 FETCH (BODY[] {5}\r\nhello UID 5)\r\n", 5, b"hello"),
        (b"* 1 FETCH (UID 5 BODY[] {5}\r\nhello FLAGS (\\Seen))\r\n", 5, b"hello"),
        (b'* 1 FETCH (FLAGS (\\Seen $X) UID 5 BODY[] "UID 7")\r\n', 5, b"UID 7"),
        (b'* 1 FETCH (UID 5 BODY[] "")\r\n', 5, b""),
        (b"* 1 FETCH (UID 5 BODY[] {0}\r\n)\r\n", 5, b""),
        (b"* 1 FETCH (UID 5 X (a (b {3}\r\nUID) c) BODY[] {2}\r\nab)\r\n", 5, b"ab"),
        (b"* 1 fetch (uid 5 body[] {2}\r\nab)\r\n", 5, b"ab"),
        (b"* 1 FETCH (UID 5 BODY[]<3> {2}\r\nab)\r\n", 5, b"ab"),
        (b"* 1 FETCH (UID 5 BODY[] NIL)\r\n", 5, None),
        (b"* 1 FETCH (BODY[] {2}\r\nab)\r\n", None, b"ab"),
        (b"* 1 FETCH (UID -5 BODY[] {2}\r\nab)\r\n", None, b"ab"),
    ],
)
def test_rows_as_servers_write_them(line: bytes, uid: int | None, content: bytes | None) -> None:
    row = read_row(line)
    assert isinstance(row, Row)
    assert row.uid == uid
    assert row.has_content
    spooled = row.spooled()
    assert (spooled.path.read_bytes() if spooled else None) == content
    if spooled:
        spooled.discard()


@pytest.mark.parametrize(
    "line",
    [
        b"* 1 FETCH (UID 5 BODY[] {abc}\r\n",
        b"* 1 FETCH (UID 5\r\n",
        b"* 1 FETCH ((((\r\n",
        b"* 1 FETCH (" + b"(" * 1000 + b"\r\n",
        b'* 1 FETCH (UID 5 BODY[] "unfinished\r\n',
        b"* 1 FETCH ((UID) 5)\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"\r\n",
        b"* 1 FETCH (UID 5 X {99999}\r\n",
    ],
)
def test_what_is_no_imap_is_an_error(line: bytes) -> None:
    with pytest.raises(ServerMisbehaved):
        read_row(line)


@pytest.mark.fault(26)
def test_a_literal_of_8_gb_is_refused_before_it_is_read() -> None:
    with pytest.raises(LiteralRefused) as raised:
        read_row(b"* 1 FETCH (UID 5 BODY[] {8589934592}\r\n")
    assert (raised.value.uid, raised.value.size) == (5, 8589934592)


@pytest.mark.fault(24)
def test_a_literal_that_breaks_off_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(ServerMisbehaved):
        read_row(b"* 1 FETCH (UID 5 BODY[] {100}\r\nonly this")
    with pytest.raises(ServerMisbehaved):
        read_row(b"* 1 FETCH (UID 5 BODY[] {2}\r\nab BODY[] {9}\r\nab")
    assert list(tmp_path.iterdir()) == []


def test_a_large_literal_passes_through_one_buffer() -> None:
    content = bytes(range(256)) * 20_000  # 5 MB
    row = read_row(b"* 1 FETCH (UID 5 BODY[] {%d}\r\n%s)\r\n" % (len(content), content), limit=10**7)
    assert isinstance(row, Row)
    spooled = row.spooled()
    assert isinstance(spooled, Spooled)
    assert spooled.path.read_bytes() == content
    spooled.discard()


def test_lines_longer_than_allowed_are_refused() -> None:
    reader = reader_of([b"x" * 5_000])
    with pytest.raises(ServerMisbehaved) as raised:
        reader.line(4_000)
    reader.stream.close()
    assert raised.value.code == "line_too_long"


@pytest.mark.fault(13, 30)
def test_a_dripping_server_does_not_outlive_the_deadline() -> None:
    ours, theirs = socket.socketpair()
    stopping = threading.Event()

    def drip() -> None:
        with theirs:
            while not stopping.wait(0.05):
                theirs.send(b"x")

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    started = time.monotonic()
    reader = Reader(Stream(ours, deadline=started + 0.4, on="test", step="greeting"))
    with pytest.raises(DeadlineExceeded) as raised:
        reader.line(1_000)
    taken = time.monotonic() - started
    stopping.set()
    thread.join(2)
    reader.stream.close()
    assert raised.value.step == "greeting"
    assert 0.3 < taken < 20


def test_a_server_that_stops_reading_does_not_outlive_the_deadline() -> None:
    ours, theirs = socket.socketpair()
    started = time.monotonic()
    stream = Stream(ours, deadline=started + 0.4, on="test", step="act")
    with theirs, pytest.raises(DeadlineExceeded):
        stream.send(b"x" * 100_000_000)
    stream.close()
    assert time.monotonic() - started < 20
