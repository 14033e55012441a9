"""What the ways to IMAP and POP3 servers have in common: connection, TLS, what may be said in plain text, tokens."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from postroom.adapters.net import connect
from postroom.adapters.net.connect import Network
from postroom.adapters.net.host_limits import HostLimits, Limit
from postroom.adapters.net.protocol_trace import trace_of
from postroom.adapters.net.stream import Stream
from postroom.adapters.net.tls import client_context
from postroom.errors import AccessRefused, LoginRefused, MailboxLocked, Permanent, PostroomError, TlsFailed
from postroom.model.configuration import Mailbox, Security, behaviour, ways_to_log_in

T = TypeVar("T")

PATIENCE = 3.0  # seconds of silence after which we ask ourselves whether the server waits for TLS
_ASKING = 4.0  # seconds for that question
_RESERVE = 5.0  # seconds of a session that are needed for more than waiting for a place
_TRIES = 8  # of one connection, each after another of ours has ended
_IN_DOUBT = 3  # of these, while nobody was let in yet
_PAUSE = 0.15  # seconds
_AGAIN = 30.0  # seconds after which a mailbox is looked at again for which there was no place
_TLS_RECORDS = (b"\x15\x03", b"\x16\x03")  # alert and handshake (RFC 8446 §5.1): no mail server greets so

# What a handshake can only come to where TLS is spoken.
_SPOKEN = ("tls_too_old", "tls_too_weak")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the installation allows."""

    allowed_networks: Sequence[Network] = ()
    allow_plaintext_credentials: bool = False
    limits: HostLimits = field(default_factory=HostLimits)


def dial(mailbox: Mailbox, converse: Callable[[Stream], T], *, secret: str, deadline: float, rules: Rules) -> T:
    """Connect, and return what `converse` makes of the connection, which is closed when that fails.

    Raises the errors of errors.py with the steps `dns`, `connect`, `tls` and `greeting`, and what `converse` raises.
    A server that repeats the secret in its refusal does not get it into them: sessions dial again by themselves (G10).
    What a server refuses because of other connections of ours is tried again when one of them has ended.
    """
    server = (mailbox.server, mailbox.effective_port)
    limits = (rules.limits.of(server), rules.limits.of((*server, mailbox.user)))
    refused = 0
    while True:
        try:
            return _dial_in_place(mailbox, converse, limits, secret=secret, deadline=deadline, rules=rules)
        except PostroomError as error:
            limit = limits[error.step == "login"]
            if not _is_crowded(error) or time.monotonic() > deadline - _RESERVE:
                raise
            refused += 1
            if limit.lets_in:
                if refused > 1:  # what happened once may be anything
                    limit.learn()
                if refused > _TRIES:
                    raise _too_many(mailbox, limit.known) from error
            elif refused >= _IN_DOUBT or limit.is_empty:
                raise  # the server lets nobody in
            else:
                time.sleep(_PAUSE * refused)  # others are on their way, and show whether it does


def _dial_in_place(
    mailbox: Mailbox,
    converse: Callable[[Stream], T],
    limits: Sequence[Limit],
    *,
    secret: str,
    deadline: float,
    rules: Rules,
) -> T:
    """Wait for a place at the server, and connect once."""
    with contextlib.ExitStack() as giving_back:
        places = []
        for limit in limits:
            place = limit.take(until=deadline - _RESERVE)
            if place is None:
                raise _too_many(mailbox, limit.known)
            giving_back.callback(place.give_back)
            places.append(place)
        found = _dial(mailbox, converse, giving_back, secret=secret, deadline=deadline, rules=rules)
    for place in places:
        place.works()
    return found


def _dial(
    mailbox: Mailbox,
    converse: Callable[[Stream], T],
    giving_back: contextlib.ExitStack,
    *,
    secret: str,
    deadline: float,
    rules: Rules,
) -> T:
    """Connect once; `giving_back` is run when the connection ends."""
    stream = _connect(mailbox, deadline=deadline, rules=rules)
    stream.on_close = giving_back.pop_all().close
    stream.trace = trace_of(mailbox)
    try:
        if mailbox.security is Security.SSL_TLS:
            stream.deadline = _until(mailbox, deadline)
            start_tls(stream, mailbox)
        else:
            check_greets(mailbox, stream, rules=rules)
        return converse(stream)
    except PostroomError as error:
        error.hide(secret)
        stream.close()
        raise
    except BaseException:
        stream.close()
        raise


def _is_crowded(error: PostroomError) -> bool:
    """Tell whether a server may have refused a connection because of others."""
    if error.code == "too_many_connections":
        return True
    return error.code == "connection_lost" and error.step in ("tls", "greeting")


