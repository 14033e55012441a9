"""Mails of these tests, and what is remembered of them."""

from __future__ import annotations

from dataclasses import replace

from postroom.model.mailbox_state import Position, Record
from postroom.model.server_mail import Listing


def mail(number: int, *, size: int = 0) -> bytes:
    """Write a mail that differs from all others, CRLF throughout."""
    head = b"Subject: mail %d\r\nMessage-ID: <%d@example.com>\r\n\r\n" % (number, number)
    return head + b".line\r\nText \xff\xfe %d\r\n" % number + b"x" * 70 + b"\r\n" * (size // 2)


def stored_up_to(listing: Listing, cursor: int) -> Position:
    """Return what is remembered after everything listed up to the cursor was stored."""
    records = {item.id: Record.of(item.size, item.date) for item in listing.news if int(item.id) <= cursor}
    position = listing.position
    exists = None if position.exists is None else position.exists + len(records)
    return replace(
        position, cursor=str(cursor), kept=str(cursor) if exists is not None else "", records=records, exists=exists
    )
