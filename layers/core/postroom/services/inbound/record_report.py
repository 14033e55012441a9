"""Write what a report mail says onto the mail of ours that it is about (G29, fault 79)."""

from __future__ import annotations

from datetime import datetime

from postroom.mail.reports.delivery_report import DeliveryReport, ReportKind
from postroom.model.interaction import Event, Interaction
from postroom.model.outbound import Delivery
from postroom.model.understanding import Understanding
from postroom.ports import Outbox

_DISPOSITIONS_SEEN = frozenset({"displayed", "processed", "dispatched"})


def record_report(interaction: Interaction, mail: Understanding, *, outbox: Outbox, now: datetime) -> bool:
    """Record the report on its outbound mail; False when it is about none of ours, or was recorded before."""
    if mail.report is None or interaction.parent_id is None:
        return False
    outbound = outbox.get(interaction.parent_id)
    if outbound is None:
        return False
    delivery, what = _meaning(mail.report)
    detail = "; ".join(
        " ".join(part for part in (one.address, one.action, one.status, one.reason, one.diagnostic) if part)
        for one in mail.report.recipients[:5]
    )
    return outbox.report(
        outbound.id,
        report_id=interaction.id,
        delivery=delivery,
        event=Event(at=now, what=what, detail=f"{detail} (interaction {interaction.id})"[:1000]),
    )


def _meaning(report: DeliveryReport) -> tuple[Delivery, str]:
    actions = {recipient.action for recipient in report.recipients}
    if report.kind is ReportKind.FEEDBACK:
        return Delivery.COMPLAINED, "complained"
    if report.kind is ReportKind.DISPOSITION:
        opened = bool(actions & _DISPOSITIONS_SEEN)
        return (Delivery.OPENED, "opened") if opened else (Delivery.DELIVERED, "disposition")
    if report.kind is ReportKind.REPORT:
        return Delivery.DELIVERED, "delivered"
    if actions == {"delayed"}:
        return Delivery.DELAYED, "delayed"
    return Delivery.BOUNCED, "bounced"
