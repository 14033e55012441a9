"""Read bounces that follow no standard: half of the real ones.

A mail is read as a bounce only when its structure says that a mail system wrote it (`automatic.corroboration`) and its
text reads like a report; words alone never suffice. Which server wrote it, and what its words mean, are tables
(`reporters`, `reasons`). flufl.bounce is asked last.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from postroom.mail.headers import parse_addresses
from postroom.mail.reader import Message
from postroom.mail.reports import report_text, ses_notification
from postroom.mail.reports.automatic_evidence import (
    Automatic,
    Evidence,
    automatic,
    corroboration,
    is_mailer,
    is_program,
)
from postroom.mail.reports.delivery_report import DeliveryReport, Recipient, ReportKind
from postroom.mail.reports.reasons import NO_FAILURE, Reason
from postroom.mail.reports.recipient import recipient_for
from postroom.mail.reports.reporters import DELAY_SUBJECTS, DELAY_WORDS, DELIVERED_WORDS, REPORTERS, Server
from postroom.mail.reports.server import (
    addresses_in,
    any_in,
    is_generic,
    is_titled,
    may_suffice,
    returns_to_its_writer,
    server_of,
)

_MOST_RECIPIENTS = 100
_LONGEST_ADDRESS = 320
_ASCII = bytes(range(128)) + b"?" * 128
_FLUFL_LARGEST = 256 * 1024  # bytes
_FLUFL_LINES = 2_000  # each is compared with some fifty patterns
_FLUFL_LINE = 500  # bytes; many of its patterns take the square of a line without spaces

# The local part may be anything without white space or brackets: phones and gateways write strange ones.
_ADDR = r"[^\s<>\"'()\[\],;:@：，；（）、。「」【】]{1,128}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}"
# What may follow an address that heads the lines about it.
_AFTER = r"\s*(?:$|:|\.\.\.|\[|\(|,|<|-|—|\s(?:on|invalid|error)\b)"
_LINE_START = re.compile(rf"^[ \t>*\"'+-]{{0,24}}<?({_ADDR})>?[\"']?(?={_AFTER})", re.IGNORECASE)
_LED_BY = re.compile(
    r"\b(?:address|recipients?|mailbox|to|for|user|userid|errors|alias|empfänger|destinataire|destinatario|destinatário|"
    r"geadresseerde|odbiorca|получатель|адресат|收件人|收件者|宛先)"
    r"(?:\(s\))?(?:\s{0,4}[:=：]\s{0,4}|\s{1,4})[<\"']?"
    rf"({_ADDR})",
    re.IGNORECASE,
)
_ANYWHERE = re.compile(rf"(?<![^\s<>\"'()\[\],;:：，；（）、。「」【】]){_ADDR}", re.IGNORECASE)
# Alone in its line, or behind a name: "Failed Recipient: ann@example.com".
_SET_APART = re.compile(
    rf"[ \t>*\"'+-]{{0,24}}(?:[\w() -]{{1,40}}[:=][ \t]{{0,24}})?[<\"']?({_ADDR})[>\"':.]{{0,3}}\s*\Z"
)
_NOT_RECIPIENT = ("postmaster@", "mailer-daemon@", "support@", "abuse@")


def read_bounce(message: Message, *, evidence: Automatic | None = None) -> DeliveryReport | None:
    """Read a bounce without a standard report; None for everything that is not surely one.

    `evidence` is what `corroboration` found, where the caller has asked already.
    """
    if evidence is None:
        evidence = corroboration(message)
    titled = is_titled(message)
    # Ordinary mail ends here, before its text is decoded.
    if not (evidence.is_automatic or titled or may_suffice(message)):
        return None
    text = report_text.human_text(message)
    server = server_of(message, text.words)
    if server is not None and server.name == "amazon-sns":
        return ses_notification.read_notification(text.words + text.returned)
    if not _is_bounce(message, text, server, evidence, titled):
        return None
    name = server.name if server else "unnamed"
    recipients = tuple(_recipients(message, text, name))
    if not recipients:
        recipients = tuple(_flufl(message, text.words))
        name = "flufl" if recipients else name
    if not recipients:
        recipients = tuple(_only_one(message, text.words, name))
    if not recipients:
        return None
    return DeliveryReport(
        kind=ReportKind.REPORT if all(found.reason in NO_FAILURE for found in recipients) else ReportKind.NDR,
        recipients=recipients,
        original_message_id=report_text.returned_message_id(message, text),
        rule=f"bounce:{name}",
    )


def _is_bounce(
    message: Message, text: report_text.ReportText, server: Server | None, evidence: Automatic, titled: bool
) -> bool:
    if server is not None and server.sufficient:
        return True
    if evidence.evidence is not Evidence.REPORT and (not titled or _is_quoted(text.words)):
        return False  # people, and answering machines that repeat what they answer, quote reports
    if not evidence.is_automatic:
        # Some gateways write under a name of their own and keep no return path: title, and known words with a mail that
        # comes back, or a mail system's name with the words that all use.
        return (
            server is not None
            and (_is_by_reporter(message, text.words) if is_generic(server) else returns_to_its_writer(message, text))
            and not automatic(message).is_automatic
            and not message.has("User-Agent")
        )
    if is_generic(server):
        # An answering machine may quote "user unknown", and a postmaster is a person too.
        if titled or message.has("X-Failed-Recipients"):
            return True
        if server is None:
            # A report in a language that we do not know: who else writes so, and says nothing of having delivered?
            return _is_from_mailer(message, always=True) and not any_in(text.words[:2_000].lower(), DELIVERED_WORDS)
        return (
            _is_from_mailer(message)
            or "report-type=delivery-status" in message.header("Content-Type")[:500].lower().replace('"', "")
            or _returns_mail(message, text)
        )
    return True


def _is_from_mailer(message: Message, *, always: bool = False) -> bool:
    """Say whether From names a mailer, or a postmaster beside the null return path: no person writes so.

    `always` asks for the null return path beside a mailer's name, too.
    """
    paths = message.headers("Return-Path")
    is_report = bool(paths) and paths[0].strip() == "<>"
    return any(
        (is_program(found.address) and not always) or (is_report and is_mailer(found.address))
        for value in message.raw_headers("From")[:1]
        for found in parse_addresses(value[:2_000])
    )


def _is_quoted(words: str) -> bool:
    """Say whether most of a text is quoted: somebody shows a report to us."""
    lines = [line for line in words[:20_000].split("\n") if line.strip()]
    return 2 * sum(line.startswith(">") for line in lines) > len(lines)


def _is_by_reporter(message: Message, words: str) -> bool:
    """Say whether From has a mail system's name, and the text sets an address apart: people write it in a sentence."""
    sender = message.header("From")[:500].lower()
    # Who answers or forwards a report does it from a mail program, with its references.
    if not any_in(sender, REPORTERS) or message.has("In-Reply-To") or message.has("References"):
        return False
    own = addresses_in(*(field for name in ("From", "To", "Reply-To") for field in message.raw_headers(name)))
    found = (_SET_APART.match(line[:_LINE_SCANNED]) for line in words.split("\n")[: report_text.LINES_SCANNED])
    return any(_may_be_recipient(one[1].rstrip("."), own) for one in found if one)


