"""Say what a report mail tells of the mail of ours that it is about (G29, fault 79)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from postroom.mail.reports import DeliveryReport, ReportKind
from postroom.model import Delivery, Event, EventKind, Interaction

_DISPOSITIONS_SEEN = frozenset({"displayed", "processed", "dispatched"})


@dataclass(frozen=True, slots=True)
class ReportedOutcome:
    """What is recorded on an outbound mail, if there is one of this id: a report counts once, by its interaction."""

    outbound_id: str
    delivery: Delivery
    event: Event


def reported_outcome(
    interaction: Interaction, report: DeliveryReport | None, *, now: datetime
) -> ReportedOutcome | None:
    """Return what a report says of the mail that its interaction belongs to; None when it belongs to none."""
    if report is None or interaction.parent_id is None:
        return None
    delivery, what = _meaning(report)
    detail = "; ".join(
        " ".join(part for part in (one.address, one.action, one.status, one.reason, one.diagnostic) if part)
        for one in report.recipients[:5]
    )
    event = Event(at=now, what=what, detail=f"{detail} (interaction {interaction.id})"[:1000])
    return ReportedOutcome(interaction.parent_id, delivery, event)


def _meaning(report: DeliveryReport) -> tuple[Delivery, EventKind]:
    actions = {recipient.action for recipient in report.recipients}
    if report.kind is ReportKind.FEEDBACK:
        return Delivery.COMPLAINED, EventKind.COMPLAINED
    if report.kind is ReportKind.DISPOSITION:
        opened = bool(actions & _DISPOSITIONS_SEEN)
        return (Delivery.OPENED, EventKind.OPENED) if opened else (Delivery.DELIVERED, EventKind.DISPOSITION)
    if report.kind is ReportKind.REPORT:
        return Delivery.DELIVERED, EventKind.DELIVERED
    if actions == {"delayed"}:
        return Delivery.DELAYED, EventKind.DELAYED
    return Delivery.BOUNCED, EventKind.BOUNCED
