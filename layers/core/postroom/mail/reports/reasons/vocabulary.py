"""Why a delivery failed: one vocabulary for every server's words (the names are those of the public bounce corpora)."""

from __future__ import annotations

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
    reporter: str = ""  # the server row that read it: reporters.SERVERS
    action: str = ""
    is_smtp: bool = True  # False: the diagnostic is a program's, not an SMTP answer (x-unix)


def is_permanent(reason: Reason, status: str, reply_code: str = "") -> bool:
    """Say whether the address itself is dead, so that nothing more should be sent there.

    A full mailbox, a policy, a spam verdict or a blocked address of ours may pass, also where the server answered
    5xx: the refusal was final for that mail, not for the recipient.
    """
    if reason in ADDRESS_IS_DEAD:
        return True
    # RFC 7505: a null MX is final when the server said so, and a DNS hiccup otherwise.
    return reason is Reason.NOTACCEPT and not (status or reply_code).startswith("4")