def _returns_mail(message: Message, text: report_text.ReportText) -> bool:
    return next(report_text.returned_headers(message, text), None) is not None


@dataclass(slots=True)
class _Entry:
    """An address at the head of the lines that speak about it."""

    address: str
    lines: list[str]


def _recipients(message: Message, text: report_text.ReportText, reporter: str) -> Iterator[Recipient]:
    words = text.words
    own = {found.address.lower() for found in parse_addresses(b",".join(message.raw_headers("To"))[:2_000])}
    entries = _entries(words, own)
    named = _failed_recipients(message)
    if named:
        # X-Failed-Recipients has the address that was written to; the text may show what an alias made of it.
        known = {entry.address.lower(): entry for entry in entries}
        body = [line for entry in entries for line in entry.lines] or words.split("\n")
        entries = [known.get(address.lower()) or _Entry(address, body) for address in named]
    if not entries:
        led = _led(words, own) or [
            address for address in report_text.returned_recipients(message, text) if address.lower() not in own
        ]
        entries = [_Entry(address, words.split("\n")) for address in led]
    delayed = _is_delay(message, words)
    for entry in entries[:_MOST_RECIPIENTS]:
        said = "\n".join(entry.lines)
        action = "delayed" if delayed else ""
        found = recipient_for(entry.address, words=said, reporter=reporter, action=action, context=said)
        vague = found.reason == Reason.UNDEFINED
        if vague or (found.reason == Reason.EXPIRED and not found.reply_code and len(entries) == 1):
            # The words stand before the address (Notes, MailMarshal), or further down ("Technical details: …").
            wider = recipient_for(
                entry.address, words=f"{said}\n{words}", reporter=reporter, action=action, context=words
            )
            if (vague and wider.reason != Reason.UNDEFINED) or (not vague and wider.reply_code):
                found = wider
        yield found


