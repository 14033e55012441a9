"""Judge SMTP replies: the first digit decides (RFC 5321 §4.2.1), and a refusal is told apart by whom it is about.

A server refuses a recipient, a content, or us: our sender's domain, our right to relay, our address. What is about us
is mended by an administrator, and every mail would meet it: such a mail is held, and not given back to who wrote it.
"""

from __future__ import annotations

import re
from enum import StrEnum

from postroom.errors import PostroomError, SendDeferred, SendRefused, SendUncertain


class Stage(StrEnum):
    """How far a transaction has come."""

    SESSION = "the session"  # greeting, EHLO, STARTTLS: nothing was said of a mail
    MAIL = "MAIL"  # the sender was named
    RCPT = "RCPT"  # a recipient was named
    DATA = "DATA"  # asked whether the content may come
    CONTENT = "the content"  # the content and its end were sent: from here on the mail may have been taken


class Verdict(StrEnum):
    """What a reply comes to."""

    TAKEN = "taken"  # 2xx; at DATA 3xx
    LATER = "later"  # certainly not taken, worth another try
    REFUSED = "refused"  # 5xx about the recipient or the mail
    ABOUT_US = "about us"  # 5xx about sender, client or relaying: an administrator mends it
    UNKNOWN = "unknown"  # an answer to the content that says nothing: the mail may have been taken


_ENHANCED = re.compile(r"\b5\.(\d{1,3})\.(\d{1,3})\b")

_OUR_CODES = frozenset({521, 523, 530, 534, 535, 538})
"""Replies that name the client at any stage: no service for us, log in first, encrypt first (RFC 4954, 7504)."""

_OUR_SUBJECTS: dict[str, tuple[str, ...]] = {
    "sender_refused": (
        "1.7",  # bad sender's mailbox address (RFC 3463)
        "1.8",  # bad sender's system address: its domain does not exist for them
        "2.252",  # Exchange Online: SendAsDenied
        "7.20",  # no passing DKIM signature (RFC 7372)
        "7.21",
        "7.22",
        "7.23",  # SPF failed
        "7.24",
        "7.26",  # several checks of authenticity failed
        "7.27",  # the sender's domain takes no mail (null MX, RFC 7505)
        "7.60",  # Exchange: no right to send as this sender
        "7.509",  # Exchange Online: the sender's DMARC
    ),
    "relay_denied": (
        "7.54",  # Exchange: unable to relay
        "7.64",  # Exchange Online: TenantAttribution; Relay Access Denied
    ),
    "client_refused": (
        "7.3",  # Exchange: not authenticated, or STARTTLS is required
        "7.8",  # credentials invalid (RFC 4954)
        "7.9",
        "7.11",  # encryption needed
        "7.25",  # no reverse DNS of the client
        "7.57",  # Exchange: client was not authenticated
        "7.511",  # Exchange Online: banned sending address
        "7.708",
        "7.750",  # Exchange Online: client blocked
    ),
}
_BY_ENHANCED = {code: ours for ours, codes in _OUR_SUBJECTS.items() for code in codes}

_OF_THE_MAIL = frozenset({"2.2", "2.3", "3.4"})
"""Subjects of a mail that is too large for its recipient or the server."""

_BY_WORDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "relay_denied",
        re.compile(r"relay(ing)?( access)?( is)? (denied|not (permitted|allowed))|not (permitted|allowed) to relay"),
    ),
    ("relay_denied", re.compile(r"(unable|cannot|can't|refus\w+) to relay|no relay|we do not relay")),
    (
        "sender_refused",
        re.compile(r"sender (address )?(rejected|denied|refused|verify failed|is not (allowed|owned|verified))"),
    ),
    ("sender_refused", re.compile(r"not owned by( user)?|send ?as ?denied|domain of sender|sender('s)? domain")),
    ("sender_refused", re.compile(r"\b(spf|dkim|dmarc)\b")),
    ("client_refused", re.compile(r"client (host|address|was not)|blocked using|authentication (is )?required")),
    ("client_refused", re.compile(r"not authenticated|must issue a starttls|no smtp service")),
)
"""What servers write (Postfix, sendmail, Exim, Exchange) where their code says no more than `5.7.1`; in lower case."""

_THEIR_CODES_AT_MAIL = frozenset({500, 501, 502, 503, 504, 552, 555})
"""Of the mail or the dialogue, not of the sender: too large (RFC 1870), a parameter or command that is not known."""

_REMEDIES: dict[str, str] = {
    "sender_refused": "Let the server of {server} take mail from this sender: an address of a domain that exists, that "
    "its user may send as, and whose SPF, DKIM and DMARC records allow it; the mail waits.",
    "relay_denied": "Let the server of {server} relay for this installation: enter user and password of the outbound "
    "server, or allow its address there; the mail waits.",
    "client_refused": "Read the server's reason: it turns this installation away, whatever the mail; correct "
    "{server} (user, security, port) or ask the server's operator; the mail waits.",
}

