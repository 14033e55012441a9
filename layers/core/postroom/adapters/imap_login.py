"""From nothing to a logged-in IMAP connection with the folder open: dns → connect → tls → greeting → login → folder."""

from __future__ import annotations

import base64
import imaplib
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from imapclient import imap_utf7

from postroom.adapters import network
from postroom.adapters.imap_errors import refused, response_codes
from postroom.adapters.imap_wire import Client
from postroom.adapters.network import Network
from postroom.adapters.stream import Stream
from postroom.adapters.tls import client_context
from postroom.adapters.trace import trace_of
from postroom.errors import FolderMissing, LoginRefused, Permanent, ServerMisbehaved, TlsFailed
from postroom.model.mailbox import Mailbox, Security
from postroom.model.properties import behaviour, ways_to_log_in

# Servers known to take LOGIN, EXAMINE and SEARCH in one flight, by their greeting. RFC 3501 §5.5 lets clients do so,
# but a login proxy that throws away what comes behind LOGIN makes the session hang: only what was tried is listed.
PIPELINING_SERVERS: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("Dovecot", re.compile(rb"\bDovecot\b.* ready", re.IGNORECASE)),  # 2.3.19, its login process hands over the rest
    ("Postroom simulator", re.compile(rb"Postroom IMAP simulator ready")),
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the installation allows."""

    allowed_networks: Sequence[Network] = ()
    allow_plaintext_credentials: bool = False


@dataclass(slots=True)
class Opened:
    """A connection with the folder selected, and what SELECT or EXAMINE said."""

    client: Client
    folder: bytes  # quoted, as it goes on the wire
    uidvalidity: int
    uidnext: int  # 0: the server does not say
    exists: int
    read_only: bool
    search: list[int] | None = None  # answer to a search sent along


@dataclass(frozen=True, slots=True)
class NoFolder:
    """A logged-in connection on which the folder could not be opened under this name."""

    client: Client
    error: FolderMissing


@contextmanager
def at_step(stream: Stream, step: str, *, timeout: float, session_deadline: float) -> Iterator[None]:
    """Name the step that errors belong to, bound the exchange, and translate what imaplib raises."""
    stream.step = step
    stream.deadline = min(session_deadline, time.monotonic() + timeout)
    try:
        yield
    except imaplib.IMAP4.abort as error:
        text = str(error)
        if "BYE" in text or response_codes(text.encode("utf-8", "replace")):
            raise refused(text, step=step, on=stream.on) from error
        raise ServerMisbehaved(f"The server broke the protocol: {text[:200]}", on=stream.on, step=step) from error
    except imaplib.IMAP4.error as error:
        raise refused(str(error), step=step, on=stream.on) from error


def dial(
    mailbox: Mailbox, *, folder: bytes, secret: str, deadline: float, rules: Rules, search: bytes = b""
) -> Opened | NoFolder:
    """Connect, log in and EXAMINE the folder; `search` (criteria) goes along where the server is known to bear it.

    Raises what each step can raise; a missing folder comes back with the connection, to try another name on it.
    """
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
        return _converse(stream, mailbox, folder, secret=secret, deadline=deadline, rules=rules, search=search)
    except BaseException:
        stream.close()
        raise


def _converse(
    stream: Stream, mailbox: Mailbox, folder: bytes, *, secret: str, deadline: float, rules: Rules, search: bytes
) -> Opened | NoFolder:
    timeout = mailbox.protocol_timeout.total_seconds()
    host = mailbox.server or ""
    if mailbox.security is Security.SSL_TLS:
        with at_step(stream, "tls", timeout=timeout, session_deadline=deadline):
            stream.start_tls(client_context(mailbox.ca_certificate, behaviour(mailbox).tls_versions), host)
    with at_step(stream, "greeting", timeout=timeout, session_deadline=deadline):
        client = Client(stream)
        _check_greeting(client)
    if mailbox.security in (Security.START_TLS, Security.START_TLS_REQUIRED):
        with at_step(stream, "tls", timeout=timeout, session_deadline=deadline):
            _start_tls(client, mailbox)
    if not stream.encrypted and not rules.allow_plaintext_credentials:
        raise TlsFailed(
            "The connection is not encrypted, so the password was not sent",
            on=stream.on,
            step="tls",
            code="plaintext_refused",
            remedy="Set `security` to ssl-tls or start-tls-required, "
            "or allow it with the stack parameter AllowPlaintextCredentials.",
        )
    with at_step(stream, "login", timeout=timeout, session_deadline=deadline):
        mechanism = choose_mechanism(mailbox, quotable=_quotable(mailbox.user) and _quotable(secret))
        simple = mechanism == "LOGIN"
        if simple and any(pattern.search(client.welcome) for _name, pattern in PIPELINING_SERVERS):
            return _all_at_once(client, mailbox, secret=secret, folder=folder, search=search)
        if simple:
            kind, text = client.wire.command("LOGIN", _quoted(mailbox.user) + b" " + _quoted(secret))
            challenge = b""
        else:
            kind, text, challenge = _authenticate(client, mailbox, secret, mechanism)
        _check_login(client, kind, text, challenge)
        client.wire.state = "AUTH"
    with at_step(stream, "folder", timeout=timeout, session_deadline=deadline):
        try:
            return examine(client, folder)
        except FolderMissing as error:
            return NoFolder(client, error)


def _check_greeting(client: Client) -> None:
    if client.wire.state != "NONAUTH":
        # RFC 3501 §7.1.4: PREAUTH leaves no way to start TLS, and says nothing about whose mailbox this is.
        raise ServerMisbehaved(
            "The server claims that we are logged in already (PREAUTH)",
            on=client.wire.stream.on,
            step="greeting",
            code="preauth",
            remedy="Configure the mail server to ask for a login on this port.",
        )


def _start_tls(client: Client, mailbox: Mailbox) -> None:
    stream = client.wire.stream
    kind, text = client.wire.command("STARTTLS")
    if client.wire.reader.buffered:
        # CVE-2011-0411 and its kin: what came in plain text behind the OK would be taken for an answer inside TLS.
        raise TlsFailed(
            "The server sent something in plain text after it agreed to TLS",
            on=stream.on,
            step="tls",
            code="starttls_injection",
            remedy="Somebody may be tampering with the connection; use ssl-tls.",
        )
    if kind != "OK":
        if mailbox.security is Security.START_TLS_REQUIRED:
            said = text.decode("utf-8", "replace")[:200]
            raise TlsFailed(
                f"The server does not offer STARTTLS: {said}",
                on=stream.on,
                step="tls",
                code="starttls_refused",
                remedy="Use ssl-tls, or have the mail server's operator switch STARTTLS on.",
            )
        return
    stream.start_tls(client_context(mailbox.ca_certificate, behaviour(mailbox).tls_versions), mailbox.server or "")
    client.wire.untagged_responses.clear()  # RFC 3501 §6.2.1: what was said before TLS does not count


def _all_at_once(client: Client, mailbox: Mailbox, *, secret: str, folder: bytes, search: bytes) -> Opened | NoFolder:
    wire = client.wire
    commands = [("LOGIN", _quoted(mailbox.user) + b" " + _quoted(secret)), ("EXAMINE", folder)]
    if search:
        commands.append(("UID SEARCH", search))
    results = wire.flight(*commands)
    # One by one: a server that refuses the login may hang up behind its NO.
    _check_login(client, *next(results))
    wire.stream.step = "folder"
    try:
        opened = _examined(client, folder, *next(results))
    except FolderMissing as error:
        list(results)  # the SEARCH has been refused for it, too
        return NoFolder(client, error)
    if search and next(results)[0] == "OK":
        opened.search = search_result(client)
    return opened


def choose_mechanism(mailbox: Mailbox, *, quotable: bool) -> str:
    """Choose XOAUTH2, PLAIN or LOGIN; `quotable`: LOGIN can say the name and password. Raises Permanent."""
    for mechanism in ways_to_log_in(mailbox):
        return "PLAIN" if mechanism == "LOGIN" and not quotable else mechanism
    raise Permanent(
        "The mailbox's properties leave no way to log in",
        on=mailbox.name,
        step="login",
        code="no_mechanism",
        remedy="Correct the properties `auth.mechanisms` and `auth.….disable` of the mailbox.",
    )


def _authenticate(client: Client, mailbox: Mailbox, secret: str, mechanism: str) -> tuple[str, bytes, bytes]:
    if mechanism == "XOAUTH2":
        answer = f"user={mailbox.user}\x01auth=Bearer {secret}\x01\x01"
        if not (_quotable(mailbox.user) and _quotable(secret)):
            raise LoginRefused(
                "The access token or user name holds characters that none can hold", on=mailbox.name, step="login"
            )
    else:  # RFC 4616: UTF-8, for what a quoted string cannot hold
        answer = f"\0{mailbox.user}\0{secret}"
        if "\0" in mailbox.user + secret:
            raise LoginRefused("The password or user name holds a NUL character", on=mailbox.name, step="login")
    initial = b"SASL-IR" in client.welcome.upper()
    return client.wire.authenticate_with(mechanism, base64.b64encode(answer.encode("utf-8")), initial=initial)


def _check_login(client: Client, kind: str, text: bytes, challenge: bytes = b"") -> None:
    on = client.wire.stream.on
    if kind == "OK":
        client.remember_capabilities()
        return
    error = refused(text, step="login", on=on)
    if challenge and isinstance(error, LoginRefused):
        raise LoginRefused(
            error.what,
            on=on,
            step="login",
            code="token_refused",
            remedy="Authorise the mailbox again, and check that the consent covers IMAP.",
        )
    raise error


def examine(client: Client, folder: bytes, *, read_only: bool = True) -> Opened:
    """EXAMINE (or SELECT) a folder; raises FolderMissing and what else the answer means."""
    client.wire.untagged_responses.clear()
    kind, text = client.wire.command("EXAMINE" if read_only else "SELECT", folder)
    return _examined(client, folder, kind, text)


def _examined(client: Client, folder: bytes, kind: str, text: bytes) -> Opened:
    wire = client.wire
    if kind != "OK":
        wire.state = "AUTH"
        raise refused(text, step="folder", on=wire.stream.on)
    answers = wire.untagged_responses
    wire.state = "SELECTED"
    wire.is_readonly = True  # or imaplib raises where a server opens a folder read-only; act() looks at it itself
    uidvalidity = _number(answers, "UIDVALIDITY")
    if not uidvalidity:
        raise ServerMisbehaved(
            "The server keeps no lasting ids in this folder (no UIDVALIDITY)",
            on=wire.stream.on,
            step="folder",
            code="no_uidvalidity",
        )
    opened = Opened(
        client=client,
        folder=folder,
        uidvalidity=uidvalidity,
        uidnext=_number(answers, "UIDNEXT"),
        exists=_number(answers, "EXISTS"),
        read_only="READ-ONLY" in response_codes(text),
    )
    # What is left may be the answer to a SEARCH that went along.
    wire.untagged_responses = {name: data for name, data in answers.items() if name == "SEARCH"}
    return opened


def _number(answers: Mapping[str, Sequence[object]], name: str) -> int:
    values = [value for value in answers.get(name, ()) if isinstance(value, bytes) and value.strip().isdigit()]
    return int(values[-1]) if values else 0


def search_result(client: Client) -> list[int]:
    """Take the untagged SEARCH answers that have come, sorted."""
    lines = client.wire.untagged_responses.pop("SEARCH", [])
    return sorted({int(word) for line in lines if isinstance(line, bytes) for word in line.split() if word.isdigit()})


def quote_folder(name: str) -> bytes:
    """Write a folder's name in modified UTF-7 (RFC 3501 §5.1.3), quoted; controls become part of the base64."""
    encoded: bytes = imap_utf7.encode(name)
    return b'"' + encoded.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _quotable(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _quoted(text: str) -> bytes:
    return b'"' + text.encode("ascii").replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
