"""The one reader of what an IMAP server says: an answer at a time, attributes of FETCH as values, contents into files.

imaplib and IMAPClient keep every literal in memory, several times over; here the content of a message passes through
one buffer into a file of its own, hashed on the way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from postroom.adapters.imap.errors import refused, response_codes
from postroom.adapters.net import Reader, Spool, Spooled
from postroom.errors import PostroomError, ServerMisbehaved

LINE_LIMIT = 16 * 1024 * 1024  # 200,000 UIDs are 1.6 MB
LITERAL_LIMIT = 1024 * 1024  # names and texts
SMALL = 64 * 1024  # literals in a FETCH response that are not message content stay in memory up to here
QUOTED_AT_MOST = 150  # bytes of what is no IMAP
_DEPTH = 50


@dataclass(slots=True)
class Row:
    """One FETCH response. `attributes`: name in upper case → bytes, a list, a Spooled file, or None for NIL."""

    number: int
    attributes: dict[bytes, object] = field(default_factory=dict)

    @property
    def uid(self) -> int | None:
        """Return the UID, when the row has one."""
        value = self.attributes.get(b"UID")
        return int(value) if isinstance(value, bytes) and value.isdigit() else None

    @property
    def has_content(self) -> bool:
        """Tell whether the row has BODY[…], be it NIL."""
        return any(name.startswith(b"BODY[") for name in self.attributes)

    def spooled(self) -> Spooled | None:
        """Return the value of BODY[…] as a file; None when it is NIL. Short values may come as quoted strings."""
        value = next((value for name, value in self.attributes.items() if name.startswith(b"BODY[")), None)
        if isinstance(value, bytes):
            with Spool() as spool:
                spool.write(value)
                return spool.keep()
        return value if isinstance(value, Spooled) else None

    def discard(self) -> None:
        """Delete the files of a row that nobody wants."""
        for value in self.attributes.values():
            if isinstance(value, Spooled):
                value.discard()


@dataclass(frozen=True, slots=True)
class Tagged:
    """The end of a command: OK, NO or BAD in upper case, and its text."""

    tag: bytes
    kind: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Untagged:
    """Any other untagged answer: its name in upper case, and number and text behind it, literals included."""

    name: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Continuation:
    """The server waits for more of a command."""


Answer = Row | Tagged | Untagged | Continuation


class LiteralRefused(Exception):
    """A literal larger than it may be; nothing of it was read, so the connection is of no more use."""

    def __init__(self, uid: int | None, size: int) -> None:
        super().__init__(f"a literal of {size:,} bytes")
        self.uid = uid
        self.size = size


Limit = Callable[[int | None], int]  # UID of the row, when known → largest literal accepted, in bytes

# What nearly all rows look like; anything else goes the long way through the tokens.
_USUAL = re.compile(rb"\* (\d+) FETCH \(UID (\d+) BODY\[\] \{(\d+)\}\r\n")
_USUAL_SIZE = re.compile(rb'\* (\d+) FETCH \(UID (\d+) RFC822\.SIZE (\d+) INTERNALDATE "([^"\\\r\n]*)"\)\r\n')
_FETCH = re.compile(rb"\* (\d+) FETCH \(", re.IGNORECASE)
_TAGGED = re.compile(rb"([A-Za-z0-9]+) (OK|NO|BAD)(?: (.*))?\r\n", re.IGNORECASE | re.DOTALL)
_UNTAGGED = re.compile(rb"\* (?:(\d+) )?([A-Za-z-]+)(?: (.*))?\r\n", re.DOTALL)
_LITERAL = re.compile(rb"\{(\d{1,20})\}\Z")
_TOKEN = re.compile(
    rb'[ \t]*(?:(?P<open>\()|(?P<close>\))|"(?P<quoted>(?:[^"\\\r\n]|\\.)*)"|\{(?P<literal>\d{1,20})\}\r?\n'
    rb'|(?P<atom>(?:[^\s()"\[{]|\[[^\]]*\])+))'
)


def read_answer(reader: Reader, *, limit: Limit, started: Callable[[int | None], None], quoted: bool = False) -> Answer:
    """Read one answer. `started` is told the UID (None: not known) when the content of a message begins.

    Raises LiteralRefused before a literal that `limit` forbids; what a refusal outside the protocol means, and else
    ServerMisbehaved, for what is no IMAP. `quoted`: nothing of a mail can be in that, so the error may show it.
    """
    line = reader.line(LINE_LIMIT)
    if usual := _USUAL.fullmatch(line):
        uid = int(usual[2])
        content = spool(reader, int(usual[3]), limit=limit, uid=uid, started=started)
        row = Row(int(usual[1]), {b"UID": usual[2], b"BODY[]": content})
        try:
            rest = reader.line(LINE_LIMIT)
            if rest != b")\r\n":
                _read_attributes(reader, rest, row, limit=limit, started=started)
        except BaseException:
            row.discard()
            raise
        return row
    if sizes := _USUAL_SIZE.fullmatch(line):
        return Row(int(sizes[1]), {b"UID": sizes[2], b"RFC822.SIZE": sizes[3], b"INTERNALDATE": sizes[4]})
    if fetch := _FETCH.match(line):
        row = Row(int(fetch[1]))
        try:
            _read_attributes(reader, line[fetch.end() :], row, limit=limit, started=started)
        except BaseException:
            row.discard()
            raise
        return row
    if untagged := _UNTAGGED.fullmatch(line):
        number, name, text = untagged.groups()
        text = b" ".join(filter(None, (number, text)))
        return Untagged(name.decode("ascii").upper(), _with_literals(reader, text))
    if tagged := _TAGGED.fullmatch(line):
        return Tagged(tagged[1], tagged[2].decode("ascii").upper(), tagged[3] or b"")
    if line[:1] == b"+":
        return Continuation()
    raise no_imap(reader, line, quoted=quoted)


def _with_literals(reader: Reader, text: bytes) -> bytes:
    """Read on where a text ends with the announcement of a literal."""
    data = text
    while literal := _LITERAL.search(text):
        content = _small(reader, int(literal[1]), at_most=LITERAL_LIMIT)
        text = reader.line(LINE_LIMIT).removesuffix(b"\r\n")
        data += content + text
        if len(data) > LINE_LIMIT:
            raise _too_long(reader, len(data))
    return data


def spool(
    reader: Reader, size: int, *, limit: Limit, uid: int | None, started: Callable[[int | None], None]
) -> Spooled:
    """Read a literal into a file of its own."""
    if size > limit(uid):
        raise LiteralRefused(uid, size)
    started(uid)
    with Spool() as file:
        reader.exactly(size, file.write)
        return file.keep()


def _read_attributes(
    reader: Reader, text: bytes, row: Row, *, limit: Limit, started: Callable[[int | None], None]
) -> None:
    """Read `name value name value … )` with literals wherever they come (RFC 3501 §7.4.2)."""
    stack: list[list[object]] = []
    name: bytes | None = None
    position = 0
    while True:
        token = _TOKEN.match(text, position)
        if token is None:
            raise no_imap(reader, text)
        position = token.end()
        value: object
        if token["open"]:
            if len(stack) >= _DEPTH:
                raise no_imap(reader, text)
            stack.append([])
            continue
        if token["close"]:
            if not stack:
                return
            value = stack.pop()
        elif token["literal"] is not None:
            size = int(token["literal"])
            if not stack and name is not None and name.startswith(b"BODY["):
                value = spool(reader, size, limit=limit, uid=row.uid, started=started)
            else:
                value = _small(reader, size)
            text, position = reader.line(LINE_LIMIT), 0
        elif token["quoted"] is not None:
            value = re.sub(rb"\\(.)", rb"\1", token["quoted"])
        else:
            value = token["atom"]
        if stack:
            stack[-1].append(value)
        elif name is None:
            if not isinstance(value, bytes):
                raise no_imap(reader, text)
            name = value.upper()
        else:
            if isinstance(previous := row.attributes.get(name), Spooled):
                previous.discard()
            nil = token["atom"] is not None and token["atom"].upper() == b"NIL"
            row.attributes[name] = None if nil else value
            name = None


def _small(reader: Reader, size: int, *, at_most: int = SMALL) -> bytes:
    if size > at_most:
        raise _too_long(reader, size)
    data = bytearray()
    reader.exactly(size, data.extend)
    return bytes(data)


def _too_long(reader: Reader, size: int) -> ServerMisbehaved:
    return ServerMisbehaved(
        f"The server sent a literal of {size:,} bytes that was not asked for",
        on=reader.stream.on,
        step=reader.stream.step,
        code="answer_too_long",
    )


def no_imap(reader: Reader, line: bytes, *, quoted: bool = False) -> PostroomError:
    """Say that a line is no answer, or, where it can hold nothing of a mail, what its response code means."""
    on, step = reader.stream.on, reader.stream.step
    if quoted and response_codes(line):
        return refused(line, step=step, on=on)
    line = line.partition(b"\r\n")[0]
    said = f": {line[:QUOTED_AT_MOST].decode('utf-8', 'backslashreplace').strip()!r}" if quoted else ""
    what = f"The server sent something that is no IMAP answer ({len(line):,} bytes){said}"
    return ServerMisbehaved(what, on=on, step=step, code="no_imap")
