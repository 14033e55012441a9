"""Decode ISO-2022-JP as Microsoft's programs write it (CP50220, CP50221): half-width kana, ①, ㈱ and 髙 included."""

from __future__ import annotations

import re

_SEGMENT = re.compile(rb"\x1b(\([BIJ]|\$[@B]|\$\([@BD])([^\x1b]*+)")
_MAX_ROW = 94


def decode(data: bytes) -> str | None:
    """Decode text with the escapes of ISO-2022-JP; None when that is not what it is."""
    first = data.find(b"\x1b")
    if first < 0 or not data.isascii():
        return None
    out = [data[:first].decode("ascii")]
    position = first
    while position < len(data):
        match = _SEGMENT.match(data, position)
        if match is None:
            return None
        text = _segment(match[1], match[2])
        if text is None:
            return None
        out.append(text)
        position = match.end()
    return "".join(out)


def _segment(escape: bytes, text: bytes) -> str | None:
    """Decode what stands behind one escape; a line end brings back ASCII (RFC 1468), where a sender left that out."""
    if escape in (b"(B", b"(J"):
        return text.decode("ascii")
    coded, end, rest = text.partition(b"\n")
    coded, carriage, after = coded.partition(b"\r")
    tail = (carriage + after + end + rest).decode("ascii")
    try:
        if escape == b"(I":
            return bytes(byte | 0x80 if byte > 32 else byte for byte in coded).decode("cp932") + tail
        if len(coded) % 2:
            return None
        if escape == b"$(D":  # JIS X 0212
            pairs = (b"\x8f" + bytes((one | 0x80, two | 0x80)) for one, two in _pairs(coded))
            return b"".join(pairs).decode("euc_jp") + tail
        return b"".join(_shifted(one, two) for one, two in _pairs(coded)).decode("cp932") + tail
    except UnicodeDecodeError:
        return None


def _pairs(coded: bytes) -> list[tuple[int, int]]:
    return list(zip(coded[::2], coded[1::2], strict=True))


def _shifted(one: int, two: int) -> bytes:
    """Return a character of JIS X 0208 as Shift-JIS, which knows Microsoft's additions to it."""
    row = one - 0x21
    if not 0 <= row < _MAX_ROW or not 0x21 <= two <= 0x7E:
        return b"\xff"  # no character at all
    lead = 0x81 + row // 2
    trail = two + 0x7E if row % 2 else two + 0x1F + (two >= 0x60)
    return bytes((lead if lead < 0xA0 else lead + 0x40, trail))
