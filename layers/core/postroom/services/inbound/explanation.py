"""Say what Postroom would do with a mail, without storing or sending: the same pure code as process_inbound."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from operator import attrgetter
from typing import Any

from postroom.mail.headers import Address, address_key
from postroom.mail.outgoing import without_plus_part
from postroom.mail.reply_text import Forwarded
from postroom.mail.reports import DeliveryReport, Recipient
from postroom.model import Decision, Outcome, Subtype, Understanding
from postroom.model import DecisionRule as Rule
from postroom.model.configuration import Mailbox
from postroom.rules import route
from postroom.services.inbound.understand_mail import understand
from postroom.services.policy import Policy

_NO_MAILBOX = "no mailbox was named, and none of the configuration has an address that the mail was sent to"


def explain(raw: bytes, *, source: str, policy: Policy, mailbox: Mailbox | None = None) -> dict[str, Any]:
    """Return the explanation of one mail as plain values (the shape is documented in docs/cli.md)."""
    mail = understand(raw, policy=policy)
    mailbox = mailbox or _addressed(mail, policy)
    answers = bool(mail.tokens or mail.in_reply_to or mail.references)
    subtype = mail.subtype or (Subtype.INBOUND_CUSTOMER_REPLY if answers else Subtype.INBOUND_NEW)
    routed = route(policy.configuration, mailbox, subtype, absent=_NO_MAILBOX)
    return {
        "source": source,
        "sha256": mail.sha256,
        "outcome": mail.outcome,
        "wrap_reason": mail.wrap_reason,
        "subtype": subtype.value,
        "subject": mail.subject,
        "from": _address(mail.sender) if mail.sender else None,
        "reply_to": _list(mail.reply_to),
        "to": _list(mail.to),
        "cc": _list(mail.cc),
        "original_author": _address(mail.original_author) if mail.original_author else None,
        "forwarded": _forwarded(mail.forwarded) if mail.forwarded else None,
        "answer_to": _list(mail.answer_to),
        "date": mail.date.isoformat() if mail.date else None,
        "message_id": mail.message_id,
        "in_reply_to": list(mail.in_reply_to),
        "references": list(mail.references),
        "text": mail.body.text,
        "text_reply": mail.body.text_reply,
        "html": mail.body.html,
        "remote_images": mail.body.remote_images,
        "hidden_text": int(mail.attributes.get("HiddenText", 0)),
        "links": {"flags": sorted({one.outcome for one in mail.decisions if one.rule is Rule.LINK})},
        "attachments": [
            dict(zip(_ATTACHMENT, _attachment_values(file.attachment), strict=True)) for file in mail.files
        ],
        "automatic": {"is": mail.automatic.is_automatic, "why": mail.automatic.why},
        "delivery_report": _report(mail.report) if mail.report else None,
        "sender": {
            "flags": [flag.value for flag in mail.sender_verdict.flags],
            "spf": mail.sender_verdict.auth.spf,
            "dkim": mail.sender_verdict.auth.dkim,
            "dmarc": mail.sender_verdict.auth.dmarc,
        },
        "attributes": dict(mail.attributes),
        "mailbox": mailbox.name if mailbox else None,
        "queue": routed.queue,
        "decisions": [
            {"rule": one.rule, "outcome": one.outcome, "detail": one.detail}
            for one in _decisions(mail, routed.decisions, answers=answers)
        ],
    }


def _decisions(mail: Understanding, routed: Iterable[Decision], *, answers: bool) -> list[Decision]:
    claim = "it refers to other mail; whether it joins their thread is looked up when it is processed"
    thread = (
        Decision(Rule.THREAD, Outcome.CLAIMED, claim)
        if answers
        else Decision(Rule.THREAD, Outcome.NEW, "it refers to nothing")
    )
    return [*mail.decisions, thread, *routed]


def _addressed(mail: Understanding, policy: Policy) -> Mailbox | None:
    """Find the mailbox that the mail was sent to: the first whose address is among the recipients."""
    recipients = {address_key(without_plus_part(address.address)) for address in (*mail.to, *mail.cc)}
    for mailbox in policy.configuration.mailboxes:
        if address_key(mailbox.bare_address) in recipients:
            return mailbox
    return None


def _address(address: Address) -> dict[str, str]:
    return {"name": address.name, "address": address.address}


def _forwarded(original: Forwarded) -> dict[str, Any]:
    return {
        "from": _address(original.sender) if original.sender else None,
        "to": _list(original.to),
        "date": original.date or None,
        "subject": original.subject,
    }


def _list(addresses: Iterable[Address]) -> list[dict[str, str]]:
    return [_address(address) for address in addresses]


_ATTACHMENT = ("name", "content_type", "sniffed_type", "size", "sha256", "inline", "content_id", "blocked")
_RECIPIENT = tuple(field.name for field in fields(Recipient))
_attachment_values = attrgetter(*_ATTACHMENT)
_recipient_values = attrgetter(*_RECIPIENT)


def _report(report: DeliveryReport) -> dict[str, Any]:
    return {
        "kind": report.kind.value,
        "recipients": [dict(zip(_RECIPIENT, _recipient_values(one), strict=True)) for one in report.recipients],
        "original_message_id": report.original_message_id,
        "rule": report.rule,
    }
