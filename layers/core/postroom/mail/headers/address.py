"""Read address lists as senders write them (RFC 5322 §3.4, §4.4; RFC 6532; RFC 2047 §5), in linear time.

Nothing that is not written as an address becomes one: a quoted string is a name, and white space within an address
stays in it, so that it is not valid. What had to be guessed makes the list malformed; nobody is left out for that.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from postroom.mail.encoding import GuessBudget, decode
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
_UP_TO_MARK = re.compile(r"(?:\"(?:[^\"\\]|\\.)*+\"|[^<>,;\"])*+", re.DOTALL)
_TO_LAST_ANGLE = re.compile(r"[^>,;\"@<]*+(?:<[^>,;\"@<]*+)*(?=<)")
_IN_COMMENT = re.compile(r"\([^()]*\)")
# No white space, controls, specials; nor what is invisible or turns the writing direction (RFC 6531 would allow it).
_ATOM = r"[^\s\x00-\x20\x7f()<>@,;:\\\"\[\].\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufffd]+"
_LOCAL = rf"(?:{_ATOM}(?:\.{_ATOM})*|\"(?:[^\"\\\r\n\0]|\\[^\r\n\0])*\")"
_LABEL = r"(?!-)[\w-]{1,63}(?<!-)"
_VALID = re.compile(rf"({_LOCAL})@({_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f.:IPv]+\])\Z")
_EMBEDDED = re.compile(
    r"\s*+(?:\"?+([^\"<>@]*+)\"?+\s*+<([^\s<>@]+@[^\s<>@]+)>|([^\s<>@,;:\"()]+@[^\s<>@,;:\"()]+))\s*+\Z"
)
_BLANKS = " \t\r\n\f\v"
_MAX_ADDRESSES = 10_000
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


@dataclass(frozen=True, slots=True)
class Mailboxes:
    """The mailboxes of an address header; `malformed` says that some of it could only be guessed."""

    addresses: tuple[Address, ...]
    malformed: bool = False
    grouped: bool = False  # there is a group in it (RFC 5322 §3.4), which From has hardly ever (RFC 6854)


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
    return list(parse_mailboxes(value, charset=charset).addresses)


def parse_mailboxes(value: str | bytes, *, charset: str | None = None) -> Mailboxes:
    """Parse as `parse_addresses` does, and say whether the list is malformed."""
    raw = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
    return _remembered(raw, charset) if len(raw) <= _REMEMBERED else _parsed(raw, charset)


@lru_cache(maxsize=32)
def _remembered(raw: bytes, charset: str | None) -> Mailboxes:
    """Remember the few headers of the mail at hand: kind, sender, threading and routing each ask for them."""
    return _parsed(raw, charset)


def _parsed(raw: bytes, charset: str | None) -> Mailboxes:
    if raw.isascii() and b"\x1b" not in raw:  # ISO-2022-JP is ASCII, and has commas and quotes where none are
        text = raw.decode("ascii")
    else:
        # From here on, text is its UTF-8 bytes, one character each: raw and decoded headers go one way.
        text = decode_raw(raw, charset, GuessBudget(1)).encode("utf-8").decode("latin-1")
    one = _glance(text) if text.isascii() else None
    return Mailboxes((one,)) if one is not None else _Scanner(text).scan()


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
        self.grouped = False
        self.malformed = "\0" in text
        self.next_mark: dict[str, int] = {}  # where the mark stands next, as far as it was looked for
        self._reset()

    def _reset(self) -> None:
        self.phrase: list[tuple[str, bool, bool]] = []  # text, quoted, white space in front
        self.comments: list[str] = []
        self.angle: str | None = None
        self.named = 0  # how much of `phrase` stood in front of the angle
        self.space = False
        self.addressed = False  # whether there is an @ in `phrase`

    def scan(self) -> Mailboxes:
        """Go through the whole value."""
        size = len(self.text)  # which stays, whatever is replaced in it
        while self.position < size:
            if len(self.found) >= _MAX_ADDRESSES:
                self.malformed = True
                break
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
        return Mailboxes(tuple(self.found), self.malformed, self.grouped)

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
        else:  # `)` alone; a lone `>` is left out
            self.malformed = True
            if mark == ")":
                self._add(mark)

    def _colon(self) -> None:
        if self.addressed or self.angle is not None:
            self._add(":")
            return
        words = "".join(text for text, _, _ in self.phrase)
        # RFC 5322 §3.4: a group's name. `mailto:` and `SMTP:` in front of an address go the same way.
        self.in_group = words.lower() not in ("mailto", "smtp")
        self.grouped = self.grouped or self.in_group
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
        self.malformed = True
        self.text = self.text[:start] + self.text[start:].replace('"', " ")

    def _comment(self) -> None:
        depth, here = 1, self.position
        while depth:
            match = _PARENTHESIS.search(self.text, here)
            if match is None:
                # Never closed: read on as if the remaining parentheses were not there.
                self.malformed = True
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
        """Read on behind `<`: to its `>`, or to where an address ends whose bracket was never closed."""
        text, start = self.text, self.position
        match = _UP_TO_MARK.match(text, start)
        end = match.end() if match else start
        mark = text[end : end + 1]
        closed = self._next(">", end)
        if closed < self._next("<", end):
            self.position = closed + 1
            if mark == ">":
                self._bracketed(text[start:closed])
                return
            # A comma or semicolon in it: a source route (RFC 5322 §4.4), or a list put in one pair of brackets.
            inner = text[start:closed]
            if inner.lstrip(_BLANKS).startswith("@") and ":" in inner:
                self._bracketed(inner)
                return
            self.malformed = True
            for piece in re.split(r"[,;]", inner):
                self._bracketed(piece)
            return
        self.malformed = True
        self.position = end
        inner = text[start:end]
        if mark == "<" and "@" not in inner:
            # `a <b <c@d>`: the last one counts, the rest is part of the name.
            match = _TO_LAST_ANGLE.match(text, start)
            self.position = match.end() if match else end
            self._add(text[start - 1 : self.position])
        else:
            word, *rest = inner.split(None, 1) or [""]
            self._bracketed(word if "@" in word else inner)  # it ends where its first word does
            if rest and "@" in word:
                self._add(rest[0])

    def _next(self, mark: str, position: int) -> int:
        """Return where `mark` stands next, behind the end when nowhere; the text is looked through once."""
        known = self.next_mark.get(mark, -1)
        if known < position:
            known = self.text.find(mark, position)
            known = len(self.text) + 1 if known < 0 else known
            self.next_mark[mark] = known
        return known

    def _bracketed(self, inner: str) -> None:
        """Take what stood in angle brackets for the address of the mailbox that is being read."""
        if self.angle is not None:
            # `A <x@y> B <z@w>`: two mailboxes without a comma between them; what follows the first names the second.
            self.malformed = True
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
            self._found(name, self._cleaned(self.angle))
            if len(self.phrase) > self.named:
                self.malformed = True  # words behind the brackets
            elif self.addressed and any("@" in text and not quoted for text, quoted, _ in self.phrase):
                # RFC 5322 §3.2.5: a phrase without quotes has no `@`; one that is the address again misleads nobody.
                self.malformed = self.malformed or self.found[-1].address.lower() not in name.lower()
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
            if groups and not piece[2]:
                groups[-1].append(piece)
            else:
                groups.append([piece])
        if len(groups) > 1 and all(len(run) == 1 and "@" in run[0][0][1:-1] and not run[0][1] for run in groups):
            self.malformed = True
            for run in groups:  # `a@b c@d`: the commas were left out
                self._found("", self._cleaned(run[0][0]))
            return
        for index in range(len(groups) - 1, -1, -1):
            if any("@" in text and not quoted and text[:2] != "=?" for text, quoted, _ in groups[index]):
                self._bare_at(groups, index)
                return
        decoded = _decode(self._joined(self.phrase))
        # The whole mailbox was put into an encoded word. A quoted string is a name, whatever is in it.
        hidden = "@" in decoded and len(decoded) < 2_000 and not any(quoted for _, quoted, _ in self.phrase)
        match = _EMBEDDED.match(decoded) if hidden else None
        if match:
            self.malformed = True
            self._found((match[1] or "").strip(), match[2] or match[3])
        else:
            self._found(decoded, "")
            self.malformed = self.malformed or "@" in decoded

    def _bare_at(self, groups: list[list[tuple[str, bool, bool]]], index: int) -> None:
        """Read a mailbox whose address is the run at `index`, with the runs that white space cut off it."""
        first, after = index, index + 1
        while first > 0 and _begins(groups[first]).startswith(("@", ".")):
            first -= 1
        while after < len(groups) and (
            _ends(groups[after - 1]).endswith(("@", "."))
            or _begins(groups[after]).startswith(("@", "."))
            or ("." in _begins(groups[after]).rstrip(".") and "." not in _ends(groups[after - 1]).rpartition("@")[2])
        ):
            after += 1
        runs = groups[first:after]
        address = " ".join("".join(f'"{text}"' if quoted else text for text, quoted, _ in run) for run in runs)
        others = [piece for group in (*groups[:first], *groups[after:]) for piece in group]
        self.malformed = self.malformed or bool(others) or len(runs) > 1
        self._found(_decode(self._joined(others)) or self._comment_text(), self._cleaned(address))

    def _found(self, name: str, address: str) -> None:
        if name or address:
            self.found.append(Address(name.strip(" \t<>"), address))

    def _cleaned(self, text: str) -> str:
        """Return an address as written, without comments, source route and `mailto:`; its spaces stay in it."""
        text = text.strip(_BLANKS)
        plain = text
        if "(" in text and ")" in text and '"' not in text:
            plain = text = _IN_COMMENT.sub("", text)
        text = _decode(text) if "=?" in text else _decode_plain(text)
        if '"' not in text:
            text = " ".join(text.split())
        text = text.strip("<>").replace("\0", "\ufffd")
        if text[:7].lower() == "mailto:":
            text = text[7:]
        if text.startswith("@") and ":" in text:
            text = text.rpartition(":")[2].strip()  # RFC 5322 §4.4: a source route
        if len(text) > 2 and text[:1] + text[-1:] in ("''", "[]"):
            text = text[1:-1]
        # RFC 2047 §5: an encoded word is no part of an address.
        self.malformed = self.malformed or "=?" in plain or (plain.isascii() and not plain.endswith(text))
        self.malformed = self.malformed or (" " in text and '"' not in text)
        return text


def _begins(run: list[tuple[str, bool, bool]]) -> str:
    text, quoted, _ = run[0]
    return "" if quoted else text


def _ends(run: list[tuple[str, bool, bool]]) -> str:
    text, quoted, _ = run[-1]
    return "" if quoted else text
