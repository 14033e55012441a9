"""Understand one mail: bytes and a policy in; out comes everything that can be known and decided without looking up.

Pure, and never fails: what cannot be read becomes a wrapping understanding with the reason (G25). `process_inbound` and
`postroom explain` both run exactly this.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from postroom.mail.content import Reaction, best_text, bodies, paragraphs, reaction, told
from postroom.mail.headers import Address, is_valid, parse_date, parse_mailboxes
from postroom.mail.html import SanitisedHtml, odd_links, sanitise
from postroom.mail.origin import SenderVerdict, auth_results, is_own_list, sender_verdict, stable_digest
from postroom.mail.origin import message_ids as references
from postroom.mail.outgoing import thread_token
from postroom.mail.reader import Message, Unreadable, read
from postroom.mail.reply_text import forwarded, marked_lines, reply_text
from postroom.mail.reports import withholding_headers
from postroom.model import (
    Attachment,
    Body,
    Decision,
    Named,
    Outcome,
    ProvenToken,
    ReadFile,
    Subtype,
    TokenPlace,
    Understanding,
)
from postroom.model import DecisionRule as Rule
from postroom.rules import REACTION, decide_kind, thread_markers
from postroom.services.inbound.attachments import attached_files
from postroom.services.inbound.attributes import attributes_of
from postroom.services.inbound.correspondents import correspondents, is_from_ourselves
from postroom.services.inbound.masking import Mask, masked
from postroom.services.policy import Policy

logging.getLogger("flufl.bounce").disabled = True  # its tracebacks may quote the mail

UNKNOWN_SUBJECT = "Unknown subject"
WRAPPING_TEXT = "Error encountered during preprocessing of this message"
ATTACHED_TEXT = "Original Incoming Email is attached to this Email."
NO_TEXT = "***WARNING: Could not get IMAP body text."
"""The reference systems' words: people and rules of migrated installations look for them (G25, S04)."""

_LISTS = ("to", "cc", "reply-to")
_LONGEST_LIST = 65_536  # bytes; to parse a longer one twice would take too long
_HEADER_PEEK = 256 * 1024
# Of the header of a mail that is wrapped: little enough for an item of 400 KB.
_MOST_SUBJECT = 4_000  # characters
_LONGEST_NAME = 400
_MOST_ADDRESSES = 60
_MOST_REFERENCES = 40
_MOST_NAMES = 2_000  # characters, of attached files


def understand(raw: bytes, *, policy: Policy) -> Understanding:
    """Read, decide and mask; never raises for any bytes."""
    try:
        return _understand(raw, policy)
    except Unreadable as error:
        return wrap(raw, str(error), policy=policy)
    except (RecursionError, MemoryError) as error:
        return wrap(raw, f"the message exhausts the reader ({type(error).__name__})", policy=policy)
    except Exception as error:  # noqa: BLE001 - the promise of this function: a defect of ours costs no mail either
        return wrap(raw, f"the reader failed: {type(error).__name__}: {error}"[:500], policy=policy)


