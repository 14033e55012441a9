"""From nothing to a logged-in POP3 connection: dns → connect → tls → greeting → login."""

from __future__ import annotations

import base64
import re
import time
from dataclasses import dataclass

from postroom.adapters import network
from postroom.adapters.imap_login import Rules, choose_mechanism
from postroom.adapters.pop3_reader import read_multiline, read_status
from postroom.adapters.stream import Reader, Stream
from postroom.adapters.tls import client_context
from postroom.adapters.trace import trace_of
from postroom.errors import LoginRefused, MailboxLocked, Permanent, PostroomError, ServerMisbehaved, TlsFailed
from postroom.model.mailbox import Mailbox, Security
from postroom.model.properties import behaviour

ANSWER_LIMIT = 64 * 1024 * 1024  # UIDL and LIST of a million messages
_CODE = re.compile(rb"^\[([A-Z0-9/-]+)\]", re.IGNORECASE)

_LOCKED = re.compile(rb"\b(in[ -]use|lock(ed)?|busy|another (session|client|pop)|already)\b", re.IGNORECASE)
_LATER = re.compile(rb"too many|temporar|try again|try later|unavailable|login delay|internal error", re.IGNORECASE)


@dataclass(slots=True)
class Line:
    """A connection that commands go over."""

    stream: Stream
    reader: Reader

    def ask(self, command: str) -> tuple[bool, bytes]:
        """Send a command and read its status."""
        self.stream.send(command.encode("utf-8") + b"\r\n")
        good, text, _end = read_status(self.reader)
        return good, text

    def ask_all(self, command: str, *, limit: int = ANSWER_LIMIT) -> bytes | None:
        """Send a command with a multi-line answer; None when it is refused. Raises pop3_reader.TooLong."""
        self.stream.send(command.encode("ascii") + b"\r\n")
        return self.answer(limit=limit)

    def answer(self, *, limit: int = ANSWER_LIMIT) -> bytes | None:
        """Read a multi-line answer; None when it is -ERR."""
        good, _text, end = read_status(self.reader)
        if not good:
            return None
        data = bytearray()
        read_multiline(self.reader, data.extend, limit=limit, end=end)
        return bytes(data)


def dial(mailbox: Mailbox, *, secret: str, deadline: float, rules: Rules) -> Line:
    """Connect and log in; raises the errors of errors.py with the step that failed."""
    if not mailbox.server:
        raise Permanent("The mailbox has no server", on=mailbox.name, step="dns", remedy="Set `server`.")
    stream = network.connect(
        mailbox.server,
        mailbox.effective_port,
        deadline=deadline,
        timeout=mailbox.connect_timeout.total_seconds(),
        allowed=rules.allowed_networks,
    )
    stream.trace = trace_of(mailbox)
    try:
        return _converse(stream, mailbox, secret=secret, deadline=deadline, rules=rules)
    except BaseException:
        stream.close()
        raise


def _converse(stream: Stream, mailbox: Mailbox, *, secret: str, deadline: float, rules: Rules) -> Line:
    host = mailbox.server or ""
    context = client_context(mailbox.ca_certificate, behaviour(mailbox).tls_versions)
    if mailbox.security is Security.SSL_TLS:
        stream.start_tls(context, host)
    stream.step = "greeting"
    stream.deadline = min(deadline, time.monotonic() + mailbox.protocol_timeout.total_seconds())
    line = Line(stream, Reader(stream))
    good, text, _end = read_status(line.reader)
    if not good:
        raise refused(text, step="greeting", on=stream.on)
    if mailbox.security in (Security.START_TLS, Security.START_TLS_REQUIRED):
        stream.step = "tls"
        good, text = line.ask("STLS")
        if line.reader.buffered:
            raise TlsFailed(
                "The server sent something in plain text after it agreed to TLS",
                on=stream.on,
                step="tls",
                code="starttls_injection",
                remedy="Somebody may be tampering with the connection; use ssl-tls.",
            )
        if good:
            stream.start_tls(context, host)
        elif mailbox.security is Security.START_TLS_REQUIRED:
            raise TlsFailed(
                f"The server does not offer STLS: {_said(text)}",
                on=stream.on,
                step="tls",
                code="starttls_refused",
                remedy="Use ssl-tls, or have the mail server's operator switch STLS on.",
            )
    if not stream.encrypted and not rules.allow_plaintext_credentials:
        raise TlsFailed(
            "The connection is not encrypted, so the password was not sent",
            on=stream.on,
            step="tls",
            code="plaintext_refused",
            remedy="Set `security` to ssl-tls or start-tls-required, "
            "or allow it with the stack parameter AllowPlaintextCredentials.",
        )
    stream.step = "login"
    stream.deadline = min(deadline, time.monotonic() + mailbox.protocol_timeout.total_seconds())
    _log_in(line, mailbox, secret)
    stream.step = "list"
    return line


def _log_in(line: Line, mailbox: Mailbox, secret: str) -> None:
    user, on = mailbox.user, line.stream.on
    if not (user.isprintable() and secret.isprintable()):
        raise LoginRefused("The password or user name holds impossible characters", on=mailbox.name, step="login")
    mechanism = choose_mechanism(mailbox, quotable=True)
    if mechanism == "LOGIN":
        good, text = line.ask(f"USER {user}")
        if good:
            good, text = line.ask(f"PASS {secret}")
        if not good:
            raise refused(text, step="login", on=on)
        return
    answer = f"user={user}\x01auth=Bearer {secret}\x01\x01" if mechanism == "XOAUTH2" else f"\0{user}\0{secret}"
    good, text = line.ask(f"AUTH {mechanism}")
    if good:
        good, text = line.ask(base64.b64encode(answer.encode("utf-8")).decode("ascii"))
    challenged = mechanism == "XOAUTH2" and good and text.startswith(b"ey")  # base64 of `{"`: the error as JSON
    if challenged:
        good, text = line.ask("")
    if not good:
        error = refused(text, step="login", on=on)
        if mechanism == "XOAUTH2" and isinstance(error, LoginRefused):
            raise LoginRefused(
                error.what,
                on=on,
                step="login",
                code="token_refused",
                remedy="Authorise the mailbox again, and check that the consent covers POP.",
            )
        raise error


def capabilities(line: Line) -> frozenset[bytes]:
    """Ask CAPA (RFC 2449); empty where the server does not know it."""
    answer = line.ask_all("CAPA", limit=64 * 1024)
    return frozenset(row.split(b" ")[0].strip().upper() for row in (answer or b"").splitlines() if row)


def refused(text: bytes, *, step: str, on: str) -> PostroomError:
    """Say what -ERR means at this step (response codes: RFC 2449 §8, RFC 3206)."""
    match = _CODE.match(text)
    code = match[1].decode("ascii").upper() if match else ""
    said = _said(text)
    if code == "IN-USE" or (not code and step == "login" and _LOCKED.search(text)):
        return MailboxLocked(f"Another program holds the mailbox: {said}", on=on, step=step)
    if code in ("SYS/TEMP", "LOGIN-DELAY") or (not code and _LATER.search(text)):
        return MailboxLocked(
            f"The server cannot serve the mailbox for now: {said}", on=on, step=step, code="unavailable"
        )
    if step == "login":
        return LoginRefused(f"Login refused: {said}", on=on, step=step)
    return ServerMisbehaved(f"The server refused a command: {said}", on=on, step=step, code="command_refused")


def _said(text: bytes) -> str:
    return text.decode("utf-8", "replace").strip()[:200]
