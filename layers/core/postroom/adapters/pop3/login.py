"""From nothing to a logged-in POP3 connection: dns → connect → tls → greeting → login."""

from __future__ import annotations

import base64
import contextlib
import re
import time
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field

from postroom.adapters.net import Reader, Rules, Stream, names_credentials, passes, pause_told
from postroom.adapters.net import dial as dialling
from postroom.adapters.pop3.wire import read_multiline, read_status
from postroom.errors import LoginRefused, LoginUnclear, MailboxLocked, PostroomError, ServerMisbehaved
from postroom.model.configuration import Mailbox, Security, behaviour

ANSWER_LIMIT = 64 * 1024 * 1024  # UIDL and LIST of a million messages
_CODE = re.compile(rb"^\[([A-Z0-9/-]+)\]", re.IGNORECASE)

_LOCKED = re.compile(rb"\b(in[ -]use|lock(ed)?|busy|another (session|client|pop)|already)\b", re.IGNORECASE)
_DELAY = re.compile(rb"login delay|minimum time between", re.IGNORECASE)

Capabilities = Mapping[bytes, bytes]
"""What a server can do (RFC 2449): name in upper case → its arguments."""


@dataclass(frozen=True, slots=True)
class Offers:
    """What servers say before a login that they can do, asked once in the life of a function.

    `exact`: servers that were seen to list a message with its very length.
    """

    known: MutableMapping[tuple[str, int, str], Capabilities] = field(default_factory=dict)
    exact: set[tuple[str, int, str]] = field(default_factory=set)

    def of(self, line: Line, mailbox: Mailbox) -> Capabilities:
        """Return what this server offers, asking it where that is not known yet."""
        place = place_of(mailbox)
        if not behaviour(mailbox).use_capa:
            return {}
        if place not in self.known:
            self.known[place] = capabilities(line)
        return self.known[place]


def place_of(mailbox: Mailbox) -> tuple[str, int, str]:
    """Name a server, and the way to it."""
    return (mailbox.server or "", mailbox.effective_port, mailbox.security.value)


@dataclass(slots=True)
class Line:
    """A connection that commands go over."""

    stream: Stream
    reader: Reader
    said: bytes = b""  # the text of the last status line

    def ask(self, command: str) -> tuple[bool, bytes]:
        """Send a command and read its status."""
        self.stream.send(command.encode("utf-8") + b"\r\n")
        good, self.said, _end = read_status(self.reader)
        return good, self.said

    def ask_all(self, command: str, *, limit: int = ANSWER_LIMIT) -> bytes | None:
        """Send a command with a multi-line answer; None when it is refused. Raises pop3_reader.TooLong."""
        self.stream.send(command.encode("ascii") + b"\r\n")
        return self.answer(limit=limit)

    def answer(self, *, limit: int = ANSWER_LIMIT) -> bytes | None:
        """Read a multi-line answer; None when it is -ERR."""
        good, self.said, end = read_status(self.reader)
        if not good:
            return None
        data = bytearray()
        read_multiline(self.reader, data.extend, limit=limit, end=end)
        return bytes(data)


def dial(mailbox: Mailbox, *, secret: str, deadline: float, rules: Rules, offers: Offers) -> Line:
    """Connect and log in; raises the errors of errors.py with the step that failed."""
    return dialling.dial(
        mailbox,
        lambda stream: _converse(stream, mailbox, secret=secret, deadline=deadline, rules=rules, offers=offers),
        secret=secret,
        deadline=deadline,
        rules=rules,
    )


def _converse(stream: Stream, mailbox: Mailbox, *, secret: str, deadline: float, rules: Rules, offers: Offers) -> Line:
    stream.step = "greeting"
    stream.deadline = min(deadline, time.monotonic() + mailbox.protocol_timeout.total_seconds())
    line = Line(stream, Reader(stream))
    good, text, _end = read_status(line.reader)
    if not good:
        raise refused(text, step="greeting", on=stream.on)
    if mailbox.security in (Security.START_TLS, Security.START_TLS_REQUIRED):
        _start_tls(line, mailbox)
    dialling.check_encrypted(stream, rules)
    offered = offers.of(line, mailbox)
    if b"UTF8" in offered:
        # RFC 6856 §2.1: without it a server may hand out something else for mail with raw 8-bit headers; Courier does
        # (4.18, seen 2026), and makes that anew at each RETR. A refusal leaves things as they are.
        line.ask("UTF8")
    stream.step = "login"
    stream.deadline = min(deadline, time.monotonic() + mailbox.protocol_timeout.total_seconds())
    try:
        _log_in(line, mailbox, secret)
    except MailboxLocked as error:
        if error.code == "login_delay" and error.retry_after is None:
            error.retry_after = _login_delay(line, offered)
        raise
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


def capabilities(line: Line) -> Capabilities:
    """Ask CAPA (RFC 2449); empty where the server does not know it."""
    answer = line.ask_all("CAPA", limit=64 * 1024)
    rows = (row.strip().partition(b" ") for row in (answer or b"").splitlines())
    return {name.upper(): arguments.strip() for name, _, arguments in rows if name}


def _login_delay(line: Line, offered: Capabilities) -> float | None:
    """Return the seconds that the server wants between two logins (RFC 2449 §6.5); None where it does not say."""
    if b"LOGIN-DELAY" not in offered:
        with contextlib.suppress(PostroomError):  # who has refused may hang up
            offered = capabilities(line)
    seconds = offered.get(b"LOGIN-DELAY", b"").split(b" ")[0]
    return float(seconds) if seconds.isdigit() else None


def refused(text: bytes, *, step: str, on: str) -> PostroomError:
    """Say what -ERR means at this step (response codes: RFC 2449 §8, RFC 3206)."""
    match = _CODE.match(text)
    code = match[1].decode("ascii").upper() if match else ""
    said = _said(text)
    if code == "IN-USE" or (not code and step == "login" and _LOCKED.search(text)):
        return MailboxLocked(f"Another program holds the mailbox: {said}", on=on, step=step)
    if code == "LOGIN-DELAY" or (not code and _DELAY.search(text)):
        return MailboxLocked(
            f"The server takes logins at longer intervals only: {said}",
            on=on,
            step=step,
            code="login_delay",
            remedy="The mailbox is looked at as often as the server lets it; set `cycle_time` to no less than that.",
            retry_after=pause_told(said),
        )
    if code == "SYS/TEMP" or (not code and step in ("greeting", "login") and passes(said)):
        return MailboxLocked(
            f"The server cannot serve the mailbox for now: {said}",
            on=on,
            step=step,
            code="unavailable",
            retry_after=pause_told(said),
        )
    if step == "login":
        if code in ("AUTH", "SYS/PERM") or (not code and names_credentials(said)):  # RFC 3206
            return LoginRefused(f"Login refused: {said}", on=on, step=step)
        return LoginUnclear(f"The server did not let us log in: {said}", on=on, step=step)
    return ServerMisbehaved(f"The server refused a command: {said}", on=on, step=step, code="command_refused")


def _said(text: bytes) -> str:
    return text.decode("utf-8", "replace").strip()[:200]
