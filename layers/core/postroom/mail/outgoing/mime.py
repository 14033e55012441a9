"""Build the MIME structure of a mail: alternatives, pictures of the HTML, files (RFC 2045, 2046, 2183, 2231, 2387)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import quote

from postroom.mail.outgoing.transfer import Encoded, Encoding, encode_file, encode_text, encoding_for

BOUNDARY = "=_postroom_"
_LINE = 78
_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,60}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,80}")
_CONTENT_ID = re.compile(r"[!-;=?-~]{1,200}")  # printable ASCII without angle brackets
_PLAIN_NAME = re.compile(r"[ -!#-\[\]-~]{1,50}")  # no quote, no backslash
_UNSAFE_IN_NAMES = re.compile(r"[\x00-\x1f\x7f-\x9f/\\\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
_LONGEST_NAME = 200  # characters


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that travels with a mail; `content_id` without angle brackets: the HTML shows it as `cid:…`."""

    name: str
    content_type: str
    data: bytes = field(repr=False)
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Ways:
    """How contents travel, as the way out wants it (S01, S02)."""

    charset: str = "utf-8"
    body: str = "8bit"
    files: str = "base64"  # a table by file type
    eight_bit: bool = False  # the next server may be given octets over 127


PLAIN_WAYS = Ways()


def body_of(text: str, html: str | None, files: Sequence[Enclosure], *, ways: Ways, seed: str) -> bytes:
    """Return the fields of the content and the content; `seed` makes its boundaries, the same at every try."""
    writing = _Writing(ways, seed)
    shown = [one for one in files if html is not None and one.content_id and f"cid:{one.content_id}" in html]
    attached = [one for one in files if one not in shown]
    first = writing.text(text, "plain")
    if html is not None:
        rich = writing.text(html, "html")
        if shown:
            rich = writing.multipart("related", [rich, *(partial(writing.file, one, shown=True) for one in shown)])
        first = writing.multipart("alternative", [first, rich])
    if attached:
        first = writing.multipart("mixed", [first, *(partial(writing.file, one) for one in attached)])
    return first()


_Part = Callable[[], bytes]


class _Writing:
    """Writes parts, the innermost last, so that no file is held in more copies than it must."""

    def __init__(self, ways: Ways, seed: str) -> None:
        self._ways = ways
        self._seed = seed
        self._number = 0

    def text(self, text: str, subtype: str) -> _Part:
        def write() -> bytes:
            ways = self._ways
            encoded = encode_text(text, charset=ways.charset, wanted=ways.body, eight_bit=ways.eight_bit)
            return _part(f"text/{subtype}; charset={encoded.charset}", encoded)

        return write

    def file(self, one: Enclosure, *, shown: bool = False) -> bytes:
        kind = _type_of(one)
        if kind == "message/rfc822":  # RFC 2046 §5.2.1: in no other encoding
            encoded = Encoded(Encoding.SEVEN_BIT, one.data)
        else:
            wanted = encoding_for(one.name, self._ways.files)
            encoded = encode_file(one.data, wanted=wanted, eight_bit=self._ways.eight_bit)
        name = file_name(one.name)
        fields = [_with_name("Content-Disposition", "inline" if shown else "attachment", "filename", name)]
        if one.content_id and _CONTENT_ID.fullmatch(one.content_id):
            fields.append(f"Content-ID: <{one.content_id}>\r\n")
        return _part(kind, encoded, fields)

    def multipart(self, subtype: str, parts: Sequence[_Part]) -> _Part:
        self._number += 1
        mark = hashlib.sha256(f"{self._seed}\0{self._number}".encode()).hexdigest()[:32]

        def write() -> bytes:
            written = [one() for one in parts]
            # The mark is of our own signed id, so that nobody writes it into a text; the digest ends the chance.
            boundary = f"{BOUNDARY}{mark}"
            while any(boundary.encode() in one for one in written):
                boundary += "x"
            between = b"\r\n--" + boundary.encode() + b"\r\n"
            kind = f'multipart/{subtype};\r\n boundary="{boundary}"'
            kind += ';\r\n type="text/html"' if subtype == "related" else ""
            head = f"Content-Type: {kind}\r\n\r\n".encode()
            # A blank preamble line, so that the first boundary begins a line.
            return b"".join([head, between.removeprefix(b"\r\n"), between.join(written), b"\r\n--", boundary.encode(), b"--\r\n"])  # fmt: skip  # noqa: E501

        return write


def _part(kind: str, encoded: Encoded, fields: Sequence[str] = ()) -> bytes:
    head = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoded.encoding}\r\n{''.join(fields)}\r\n"
    return head.encode("ascii") + encoded.octets


def _type_of(one: Enclosure) -> str:
    kind = one.content_type.partition(";")[0].strip().lower()
    if not _TYPE.fullmatch(kind) or kind.startswith("multipart/"):
        return "application/octet-stream"
    if kind.startswith("message/") and not (kind == "message/rfc822" and one.data.isascii()):
        return "application/octet-stream"
    return kind


def file_name(name: str) -> str:
    """Return a name that no reader takes for a path or a line of the header; never empty."""
    safe = _UNSAFE_IN_NAMES.sub("_", name).strip(" .")
    if len(safe) > _LONGEST_NAME:
        stem, dot, ending = safe.rpartition(".")
        ending = f"{dot}{ending}" if dot and len(ending) <= 10 else ""
        safe = (stem or safe)[: _LONGEST_NAME - len(ending)] + ending
    return safe or "file"


def _with_name(field_name: str, value: str, parameter: str, name: str) -> str:
    """Write a field with a file's name: quoted where it is plain, else by RFC 2231, in pieces that fit their lines."""
    if _PLAIN_NAME.fullmatch(name):
        return f'{field_name}: {value};\r\n {parameter}="{name}"\r\n'
    encoded = quote(name, safe="")
    whole = f"{parameter}*=utf-8''{encoded}"
    if len(whole) + 2 <= _LINE:
        return f"{field_name}: {value};\r\n {whole}\r\n"
    pieces, line = [], f"{parameter}*0*=utf-8''"
    for step in re.findall(r"%[0-9A-F]{2}|.", encoded):
        if len(line) + len(step) + 2 > _LINE:
            pieces.append(line)
            line = f"{parameter}*{len(pieces)}*="
        line += step
    return f"{field_name}: {value};\r\n " + ";\r\n ".join([*pieces, line]) + "\r\n"