ABOUT_US = frozenset(_REMEDIES)
"""Codes of refusals that are about us."""


def judge(code: int, text: str, stage: Stage) -> Verdict:
    """Say what a reply comes to; a code that is no reply's (-1, 25, 600) takes nothing and refuses nothing."""
    if 200 <= code <= 299 and stage is not Stage.DATA:
        return Verdict.TAKEN
    if 300 <= code <= 399 and stage is Stage.DATA:
        return Verdict.TAKEN
    if 400 <= code <= 499:
        return Verdict.LATER
    if 500 <= code <= 599:
        return Verdict.ABOUT_US if about_us(code, text, stage) else Verdict.REFUSED
    return Verdict.UNKNOWN if stage is Stage.CONTENT else Verdict.LATER


def about_us(code: int, text: str, stage: Stage) -> str:
    """Return our code for a refusal (5xx) that is about us, "" for one about the recipient or the mail."""
    told = " ".join(text.lower().split())
    for found in _ENHANCED.finditer(told):
        subject = f"{found[1]}.{found[2]}"
        if subject in _OF_THE_MAIL:
            return ""
        if ours := _BY_ENHANCED.get(subject):
            return ours
    if ours := next((ours for ours, words in _BY_WORDS if words.search(told)), ""):
        return ours
    if code in _OUR_CODES:
        return "client_refused"
    # By stage: before a recipient is named, a refusal that does not speak of size or syntax is of who sends.
    if stage is Stage.MAIL and code not in _THEIR_CODES_AT_MAIL:
        return "sender_refused"
    if stage is Stage.SESSION and not 500 <= code <= 504:
        return "client_refused"
    return ""


def said(code: int, text: bytes) -> str:
    """Write a reply as people read it."""
    words = text.decode("utf-8", "replace")
    return f"{code} {words}" if code >= 0 else f"something without a code: {words!r}"


def reply_error(
    code: int, text: bytes, *, on: str, stage: Stage, command: str = ""
) -> SendRefused | SendDeferred | SendUncertain:
    """Make the error of a reply that is not TAKEN; `command`: what was answered, where the stage is not its name."""
    told = said(code, text)
    what = f"The server answered {told} to {command or stage.value}"
    verdict = judge(code, told, stage)
    if verdict is Verdict.ABOUT_US:
        return held(what, about_us(code, told, stage), on=on)
    if verdict is Verdict.REFUSED:
        return SendRefused(what, on=on, code=f"smtp_{code}")
    if verdict is Verdict.UNKNOWN:
        return SendUncertain(f"{what}, which says neither that it took the mail nor that it did not", on=on)
    return SendDeferred(what, on=on, code=f"smtp_{code}" if code >= 0 else "smtp_unknown")


def held(what: str, ours: str, *, on: str) -> SendDeferred:
    """Make the error of a refusal about us."""
    return SendDeferred(what, on=on, code=ours, remedy=_REMEDIES[ours].format(server=f"the outbound server {on}"))


_TLS_REMEDIES: dict[str, str] = {
    "certificate_not_yet_valid": "Correct the clock of the mail server, or its certificate",
    "certificate_expired": "Renew the certificate of the mail server",
    "certificate_self_signed": "Install a certificate of a public authority, or give this one as `ca_certificate`",
    "certificate_untrusted": "Give that authority's certificate as `ca_certificate`, if it is your own; or let the "
    "server send its intermediate certificates",
    "certificate_wrong_host": "Enter the name that the certificate carries as `host`",
    "certificate_refused": "Install a certificate that can be verified, or give its authority as `ca_certificate`",
    "ca_unreadable": "Give `ca_certificate` one or more certificates in PEM form",
    "not_tls": "Set `security` to start-tls-required, or use the port for TLS (465)",
    "tls_too_old": "Update the mail server: it must speak TLS 1.2 or newer",
    "tls_too_weak": "Update the mail server or its certificate: a key is too short",
    "starttls_missing": "Use the TLS port with `security: ssl-tls`, or repair the server",
}

TLS_SETTINGS = frozenset(_TLS_REMEDIES)
"""Codes of TLS that no retry mends: certificate, versions, port (`adapters/net/tls.py`)."""


def not_sent(error: PostroomError, *, on: str) -> SendDeferred:
    """Translate a failure of the connection before the content: certainly not sent, so it may be tried again."""
    remedy = f"{_TLS_REMEDIES[error.code]} of the outbound server {on}" if error.code in _TLS_REMEDIES else ""
    return SendDeferred(
        error.what,
        on=on,
        step=error.step,
        code=error.code,
        remedy=f"{remedy}; the mail waits." if remedy else error.remedy,
    )
