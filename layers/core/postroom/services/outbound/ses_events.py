"""Follow what became of sent mail: SES events, as EventBridge delivers them.

The tag that SES carries for us says which mail an event is about; an event without it, or about no mail of ours, is
noted for administrators and changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from postroom.errors import Conflict
from postroom.model import Delivery, Event, EventKind, Outbound, OutboxState, SuppressionReason, event_kind
from postroom.ports import Clock, Notices, Outbox, Suppressions
from postroom.services.outbound.dead_addresses import suppress
from postroom.services.outbound.settle import left_after_all, unsure

TAG = "postroom-outbound"

KINDS: dict[str, tuple[Delivery | None, EventKind]] = {
    "Send": (Delivery.TAKEN, EventKind.TAKEN_BY_SES),
    "Delivery": (Delivery.DELIVERED, EventKind.DELIVERED),
    "Bounce": (Delivery.BOUNCED, EventKind.BOUNCED),
    "Complaint": (Delivery.COMPLAINED, EventKind.COMPLAINED),
    "DeliveryDelay": (Delivery.DELAYED, EventKind.DELAYED),
    "Reject": (Delivery.REJECTED, EventKind.REJECTED),
    "Rendering Failure": (Delivery.REJECTED, EventKind.REJECTED),
    "Open": (Delivery.OPENED, EventKind.OPENED),
}
"""`eventType` of SES → (what became of the mail, name in its history)."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """What an event changed."""

    outbound_id: str | None
    kind: str
    news: bool


def track(
    event: Mapping[str, Any], *, outbox: Outbox, notices: Notices, suppressions: Suppressions, clock: Clock
) -> Tracked:
    """Record one SES event on the outbound mail that it is about."""
    detail: Mapping[str, Any] = event.get("detail") or event
    kind = str(detail.get("eventType") or detail.get("notificationType") or "unknown")
    report_id = _identity(event, detail)
    now = clock()
    outbound_id = _tag(detail)
    outbound = outbox.get(outbound_id) if outbound_id else None
    if outbound is None:
        notices.add(at=now, what=EventKind.UNMATCHED_REPORT, detail=f"{kind} {_text(detail)}"[:500])
        return Tracked(outbound_id, kind, news=False)
    delivery, what = KINDS.get(kind, (None, event_kind(kind.lower())))
    named = _recipients(detail, kind)
    news = outbox.report(
        outbound.id,
        report_id=report_id,
        delivery=delivery,
        deliveries=dict.fromkeys(named, delivery) if delivery is not None else {},
        event=Event(at=_when(detail, now), what=what, detail=_text(detail)),
    )
    if news and kind != "Rendering Failure" and outbound.state is OutboxState.UNCERTAIN:
        _settle(outbox.get(outbound.id) or outbound, kind, named, outbox, now)  # as it is after the report
    if (reason := _suppresses(kind, detail)) is not None:
        suppress(named, reason, outbound=outbound, detail=_text(detail), suppressions=suppressions, now=now)
    return Tracked(outbound.id, kind, news)


_DEAD = frozenset({"General", "NoEmail", "Suppressed", "OnAccountSuppressionList"})
"""Sub-types of permanent bounces that are about the address; the others are about the mail (too large, its content)."""


def _suppresses(kind: str, detail: Mapping[str, Any]) -> SuppressionReason | None:
    """Say why nothing more is sent to those whom an event is about; None where it says nothing of that."""
    if kind == "Complaint":
        # `not-spam`: its owner took it out of the junk folder (RFC 6430).
        feedback = (detail.get("complaint") or {}).get("complaintFeedbackType")
        return None if feedback == "not-spam" else SuppressionReason.COMPLAINED
    bounce = detail.get("bounce") or {}
    dead = bounce.get("bounceType") == "Permanent" and bounce.get("bounceSubType") in _DEAD
    return SuppressionReason.BOUNCED if kind == "Bounce" and dead else None


def _settle(outbound: Outbound, kind: str, named: Collection[str], outbox: Outbox, now: datetime) -> None:
    """SES tells of the mail, so it had taken it: an uncertain sending is certain now (X09)."""
    differ = bool(outbound.recipients)
    if outbound.state is not OutboxState.UNCERTAIN or (differ and not set(named) & set(unsure(outbound))):
        return
    event = Event(at=now, what=EventKind.SETTLED, detail=f"SES reported {kind}: it had taken the mail")
    try:
        left_after_all(outbound, outbox=outbox, event=event, only=named if differ else None)
    except Conflict:
        return  # a person or another event was faster; the report itself is recorded


_NAMED: Mapping[str, tuple[str, str]] = {
    "Delivery": ("delivery", "recipients"),
    "Bounce": ("bounce", "bouncedRecipients"),
    "Complaint": ("complaint", "complainedRecipients"),
    "DeliveryDelay": ("deliveryDelay", "delayedRecipients"),
}
"""Where each kind of event names its recipients; the others are about all of the mail's (SES developer guide,
"Examples of event data")."""


def _recipients(detail: Mapping[str, Any], kind: str) -> tuple[str, ...]:
    """Name the recipients that an event is about, as the envelope had them."""
    section, field = _NAMED.get(kind, ("mail", "destination"))
    found = (detail.get(section) or {}).get(field) or ()
    addresses = [one.get("emailAddress") if isinstance(one, Mapping) else one for one in found]
    return tuple(dict.fromkeys(one for one in addresses if isinstance(one, str) and one))[:_MOST_NAMED]


_MOST_NAMED = 1000


def _tag(detail: Mapping[str, Any]) -> str | None:
    values: Sequence[str] = (detail.get("mail") or {}).get("tags", {}).get(TAG) or ()
    return values[0] if values else None


def _identity(event: Mapping[str, Any], detail: Mapping[str, Any]) -> str:
    """Identify the report itself, so that it counts once however often it is delivered."""
    if isinstance(event.get("id"), str):
        return str(event["id"])
    return hashlib.sha256(json.dumps(detail, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _when(detail: Mapping[str, Any], now: datetime) -> datetime:
    kind = str(detail.get("eventType", ""))
    stamp = (detail.get(kind[:1].lower() + kind[1:]) or {}).get("timestamp")
    try:
        return datetime.fromisoformat(str(stamp)).astimezone(UTC)
    except ValueError:
        return now


def _text(detail: Mapping[str, Any]) -> str:
    """Say what an administrator wants to know: for a bounce type, status and diagnostic; for a complaint its kind."""
    parts: list[str] = []
    bounce = detail.get("bounce") or {}
    if bounce:
        parts.append(f"{bounce.get('bounceType', '')} {bounce.get('bounceSubType', '')}".strip())
        for recipient in bounce.get("bouncedRecipients") or []:
            words = (recipient.get("emailAddress"), recipient.get("status"), recipient.get("diagnosticCode"))
            parts.append(" ".join(str(word) for word in words if word))
    for name, key in (
        ("delivery", "smtpResponse"),
        ("complaint", "complaintFeedbackType"),
        ("deliveryDelay", "delayType"),
        ("reject", "reason"),
    ):
        value = (detail.get(name) or {}).get(key)
        if value:
            parts.append(str(value))
    return "; ".join(parts)[:1000]
