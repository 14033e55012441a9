"""List what is in an archive, within limits, without unpacking it (docs/threat-model.md 9)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

MAX_ENTRIES = 1_000
MAX_INFLATED = 4 << 20
"""Bytes that are inflated of a compressed tar to read its headers; nothing of a zip is."""
_MAX_NAME = 1_000  # its end, where the extension is
_MAX_TAR_NAME = 64 << 10

_END = struct.Struct("<4s4H2LH")  # APPNOTE 4.3.16
_CENTRAL = struct.Struct("<4s6H3L5H2L")  # APPNOTE 4.3.12
_LOCAL = struct.Struct("<4s5H3L2H")  # APPNOTE 4.3.7
_ENCRYPTED = 0x0001
_UTF8 = 0x0800
_UNICODE_PATH = 0x7075
_UNICODE_PATH_HEAD = 5  # version and checksum
_TAR_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Listing:
    """What stands in an archive: `complete` is false where limits, damage or the format hide names."""

    kind: str
    names: tuple[str, ...]
    encrypted: bool = False
    complete: bool = True


def list_archive(data: bytes) -> Listing | None:
    """Return the names in a zip, tar, gzip or compressed tar; None for what is no archive. Never raises."""
    if data.startswith(b"PK"):
        return _zip(data)
    if data.startswith(b"\x1f\x8b"):
        return _gzip(data)
    # A zip may have anything before it, a picture or a program: it is read from its end.
    if next(_central_directory(data), None) is not None:
        return _zip(data)
    if data[257:262] == b"ustar":
        names, complete = _tar(data)
        return Listing("tar", names, complete=complete)
    for magic, kind in (
        (b"Rar!\x1a\x07", "rar"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"MSCF", "cab"),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
    ):
        if data.startswith(magic):
            return Listing(kind, (), complete=False)
    return None


def _zip(data: bytes) -> Listing:
    names: dict[str, None] = {}
    encrypted = False
    complete = False
    for name, flags, offset in _central_directory(data):
        if name is None:
            complete = True
            break
        if len(names) >= MAX_ENTRIES:
            break
        encrypted = encrypted or bool(flags & _ENCRYPTED)
        # Some programs trust the local header instead, and some the Unicode name of either: all of them count.
        for one in (*name, *_local_names(data, offset)):
            names.setdefault(one)
    if not names:
        for found, flags in _local_headers(data):
            encrypted = encrypted or bool(flags & _ENCRYPTED)
            for one in found:
                names.setdefault(one)
        complete = False
    return Listing("zip", tuple(names), encrypted, complete)


def _central_directory(data: bytes) -> Iterator[tuple[tuple[str, ...] | None, int, int]]:
    """Yield the names, flags and offset of the entries, then None once all of them were there."""
    end = data.rfind(b"PK\x05\x06", max(0, len(data) - 65_557))
    if end < 0 or end + _END.size > len(data):
        return
    _, _, _, _, count, size, offset, _ = _END.unpack_from(data, end)
    # A program before the archive, or a wrong offset: the directory ends where its end record begins.
    place = end - size if data[offset : offset + 4] != b"PK\x01\x02" else offset
    for _ in range(min(count, MAX_ENTRIES + 1)):
        if place < 0 or place + _CENTRAL.size > len(data) or data[place : place + 4] != b"PK\x01\x02":
            return
        fields = _CENTRAL.unpack_from(data, place)
        flags, name_length, extra, comment, local = fields[3], fields[10], fields[11], fields[12], fields[16]
        start = place + _CENTRAL.size
        yield _names(data, start, name_length, extra, flags), flags, local
        place = start + name_length + extra + comment
    if count <= MAX_ENTRIES and count != 0xFFFF:
        yield None, 0, 0


def _local_names(data: bytes, offset: int) -> tuple[str, ...]:
    if offset + _LOCAL.size > len(data) or data[offset : offset + 4] != b"PK\x03\x04":
        return ()
    fields = _LOCAL.unpack_from(data, offset)
    return _names(data, offset + _LOCAL.size, fields[9], fields[10], fields[2])


def _local_headers(data: bytes) -> Iterator[tuple[tuple[str, ...], int]]:
    place = 0
    for _ in range(MAX_ENTRIES):
        place = data.find(b"PK\x03\x04", place)
        if place < 0 or place + _LOCAL.size > len(data):
            return
        fields = _LOCAL.unpack_from(data, place)
        start = place + _LOCAL.size
        yield _names(data, start, fields[9], fields[10], fields[2]), fields[2]
        place = start + fields[9]


def _names(data: bytes, start: int, name_length: int, extra_length: int, flags: int) -> tuple[str, ...]:
    """Return the name of an entry, and the one of its Info-ZIP Unicode Path field (APPNOTE 4.6.9), if it has that.

    The field counts whether its checksum is that of the name or not: programs differ.
    """
    found = [_name(data[start : start + name_length], flags)]
    place, end = start + name_length, min(start + name_length + extra_length, len(data))
    while place + 4 <= end:
        kind, size = struct.unpack_from("<2H", data, place)
        if kind == _UNICODE_PATH and size > _UNICODE_PATH_HEAD:
            found.append(_name(data[place + 4 + _UNICODE_PATH_HEAD : min(place + 4 + size, end)], _UTF8))
        place += 4 + size
    return tuple(name for name in found if name)


def _name(raw: bytes, flags: int) -> str:
    raw = raw[-_MAX_NAME:]
    if flags & _UTF8:
        return raw.decode("utf-8", "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp437")


def _gzip(data: bytes) -> Listing:
    flags = data[3] if len(data) > 3 else 0
    names: list[str] = []
    if flags & 0x08:  # FNAME, RFC 1952 §2.3.1
        place = 10
        if flags & 0x04 and len(data) >= 12:
            place += 2 + int.from_bytes(data[10:12], "little")
        end = data.find(b"\0", place, place + _MAX_NAME)
        if end >= 0:
            names.append(data[place:end].decode("latin-1"))
    try:
        inflated = zlib.decompressobj(wbits=31).decompress(data, MAX_INFLATED)
    except zlib.error:
        return Listing("gzip", tuple(names), complete=False)
    if inflated[257:262] == b"ustar":
        inner, complete = _tar(inflated)
        return Listing("tar.gz", (*names, *inner), complete=complete)
    return Listing("gzip", tuple(names))


def _tar(data: bytes) -> tuple[tuple[str, ...], bool]:
    """Return the names in a tar (POSIX.1-2001 ustar, GNU long names), and whether its end was reached."""
    names: dict[str, None] = {}
    place = 0
    long_name: str | None = None
    while place + _TAR_BLOCK <= len(data) and len(names) < MAX_ENTRIES:
        header = data[place : place + _TAR_BLOCK]
        if not header.strip(b"\0"):
            return tuple(names), True
        size = _octal(header[124:136])
        if size is None:
            return tuple(names), False
        kind = header[156:157]
        content = data[place + _TAR_BLOCK : place + _TAR_BLOCK + min(size, _MAX_TAR_NAME)]
        if kind == b"L":
            long_name = content.rstrip(b"\0")[-_MAX_NAME:].decode("utf-8", "replace")
        elif kind == b"x":
            path = content.partition(b" path=")[2].partition(b"\n")[0]
            long_name = path[-_MAX_NAME:].decode("utf-8", "replace") or None
        else:
            short = header[:100].rstrip(b"\0").decode("utf-8", "replace")
            prefix = header[345:500].rstrip(b"\0").decode("utf-8", "replace")
            names.setdefault(f"{prefix}/{short}" if prefix else short)
            if long_name:
                names.setdefault(long_name)
            long_name = None
        place += _TAR_BLOCK + (size + _TAR_BLOCK - 1) // _TAR_BLOCK * _TAR_BLOCK
    return tuple(names), False


def _octal(field: bytes) -> int | None:
    if field[:1] == b"\x80":  # GNU base-256
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    try:
        return int(digits or b"0", 8)
    except ValueError:
        return None
