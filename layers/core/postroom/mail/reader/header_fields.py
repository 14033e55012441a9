"""Split a header section into fields, whatever its lines look like (RFC 5322 §2.2, §3.6.8, §4.5)."""

import re

from postroom.mail.reader.broken_field import belong_to_last_field, last_field

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
# Where the fields go on, or the section ends: whichever comes first behind a broken line.
_GOES_ON = re.compile(rb"\n(?:(?=" + _KNOWN.pattern + rb")|(?=\r*\n|--|\Z))", re.IGNORECASE)
_FARTHEST = 256 * 1024  # bytes of broken lines in a row
# Fields that RFC 5322 §3.6 has once: a second one behind many lines is that of a mail which the body quotes.
_ONCE = re.compile(
    rb"(?:from|to|cc|subject|date|sender|reply-to|message-id|in-reply-to|references)[ \t]*:", re.IGNORECASE
)
_FAR_LINES = 5
# A remark that a person or a tool put above the header section: one line, with known fields below it.
_REMARK = re.compile(
    rb"[^\n]{1,998}\n(?:\r?\n)?+(?=" + _KNOWN.pattern + rb"[^\n]*+\n" + _RUN.pattern + rb")", re.IGNORECASE
)
_MUST_FOLLOW = re.compile(rb"(?:^|\n)(?:from|received|return-path|message-id)[ \t]*:", re.IGNORECASE)


# What a line without a fold joined is marked in this one: another may have written the line.
_WHOLE_OR_NOT_BELIEVED = re.compile(rb"authentication-results[ \t]*:", re.IGNORECASE)
JOINED = "\0"
"""Mark within a value in front of a line that joined it; a NUL on the way is as good a reason for not believing it."""


def find_end(buffer: bytes, start: int, end: int) -> tuple[int, int, list[tuple[int, int]]]:
    """Find where the header section at `start` ends and the body begins.

    Returns the end of the fields, the start of the body, and the broken lines between fields as (start, end).
    """
    broken: list[tuple[int, int]] = []
    position = start
    while True:
        fields_start = position
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
        skipped = _skip_broken(buffer, position, end, start=start, fields_start=fields_start)
        if skipped == position:
            return position, position, broken
        broken.append((position, skipped))
        position = skipped


def _skip_broken(buffer: bytes, position: int, end: int, *, start: int, fields_start: int) -> int:
    """Return where the fields go on behind broken lines; `position` itself when the body begins here.

    Their number does not matter: a gateway that takes the folds away takes all of them.
    """
    if buffer.startswith(b"--", position):
        return position
    goes_on = _GOES_ON.search(buffer, position, min(end, position + _FARTHEST))
    if goes_on is None:
        return position
    stop = goes_on.end()
    known = _KNOWN.match(buffer, stop, end)
    if known is None:
        return stop if belong_to_last_field(buffer, fields_start, position, stop) else position
    if buffer.count(b"\n", position, stop) <= _FAR_LINES or not _ONCE.match(known[0]):
        return stop
    name = known[0].rstrip(b" \t:")
    above = re.search(rb"^" + re.escape(name) + rb"[ \t]*:", buffer[start:position], re.IGNORECASE | re.MULTILINE)
    return position if above else stop


def skip_remark(buffer: bytes, start: int, end: int) -> int:
    """Return where the header section begins below one line of a remark; `start` where there is none."""
    if _NAME.match(buffer, start, end):
        return start
    remark = _REMARK.match(buffer, start, end)
    if remark is None:
        return start
    fields_end = find_end(buffer, remark.end(), end)[0]
    is_section = len(_MUST_FOLLOW.findall(buffer, remark.end(), fields_end)) > 0
    return remark.end() if is_section else start


def block_text(buffer: bytes, start: int, end: int, broken: list[tuple[int, int]]) -> str:
    """Return the header section, one character a byte; broken lines become continuations where they can be."""
    if not broken:
        return buffer[start:end].decode("latin-1")
    pieces: list[bytes] = []
    position = start
    for broken_start, broken_end in broken:
        pieces.append(buffer[position:broken_start])
        field = last_field(buffer, position, broken_start)
        join = b" " if not _WHOLE_OR_NOT_BELIEVED.match(buffer, field, broken_start) else b" " + JOINED.encode()
        for line in buffer[broken_start:broken_end].splitlines(keepends=True):
            if broken_start == start and _KNOWN.match(line.lstrip(b" \t")):
                pieces.append(line.lstrip(b" \t"))  # spaces in front of the first field continue nothing
                continue
            # `From ` of an mbox, or a name with spaces: no part of the field above it.
            stray = line.startswith((b"From ", b">From ")) or re.match(rb"[^:=;\"]{1,60}:[ \t]", line)
            if not stray and broken_start > start:
                pieces.append(join + line)
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
