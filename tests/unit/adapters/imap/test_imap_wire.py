"""Commands and answers of IMAP outside FETCH: what is filed under which name, and what is no IMAP."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from postroom.adapters.imap import wire as imap_wire
from postroom.adapters.imap.wire import Wire
from postroom.adapters.net.stream import Stream
from postroom.errors import MailboxLocked, PostroomError, ServerMisbehaved

GREETING = b"* OK [CAPABILITY IMAP4rev1] ready\r\n"
DONE = b"MAIL1 OK done\r\n"


@contextmanager
def wire_to(*said: bytes) -> Iterator[Wire]:
    """Connect to a server that says all this, whatever it is told."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"".join(said))
        yield Wire(Stream(ours, deadline=time.monotonic() + 5, on="test", step="login"))


@pytest.mark.parametrize(
    ("said", "untagged"),
    [
        (b"* 20 EXISTS\r\n", {"EXISTS": [b"20"]}),
        (b"* search 4 5\r\n* SEARCH 6\r\n", {"SEARCH": [b"4 5", b"6"]}),
        (b"* SEARCH\r\n", {"SEARCH": [b""]}),
        (b"* 3 FETCH (FLAGS ())\r\n", {}),
        (b"* OK [UIDNEXT 9] next\r\n", {"OK": [b"[UIDNEXT 9] next"], "UIDNEXT": [b"9"]}),
        (b"* NO [ALERT] full\r\n", {"NO": [b"[ALERT] full"], "ALERT": [b""]}),
        (b'* LIST () "/" {2}\r\na"\r\n', {"LIST": [b'() "/" {2}a"']}),
        (b"* LIST () {1}\r\n. {0}\r\n\r\n* 1 RECENT\r\n", {"LIST": [b"() {1}. {0}"], "RECENT": [b"1"]}),
    ],
    ids=["a number", "any case, twice", "nothing", "flags", "a code", "a code alone", "a literal", "two literals"],
)
def test_answers_and_their_codes_are_filed_by_name(said: bytes, untagged: Mapping[str, list[bytes]]) -> None:
    with wire_to(GREETING, said, DONE) as wire:
        assert wire.command("NOOP") == ("OK", b"done")
        assert wire.untagged == untagged


def test_answers_to_a_flight_may_come_in_any_order_and_each_command_gets_its_own() -> None:
    with wire_to(GREETING, b"MAIL2 NO [LIMIT] later\r\nMAIL1 OK\r\nMAIL3 BAD what?\r\n") as wire:
        results = list(wire.flight(("LOGIN", b"a b"), ("EXAMINE", b"INBOX"), ("UID SEARCH", b"ALL")))
        assert results == [("OK", b""), ("NO", b"[LIMIT] later"), ("BAD", b"what?")]


def test_what_a_server_can_do_before_the_login_does_not_count_after_it() -> None:
    with wire_to(GREETING, DONE, b"* CAPABILITY IMAP4rev1 move\r\nMAIL2 OK\r\n") as wire:
        wire.command("LOGIN", b"a b")
        wire.remember_capabilities()
        assert wire.can(b"MOVE")
        assert not wire.can(b"UIDPLUS")


@pytest.mark.parametrize(
    ("said", "error", "code"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", ServerMisbehaved, "no_imap"),
        (b"* OK ready\n", ServerMisbehaved, "no_imap"),
        (b"* BYE [UNAVAILABLE] closed for tonight\r\n", MailboxLocked, "unavailable"),
        (GREETING + b"MAIL7 OK not ours\r\n", ServerMisbehaved, "no_imap"),
        (GREETING + b"* BYE Too many connections\r\n", MailboxLocked, "too_many_connections"),
        (GREETING + b"* LIST {1048577}\r\n", ServerMisbehaved, "answer_too_long"),
        (GREETING + b"* OK " + b"x" * 5_000 + b"\r\n", ServerMisbehaved, "answer_too_long"),
    ],
    ids=["another protocol", "a bare line feed", "a BYE", "another's tag", "a late BYE", "a long literal", "a flood"],
)
def test_what_is_no_answer_is_an_error_with_its_step(
    monkeypatch: pytest.MonkeyPatch, said: bytes, error: type[PostroomError], code: str
) -> None:
    monkeypatch.setattr(imap_wire, "ANSWER_LIMIT", 4_000)
    with pytest.raises(error) as raised, wire_to(said) as wire:
        wire.command("NOOP")
    assert (raised.value.step, raised.value.code) == ("login", code)
