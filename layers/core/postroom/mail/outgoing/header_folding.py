"""Write header fields: folded so that every reader gets back what was put in (RFC 5322 §2.2.3, RFC 2047).

The standard library's folding makes encoded words of Message-IDs over 77 characters, which ends their threads, and
changes one subject in forty by what it does at its folds. Here ids are never encoded; a run of words from the first to
the last that needs it is encoded as a whole, so that its spaces are inside; a word is never cut elsewhere.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence

from postroom.mail.headers import Address

LINE = 78  # octets, RFC 5322 §2.1.1: "SHOULD"
ENCODED_LINE = 76  # octets of a line that holds encoded words, RFC 2047 §2
ENCODED_WORD = 75  # octets, RFC 2047 §2
REFERENCES_LIMIT = 4000  # octets of all ids of a References field
_MOST_REFERENCES = 20
_LEAST_ROOM = 30  # octets: what is left of a line below this is not worth an encoded word

_PLAIN_WORD = re.compile(r"[!-~]+")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")  # RFC 5322 §3.2.3
_QUOTABLE = re.compile(r"[ -~]*")
_UNENCODED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")  # RFC 2047 §5 (3)
_MARK = "=?"  # begins an encoded word; what holds it is encoded itself, or readers would decode what was plain


def text_field(name: str, value: str) -> str:
    """Write an unstructured field (Subject), with its CRLF; `value` is one line."""
    return _folded(name, list(_text_tokens(value, used=len(name) + 2)))


def ids_field(name: str, ids: Sequence[str]) -> str:
    """Write Message-IDs; they stand as they are, and lines are broken between them only."""
    return _folded(name, list(ids))


def addresses_field(name: str, addresses: Sequence[Address]) -> str:
    """Write mailboxes; names are atoms, quoted strings or encoded words, whichever keeps them."""
    tokens: list[str] = []
    for number, address in enumerate(addresses):
        used = len(name) + 2 if not tokens else 1
        words = list(_phrase_tokens(address.name, used=used))
        last = f"<{address.address}>" if address.name else address.address
        tokens += [*words, last + ("," if number < len(addresses) - 1 else "")]
    return _folded(name, tokens)


def references(ids: Sequence[str]) -> list[str]:
    """Shorten a chain of ids to its first and its newest: what threads hang on (RFC 5322 §3.6.4)."""
    chain = list(dict.fromkeys(ids))
    if not chain:
        return []
    room = REFERENCES_LIMIT - len(chain[0])
    newest: list[str] = []
    for one in reversed(chain[1:][1 - _MOST_REFERENCES :]):
        room -= len(one) + 3
        if room < 0:
            break
        newest.append(one)
    return [chain[0], *reversed(newest)]


def _folded(name: str, tokens: Sequence[str]) -> str:
    """Join tokens with a space, or with a line break and a space where the line would grow too long."""
    line, lines = f"{name}:", []
    for token in tokens:
        limit = ENCODED_LINE if _MARK in token or _MARK in line else LINE
        full = len(line) + 1 + len(token) > limit
        # A first token that is longer than any line stays beside the name: nothing is gained by moving it.
        if full and (line != f"{name}:" or len(token) + 1 <= limit):
            lines.append(line)
            line = ""
        line += f" {token}"
    return "\r\n".join([*lines, line]) + "\r\n"


def _text_tokens(value: str, *, used: int) -> Iterator[str]:
    words = value.split(" ")
    needing = [number for number, word in enumerate(words) if not _stands(word)]
    if not needing:
        yield from words
        return
    first, last = needing[0], needing[-1]
    yield from words[:first]
    # The rest of the line that this begins on is not known exactly: a first word that does not fit moves on whole.
    line = used + sum(len(word) + 1 for word in words[:first])
    yield from encoded_words(" ".join(words[first : last + 1]), used=line if line < ENCODED_LINE else 1)
    yield from words[last + 1 :]


def _stands(word: str) -> bool:
    """Tell whether a word can stand as it is; an empty one is a space too many, which readers may take for a fold."""
    return bool(_PLAIN_WORD.fullmatch(word)) and _MARK not in word and len(word) < LINE


def _phrase_tokens(name: str, *, used: int) -> Iterator[str]:
    if not name:
        return
    if _MARK not in name and len(name) <= LINE - 2 - used:
        if _ATOMS.fullmatch(name):
            yield name
            return
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        if _QUOTABLE.fullmatch(name) and len(quoted) + 2 <= LINE - used:
            yield f'"{quoted}"'
            return
    yield from encoded_words(name, used=used)


def encoded_words(text: str, *, used: int = 1) -> Iterator[str]:
    """Encode a text in words of at most 75 octets that hold whole characters; `used`: octets of the first line.

    In base64 or quoted-printable, whichever is shorter.
    """
    octets = text.encode("utf-8")
    quoted = sum(1 if octet in _UNENCODED or octet == 0x20 else 3 for octet in octets)
    in_base64 = quoted > (len(octets) + 2) // 3 * 4
    most = ENCODED_WORD - len("=?utf-8?b??=")
    room = ENCODED_LINE - used - len("=?utf-8?b??=")
    room = min(most, room) if room >= _LEAST_ROOM else most
    word, size = b"", 0
    for character in text:
        more = character.encode("utf-8")
        grown = (len(word + more) + 2) // 3 * 4 if in_base64 else size + len(_quoted(more))
        if grown > room:
            yield _encoded(word, in_base64)
            word, room = b"", most
            grown = len(_quoted(more))
        word, size = word + more, grown
    yield _encoded(word, in_base64)


def _encoded(octets: bytes, in_base64: bool) -> str:
    if in_base64:
        return f"=?utf-8?b?{base64.b64encode(octets).decode('ascii')}?="
    return f"=?utf-8?q?{_quoted(octets)}?="


def _quoted(octets: bytes) -> str:
    return "".join(chr(octet) if octet in _UNENCODED else "_" if octet == 0x20 else f"={octet:02X}" for octet in octets)
