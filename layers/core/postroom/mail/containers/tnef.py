"""Open TNEF (`winmail.dat`), which Outlook sends instead of MIME: texts and attachments, within limits.

Source: Microsoft [MS-OXTNEF] (the stream), [MS-OXPROPS] (property numbers), [MS-OXRTFCP] (compressed RTF).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from postroom.mail.containers.rtf import decompress, rtf_text
from postroom.mail.encoding import decode
from postroom.mail.reader import Part

_SIGNATURE = 0x223E9F78
_MAGIC_BYTES = 4
_TYPES = {"application/ms-tnef", "application/vnd.ms-tnef"}
_BODY, _CODE_PAGE = 0x0002800C, 0x00069007
_MESSAGE_PROPERTIES, _ATTACHMENT_PROPERTIES = 0x00069003, 0x00069005
_ATTACHMENT_START, _ATTACHMENT_TITLE, _ATTACHMENT_DATA = 0x00069002, 0x00018010, 0x0006800F
# Property identifiers ([MS-OXPROPS]).
_PR_BODY, _PR_RTF, _PR_HTML, _PR_INTERNET_CPID = 0x1000, 0x1009, 0x1013, 0x3FDE
_PR_ATTACH_DATA, _PR_ATTACH_FILENAME, _PR_ATTACH_LONG_FILENAME = 0x3701, 0x3704, 0x3707
_PR_DISPLAY_NAME, _PR_ATTACH_MIME_TAG, _PR_ATTACH_CONTENT_ID = 0x3001, 0x370E, 0x3712
# Property types ([MS-OXCDATA] §2.11.1) of fixed size, in bytes as they lie in the stream.
_FIXED = {0x0001: 4, 0x0002: 4, 0x0003: 4, 0x0004: 4, 0x0005: 8, 0x0006: 8, 0x0007: 8, 0x000A: 4, 0x000B: 4, 0x0014: 8}
_FIXED |= {0x0040: 8, 0x0048: 16}
_VARIABLE = {0x000D, 0x001E, 0x001F, 0x0102}
_MAX_ATTRIBUTES, _MAX_PROPERTIES, _MAX_ATTACHMENTS, _MAX_VALUES = 5_000, 2_000, 200, 1_000


@dataclass(slots=True)
class TnefAttachment:
    """A file in a TNEF stream; `names` holds its long, short and display name, the best one first."""

    names: tuple[str, ...] = ()
    content_type: str = "application/octet-stream"
    content_id: str | None = None
    data: bytes = b""


@dataclass(slots=True)
class Tnef:
    """What a TNEF stream holds; `cut` says that it ended early or went over a limit, what came before is here."""

    text: str | None = None
    html: str | None = None
    attachments: list[TnefAttachment] = field(default_factory=list)
    cut: bool = False


@dataclass(slots=True)
class _Reader:
    data: bytes
    at: int = 0

    def take(self, size: int) -> bytes:
        if size < 0 or self.at + size > len(self.data):
            raise _CutError
        piece = self.data[self.at : self.at + size]
        self.at += size
        return piece

    def number(self) -> int:
        return int.from_bytes(self.take(4), "little")


class _CutError(Exception):
    """The stream ends where more should be, or counts more than a limit allows."""


def is_tnef(part: Part) -> bool:
    """Say whether a part is a TNEF stream, by its type or its content: any name may stand on it."""
    return part.content_type in _TYPES or is_tnef_stream(part.beginning(_MAGIC_BYTES))


def is_tnef_stream(data: bytes) -> bool:
    """Say whether data begins as a TNEF stream does."""
    return len(data) >= _MAGIC_BYTES and int.from_bytes(data[:_MAGIC_BYTES], "little") == _SIGNATURE


def open_tnef(data: bytes) -> Tnef | None:
    """Read a TNEF stream; None when it is none."""
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != _SIGNATURE:
        return None
    found = Tnef()
    reader = _Reader(data, 6)
    charset = "cp1252"
    try:
        for _ in range(_MAX_ATTRIBUTES):
            if reader.at >= len(data):
                return found
            reader.take(1)  # level: message or attachment, which the attribute says too
            attribute = reader.number()
            value = reader.take(reader.number())
            reader.take(2)  # checksum: senders get it wrong
            if attribute == _CODE_PAGE and len(value) >= 4:
                charset = _code_page(value)
            else:
                _apply(found, attribute, value, charset)
        found.cut = True
    except _CutError:
        found.cut = True
    return found


def _code_page(value: bytes) -> str:
    return f"windows-{int.from_bytes(value[:4], 'little')}"


def _apply(found: Tnef, attribute: int, value: bytes, charset: str) -> None:
    if attribute == _BODY:
        found.text = found.text or _string(value, charset)
    elif attribute == _MESSAGE_PROPERTIES:
        _apply_message(found, _properties(value), charset)
    elif attribute == _ATTACHMENT_START:
        if len(found.attachments) >= _MAX_ATTACHMENTS:
            raise _CutError
        found.attachments.append(TnefAttachment())
    elif found.attachments:
        last = found.attachments[-1]
        if attribute == _ATTACHMENT_TITLE:
            last.names = _union(last.names, _string(value, charset))
        elif attribute == _ATTACHMENT_DATA:
            last.data = value
        elif attribute == _ATTACHMENT_PROPERTIES:
            _apply_attachment(last, _properties(value), charset)


def _apply_message(found: Tnef, properties: dict[int, tuple[int, bytes]], charset: str) -> None:
    if _PR_BODY in properties:
        found.text = _property_text(properties[_PR_BODY], charset)
    if _PR_HTML in properties:
        # The HTML has a code page of its own: UTF-8, most of the time.
        own = properties.get(_PR_INTERNET_CPID)
        html_charset = _code_page(own[1]) if own else charset
        found.html = _property_text(properties[_PR_HTML], html_charset)
    if _PR_RTF in properties and not found.text and not found.html:
        rtf = decompress(properties[_PR_RTF][1])
        if rtf is not None:
            text, html = rtf_text(rtf)
            found.text, found.html = text or found.text, html or found.html


def _apply_attachment(last: TnefAttachment, properties: dict[int, tuple[int, bytes]], charset: str) -> None:
    names = tuple(
        _property_text(properties[number], charset)
        for number in (_PR_ATTACH_LONG_FILENAME, _PR_ATTACH_FILENAME, _PR_DISPLAY_NAME)
        if number in properties
    )
    last.names = _union(names, *last.names)
    if _PR_ATTACH_MIME_TAG in properties:
        kind = _property_text(properties[_PR_ATTACH_MIME_TAG], charset).lower().strip()
        last.content_type = kind if "/" in kind and kind.isascii() and kind.isprintable() else last.content_type
    if _PR_ATTACH_CONTENT_ID in properties:
        last.content_id = _property_text(properties[_PR_ATTACH_CONTENT_ID], charset).strip("<>") or None
    if _PR_ATTACH_DATA in properties:
        kind_of_value, value = properties[_PR_ATTACH_DATA]
        # An embedded object begins with the 16 bytes of its interface identifier.
        last.data = value[16:] if kind_of_value == 0x000D else value


def _union(names: tuple[str, ...], *more: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in (*names, *more) if name))


def _string(value: bytes, charset: str) -> str:
    return decode(value.rstrip(b"\0"), charset)


def _property_text(value: tuple[int, bytes], charset: str) -> str:
    kind, data = value
    if kind == 0x001F:
        return data.decode("utf-16-le", "replace").rstrip("\0")
    return _string(data, charset)


def _properties(data: bytes) -> dict[int, tuple[int, bytes]]:
    """Read an encapsulated property list ([MS-OXTNEF] §2.1.3.4): number → (type, first value).

    What was read before the list breaks off is returned.
    """
    reader = _Reader(data)
    found: dict[int, tuple[int, bytes]] = {}
    try:
        for _ in range(min(reader.number(), _MAX_PROPERTIES)):
            tag = reader.number()
            kind, number = tag & 0xFFFF, tag >> 16
            if number >= 0x8000:
                _skip_name(reader)
            value = _value(reader, kind)
            if value is not None:
                found.setdefault(number, (kind & 0x0FFF, value))
    except _CutError:
        return found
    return found


def _skip_name(reader: _Reader) -> None:
    reader.take(16)
    if reader.number() == 0:
        reader.take(4)
    else:
        size = reader.number()
        reader.take(size + -size % 4)


def _value(reader: _Reader, kind: int) -> bytes | None:
    """Read one property's value, the first of several; values are padded to four bytes."""
    base, several = kind & 0x0FFF, bool(kind & 0x1000)
    if base in _FIXED:
        count = reader.number() if several else 1
        if count > _MAX_VALUES:
            raise _CutError
        values = [reader.take(_FIXED[base]) for _ in range(count)]
    elif base in _VARIABLE:
        count = reader.number()
        if count > _MAX_VALUES:
            raise _CutError
        values = []
        for _ in range(count):
            size = reader.number()
            values.append(reader.take(size))
            reader.take(min(-size % 4, len(reader.data) - reader.at))
    else:
        raise _CutError
    return values[0] if values else None
