"""Hostile text: every function on the way of a mail is linear; a megabyte costs less than a second."""

from __future__ import annotations

import pytest
from postroom.mail.origin import authentication_results
from postroom.mail.origin.sender import sender_verdict
from postroom.mail.outgoing import thread_token
from postroom.mail.reader import Unreadable, read
from postroom.mail.reports.reasons.classify import reason_for
from postroom.mail.reports.reasons.vocabulary import Failure
from postroom.mail.reports.report_text import status_in
from postroom.rules.delivery_exceptions import predefined
from postroom.rules.kind import decide_kind

from tests.support.processor_time import takes_at_most

SIZE = 1_000_000
FLOODS = {
    "letters": "a",
    "angles": "<",
    "tags": "<a ",
    "at": "@",
    "local-parts": "a@",
    "addresses": "bob@example.net ",
    "address-lines": "<bob@example.net>: 550 no\n",
    "statuses": "5.",
    "codes": "550 5.1.1 ",
    "brackets": "(",
    "quotes": "\"'",
    "line-ends": "\n",
    "spaces": " ",
    "led": "to:    ",
    "fields": "Final-Recipient: rfc822; a@b.example\nStatus: 5.1.1\n",
    "message-ids": "Message-ID: <",
    "markers": "[ref:pr1.",
    "links": "https://",
    "tokens": "pr1.a.",
}


def flood(name: str) -> str:
    piece = FLOODS[name]
    return piece * (SIZE // len(piece))


def decide(raw: str) -> None:
    try:
        message = read(raw.encode())
    except Unreadable:
        return
    decide_kind(message, is_ours=lambda _: False, exceptions=predefined())
    sender_verdict(message, auth=authentication_results.auth_results(message, authserv_ids=["mx"]))


@pytest.mark.parametrize("name", FLOODS)
def test_a_megabyte_in_the_text_costs_less_than_a_second(name: str) -> None:
    head = "From: MAILER-DAEMON@x.example\r\nReturn-Path: <>\r\nSubject: Undelivered Mail\r\n\r\n"
    assert takes_at_most(1.0, lambda: decide(head + flood(name)))


@pytest.mark.parametrize("piece", ["a", ",", "a@", "\n", "\n\n", "x:\n ", "wrote:\n", "<a@b.example> " * 40 + "\n"])
def test_a_report_that_is_small_enough_for_the_last_opinion_costs_less_than_a_second(piece: str) -> None:
    """flufl.bounce took the square of a long line: minutes for 200 KB."""
    flooded = piece * (100_000 // len(piece))
    head = "From: MAILER-DAEMON@x.example\r\nReturn-Path: <>\r\nSubject: Undelivered Mail\r\n"
    assert takes_at_most(1.0, lambda: decide(f"{head}\r\n{flooded}"))
    parts = f"--x\r\n\r\n{flooded}\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n{flooded}\r\n--x--"
    assert takes_at_most(1.0, lambda: decide(f"{head}Content-Type: multipart/report; boundary=x\r\n\r\n{parts}"))


@pytest.mark.parametrize("name", FLOODS)
def test_a_megabyte_in_a_status_field_costs_less_than_a_second(name: str) -> None:
    text = flood(name)
    raw = (
        "From: a@b.example\r\nContent-Type: multipart/report; boundary=x\r\n\r\n--x\r\n"
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: b\r\n\r\n"
        f"Final-Recipient: {text}\r\nDiagnostic-Code: {text}\r\n--x--"
    )
    assert takes_at_most(1.0, lambda: decide(raw))


@pytest.mark.parametrize("header", ["Subject", "From", "Return-Path", "X-Failed-Recipients", "Authentication-Results"])
@pytest.mark.parametrize("name", ["letters", "local-parts", "addresses", "brackets", "quotes", "led"])
def test_a_megabyte_in_a_header_costs_less_than_a_second(header: str, name: str) -> None:
    assert takes_at_most(1.0, lambda: decide(f"{header}: {flood(name)}\r\n\r\nhi"))


@pytest.mark.parametrize("name", FLOODS)
def test_a_megabyte_as_words_costs_less_than_a_second(name: str) -> None:
    text = flood(name)
    assert takes_at_most(1.0, lambda: list(thread_token.markers_in(text)))
    assert takes_at_most(1.0, lambda: thread_token.verify(text, keys=[b"k" * 16]))
    assert takes_at_most(1.0, lambda: authentication_results.parse("mx; " + text))
    assert takes_at_most(1.0, lambda: reason_for(Failure(text[:64_000], status=status_in(text))))
