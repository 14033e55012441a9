"""A part of a message: offsets into the one buffer, everything else worked out when asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from postroom.mail.encoding import IDENTITY, GuessBudget, decode_checked, decode_transfer, encoding_of
from postroom.mail.headers import Address, Parameters, decode_header, parse, parse_addresses
from postroom.mail.reader.file_names import names_of
from postroom.mail.reader.limits import LIMITS, Limits, Unreadable

_TYPE = re.compile(r"([^\s/;,()\"]+)\s*/\s*([^\s/;,()\"]+)")
_META_CHARSET = re.compile(rb"<meta\s[^>]{0,200}charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_HTML_HEAD = 4_096  # bytes in which its first kilobyte stands, however it is encoded
_NO_PARAMETERS = Parameters(value="", pairs=())
# RFC 2045 §5.2 says text/plain for what cannot be read; a lone type says more than that.
_LONE_TYPES = {
    "text": "text/plain",
    "plain": "text/plain",
    "html": "text/html",
    "multipart": "multipart/mixed",
    "message": "message/rfc822",
    "image": "application/octet-stream",
    "audio": "application/octet-stream",
    "video": "application/octet-stream",
    "application": "application/octet-stream",
    "pdf": "application/pdf",
}
_REMEMBERED = 2_000  # characters of a header value
_MOST_REMEMBERED = 100
_KEPT_TEXT = 1_000_000  # characters of the texts of one message
_MOST_ASKED = 20  # parts, for the charset of the message's text
_MESSAGE_TYPES = {"message/rfc822", "message/global", "message/news"}


@dataclass(slots=True)
class Context:
    """Hold what the parts of one message share: the buffer, limits, defects, and what is left of the budget."""

    buffer: bytes
    read: Callable[[Context, int, int], Message]  # how an embedded message is read: buffer[start:end], when asked for
    limits: Limits = LIMITS
    depth: int = 0  # of the message that these parts belong to
    parts: list[int] = field(default_factory=lambda: [0])  # one counter for a message and all embedded in it
    defects: list[str] = field(default_factory=list)
    budget: GuessBudget = field(default_factory=GuessBudget)
    root: Message | None = None
    raw: bytes | None = None  # the bytes that were read, where the message is not simply a piece of the buffer
    decoded: dict[str, str] = field(default_factory=dict)  # header values that took work, by what was written
    text_room: int = _KEPT_TEXT  # what may still be kept of texts

    @property
    def text_charset(self) -> str | None:
        """Return the charset that the message declares for its first text: raw 8-bit headers are written in it too."""
        parts = self.root.parts[:_MOST_ASKED] if self.root else ()
        texts = [part for part in parts if part.content_type.startswith("text/")]
        for part in texts:
            if part.charset:
                return part.charset
        return next((found for part in texts if (found := part.meta_charset())), None)

    def note(self, defect: str) -> None:
        """Remember a defect once."""
        if defect not in self.defects and len(self.defects) < 100:
            self.defects.append(defect)


class Part:
    """One MIME entity (RFC 2045 §2.4); of a multipart, its children; else its body."""

    __slots__ = (
        "_body", "_context", "_end", "_fields", "_message", "_names", "_parameters", "_start", "_text", "children",
        "content_type", "path",
    )  # fmt: skip

    def __init__(
        self, context: Context, start: int, body: int, end: int, fields: dict[str, list[str]], *, default_type: str
    ) -> None:
        self._context = context
        self._start = start
        self._body = body
        self._end = end
        self._fields = fields
        self._parameters: Parameters | None = None
        self._message: Part | bool | None = None
        self._text: str | None = None
        self._names: tuple[str, ...] | None = None
        self.path = ""
        self.children: tuple[Part, ...] = ()
        value = fields.get("content-type")
        self.content_type = _content_type(value[0], default_type) if value else default_type

    def __repr__(self) -> str:
        return f"Part({self.path!r}, {self.content_type!r}, {self._end - self._body} bytes)"

    # Headers

    def has(self, name: str) -> bool:
        """Say whether the header is there at all, be it empty."""
        return name.lower() in self._fields

    @property
    def header_names(self) -> tuple[str, ...]:
        """Return the names of the headers in lower case, each once, in order of first appearance."""
        return tuple(self._fields)

    def header(self, name: str) -> str:
        """Return the first header of that name, decoded and unfolded; "" without one."""
        values = self._fields.get(name.lower())
        return self._decoded(values[0]) if values else ""

    def headers(self, name: str) -> list[str]:
        """Return all headers of that name, decoded and unfolded, in order."""
        return [self._decoded(value) for value in self._fields.get(name.lower(), ())]

    def raw_headers(self, name: str) -> list[bytes]:
        """Return all values of that name undecoded, folds included as LF, without the final line end."""
        return [value.encode("latin-1").strip(b" \t\r\n") for value in self._fields.get(name.lower(), ())]

    def raw_values(self, name: str) -> list[str]:
        """Return all values of that name as written, one character a byte: for scanners of structured headers."""
        return self._fields.get(name.lower(), [])

    def addresses(self, name: str) -> list[Address]:
        """Return the mailboxes of all headers of that name, in order."""
        found: list[Address] = []
        for value in self._fields.get(name.lower(), ()):
            charset = None if value.isascii() else self._context.text_charset
            found += parse_addresses(value.encode("latin-1"), charset=charset)
        return found

    def _decoded(self, value: str) -> str:
        if "=?" not in value and value.isascii() and "\r" not in value and "\x1b" not in value and "\0" not in value:
            if "\n" in value:
                return " ".join(map(str.strip, value.split("\n"))).strip()
            return value.strip()
        known = self._context.decoded
        if value in known:
            return known[value]
        charset = None if value.isascii() else self._context.text_charset
        decoded = decode_header(value.encode("latin-1"), charset=charset, budget=self._context.budget)
        if len(value) <= _REMEMBERED and len(known) < _MOST_REMEMBERED:
            known[value] = decoded
        return decoded

    # What the part is

    @property
    def parameters(self) -> Parameters:
        """Return the parsed Content-Type."""
        if self._parameters is None:
            value = self._fields.get("content-type")
            self._parameters = parse(value[0]) if value else _NO_PARAMETERS
        return self._parameters

    def parameter(self, name: str) -> str | None:
        """Return a parameter of Content-Type as text, RFC 2231 forms joined; None without it."""
        return self.parameters.get(name.lower())

    @property
    def charset(self) -> str | None:
        """Return the declared charset as written; None without one."""
        return self.parameter("charset") or None

    @property
    def message_charset(self) -> str | None:
        """Return the charset that the message's text is said to be in: raw 8-bit names are in it too."""
        return self._context.text_charset

    @property
    def disposition(self) -> str | None:
        """Return "inline" or "attachment"; None without the header. RFC 2183 §2.8: an unknown one is an attachment."""
        value = self._fields.get("content-disposition")
        if not value:
            return None
        word = parse(value[0]).value.split(" ")[0]
        if not word or "=" in word:
            return "attachment" if "filename" in value[0].lower() else None
        return "inline" if word == "inline" else "attachment"

    @property
    def names(self) -> tuple[str, ...]:
        """Return all file names that any client might use for this part, the best one first."""
        if self._names is None:
            self._names = names_of(self)
        return self._names

    @property
    def name(self) -> str:
        """Return the best file name; "" without one."""
        found = self.names
        return found[0] if found else ""

    @property
    def content_id(self) -> str | None:
        """Return the Content-ID without angle brackets (as `cid:` URLs write it, RFC 2392); None without one."""
        value = self.header("content-id").strip()
        if value.startswith("<"):
            value = value[1:].partition(">")[0]
        return value.strip() or None

    @property
    def is_multipart(self) -> bool:
        """Say whether the part was read as a multipart; one without any parts is text instead."""
        return bool(self.children)

    # What the part holds

    @property
    def size(self) -> int:
        """Return the size of the body as it stands in the message, in bytes."""
        return self._end - self._body

    @property
    def raw_body(self) -> bytes:
        """Return the body as it stands in the message."""
        return self._context.buffer[self._body : self._end]

    @property
    def encoding(self) -> str:
        """Return what the transfer encoding means: base64, quoted-printable, uuencode or 8bit."""
        value = self._fields.get("content-transfer-encoding")
        if not value or (self.children and self.content_type.startswith("multipart/")):
            return IDENTITY  # RFC 2045 §6.4: a multipart is never encoded, whatever it says
        return encoding_of(value[0])

    def data(self) -> bytes:
        """Return the body with the transfer encoding undone. Not kept: a 25 MB attachment is decoded when asked for."""
        return self._data(self.encoding)

    def beginning(self, size: int) -> bytes:
        """Return at least the first `size` bytes of what `data` returns, if there are so many, without decoding all."""
        stop = min(self._end, self._body + 4 * size + 200)  # quoted-printable has three characters a byte
        return decode_transfer(self._context.buffer[self._body : stop], self.encoding)

    def _data(self, encoding: str) -> bytes:
        if encoding == IDENTITY:
            return self._context.buffer[self._body : self._end]
        with memoryview(self._context.buffer) as view:
            return decode_transfer(view[self._body : self._end], encoding)

    def text(self) -> str:
        """Return the body as text with `\\n` line ends; never raises, U+FFFD stands for what is lost."""
        if self._text is not None:
            return self._text
        text = self._decode_text()
        # Kind and bodies both ask for the texts of a report.
        if len(text) <= self._context.text_room:
            self._context.text_room -= len(text)
            self._text = text
        return text

    @property
    def known_text(self) -> str | None:
        """Return the text, if it was asked for before and kept."""
        return self._text

    def _decode_text(self) -> str:
        data, charset = self.data(), self.charset
        hint = charset if charset or data.isascii() else self._unsaid_charset(data)
        text, sure = decode_checked(data, hint, budget=self._context.budget)
        if not sure:
            self._context.note(f"charset {charset or 'none'} is not that of the text of part {self.path or '1'}"[:100])
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return text

    def _unsaid_charset(self, data: bytes) -> str | None:
        """Return what a text without charset is likely in when it is not UTF-8: what its HTML says, or its message."""
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            return self.meta_charset() or self._context.text_charset
        return "utf-8"

    def meta_charset(self) -> str | None:
        """Return the charset that a text says of itself, if it is HTML; WHATWG HTML §13.2.3.2 looks at 1 KB."""
        if self.content_type != "text/html":
            return None
        head = self._context.buffer[self._body : min(self._end, self._body + _HTML_HEAD)]
        meta = _META_CHARSET.search(decode_transfer(head, self.encoding), 0, 1_024)
        return meta[1].decode("ascii") if meta else None

    def walk(self) -> Iterator[Part]:
        """Go through this part and those within it, in order; messages embedded in it are not entered."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(reversed(part.children))

    @property
    def is_message(self) -> bool:
        """Say whether the part is an embedded message (RFC 2046 §5.2.1, RFC 6532 §3.7)."""
        return self.content_type in _MESSAGE_TYPES

    @property
    def message(self) -> Message | None:
        """Return the embedded message, read when first asked for; None for other parts and what cannot be one."""
        if self._message is None:
            self._message = (self.is_message and self._read_message()) or False
        return self._message if isinstance(self._message, Message) else None

    def _read_message(self) -> Message | None:
        context = self._context
        encoding = self.encoding
        try:
            if encoding == IDENTITY:
                inner = Context(context.buffer, context.read, context.limits, context.depth + 1, context.parts)
                root = context.read(inner, self._body, self._end)
            else:  # RFC 2046 §5.2.1 forbids it; gateways and phones do it all the same
                data = self._data(encoding)
                inner = Context(data, context.read, context.limits, context.depth + 1, context.parts, raw=data)
                root = context.read(inner, 0, len(data))
        except Unreadable as error:
            context.note(f"embedded message of part {self.path or '1'}: {error.reason}")
            return None
        if not root.header_names:
            context.note(f"part {self.path or '1'} is no message although it says so")
            return None
        return root


class Message(Part):
    """A message: its root part, and what is asked of it as a whole."""

    __slots__ = ("_parts",)

    def __init__(
        self, context: Context, start: int, body: int, end: int, fields: dict[str, list[str]], *, default_type: str
    ) -> None:
        Part.__init__(self, context, start, body, end, fields, default_type=default_type)
        self._parts: tuple[Part, ...] | None = None

    @property
    def raw(self) -> bytes:
        """Return the bytes that were read."""
        raw = self._context.raw
        return raw if raw is not None else self._context.buffer[self._start : self._end]

    @property
    def defects(self) -> tuple[str, ...]:
        """Return what was found wrong so far: of the structure at once, of texts once they were asked for."""
        return tuple(self._context.defects)

    @property
    def parts(self) -> tuple[Part, ...]:
        """Return all parts, the message itself first, in order; those of embedded messages are not among them."""
        if self._parts is None:
            self._parts = tuple(Part.walk(self))
        return self._parts

    def walk(self) -> Iterator[Part]:
        """Go through all parts, as `parts` has them."""
        return iter(self.parts)


# What most parts are: read without a search.
_KNOWN_TYPES = {
    kind: kind
    for kind in str.split(
        "text/plain text/html multipart/alternative multipart/mixed multipart/related multipart/report multipart/signed"
        " message/rfc822 message/delivery-status text/rfc822-headers application/pdf application/octet-stream"
        " image/png image/jpeg image/gif"
    )
}


def _content_type(value: str, default: str) -> str:
    """Return `type/subtype` in lower case (RFC 2045 §5.1), the default for what cannot be read."""
    head = value.partition(";")[0].strip().lower()
    known = _KNOWN_TYPES.get(head)
    if known:
        return known
    match = _TYPE.match(head)
    if match and match.end() == len(head):
        return f"{match[1]}/{match[2]}"
    word = parse(value[:1000]).value
    match = _TYPE.match(word)
    if match:
        return f"{match[1]}/{match[2]}"
    return _LONE_TYPES.get(word, default)
