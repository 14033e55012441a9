"""Take the signed message out of CMS SignedData (RFC 5652 §5), which S/MIME's opaque signatures wrap around the text.

Nothing is verified here: who signed is not said, only what. Encoding is BER, with lengths that may be left open.
"""

from __future__ import annotations

_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_ENVELOPED_DATA = bytes.fromhex("06092a864886f70d010703")
_AUTH_ENVELOPED_DATA = bytes.fromhex("060b2a864886f70d0109100117")
_SEQUENCE, _OCTETS, _OCTETS_IN_PIECES, _EXPLICIT_0 = 0x30, 0x04, 0x24, 0xA0
_MAX_DEPTH = 3
_MAX_ELEMENTS = 1_000
_MAX_PIECES = 300_000  # 150 MB in pieces of 500 bytes


def is_signed_data(data: bytes) -> bool:
    """Say whether the beginning of a CMS structure calls it SignedData."""
    try:
        tag, start, _ = _header(data, 0)
    except ValueError:
        return False
    return tag == _SEQUENCE and data.startswith(_SIGNED_DATA, start)


def is_enveloped_data(data: bytes) -> bool:
    """Say whether the beginning of a CMS structure calls it EnvelopedData: what is in it is encrypted."""
    try:
        tag, start, _ = _header(data, 0)
    except ValueError:
        return False
    return tag == _SEQUENCE and data.startswith((_ENVELOPED_DATA, _AUTH_ENVELOPED_DATA), start)


def signed_content(data: bytes) -> bytes | None:
    """Return what was signed; None where the signature is detached, or the structure is another or broken."""
    if not is_signed_data(data):
        return None
    try:
        at = _header(data, 0)[1] + len(_SIGNED_DATA)
        at = _into(data, at, _EXPLICIT_0)
        at = _into(data, at, _SEQUENCE)
        at = _behind(data, at)  # version
        at = _behind(data, at)  # digest algorithms
        at = _into(data, at, _SEQUENCE)
        at = _behind(data, at)  # type of the content
        return _octets(data, _into(data, at, _EXPLICIT_0))
    except ValueError:
        return None


def _header(data: bytes, at: int) -> tuple[int, int, int | None]:
    """Return an element's tag, where its content begins, and where it ends; None where its length is left open."""
    head = data[at : at + 2]
    if len(head) < 2:
        raise ValueError("the data ends")
    tag, length = head
    start = at + 2
    if length == 0x80:
        return tag, start, None
    if length > 0x80:
        size = length & 0x7F
        if size > 6:
            raise ValueError("a length beyond all reason")
        length = int.from_bytes(data[start : start + size], "big")
        start += size
    if start + length > len(data):
        # Head alone, or cut off: what is there can still be looked into.
        return tag, start, len(data)
    return tag, start, start + length


def _into(data: bytes, at: int, expected: int) -> int:
    tag, start, _ = _header(data, at)
    if tag != expected:
        raise ValueError(f"tag {tag:#x} where {expected:#x} belongs")
    return start


def _behind(data: bytes, at: int, depth: int = 0) -> int:
    """Return where the element at `at` ends; those whose length is left open are gone through."""
    _, start, stop = _header(data, at)
    if stop is not None:
        return stop
    if depth > _MAX_DEPTH:
        raise ValueError("nested too deep")
    at = start
    for _ in range(_MAX_ELEMENTS):
        if data[at : at + 2] == b"\0\0":
            return at + 2
        at = _behind(data, at, depth + 1)
    raise ValueError("too many elements")


def _octets(data: bytes, at: int) -> bytes:
    """Return an octet string, the pieces joined that senders cut a long one into."""
    tag, start, stop = _header(data, at)
    if tag == _OCTETS and stop is not None:
        return data[start:stop]
    if tag != _OCTETS_IN_PIECES:
        raise ValueError("no octet string")
    pieces: list[bytes] = []
    at, end = start, len(data) if stop is None else stop
    while at < end and data[at : at + 2] != b"\0\0":
        tag, start, stop = _header(data, at)
        if tag != _OCTETS or stop is None or len(pieces) >= _MAX_PIECES:
            raise ValueError("no octet string")
        pieces.append(data[start:stop])
        at = stop
    return b"".join(pieces)
