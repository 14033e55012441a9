"""Choose how the contents of a mail travel: charset and transfer encoding, each with a safe fall-back (S01, S02).

What is configured is a wish. A text that its charset cannot express goes as UTF-8; what 7bit or 8bit would change on
its way (long lines, bare line ends, NUL) goes as quoted-printable or base64, whichever is shorter.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from enum import StrEnum

LONGEST_LINE = 998  # octets, RFC 5322 §2.1.1
_BASE64_LINE = 76
_CHARSET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,40}")


class Encoding(StrEnum):
    """Transfer encodings (RFC 2045 §6)."""

    SEVEN_BIT = "7bit"
    EIGHT_BIT = "8bit"
    BASE64 = "base64"
    QUOTED_PRINTABLE = "quoted-printable"


@dataclass(frozen=True, slots=True)
class Encoded:
    """Octets as they travel, with CRLF line ends, and what says how to read them."""

    encoding: Encoding
    octets: bytes
    charset: str = ""


def encode_text(text: str, *, charset: str = "utf-8", wanted: str = "8bit", eight_bit: bool = False) -> Encoded:
    """Encode a text with line ends of any kind; `eight_bit`: the next server may be given octets over 127."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    name, octets = _in_charset(plain, charset)
    lines = octets.replace(b"\n", b"\r\n")
    encoding = _wish(wanted)
    if encoding in (Encoding.SEVEN_BIT, Encoding.EIGHT_BIT) and _fits_lines(lines):
        if lines.isascii():
            return Encoded(Encoding.SEVEN_BIT, lines, name)
        if eight_bit and encoding is Encoding.EIGHT_BIT:
            return Encoded(Encoding.EIGHT_BIT, lines, name)
    if encoding is Encoding.BASE64:
        return Encoded(encoding, _base64(lines), name)
    quoted = _quoted(octets)
    if encoding is not Encoding.QUOTED_PRINTABLE and len(quoted) > base64_size(len(lines)):
        return Encoded(Encoding.BASE64, _base64(lines), name)
    return Encoded(Encoding.QUOTED_PRINTABLE, quoted, name)


def encode_file(data: bytes, *, wanted: str = "base64", eight_bit: bool = False) -> Encoded:
    """Encode a file so that it arrives byte for byte; 7bit and 8bit only where no server may change it."""
    encoding = _wish(wanted)
    if encoding in (Encoding.SEVEN_BIT, Encoding.EIGHT_BIT) and _survives(data):
        if data.isascii():
            return Encoded(Encoding.SEVEN_BIT, data)
        if eight_bit and encoding is Encoding.EIGHT_BIT:
            return Encoded(Encoding.EIGHT_BIT, data)
    if encoding is Encoding.QUOTED_PRINTABLE:
        quoted = binascii.b2a_qp(data, istext=False).replace(b"=\n", b"=\r\n")
        if b"\n" not in quoted.replace(b"\r\n", b""):
            return Encoded(encoding, quoted)
    return Encoded(Encoding.BASE64, _base64(data))


def base64_size(size: int) -> int:
    """Return how many octets so many octets take in base64, line ends included."""
    encoded = (size + 2) // 3 * 4
    return encoded + 2 * -(-encoded // _BASE64_LINE)


def encoding_for(name: str, table: str) -> str:
    """Return the wish for a file by its name's ending, from `wav=base64;txt=7bit;*=8bit` (S01); base64 by default."""
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    otherwise = "base64"
    for pair in filter(None, (part.strip() for part in table.split(";"))):
        kind, equals, encoding = pair.partition("=")
        if not equals or kind.strip() == "*":
            otherwise = encoding.strip() if equals else pair
        elif kind.strip().lower() == ending:
            return encoding.strip()
    return otherwise


_EIGHT_BIT_PART = re.compile(rb"(?im)^Content-Transfer-Encoding: 8bit\r$")


def seven_bit(content: bytes) -> bytes:
    """Return a mail that was composed here without octets over 127, for a server that lacks 8BITMIME (RFC 6152).

    Only its 8bit parts are encoded anew; everything else stays as it is, to the octet.
    """
    if content.isascii():
        return content
    head, gap, body = content.partition(b"\r\n\r\n")
    if _EIGHT_BIT_PART.search(head + b"\r\n") and b"boundary=" not in head.lower():
        return _recoded(head) + gap + _again(body)
    # Our boundaries hold "=_", which neither quoted-printable nor base64 has; they begin a line.
    pieces = re.split(rb"(?m)^(--=_postroom_[^\r\n]*\r\n)", content)
    return b"".join(piece if piece.isascii() else _part(piece) for piece in pieces)


def _part(piece: bytes) -> bytes:
    head, gap, body = piece.partition(b"\r\n\r\n")
    end = b"\r\n" if body.endswith(b"\r\n") else b""  # belongs to the boundary that follows
    return _recoded(head) + gap + _again(body.removesuffix(end) if end else body) + end


def _recoded(head: bytes) -> bytes:
    return _EIGHT_BIT_PART.sub(b"Content-Transfer-Encoding: base64\r", head + b"\r\n").removesuffix(b"\r\n")


def _again(body: bytes) -> bytes:
    return _base64(body)


def _in_charset(text: str, charset: str) -> tuple[str, bytes]:
    """Return the charset's name and the octets; UTF-8 where the charset cannot carry the text, or is none of MIME."""
    if not _CHARSET.fullmatch(charset):  # it is written into a header
        return "utf-8", text.encode("utf-8")
    try:
        # RFC 2045 §2.8: line ends are the octets CR and LF, which UTF-16 does not keep.
        if "Az\n".encode(charset) == b"Az\n":
            return charset.lower(), text.encode(charset)
    except (UnicodeError, LookupError):
        pass
    return "utf-8", text.encode("utf-8")


def _wish(wanted: str) -> Encoding:
    try:
        return Encoding(wanted.lower())
    except ValueError:
        return Encoding.BASE64


def _fits_lines(octets: bytes) -> bool:
    return all(len(line) <= LONGEST_LINE for line in octets.split(b"\r\n"))


def _survives(data: bytes) -> bool:
    """Tell whether a server that takes lines gives them on unchanged: CRLF alone ends them, and the last one too."""
    bare = data.replace(b"\r\n", b"")
    return (
        b"\r" not in bare and b"\n" not in bare and b"\0" not in data and data.endswith(b"\r\n") and _fits_lines(data)
    )


def _quoted(octets: bytes) -> bytes:
    return binascii.b2a_qp(octets, istext=True).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _base64(octets: bytes) -> bytes:
    encoded = base64.b64encode(octets)
    return b"".join(encoded[at : at + _BASE64_LINE] + b"\r\n" for at in range(0, len(encoded), _BASE64_LINE))