def _entries(words: str, own: set[str]) -> list[_Entry]:
    """Collect the addresses that stand at the beginning of a line, each with its lines."""
    entries: list[_Entry] = []
    current: _Entry | None = None
    blank = 0
    for line in words.split("\n")[: report_text.LINES_SCANNED]:
        line = line[:_LINE_SCANNED]
        found = _LINE_START.match(line) if "@" in line else None
        address = found.group(1).rstrip(".") if found else ""
        if found and _may_be_recipient(address, own):
            known = next((entry for entry in entries if entry.address.lower() == address.lower()), None)
            if known is None:
                if len(entries) >= _MOST_RECIPIENTS:
                    break
                known = _Entry(address, [])
                entries.append(known)
            known.lines.append(line.strip())
            current, blank = known, 0
        elif current is not None:
            if not line.strip():
                blank += 1
            elif blank < 2 or len(" ".join(current.lines)) < len(current.address) + 12:
                current.lines.append(line.strip())
    return entries


_LINE_SCANNED = 1_000


def _may_be_recipient(address: str, own: set[str]) -> bool:
    lowered = address.lower()
    return len(lowered) <= _LONGEST_ADDRESS and lowered not in own and not is_mailer(lowered)


def _led(words: str, own: set[str]) -> list[str]:
    """Return the addresses that a sentence names: "delivering your mail to <…>", "Unknown user: …"."""
    found: list[str] = []
    for match in _LED_BY.finditer(words[: report_text.TEXT_SCANNED]):
        address = match.group(1).rstrip(".")
        if _may_be_recipient(address, own) and address not in found and not address.lower().startswith(_NOT_RECIPIENT):
            found.append(address)
            if len(found) >= _MOST_RECIPIENTS:
                break
    return found


def _only_one(message: Message, words: str, reporter: str) -> Iterator[Recipient]:
    """Yield the one address that a report's sentences contain, the writer's and the reader's own left out."""
    others = addresses_in(*(field for name in ("From", "To", "Reply-To") for field in message.raw_headers(name)))
    found = {
        address.lower(): address
        for address in (match.group(0).rstrip(".") for match in _ANYWHERE.finditer(words[: report_text.TEXT_SCANNED]))
        if _may_be_recipient(address, others) and not address.lower().startswith(_NOT_RECIPIENT)
    }
    if len(found) == 1:
        action = "delayed" if _is_delay(message, words) else ""
        yield recipient_for(*found.values(), words=words, reporter=reporter, action=action, context=words)


def _failed_recipients(message: Message) -> list[str]:
    found: list[str] = []
    for value in message.headers("X-Failed-Recipients"):
        for address in value[:10_000].split(","):
            cleaned = address.strip().strip("<>")
            if "@" in cleaned and len(cleaned) <= _LONGEST_ADDRESS and cleaned not in found:
                found.append(cleaned)
    return found[:_MOST_RECIPIENTS]


def _is_delay(message: Message, words: str) -> bool:
    return any_in(message.header("Subject")[:500].lower(), DELAY_SUBJECTS) or any_in(words[:2_000].lower(), DELAY_WORDS)


def _flufl(message: Message, words: str) -> Iterator[Recipient]:
    """Ask flufl.bounce, the last opinion: it knows addresses, the reason is read from the words."""
    if len(message.raw) > _FLUFL_LARGEST:
        return
    # Late: few mails come this far, and the packages cost more to import than all of ours.
    from email import message_from_bytes

    from flufl.bounce import all_failures

    try:
        # Its detectors fail on 8-bit headers; addresses are ASCII all the same.
        lines = message.raw.translate(_ASCII).split(b"\n", _FLUFL_LINES)[:_FLUFL_LINES]
        temporary, permanent = all_failures(message_from_bytes(b"\n".join([line[:_FLUFL_LINE] for line in lines])))
    except (ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError):
        return  # it raises on odd mail, each detector in its own way
    for found in sorted({*temporary, *permanent}):
        address = found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)
        if "@" in address:
            said = report_text.words_about(address, words) or words
            yield recipient_for(address, words=said, reporter="flufl", action="" if found in permanent else "delayed")
