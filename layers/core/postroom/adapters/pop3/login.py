"""From nothing to a logged-in POP3 connection: dns → connect → tls → greeting → login."""

from __future__ import annotations

import base64
import re
import time
from dataclasses import dataclass

from postroom.adapters.net import dial as dialling
from postroom.adapters.net.dial import Rules
from postroom.adapters.net.stream import Reader, Stream
from postroom.adapters.pop3.wire import read_multiline, read_status
from postroom.errors import LoginRefused, MailboxLocked, PostroomError, ServerMisbehaved
from postroom.model.configuration.mailbox import Mailbox, Security

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
    return dialling.dial(
        mailbox,
        lambda stream: _converse(stream, mailbox, secret=secret, deadline=deadline, rules=rules),
        secret=secret,
        deadline=deadline,
        rules=rules,
    )


def _converse(stream: Stream, mailbox: Mailbox, *, secret: str, deadline: float, rules: Rules) -> Line:
    stream.step = "greeting"
    stream.deadline = min(deadline, time.monotonic() + mailbox.protocol_timeout.total_seconds())
    line = Line(stream, Reader(stream))
    good, text, _end = read_status(line.reader)
    if not good:
        raise refused(text, step="greeting", on=stream.on)
    if mailbox.security in (Security.START_TLS, Security.START_TLS_REQUIRED):
        _start_tls(line, mailbox)
    dialling.check_encrypted(stream, rules)
    stream.step = "login"
    stream.deadline = min(deadline, time.monotonic() + mailbox.protocol_timeout.total_seconds())
    _log_in(line, mailbox, secret)
    stream.step = "list"
    return line


def _start_tls(line: Line, mailbox: Mailbox) -> None:
    line.stream.step = "tls"
    good, text = line.ask("STLS")
    if line.reader.buffered:
        raise dialling.tampered(line.stream)
    if good:
        dialling.start_tls(line.stream, mailbox)
    elif mailbox.security is Security.START_TLS_REQUIRED:
        raise dialling.not_offered(line.stream, "STLS", text)


def _log_in(line: Line, mailbox: Mailbox, secret: str) -> None:
    user, on = mailbox.user, line.stream.on
    if not (user.isprintable() and secret.isprintable()):
        raise LoginRefused("The password or user name holds impossible characters", on=mailbox.name, step="login")
    mechanism = dialling.choose_mechanism(mailbox, quotable=True)
    if mechanism == "LOGIN":
        good, text = line.ask(f"USER {user}")
        if good:
            good, text = line.ask(f"PASS {secret}")
        if not good:
            raise refused(text, step="login", on=on)
        return
    good, text = line.ask(f"AUTH {mechanism}")
    if good:
        good, text = line.ask(base64.b64encode(dialling.sasl_response(mailbox, secret, mechanism)).decode("ascii"))
    challenged = mechanism == "XOAUTH2" and good and text.startswith(b"ey")  # base64 of `{"`: the error as JSON
    if challenged:
        good, text = line.ask("")
    if not good:
        error = refused(text, step="login", on=on)
        if mechanism == "XOAUTH2" and isinstance(error, LoginRefused):
            raise dialling.token_refused(error, mailbox, covers="POP")
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
