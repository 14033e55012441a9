"""The way to a server that has several addresses, or that takes its time before it says a word."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address, ip_network

import pytest
from postroom.adapters.net import connect, dial, happy_eyeballs
from postroom.errors import ConnectFailed

from tests.functional.mail_protocols.opening import imap_session, mailbox

LOOPBACK = [ip_network("127.0.0.0/8")]


@contextmanager
def black_hole() -> Iterator[int]:
    """A port of 127.0.0.1 that answers no connection request: its queue is full and nobody takes from it."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


def named(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name have these addresses."""
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_names, **_options: rows)


@pytest.mark.feature("G04")
@pytest.mark.fault(10)
@pytest.mark.parametrize("dead", [1, 3])
def test_addresses_that_do_not_answer_cost_a_moment_and_not_the_time_of_the_others(dead: int) -> None:
    addresses = [ip_address(one) for one in (*["127.0.0.1"] * dead, "127.0.0.9")]
    with black_hole() as port, socket.create_server(("127.0.0.9", port)):
        started = time.monotonic()
        sock = happy_eyeballs.connect_any(addresses, port, until=started + 60, on="mail.example.com")
        assert sock.getpeername()[0] == "127.0.0.9"
        sock.close()
    assert time.monotonic() - started < dead * happy_eyeballs.HEAD_START + 15


@pytest.mark.fault(10)
def test_an_address_that_refuses_passes_on_to_the_next_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(happy_eyeballs, "HEAD_START", 30.0)
    with socket.create_server(("127.0.0.9", 0)) as server:
        named(monkeypatch, "127.0.0.1", "127.0.0.2", "127.0.0.9")
        port = server.getsockname()[1]
        connect.open_stream("mail.example.com", port, deadline=time.monotonic() + 5, allowed=LOOPBACK).close()


@pytest.mark.feature("G04")
@pytest.mark.fault(10)
def test_when_no_address_answers_the_time_out_holds_for_all_together(monkeypatch: pytest.MonkeyPatch) -> None:
    with black_hole() as port:
        addresses = [ip_address("127.0.0.1")] * 3
        started = time.monotonic()
        with pytest.raises(ConnectFailed) as raised:
            happy_eyeballs.connect_any(addresses, port, until=started + 1.5, on="mail.example.com")
    assert (raised.value.step, raised.value.code) == ("connect", "connect_timed_out")
    assert 1.4 < time.monotonic() - started < 4  # one after the other it would be 4.5


def test_a_refusal_is_told_rather_than_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(happy_eyeballs, "AT_MOST", 0.3)
    with black_hole() as port:
        named(monkeypatch, "127.0.0.1", "127.0.0.2")
        with pytest.raises(ConnectFailed) as raised:
            connect.open_stream("mail.example.com", port, deadline=time.monotonic() + 5, allowed=LOOPBACK)
    assert raised.value.code == "connect_refused"


def test_the_two_families_take_turns() -> None:
    addresses = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1"]
    turns = happy_eyeballs.in_turns(map(ip_address, addresses))
    assert list(map(str, turns)) == ["2001:db8::1", "192.0.2.1", "2001:db8::2", "2001:db8::3"]


@pytest.mark.fault(13)
def test_a_server_that_is_slow_to_greet_in_plain_text_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "PATIENCE", 0.1)
    monkeypatch.setattr(dial, "_ASKING", 0.3)
    said: list[bytes] = []

    def serve(server: socket.socket) -> None:
        first, _ = server.accept()
        with first:
            second, _ = server.accept()  # the question whether TLS is spoken here: a plain server does not answer it
            time.sleep(0.5)
            second.close()
            first.sendall(b"* OK at last\r\n")
            said.append(first.recv(100))

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        box = mailbox(server.getsockname()[1], security="start-tls-required")
        with pytest.raises(Exception, match="closed"), imap_session(box):
            pass
        thread.join()
    assert b"STARTTLS" in said[0]
