"""Split a header section into fields, whatever its lines look like (RFC 5322 §2.2, §3.6.8, §4.5)."""

import re

# A run of well-formed fields. A name never begins with `--`: that line is a boundary, even if it has a colon.
_RUN = re.compile(rb"(?:(?!--)[!-9;-~]++[ \t]*+:[^\n]*+(?:\n[ \t][^\n]*+)*+(?:\n|\Z))*+")
_FIELD = re.compile(r"^([!-9;-~]++)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)", re.MULTILINE)
_NAME = re.compile(rb"(?!--)[!-9;-~]++[ \t]*+:")
# Names that show that a header section goes on behind a broken line (any prose may have a word and a colon).
_KNOWN = re.compile(
    rb"(?:x-[\w-]+|content-[\w-]+|resent-[\w-]+|list-[\w-]+|arc-[\w-]+|received(?:-spf)?|return-path|delivered-to|from|to"
    rb"|cc|bcc|subject|date|sender|reply-to|message-id|in-reply-to|references|mime-version|importance|priority"
    rb"|precedence|user-agent|organization|errors-to|auto-submitted|dkim-signature|authentication-results|thread-\w+"
    rb"|status|lines|keywords|comments|disposition-notification-to|return-receipt-to|domainkey-signature)[ \t]*:",
    re.IGNORECASE,
)
_MAX_BROKEN_LINES = 200


def find_end(buffer: bytes, start: int, end: int) -> tuple[int, int, list[tuple[int, int]]]:
    """Find where the header section at `start` ends and the body begins.

    Returns the end of the fields, the start of the body, and the broken lines between fields as (start, end).
    """
    broken: list[tuple[int, int]] = []
    position = start
    while True:
        match = _RUN.match(buffer, position, end)
        position = match.end() if match else position
        if position >= end:
            return position, position, broken
        if buffer[position] == 10:
            return position, position + 1, broken
        if buffer.startswith(b"\r\n", position):
            return position, position + 2, broken
        if buffer[position] == 13:
            after = re.compile(rb"\r+\n?").match(buffer, position, end)
            return position, after.end() if after else position + 1, broken
        skipped = _skip_broken(buffer, position, end, start=start)
        if skipped == position or len(broken) >= _MAX_BROKEN_LINES:
            return position, position, broken
        broken.append((position, skipped))
        position = skipped


def _skip_broken(buffer: bytes, position: int, end: int, *, start: int) -> int:
    """Return where the fields go on behind broken lines; `position` itself when the body begins here."""
    if buffer.startswith(b"--", position):
        return position
    here = position
    for _ in range(5):
        stop = buffer.find(b"\n", here, end)
        if stop < 0:
            return position
        here = stop + 1
        if _KNOWN.match(buffer, here, end):
            return here
        if buffer.startswith((b"\n", b"\r\n", b"--"), here):
            break
    # The last line of the section, and it continues a field that asks for more: `Content-Type: multipart/mixed;`
    previous = buffer[max(start, position - 4) : position].rstrip()
    stop = buffer.find(b"\n", position, end)
    if previous.endswith(b";") and stop >= 0 and buffer.startswith((b"\n", b"\r\n"), stop + 1):
        return stop + 1
    return position


def block_text(buffer: bytes, start: int, end: int, broken: list[tuple[int, int]]) -> str:
    """Return the header section, one character a byte; broken lines become continuations where they can be."""
    if not broken:
        return buffer[start:end].decode("latin-1")
    pieces: list[bytes] = []
    position = start
    for broken_start, broken_end in broken:
        pieces.append(buffer[position:broken_start])
        for line in buffer[broken_start:broken_end].splitlines(keepends=True):
            if broken_start == start and _KNOWN.match(line.lstrip(b" \t")):
                pieces.append(line.lstrip(b" \t"))  # spaces in front of the first field continue nothing
                continue
            # `From ` of an mbox, or a name with spaces: no part of the field above it.
            stray = line.startswith((b"From ", b">From ")) or re.match(rb"[^:=;\"]{1,60}:[ \t]", line)
            if not stray and broken_start > start:
                pieces.append(b" " + line)
        position = broken_end
    pieces.append(buffer[position:end])
    return b"".join(pieces).decode("latin-1")


def fields(block: str) -> list[tuple[str, str]]:
    """Split a header section into (name, raw value) pairs, one character a byte, folds as LF."""
    if "\r" in block:
        block = block.replace("\r\n", "\n")
    found: list[tuple[str, str]] = _FIELD.findall(block)
    return found


def looks_like_field(buffer: bytes, position: int, end: int) -> bool:
    """Say whether a field begins at `position`."""
    return _NAME.match(buffer, position, end) is not None
