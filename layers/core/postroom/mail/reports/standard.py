"""Reports that follow a standard: RFC 3464 delivery status, RFC 8098 dispositions, RFC 5965 complaints.

Also when badly formed: without multipart/report, with the status as plain text, with only some of the fields. What
follows no standard is read by `bounce`.
"""

from __future__ import annotations

from dataclasses import replace

from postroom.mail.reader import Message, Part
from postroom.mail.reports import report_text
from postroom.mail.reports.automatic_evidence import Automatic, Evidence, corroboration
from postroom.mail.reports.delivery_report import DeliveryReport, Recipient, ReportKind
from postroom.mail.reports.fields import Fields, address_in, field_blocks, merged, original_id, short, without_fields
from postroom.mail.reports.reasons import NO_FAILURE, Reason
from postroom.mail.reports.recipient import recipient_for
from postroom.mail.reports.server import is_titled, returns_to_its_writer, server_of

_MOST_RECIPIENTS = 200
_STATUS_SCANNED = 256 * 1024

_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status", "text/delivery-status"})
_DISPOSITION_TYPES = frozenset({"message/disposition-notification", "message/global-disposition-notification"})
_NO_REPORT = frozenset({"text/plain", "text/html"})

_DIAGNOSTICS = ("diagnostic-code", "x-supplementary-info", "x400-supplementary-info")
_REFUSED = ("automatically rejected", "was rejected", "was refused", "rejected by sieve")

AS_TEXT = "rfc3464-as-text"


def read_report(message: Message, *, evidence: Automatic | None = None) -> DeliveryReport | None:
    """Read a report by its standard, in the order RFC 3464, RFC 8098, RFC 5965; None when it follows none.

    `evidence` is what `corroboration` found, where the caller has asked already.
    """
    found = delivery_report(message, evidence=evidence) or _enclosed_report(message, evidence)
    if found is None and len(message.children) == 0 and message.content_type in _NO_REPORT:
        return _hotmail_complaint(message)
    return found or disposition(message) or complaint(message)


def delivery_report(message: Message, *, evidence: Automatic | None = None) -> DeliveryReport | None:
    """Read an RFC 3464 delivery status notification, well or badly formed."""
    blocks, rule = _status_blocks(message, evidence)
    groups = [block for block in blocks if "final-recipient" in block or "original-recipient" in block]
    if not groups:
        return None
    text = report_text.human_text(message)
    reporter = _reporter(message, text.words)
    words = without_fields(text.words) if rule == AS_TEXT else text.words
    recipients: list[Recipient] = []
    for group in groups[:_MOST_RECIPIENTS]:
        recipient = _recipient(group, words, reporter, alone=len(groups) == 1)
        if recipient is not None and all(known.address.lower() != recipient.address.lower() for known in recipients):
            recipients.append(recipient)
    if not recipients:
        return None
    failed = any(recipient.reason not in NO_FAILURE for recipient in recipients)
    return DeliveryReport(
        kind=ReportKind.NDR if failed else ReportKind.REPORT,
        recipients=tuple(recipients),
        original_message_id=report_text.returned_message_id(message, text) or original_id(blocks),
        rule=rule,
    )


def _enclosed_report(message: Message, evidence: Automatic | None) -> DeliveryReport | None:
    """Read the report that a gateway put into a mail of its own, to add a notice: the two have one Message-ID."""
    if not message.children or not (evidence or corroboration(message)).is_automatic:
        return None
    own = message.header("Message-ID").strip()
    for part in message.walk():
        inner = part.message if part.is_message and own else None
        if inner is not None and inner.header("Message-ID").strip() == own:
            return delivery_report(inner)
    return None


def disposition(message: Message) -> DeliveryReport | None:
    """Read an RFC 8098 message disposition notification."""
    for part in message.walk():
        if part.content_type not in _DISPOSITION_TYPES:
            continue
        fields = merged(field_blocks(part.text()[:_STATUS_SCANNED]))
        # RFC 8098 §3.2.6: "mode / sending-mode; type/modifiers"
        kind = fields.get("disposition", "").rpartition(";")[2].partition("/")[0].strip().lower()
        who = address_in(fields.get("final-recipient") or fields.get("original-recipient") or "") or _first_sender(
            message
        )
        original = fields.get("original-message-id", "").strip()
        text = report_text.human_text(message)
        reader = Recipient(who, action=kind or None, diagnostic=short(fields.get("disposition")))
        # RFC 5429 §2.1.2: a mail that a filter or a full mailbox refused after it had come is told as a disposition.
        refused = kind == "deleted" and any(said in text.words[:2_000].lower() for said in _REFUSED)
        if refused:
            reader = recipient_for(who, words=text.words, reporter="")
            if reader.reason == Reason.UNDEFINED:
                reader = replace(reader, reason=Reason.FILTERED.value, permanent=False)
        return DeliveryReport(
            kind=ReportKind.NDR if refused else ReportKind.DISPOSITION,
            recipients=(reader,) if who else (),
            original_message_id=original or report_text.returned_message_id(message, text),
            rule="rfc5429" if refused else "rfc8098",
        )
    return None


