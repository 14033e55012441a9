"""Mails of these tests, and what is remembered of them."""

from __future__ import annotations

from dataclasses import replace

from postroom.model.mailbox_state import Position


def mail(number: int, *, size: int = 0) -> bytes:
    """Write a mail that differs from all others, CRLF throughout."""
    head = b"Subject: mail %d\r\nMessage-ID: <%d@example.com>\r\n\r\n" % (number, number)
    return head + b".line\r\nText \xff\xfe %d\r\n" % number + b"x" * 70 + b"\r\n" * (size // 2)


def stored_up_to(position: Position, cursor: int) -> Position:
    """Return what is remembered after everything up to the cursor was stored."""
    return replace(position, cursor=str(cursor))
