"""From nothing to a logged-in IMAP connection with the folder open: dns → connect → tls → greeting → login → folder."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from postroom.adapters.imap.errors import refused, response_codes
from postroom.adapters.imap.wire import Wire
from postroom.adapters.net import Rules, Stream
from postroom.adapters.net import dial as dialling
from postroom.errors import FolderMissing, LoginRefused, ServerMisbehaved
from postroom.model.configuration import Mailbox, Security

# Servers known to take LOGIN, EXAMINE and SEARCH in one flight, by their greeting. RFC 3501 §5.5 lets clients do so,
# but a login proxy that throws away what comes behind LOGIN makes the session hang: only what was tried is listed.
PIPELINING_SERVERS: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("Dovecot", re.compile(rb"\bDovecot\b.* ready", re.IGNORECASE)),  # 2.3.19, its login process hands over the rest
    ("Postroom simulator", re.compile(rb"Postroom IMAP simulator ready")),
)


@dataclass(slots=True)
class Opened:
    """A connection with the folder selected, and what SELECT or EXAMINE said."""

    wire: Wire
    folder: bytes  # quoted, as it goes on the wire
    uidvalidity: int
    uidnext: int  # 0: the server does not say
    exists: int
    read_only: bool
    search: list[int] | None = None  # answer to a search sent along


@dataclass(frozen=True, slots=True)
class NoFolder:
    """A logged-in connection on which the folder could not be opened under this name."""

    wire: Wire
    error: FolderMissing


def at_step(stream: Stream, step: str, *, timeout: float, session_deadline: float) -> None:
    """Begin an exchange: name the step that errors belong to, and bound the time."""
    stream.step = step
    stream.deadline = min(session_deadline, time.monotonic() + timeout)


def dial(
    mailbox: Mailbox, *, folder: bytes, secret: str, deadline: float, rules: Rules, search: bytes = b""
) -> Opened | NoFolder:
    """Connect, log in and EXAMINE the folder; `search` (criteria) goes along where the server is known to bear it.

    Raises what each step can raise; a missing folder comes back with the connection, to try another name on it.
    """
    return dialling.dial(
        mailbox,
        lambda stream: _converse(stream, mailbox, folder, secret=secret, deadline=deadline, rules=rules, search=search),
        secret=secret,
        deadline=deadline,
        rules=rules,
    )


def _converse(
    stream: Stream, mailbox: Mailbox, folder: bytes, *, secret: str, deadline: float, rules: Rules, search: bytes
) -> Opened | NoFolder:
    timeout = mailbox.protocol_timeout.total_seconds()
    at_step(stream, "greeting", timeout=timeout, session_deadline=deadline)
    wire = Wire(stream)
    _check_greeting(wire)
    if mailbox.security in (Security.START_TLS, Security.START_TLS_REQUIRED):
        at_step(stream, "tls", timeout=timeout, session_deadline=deadline)
        _start_tls(wire, mailbox)
    dialling.check_encrypted(stream, rules)
    at_step(stream, "login", timeout=timeout, session_deadline=deadline)
    mechanism = dialling.choose_mechanism(mailbox, quotable=_quotable(mailbox.user) and _quotable(secret))
    simple = mechanism == "LOGIN"
    if simple and any(pattern.search(wire.welcome) for _name, pattern in PIPELINING_SERVERS):
        return _all_at_once(wire, mailbox, secret=secret, folder=folder, search=search)
    if simple:
        kind, text = wire.command("LOGIN", _quoted(mailbox.user) + b" " + _quoted(secret))
    else:
        kind, text = _authenticate(wire, mailbox, secret, mechanism)
    _check_login(wire, kind, text, token_of=mailbox if mechanism == "XOAUTH2" else None)
    at_step(stream, "folder", timeout=timeout, session_deadline=deadline)
    try:
        return examine(wire, folder)
    except FolderMissing as error:
        return NoFolder(wire, error)


def _check_greeting(wire: Wire) -> None:
    if wire.preauthenticated:
        # RFC 3501 §7.1.4: PREAUTH leaves no way to start TLS, and says nothing about whose mailbox this is.
        raise ServerMisbehaved(
            "The server claims that we are logged in already (PREAUTH)",
            on=wire.stream.on,
            step="greeting",
            code="preauth",
            remedy="Configure the mail server to ask for a login on this port.",
        )


def _start_tls(wire: Wire, mailbox: Mailbox) -> None:
    stream = wire.stream
    kind, text = wire.command("STARTTLS")
    if wire.reader.buffered:
        raise dialling.tampered(stream)
    if kind != "OK":
        if mailbox.security is Security.START_TLS_REQUIRED:
            raise dialling.not_offered(stream, "STARTTLS", text)
        return
    dialling.start_tls(stream, mailbox)
    wire.untagged.clear()  # RFC 3501 §6.2.1: what was said before TLS does not count


def _all_at_once(wire: Wire, mailbox: Mailbox, *, secret: str, folder: bytes, search: bytes) -> Opened | NoFolder:
    commands = [("LOGIN", _quoted(mailbox.user) + b" " + _quoted(secret)), ("EXAMINE", folder)]
    if search:
        commands.append(("UID SEARCH", search))
    results = wire.flight(*commands)
    # One by one: a server that refuses the login may hang up behind its NO.
    _check_login(wire, *next(results))
    wire.stream.step = "folder"
    try:
        opened = _examined(wire, folder, *next(results))
    except FolderMissing as error:
        list(results)  # the SEARCH has been refused for it, too
        return NoFolder(wire, error)
    if search and next(results)[0] == "OK":
        opened.search = search_result(wire)
    return opened


def _authenticate(wire: Wire, mailbox: Mailbox, secret: str, mechanism: str) -> tuple[str, bytes]:
    if mechanism == "XOAUTH2":
        if not (_quotable(mailbox.user) and _quotable(secret)):
            raise LoginRefused(
                "The access token or user name holds characters that none can hold", on=mailbox.name, step="login"
            )
    elif "\0" in mailbox.user + secret:  # the rest is UTF-8, for what a quoted string cannot hold
        raise LoginRefused("The password or user name holds a NUL character", on=mailbox.name, step="login")
    initial = b"SASL-IR" in wire.welcome.upper()
    response = base64.b64encode(dialling.sasl_response(mailbox, secret, mechanism))
    return wire.authenticate_with(mechanism, response, initial=initial)


def _check_login(wire: Wire, kind: str, text: bytes, *, token_of: Mailbox | None = None) -> None:
    """Raise what a refusal means; `token_of`: the mailbox whose access token was shown."""
    on = wire.stream.on
    if kind == "OK":
        wire.remember_capabilities()
        return
    error = refused(text, step="login", on=on)
    if token_of is not None and isinstance(error, LoginRefused):
        raise dialling.token_refused(error, token_of, covers="IMAP")
    raise error


def examine(wire: Wire, folder: bytes, *, read_only: bool = True) -> Opened:
    """EXAMINE (or SELECT) a folder; raises FolderMissing and what else the answer means."""
    wire.untagged.clear()
    kind, text = wire.command("EXAMINE" if read_only else "SELECT", folder)
    return _examined(wire, folder, kind, text)


def _examined(wire: Wire, folder: bytes, kind: str, text: bytes) -> Opened:
    if kind != "OK":
        raise refused(text, step="folder", on=wire.stream.on)
    answers = wire.untagged
    uidvalidity = _number(answers, "UIDVALIDITY")
    if not uidvalidity:
        raise ServerMisbehaved(
            "The server keeps no lasting ids in this folder (no UIDVALIDITY)",
            on=wire.stream.on,
            step="folder",
            code="no_uidvalidity",
        )
    exists, uidnext = _number(answers, "EXISTS"), _number(answers, "UIDNEXT")
    opened = Opened(
        wire=wire,
        folder=folder,
        uidvalidity=uidvalidity,
        uidnext=uidnext if uidnext > exists else 0,  # as many messages have at least as many UIDs below it
        exists=exists,
        read_only="READ-ONLY" in response_codes(text),
    )
    # What is left may be the answer to a SEARCH that went along.
    wire.untagged = {name: data for name, data in answers.items() if name == "SEARCH"}
    return opened


def _number(answers: Mapping[str, Sequence[bytes]], name: str) -> int:
    values = [value for value in answers.get(name, ()) if value.strip().isdigit()]
    return int(values[-1]) if values else 0


def search_result(wire: Wire) -> list[int]:
    """Take the untagged SEARCH answers that have come, sorted."""
    lines = wire.untagged.pop("SEARCH", [])
    return sorted({int(word) for line in lines for word in line.split() if word.isdigit()})


def _quotable(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _quoted(text: str) -> bytes:
    return b'"' + text.encode("ascii").replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
