"""Tell whether lines without a fold, in front of the empty line, belong to the last field or are the body.

Nothing of the header section follows them that would prove it: they belong to the field only where it asks for more and
they give it. In doubt they are the body, which people see.
"""

import re
from dataclasses import dataclass

_ADDRESSES = re.compile(r"(?:resent-)?(?:from|to|cc|bcc|sender|reply-to)\Z", re.IGNORECASE | re.ASCII)
_IDENTIFIERS = re.compile(r"(?:references|in-reply-to|(?:resent-)?message-id|content-id)\Z", re.IGNORECASE | re.ASCII)
_PARAMETERISED = re.compile(r"(?:content-type|content-disposition)\Z", re.IGNORECASE | re.ASCII)
_PARAMETER = re.compile(r"[\w.-]++\*?\d*+\*?[ \t]*+=", re.ASCII)
_ONLY_IDENTIFIERS = re.compile(r"[ \t]*+(?:<[^<>\s@]++@[^<>\s@]++>[ \t\r]*+)++\Z")
# What the fields of signatures and filters are full of, and no text begins with.
_BLOB = re.compile(r"(?:\A|[ \t])[!-~]{30,}[ \t\r]*\Z")
_LONGEST_FIELD = 64 * 1024


def belong_to_last_field(buffer: bytes, fields_start: int, position: int, stop: int) -> bool:
    """Say whether all lines in buffer[position:stop] continue the last field of buffer[fields_start:position]."""
    field_start = last_field(buffer, fields_start, position)
    if field_start >= position or position - field_start > _LONGEST_FIELD:
        return False
    name, _, value = buffer[field_start:position].decode("latin-1").partition(":")
    state = _Open(name.strip(" \t"))
    state.read(value.rstrip("\r\n"))
    for line in buffer[position:stop].decode("latin-1").splitlines():
        if not state.is_continued_by(line):
            return False
        state.read(line)
    return True


def last_field(buffer: bytes, fields_start: int, position: int) -> int:
    """Return where the last field begins: its folds begin with white space."""
    here = position
    while here > fields_start:
        here = max(fields_start, buffer.rfind(b"\n", fields_start, here - 1) + 1)
        if buffer[here] not in b" \t":
            return here
    return here


@dataclass(slots=True)
class _Open:
    """What a field has begun and not ended at the end of what was read of it."""

    name: str
    angle: bool = False
    quote: bool = False
    word: bool = False
    last: str = ""
    blob: bool = False

    def read(self, text: str) -> None:
        """Go on by one piece of the field."""
        opened, closed = text.rfind("<"), text.rfind(">")
        if opened >= 0 or closed >= 0:
            self.angle = opened > closed
        self.quote ^= text.count('"') % 2 == 1
        opened, closed = text.rfind("=?"), text.rfind("?=")
        if opened >= 0 or closed >= 0:
            self.word = opened > closed
        self.last = text.rstrip(" \t\r\n")[-1:]
        self.blob = _BLOB.search(text[-1_000:]) is not None

    def is_continued_by(self, line: str) -> bool:
        """Say whether `line` gives what the field asks for."""
        if self.word:
            return "?=" in line
        if _ADDRESSES.match(self.name):
            return self._gives_address(line)
        if _IDENTIFIERS.match(self.name):
            return _closes(line) if self.angle else _ONLY_IDENTIFIERS.match(line) is not None
        if _PARAMETERISED.match(self.name):
            return '"' in line if self.quote else self.last == ";" and _PARAMETER.match(line) is not None
        if self.last == ";":
            return True  # Received, DKIM-Signature, Authentication-Results
        return self.blob and " " not in line.strip() and _BLOB.search(line[-1_000:]) is not None

    def _gives_address(self, line: str) -> bool:
        if self.angle:
            return _closes(line)
        return self.last in (",", ";") and "@" in line


def _closes(line: str) -> bool:
    """Say whether an angle bracket is closed before another one opens."""
    closed, opened = line.find(">"), line.find("<")
    return closed >= 0 and (opened < 0 or closed < opened)
