"""IMAP's commands and answers on a connection of ours: every byte under the deadline, and every answer bounded.

imaplib does the same for three times the processor time: it formats each line for a log of its own, passwords among
them. Answers are read in one place, answers.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from postroom.adapters.imap.answers import (
    Answer,
    Continuation,
    Limit,
    LiteralRefused,
    Row,
    Tagged,
    Untagged,
    no_imap,
    read_answer,
)
from postroom.adapters.imap.errors import refused
from postroom.adapters.net import Reader, Stream
from postroom.errors import PostroomError, ServerMisbehaved

ANSWER_LIMIT = 64 * 1024 * 1024  # bytes; a flood of untagged answers to one command
_ROW = 64  # bytes that a row counts which nobody asked for
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
        self.welcome = self._greeting()
        self.preauthenticated = "PREAUTH" in self.untagged
        if "OK" not in self.untagged and not self.preauthenticated:
            raise self._refused(self.welcome)
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
            if isinstance(self._answer(), Continuation):
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

    def receive(self, *, limit: Limit, started: Callable[[int | None], None]) -> Row | Tagged | None:
        """Read one answer to a FETCH; what else the server says is filed, and comes as None."""
        answer = read_answer(self.reader, limit=limit, started=started)
        if isinstance(answer, Untagged):
            self._file(answer)
        return answer if isinstance(answer, Row | Tagged) else None

    def _greeting(self) -> bytes:
        answer = self._answer()
        return answer.text if isinstance(answer, Untagged) else b""

    def _answer(self) -> Answer:
        """Read one answer outside FETCH, and file it."""
        try:
            answer = read_answer(self.reader, limit=lambda _uid: 0, started=lambda _uid: None, quoted=True)
        except LiteralRefused as error:
            raise self._too_much(f"{error} that nobody asked for") from error
        if isinstance(answer, Untagged):
            self._file(answer)
        elif isinstance(answer, Tagged):
            if answer.tag not in self._ended:
                said = b" ".join((answer.tag, answer.kind.encode("ascii"), answer.text))
                raise no_imap(self.reader, said, quoted=True)
            self._ended[answer.tag] = answer.kind, answer.text
            self._file_code(answer.kind, answer.text)
        elif isinstance(answer, Row):  # flags that somebody has changed meanwhile
            answer.discard()
            self._count(_ROW)
        return answer

    def _file(self, answer: Untagged) -> None:
        self._count(len(answer.name) + len(answer.text))
        self.untagged.setdefault(answer.name, []).append(answer.text)
        self._file_code(answer.name, answer.text)

    def _file_code(self, kind: str, text: bytes) -> None:
        if kind in ("OK", "NO", "BAD") and (code := _CODE.match(text)):
            self.untagged.setdefault(code[1].decode("ascii").upper(), []).append(code[2] or b"")

    def _count(self, size: int) -> None:
        self._received += size
        if self._received > ANSWER_LIMIT:
            raise self._too_much("more than it was asked for")

    def _refused(self, text: bytes) -> PostroomError:
        return refused(text, step=self.stream.step, on=self.stream.on)

    def _too_much(self, what: str) -> ServerMisbehaved:
        return ServerMisbehaved(
            f"The server sent {what}", on=self.stream.on, step=self.stream.step, code="answer_too_long"
        )
