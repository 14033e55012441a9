"""Whether what a mail server sent is the mail that it lists, before anything is stored or told to the server. Pure.

Servers, gateways and caches in between answer with pages, with errors as JSON, with nothing, with the begin of a mail
or with another one, and say that all went well. What is of exactly the announced length is believed; what is not has to
look like a mail. Where the listing tells the Message-ID, it has to be that one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from postroom.mail.reports import is_substitute
from postroom.model import Item
from postroom.model.configuration import Mailbox

READ = 64 * 1024  # bytes of a message that are looked at
_FIELD = re.compile(rb"([A-Za-z0-9][A-Za-z0-9_.\-]{0,76})[ \t]*:[ \t]*(.*)", re.DOTALL)
_LINE_END = re.compile(rb"\r\n|\n|\r")
_HEADER_END = re.compile(rb"\r\n\r\n|\n\n|\r\r|\n\r\n")
_ID = re.compile(rb"<([^<>]*)>")
_OF_MAIL = frozenset({"from", "to", "cc", "subject", "date", "received", "message-id", "return-path", "delivered-to"})
_LONG = 60  # characters of a Message-ID; a longer one may be cut in a listing


def lack_sizes(news: Sequence[Item], mailbox: Mailbox) -> bool:
    """Tell whether a listing has no size for any of several new messages: the server has not answered for sizes.

    One without is a message whose size the server cannot say (G02).
    """
    return len(news) > 1 and not mailbox.allow_bad_msg_size and all(item.size is None for item in news)


def doubt(begin: bytes, item: Item, *, size: int | None) -> str:
    """Say why what came is not the mail; empty when nothing speaks against it.

    `begin`: its first READ bytes; `size`: of all of it, None where only the header section was asked for.
    """
    fields = read_fields(begin)
    ended = _HEADER_END.search(begin) is not None or len(begin) < READ
    if item.message_id and ended and not _has_id(fields, item.message_id):
        return "what the server sent does not have the Message-ID that it lists"
    if size is not None and size == item.size:
        return ""
    if not begin.strip():
        return "the server sent nothing for it"
    if not _OF_MAIL & fields.keys() or begin.lstrip()[:1] in (b"<", b"{"):
        return "what the server sent has no header section"
    if is_substitute(fields):
        return "the server sent a notice of its own instead of it"
    return ""


def read_fields(begin: bytes) -> dict[str, list[bytes]]:
    """Read the header section that a message begins with: name in lower case → values, unfolded."""
    begin = begin.lstrip(b"\r\n")
    end = _HEADER_END.search(begin)
    fields: dict[str, list[bytes]] = {}
    values: list[bytes] | None = None
    for line in _LINE_END.split(begin[: end.start()] if end else begin):
        if line[:1] in (b" ", b"\t"):
            if values:
                values[-1] += line
        elif found := _FIELD.fullmatch(line):
            values = fields.setdefault(found[1].decode("ascii").lower(), [])
            values.append(found[2])
        else:
            values = None
    return fields


def _has_id(fields: dict[str, list[bytes]], wanted: str) -> bool:
    """Tell whether a listed Message-ID is in the header; letters beyond ASCII, which each writes in its way, agree."""
    known = _normal(wanted.encode("utf-8", "replace"))
    values = fields.get("message-id", ())
    if any(not one.isascii() or b"=?" in one for one in (known, *values)):
        return bool(values)
    return any(_is_same(_normal(value), known) for value in values)


def _is_same(one: bytes, other: bytes) -> bool:
    if one == other:
        return True
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) >= _LONG and longer.startswith(shorter)


def _normal(value: bytes) -> bytes:
    """Bring a Message-ID to what a listing and a header have in common: no brackets, no white space."""
    found = _ID.search(value)
    return b"".join((found[1] if found else value).strip(b" <>\t").split())
