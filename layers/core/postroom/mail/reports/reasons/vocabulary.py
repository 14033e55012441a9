"""Why a delivery failed: one vocabulary for every server's words (the names are those of the public bounce corpora).

`reason_for` asks, in this order: what the named server is known to mean, what the text says, what the enhanced status
says (RFC 3463 and its registry), what the reply code says. The texts are data: `bounce_rules_reasons`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why; the comment says whom it concerns."""

    AUTHFAILURE = "authfailure"  # our mail failed SPF, DKIM or DMARC
    BADREPUTATION = "badreputation"  # our address or domain is thought badly of
    BLOCKED = "blocked"  # our address is on a list, or our host is refused
    CONTENTERROR = "contenterror"  # the mail's format
    DELIVERED = "delivered"  # it arrived: no failure
    EXCEEDLIMIT = "exceedlimit"  # larger than this recipient takes
    EXPIRED = "expired"  # tried for too long, or still being tried
    FEEDBACK = "feedback"  # a complaint (RFC 5965)
    FILTERED = "filtered"  # refused by the recipient's own settings, or after the content was seen
    HASMOVED = "hasmoved"  # the recipient went elsewhere
    HOSTUNKNOWN = "hostunknown"  # no such domain
    MAILBOXFULL = "mailboxfull"
    MAILERERROR = "mailererror"  # a program behind the mailbox failed
    MESGTOOBIG = "mesgtoobig"  # larger than the server takes
    NETWORKERROR = "networkerror"  # connections, DNS, routing loops
    NORELAYING = "norelaying"  # the server does not take mail for this domain, or from us
    NOTACCEPT = "notaccept"  # the domain takes no mail at all (RFC 7504, RFC 7505)
    NOTCOMPLIANTRFC = "notcompliantrfc"  # our mail breaks RFC 5322
    ONHOLD = "onhold"  # the server says later, without saying why
    POLICYVIOLATION = "policyviolation"  # the server's policy
    REJECTED = "rejected"  # our sender address
    REQUIREPTR = "requireptr"  # our address has no reverse name
    SECURITYERROR = "securityerror"  # TLS, authentication, authorisation
    SPAMDETECTED = "spamdetected"
    SPEEDING = "speeding"  # too much in too little time
    SUSPEND = "suspend"  # the recipient's account is disabled
    SYNTAXERROR = "syntaxerror"  # SMTP went wrong
    SYSTEMERROR = "systemerror"  # the server is broken or misconfigured
    SYSTEMFULL = "systemfull"  # the server's disk
    TOOMANYCONN = "toomanyconn"  # connections or recipients at once
    UNDEFINED = "undefined"  # it failed, and nothing says why
    USERUNKNOWN = "userunknown"
    VACATION = "vacation"  # an absence notice: no failure
    VIRUSDETECTED = "virusdetected"


ADDRESS_IS_DEAD = frozenset({Reason.USERUNKNOWN, Reason.HOSTUNKNOWN, Reason.HASMOVED})
"""No later mail to this address will arrive, whatever it says and whoever sends it."""

NO_FAILURE = frozenset({Reason.DELIVERED, Reason.FEEDBACK, Reason.VACATION})


class Command(StrEnum):
    """The SMTP command that was refused, where the report tells."""

    CONNECT = "CONNECT"
    HELO = "HELO"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"


@dataclass(frozen=True, slots=True)
class Failure:
    """What is known about one recipient's failure before its reason is."""

    text: str  # the server's words, as found
    status: str = ""  # enhanced status, "" where none was given
    reply_code: str = ""
    command: Command | None = None
    host: str = ""  # the refusing server, or the recipient's domain
    reporter: str = ""  # the server row that read it: bounce_rules.SERVERS
    action: str = ""
    is_smtp: bool = True  # False: the diagnostic is a program's, not an SMTP answer (x-unix)


