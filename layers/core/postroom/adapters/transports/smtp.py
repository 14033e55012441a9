"""SMTP: one attempt to hand a mail to the next server, with a clear word on whether it can have left.

smtplib speaks the protocol over our own stream, so that host checks, verified TLS and the wall-clock deadline hold.
Nothing can have been sent before the content goes on the wire; from then until the final reply nobody knows.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import smtplib
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from postroom.adapters.net import Network, Reader, Stream, client_context, open_stream
from postroom.adapters.transports.smtp_replies import Stage, Verdict, about_us, held, judge, not_sent, reply_error, said
from postroom.errors import PostroomError, SendDeferred, SendRefused, SendUncertain
from postroom.model import Envelope, Sent
from postroom.model.configuration import Authentication, OutboundServer, SmtpSecurity
from postroom.ports import BeforeData

_LONGEST_REPLY_LINE = 4096  # RFC 5321 §4.5.3.1.5 says 512; real servers write more
_LONGEST_EXCHANGE = 240.0  # seconds; what lasts longer would die with its function, and nobody would know of what
_MOST_CHALLENGES = 5


class SmtpTransport:
    """Implements ports.Transport for one outbound server; `password` is the secret in plain text.

    `token` answers with an access token for `user`, given the deadline and the token that was refused, if any.
    """

    def __init__(
        self,
        server: OutboundServer,
        *,
        password: str,
        allowed_networks: Sequence[Network] = (),
        allow_plaintext_credentials: bool = False,
        user: str = "",
        token: Callable[[float, str], str] | None = None,
    ) -> None:
        self._server = server
        self._user = user or server.user or ""
        self._token = token
        self._password = password
        self._shown = [password]  # to the server
        self._allowed = allowed_networks
        self._plaintext = allow_plaintext_credentials

    def send(self, content: bytes, envelope: Envelope, *, outbound_id: str, before_data: BeforeData) -> Sent:
        """Make one attempt; raises SendRefused, SendDeferred or SendUncertain."""
        deadline = time.monotonic() + min(self._server.timeout.total_seconds(), _LONGEST_EXCHANGE)
        try:
            client = self._open(deadline, helo=envelope.sender.rpartition("@")[2] or "localhost")
        except (smtplib.SMTPException, PostroomError) as error:
            refused = _not_sent(error, on=self._server.name)
            for secret in self._shown:
                refused.hide(secret)
            raise refused from None  # the library's error quotes the server, which may repeat the password
        try:
            return self._exchange(client, content, envelope, before_data)
        finally:
            client.leave()

    def _open(self, deadline: float, *, helo: str) -> _Client:
        server = self._server
        host = server.host or ""
        stream = open_stream(host, server.effective_port, deadline=deadline, allowed=self._allowed)
        context = client_context(server.ca_certificate)
        if server.security is SmtpSecurity.SSL_TLS:
            stream.start_tls(context, host)
        client = _Client(stream, helo=helo, on=server.name)
        try:
            client.greet()
            if server.security in (SmtpSecurity.START_TLS, SmtpSecurity.START_TLS_REQUIRED):
                client.upgrade(context, host, required=server.security is SmtpSecurity.START_TLS_REQUIRED)
            if server.authentication is not Authentication.ANONYMOUS and self._user:
                if not stream.encrypted and not self._plaintext:
                    raise SendDeferred(
                        "The connection is not encrypted, so no password was sent",
                        on=server.name,
                        step="login",
                        code="plaintext_refused",
                        remedy="Set `security` to start-tls-required or ssl-tls; the mail waits.",
                    )
                stream.step = "login"
                self._log_in(client, deadline)
        except BaseException:
            stream.close()
            raise
        return client

    def _log_in(self, client: _Client, deadline: float) -> None:
        if self._token is None:
            client.login(self._user, self._password)
            return
        token = self._token(deadline, "")
        self._shown.append(token)
        try:
            client.login_with_token(self._user, token)
        except smtplib.SMTPAuthenticationError:  # void before its time: one more, and no third
            token = self._token(deadline, token)
            self._shown.append(token)
            client.login_with_token(self._user, token)

    def _exchange(self, client: _Client, content: bytes, envelope: Envelope, before_data: BeforeData) -> Sent:
        on = self._server.name
        try:
            limit = client.size_limit()
            if limit and len(content) > limit:
                raise SendRefused(
                    f"The mail has {len(content):,} bytes, the server takes {limit:,}", on=on, code="too_large"
                )
            _expect(client.mail(envelope.sender, _mail_options(client, content)), on=on, stage=Stage.MAIL)
            answers = _Answers()
            for recipient in envelope.recipients:
                answers.add(recipient, *client.rcpt(recipient))
            answers.check(on=on)
            before_data()
            _expect(client.docmd("DATA"), on=on, stage=Stage.DATA)
        except (SendRefused, SendDeferred):
            raise
        except smtplib.SMTPException as error:
            raise _not_sent(error, on=on) from error
        except PostroomError as error:
            if error.code == "lease_lost":
                raise
            raise not_sent(error, on=on) from error
        try:
            reply = client.content(content)
        except (smtplib.SMTPException, PostroomError) as error:
            raise SendUncertain(
                f"The connection was lost after the content went out: {error}", on=on, step="data"
            ) from error
        _expect(reply, on=on, stage=Stage.CONTENT)
        return Sent(
            provider_id=said(*reply)[:200],
            refused=answers.refused,
            deferred=answers.deferred,
            deferred_code=answers.ours,
        )


@dataclass(slots=True)
class _Answers:
    """What the server said of each recipient that it did not take."""

    taken: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    deferred: dict[str, str] = field(default_factory=dict)
    ours: str = ""  # code of a refusal about us, which holds those that it met

    def add(self, recipient: str, code: int, text: bytes) -> None:
        told = said(code, text)
        verdict = judge(code, told, Stage.RCPT)
        if verdict is Verdict.TAKEN:
            self.taken += 1
        elif verdict is Verdict.REFUSED:
            self.refused[recipient] = told
        else:
            self.deferred[recipient] = told
            self.ours = self.ours or (about_us(code, told, Stage.RCPT) if verdict is Verdict.ABOUT_US else "")

    def check(self, *, on: str) -> None:
        """Raise SendDeferred or SendRefused where no recipient was taken."""
        if self.taken:
            return
        answer = next(iter([*self.deferred.values(), *self.refused.values()]), "no recipients")
        if self.ours:
            raise held(f"The server refused us, not the recipients: {answer}", self.ours, on=on)
        if self.deferred:
            raise SendDeferred(f"The server put every recipient off: {answer}", on=on)
        raise SendRefused(f"The server refused every recipient: {answer}", on=on, code="recipients_refused")


class _Client(smtplib.SMTP):
    """smtplib's protocol over our stream."""

    def __init__(self, stream: Stream, *, helo: str, on: str) -> None:
        super().__init__(local_hostname=helo)  # without a name it would ask the resolver for ours
        self._stream = stream
        self._on = on  # the outbound server, as administrators name it
        self._reader = Reader(stream)
        self.sock = self  # type: ignore[assignment]  # smtplib needs sendall, makefile and close only
        self.file = None

    def sendall(self, data: bytes) -> None:
        self._stream.send(data)

    def makefile(self, *_arguments: Any) -> _Client:
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