def _understand(raw: bytes, policy: Policy) -> Understanding:
    message = read(raw)
    content = bodies(message)
    clean = sanitise(content.html) if content.html is not None else None
    text = best_text(content, clean.html if clean is not None else None)
    # The one whom the verdict is about: `Foo <>, ann@example.org` is answered at the address.
    senders = sorted(_addresses(message, "from"), key=lambda one: not one.address)
    reply_to = _addresses(message, "reply-to")
    original = cache(lambda: forwarded(message, text, subject=message.header("subject")))
    own_list = is_own_list(message, own_addresses=policy.own_addresses, own_lists=policy.own_lists)
    kind = decide_kind(
        message,
        is_ours=lambda message_id: thread_token.verify(message_id, keys=policy.thread_keys) is not None,
        exceptions=policy.exceptions,
        strict=policy.strict_exceptions,
        own_list=own_list,
        from_ourselves=lambda: is_from_ourselves(
            message, policy, senders=senders, reply_to=reply_to, original=original
        ),
    )
    passed_on = original() if kind.subtype is None else None
    people = correspondents(message, policy, senders=senders, reply_to=reply_to, passed_on=passed_on)
    if not text.strip() and kind.calendar_answer is not None:
        text = told(kind.calendar_answer)
    verdict = sender_verdict(message, auth=auth_results(message, authserv_ids=policy.trusted_authserv_ids))
    tokens, forged = _tokens(message, text, policy, report=kind.report is not None)
    flowing = content.text_parts if text is content.text else ()
    marks = tuple(marked_lines(content.html)) if content.html is not None and kind.report is None else ()
    writer = senders[0].name if senders else ""
    answered, referred = references.in_reply_to(message), references.references(message)
    unmasked = Understanding(
        sha256=hashlib.sha256(raw).hexdigest(),
        size=len(raw),
        subject=message.header("subject"),
        sender=senders[0] if senders else None,
        body=Body(
            text=text,
            text_reply="",
            html=clean.html if clean is not None else None,
            remote_images=clean.remote_images if clean is not None else 0,
        ),
        subtype=kind.subtype,
        reply_to=reply_to,
        to=_addresses(message, "to"),
        cc=_addresses(message, "cc"),
        date=parse_date(message.header("date")),
        message_id=references.message_id(message),
        in_reply_to=answered,
        references=referred,
        files=attached_files(content, policy),
        automatic=kind.automatic,
        report=kind.report,
        original_message_id=kind.original_message_id,
        delivery_exception=kind.exception.exception.name if kind.exception and kind.exception.diverts else None,
        return_path=message.header("return-path") if message.has("return-path") else None,
        list_headers=withholding_headers(message, own_list=own_list),
        original_author=people.original_author,
        forwarded=people.forwarded,
        answer_to=people.answer.addresses,
        tokens=tokens,
        forged_token=forged,
        own_tag=thread_token.verify(message.header("message-id"), keys=policy.thread_keys) is not None,
        sender_verdict=verdict,
        attributes=attributes_of(message, kind, people, clean, chain=referred or answered),
        decisions=(
            *kind.decisions,
            *_oddities(verdict, clean),
            *_guessed(message),
            *([people.answer.decision] if people.answer.decision else []),
        ),
        stable_digest=cache(lambda: _stable_digest(message)),
    )

    def reply_of(masked_text: str, masked_subject: str, mask: Mask) -> str:
        """Take the paragraphs that the text flows in, and of a person's mail what stands under the quotes alone."""
        flowed = paragraphs(masked_text, flowing)
        if flowed != masked_text:
            flowed = mask(flowed)  # a number may have stood on two lines of a quote
        if kind.report is not None:  # what a report quotes is what it is about
            return flowed
        masked_marks = [replace(one, lines=tuple(mask(line) for line in one.lines)) for one in marks]
        return reply_text(flowed, subject=masked_subject, writer=writer, marked=masked_marks)

    found = masked(unmasked, policy.masking, reply_of=reply_of)
    reacted = reaction(message, found.body.text_reply) if kind.subtype is None else None
    return _described(found if reacted is None else _as_reaction(found, reacted))


def _stable_digest(message: Message) -> str:
    try:
        return stable_digest(message)
    except (Unreadable, RecursionError, MemoryError):
        return ""  # an embedded message may exhaust the reader, too


def _as_reaction(mail: Understanding, reacted: Reaction) -> Understanding:
    """Return a mail that is a press of a button as people see it: its emoji, or the line of the client."""
    kept = tuple(one for one in mail.decisions if one.rule is not Rule.KIND)
    return replace(
        mail,
        subtype=Subtype.INBOUND_AUTOMATIC,
        automatic=REACTION,
        body=replace(mail.body, text_reply=reacted.line),
        decisions=(Decision(Rule.KIND_AUTOMATIC, Named(REACTION.rule or ""), REACTION.why or ""), *kept),
    )


def _oddities(verdict: SenderVerdict, clean: SanitisedHtml | None) -> Iterator[Decision]:
    yield from (Decision(Rule.SENDER, flag) for flag in verdict.flags)
    if clean is not None and clean.cuts:
        yield Decision(Rule.HTML, Outcome.CUT, ", ".join(clean.cuts))
    if clean is not None:
        yield from (Decision(Rule.LINK, link.flag, link.words) for link in odd_links(clean.html))


def _described(mail: Understanding) -> Understanding:
    """Add what is told of a mail's files and of a missing text, by what they are called once they are masked."""
    decisions = [
        Decision(file.verdict.rule, file.verdict.outcome, f"{file.attachment.name}: {file.verdict.detail}")
        for file in mail.files
        if file.verdict is not None
    ]
    decisions += [
        Decision(remark.rule, remark.outcome, f"{file.attachment.name}: {remark.detail}")
        for file in mail.files
        for remark in file.remarks
    ]
    if not mail.body.text.strip():
        decisions.append(Decision(Rule.TEXT, Outcome.MISSING, "the mail has no text"))
    if not decisions and not mail.files:
        return mail
    names = "; ".join([file.attachment.name for file in mail.files if file.attachment.name])[:_MOST_NAMES]
    named = {"_AttachmentFileNames": names} if names else {}
    return replace(mail, attributes={**named, **mail.attributes}, decisions=(*mail.decisions, *decisions))