def complaint(message: Message) -> DeliveryReport | None:
    """Read an RFC 5965 abuse report, or the older form that Hotmail sends: the mail itself under a fixed subject."""
    for part in message.walk():
        if part.content_type != "message/feedback-report":
            continue
        blocks = field_blocks(part.text()[:_STATUS_SCANNED])
        fields = merged(blocks)
        text = report_text.human_text(message)
        named = fields.get("original-rcpt-to") or fields.get("removal-recipient") or ""
        who = address_in(named) or next(iter(report_text.returned_recipients(message, text)), "")
        kind = fields.get("feedback-type", "").strip().lower() or None
        return DeliveryReport(
            kind=ReportKind.FEEDBACK,
            recipients=(
                Recipient(who, action="complained", reason=Reason.FEEDBACK.value, permanent=False, diagnostic=kind),
            )
            if who
            else (),
            original_message_id=report_text.returned_message_id(message, text),
            rule="rfc5965",
            feedback_type=kind,
        )
    return _hotmail_complaint(message)


def _hotmail_complaint(message: Message) -> DeliveryReport | None:
    if not message.header("Subject")[:200].lower().startswith("complaint about message from"):
        return None
    returned = next((part.message for part in message.walk() if part.message is not None), None)
    sender = _first_sender(message).lower()
    if returned is None or not sender.endswith(("@hotmail.com", "@outlook.com", "@live.com", ".amazonses.com")):
        return None
    text = report_text.human_text(message)
    hidden = address_in(returned.header("X-HmXmrOriginalRecipient"))
    who = hidden or next(iter(report_text.returned_recipients(message, text)), "")
    found = Recipient(who, action="complained", reason=Reason.FEEDBACK.value, permanent=False, diagnostic="abuse")
    return DeliveryReport(
        kind=ReportKind.FEEDBACK,
        recipients=(found,) if who else (),
        original_message_id=report_text.returned_message_id(message, text),
        rule="complaint-about-message",
        feedback_type="abuse",
    )


def _status_blocks(message: Message, evidence: Automatic | None) -> tuple[list[Fields], str]:
    parts = [part for part in message.walk() if part.content_type in _STATUS_TYPES]
    found = evidence or corroboration(message)
    # Mail programs forward a report with all of its parts, and people quote its fields: only where the mail itself is
    # built like one of a mail system, or called so.
    named = is_titled(message) or "report-type=" in message.header("Content-Type")[:500]
    if found.evidence is not Evidence.REPORT and not (named and (parts or found.is_automatic or _comes_back(message))):
        return [], ""
    for part in parts:
        blocks = field_blocks(part.text()[:_STATUS_SCANNED])
        if any("final-recipient" in block or "original-recipient" in block for block in blocks):
            return blocks, "rfc3464"
    # The same fields as text: the part's type was lost, or was never right.
    for part in message.walk():
        if part.is_multipart or part.is_message or part.content_type == "text/html":
            continue
        if not part.content_type.startswith(("text/", "application/octet-stream", "message/", "multipart/")):
            continue
        text = part.text()[:_STATUS_SCANNED]
        lowered = text.lower()
        if "final-recipient:" in lowered and ("\nstatus:" in lowered or "\naction:" in lowered):
            return field_blocks(report_text.split_returned(text).words), AS_TEXT
    return [], ""


def _comes_back(message: Message) -> bool:
    """Say whether a mail holds one that its reader wrote, as a report with the fields in its text does.

    Who answers or forwards a report refers to it, and sends a mail of his own back.
    """
    if message.has("In-Reply-To") or message.has("References") or message.has("User-Agent"):
        return False
    return returns_to_its_writer(message, report_text.human_text(message))


def _recipient(group: Fields, words: str, reporter: str, *, alone: bool) -> Recipient | None:
    final = address_in(group.get("final-recipient", ""))
    original = address_in(group.get("original-recipient", "")) or address_in(group.get("x-actual-recipient", ""))
    address = final if "@" in final else original if "@" in original else final
    if not address:
        return None
    # Hotmail and X.400 gateways give the server's answer in a field of their own.
    told = next((group[name] for name in _DIAGNOSTICS if group.get(name)), "")
    kind, _, code = told.partition(";")
    if not code:
        kind, code = "", kind
    diagnostic = code.strip()
    about = report_text.words_about(address, words) or (words if alone else "")
    action = group.get("action", "").partition("(")[0].strip().lower()
    status = group.get("status", "")
    comment = status.partition("(")[2].rstrip(") ")
    if comment.startswith(("other or undefined", "undefined")):
        comment = ""  # the registry's own words for x.y.0
    said = diagnostic
    if not said or (report_text.reply_code_in(said) and len(said) < 90 and _continues(diagnostic, about)):
        said = f"{diagnostic} {comment} {about}".strip()
    recipient = recipient_for(
        address,
        words=said or comment,
        reporter=reporter,
        action=action,
        status=status,
        remote_mta=address_in(group.get("remote-mta", "")),
        is_smtp=kind.strip().lower() not in {"x-unix", "x-prog"},
        context=words if alone else about,
    )
    if original.lower() != address.lower() and "@" in original:
        recipient = replace(recipient, original_recipient=original)
    if recipient.reason != Reason.UNDEFINED or not words:
        return recipient
    wider = recipient_for(
        address,
        words=f"{said} {words if alone else about}",
        reporter=reporter,
        action=action,
        status=status,
        remote_mta=address_in(group.get("remote-mta", "")),
        context=words,
    )
    return replace(wider, original_recipient=recipient.original_recipient)


def _continues(diagnostic: str, about: str) -> bool:
    """Say whether the text repeats a diagnostic and goes on: sendmail keeps only the first line of an answer."""
    return bool(diagnostic) and diagnostic[-20:].lower() in about.lower()


def _reporter(message: Part, words: str) -> str:
    server = server_of(message, words)
    return server.name if server else ""


def _first_sender(message: Part) -> str:
    from postroom.mail.headers import parse_addresses

    fields = message.raw_headers("From")
    found = parse_addresses(fields[0][:2_000]) if fields else []
    return found[0].address if found else ""
