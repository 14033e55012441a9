"""Outgoing mail, built in one place with EmailMessage and policy.SMTP (docs/threat-model.md 8).

Every value that ends up in a header is checked here first; the policy refuses CR and LF once more. The result has CRLF
line ends only, so that no bare CR or LF reaches a server (SMTP smuggling).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP

from postroom.errors import Invalid, Problem
from postroom.mail.headers.address import Address, is_valid, parse_addresses

# CR, LF, NUL, VT, FF, NEL, U+2028, U+2029 and the other C0 characters end or break lines somewhere.
_FORBIDDEN = frozenset(map(chr, [*range(0x09), *range(0x0A, 0x20), 0x7F, 0x85, 0x2028, 0x2029]))
# 7bit: no server needs 8BITMIME for it, and signatures survive.
_POLICY = SMTP.clone(max_line_length=78, cte_type="7bit")
_MOST_REFERENCES = 20


@dataclass(frozen=True, slots=True)
class Composition:
    """Everything a mail says; addresses as RFC 5322 mailboxes, times aware."""

    sender: str
    to: Sequence[str]
    subject: str
    text: str
    date: datetime
    message_id: str
    cc: Sequence[str] = ()
    reply_to: str = ""
    html: str | None = None
    in_reply_to: str | None = None
    references: Sequence[str] = ()
    automatic: bool = False


def compose(mail: Composition) -> bytes:
    """Serialise a mail; raises Invalid with every field that cannot be sent.

    Automatic mail carries `Auto-Submitted: auto-replied` (RFC 3834 §5) and asks Exchange for silence in return.
    """
    problems = check(mail)
    if problems:
        raise Invalid(problems)
    message = EmailMessage(policy=_POLICY)
    message["From"] = [_header_address(address) for address in parse_addresses(mail.sender)]
    message["To"] = [_header_address(parse_addresses(text)[0]) for text in mail.to]
    if mail.cc:
        message["Cc"] = [_header_address(parse_addresses(text)[0]) for text in mail.cc]
    if mail.reply_to:
        message["Reply-To"] = [_header_address(parse_addresses(mail.reply_to)[0])]
    message["Subject"] = mail.subject
    message["Date"] = mail.date
    message["Message-ID"] = mail.message_id
    if mail.in_reply_to:
        message["In-Reply-To"] = mail.in_reply_to
    if mail.references:
        # RFC 5322 §3.6.4; the first and the newest are what threads hang on, so a long chain loses its middle.
        chain = list(dict.fromkeys(mail.references))
        if len(chain) > _MOST_REFERENCES:
            chain = [chain[0], *chain[1 - _MOST_REFERENCES :]]
        message["References"] = " ".join(chain)
    if mail.automatic:
        message["Auto-Submitted"] = "auto-replied"
        message["X-Auto-Response-Suppress"] = "All"
    message.set_content(_normalised(mail.text))
    if mail.html is not None:
        message.add_alternative(_normalised(mail.html), subtype="html")
    return message.as_bytes()


def check(mail: Composition) -> list[Problem]:
    """List every field that must not be sent, with what is wrong and the remedy."""
    problems = []
    for field, value in (("subject", mail.subject), ("message_id", mail.message_id)):
        if bad := sorted(_FORBIDDEN.intersection(value)):
            problems.append(Problem(field, f"holds the control character U+{ord(bad[0]):04X}.", "Take it out."))
    for reference in (*mail.references, *([mail.in_reply_to] if mail.in_reply_to else [])):
        if not is_message_id(reference):
            problems.append(Problem("references", f"{reference[:80]!r} is no Message-ID.", "Leave it out."))
    if not mail.to:
        problems.append(Problem("to", "is empty.", "Name at least one recipient."))
    problems += _address_problems("from", [mail.sender])
    problems += _address_problems("to", mail.to)
    problems += _address_problems("cc", mail.cc)
    problems += _address_problems("reply_to", [mail.reply_to] if mail.reply_to else [])
    return problems


def is_message_id(value: str) -> bool:
    """Tell whether a value can stand in a References header as it is: `<…@…>`, printable ASCII, no space."""
    return (
        len(value) <= 900
        and value.startswith("<")
        and value.endswith(">")
        and value.isascii()
        and value.isprintable()
        and not any(character in value[1:-1] for character in "<> ")
    )


def _address_problems(field: str, values: Sequence[str]) -> list[Problem]:
    problems = []
    for value in values:
        parsed = parse_addresses(value)
        if _FORBIDDEN.intersection(value):
            problems.append(Problem(field, f"{value[:80]!r} holds a control character.", "Take it out."))
        elif len(parsed) != 1 or not is_valid(parsed[0].address):
            problems.append(Problem(field, f"{value[:80]!r} is not one e-mail address.", "Write it as name@domain."))
        else:
            try:
                _header_address(parsed[0])
            except (HeaderParseError, ValueError, IndexError):
                problems.append(
                    Problem(field, f"{value[:80]!r} cannot be written in a header.", "Use a plain address.")
                )
    return problems


def deliverable(address: str) -> str:
    """Return an address as servers without SMTPUTF8 take it: its domain in ASCII (RFC 5891)."""
    local, at, domain = address.rpartition("@")
    return address if domain.isascii() else f"{local}{at}{'.'.join(map(_ascii_label, domain.split('.')))}"


def _ascii_label(label: str) -> str:
    # Not Python's `idna`, which is of 2003 and makes `strasse` of `straße`: another domain.
    plain = unicodedata.normalize("NFC", label.lower())
    return label if label.isascii() else f"xn--{plain.encode('punycode').decode('ascii')}"


def without_controls(line: str) -> str:
    """Return a line of somebody else's writing as a header takes it: a space for each control character."""
    return "".join(" " if character in _FORBIDDEN else character for character in line)


def _header_address(address: Address) -> HeaderAddress:
    return HeaderAddress(display_name=address.name, addr_spec=deliverable(address.address))


def _normalised(text: str) -> str:
    """Bring every line end to LF; the policy then writes CRLF."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
