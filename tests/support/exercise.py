"""Ask a message everything the product asks of one; what must neither raise nor take long."""

from __future__ import annotations

from postroom.mail.content import calendar, signed
from postroom.mail.content.body_parts import bodies
from postroom.mail.headers.address import is_valid, parse_addresses
from postroom.mail.headers.date import parse_date
from postroom.mail.origin import message_ids
from postroom.mail.reader import Message, Unreadable, read

_ADDRESSES = ("from", "to", "cc", "bcc", "reply-to", "sender")
_MAX_EMBEDDED = 20


def exercise(raw: bytes) -> Message | None:
    """Read a message and all that is in it; None when it is beyond a limit."""
    try:
        message = read(raw)
    except Unreadable:
        return None
    waiting = [message]
    for _ in range(_MAX_EMBEDDED):
        if not waiting:
            break
        one = waiting.pop()
        _ask(one)
        waiting.extend(part.message for part in one.walk() if part.message is not None)
    return message


def _ask(message: Message) -> None:
    for name in message.header_names:
        message.headers(name)
    for name in _ADDRESSES:
        for value in message.raw_headers(name):
            for address in parse_addresses(value):
                is_valid(address.address)
    message_ids.message_id(message)
    message_ids.references(message)
    message_ids.in_reply_to(message)
    for line in message.headers("date") + message.headers("received"):
        parse_date(line.rpartition(";")[2])
    calendar.invitation(message)
    signed.protection(message)
    found = bodies(message)
    for part in found.attachments:
        part.data()
    for part in message.walk():
        _ = part.names, part.content_id, part.disposition, part.charset, part.size
        if not part.children:
            part.text() if part.content_type.startswith("text/") else part.data()
    assert isinstance(message.defects, tuple)
