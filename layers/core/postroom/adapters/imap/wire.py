"""IMAP's commands and answers on a connection of ours: every byte under the deadline, and every answer bounded.

FETCH is imap_reader's. imaplib does the rest for three times the processor time: it formats each line for a log of its
own, passwords among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from postroom.adapters.imap.errors import refused, response_codes
from postroom.adapters.net.stream import Reader, Stream
from postroom.errors import PostroomError, ServerMisbehaved

LINE_LIMIT = 16 * 1024 * 1024  # 200,000 UIDs are 1.6 MB
LITERAL_LIMIT = 1024 * 1024  # names and texts
ANSWER_LIMIT = 64 * 1024 * 1024  # a flood of untagged answers to one command
_QUOTED_AT_MOST = 150  # bytes of what is no IMAP

_UNTAGGED = re.compile(rb"\* (?:(\d+) )?([A-Za-z-]+)(?: (.*))?", re.DOTALL)
_TAGGED = re.compile(rb"(MAIL\d+) (OK|NO|BAD)(?: (.*))?", re.DOTALL | re.IGNORECASE)
_LITERAL = re.compile(rb"\{(\d{1,20})\}\Z")
_CODE = re.compile(rb"\[([A-Za-z-]+)(?: ([^\]]*))?\]")  # RFC 3501 §7.1


class Wire:
    """A connection whose greeting has been read.

    `untagged`: what the server said since somebody looked, by name, in order: the name of an answer (EXISTS, SEARCH) or
    of a response code (UIDVALIDITY).
    """

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.reader = Reader(stream)
        self.untagged: dict[str, list[bytes]] = {}
        self._ended: dict[bytes, tuple[str, bytes] | None] = {}  # commands under way
        self._tags = 0
        self._received = 0
        self._capabilities: frozenset[bytes] | None = None
        self.welcome = self._answer()
        self.preauthenticated = "PREAUTH" in self.untagged
        if "OK" not in self.untagged and not self.preauthenticated:
            raise self._refused(self.welcome.removeprefix(b"* "))
        self.untagged.clear()  # what the server can do it says again once it knows who asks

    def flight(self, *commands: tuple[str, bytes]) -> Iterator[tuple[str, bytes]]:
        """Send commands (name, arguments) in one go; then hand out (OK, NO or BAD; text) of each as it is read.

        Raises what a BYE means, and ServerMisbehaved.
        """
        tags = []
        lines = []
        for name, arguments in commands:
            tag = self._begin()
            tags.append(tag)
            lines.append(tag + b" " + name.encode("ascii") + (b" " + arguments if arguments else b"") + b"\r\n")
        self.send(b"".join(lines))
        return (self._end(tag) for tag in tags)

    def command(self, name: str, arguments: bytes = b"") -> tuple[str, bytes]:
        """Send one command; return (OK, NO or BAD; text)."""
        return next(self.flight((name, arguments)))

    def authenticate_with(self, mechanism: str, response: bytes, *, initial: bool) -> tuple[str, bytes]:
        """Run a SASL exchange of one response (base64); return (OK, NO or BAD; text).

        `initial`: the response goes out with the command (RFC 4959). Further challenges are answered with an empty
        line, which makes the server say NO (XOAUTH2).
        """
        tag = self._begin()
        line = tag + b" AUTHENTICATE " + mechanism.encode("ascii")
        self.send(line + (b" " + response if initial else b"") + b"\r\n")
        waiting = not initial
        for _round in range(100):  # untagged answers in between, and a challenge or two
            if self._answer().startswith(b"+"):
                self.send((response if waiting else b"") + b"\r\n")
                waiting = False
            elif self._ended[tag] is not None:
                return self._end(tag)
        raise self._too_much("too many answers to AUTHENTICATE")

    def can(self, capability: bytes) -> bool:
        """Tell whether the server has a capability, asking where it did not say so when we logged in."""
        if self._capabilities is None:
            kind, text = self.command("CAPABILITY")
            if kind != "OK":
                raise self._refused(text)
            self.remember_capabilities()
        return capability in (self._capabilities or ())

    def remember_capabilities(self) -> None:
        """Keep what the answer to the login said of capabilities; what was said before it does not count."""
        said = self.untagged.pop("CAPABILITY", [])
        self._capabilities = frozenset(said[-1].upper().split()) if said else None

    def new_tag(self) -> bytes:
        """Return a fresh tag for a command whose answer somebody else reads."""
        self._tags += 1
        return b"MAIL%d" % self._tags

    def send(self, data: bytes) -> None:
        """Send a command, or a part of one."""
        self._received = 0
        self.stream.send(data)

    def _begin(self) -> bytes:
        tag = self.new_tag()
        self._ended[tag] = None
        return tag

    def _end(self, tag: bytes) -> tuple[str, bytes]:
        while (ended := self._ended[tag]) is None:
            if "BYE" in self.untagged:
                raise self._refused(self.untagged["BYE"][-1])
            self._answer()
        del self._ended[tag]
        return ended

    def _answer(self) -> bytes:
        """Read one answer and file it; returns its first line."""
        line = self._line()
        if untagged := _UNTAGGED.fullmatch(line):
            number, name, text = untagged.groups()
            kind, text = name.decode("ascii").upper(), self._with_literals(text or b"")
            self._file(kind, b" ".join(filter(None, (number, text))))
        elif (tagged := _TAGGED.fullmatch(line)) and tagged[1] in self._ended:
            kind, text = tagged[2].decode("ascii").upper(), tagged[3] or b""
            self._ended[tagged[1]] = kind, text
        elif line[:1] == b"+":
            return line
        else:
            raise self._no_imap(line)
        if kind in ("OK", "NO", "BAD") and (code := _CODE.match(text)):
            self._file(code[1].decode("ascii").upper(), code[2] or b"")
        return line

    def _file(self, name: str, text: bytes) -> None:
        self.untagged.setdefault(name, []).append(text)

    def _with_literals(self, line: bytes) -> bytes:
        text = line
        while literal := _LITERAL.search(line):
            size = int(literal[1])
            if size > LITERAL_LIMIT:
                raise self._too_much(f"a literal of {size:,} bytes")
            data = bytearray(text)
            self.reader.exactly(size, data.extend)
            self._count(size)
            line = self._line()
            text = bytes(data) + line
        return text

    def _line(self) -> bytes:
        line = self.reader.line(LINE_LIMIT)
        self._count(len(line))
        if not line.endswith(b"\r\n"):
            raise self._no_imap(line)
        return line[:-2]

    def _count(self, size: int) -> None:
        self._received += size
        if self._received > ANSWER_LIMIT:
            raise self._too_much("more than it was asked for")

    def _refused(self, text: bytes) -> PostroomError:
        return refused(text, step=self.stream.step, on=self.stream.on)

    def _no_imap(self, line: bytes) -> PostroomError:
        if response_codes(line):
            return self._refused(line)
        said = line[:_QUOTED_AT_MOST].decode("utf-8", "backslashreplace").strip()
        what = f"The server broke the protocol: {said!r} is no answer"
        return ServerMisbehaved(what, on=self.stream.on, step=self.stream.step)

    def _too_much(self, what: str) -> ServerMisbehaved:
        return ServerMisbehaved(
            f"The server sent {what}", on=self.stream.on, step=self.stream.step, code="answer_too_long"
        )