def _too_many(mailbox: Mailbox, known: int | None) -> MailboxLocked:
    told = f"no more than {known}" if known else "only so many"
    return MailboxLocked(
        f"The server takes {told} connections from one address at once, and all of them are in use",
        on=f"{mailbox.server}:{mailbox.effective_port}",
        step="connect",
        code="too_many_connections",
        remedy="It is tried again by itself; let the server's operator allow more connections from one address.",
        retry_after=_AGAIN,
    )


def _connect(mailbox: Mailbox, *, deadline: float, rules: Rules) -> Stream:
    if not mailbox.server:
        raise Permanent("The mailbox has no server", on=mailbox.name, step="dns", remedy="Set `server`.")
    return connect.open_stream(
        mailbox.server,
        mailbox.effective_port,
        deadline=deadline,
        timeout=mailbox.connect_timeout.total_seconds(),
        allowed=rules.allowed_networks,
    )


def _until(mailbox: Mailbox, deadline: float) -> float:
    return min(deadline, time.monotonic() + mailbox.protocol_timeout.total_seconds())


def start_tls(stream: Stream, mailbox: Mailbox) -> None:
    """Go over to TLS as the mailbox wants it; raises TlsFailed."""
    stream.start_tls(client_context(mailbox.ca_certificate, behaviour(mailbox).tls_versions), mailbox.server or "")


# --- a server that waits for TLS, while we wait for its greeting ---


def check_greets(mailbox: Mailbox, stream: Stream, *, rules: Rules) -> None:
    """Return when the server speaks plain text, or may yet; raises TlsFailed when it speaks TLS from the first byte.

    Such a server waits for us as we wait for it. It is asked on a second connection, so that one that is only slow
    (greeting after its name server has answered) is not disturbed.
    """
    stream.step = "greeting"
    begun = stream.opening(PATIENCE)
    silent = begun is None and _speaks_tls(mailbox, stream, rules=rules)
    if silent or (begun is not None and begun[:2] in _TLS_RECORDS):
        raise TlsFailed(
            "The server speaks TLS from the first byte on this port, and nothing else",
            on=stream.on,
            step="greeting",
            code="tls_expected",
            remedy="Set `security` to ssl-tls.",
        )


def _speaks_tls(mailbox: Mailbox, silent: Stream, *, rules: Rules) -> bool:
    deadline = min(silent.deadline, time.monotonic() + _ASKING)
    try:
        stream = _connect(mailbox, deadline=deadline, rules=rules)
    except PostroomError:
        return False
    try:
        start_tls(stream, mailbox)
    except TlsFailed as error:
        return error.code.startswith("certificate_") or error.code in _SPOKEN
    except PostroomError:
        return False
    finally:
        stream.close()
    return True


# --- STARTTLS and STLS ---


def tampered(stream: Stream) -> TlsFailed:
    """Say that plain text came behind the agreement to TLS: it would be taken for an answer inside (CVE-2011-0411)."""
    return TlsFailed(
        "The server sent something in plain text after it agreed to TLS",
        on=stream.on,
        step="tls",
        code="starttls_injection",
        remedy="Somebody may be tampering with the connection; use ssl-tls.",
    )


def not_offered(stream: Stream, command: str, said: bytes) -> TlsFailed:
    """Say that the server does not go over to TLS."""
    return TlsFailed(
        f"The server does not offer {command}: {said.decode('utf-8', 'replace').strip()[:200]}",
        on=stream.on,
        step="tls",
        code="starttls_refused",
        remedy=f"Use ssl-tls, or have the mail server's operator switch {command} on.",
    )


def check_encrypted(stream: Stream, rules: Rules) -> None:
    """Raise TlsFailed where the password would travel in plain text, and the installation does not allow that."""
    if stream.encrypted or rules.allow_plaintext_credentials:
        return
    raise TlsFailed(
        "The connection is not encrypted, so the password was not sent",
        on=stream.on,
        step="tls",
        code="plaintext_refused",
        remedy="Set `security` to ssl-tls or start-tls-required, "
        "or allow it with the stack parameter AllowPlaintextCredentials.",
    )


# --- logging in ---


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


def sasl_response(mailbox: Mailbox, secret: str, mechanism: str) -> bytes:
    """Write what XOAUTH2 or PLAIN (RFC 4616) say, before base64."""
    if mechanism == "XOAUTH2":
        return f"user={mailbox.user}\x01auth=Bearer {secret}\x01\x01".encode()
    return f"\0{mailbox.user}\0{secret}".encode()


def token_refused(error: LoginRefused, mailbox: Mailbox, *, covers: str) -> AccessRefused:
    """Say that a token was refused, and what to do: consent again where a person did, else look at the application."""
    again = (
        f"Let a person consent again: `postroom oauth login {mailbox.account}`"
        if mailbox.account
        else "Authorise the mailbox again: enter a new secret or refresh token with `postroom secret set`"
    )
    remedy = f"{again}; check that the consent covers {covers} and that {mailbox.user} may be opened with it."
    return AccessRefused(error.what, on=error.on, step="login", code="token_refused", remedy=remedy)
