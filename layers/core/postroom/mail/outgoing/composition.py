"""Outgoing mail, built in one place: header fields, texts, files (threat model, 8).

Every value that ends up in a header is checked here first, and what is beyond printable ASCII is encoded. The result
has CRLF line ends only, so that no bare CR or LF reaches a server (SMTP smuggling).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from postroom.errors import Invalid, Problem
from postroom.mail.headers import Address, ascii_domain, is_valid, parse_addresses
from postroom.mail.outgoing.header_folding import addresses_field, ids_field, references, text_field
from postroom.mail.outgoing.mime import PLAIN_WAYS, Enclosure, Ways, body_of

# CR, LF, NUL, VT, FF, NEL, U+2028, U+2029 and the other C0 characters end or break lines somewhere.
_FORBIDDEN = frozenset(map(chr, [*range(0x09), *range(0x0A, 0x20), 0x7F, 0x85, 0x2028, 0x2029]))
_HALF = re.compile("[\ud800-\udfff]")  # no text: UTF-8 has no form for it


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
    written_to: Sequence[str] = ()  # recipients that others stand for now
    receipt_to: str = ""  # RFC 5322 mailbox that disposition notifications go to (RFC 8098); empty: none is asked for
    files: Sequence[Enclosure] = ()
    ways: Ways = PLAIN_WAYS


def compose(mail: Composition) -> bytes:
    """Serialise a mail; raises Invalid with every field that cannot be sent.

    Automatic mail carries `Auto-Submitted: auto-replied` (RFC 3834 §5) and asks Exchange for silence in return.
    """
    problems = check(mail)
    if problems:
        raise Invalid(problems)
    body = body_of(mail.text, mail.html, mail.files, ways=mail.ways, seed=mail.message_id)
    return "".join([*_header_fields(mail), "MIME-Version: 1.0\r\n"]).encode("ascii") + body


def _header_fields(mail: Composition) -> Iterator[str]:
    yield addresses_field("From", _mailboxes([mail.sender]))
    yield addresses_field("To", _mailboxes(mail.to))
    if mail.cc:
        yield addresses_field("Cc", _mailboxes(mail.cc))
    if mail.reply_to:
        yield addresses_field("Reply-To", _mailboxes([mail.reply_to]))
    if mail.written_to:
        yield addresses_field("X-Postroom-Written-To", _mailboxes(mail.written_to))
    yield text_field("Subject", mail.subject)
    yield f"Date: {format_datetime(mail.date)}\r\n"
    yield ids_field("Message-ID", [mail.message_id])
    if mail.in_reply_to:
        yield ids_field("In-Reply-To", [mail.in_reply_to])
    if mail.references:
        yield ids_field("References", references(mail.references))
    if mail.automatic:
        yield "Auto-Submitted: auto-replied\r\n"
        yield "X-Auto-Response-Suppress: All\r\n"
    if mail.receipt_to:
        yield addresses_field("Disposition-Notification-To", _mailboxes([mail.receipt_to]))


def _mailboxes(values: Sequence[str]) -> list[Address]:
    return [Address(one.name, deliverable(one.address)) for one in (parse_addresses(value)[0] for value in values)]


def check(mail: Composition) -> list[Problem]:
    """List every field that must not be sent, with what is wrong and the remedy."""
    problems = []
    for field, value in (("subject", mail.subject), ("message_id", mail.message_id)):
        if bad := sorted(_FORBIDDEN.intersection(value)):
            problems.append(Problem(field, f"holds the control character U+{ord(bad[0]):04X}.", "Take it out."))
        if half := _HALF.search(value):
            problems.append(Problem(field, f"holds half a character, U+{ord(half[0]):04X}.", "Take it out."))
    if not is_message_id(mail.message_id):
        problems.append(
            Problem("message_id", f"{mail.message_id[:80]!r} is no Message-ID.", "Write it as <id@domain>.")
        )
    for reference in (*mail.references, *([mail.in_reply_to] if mail.in_reply_to else [])):
        if not is_message_id(reference):
            problems.append(Problem("references", f"{reference[:80]!r} is no Message-ID.", "Leave it out."))
    for field, value in (("text", mail.text), ("html", mail.html or "")):
        if half := _HALF.search(value):
            problems.append(Problem(field, f"holds half a character, U+{ord(half[0]):04X}.", "Take it out."))
    if not mail.to:
        problems.append(Problem("to", "is empty.", "Name at least one recipient."))
    problems += _address_problems("from", [mail.sender])
    problems += _address_problems("to", mail.to)
    problems += _address_problems("cc", mail.cc)
    problems += _address_problems("reply_to", [mail.reply_to] if mail.reply_to else [])
    problems += _address_problems("receipt_to", [mail.receipt_to] if mail.receipt_to else [])
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
        if _FORBIDDEN.intersection(value) or _HALF.search(value):
            what = f"{value[:80]!r} holds a control character, or half of one."
            problems.append(Problem(field, what, "Take it out."))
            continue
        parsed = parse_addresses(value)
        if len(parsed) != 1 or not is_valid(parsed[0].address):
            problems.append(Problem(field, f"{value[:80]!r} is not one e-mail address.", "Write it as name@domain."))
        elif not deliverable(parsed[0].address).isascii():
            problems.append(Problem(field, f"{value[:80]!r} cannot be written in a header.", "Use a plain address."))
    return problems


def deliverable(address: str) -> str:
    """Return an address as servers without SMTPUTF8 take it: its domain in ASCII (UTS 46); unchanged where it has none.

    What comes back with letters beyond ASCII cannot be sent; `check` refuses it.
    """
    local, at, domain = address.rpartition("@")
    return address if domain.isascii() else f"{local}{at}{ascii_domain(domain) or domain}"


def without_controls(line: str) -> str:
    """Return a line of somebody else's writing as a header takes it: a space for each control character."""
    return "".join(" " if character in _FORBIDDEN else character for character in line)


def original_header(
    *,
    sender: Sequence[Address],
    to: Sequence[Address],
    cc: Sequence[Address],
    subject: str,
    date: datetime | None,
    message_id: str,
) -> bytes:
    """Write the header of a mail that is passed on as a file; what it lacks is left out."""
    fields = [addresses_field(name, list(them)) for name, them in (("From", sender), ("To", to), ("Cc", cc)) if them]
    fields.append(text_field("Subject", " ".join(_HALF.sub("\ufffd", without_controls(subject)).split())))
    fields += [f"Date: {format_datetime(date)}\r\n"] if date is not None else []
    fields += [ids_field("Message-ID", [message_id])] if message_id else []
    return "".join([*fields, "MIME-Version: 1.0\r\n"]).encode("ascii")
