"""Reading of POP3 answers: status lines, and multi-line answers block by block.

poplib refuses lines of more than 2,048 bytes (3 % of real mail has them) and rewrites bare line ends. Here a message
comes out exactly as it was sent, but for the dots that RFC 1939 §3 adds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator

from postroom.adapters.net import Reader
from postroom.errors import ServerMisbehaved

STATUS_LIMIT = 64 * 1024  # RFC 1939 says 512; servers say more
PRINTED = 64 * 1024  # bytes of a header of which a print is taken; a longer one has none
_PRINT_LENGTH = 8  # hexadecimal digits
_IDENTITY = re.compile(
    rb"^(message-id|date|from|to|subject)[ \t]*:((?:.*\n)(?:[ \t].*\n)*)", re.IGNORECASE | re.MULTILINE
)


class TooLong(Exception):
    """An answer longer than it may be; the rest is still on its way, so the connection is of no more use."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit:,} bytes")
        self.limit = limit


def read_status(reader: Reader) -> tuple[bool, bytes, bytes]:
    """Read `+OK text` or `-ERR text`: (good, text, the line end the server uses)."""
    line = reader.line(STATUS_LIMIT)
    end = b"\r\n" if line.endswith(b"\r\n") else b"\n"
    text = line.rstrip(b"\r\n")
    if text[:3].upper() == b"+OK":
        return True, text[3:].strip(), end
    if text[:4].upper() == b"-ERR":
        return False, text[4:].strip(), end
    if text[:1] == b"+":  # a SASL challenge (RFC 5034)
        return True, text[1:].strip(), end
    raise ServerMisbehaved(
        f"The server sent something that is no POP3 answer ({len(line):,} bytes)",
        on=reader.stream.on,
        step=reader.stream.step,
        code="no_pop3",
    )


def read_multiline(reader: Reader, sink: Callable[[bytes], object], *, limit: int, end: bytes = b"\r\n") -> int:
    """Hand a multi-line answer to `sink`, dots unstuffed, without the final dot; return its size in bytes.

    `end`: the server's line end. Only that, a dot and that again is the end: what a mail contains (a bare LF before a
    dot, say) cannot end it. Raises TooLong beyond `limit` bytes.
    """
    mark = end + b"."
    stuffed = mark + b"."  # a line with one dot is of a server that does not stuff, and keeps it
    final = mark + end
    pending = end  # the answer begins at the begin of a line
    skip = len(end)  # which is not part of it
    size = 0

    def give(data: bytes) -> None:
        nonlocal size, skip
        piece = data.replace(stuffed, mark) if stuffed in data else data  # RFC 1939 §3: the first of two dots goes
        if skip:
            piece, skip = piece[skip:], max(0, skip - len(piece))
        size += len(piece)
        if size > limit:
            raise TooLong(limit)
        if piece:
            sink(piece)

    while True:
        data = pending + bytes(reader.block())
        stop = data.find(final)
        if stop >= 0:
            reader.unread(len(data) - stop - len(final))
            give(data[: stop + len(end)])
            return size
        # Hold back what may be the beginning of the end, or of a stuffed dot.
        cut = data.rfind(end, max(0, len(data) - len(final) + 1))
        if cut < 0:
            cut = len(data) - (1 if data.endswith(end[:1]) and len(end) > 1 else 0)
        give(data[:cut])
        pending = data[cut:]


def rows(answer: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Read the rows of UIDL and LIST."""
    for row in answer.splitlines():
        number, _, value = row.strip().partition(b" ")
        if number.isdigit():
            yield number, value.strip()


def print_of(header: bytes) -> str:
    """Digest a header, whether or not the empty line behind it came along; "" for one that is too long."""
    return hashlib.sha256(header.rstrip(b"\r\n")).hexdigest()[:_PRINT_LENGTH] if len(header) <= PRINTED else ""


def is_same_mail(one: bytes, other: bytes) -> bool:
    """Tell whether two header sections are of one message: alike, or with the same fields that say which it is.

    Servers and scanners write marks of their own (`X-UIDL`, `Status`) into what RETR sends, and not into TOP.
    """
    if one.rstrip(b"\r\n") == other.rstrip(b"\r\n"):
        return True
    said = _identity(one)
    return b"message-id" in said and said == _identity(other)


def _identity(header: bytes) -> dict[bytes, bytes]:
    return {found[1].lower(): b"".join(found[2].split()) for found in _IDENTITY.finditer(header)}


def header_of(data: bytes) -> bytes:
    """Cut a message behind its header section."""
    end = data.find(b"\r\n\r\n")
    return data if end < 0 else data[: end + 4]
