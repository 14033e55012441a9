"""Undo content transfer encodings (RFC 2045 §6), leniently: every input gives some bytes."""

import binascii
import re

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_SEGMENTS = re.compile(rb"[^=]+=*")
_ONLY_BASE64 = re.compile(rb"[A-Za-z0-9+/=\s]*+\Z")
_URL_ALPHABET = bytes.maketrans(b"-_", b"+/")
_SOFT_BREAK_SPACE = re.compile(rb"=[ \t]+(?=\r?\n)")
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n"
_PROSE = re.compile(rb"(?:\b[A-Za-z]{2,18} {1,2}){3}")
_PROSE_WITHIN = 200
_MAX_PADDING = 200_000  # more pieces than any sender makes
_TOKEN = re.compile(r"[^\w]*([\w-]+)")
BASE64, QUOTED_PRINTABLE, UUENCODE, IDENTITY = "base64", "quoted-printable", "uuencode", "8bit"
_NAMES = {
    "base64": BASE64,
    "base-64": BASE64,
    "b": BASE64,
    "quoted-printable": QUOTED_PRINTABLE,
    "quotedprintable": QUOTED_PRINTABLE,
    "quoted_printable": QUOTED_PRINTABLE,
    "q": QUOTED_PRINTABLE,
    "uuencode": UUENCODE,
    "x-uuencode": UUENCODE,
    "x-uue": UUENCODE,
    "uue": UUENCODE,
}


def encoding_of(value: str) -> str:
    """Name the transfer encoding that a Content-Transfer-Encoding value means; "8bit" for whatever changes nothing."""
    direct = _NAMES.get(value.strip().lower())
    if direct is not None:
        return direct
    if len(value) > 500:
        value = value[:500]
    match = _TOKEN.match(re.sub(r"\([^)]*\)", " ", value))
    return _NAMES.get(match[1].lower(), IDENTITY) if match else IDENTITY


def decode_transfer(data: bytes | memoryview, encoding: str) -> bytes:
    """Decode by a name that `encoding_of` gave."""
    if encoding == BASE64:
        return decode_base64(data)
    if encoding == QUOTED_PRINTABLE:
        return decode_quoted_printable(data)
    if encoding == UUENCODE:
        return decode_uuencode(bytes(data))
    return bytes(data)


def decode_base64(data: bytes | memoryview) -> bytes:
    """Decode base64 with foreign characters, missing padding, or padding in the middle; words stay as they are."""
    beginning = bytes(data[:_PROSE_WITHIN])
    if b" " in beginning and _PROSE.search(beginning):
        return bytes(data)
    try:
        decoded = binascii.a2b_base64(data)
    except binascii.Error:
        repaired = bytes(data)
        return _repair_base64(repaired) if _is_base64(repaired) else repaired
    # The fast decoder stops at the first padding and reads nothing at all where the padding is in the wrong place.
    if len(decoded) * 3 < len(data) * 2 - 8:
        return _check_short(bytes(data), decoded)
    return decoded


def _check_short(data: bytes, decoded: bytes) -> bytes:
    """Decode again when the fast decoder gave less than line ends and padding explain."""
    padding = data.find(b"=")
    if b"-" in data or b"_" in data:
        url_safe = data.translate(_URL_ALPHABET)
        if _ONLY_BASE64.match(url_safe) and not _ONLY_BASE64.match(data):
            return decode_base64(url_safe)
    if padding < 0:
        return decoded if _is_base64(data) else data
    rest = data[padding:].lstrip(b"= \t\r\n")
    # Encoded in pieces, each padded: the rest is base64 too. A mailing list's footer is not, and is left out.
    if rest and data.count(b"=") <= _MAX_PADDING and _ONLY_BASE64.match(rest) and len(b"".join(rest.split())) % 4 == 0:
        out = bytearray()  # not a list: there may be millions of pieces
        for match in _SEGMENTS.finditer(b"".join(data.split())):
            out += binascii.a2b_base64(match[0]) if len(match[0]) % 4 == 0 else _repair_base64(match[0])
        return bytes(out)
    return decoded


def _is_base64(data: bytes) -> bool:
    """Say whether base64 is what this is, damage aside: prose under a wrong label has spaces and marks in it."""
    foreign = data.translate(None, _ALPHABET)
    return len(foreign) * 10 < len(data)


def _repair_base64(data: bytes) -> bytes:
    cleaned = _NOT_BASE64.sub(b"", data.translate(_URL_ALPHABET) if b"+" not in data and b"/" not in data else data)
    if len(cleaned) % 4 == 1:
        cleaned = cleaned[:-1]  # six bits are no byte
    return binascii.a2b_base64(cleaned + b"=" * (-len(cleaned) % 4))


def decode_quoted_printable(data: bytes | memoryview) -> bytes:
    """Decode quoted-printable; what is not an escape stays as it is (RFC 2045 §6.7, note 2)."""
    decoded = binascii.a2b_qp(data)
    if b"= " in decoded or b"=\t" in decoded:
        # RFC 2045 §6.7 rule 3: white space that a transport added behind a soft line break is not data.
        return binascii.a2b_qp(_SOFT_BREAK_SPACE.sub(b"=", bytes(data)))
    return decoded


def decode_uuencode(data: bytes) -> bytes:
    """Decode a whole body that is uuencoded (x-uuencode), from `begin` on; without one, the body as it is."""
    from postroom.mail.encoding.uuencode import find_files

    files = find_files(data)
    return files[0].data if files else data
