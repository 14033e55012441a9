"""Read address lists as senders write them (RFC 5322 §3.4, §4.4; RFC 6532; RFC 2047 §5), in linear time."""

import re
from dataclasses import dataclass
from functools import lru_cache

from postroom.mail.encoding.charset import GuessBudget, decode
from postroom.mail.headers.encoded_words import decode_header, decode_raw

# What nearly all headers are: one mailbox, with a name in front or a comment behind. Each run is possessive: where two
# could take the same spaces, the time would grow with the cube of their number.
_PLAIN = r"[\w.!#$%&'*+/=?^`{|}~-]++@[\w.-]++"
_ANGLED = re.compile(rf"[ \t]*+(?:\"([^\"\\]*+)\"\s*+|([^\"<>,;:()@\\]*+))<({_PLAIN})>\s*+\Z", re.ASCII)
_BARE = re.compile(rf"[ \t]*+({_PLAIN})(?:[ \t]++\(([^()\\]*+)\))?+\s*+\Z", re.ASCII)
_TOKEN = re.compile(
    r"(?P<space>[\s\0]++)"
    r"|(?P<word>=\?[^?\s]{1,80}\?[bBqQ]\?[^?]*\?=)"
    r"|(?P<atom>[^\s\0\"()<>,;:=\\\[]++|=|\\|\[[^\[\]\s\"<>,;]*\]|\[)"
    r"|(?P<mark>[\"()<>,;:])",
    re.ASCII,  # the second byte of `à` is no white space
)
_PARENTHESIS = re.compile(r"[()\\]")
# No white space, controls, specials; nor what is invisible or turns the writing direction (RFC 6531 would allow it).
_ATOM = r"[^\s\x00-\x20\x7f()<>@,;:\\\"\[\].\u200b-\u200f\u202a-\u202e\u2066-\u2069]+"
_LOCAL = rf"(?:{_ATOM}(?:\.{_ATOM})*|\"(?:[^\"\\\r\n\0]|\\[^\r\n\0])*\")"
_LABEL = r"(?!-)[\w-]{1,63}(?<!-)"
_VALID = re.compile(rf"({_LOCAL})@({_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f.:IPv]+\])\Z")
_EMBEDDED = re.compile(
    r"\s*+(?:\"?+([^\"<>@]*+)\"?+\s*+<([^\s<>@]+@[^\s<>@]+)>|([^\s<>@,;:\"()]+@[^\s<>@,;:\"()]+))\s*+\Z"
)
_BLANKS = " \t\r\n\f\v"
_MAX_ADDRESSES = 100_000
_REMEMBERED = 500  # characters


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox: the name decoded, the address as written without white space and comments; either may be ""."""

    name: str
    address: str

    @property
    def local(self) -> str:
        """Return what stands before the last `@`."""
        return self.address.rpartition("@")[0]

    @property
    def domain(self) -> str:
        """Return the domain in lower case; "" without one."""
        return self.address.rpartition("@")[2].lower() if "@" in self.address else ""


def is_valid(address: str) -> bool:
    """Say whether `address` could be delivered to by its form (RFC 5321 §4.1.2, lengths of §4.5.3.1; RFC 6531)."""
    if len(address) > 254:
        return False
    match = _VALID.match(address)
    return match is not None and len(match[1].encode("utf-8", "replace")) <= 64


def parse_addresses(value: str | bytes, *, charset: str | None = None) -> list[Address]:
    """Parse an address header's raw value (encoded words still in it) into mailboxes; groups give their members.

    `charset` is what raw 8-bit names are read as when they are not UTF-8: that of the message's text, if known.
    """
    raw = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
    return list(_remembered(raw, charset) if len(raw) <= _REMEMBERED else _parsed(raw, charset))


@lru_cache(maxsize=32)
def _remembered(raw: bytes, charset: str | None) -> tuple[Address, ...]:
    """Remember the few headers of the mail at hand: kind, sender, threading and routing each ask for them."""
    return tuple(_parsed(raw, charset))


def _parsed(raw: bytes, charset: str | None) -> list[Address]:
    if raw.isascii() and b"\x1b" not in raw:  # ISO-2022-JP is ASCII, and has commas and quotes where none are
        text = raw.decode("ascii")
    else:
        # From here on, text is its UTF-8 bytes, one character each: raw and decoded headers go one way.
        text = decode_raw(raw, charset, GuessBudget(1)).encode("utf-8").decode("latin-1")
    one = _glance(text) if text.isascii() else None
    return [one] if one is not None else _Scanner(text).scan()


def _glance(text: str) -> Address | None:
    """Read a header in the form that nearly all have; None for what has to be scanned."""
    if match := _ANGLED.match(text):
        quoted, words, address = match.groups()
        name = words.strip() if quoted is None else quoted
    elif match := _BARE.match(text):
        address, name = match[1], match[2] or ""
    else:
        return None
    if "=?" in name:
        if "  " in name:
            return None  # white space within an encoded word is not that between words
        name = _decode(name)
    return Address(name.strip(" \t<>"), address) if name.isprintable() else None


def _decode(text: str) -> str:
    return decode_header(text.encode("latin-1", "replace")) if text else ""


def _decode_plain(text: str) -> str:
    return text if text.isascii() else decode(text.encode("latin-1", "replace"), None)


class _Scanner:
    """Go through one header value; `phrase` collects what may be a name or an address until a separator comes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.found: list[Address] = []
        self.in_group = False
        self._reset()

    def _reset(self) -> None:
        self.phrase: list[tuple[str, bool, bool]] = []  # text, quoted, white space in front
        self.comments: list[str] = []
        self.angle: str | None = None
        self.named = 0  # how much of `phrase` stood in front of the angle
        self.space = False
        self.addressed = False  # whether there is an @ in `phrase`

    def scan(self) -> list[Address]:
        size = len(self.text)  # which stays, whatever is replaced in it
        while self.position < size and len(self.found) < _MAX_ADDRESSES:
            match = _TOKEN.match(self.text, self.position)
            if match is None:
                self._add(self.text[self.position])
                self.position += 1
                continue
            self.position = match.end()
            kind = match.lastgroup
            if kind == "space":
                self.space = True
            elif kind in ("word", "atom"):
                self._add(match[0])
            else:
                self._mark(match[0])
        self._flush()
        return self.found

    def _add(self, text: str, *, quoted: bool = False) -> None:
        self.phrase.append((text, quoted, self.space))
        self.space = False
        self.addressed = self.addressed or "@" in text

    def _mark(self, mark: str) -> None:
        if mark == '"':
            self._quoted()
        elif mark == "(":
            self._comment()
        elif mark == "<":
            self._angle()
        elif mark == ",":
            self._flush()
        elif mark == ";":
            self._flush()  # the end of a group, or Outlook's separator
            self.in_group = False
        elif mark == ":":
            self._colon()
        elif mark == ")":
            self._add(mark)
        # a lone `>` is left out

    def _colon(self) -> None:
        if self.addressed or self.angle is not None:
            self._add(":")
            return
        words = "".join(text for text, _, _ in self.phrase)
        # RFC 5322 §3.4: a group's name. `mailto:` and `SMTP:` in front of an address go the same way.
        self.in_group = words.lower() not in ("mailto", "smtp")
        self._reset()

    def _quoted(self) -> None:
        start = self.position
        here = start
        while (end := self.text.find('"', here)) >= 0:
            backslashes = 0
            while end - 1 - backslashes >= start and self.text[end - 1 - backslashes] == "\\":
                backslashes += 1
            here = end + 1
            if backslashes % 2 == 0:
                inner = self.text[start:end]
                if "\\" in inner:
                    inner = re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL)
                self._add(inner, quoted=True)
                self.position = here
                return
        # Never closed: quotes are left out and the rest is read as if they were not there.
        self.text = self.text[:start] + self.text[start:].replace('"', " ")

    def _comment(self) -> None:
        depth, here = 1, self.position
        while depth:
            match = _PARENTHESIS.search(self.text, here)
            if match is None:
                # Never closed: read on as if the remaining parentheses were not there.
                self.text = self.text[: self.position] + self.text[self.position :].replace("(", " ")
                return
            here = match.end()
            if match[0] == "\\":
                here += 1
            else:
                depth += 1 if match[0] == "(" else -1
        self.comments.append(self.text[self.position : here - 1])
        self.position = here
        self.space = True

    def _angle(self) -> None:
        text = self.text
        end = text.find(">", self.position)
        opening = text.rfind("<", self.position, end if end >= 0 else self.position)
        if opening >= 0:
            # `a <b <c@d>`: the last one counts, the rest is part of the name.
            self._add(text[self.position - 1 : opening])
            self.position = opening
            return
        if end < 0:
            comma = text.find(",", self.position)
            end = comma if comma >= 0 else len(text)
            after = end
        else:
            after = end + 1
        inner = text[self.position : end]
        self.position = after
        if self.angle:
            # `A <x@y> B <z@w>`: two mailboxes without a comma between them; what follows the first names the second.
            rest = self.phrase[self.named :]
            del self.phrase[self.named :]
            self._flush()
            self.phrase = rest
        self.angle = inner
        self.named = len(self.phrase)
        self.space = True

    def _flush(self) -> None:
        """Make one mailbox of what was collected."""
        if not self.phrase and self.angle is None and not self.comments:
            self._reset()
            return
        if self.angle is not None:
            name = _decode(self._joined(self.phrase)) or self._comment_text()
            self._found(name, _clean_angle(self.angle))
        elif self.phrase:
            self._bare()
        self._reset()

    def _comment_text(self) -> str:
        return _decode(" ".join(self.comments).strip(_BLANKS))

    @staticmethod
    def _joined(phrase: list[tuple[str, bool, bool]]) -> str:
        out: list[str] = []
        for text, _, space in phrase:
            if space and out:
                out.append(" ")
            out.append(text)
        return "".join(out).strip(_BLANKS)

    def _bare(self) -> None:
        """Read a mailbox without angle brackets: `a@b`, `a@b (Name)`, `Name a@b`, or a name alone."""
        groups: list[list[tuple[str, bool, bool]]] = []  # runs without white space
        for piece in self.phrase:
            glue = (
                not piece[2] or piece[0].startswith(("@", ".")) or (groups and groups[-1][-1][0].endswith(("@", ".")))
            )
            if groups and glue:
                groups[-1].append(piece)
            else:
                groups.append([piece])
        if len(groups) > 1 and all(len(run) == 1 and "@" in run[0][0][1:] and not run[0][1] for run in groups):
            for run in groups:  # `a@b c@d`: the commas were left out
                self._found("", _clean_angle(run[0][0]))
            return
        for index in range(len(groups) - 1, -1, -1):
            run = groups[index]
            if any("@" in text and not quoted and text[:2] != "=?" for text, quoted, _ in run):
                address = "".join(f'"{text}"' if quoted and text[:1] != "@" else text for text, quoted, _ in run)
                others = [piece for place, group in enumerate(groups) if place != index for piece in group]
                name = _decode(self._joined(others)) or self._comment_text()
                self._found(name, _clean_angle(address))
                return
        decoded = _decode(self._joined(self.phrase))
        match = _EMBEDDED.match(decoded) if "@" in decoded and len(decoded) < 2_000 else None
        if match:
            # The whole mailbox was put into an encoded word or quotes.
            self._found((match[1] or "").strip(), match[2] or match[3])
        else:
            self._found(decoded, "")

    def _found(self, name: str, address: str) -> None:
        if name or address:
            self.found.append(Address(name.strip(" \t<>"), address))


def _clean_angle(text: str) -> str:
    """Return the address in angle brackets without white space, comments, source route and `mailto:`."""
    text = _decode(text) if "=?" in text else _decode_plain(text)
    if "(" in text and ")" in text and '"' not in text:
        text = re.sub(r"\([^()]*\)", "", text)
    text = "".join(text.split()) if '"' not in text else text.strip()
    text = text.strip("<>\0").replace("\0", "")
    if text[:7].lower() == "mailto:":
        text = text[7:]
    if text.startswith("@") and ":" in text:
        text = text.rpartition(":")[2]  # RFC 5322 §4.4: a source route
    if len(text) > 2 and text[:1] + text[-1:] in ("''", "[]"):
        text = text[1:-1]
    return text
