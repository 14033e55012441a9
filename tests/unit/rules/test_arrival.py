"""Whether what came is the mail that was listed: pages, errors, parts, other mails and servers' own notices are not."""

from __future__ import annotations

import pytest
from postroom.model.server_mail import Item
from postroom.rules.polling.arrival import READ, doubt

MAIL = b"From: Ann <ann@example.org>\r\nMessage-ID: <1@example.org>\r\nSubject: x\r\n\r\nHello\r\n"
SUBSTITUTE = (
    b"From: Mail Server 2010\r\nTo: support@example.com\r\nSubject: Nachricht 20004\r\n fehlt\r\n"
    b'Date: Mon, 30 Nov 2026 09:00:00 +0000\r\nContent-Type: text/plain; charset="us-ascii"\r\n\r\nLeider nicht.\r\n'
)

NOT_THE_MAIL = {
    "a-page": b"<!DOCTYPE html>\r\n<html><head><title>Sign in: please</title></head><body>Date: now</body></html>",
    "a-page-with-a-style": b"<html>\r\n<style>\r\nbody { color: red }\r\nfrom: x\r\n</style></html>",
    "json": b'{"error":{"code":"x","message":"y"}}',
    "json-in-lines": b'{\r\n  "from": {\r\n    "code": "x" }\r\n}\r\n',
    "one-crlf": b"\r\n",
    "nothing": b"",
    "words": b"Service unavailable: come back later\r\n",
    "a-part": b"Content-Type: text/plain\r\nContent-Transfer-Encoding: 7bit\r\n\r\nFrom: me\r\n",
    "a-substitute": SUBSTITUTE,
}


@pytest.mark.fault(114)
@pytest.mark.parametrize("case", NOT_THE_MAIL)
def test_what_is_not_of_the_announced_length_has_to_look_like_a_mail(case: str) -> None:
    content = NOT_THE_MAIL[case]
    for size in (19_189, None):
        assert doubt(content, Item("1", size), size=len(content))


@pytest.mark.parametrize("case", [case for case in NOT_THE_MAIL if case != "nothing"])
def test_what_is_exactly_as_long_as_announced_is_what_lies_there(case: str) -> None:
    content = NOT_THE_MAIL[case]
    assert doubt(content, Item("1", len(content)), size=len(content)) == ""


@pytest.mark.fault(114)
@pytest.mark.parametrize(
    ("listed", "good"),
    [
        ("1@example.org", True),
        ("<1@example.org>", True),
        (" <1@example.org> ", True),
        ("", True),  # a listing without
        ("2@example.org", False),
    ],
)
@pytest.mark.parametrize("exact", [True, False], ids=["as-long-as-announced", "of-another-length"])
def test_a_message_id_that_is_listed_has_to_be_there(listed: str, good: bool, exact: bool) -> None:
    item = Item("1", len(MAIL) + (not exact), message_id=listed)
    assert (doubt(MAIL, item, size=len(MAIL)) == "") is good


LONG_ID = b"a" * 70 + b"\r\n bbb@example.org"

GOOD = {
    "folded-id": (b"Subject: x\r\nMessage-ID:\r\n <1@example.org>\r\n\r\n", "1@example.org"),
    "id-without-brackets": (b"Subject: x\r\nMessage-ID: 1@example.org\r\n\r\n", "1@example.org"),
    "two-ids": (b"Subject: x\r\nMessage-ID: <0@x>\r\nMessage-id: <1@example.org>\r\n\r\n", "1@example.org"),
    "an-id-cut-in-the-listing": (b"Subject: x\r\nMessage-ID: <" + LONG_ID + b">\r\n\r\n", "a" * 70),
    "raw-letters-in-the-id": (
        b"Subject: x\r\nMessage-ID: <gr\xfc\xdfe@example.org>\r\n\r\n",
        "gr\u00fc\u00dfe@example.org",
    ),
    "letters-that-the-server-replaced": (
        b"Subject: x\r\nMessage-ID: <gr??e@example.org>\r\n\r\n",
        "gr\u00fc\u00dfe@example.org",
    ),
    "encoded-id": (b"Subject: x\r\nMessage-ID: =?utf-8?q?<1=C3=BC@example.org>?=\r\n\r\n", "1@example.org"),
    "mbox-line": (b"From ann@example.org Mon Nov 30\r\nFrom: x\r\n\r\n", ""),
    "remark-above": (b"CAUTION external mail\r\nReceived: from x\r\nSubject: y\r\n\r\n", ""),
    "bare-lf": (b"Subject: x\nMessage-ID: <1@example.org>\n\nHello\n", "1@example.org"),
    "empty-line-first": (b"\r\nSubject: x\r\n\r\n", ""),
    "header-without-end": (b"Received: " + b"x" * READ, "1@example.org"),  # the id may follow
    "sender-with-address": (SUBSTITUTE.replace(b"Server 2010", b"<a@b.example>"), ""),
    "carried-by-somebody": (b"Received: from a by b\r\n" + SUBSTITUTE, ""),
    "with-parts": (SUBSTITUTE.replace(b"text/plain", b"multipart/mixed"), ""),
}


@pytest.mark.parametrize("case", GOOD)
def test_odd_mail_is_mail(case: str) -> None:
    content, listed = GOOD[case]
    assert doubt(content[:READ], Item("1", None, message_id=listed), size=len(content)) == ""


def test_an_id_with_letters_beyond_ascii_does_not_stand_for_one_that_is_missing() -> None:
    content = b"From: Server <x@example.org>\r\nSubject: Error\r\n\r\n"
    assert doubt(content, Item("1", None, message_id="gr\u00fc\u00dfe@example.org"), size=len(content))
