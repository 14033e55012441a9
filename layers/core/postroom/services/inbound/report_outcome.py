"""Say what a report mail tells of the mail of ours that it is about (G29, fault 79)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from postroom.mail.reports import DeliveryReport, Recipient, ReportKind
from postroom.model import Delivery, Event, EventKind, Interaction, SuppressionReason
from postroom.services.desk import ReportOnMail

_DISPOSITIONS_SEEN = frozenset({"displayed", "processed", "dispatched"})


@dataclass(frozen=True, slots=True)
class ReportedOutcome:
    """What is recorded on an outbound mail, if there is one of this id: a report counts once, by its interaction."""

    outbound_id: str
    delivery: Delivery
    event: Event
    deliveries: Mapping[str, Delivery] = field(default_factory=dict)  # by recipient that it names
    suppressed: Mapping[str, SuppressionReason] = field(default_factory=dict)  # nothing more is to be sent to them
    reason: str = ""  # whom it did not reach, and why, for who works on the case

    @property
    def not_arrived(self) -> ReportOnMail | None:
        """Return what the case of the mail is told; None when the mail may have done its work."""
        return ReportOnMail(self.outbound_id, self.reason) if self.delivery.failed else None


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
    named = {one.original_recipient or one.address for one in report.recipients} - {""}
    return ReportedOutcome(
        interaction.parent_id,
        delivery,
        event,
        reason=_in_words(report, delivery),
        deliveries=_deliveries(report, delivery),
        suppressed=dict.fromkeys(named, SuppressionReason.COMPLAINED)
        if delivery is Delivery.COMPLAINED
        else {
            one.original_recipient or one.address: SuppressionReason.BOUNCED
            for one in report.recipients
            if delivery is Delivery.BOUNCED and one.permanent and one.action in (None, "failed")
        },
    )


def _deliveries(report: DeliveryReport, delivery: Delivery) -> Mapping[str, Delivery]:
    """Say what a report tells of each recipient; of one report, some failed and some are only late."""
    found = {}
    for one in report.recipients:
        if address := one.original_recipient or one.address:
            found[address] = _BY_ACTION.get(one.action or "", delivery) if report.kind is ReportKind.NDR else delivery
    return found


_BY_ACTION = {
    "delayed": Delivery.DELAYED,
    "delivered": Delivery.DELIVERED,
    "relayed": Delivery.DELIVERED,
    "expanded": Delivery.DELIVERED,
}


def _in_words(report: DeliveryReport, delivery: Delivery) -> str:
    """Say whom the mail did not reach, and why."""
    said = "complained about it" if delivery is Delivery.COMPLAINED else "did not get it"
    told = [
        f"{one.address or 'a recipient'} {said}" + (f": {why}" if (why := _why(one)) else "")
        for one in report.recipients[:5]
    ]
    return "; ".join(told) or f"a recipient {said}"


def _why(recipient: Recipient) -> str:
    reason = (recipient.reason or "").replace("_", " ")
    return ", ".join(part for part in (reason, recipient.status, (recipient.diagnostic or "")[:120]) if part)


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