def _mail_options(client: _Client, content: bytes) -> list[str]:
    return [f"SIZE={len(content)}"] if client.has_extn("size") else []


def _expect(reply: tuple[int, bytes], *, on: str, stage: Stage) -> None:
    code, text = reply
    if judge(code, said(code, text), stage) is not Verdict.TAKEN:
        raise reply_error(code, text, on=on, stage=stage)


def _not_sent(error: Exception, *, on: str) -> PostroomError:
    """Translate a failure before the content: certainly not sent, so it may be tried again."""
    if isinstance(error, SendDeferred | SendRefused):
        return error
    if isinstance(error, smtplib.SMTPResponseException):
        told = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
        if isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code >= 500:
            return SendDeferred(
                f"The server refused the login: {said(error.smtp_code, told)}",
                on=on,
                step="login",
                code="login_refused",
                remedy="Enter the right user and password of this outbound server; the mail waits.",
            )
        return reply_error(error.smtp_code, told, on=on, stage=Stage.SESSION)
    if isinstance(error, PostroomError):
        return not_sent(error, on=on)
    return SendDeferred(f"The session failed: {error}", on=on)


def _challenge(text: bytes) -> bytes:
    try:
        return base64.b64decode(text)
    except binascii.Error as error:
        raise smtplib.SMTPException(f"The server's challenge is no base64: {text[:80]!r}") from error


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")
