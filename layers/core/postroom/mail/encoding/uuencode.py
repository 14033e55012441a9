"""Find files that old senders uuencode within the text (POSIX uuencode; RFC 2045 §6.3 knows it as x-uuencode)."""

import binascii
import re
from dataclasses import dataclass

_BEGIN = re.compile(rb"^begin(?:-base64)? [0-7]{3,4} ([^\r\n]{1,255})\r?\n", re.MULTILINE)
_MAX_FILES = 100
_MAX_LINES = 800_000  # of one file: 36 MB in full lines


@dataclass(frozen=True, slots=True)
class EncodedFile:
    """A file found in text: its name as written (bytes), its data, and where it stands in the text."""

    name: bytes
    data: bytes
    start: int
    end: int


def find_files(text: bytes) -> list[EncodedFile]:
    """Find uuencoded files; a `begin` line that is ordinary prose (no encoded line follows) is none."""
    files: list[EncodedFile] = []
    position = 0
    while len(files) < _MAX_FILES:
        begin = _BEGIN.search(text, position)
        if begin is None:
            break
        base64 = text.startswith(b"begin-base64", begin.start())
        data, position = _read_lines(text, begin.end(), base64=base64)
        if data is not None:
            files.append(EncodedFile(begin[1].strip(), data, begin.start(), position))
    return files


def _read_lines(text: bytes, position: int, *, base64: bool) -> tuple[bytes | None, int]:
    """Decode lines up to the `end` line; returns where reading stopped, so that no line is read twice."""
    out: list[bytes] = []
    closing = b"====" if base64 else b"end"
    while position < len(text) and len(out) < _MAX_LINES:
        stop = text.find(b"\n", position)
        stop = len(text) if stop < 0 else stop
        line = text[position:stop].rstrip(b"\r")
        if line.rstrip() == closing:
            return b"".join(out), min(stop + 1, len(text))
        decoded = _line(line, base64=base64)
        if decoded is None:
            return None, position
        out.append(decoded)
        position = stop + 1
    return None, position


def _line(line: bytes, *, base64: bool) -> bytes | None:
    if not line.strip() or line == b"`":
        return b""
    if len(line) > 200:
        return None
    try:
        return binascii.a2b_base64(line) if base64 else binascii.a2b_uu(line)
    except binascii.Error:
        if base64:
            return None
    try:
        # Some encoders leave rubbish behind the counted characters, or lose spaces at the end: go by the count.
        size = (((line[0] - 32) & 63) + 2) // 3 * 4
        return binascii.a2b_uu(line[: size + 1]) if 32 <= line[0] <= 96 else None
    except binascii.Error:
        return None
