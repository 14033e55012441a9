"""Read what Amazon SES tells through SNS by mail: JSON about a bounce, a complaint or a delivery."""

from __future__ import annotations

import json
from collections.abc import Iterator

from postroom.mail.reports.delivery_report import DeliveryReport, Recipient, ReportKind
from postroom.mail.reports.reasons import Reason
from postroom.mail.reports.recipient import recipient_for

_MOST_RECIPIENTS = 100
_JSON = json.JSONDecoder(strict=False)


def read_notification(text: str) -> DeliveryReport | None:
    """Read the notification that Amazon SES sends through SNS by mail: JSON, wrapped or not."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        # Not strict: mail breaks the long line, and the break lies within a string. Text follows the object.
        found, _ = _JSON.raw_decode(text[start:].replace("\n", ""))
        if isinstance(found, dict) and isinstance(found.get("Message"), str):
            found, _ = _JSON.raw_decode(found["Message"].strip())
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    kind = str(found.get("notificationType") or found.get("eventType") or "")
    mail = found.get("mail")
    original = mail.get("messageId") if isinstance(mail, dict) else None
    recipients = tuple(_recipients(found, kind))
    if not recipients:
        return None
    return DeliveryReport(
        kind={"Bounce": ReportKind.NDR, "Complaint": ReportKind.FEEDBACK}.get(kind, ReportKind.REPORT),
        recipients=recipients,
        # SES puts its own id, with the domain of its region, into the Message-ID of what it sends.
        original_message_id=f"<{original}@email.amazonses.com>" if isinstance(original, str) else None,
        rule="bounce:amazon-sns",
    )


def _recipients(event: dict[str, object], kind: str) -> Iterator[Recipient]:
    if kind == "Bounce":
        for entry in _objects(event.get("bounce"), "bouncedRecipients"):
            diagnostic = str(entry.get("diagnosticCode") or "")
            yield recipient_for(
                str(entry.get("emailAddress") or ""),
                words=diagnostic.partition(";")[2].strip() or diagnostic,
                reporter="amazon-sns",
                action=str(entry.get("action") or "failed"),
                status=str(entry.get("status") or ""),
            )
    elif kind == "Complaint":
        for entry in _objects(event.get("complaint"), "complainedRecipients"):
            address = str(entry.get("emailAddress") or "")
            yield Recipient(address, action="complained", reason=Reason.FEEDBACK.value, permanent=False)
    elif kind == "Delivery":
        delivery = event.get("delivery")
        if isinstance(delivery, dict) and isinstance(delivery.get("recipients"), list):
            answer = str(delivery.get("smtpResponse") or "")
            for address in delivery["recipients"][:_MOST_RECIPIENTS]:
                yield recipient_for(
                    str(address), words=answer, reporter="amazon-sns", action="delivered",
                    remote_mta=str(delivery.get("remoteMtaIp") or ""),
                )  # fmt: skip


def _objects(holder: object, name: str) -> list[dict[str, object]]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return [entry for entry in found if isinstance(entry, dict)][:_MOST_RECIPIENTS] if isinstance(found, list) else []
