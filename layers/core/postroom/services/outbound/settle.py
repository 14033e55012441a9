"""A person decides about a mail whose sending failed or is uncertain (X09): send it again, or mark it as sent."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from datetime import datetime

from postroom.errors import Conflict, NotFound, Transient
from postroom.model import (
    AtRecipient,
    Delivery,
    Event,
    EventKind,
    Outbound,
    OutboxState,
    any_recipient_in,
    recipients_changed,
    recipients_in_flight,
    send_request,
)
from postroom.ports import Clock, Outbox, Queue
from postroom.services.outbound.view import did_not_arrive

_AGAIN = (OutboxState.UNCERTAIN, OutboxState.FAILED, OutboxState.DEFERRED)
_UNSURE = (OutboxState.UNCERTAIN, OutboxState.DATA)
_BEING_SENT = (OutboxState.NEW, OutboxState.CLAIMED, OutboxState.DATA)


def resend(outbound_id: str, *, outbox: Outbox, queue: Queue, clock: Clock, who: str) -> tuple[str, ...]:
    """Send a mail again on purpose to those who have not got it; returns their addresses, none where that is all.

    Raises NotFound, or Conflict for one that is on its way or sent.
    """
    outbound = _get(outbound_id, outbox)
    if outbound.state not in _AGAIN:
        raise Conflict(
            f"The mail is {outbound.state.value}, and is not sent again",
            on=outbound_id,
            remedy="Only mails that are UNCERTAIN, FAILED or DEFERRED can be sent again.",
        )
    _state, recipients = recipients_changed(outbound, _AGAIN, AtRecipient(OutboxState.NEW))
    left = recipients_in_flight(recipients) or outbound.remaining
    event = Event(at=clock(), what=EventKind.RESEND_REQUESTED, detail=_was(outbound, left), who=who)
    outbox.settle(
        outbound_id,
        was=outbound.state,
        state=OutboxState.NEW,
        event=event,
        recipients=recipients,
        remaining=left,
        revision=outbound.revision,
    )
    with contextlib.suppress(Transient):  # it is NEW: the sweeper queues it again by itself
        queue.send(send_request(outbound_id))
    return left


def mark_sent(outbound_id: str, *, outbox: Outbox, clock: Clock, who: str) -> OutboxState:
    """Record that an uncertain mail did leave, and return its state now.

    Raises NotFound, or Conflict when it is not uncertain.
    """
    outbound = _get(outbound_id, outbox)
    uncertain = any_recipient_in(outbound, OutboxState.UNCERTAIN) and outbound.state not in _BEING_SENT
    if not uncertain and outbound.state is not OutboxState.DATA:
        raise Conflict(
            f"The mail is {outbound.state.value}; only an UNCERTAIN one is marked by a person",
            on=outbound_id,
            remedy="Nothing needs to be done.",
        )
    event = Event(at=clock(), what=EventKind.MARKED_SENT, detail=f"was {outbound.state.value}", who=who)
    return left_after_all(outbound, outbox=outbox, event=event)


def left_as_reported(outbound: Outbound, *, outbox: Outbox, now: datetime) -> bool:
    """Record that what nobody knew has left, where a report shows it; says whether one does. Raises Conflict."""
    named = {to for to, delivery in outbound.deliveries.items() if delivery is not Delivery.UNKNOWN}
    differ = bool(outbound.recipients or outbound.remaining)
    # Where recipients differ, a report that names none may be about those who have the mail.
    if outbound.delivery is Delivery.UNKNOWN or (differ and not named & set(unsure(outbound))):
        return False
    event = Event(at=now, what=EventKind.SETTLED, detail=f"reported {outbound.delivery.value}")
    left_after_all(outbound, outbox=outbox, event=event, only=named if differ else None)
    return True


def unsure(outbound: Outbound) -> tuple[str, ...]:
    """Name the recipients of whom nobody knows whether the mail left for them; none where recipients do not differ."""
    return tuple(to for to, one in outbound.recipients.items() if one.state in _UNSURE)


def left_after_all(
    outbound: Outbound, *, outbox: Outbox, event: Event, only: Collection[str] | None = None
) -> OutboxState:
    """Record that what nobody knew has left: to all such recipients, or `only` to some of them; returns the state now.

    Raises Conflict when the mail was changed meanwhile.
    """
    state, recipients = recipients_changed(outbound, _UNSURE, AtRecipient(OutboxState.SENT), only=only)
    outbox.settle(
        outbound.id,
        was=outbound.state,
        state=state,
        event=event,
        recipients=recipients,
        remaining=() if state is OutboxState.SENT else outbound.remaining,
        revision=outbound.revision,
    )
    return state


def died_on_the_wire(outbound: Outbound, *, outbox: Outbox, now: datetime) -> bool:
    """Record that nobody knows what became of the content that a sender died with. Raises Conflict.

    Recipients whom that content was not for keep what is known of them.
    """
    detail = "the sender died while the content went out"
    told = AtRecipient(OutboxState.UNCERTAIN, "", detail)
    state, recipients = recipients_changed(outbound, (OutboxState.DATA,), told)
    outbox.settle(
        outbound.id,
        was=OutboxState.DATA,
        state=state,
        event=Event(at=now, what=EventKind.UNCERTAIN, detail=detail),
        recipients=recipients,
        remaining=outbound.remaining,
        revision=outbound.revision,
    )
    return True


def _was(outbound: Outbound, left: Sequence[str]) -> str:
    return f"was {outbound.state.value}" + (f"; to {', '.join(left)} alone" if left else "")


def acknowledge(outbound_id: str, *, outbox: Outbox, clock: Clock, who: str) -> None:
    """Take note that a mail did not arrive; raises NotFound, or Conflict for one that may arrive still."""
    outbound = _get(outbound_id, outbox)
    if not did_not_arrive(outbound):
        raise Conflict(
            f"The mail is {outbound.state.value}, {outbound.delivery.value}, and may arrive still",
            on=outbound_id,
            remedy="`postroom outbox unsettled` lists what waits for a person, and why.",
        )
    if outbound.acknowledged is not None:
        return
    reason = outbound.state.value if outbound.state is OutboxState.FAILED else outbound.delivery.value
    event = Event(at=clock(), what=EventKind.FAILURE_ACKNOWLEDGED, detail=f"was {reason}", who=who)
    outbox.acknowledge(outbound_id, state=outbound.state, delivery=outbound.delivery, event=event)


def _get(outbound_id: str, outbox: Outbox) -> Outbound:
    outbound = outbox.get(outbound_id)
    if outbound is None:
        raise NotFound("There is no such outbound mail", on=outbound_id)
    return outbound
