"""Rows of the answer to FETCH, right or wrong on purpose."""

from __future__ import annotations

import re
from collections.abc import Sequence

from postroom_cli.mailservers.imap_faults import Faults, FetchFault
from postroom_cli.mailservers.imap_syntax import BadCommand, format_internaldate
from postroom_cli.mailservers.listener import Closed, Connection
from postroom_cli.mailservers.store import Message

_SECTION = re.compile(rb"BODY(\.PEEK)?\[(HEADER|TEXT|)\](?:<(\d+)\.(\d+)>)?$", re.IGNORECASE)
_MACROS = {b"RFC822": b"BODY[]", b"RFC822.HEADER": b"BODY.PEEK[HEADER]", b"RFC822.TEXT": b"BODY[TEXT]"}
_HUGE = 8 * 1024**3


def fetch_row(
    connection: Connection,
    faults: Faults,
    number: int,
    message: Message,
    names: Sequence[bytes],
    *,
    read_only: bool,
) -> None:
    """Send the row of one message; a fault concerns only requests for the whole content."""
    plain: list[bytes] = []
    literal: tuple[bytes, bytes] | None = None
    whole = False
    for name in names:
        upper = _MACROS.get(name.upper(), name.upper())
        if upper == b"UID":
            plain.append(b"UID %d" % message.uid)
        elif upper == b"FLAGS":
            plain.append(b"FLAGS (%s)" % " ".join(sorted(message.flags)).encode("ascii"))
        elif upper == b"RFC822.SIZE":
            plain.append(b"RFC822.SIZE %d" % faults.wrong_size.get(message.uid, len(message.raw)))
        elif upper == b"INTERNALDATE":
            plain.append(b"INTERNALDATE " + format_internaldate(message.internaldate))
        elif match := _SECTION.match(upper):
            if not match[1] and not read_only:
                message.flags.add("\\Seen")
            content = _section(message, match[2])
            label = b"BODY[" + match[2] + b"]"
            if match[3]:
                start = int(match[3])
                content = content[start : start + int(match[4])]
                label += b"<" + match[3] + b">"
            literal = (label, content)
            whole = not match[2] and not match[3]
        else:
            raise BadCommand(f"Unknown FETCH item {name.decode('ascii', 'replace')}")
    fault = faults.fetch_fault(message.uid) if whole else None
    if b"RFC822.SIZE" in names and (message.uid in faults.no_size or message.uid in faults.no_size_once):
        faults.no_size_once.discard(message.uid)
        return
    if literal is None:
        connection.send(b"* %d FETCH (%s)\r\n" % (number, b" ".join(plain)))
    elif fault is None:
        label, content = literal
        head = b" ".join([*plain, label])
        connection.send(b"* %d FETCH (%s {%d}\r\n%s)\r\n" % (number, head, len(content), content))
    else:
        _send_faulty(connection, fault, number, message, plain, literal[0])


def _section(message: Message, section: bytes) -> bytes:
    if section == b"HEADER":
        return message.header
    if section == b"TEXT":
        return message.raw[len(message.header) :]
    return message.raw


def _send_faulty(
    connection: Connection, fault: FetchFault, number: int, message: Message, plain: list[bytes], label: bytes
) -> None:
    content = message.raw
    start = b"* %d FETCH (" % number
    head = start + b" ".join([*plain, label])
    without_uid = [item for item in plain if not item.startswith(b"UID ")]
    if fault is FetchFault.DROP_MID_LITERAL:
        connection.send(head + b" {%d}\r\n" % len(content) + content[: len(content) // 2])
        raise Closed
    if fault is FetchFault.HANG_MID_LITERAL:
        connection.send(head + b" {%d}\r\n" % len(content) + content[: len(content) // 2])
        connection.hang()
    elif fault is FetchFault.DRIP:
        connection.send(head + b" {%d}\r\n" % len(content))
        connection.drip(content, 0.05)
        connection.send(b")\r\n")
    elif fault is FetchFault.SHORT_LITERAL:
        half = content[: len(content) // 2]
        connection.send(head + b" {%d}\r\n%s)\r\n" % (len(half), half))
    elif fault is FetchFault.LONG_LITERAL:
        longer = content + b"bytes of another message\r\n"
        connection.send(head + b" {%d}\r\n%s)\r\n" % (len(longer), longer))
    elif fault is FetchFault.HUGE_LITERAL:
        connection.send(head + b" {%d}\r\n" % _HUGE + content)
        connection.hang()
    elif fault is FetchFault.NIL:
        connection.send(head + b" NIL)\r\n")
    elif fault is FetchFault.OTHER_UID:
        other = b" ".join([b"UID %d" % (message.uid + 100_000), *without_uid, label])
        connection.send(start + other + b" {%d}\r\n%s)\r\n" % (len(content), content))
    elif fault is FetchFault.NO_UID:
        connection.send(start + b" ".join([*without_uid, label]) + b" {%d}\r\n%s)\r\n" % (len(content), content))
    elif fault is FetchFault.UID_LAST:
        first = start + b" ".join([*without_uid, label])
        connection.send(first + b" {%d}\r\n%s UID %d)\r\n" % (len(content), content, message.uid))
    elif fault is FetchFault.TWICE:
        connection.send((head + b" {%d}\r\n%s)\r\n" % (len(content), content)) * 2)
    # NO_ROW: nothing at all