def reason_for(failure: Failure) -> Reason:
    """Name the reason of one failure; UNDEFINED where nothing tells."""
    # Late import: only bounces need the tables, and they are a small part of all mail.
    from postroom.mail.reports.reasons.lookup import INDEX
    from postroom.mail.reports.reasons.rule import STATUS_REASONS

    if failure.status.startswith("2"):
        return Reason.DELIVERED
    full = normalised(failure.text)
    host = failure.host.lower()
    rule = INDEX.first(full, failure, host, bare=_without_names(full))
    if rule is not None:
        return rule.reason
    if failure.action in {"delayed", "expired"}:
        return Reason.EXPIRED
    if failure.status:
        named = STATUS_REASONS.get(failure.status[2:]) or STATUS_REASONS.get(failure.status[2:3])
        if named:
            return named
    if not failure.is_smtp:
        return Reason.MAILERERROR
    if failure.command is not None:
        if failure.command is Command.RCPT and failure.reply_code in {"550", "551", "553"}:
            return Reason.USERUNKNOWN  # RFC 5321 §4.3.2: what these codes are for
        by_command = _BY_COMMAND.get(failure.command) if failure.reply_code.startswith("5") else None
        if by_command:
            return by_command
    return Reason.UNDEFINED


def is_permanent(reason: Reason, status: str, reply_code: str = "") -> bool:
    """Say whether the address itself is dead, so that nothing more should be sent there.

    A full mailbox, a policy, a spam verdict or a blocked address of ours may pass, also where the server answered
    5xx: the refusal was final for that mail, not for the recipient.
    """
    if reason in ADDRESS_IS_DEAD:
        return True
    # RFC 7505: a null MX is final when the server said so, and a DNS hiccup otherwise.
    return reason is Reason.NOTACCEPT and not (status or reply_code).startswith("4")


def status_for(reason: Reason, *, temporary: bool) -> str:
    """Return the enhanced status that RFC 3463 has for a reason, for a report that gives none."""
    from postroom.mail.reports.reasons.rule import REASON_STATUSES

    if reason is Reason.DELIVERED:
        return "2.0.0"
    return f"{4 if temporary else 5}.{REASON_STATUSES.get(reason, '0.0')}"


_URL = re.compile(r"https?://[^\s>\")\]]{1,500}")
_CONTINUED = re.compile(r"(?<![\w.#])[245]\d\d-(?:[245]\.\d{1,3}\.\d{1,3} )?")
_MAY_REPEAT = re.compile(r" [245]\d\d [245]\.")
_REPEATED = re.compile(r"(?<=[\w.,]) [245]\d\d [245]\.\d{1,3}\.\d{1,3} (?=[a-z])")
# SES used to put its own summary before the server's answer: "5.1.0 - Unknown address error 550-'5.7.1 …'".
_SUMMARY = re.compile(r"\b[245]\.\d\.\d - [a-z ]{3,60} (?=[245]\d\d-')")
# Tried at the beginning of a word only, so that every word is read once.
_ADDRESS = re.compile(
    r"<?(?<![^\s<>\"'()\[\]:;,@：；，（）「」【】])[^\s<>\"'()\[\]:;,@：；，（）「」【】]++@[a-z0-9][a-z0-9.-]{0,252}>?"
)
_QUOTES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\xa0": " "})


def normalised(text: str) -> str:
    """Return a server's words in one line: lower case, the codes that multi-line replies repeat removed."""
    joined = " ".join((text if text.isascii() else text.translate(_QUOTES)).split()).lower()
    if "-" in joined:
        if "-'" in joined:
            joined = _SUMMARY.sub("", joined)
        joined = _CONTINUED.sub("", joined)
    return _REPEATED.sub(" ", joined) if _MAY_REPEAT.search(joined) else joined


def _without_names(text: str) -> str:
    """Return normalised words without URLs, postfix's prefix and addresses: `mailboxfull@…` says nothing."""
    bare = _URL.sub(" ", text) if "://" in text else text
    if "..." in bare:
        bare = bare.replace("...", " ")  # "not allowed...ann@example.com"
    if "@" in bare:
        bare = _ADDRESS.sub(" ", bare)
    bare = " ".join(bare.split())
    return bare.replace("recipient address rejected: ", "")


_BY_COMMAND: dict[Command, Reason] = {
    Command.CONNECT: Reason.BLOCKED,
    Command.HELO: Reason.BLOCKED,
    Command.MAIL: Reason.REJECTED,
    Command.DATA: Reason.FILTERED,
}
