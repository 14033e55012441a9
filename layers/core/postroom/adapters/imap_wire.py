"""IMAPClient on a connection of ours: every byte under the deadline, no trace of what is sent, bounded answers.

imaplib offers `open`, `read`, `readline`, `send` and `shutdown` to be replaced (as its own IMAP4_stream does); the
rest of it is used as it is.
"""

from __future__ import annotations

import imaplib
from collections.abc import Iterator
from typing import Any

from imapclient import IMAPClient

from postroom.adapters.stream import Reader, Stream
from postroom.errors import ServerMisbehaved

LINE_LIMIT = 16 * 1024 * 1024  # 200,000 UIDs are 1.6 MB; imaplib's own limit is 1,000,000 bytes
LITERAL_LIMIT = 1024 * 1024  # outside FETCH, where our own reader reads: names and texts
ANSWER_LIMIT = 64 * 1024 * 1024  # a flood of untagged answers to one command


class Wire(imaplib.IMAP4):
    """imaplib over a Stream. It asks no CAPABILITY of its own accord: that would be a round trip."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.reader = Reader(stream)
        self._received = 0
        super().__init__()

    # imaplib makes up a prefix for the tags of each connection and compiles an expression with it, which is a seventh
    # of the CPU time of a look. With one prefix for all, that expression comes from the cache of `re`.
    @property
    def tagpre(self) -> Any:
        """What all tags begin with."""
        return b"MAIL"

    @tagpre.setter
    def tagpre(self, _value: object) -> None:
        """Leave it."""

    def open(self, host: str = "", port: int = 0, timeout: float | None = None) -> None:
        """Take the connection that is there."""
        self.host = host
        self.port = port

    def read(self, size: int) -> bytes:
        """Read a literal."""
        if size > LITERAL_LIMIT:
            raise self._too_much(f"a literal of {size:,} bytes")
        data = bytearray()
        self.reader.exactly(size, data.extend)
        self._count(size)
        return bytes(data)

    def readline(self) -> bytes:
        """Read a line with its end."""
        line = self.reader.line(LINE_LIMIT)
        self._count(len(line))
        return line

    def send(self, data: Any) -> None:
        """Send a command, or a part of one."""
        self._received = 0
        self.stream.send(bytes(data))

    def shutdown(self) -> None:
        """Drop the connection."""
        self.stream.close()

    def _get_capabilities(self) -> None:
        # imaplib asks CAPABILITY after every greeting. What the greeting says is enough to log in; the rest is asked
        # when it is needed, after the login.
        self.capabilities = ("IMAP4REV1",)

    def flight(self, *commands: tuple[str, bytes]) -> Iterator[tuple[str, bytes]]:
        """Send commands (name, arguments) in one go; then hand out (OK, NO or BAD; text) of each as it is read.

        Raises IMAP4.abort.
        """
        tags = []
        lines = []
        for name, arguments in commands:
            tag = self._new_tag()
            tags.append(tag)
            lines.append(tag + b" " + name.encode("ascii") + (b" " + arguments if arguments else b"") + b"\r\n")
        self.send(b"".join(lines))
        return (self._tagged(tag) for tag in tags)

    def command(self, name: str, arguments: bytes = b"") -> tuple[str, bytes]:
        """Send one command; return (OK, NO or BAD; text). Raises IMAP4.abort."""
        return next(self.flight((name, arguments)))

    def authenticate_with(self, mechanism: str, response: bytes, *, initial: bool) -> tuple[str, bytes, bytes]:
        """Run a SASL exchange of one response (base64); return (OK, NO or BAD; text; the server's last challenge).

        `initial`: the response goes out with the command (RFC 4959). Further challenges are answered with an empty
        line, which makes the server say NO (XOAUTH2).
        """
        tag = self._new_tag()
        line = tag + b" AUTHENTICATE " + mechanism.encode("ascii")
        self.send(line + (b" " + response if initial else b"") + b"\r\n")
        waiting, challenge = not initial, b""
        for _round in range(100):  # untagged answers in between, and a challenge or two
            if self._get_response() is None:
                said: Any = self.continuation_response
                challenge = b"" if waiting or not said else bytes(said)
                self.send((response if waiting else b"") + b"\r\n")
                waiting = False
            elif self.tagged_commands[tag]:
                kind, data = self._tagged(tag)
                return kind, data, challenge
        raise self._too_much("too many answers to AUTHENTICATE")

    def new_tag(self) -> bytes:
        """Return a fresh tag for a command whose answer our own reader reads."""
        tag = self._new_tag()
        del self.tagged_commands[tag]
        return bytes(tag)

    def _tagged(self, tag: Any) -> tuple[str, bytes]:
        answer: tuple[str, list[bytes | None]] = self._get_tagged_response(tag)
        return answer[0], answer[1][0] or b""

    def _count(self, size: int) -> None:
        self._received += size
        if self._received > ANSWER_LIMIT:
            raise self._too_much("more than it was asked for")

    def _too_much(self, what: str) -> ServerMisbehaved:
        return ServerMisbehaved(
            f"The server sent {what}", on=self.stream.on, step=self.stream.step, code="answer_too_long"
        )


class Client(IMAPClient):  # type: ignore[misc]  # IMAPClient is not typed
    """IMAPClient over a Stream whose greeting is still to be read."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        super().__init__(stream.on, ssl=False)
        # IMAPClient sets imaplib's debug to 5: every literal would be formatted for a log nobody reads (6 × the CPU),
        # and passwords would be among them.
        self._imap.debug = 0
        self.normalise_times = False

    @property
    def wire(self) -> Wire:
        """The connection beneath."""
        wire: Wire = self._imap
        return wire

    def remember_capabilities(self) -> None:
        """Keep what the answer to the login said of capabilities; if nothing, they are asked for when needed."""
        lines = self.wire.untagged_responses.pop("CAPABILITY", [])
        said: Any = lines[-1] if lines else None
        if isinstance(said, bytes):
            self._cached_capabilities = self._normalise_capabilites(said)

    def _set_read_timeout(self) -> None:
        pass  # the Stream has its deadline

    def _create_IMAP4(self) -> Wire:  # noqa: N802 - IMAPClient's name
        return Wire(self._stream)
