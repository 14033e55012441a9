"""Digest of what stays the same when a server writes the bytes of a mail anew (design, 'Identities and order', 4).

Servers add header fields, change flags and categories, choose other boundaries, encodings and folds, each time they
hand a mail out. What people wrote stays: from whom to whom, when, under which Message-ID, the decoded text and files;
and so does the lowest Received, which the first server on the way wrote.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from postroom.mail.headers import address_key
from postroom.mail.reader import Message

_SHORT = 32  # hex digits, 128 bits
_LONGEST_LIST = 65_536  # bytes of a field that is parsed once more
_ADDRESSES = ("from", "to", "cc", "reply-to")
_TEXTS = ("date", "subject", "message-id")


def stable_digest(message: Message) -> str:
    """Return 32 hex digits, equal for two forms of one mail; embedded messages count in the same way."""
    digest = hashlib.sha256()
    for piece in _pieces(message):
        digest.update(len(piece).to_bytes(8, "big"))  # two pieces are never one longer one
        digest.update(piece)
    return digest.hexdigest()[:_SHORT]


def _pieces(message: Message) -> Iterator[bytes]:
    waiting = [message]
    while waiting:
        one = waiting.pop()
        yield from _header(one)
        for part in one.walk():
            if part.children:
                continue
            if part.message is not None:
                waiting.append(part.message)
            elif part.content_type.startswith("text/"):
                yield _even(part.text())
            else:
                yield part.data()


def _header(message: Message) -> Iterator[bytes]:
    for name in _TEXTS:
        yield _even(message.header(name))
    for name in _ADDRESSES:
        # Names are written by every server in its own way; a field that holds no address counts as it stands.
        long = sum(map(len, message.raw_values(name))) > _LONGEST_LIST  # a list that long no server writes anew
        found = [] if long else sorted({address_key(one.address) for one in message.addresses(name) if one.address})
        yield _even(" ".join(found) or message.header(name))
    yield _even("".join(message.raw_values("received")[-1:]))


def _even(text: str) -> bytes:
    """Write a text without its white space: lines are folded, wrapped and padded anew."""
    return "".join(text.split()).encode("utf-8", "surrogatepass")