def wrap(raw: bytes, reason: str, *, policy: Policy, raw_key: str = "", bare: bool = False) -> Understanding:
    """Understand a mail as a wrapping interaction: its header where it can be read, the reason, the original (G25).

    `bare`: without its header, whose reading would end the process.
    """
    head = None if bare else _peek(raw)
    senders = [one for one in _some_addresses(head, "from") if is_valid(one.address)]
    subject = head.header("subject")[:_MOST_SUBJECT] if head else ""
    unknown = Address("", f"unknown@{policy.configuration.settings.default_domain}")
    text = f"{WRAPPING_TEXT}\n{reason}\n{ATTACHED_TEXT}"
    sha256 = hashlib.sha256(raw).hexdigest()
    original = Attachment(
        name="original.eml", content_type="message/rfc822", size=len(raw), sha256=sha256, key=raw_key or None
    )
    unmasked = Understanding(
        sha256=sha256,
        size=len(raw),
        subject=subject or UNKNOWN_SUBJECT,
        sender=senders[0] if senders else unknown,
        body=Body(text=text, text_reply=""),
        subtype=None,
        wrap_reason=reason,
        reply_to=_some_addresses(head, "reply-to"),
        answer_to=_some_addresses(head, "reply-to") or tuple(senders[:1]),
        to=_some_addresses(head, "to"),
        cc=_some_addresses(head, "cc"),
        date=parse_date(head.header("date")) if head else None,
        message_id=references.message_id(head) if head else None,
        in_reply_to=references.in_reply_to(head)[:_MOST_REFERENCES] if head else (),
        references=references.references(head)[-_MOST_REFERENCES:] if head else (),
        files=(ReadFile(original, lambda: raw),),
        attributes={"_WrappingMessageReason": reason},
        decisions=(Decision(Rule.WRAP, Outcome.WRAPPED, reason),),
    )
    return _described(masked(unmasked, policy.masking, reply_of=lambda masked_text, _subject, _mask: masked_text))


def _some_addresses(head: Message | None, name: str) -> tuple[Address, ...]:
    """Read so many addresses of a header that the item of a wrapping interaction holds them, whatever they are."""
    found = _addresses(head, name)[:_MOST_ADDRESSES] if head else ()
    return tuple(Address(one.name[:_LONGEST_NAME], one.address[:_LONGEST_NAME]) for one in found)


def _peek(raw: bytes) -> Message | None:
    """Read the header section alone; None when not even that can be read."""
    end = min((at for at in (raw.find(b"\r\n\r\n"), raw.find(b"\n\n")) if at >= 0), default=len(raw))
    if end > _HEADER_PEEK:
        return None
    try:
        return read(raw[:end] + b"\r\n\r\n")
    except Exception:  # noqa: BLE001 - what is wrapped has no other way left: a defect of the reader must not stop it
        return None


def _addresses(message: Message, name: str) -> tuple[Address, ...]:
    if not message.has(name):
        return ()
    return tuple([address for address in message.addresses(name) if address.address or address.name])


def _guessed(message: Message) -> Iterator[Decision]:
    """Tell of address fields that had to be guessed in part, or hold what is no address: nobody is lost in silence."""
    for name in _LISTS:
        found, malformed = 0, False
        invalid: list[str] = []
        values = message.raw_values(name)
        if sum(map(len, values)) > _LONGEST_LIST:
            yield Decision(Rule.ADDRESSES, Outcome.MALFORMED, f"{name.title()} is longer than {_LONGEST_LIST:,} bytes")
            continue
        for value in values:
            charset = None if value.isascii() else message.message_charset
            read_list = parse_mailboxes(value.encode("latin-1"), charset=charset)
            malformed |= read_list.malformed
            found += len(read_list.addresses)
            invalid += [one.address for one in read_list.addresses if one.address and not is_valid(one.address)]
        if malformed or invalid:
            words = [f"{name.title()} with {found} address{'es' * (found != 1)}"]
            words += ["guessed in part"] if malformed else []
            words += [f"{len(invalid)} not valid"] if invalid else []
            yield Decision(Rule.ADDRESSES, Outcome.MALFORMED, ", ".join(words))


def _tokens(message: Message, text: str, policy: Policy, *, report: bool) -> tuple[tuple[ProvenToken, ...], bool]:
    """Collect the proven tokens, by references first, then recipients, then the body; and whether one was forged."""
    if not policy.thread_keys:
        return (), False
    recipients = (address.address for name in ("to", "cc", "delivered-to") for address in _addresses(message, name))
    places = (
        (TokenPlace.REFERENCES, (*references.in_reply_to(message), *reversed(references.references(message)))),
        (TokenPlace.PLUS_ADDRESS, tuple(recipients)),
        (TokenPlace.BODY, (*thread_token.markers_in(text), *(thread_markers.in_report(message) if report else ()))),
    )
    proven: dict[str, ProvenToken] = {}
    forged = False
    for place, candidates in places:
        for candidate in candidates:
            if not thread_token.looks_ours(candidate):
                continue
            outbound_id = thread_token.verify(candidate, keys=policy.thread_keys)
            forged |= outbound_id is None
            if outbound_id is not None:
                proven.setdefault(outbound_id, ProvenToken(outbound_id, place))
    return tuple(proven.values()), forged
