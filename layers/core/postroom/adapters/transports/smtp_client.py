"""smtplib's protocol over our own stream, so that host checks, verified TLS and the wall-clock deadline hold."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import smtplib
import ssl
import time
from collections.abc import Sequence
from typing import Any

from postroom.adapters.net import Reader, Stream
from postroom.adapters.transports.smtp_replies import Stage, reply_error
from postroom.errors import PostroomError, SendDeferred

_LONGEST_REPLY_LINE = 4096  # RFC 5321 §4.5.3.1.5 says 512; real servers write more
_MOST_CHALLENGES = 5
_NO_REPLY = (421, b"4.4.2 the connection was closed before the server answered")
_MOST_AT_ONCE = 100  # commands: neither side's buffer fills while the other waits for it to be read


class SmtpClient(smtplib.SMTP):
    """smtplib's protocol over our stream."""

    def __init__(self, stream: Stream, *, helo: str, on: str) -> None:
        super().__init__(local_hostname=helo)  # without a name it would ask the resolver for ours
        self._stream = stream
        self._on = on  # the outbound server, as administrators name it
        self._reader = Reader(stream)
        self.sock = self  # type: ignore[assignment]  # smtplib needs sendall, makefile and close only
        self.file = None
        self.without_login = ""  # why the server has refused the login, where the mail goes without

    def sendall(self, data: bytes) -> None:
        self._stream.send(data)

    def makefile(self, *_arguments: Any) -> SmtpClient:
        return self

    def readline(self, _limit: int = -1) -> bytes:
        return self._reader.line(_LONGEST_REPLY_LINE)

    def close(self) -> None:
        self._stream.close()

    def greet(self) -> None:
        self._stream.step = "greeting"
        code, text = self.getreply()
        if code != 220:
            raise reply_error(code, text, on=self._on, stage=Stage.SESSION, command="the connection")
        self.ehlo_or_helo_if_needed()

    def upgrade(self, context: ssl.SSLContext, host: str, *, required: bool) -> None:
        """STARTTLS (RFC 3207); what was sent along in plain text is refused (docs/threat-model.md 2)."""
        self._stream.step = "tls"
        if not self.has_extn("starttls"):
            if not required:
                return
            raise SendDeferred(
                "The server does not offer STARTTLS",
                on=self._on,
                step="tls",
                code="starttls_missing",
                remedy="Use the TLS port with `security: ssl-tls`, or repair the server.",
            )
        code, text = self.docmd("STARTTLS")
        if code != 220:
            raise reply_error(code, text, on=self._on, stage=Stage.SESSION, command="STARTTLS")
        if self._reader.buffered:
            raise SendDeferred("Something was injected before TLS began", on=self._on, step="tls", code="injected")
        self._stream.start_tls(context, host)
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False
        self.ehlo_or_helo_if_needed()

    def auth(self, mechanism: str, authobject: Any, *, initial_response_ok: bool = True) -> tuple[int, bytes]:
        """AUTH (RFC 4954) with user and password in UTF-8 (RFC 4616); smtplib's own fails at letters beyond ASCII."""
        first = authobject() if initial_response_ok else None
        code, text = self.docmd("AUTH", mechanism if first is None else f"{mechanism} {_base64(first)}")
        # auth_login of smtplib counts by this which of its two questions it answers.
        self._auth_challenge_count = 0 if first is None else 1
        while code == 334 and self._auth_challenge_count <= _MOST_CHALLENGES:
            self._auth_challenge_count += 1
            code, text = self.docmd(_base64(authobject(_challenge(text))))
        if code in (235, 503):
            return code, text
        raise smtplib.SMTPAuthenticationError(code, text)

    def auth_cram_md5(self, challenge: Any = None) -> Any:
        """RFC 2195, with the password in UTF-8."""
        if challenge is None:
            return None
        return f"{self.user} {hmac.new(str(self.password).encode(), challenge, 'md5').hexdigest()}"

    def login_with_token(self, user: str, token: str) -> None:
        """AUTH XOAUTH2 with its initial response; the server's challenge is its error, which wants an empty answer."""

        def answer(challenge: bytes | None = None) -> str:
            return f"user={user}\x01auth=Bearer {token}\x01\x01" if challenge is None else ""

        self.auth("XOAUTH2", answer)

    def in_one_go(self, commands: Sequence[str]) -> list[tuple[int, bytes]]:
        """Send commands together and read all of their replies (RFC 2920), where the server takes that.

        Where the connection ends after some replies, these count, and the other commands have none.
        """
        if not self.has_extn("pipelining"):
            return [self.docmd(command) for command in commands]
        replies: list[tuple[int, bytes]] = []
        for start in range(0, len(commands), _MOST_AT_ONCE):
            some = commands[start : start + _MOST_AT_ONCE]
            try:
                self.sendall("".join(f"{command}\r\n" for command in some).encode("ascii"))
                for _command in some:
                    replies.append(self.getreply())
            except (smtplib.SMTPException, PostroomError):
                if not replies:
                    raise
                return replies + [_NO_REPLY] * (len(commands) - len(replies))
        return replies

    def size_limit(self) -> int:
        """Return the largest mail the server says it takes, in bytes; 0: it does not say (RFC 1870)."""
        said = self.esmtp_features.get("size", "")
        return int(said) if said.isdigit() else 0

    def content(self, content: bytes) -> tuple[int, bytes]:
        """Send the content, dot-stuffed, with its end, and wait for the final reply."""
        self._stream.step = "data"
        stuffed = content.replace(b"\r\n.", b"\r\n..")
        if stuffed.startswith(b"."):
            stuffed = b"." + stuffed
        self.sendall(stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n")
        self.sendall(b".\r\n")
        return self.getreply()

    def leave(self) -> None:
        """QUIT, as politeness: what was said before counts."""
        with contextlib.suppress(smtplib.SMTPException, PostroomError):
            self._stream.deadline = min(self._stream.deadline, time.monotonic() + 2)
            self.docmd("QUIT")
        self._stream.close()


def _challenge(text: bytes) -> bytes:
    try:
        return base64.b64decode(text)
    except binascii.Error as error:
        raise smtplib.SMTPException(f"The server's challenge is no base64: {text[:80]!r}") from error


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")
